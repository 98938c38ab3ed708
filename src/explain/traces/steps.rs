//! The steps of a counterexample: its operations, and what cannot go on at its end.

use super::super::cells::cell;
use super::super::report::Report;
use super::super::timeline::{is_shown, last_access, stuck};
use heisenbug_trace::{Blocked, Event, Op, source};

/// One step of one actor.
pub struct Step<'a> {
    pub actor: &'a str,
    /// What it did, in a few words.
    pub told: String,
    pub what: What<'a>,
    file: &'a str,
    line: u32,
    column: u32,
}

/// What a step is.
pub enum What<'a> {
    /// An operation, and its position in the counterexample.
    Event(&'a Event, usize),
    /// The actor cannot go on.
    Stuck(&'a Blocked),
    /// The access that a data race or a use after free ends with. It never took place.
    Clashes,
}

/// All steps, in their order. A timeline shows by its columns who is there. Here it is told by whom, and when.
pub fn steps(report: &Report) -> Vec<Step<'_>> {
    let events = { report.counterexample.iter().enumerate() }
        .filter(|(nth, event)| match event.op {
            Op::Spawn => true,
            Op::Join => !is_joined(&report.counterexample[..*nth], event),
            _ => is_shown(event, report.class),
        })
        .map(|(nth, event)| of_event(event, nth));
    let blocked = report.blocked.iter().map(of_blocked);
    let access = last_access(report).zip(report.clash.as_ref());
    let access = access.map(|(row, clash)| Step {
        actor: &clash.second.actor,
        told: row.cell,
        what: What::Clashes,
        file: &clash.second.file,
        line: clash.second.line,
        column: clash.second.column,
    });
    events.chain(blocked).chain(access).collect()
}

/// Whether a thread has been joined before. The end of a scope joins all of its threads.
fn is_joined(before: &[Event], join: &Event) -> bool {
    let mut joins = before.iter().filter(|event| event.op == Op::Join);
    joins.any(|event| event.object == join.object)
}

fn of_event(event: &Event, nth: usize) -> Step<'_> {
    Step {
        actor: &event.actor,
        told: cell(event, &[]).trim_end().to_owned(),
        what: What::Event(event, nth),
        file: &event.file,
        line: event.line,
        column: event.column,
    }
}

fn of_blocked(blocked: &Blocked) -> Step<'_> {
    Step {
        actor: &blocked.actor,
        told: stuck(blocked),
        what: What::Stuck(blocked),
        file: &blocked.file,
        line: blocked.line,
        column: blocked.column,
    }
}

impl Step<'_> {
    /// The operation, unless the step is none.
    pub fn event(&self) -> Option<&Event> {
        match self.what {
            What::Event(event, _) => Some(event),
            What::Stuck(_) | What::Clashes => None,
        }
    }

    pub fn op(&self) -> Option<Op> {
        self.event().map(|event| event.op)
    }

    /// The object of the operation.
    pub fn object(&self) -> Option<&str> {
        self.event()?.object.as_deref()
    }

    /// `file:line:column`. Empty if it is in no line of the program.
    pub fn place(&self) -> String {
        let Step { file, column, .. } = self;
        match self.line {
            0 => String::new(),
            line => format!("{}:{line}:{}", source::tidy(file), (*column).max(1)),
        }
    }

    /// The line of the program that it is in.
    pub fn code(&self) -> Option<String> {
        source::line(self.file, self.line)
    }
}
