//! Two-phase commit: the coordinator logs its decision before it tells anybody, or does not.

use crate::support::machine::*;
use heisenbug_engine::machines::{Faults, Program, Timers};
use std::collections::BTreeSet;

const COORDINATOR: usize = 0;

const PREPARE: u8 = 0;
const YES: u8 = 1;
const NO: u8 = 2;
const COMMIT: u8 = 3;
const ABORT: u8 = 4;
const DONE: u8 = 5;

pub fn program(participants: usize, logged: bool, faults: Faults, timers: Timers) -> Program {
    let mut coordinator = machine("coordinator", move || coordinate(participants, logged));
    (coordinator.crashes, coordinator.stops) = (true, true);
    coordinator.files = files(&[("begun", b""), ("decision", b"")]);
    let mut machines = vec![coordinator];
    machines.extend((0..participants).map(|_| machine("participant", take_part)));
    let first = vec![0; 1 + participants];
    let mut program = super::super::machine::program(machines, first, |decided, who, what| {
        decided[who] = what[0];
        match decided.contains(&COMMIT) && decided.contains(&ABORT) {
            true => Err("one commits, one aborts".to_owned()),
            false => Ok(()),
        }
    });
    (program.faults, program.timers) = (faults, timers);
    if timers == Timers::Last {
        program.judge = Box::new(|end| {
            let mut participants = end.machines[1..].iter();
            let all = participants.all(|machine| machine.visible.contains_key("decided"));
            if all { "decided" } else { "undecided" }.to_owned()
        });
    }
    program
}

fn coordinate(participants: usize, logged: bool) {
    let mut decision = read("decision").first().copied();
    // Presumed abort.
    if decision.is_none() && !read("begun").is_empty() {
        decision = Some(ABORT);
    }
    let decision = decision.unwrap_or_else(|| {
        write("begun", &[1]);
        sync("begun");
        ask_all(participants)
    });
    if logged {
        write("decision", &[decision]);
        sync("decision");
    }
    let mut left: BTreeSet<usize> = (1..=participants).collect();
    for attempt in 0..2 {
        left.iter()
            .for_each(|&participant| send(participant, &[decision]));
        loop {
            remember((decision, &left, attempt));
            let Some((participant, content)) = receive_timeout() else {
                break;
            };
            if content[0] == DONE && left.remove(&participant) && left.is_empty() {
                return;
            }
        }
    }
}

/// The decision, after all have voted or one has not.
fn ask_all(participants: usize) -> u8 {
    (1..=participants).for_each(|participant| send(participant, &[PREPARE]));
    let mut yes = BTreeSet::new();
    while yes.len() < participants {
        remember(&yes);
        match receive_timeout() {
            Some((participant, content)) if content[0] == YES => yes.insert(participant),
            _ => return ABORT,
        };
    }
    COMMIT
}

fn take_part() {
    let mut decided = 0;
    let mut voted = false;
    loop {
        remember((decided, voted));
        match receive().1[0] {
            PREPARE if decided == 0 && !voted => {
                voted = true;
                if choose(2) == 1 {
                    decided = ABORT;
                    decide(decided);
                    send(COORDINATOR, &[NO]);
                } else {
                    send(COORDINATOR, &[YES]);
                }
            }
            PREPARE => {}
            decision => {
                if decided == 0 {
                    decided = decision;
                    decide(decided);
                }
                send(COORDINATOR, &[DONE]);
            }
        }
    }
}

fn decide(decision: u8) {
    write("decided", &[decision]);
    observe(&[decision]);
}
