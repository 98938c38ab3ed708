//! The other places that made a program fail: where a thread was interrupted, what others changed meanwhile,
//! where a lock is held that others wait for, the first of two accesses.

use super::cells::cell;
use super::interruption::interrupted_at;
use super::report::{Engine, Report};
use super::sentence::{event_of, taken_at, too_early};
use super::stale::is_stale;
use super::statements::locked_with;
use heisenbug_catalogue::Class;
use heisenbug_trace::Event;

/// A place, and what happened there.
#[derive(Debug, PartialEq, Eq)]
pub struct Note<'a> {
    pub file: &'a str,
    pub line: u32,
    pub column: u32,
    pub text: String,
}

impl<'a> Note<'a> {
    fn of(event: &'a Event, more: &str) -> Note<'a> {
        Note {
            file: &event.file,
            line: event.line,
            column: event.column,
            text: format!("{}: {}{more}", event.actor, cell(event, &[])),
        }
    }
}

/// The places; those that are operations are in the order of the execution.
pub fn notes(report: &Report) -> Vec<Note<'_>> {
    let mut notes = match report.class {
        Some(Class::Deadlock) => waits(report),
        Some(Class::DataRace | Class::UseAfterFree) => first_access(report),
        Some(Class::Assertion | Class::Panic) if report.found_by == Some(Engine::Sc) => {
            interruption(report)
        }
        _ => Vec::new(),
    };
    let stale = { report.counterexample.iter() }.filter(|event| is_stale(event));
    notes.extend(stale.map(|event| Note::of(event, "")));
    // Operations in std or a dependency have no place in the program.
    notes.retain(|note| note.line > 0);
    notes
}

fn interruption(report: &Report) -> Vec<Note<'_>> {
    let Some((before, changing)) = interrupted_at(report) else {
        return Vec::new();
    };
    let mut notes = vec![Note::of(before, ", and is interrupted")];
    notes.extend({ changing.into_iter() }.map(|event| Note::of(event, "")));
    notes
}

/// Which threads took a lock, and which wait for it.
fn waits(report: &Report) -> Vec<Note<'_>> {
    let mut notes = Vec::new();
    for blocked in &report.blocked {
        let object = blocked.object.as_deref().unwrap_or(&blocked.call);
        let taken = blocked.held_by.iter().filter_map(|holder| {
            let locked = locked_with(report, &blocked.actor, holder);
            locked.or_else(|| taken_at(report, holder, object))
        });
        notes.extend(taken.map(|event| Note::of(event, "")));
        let early = too_early(report, &blocked.actor, object).filter(|_| blocked.call == "wait");
        notes.extend(early.map(|event| Note::of(event, ", too early")));
        notes.push(Note {
            file: &blocked.file,
            line: blocked.line,
            column: blocked.column,
            text: format!("{}: stuck on {object}", blocked.actor),
        });
    }
    notes
}

fn first_access(report: &Report) -> Vec<Note<'_>> {
    let Some(clash) = &report.clash else {
        return Vec::new();
    };
    let first = &clash.first;
    let text = match event_of(report, first) {
        Some(event) => format!("{}: {}", first.actor, cell(event, &[])),
        None if report.class == Some(Class::UseAfterFree) => format!("{}: frees it", first.actor),
        None => format!("{}: accesses it", first.actor),
    };
    vec![Note {
        file: &first.file,
        line: first.line,
        column: first.column,
        text,
    }]
}
