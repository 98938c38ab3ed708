//! The decisive interruption: which thread was interrupted between which two operations, and what the
//! others changed meanwhile.

use super::cells::and;
use super::report::Report;
use super::sentence::capitalised;
use super::statements;
use heisenbug_trace::{Event, Op};

/// How many interruptions are described.
const MOST_TOLD: u32 = 2;

/// How many changes are described one by one.
const MOST: usize = 3;

/// Where a thread was interrupted, by which others, and what they changed or found.
pub fn interruption(report: &Report) -> String {
    let events = operations_of(report);
    // No failure has fewer interruptions, so each of them is needed.
    let number = report.preemptions.unwrap_or(0).min(MOST_TOLD) as usize;
    let gaps = Gap::decisive(report, &events).into_iter().take(number);
    let told: Vec<String> = gaps.map(|gap| gap.told()).collect();
    told.join("\n")
}

/// The operation after which a thread was interrupted, and the operations of others that matter meanwhile.
pub fn interrupted_at(report: &Report) -> Option<(&Event, Vec<&Event>)> {
    let events = operations_of(report);
    let gap = Gap::decisive(report, &events).into_iter().next()?;
    let changing = { gap.between.iter() }.filter(|event| change(event, gap.between).is_some());
    let mut telling: Vec<&Event> = changing.copied().collect();
    if telling.is_empty() {
        telling = statements::telling(gap.between);
    }
    telling.truncate(MOST);
    Some((gap.before, telling))
}

fn operations_of(report: &Report) -> Vec<&Event> {
    let shown = |event: &&Event| !matches!(event.op, Op::ArcNew | Op::Spawn | Op::Join);
    report.counterexample.iter().filter(shown).collect()
}

/// What others did between two operations of an actor.
#[derive(Clone, Copy)]
struct Gap<'a, 'r> {
    before: &'r Event,
    between: &'a [&'r Event],
    resumed: &'r Event,
}

impl<'a, 'r> Gap<'a, 'r> {
    /// The gaps that caused the failure, if a thread was interrupted.
    fn decisive(report: &Report, events: &'a [&'r Event]) -> Vec<Gap<'a, 'r>> {
        if report.preemptions.is_none_or(|number| number == 0) {
            return Vec::new();
        }
        let gaps: Vec<Gap> = (0..events.len())
            .filter_map(|at| Gap::after(events, at))
            .collect();
        // A thread that was waiting meanwhile was not interrupted.
        let interrupted = { gaps.iter() }.filter(|gap| !gap.waited(&report.counterexample));
        let interrupted: Vec<Gap> = interrupted.copied().collect();
        match interrupted.is_empty() {
            true => gaps.into_iter().take(1).collect(),
            false => interrupted,
        }
    }

    /// The gap after an operation, if its actor runs again.
    fn after(events: &'a [&'r Event], at: usize) -> Option<Gap<'a, 'r>> {
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
        let here = { all.iter() }.position(|event| std::ptr::eq(event, self.before));
        let mut rest = all[here.unwrap_or(0) + 1..].iter();
        let is_waiting = self.before.op == Op::StatementWaits;
        // A thread that it started in between could not have run before.
        let next = rest.find(|event| event.actor == self.before.actor && event.op != Op::Spawn);
        is_waiting || next.is_some_and(|event| event.op.can_wait())
    }

    fn told(&self) -> String {
        let mut told = format!(
            "{} was interrupted{}; meanwhile {}.",
            capitalised(&self.before.actor),
            self.place(),
            self.meanwhile()
        );
        if let Some(same) = self.same_value() {
            told.push('\n');
            told.push_str(&same);
        }
        told
    }

    /// Describes the two operations of the gap.
    fn place(&self) -> String {
        let (before, resumed) = (operation(self.before), operation(self.resumed));
        match (self.before.line, self.resumed.line) {
            (0, _) | (_, 0) => format!(" between its {before} and its {resumed}"),
            (one, other) if one == other => {
                let next = if before == resumed { "next " } else { "" };
                format!(" between its {before} and its {next}{resumed}, both in line {one}")
            }
            (one, other) => {
                format!(" between its {before} in line {one} and its {resumed} in line {other}")
            }
        }
    }

    /// Which threads ran in the gap, and what they changed.
    fn meanwhile(&self) -> String {
        let changing =
            { self.between.iter() }.filter(|event| change(event, self.between).is_some());
        let who = actors(changing);
        let changes = changes(self.between);
        let all: Vec<&str> = changes.iter().map(String::as_str).collect();
        let statements = statements::telling(self.between);
        match &all[..] {
            [] if !statements.is_empty() => statements::told(&statements),
            [] => format!(
                "{} ran {}",
                actors(self.between.iter()),
                lines_of(self.between)
            ),
            [..] if all.len() > MOST => format!("{who} set {}, among others", and(&all[..MOST])),
            [first @ .., last] if !first.is_empty() => {
                format!("{who} set {}, and {last}", first.join(", "))
            }
            [..] => format!("{who} set {}", and(&all)),
        }
    }

    /// Says that an exchange succeeded although others had written in between: the value was the same again.
    fn same_value(&self) -> Option<String> {
        let object = self.resumed.object.as_deref()?;
        let of_this =
            |event: &&&Event| event.op.writes() && event.object.as_deref() == Some(object);
        let writes = self.between.iter().filter(of_this).count();
        let read = self.resumed.read.as_deref()?;
        (self.resumed.op == Op::CasOk && writes > 1).then(|| {
            format!(
                "Its {} found {object} to be {read} again: the same value, but not the same state, since \
                 {object} had been written {writes} times in between.",
                operation(self.resumed)
            )
        })
    }
}

