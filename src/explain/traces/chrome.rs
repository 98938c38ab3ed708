//! Trace events, as Chrome and Perfetto read them: a slice for each step on its actor's track, and arrows for
//! the [ties](super::ties). Time is the number of the step: each takes as long as the others.

use super::super::report::Report;
use super::steps::{Step, What};
use super::ties::{Tie, ties};
use super::with_lines;
use heisenbug_trace::Op;
use serde_json::{Map, Value, json};

/// How long a step takes, in microseconds.
const STEP: usize = 10;

pub fn render(report: &Report, steps: &[Step]) -> String {
    let tracks = Tracks { report };
    let mut events: Vec<Value> = { report.actors.iter().enumerate() }
        .flat_map(|(nth, actor)| tracks.named(nth, actor))
        .collect();
    events.extend((0..steps.len()).map(|nth| slice(&tracks, steps, nth)));
    for (id, tie) in (1..).zip(ties(report, steps)) {
        events.extend(arrow(&tracks, steps, id, &tie));
    }
    let about = json!({
        "program": program(report),
        "message": report.message,
        "replay": report.token,
    });
    let fields = [("otherData", about), ("displayTimeUnit", "ns".into())];
    with_lines(&fields, "traceEvents", &events)
}

fn program(report: &Report) -> String {
    let names = [&report.bug, &report.variant].into_iter().flatten();
    names.map(String::as_str).collect::<Vec<_>>().join("/")
}

/// A track for each actor. Threads and clients are in one process, and each machine is a process of its own.
/// Number 0 has a meaning for viewers: it is the idle thread of a processor.
struct Tracks<'a> {
    report: &'a Report,
}

impl Tracks<'_> {
    /// The numbers of process and thread.
    fn of(&self, actor: &str) -> (usize, usize) {
        let actors = &self.report.actors;
        self.numbers(actors.iter().position(|other| other == actor).unwrap_or(0))
    }

    fn numbers(&self, nth: usize) -> (usize, usize) {
        match self.report.network {
            Some(_) => (nth + 1, nth + 1),
            None => (1, nth + 1),
        }
    }

    /// The names of an actor's process and thread, and their places among the others.
    fn named(&self, nth: usize, actor: &str) -> Vec<Value> {
        let (pid, tid) = self.numbers(nth);
        let is_first = nth == 0 || self.report.network.is_some();
        let process = match self.report.network {
            Some(_) => actor.to_owned(),
            None => program(self.report),
        };
        let meta = |name: &str, args: Value| json!({ "ph": "M", "name": name, "pid": pid, "tid": tid, "args": args });
        let of_process = [
            meta("process_name", json!({ "name": process })),
            meta("process_sort_index", json!({ "sort_index": pid })),
        ];
        let of_thread = [
            meta("thread_name", json!({ "name": actor })),
            meta("thread_sort_index", json!({ "sort_index": tid })),
        ];
        let of_process = of_process.into_iter().filter(|_| is_first);
        of_process.chain(of_thread).collect()
    }
}

/// A step as a slice. What merely happens to a machine takes no time.
fn slice(tracks: &Tracks, steps: &[Step], nth: usize) -> Value {
    let step = &steps[nth];
    let (pid, tid) = tracks.of(step.actor);
    let mut slice = json!({
        "name": step.told,
        "cat": category(step),
        "pid": pid,
        "tid": tid,
        "ts": nth * STEP,
        "args": args(step),
    });
    match step.op() {
        Some(Op::Crash | Op::Stop | Op::TimerFires | Op::TimerFiresEarly) => {
            slice["ph"] = "i".into();
            slice["s"] = "t".into();
        }
        _ => {
            slice["ph"] = "X".into();
            slice["dur"] = ((until(steps, nth) - nth) * STEP).into();
        }
    }
    slice
}

/// The step with which a step is over: the next one, or the actor's own next one if it waits.
fn until(steps: &[Step], nth: usize) -> usize {
    let step = &steps[nth];
    let waits = match step.what {
        What::Event(event, _) => matches!(event.op, Op::Wait | Op::Sleep | Op::StatementWaits),
        What::Stuck(_) => true,
        What::Clashes => false,
    };
    let own = { steps[nth + 1..].iter() }.position(|other| other.actor == step.actor);
    match waits {
        true => own.map_or(steps.len(), |own| nth + 1 + own),
        false => nth + 1,
    }
}

fn category(step: &Step) -> Value {
    match step.what {
        What::Event(event, _) => serde_json::to_value(event.op).unwrap_or_default(),
        What::Stuck(_) => "stuck".into(),
        What::Clashes => "clash".into(),
    }
}

/// What is known of a step, in full.
fn args(step: &Step) -> Map<String, Value> {
    let mut args = Map::new();
    let mut add = |name: &str, value: Option<&str>| {
        let value = value.filter(|value| !value.is_empty());
        value.map(|value| args.insert(name.to_owned(), value.into()));
    };
    if let Some(event) = step.event() {
        add("object", event.object.as_deref());
        add("read", event.read.as_deref());
        add("value", event.value.as_deref());
        add("newest", event.newest.as_deref());
        add("ordering", event.ordering.as_deref());
        add("note", event.note.as_deref());
    }
    add("place", Some(&step.place()));
    add("code", step.code().as_deref());
    args
}

/// An arrow from slice to slice.
fn arrow(tracks: &Tracks, steps: &[Step], id: usize, tie: &Tie) -> [Value; 2] {
    let end = |nth: usize, phase: &str| {
        let (pid, tid) = tracks.of(steps[nth].actor);
        let inside = nth * STEP + STEP / 2;
        json!({
            "ph": phase, "id": id, "name": tie.why, "cat": "flow", "pid": pid, "tid": tid, "ts": inside,
        })
    };
    let mut to = end(tie.to, "f");
    // It ends at the slice around it, not at the next one.
    to["bp"] = "e".into();
    [end(tie.from, "s"), to]
}
