//! Sentences: how the failure came about, and how the verdict was reached.

use super::cells::{and, sql};
use super::interruption::interruption;
use super::leak::leak;
use super::report::{Access, CLOCKS, Clash, Engine, OutcomeCount, REPLAYED, Report, Verdict};
use super::stale;
use super::statements::{locked_with, old_snapshot};
use super::table::thousands;
use heisenbug_catalogue::{Class, Grade};
use heisenbug_trace::{Blocked, Event, Op};

/// How the failure came about.
pub fn how(report: &Report) -> String {
    let how = match report.class {
        _ if report.network.is_some() => format!("{}{}", faults(report), again(report)),
        Some(Class::Deadlock) => deadlock(report),
        Some(Class::DataRace) => race(report),
        Some(Class::UseAfterFree) => freed(report),
        Some(Class::Leak) => leak(report),
        Some(Class::Assertion | Class::Panic) if report.found_by == Some(Engine::Sc) => {
            match interruption(report) {
                nothing if nothing.is_empty() => old_snapshot(report).unwrap_or_default(),
                told => told,
            }
        }
        _ => String::new(),
    };
    let parts = [how, stale::reads(report)];
    let said = parts.into_iter().filter(|part| !part.is_empty());
    said.collect::<Vec<_>>().join("\n")
}

/// What went wrong on the network, in its order.
fn faults(report: &Report) -> String {
    let faults: Vec<String> = { report.counterexample.iter().enumerate() }
        .filter(|(_, event)| event.op.is_fault())
        .map(|(nth, event)| fault(event, &report.counterexample[..nth]))
        .collect();
    match faults.is_empty() {
        true => without_faults(report),
        false => capitalised(&faults.join("; ")) + ".",
    }
}

/// What is enough for a failure in which nothing goes wrong.
fn without_faults(report: &Report) -> String {
    let events = &report.counterexample;
    let forbidden = |outcome: &OutcomeCount| outcome.grade == Grade::Forbidden;
    if report.complete && report.outcomes.iter().all(forbidden) {
        return "Nothing goes wrong, and it fails in every run.".to_owned();
    }
    if events.is_empty() {
        return String::new();
    }
    if events.iter().any(|event| event.op == Op::StreamWrite) {
        return "Nothing goes wrong: the order and the pieces in which bytes arrive are enough."
            .to_owned();
    }
    let chosen = |event: &&Event| event.op == Op::Choose && event.value.as_deref() != Some("0");
    let choices: Vec<String> = { events.iter().filter(chosen) }
        .map(|event| format!("{} chooses in line {}", event.actor, event.line))
        .collect();
    if !choices.is_empty() {
        let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
        let choices = and(&choices);
        return format!("Nothing goes wrong on the network: it takes what {choices}.");
    }
    let mut networks = report.network.iter();
    match networks.any(|network| network.allowed.iter().any(|allowed| allowed == CLOCKS)) {
        true => "Nothing goes wrong but that clocks differ.".to_owned(),
        false => "Nothing goes wrong: the order in which messages arrive is enough.".to_owned(),
    }
}

/// What a run without an end does.
fn again(report: &Report) -> String {
    match report.network.as_ref().map_or(0, |network| network.again) {
        0 => String::new(),
        1 => " The last step happens again and again.".to_owned(),
        steps => format!(
            " The last {} steps happen again and again.",
            thousands(steps)
        ),
    }
}

/// One fault. A crash or a stop is told by what the machine did last.
fn fault(event: &Event, before: &[Event]) -> String {
    let Event { actor, op, .. } = event;
    let object = event.object.as_deref().unwrap_or_default();
    let message = event.note.as_deref().unwrap_or_default();
    let after = || match before.iter().rev().find(|other| other.actor == *actor) {
        Some(last) if last.line != 0 => {
            format!(" after its `{}`{}", last.call, at(last.line))
        }
        Some(_) | None => String::new(),
    };
    match op {
        Op::Lose => format!("message {message} from {object} to {actor} is lost"),
        Op::DeliverAgain => format!("message {message} from {object} comes to {actor} again"),
        Op::TimerFiresEarly => format!(
            "the timer of {actor} fires{} while something else could still happen",
            at(event.line)
        ),
        Op::DiskSyncFails => format!("the disk of {actor} fails to write {object}"),
        Op::Stop => format!("{actor} stops for good{}", after()),
        _ => format!("{actor} crashes{}", after()),
    }
}