/// The actors of the operations.
fn actors<'a>(events: impl Iterator<Item = &'a &'a Event>) -> String {
    let mut actors: Vec<&str> = Vec::new();
    for event in events {
        if !actors.contains(&&*event.actor) {
            actors.push(&event.actor);
        }
    }
    and(&actors)
}

/// The operation in one word, as the source names it.
fn operation(event: &Event) -> String {
    match event.op {
        Op::Panic => "panic".to_owned(),
        Op::CellRead => "read".to_owned(),
        Op::CellWrite => "write".to_owned(),
        Op::Unlock | Op::ReadUnlock | Op::WriteUnlock => "unlock".to_owned(),
        Op::Statement | Op::StatementFails | Op::StatementWaits => statements::kind(event),
        _ => event.call.clone(),
    }
}

/// What some operations changed, object by object: "a to 1, then 2".
fn changes(events: &[&Event]) -> Vec<String> {
    let mut changes: Vec<(&str, String)> = Vec::new();
    for event in events {
        let Some(object) = event.object.as_deref() else {
            continue;
        };
        let Some(value) = change(event, events) else {
            continue;
        };
        match changes.iter_mut().find(|(known, _)| *known == object) {
            Some((_, values)) if values.matches("then").count() < MOST => {
                values.push_str(", then ");
                values.push_str(value);
            }
            Some((_, values)) if !values.ends_with('…') => values.push_str(", …"),
            Some(_) => {}
            None => changes.push((object, value.to_owned())),
        }
    }
    let told = changes.into_iter();
    told.map(|(object, values)| format!("{object} to {values}"))
        .collect()
}

/// The value that an operation leaves behind, if it changes one.
fn change<'a>(event: &'a Event, events: &[&Event]) -> Option<&'a str> {
    let value = event.value.as_deref()?;
    match event.op {
        _ if event.op.writes() => Some(value),
        // The event of a lock holds the value from when it was taken.
        Op::Unlock | Op::WriteUnlock => {
            let taken = events.iter().find(|other| {
                other.actor == event.actor && other.object == event.object && other.read.is_some()
            });
            taken
                .is_none_or(|taken| taken.read.as_deref() != Some(value))
                .then_some(value)
        }
        _ => None,
    }
}

/// The lines of some operations, each once, in the order in which they ran.
fn lines_of(events: &[&Event]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for event in events {
        if event.line == 0 {
            // Not in a line of the program.
            return operations(events.len());
        }
        let line = event.line.to_string();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match &lines[..] {
        [line] => format!("line {line}"),
        [_, ..] if lines.len() <= 4 => {
            format!(
                "lines {}",
                and(&lines.iter().map(String::as_str).collect::<Vec<_>>())
            )
        }
        _ => operations(events.len()),
    }
}

fn operations(number: usize) -> String {
    match number {
        1 => "an operation".to_owned(),
        many => format!("{many} operations"),
    }
}
