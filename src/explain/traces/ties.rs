//! Which step made another one possible: a send its receipt, a notification a wake-up. And which one stands
//! in the way of another: the lock that somebody waits for.

use super::super::report::Report;
use super::super::statements::lock_of;
use super::machines::bytes;
use super::steps::{Step, What};
use heisenbug_trace::{Event, Op};
use std::collections::{HashMap, VecDeque};

/// From one step to a later one.
pub struct Tie {
    pub from: usize,
    pub to: usize,
    pub why: String,
}

/// All ties, ordered by where they end.
pub fn ties(report: &Report, steps: &[Step]) -> Vec<Tie> {
    let mut all: Vec<Tie> = { 0..steps.len() }
        .flat_map(|to| {
            let ties = [
                message(steps, to),
                wakeup(steps, to),
                unpark(steps, to),
                begin(steps, to),
                end(steps, to),
                race(report, steps, to),
            ];
            let ties = ties.into_iter();
            ties.flatten().chain(locks(report, steps, to))
        })
        .chain(channels(steps))
        .chain(streams(steps))
        .collect();
    all.sort_by_key(|tie| (tie.to, tie.from));
    all
}

/// A message, from its send to its receipt or its loss.
fn message(steps: &[Step], to: usize) -> Option<Tie> {
    let event = steps[to].event()?;
    if !matches!(event.op, Op::Deliver | Op::DeliverAgain | Op::Lose) {
        return None;
    }
    let is_sent = |step: &Step| {
        { step.event() }.is_some_and(|sent| sent.op == Op::Post && sent.note == event.note)
    };
    let from = steps[..to].iter().position(is_sent)?;
    let number = event.note.as_deref().unwrap_or_default();
    Some(Tie {
        from,
        to,
        why: format!("message {number}"),
    })
}

/// A wake-up, from the last notification that names the sleeper.
fn wakeup(steps: &[Step], to: usize) -> Option<Tie> {
    let actor = steps[to].actor;
    matches!(steps[to].op()?, Op::Woken | Op::Awake).then_some(())?;
    let wakes = |step: &Step| {
        let names = step.event().and_then(|event| event.wakes.as_ref());
        names.is_some_and(|names| names.iter().any(|name| name == actor))
    };
    let from = steps[..to].iter().rposition(wakes)?;
    let why = "wakes".to_owned();
    Some(Tie { from, to, why })
}

/// The return of a `park`, from the first `unpark` since the last one.
fn unpark(steps: &[Step], to: usize) -> Option<Tie> {
    let actor = steps[to].actor;
    let parks = |step: &Step| step.op() == Some(Op::Park) && step.actor == actor;
    parks(&steps[to]).then_some(())?;
    let since = steps[..to]
        .iter()
        .rposition(parks)
        .map_or(0, |last| last + 1);
    let unparks = |step: &Step| step.op() == Some(Op::Unpark) && step.object() == Some(actor);
    let from = since + steps[since..to].iter().position(unparks)?;
    let why = "unparks".to_owned();
    Some(Tie { from, to, why })
}

/// A thread's first step, from where it was started.
fn begin(steps: &[Step], to: usize) -> Option<Tie> {
    let actor = steps[to].actor;
    let is_first = !steps[..to].iter().any(|step| step.actor == actor);
    let starts = |step: &Step| step.op() == Some(Op::Spawn) && step.object() == Some(actor);
    let from = { steps[..to].iter().rposition(starts) }.filter(|_| is_first)?;
    let why = "starts".to_owned();
    Some(Tie { from, to, why })
}

/// The join of a thread, from the thread's last step.
fn end(steps: &[Step], to: usize) -> Option<Tie> {
    let joined = steps[to].object();
    let joined = joined.filter(|_| steps[to].op() == Some(Op::Join))?;
    let from = { steps[..to].iter() }.rposition(|step| step.actor == joined)?;
    let why = "ends".to_owned();
    Some(Tie { from, to, why })
}

