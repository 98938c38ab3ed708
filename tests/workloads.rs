//! The measured workloads are correct: each, on the standard library, ends with the right result.
//!
//! Correctness only; nothing here looks at the clock. A fix runs on as many threads as it will be
//! measured on. A program that fails by design runs on one thread, as it does when it is measured.

#![cfg(feature = "cost")]

use heisenbug::catalogue::{Bug, Role, Scale, Variant, Workload};
use heisenbug_cost::Team;
use heisenbug_cost::mounted;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

/// As many threads as run in parallel on a small machine, and more, so that the scheduler
/// interrupts them in the middle of something.
const TEAMS: [usize; 2] = [2, 4];

/// Iterations of each thread: with fewer, a fast one would be done before it meets another.
const ITERATIONS: u64 = 50_000;

/// The same for transactions, each of which takes long enough to be interrupted.
const TRANSACTIONS: u64 = 200;

fn programs() -> impl Iterator<Item = (&'static Bug, &'static Variant)> {
    let bugs = mounted::bugs();
    bugs.flat_map(|bug| bug.variants.iter().map(move |variant| (bug, variant)))
}

/// Every program that has something to measure, with its name and its constructor.
fn workloads() -> impl Iterator<Item = (String, Role, fn() -> Workload)> {
    programs().filter_map(|(bug, variant)| {
        let name = format!("{}/{}", bug.name, variant.name);
        Some((name, variant.role, workload(variant)?))
    })
}

/// What there is to measure, unless it needs what is not at hand.
fn workload(variant: &Variant) -> Option<fn() -> Workload> {
    if let Err(why) = heisenbug_database::provide(variant) {
        println!("skipped: {}", why.message);
        return None;
    }
    variant.workload
}

fn is_sound(role: Role) -> bool {
    role.expected().is_none()
}

/// The message of a panic in `act`.
fn panic_of(act: impl FnOnce()) -> Option<String> {
    let payload = panic::catch_unwind(AssertUnwindSafe(act)).err()?;
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string()))
}

#[test]
fn every_sound_variant_has_a_workload_or_says_why_not() {
    for (bug, variant) in programs().filter(|(_, variant)| is_sound(variant.role)) {
        if variant.workload.is_some() {
            continue;
        }
        // Where the reason is: in a comment right above the variant's entry.
        let lines: Vec<&str> = bug.source.lines().map(str::trim).collect();
        let entry = format!("\"{}\",", variant.name);
        let entry = lines.iter().position(|line| *line == entry).unwrap();
        assert!(
            lines[..entry - 1]
                .iter()
                .rev()
                .take_while(|line| line.starts_with("//"))
                .any(|line| line.starts_with("// No workload: ")),
            "{}/{} has no workload, and does not say why",
            bug.name,
            variant.name
        );
    }
}

#[test]
fn what_must_not_run_natively_is_not_measured() {
    for (bug, variant) in programs() {
        let name = format!("{}/{}", bug.name, variant.name);
        assert!(
            variant.undefined.is_none() || variant.workload.is_none(),
            "{name}"
        );
    }
}

#[test]
fn one_thread_leaves_behind_what_it_must() {
    for (name, _, make) in workloads() {
        for iterations in [0, 1, 1_000] {
            let workload = make();
            assert_eq!(workload.work(0, iterations), iterations, "{name}");
            let panic = panic_of(|| workload.verify(iterations));
            assert_eq!(panic, None, "{name} after {iterations}");
        }
    }
}

#[test]
fn a_workload_goes_on_where_it_stopped() {
    for (name, _, make) in workloads() {
        let workload = make();
        let mut total = 0;
        for iterations in [1, 10, 100] {
            total += workload.work(0, iterations);
            let panic = panic_of(|| workload.verify(total));
            assert_eq!(panic, None, "{name} after {total}");
        }
    }
}

#[test]
fn several_threads_leave_behind_what_they_must() {
    for mut team in TEAMS.map(Team::new) {
        for (bug, variant) in programs().filter(|(_, variant)| is_sound(variant.role)) {
            let Some(make) = workload(variant) else {
                continue;
            };
            let iterations = match bug.scale {
                Scale::Transactions => TRANSACTIONS,
                Scale::Threads | Scale::Machines => ITERATIONS,
            };
            let workload = Arc::new(make());
            let panic = panic_of(|| {
                team.run_times(&workload, iterations);
            });
            let (bug, variant, threads) = (bug.name, variant.name, team.threads());
            assert_eq!(panic, None, "{bug}/{variant} on {threads} threads");
        }
    }
}

/// A verification that passes in any case would prove nothing.
#[test]
fn a_wrong_total_is_noticed() {
    // In these bugs the result is a number of steps. In the others a wrong state has no number.
    for (bug, shown) in [
        ("lost-update", ["left: 10", "right: 11"]),
        (
            "overdraft",
            ["left: 9223372036854775797", "right: 9223372036854775796"],
        ),
    ] {
        let bug = mounted::bugs().find(|each| each.name == bug).unwrap();
        for variant in bug.variants {
            let workload = variant.workload.unwrap()();
            workload.work(0, 10);
            let panic = panic_of(|| workload.verify(11)).unwrap_or_default();
            for part in shown {
                assert!(panic.contains(part), "{}: {panic:?}", variant.name);
            }
        }
    }
}

#[test]
fn a_first_use_that_never_was_is_noticed() {
    let bug = mounted::bugs().find(|bug| bug.name == "double-checked-init");
    for variant in bug.unwrap().variants {
        let Some(make) = variant.workload else {
            continue;
        };
        let panic = panic_of(|| make().verify(1)).unwrap_or_default();
        assert!(panic.contains("left: 0"), "{}: {panic:?}", variant.name);
    }
}
