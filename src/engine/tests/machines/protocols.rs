//! Known protocols: what is wrong with them is found, with as few faults and steps as there can be, and what
//! is right holds.

use crate::support::machine::*;
use crate::support::protocols::payment::Key;
use crate::support::protocols::{failover, lease, pairs, payment, quorum, two_phase};
use heisenbug_engine::machines::Timers::{Any, Last};
use heisenbug_engine::machines::{Faults, Found, Moment, Program, What, record};
use std::time::Instant;

/// Explores, and shows the figures to whoever asks for the output.
fn explored(name: &str, program: &Program) -> Found {
    let start = Instant::now();
    let found = explore_all(program);
    println!(
        "{name}: {} states, {} transitions, {} locals, {} runs, {:?}, {:?}",
        found.states,
        found.transitions,
        found.locals,
        found.runs,
        start.elapsed(),
        labels(&found),
    );
    found
}

/// The faults of the shortest way to a label, and its steps without the starts of machines.
fn shortest(program: &Program, found: &Found, label: &str) -> (usize, usize) {
    let end = found.ends.iter().find(|end| text(&end.label) == label);
    let end = end.unwrap_or_else(|| panic!("no {label} among {:?}", labels(found)));
    let moments = record(program, &end.path);
    show(&moments);
    let starts = program.machines.len();
    (end.faults.total(), end.path.len() - starts)
}

fn show(moments: &[Moment]) {
    for moment in moments {
        println!("    {} {:?}", moment.machine, moment.what);
    }
}

#[test]
fn a_lease_without_a_fencing_token_allows_a_stale_write() {
    for (clients, steps) in [(2, 9), (3, 9)] {
        let mut program = lease::program(clients, false);
        program.timers = Any;
        let found = explored("lease, no token", &program);
        assert_eq!(
            shortest(&program, &found, "monitor: a stale write"),
            (0, steps)
        );
    }
}
