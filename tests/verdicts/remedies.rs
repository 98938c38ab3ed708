//! The orderings that a report says would forbid its counterexample: with them the program holds, and
//! weaker ones would not be enough.

use heisenbug::sync::Arc;
use heisenbug::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use heisenbug::sync::atomic::{AtomicU32, fence};
use heisenbug::{Report, check, thread};

/// The orderings of a program, one for each line that names one.
type Orderings<const N: usize> = [Ordering; N];

/// Checks a program whose orderings are all Relaxed, applies the report's orderings, and checks it again.
fn followed<const N: usize>(
    program: fn(Orderings<N>) -> Result<(), &'static str>,
    lines: [&str; N],
) -> Orderings<N> {
    let report = check(move || program([Relaxed; N]));
    assert!(report.fails());
    let needed = lines.map(|line| needed(&report, line));
    check(move || program(needed)).assert_holds();
    needed
}

/// The ordering that the report asks for in the line of this file that contains this text.
fn needed(report: &Report, text: &str) -> Ordering {
    let source = include_str!("remedies.rs");
    let line = { source.lines() }.position(|line| line.contains(text) && !line.contains('"'));
    let line = line.expect("the line") as u32 + 1;
    let mut stronger = report.forbidden_by.iter();
    match stronger.find(|stronger| stronger.line == line) {
        None => Relaxed,
        Some(stronger) => match stronger.needed.as_str() {
            "Acquire" => Acquire,
            "Release" => Release,
            "AcqRel" => AcqRel,
            _ => SeqCst,
        },
    }
}

fn message_passing([announce, look]: Orderings<2>) -> Result<(), &'static str> {
    let both = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    thread::spawn({
        let both = Arc::clone(&both);
        move || {
            both[0].store(1, Relaxed);
            both[1].store(1, announce);
        }
    });
    match both[1].load(look) == 1 && both[0].load(Relaxed) == 0 {
        true => Err("the message is not there"),
        false => Ok(()),
    }
}

#[test]
fn a_message_needs_a_release_and_an_acquire_on_the_flag_alone() {
    let lines = ["both[1].store(1, announce)", "both[1].load(look)"];
    assert_eq!(followed(message_passing, lines), [Release, Acquire]);
}

fn store_buffering([raise, look, raise_too, look_too]: Orderings<4>) -> Result<(), &'static str> {
    let flags = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    let other = thread::spawn({
        let flags = Arc::clone(&flags);
        move || {
            flags[0].store(1, raise);
            flags[1].load(look)
        }
    });
    flags[1].store(1, raise_too);
    let mine = flags[0].load(look_too);
    match mine + other.join().unwrap() {
        0 => Err("neither has seen the other"),
        _ => Ok(()),
    }
}

#[test]
fn store_buffering_needs_all_four_sequentially_consistent() {
    let lines = [
        "store(1, raise)",
        "flags[1].load(look)",
        "store(1, raise_too)",
        "load(look_too)",
    ];
    assert_eq!(followed(store_buffering, lines), [SeqCst; 4]);
}

/// Three threads: the second one passes on to the third what the first one did.
fn hand_on([first, second, last]: Orderings<3>) -> Result<(), &'static str> {
    let all = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    thread::spawn({
        let all = Arc::clone(&all);
        move || {
            all[0].store(1, Relaxed);
            all[1].store(1, first);
        }
    });
    thread::spawn({
        let all = Arc::clone(&all);
        move || all[1].fetch_add(1, second)
    });
    match all[1].load(last) == 2 && all[0].load(Relaxed) == 0 {
        true => Err("what was handed on is not there"),
        false => Ok(()),
    }
}

#[test]
fn a_read_modify_write_hands_on_what_it_read_without_an_ordering_of_its_own() {
    let lines = [
        "all[1].store(1, first)",
        "fetch_add(1, second)",
        "all[1].load(last)",
    ];
    assert_eq!(followed(hand_on, lines), [Release, Relaxed, Acquire]);
}

#[test]
fn a_fence_counts_for_what_it_is() {
    let report = check(|| {
        let both = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
        thread::spawn({
            let both = Arc::clone(&both);
            move || {
                both[0].store(1, Relaxed);
                fence(Release);
                both[1].store(1, Relaxed);
            }
        });
        let told = both[1].load(Relaxed);
        assert!(told == 0 || both[0].load(Relaxed) == 1);
    });
    let needed: Vec<&str> = { report.forbidden_by.iter() }
        .map(|stronger| stronger.needed.as_str())
        .collect();
    assert_eq!(needed, ["Acquire"], "{report}");
}

#[test]
fn no_ordering_forbids_an_interleaving() {
    let report = check(|| {
        let visitors = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let visitors = Arc::clone(&visitors);
            move || visitors.store(visitors.load(Relaxed) + 1, Relaxed)
        });
        visitors.store(visitors.load(Relaxed) + 1, Relaxed);
        other.join().unwrap();
        assert_eq!(visitors.load(Relaxed), 2);
    });
    assert!(report.fails());
    assert_eq!(report.forbidden_by, []);
}

#[test]
fn stores_that_are_seen_in_different_orders_name_their_remedy() {
    let report = check(|| {
        let flags = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
        let other = thread::spawn({
            let flags = Arc::clone(&flags);
            move || {
                flags[0].store(1, Release);
                flags[1].swap(2, AcqRel)
            }
        });
        flags[1].store(1, Release);
        let mine = flags[0].swap(2, AcqRel);
        assert!(
            mine + other.join().unwrap() > 0,
            "neither has seen the other"
        );
    });
    let text = report.to_string();
    assert!(
        text.contains("No order of these steps gives these"),
        "{text}"
    );
    assert!(
        report
            .forbidden_by
            .iter()
            .all(|stronger| stronger.needed == "SeqCst"),
        "{text}"
    );
    assert!(!report.forbidden_by.is_empty(), "{text}");
}