/// Which threads wait for which others.
fn deadlock(report: &Report) -> String {
    let waits: Vec<String> = report
        .blocked
        .iter()
        .map(|blocked| wait(report, blocked))
        .collect();
    capitalised(&waits.join("; ")) + if waits.is_empty() { "" } else { "." }
}

fn wait(report: &Report, blocked: &Blocked) -> String {
    let Blocked {
        actor,
        call,
        object,
        held_by,
        line,
        ..
    } = blocked;
    let object = object.as_deref().unwrap_or_default();
    let here = at(*line);
    match (&held_by[..], call.as_str()) {
        ([], "join") => format!("{actor} waits{here} for {object} to finish"),
        ([], "wait") => {
            let early = match too_early(report, actor, object) {
                Some(Event {
                    actor: who, line, ..
                }) => {
                    format!(": {who} did so{}, before {actor} waited", at(*line))
                }
                None => String::new(),
            };
            format!("{actor} waits{here} on {object}, and nobody is left to notify it{early}")
        }
        ([], "park") => {
            format!("{actor} is parked{here}, and nobody is left to unpark it")
        }
        ([], "recv") => {
            format!("{actor} waits{here} to receive from {object}, and nobody is left to send")
        }
        ([], _) => format!("{actor} waits{here} for {object}"),
        _ => {
            let held = held(report, blocked);
            format!("{actor} waits{here} for {object}, which {held}")
        }
    }
}

/// Who holds what an actor is stuck on, and since which operation.
fn held(report: &Report, blocked: &Blocked) -> String {
    let object = blocked.object.as_deref().unwrap_or_default();
    let holders: Vec<&str> = blocked.held_by.iter().map(String::as_str).collect();
    let with = |holder: &str| {
        let event = locked_with(report, &blocked.actor, holder)?;
        Some(format!("with `{}`{}", sql(event), at(event.line)))
    };
    let locked: Option<Vec<String>> = { holders.iter() }
        .map(|holder| Some(format!("{holder} locked {}", with(holder)?)))
        .collect();
    match (&holders[..], locked) {
        ([holder], Some(_)) if *holder == blocked.actor => {
            format!("it has locked itself, {}", with(holder).unwrap_or_default())
        }
        ([holder], None) if *holder == blocked.actor => "it holds itself".to_owned(),
        (_, Some(locked)) => and(&locked.iter().map(String::as_str).collect::<Vec<_>>()),
        ([holder], None) => match taken_at(report, holder, object) {
            Some(taken) => format!("{holder} took{}", at(taken.line)),
            None => format!("{holder} holds"),
        },
        (holders, None) => format!("{} hold", and(holders)),
    }
}

/// The notification of a condition variable that came before this thread's last wait on it, if
/// none came afterwards.
pub fn too_early<'a>(report: &'a Report, actor: &str, object: &str) -> Option<&'a Event> {
    let of_this = |event: &&Event| event.object.as_deref() == Some(object);
    let last = report.counterexample.iter().rev().filter(of_this);
    let waits = |event: &Event| matches!(event.op, Op::Wait | Op::Sleep);
    let mut last = last.skip_while(|event| waits(event) && event.actor != actor);
    let wait = last.next()?;
    if !waits(wait) || wait.actor != actor {
        return None;
    }
    let notified = last.find(|event| matches!(event.op, Op::NotifyOne | Op::NotifyAll))?;
    (notified.actor != actor).then_some(notified)
}

/// The place of an event, if it is a line of the program.
pub fn at(line: u32) -> String {
    match line {
        0 => String::new(),
        line => format!(" at line {line}"),
    }
}

/// Where a lock was last taken by its holder.
pub fn taken_at<'a>(report: &'a Report, holder: &str, object: &str) -> Option<&'a Event> {
    report.counterexample.iter().rev().find(|event| {
        event.actor == holder
            && event.object.as_deref() == Some(object)
            && matches!(event.op, Op::Lock | Op::ReadLock | Op::WriteLock)
            || event.actor == holder
                && event.object.as_deref() == Some(object)
                && event.op.is_wakeup()
    })
}

