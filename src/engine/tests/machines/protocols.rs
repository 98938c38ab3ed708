//! Known protocols: what is wrong with them is found, with as few faults and steps as there can be, and what
//! is right holds.

use crate::support::machine::*;
use crate::support::protocols::payment::Key;
use crate::support::protocols::{failover, lease, pairs, payment, quorum, two_phase};
use heisenbug_engine::machines::Timers::{Any, Last};
use heisenbug_engine::machines::{Faults, Found, Moment, Program, record};
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

#[test]
fn a_lease_with_a_fencing_token_holds() {
    for (clients, most) in [(2, 100), (3, 1_100), (4, 15_000)] {
        let mut program = lease::program(clients, true);
        program.timers = Any;
        let found = explored("lease, fenced", &program);
        assert_eq!(labels(&found), ["ends"]);
        assert!(found.states < most, "{clients}: {}", found.states);
    }
}

fn crashes(crashes: u8) -> Faults {
    Faults {
        crashes,
        ..NO_FAULTS
    }
}

/// One loss, one crash, and what else is said.
fn one_each(duplicates: u8, early: u8) -> Faults {
    Faults {
        losses: 1,
        crashes: 1,
        duplicates,
        early,
        ..NO_FAULTS
    }
}

#[test]
fn a_payment_without_a_key_is_made_twice() {
    let program = payment::program(1, Key::Nowhere, NO_FAULTS, Any);
    let found = explored("payment, no key", &program);
    assert_eq!(shortest(&program, &found, "monitor: charged twice"), (0, 3));
    let loss = Faults {
        losses: 1,
        ..NO_FAULTS
    };
    let program = payment::program(1, Key::Nowhere, loss, Last);
    let found = explored("payment, no key, a loss", &program);
    assert_eq!(shortest(&program, &found, "monitor: charged twice"), (1, 4));
}

#[test]
fn a_payment_whose_key_does_not_survive_a_crash_is_made_twice() {
    for key in [Key::Memory, Key::Afterwards] {
        let program = payment::program(1, key, crashes(1), Any);
        let found = explored("payment, key in the wrong place", &program);
        // The restart is a step, too.
        assert_eq!(
            shortest(&program, &found, "monitor: charged twice"),
            (1, 4),
            "{key:?}"
        );
    }
}

#[test]
fn a_payment_whose_key_is_in_the_ledger_is_made_once() {
    for (shops, most) in [(1, 60), (2, 1_000), (3, 30_000)] {
        let program = payment::program(shops, Key::Ledger, crashes(1), Any);
        let found = explored("payment, ledger, a crash", &program);
        assert_eq!(labels(&found), ["ends"]);
        assert!(found.states < most, "{shops}: {}", found.states);
    }
    for shops in [2, 3] {
        let program = payment::program(shops, Key::Ledger, one_each(1, 1), Last);
        let found = explored("payment, ledger, one of each", &program);
        assert_eq!(labels(&found), ["paid"]);
    }
}

#[test]
fn quorums_that_do_not_meet_allow_a_stale_read() {
    for (r, w, steps) in [(1, 1, 5), (1, 2, 7)] {
        let program = quorum::program(r, w, 1);
        let found = explored("quorum, too small", &program);
        assert_eq!(
            shortest(&program, &found, "monitor: a stale read"),
            (0, steps),
            "{r} {w}"
        );
    }
}

#[test]
fn quorums_that_meet_hold() {
    for (readers, most) in [(1, 2_000), (2, 130_000)] {
        let program = quorum::program(2, 2, readers);
        let found = explored("quorum, two of three", &program);
        assert_eq!(labels(&found), ["ends"]);
        assert!(found.states < most, "{readers}: {}", found.states);
    }
    let mut program = quorum::program(2, 2, 1);
    program.faults.duplicates = 1;
    assert_eq!(labels(&explored("quorum, a duplicate", &program)), ["ends"]);
}

#[test]
fn a_decision_that_is_not_logged_is_forgotten_in_a_crash() {
    let program = two_phase::program(2, false, crashes(1), Any);
    let found = explored("two-phase commit, not logged", &program);
    assert_eq!(
        shortest(&program, &found, "monitor: one commits, one aborts"),
        (1, 9)
    );
}

#[test]
fn a_decision_that_is_logged_is_kept() {
    let program = two_phase::program(2, true, crashes(1), Any);
    let found = explored("two-phase commit, logged", &program);
    assert_eq!(labels(&found), ["ends"]);
    assert!(found.states < 25_000, "{}", found.states);
}

#[test]
fn two_phase_commit_blocks_without_its_coordinator() {
    let stop = Faults {
        stops: 1,
        ..NO_FAULTS
    };
    let program = two_phase::program(2, true, stop, Last);
    let found = explored("two-phase commit, a stop", &program);
    let (faults, _) = shortest(&program, &found, "undecided");
    assert_eq!(faults, 1);
    assert_eq!(labels(&found), ["decided", "undecided"]);
}

#[test]
fn as_many_losses_as_attempts_keep_a_decision_from_its_addressee() {
    let mut faults = one_each(0, 0);
    (faults.losses, faults.crashes) = (2, 1);
    let program = two_phase::program(2, true, faults, Last);
    let found = explored("two-phase commit, two losses", &program);
    let (faults, _) = shortest(&program, &found, "undecided");
    assert_eq!(faults, 2);
}

#[test]
fn a_value_that_is_acknowledged_before_it_is_replicated_is_lost() {
    let program = failover::program(1, true, NO_FAULTS, Any);
    let found = explored("failover, early", &program);
    assert_eq!(
        shortest(&program, &found, "monitor: an acknowledged value is gone"),
        (0, 5)
    );
}

#[test]
fn a_value_that_is_acknowledged_after_it_was_replicated_survives() {
    let stop = Faults {
        stops: 1,
        ..NO_FAULTS
    };
    for (clients, faults, most) in [(2, NO_FAULTS, 1_000), (2, stop, 2_000), (3, stop, 120_000)] {
        let program = failover::program(clients, false, faults, Any);
        let found = explored("failover, late", &program);
        assert_eq!(labels(&found), ["ends"]);
        assert!(found.states < most, "{clients}: {}", found.states);
    }
}

#[test]
fn independent_pairs_multiply() {
    // Each pair is in one of 7 states, alone.
    let found = explored("pairs", &pairs::program(4, 3));
    assert_eq!(found.states, 7_u64.pow(4) + 4 * 2);
}