/// The second of two conflicting accesses, from the first.
fn race(report: &Report, steps: &[Step], to: usize) -> Option<Tie> {
    let clash = report.clash.as_ref()?;
    let is_second = match steps[to].what {
        What::Clashes => true,
        What::Event(event, _) => to + 1 == steps.len() && clash.second.is_of(event),
        What::Stuck(_) => false,
    };
    let is_first = |step: &Step| step.event().is_some_and(|event| clash.first.is_of(event));
    let from = { steps[..to].iter().rposition(is_first) }.filter(|_| is_second)?;
    let why = "races".to_owned();
    Some(Tie { from, to, why })
}

/// Who waits for a lock, from where each of its holders took it.
fn locks(report: &Report, steps: &[Step], to: usize) -> Vec<Tie> {
    let (holders, object) = match steps[to].what {
        What::Stuck(blocked) => (&blocked.held_by, blocked.object.as_deref()),
        What::Event(event, _) if event.op == Op::StatementWaits => (&event.held_by, None),
        _ => return Vec::new(),
    };
    let taken = |holder: &str| match (&steps[to].what, object) {
        (What::Event(_, nth), _) => {
            let events = &report.counterexample[..=*nth];
            let lock = lock_of(events, steps[to].actor, holder)?;
            let is_it = |step: &Step| step.event().is_some_and(|event| std::ptr::eq(event, lock));
            steps[..to].iter().position(is_it)
        }
        (_, Some(object)) => { steps[..to].iter() }.rposition(|step| {
            step.actor == holder && step.object() == Some(object) && step.op().is_some_and(takes)
        }),
        (_, None) => None,
    };
    let ties = holders.iter().filter_map(|holder| {
        let why = format!("held by {holder}");
        taken(holder).map(|from| Tie { from, to, why })
    });
    ties.collect()
}

fn takes(op: Op) -> bool {
    let is_lock = matches!(op, Op::Lock | Op::ReadLock | Op::WriteLock);
    is_lock || op.is_wakeup()
}

/// Values in channels, from their send to their receipt: what is sent first is received first.
fn channels(steps: &[Step]) -> Vec<Tie> {
    let mut inside: HashMap<&str, VecDeque<usize>> = HashMap::new();
    let mut ties = Vec::new();
    for (nth, step) in steps.iter().enumerate() {
        let inside = inside.entry(step.object().unwrap_or_default()).or_default();
        match step.op() {
            Some(Op::Send) => inside.push_back(nth),
            Some(Op::Recv) => ties.extend(inside.pop_front().map(|from| Tie {
                from,
                to: nth,
                why: "sends".to_owned(),
            })),
            _ => {}
        }
    }
    ties
}

/// Bytes in streams, from each write to the reads of what it wrote.
fn streams(steps: &[Step]) -> Vec<Tie> {
    let mut inside: HashMap<&str, VecDeque<(usize, usize)>> = HashMap::new();
    let mut ties = Vec::new();
    for (nth, step) in steps.iter().enumerate() {
        let Some(event) = step.event() else { continue };
        let inside = inside.entry(step.object().unwrap_or_default()).or_default();
        match event.op {
            Op::StreamWrite => inside.push_back((nth, bytes(event).len())),
            Op::StreamRead => ties.extend({ read(inside, event).into_iter() }.map(|from| Tie {
                from,
                to: nth,
                why: "bytes".to_owned(),
            })),
            _ => {}
        }
    }
    ties
}

/// Takes what was read out of a stream, and returns the steps that had written it.
fn read(inside: &mut VecDeque<(usize, usize)>, event: &Event) -> Vec<usize> {
    let mut wanted = bytes(event).len();
    let mut writers = Vec::new();
    while let Some((writer, length)) = inside.front_mut().filter(|_| wanted > 0) {
        let taken = wanted.min(*length);
        writers.push(*writer);
        wanted -= taken;
        *length -= taken;
        if *length == 0 {
            inside.pop_front();
        }
    }
    writers
}