/// The two accesses that nothing orders.
fn race(report: &Report) -> String {
    let Some(Clash { first, second }) = &report.clash else {
        return String::new();
    };
    let nothing = match stale::remedy(report) {
        Some(_) if stale::is_told(report) => "nothing puts one before the other.".to_owned(),
        Some(remedy) => format!("nothing puts one before the other. {remedy} would."),
        None => {
            "no lock, no join and no Release that an Acquire has read from puts one before the \
                 other."
                .to_owned()
        }
    };
    format!(
        "{} {} {}{} and {} {} it{}: {nothing}",
        capitalised(&first.actor),
        verb(event_of(report, first)),
        object_of(report, second)
            .or(object_of(report, first))
            .unwrap_or("the data"),
        at(first.line),
        second.actor,
        verb(event_of(report, second)),
        at(second.line)
    )
}

/// Which thread freed the value that another one uses.
fn freed(report: &Report) -> String {
    let Some(Clash { first, second }) = &report.clash else {
        return String::new();
    };
    let object = object_of(report, second).unwrap_or("something");
    let who = match first.actor == second.actor {
        true => "and has freed it before",
        false => &format!("and {} has freed it before", first.actor),
    };
    format!(
        "{} uses {object}{}, {who}.",
        capitalised(&second.actor),
        at(second.line)
    )
}

/// The operation of an access, if it was performed.
pub fn event_of<'a>(report: &'a Report, access: &Access) -> Option<&'a Event> {
    report
        .counterexample
        .iter()
        .rev()
        .find(|event| access.is_of(event))
}

fn object_of<'a>(report: &'a Report, access: &Access) -> Option<&'a str> {
    event_of(report, access)?.object.as_deref()
}

fn verb(event: Option<&Event>) -> &'static str {
    match event {
        Some(event) if event.op.writes() => "writes",
        Some(_) => "reads",
        None => "accesses",
    }
}

/// Whether a report includes the duration of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// It includes the duration.
    Told,
    /// It does not: in a file, the same check should give the same text.
    LeftOut,
}

/// How the verdict was reached, and how far to trust it.
pub fn stamp(report: &Report, time: Time) -> String {
    let explored = explored(report);
    let time = match (time, report.millis) {
        (Time::LeftOut, _) => String::new(),
        (Time::Told, millis) if millis < 1000 => format!(", in {millis} ms"),
        (Time::Told, millis) => format!(", in {:.1} s", millis as f64 / 1000.0),
    };
    let how = match (&report.stopped, report.passes) {
        (Some(why), _) if why == REPLAYED => "This is one execution, run again.".to_owned(),
        (Some(why), _) if explored.is_empty() => format!("Not exhaustive, {why}."),
        (Some(why), _) if report.shard.is_some() => {
            format!("Not exhaustive, {why} ({explored}{time}).")
        }
        (Some(why), _) if why.ends_with('?') => {
            format!("Not exhaustive, {why} So far {explored}{time}.")
        }
        (Some(why), _) => format!("Not exhaustive, {why}: {explored}{time}."),
        (None, Some(passes)) => {
            format!("Exhaustive up to {passes} passes of a loop: {explored}{time}.")
        }
        (None, None) if report.complete => format!("Exhaustive: {explored}{time}."),
        (None, None) => format!("Not exhaustive: {explored}{time}."),
    };
    let mut lines = vec![how];
    if report.verdict == Verdict::Unknown {
        let failed = { report.outcomes.iter() }.any(|outcome| outcome.class.is_some());
        let found = match failed {
            true => "What failed may be no failure of the program, and none was ruled out.",
            false => "No failure was found, and none was ruled out.",
        };
        lines.push(found.to_owned());
    }
    lines.extend(
        report
            .notes
            .iter()
            .map(|note| format!("{}.", capitalised(note))),
    );
    lines.join("\n")
}

/// How many executions were explored, and of how many.
fn explored(report: &Report) -> String {
    if let Some(network) = &report.network {
        let states = match network.states {
            1 => "1 state".to_owned(),
            many => format!("{} states", thousands(many)),
        };
        let allowed: Vec<&str> = network.allowed.iter().map(String::as_str).collect();
        return match allowed.is_empty() {
            true => format!("{states}, without faults"),
            false => format!("{states}, with at most {}", and(&allowed)),
        };
    }
    let executions = match (report.executions.sc, report.executions.weak) {
        (None, None) => return String::new(),
        (Some(number), None) => format!("{} under sequential consistency", executions(number)),
        _ => executions(report.explored()),
    };
    match report.estimate {
        Some(whole) => format!("{executions} of about {}", thousands(whole)),
        None => executions,
    }
}

fn executions(number: u64) -> String {
    match number {
        1 => "1 execution".to_owned(),
        many => format!("{} executions", thousands(many)),
    }
}

/// The sentence with a capital letter, unless it begins with a name in code.
pub fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
