//! Sentences: how the failure came about, and how the verdict was reached.

use super::report::{Access, Clash, Engine, Report, Verdict};
use super::table::thousands;
use heisenbug_catalogue::Class;
use heisenbug_trace::{Blocked, Event, Op};

/// How the failure came about.
pub fn how(report: &Report) -> String {
    let how = match report.class {
        Some(Class::Deadlock) => deadlock(report),
        Some(Class::DataRace) => race(report),
        Some(Class::UseAfterFree) => freed(report),
        Some(Class::Assertion | Class::Panic) if report.found_by == Some(Engine::Sc) => {
            interruption(report)
        }
        _ => String::new(),
    };
    let parts = [how, stale_reads(report)];
    let said = parts.into_iter().filter(|part| !part.is_empty());
    said.collect::<Vec<_>>().join("\n")
}

/// Who waits for whom.
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
        ([holder], _) if holder == actor => {
            format!("{actor} waits{here} for {object}, which it holds itself")
        }
        ([holder], _) => match taken_at(report, holder, object) {
            Some(taken) => format!(
                "{actor} waits{here} for {object}, which {holder} took{}",
                at(taken)
            ),
            None => format!("{actor} waits{here} for {object}, which {holder} holds"),
        },
        ([], "join") => format!("{actor} waits{here} for {object} to finish"),
        ([], "wait") => {
            format!("{actor} waits{here} on {object}, and nobody is left to notify it")
        }
        ([], "park") => {
            format!("{actor} is parked{here}, and nobody is left to unpark it")
        }
        ([], _) => format!("{actor} waits{here} for {object}"),
        (holders, _) => {
            format!(
                "{actor} waits{here} for {object}, which {} hold",
                holders.join(" and ")
            )
        }
    }
}

/// Where something happened, if that is a line of the program.
fn at(line: u32) -> String {
    match line {
        0 => String::new(),
        line => format!(" at line {line}"),
    }
}

/// Where a lock was last taken by its holder.
fn taken_at(report: &Report, holder: &str, object: &str) -> Option<u32> {
    let taken = report.counterexample.iter().rev().find(|event| {
        event.actor == holder
            && event.object.as_deref() == Some(object)
            && matches!(
                event.op,
                Op::Lock | Op::ReadLock | Op::WriteLock | Op::Woken
            )
    });
    taken.map(|event| event.line)
}

/// The two accesses that nothing orders.
fn race(report: &Report) -> String {
    let Some(Clash { first, second }) = &report.clash else {
        return String::new();
    };
    format!(
        "{} {} {}{} and {} {} it{}: no lock, no join and no Release that an \
         Acquire has read from puts one before the other.",
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

/// Who freed what another one uses.
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

/// The operation that an access is, if it came to be one.
fn event_of<'a>(report: &'a Report, access: &Access) -> Option<&'a Event> {
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

/// Each read that got an older value than the newest.
fn stale_reads(report: &Report) -> String {
    let stale = report.counterexample.iter().filter_map(|event| {
        let (read, newest) = (event.read.as_ref()?, event.newest.as_ref()?);
        let object = event.object.as_deref()?;
        let ordering = event.ordering.as_deref().unwrap_or("the ordering");
        Some(format!(
            "{} reads {read} from {object}{}, the newest value is {newest}: {ordering} \
             allows it.",
            capitalised(&event.actor),
            at(event.line)
        ))
    });
    stale.collect::<Vec<_>>().join("\n")
}

/// Where a thread was interrupted, and by whom.
fn interruption(report: &Report) -> String {
    if report
        .preemptions
        .is_none_or(|preemptions| preemptions == 0)
    {
        return String::new();
    }
    let shown = |event: &&Event| !matches!(event.op, Op::ArcNew | Op::Spawn | Op::Join);
    let events: Vec<&Event> = report.counterexample.iter().filter(shown).collect();
    let gaps: Vec<Gap> = (0..events.len())
        .filter_map(|at| Gap::after(&events, at))
        .collect();
    // Who was waiting meanwhile was not interrupted.
    let interrupted = { gaps.iter() }.find(|gap| !gap.waited(&report.counterexample));
    let Some(gap) = interrupted.or(gaps.first()) else {
        return String::new();
    };
    let between = match (gap.before.line, gap.resumed.line) {
        (0, _) | (_, 0) => String::new(),
        (before, resumed) => format!(" between line {before} and line {resumed}"),
    };
    format!(
        "{} was interrupted{between}; meanwhile {} ran {}.",
        capitalised(&gap.before.actor),
        gap.between[0].actor,
        lines_of(gap.between)
    )
}

/// What others did between two operations of an actor.
struct Gap<'a> {
    before: &'a Event,
    between: &'a [&'a Event],
    resumed: &'a Event,
}

impl<'a> Gap<'a> {
    /// The gap behind an operation, if there is one that ends.
    fn after(events: &'a [&'a Event], at: usize) -> Option<Gap<'a>> {
        let before = events[at];
        let rest = &events[at + 1..];
        let length = rest.iter().position(|event| event.actor == before.actor)?;
        (length > 0).then(|| Gap {
            before,
            between: &rest[..length],
            resumed: rest[length],
        })
    }

    /// Whether the actor's next operation, hidden ones included, is one that can wait.
    fn waited(&self, all: &[Event]) -> bool {
        let here = all
            .iter()
            .position(|event| std::ptr::eq(event, self.before));
        let mut rest = all[here.unwrap_or(0) + 1..].iter();
        // A thread that it started in between could not have run before.
        let next = rest.find(|event| event.actor == self.before.actor && event.op != Op::Spawn);
        next.is_some_and(|event| {
            matches!(
                event.op,
                Op::Join
                    | Op::Lock
                    | Op::ReadLock
                    | Op::WriteLock
                    | Op::Woken
                    | Op::Awake
                    | Op::Park
                    | Op::Send
                    | Op::Recv
                    | Op::Barrier
                    | Op::OnceDone
            )
        })
    }
}

/// The lines of some operations, each once, in the order in which they ran.
fn lines_of(events: &[&Event]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for event in events {
        if event.line == 0 {
            // In no line of the program.
            return operations(events.len());
        }
        let line = event.line.to_string();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match &lines[..] {
        [line] => format!("line {line}"),
        [first @ .., last] if lines.len() <= 4 => format!("lines {} and {last}", first.join(", ")),
        _ => operations(events.len()),
    }
}

fn operations(number: usize) -> String {
    match number {
        1 => "an operation".to_owned(),
        many => format!("{many} operations"),
    }
}

/// How the verdict was reached, and how far to trust it.
pub fn stamp(report: &Report) -> String {
    let explored = explored(report);
    let time = match report.millis {
        millis if millis < 1000 => format!("{millis} ms"),
        millis => format!("{:.1} s", millis as f64 / 1000.0),
    };
    let how = match (&report.stopped, report.passes) {
        (Some(why), _) if explored.is_empty() => format!("Not exhaustive, {why}."),
        (Some(why), _) if why.ends_with('?') => {
            format!("Not exhaustive, {why} So far {explored}, in {time}.")
        }
        (Some(why), _) => format!("Not exhaustive, {why}: {explored}, in {time}."),
        (None, Some(passes)) => {
            format!("Exhaustive up to {passes} passes of a loop: {explored}, in {time}.")
        }
        (None, None) if report.complete => format!("Exhaustive: {explored}, in {time}."),
        (None, None) => format!("Not exhaustive: {explored}, in {time}."),
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
