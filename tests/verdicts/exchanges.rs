//! Read-modify-writes: nothing comes between what they read and what they write, they read the newest
//! value, and a weak one may fail.

use crate::judged::{Plain, Seen, deadlocks, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
};
use heisenbug::{hint, thread};

/// One thread performs `yours` on an atomic, main performs `mine`. The program returns the result of
/// `mine`, and the last value.
#[track_caller]
fn beside(yours: fn(&AtomicU32), mine: fn(&AtomicU32) -> u32, right: fn(u32, u32) -> bool) -> Seen {
    holds(move || {
        let word = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let word = Arc::clone(&word);
            move || yours(&word)
        });
        let found = mine(&word);
        other.join().unwrap();
        let end = word.load(Relaxed);
        assert!(right(found, end), "found {found}, ends with {end}");
        (found, end)
    })
}

#[track_caller]
fn assert_outcomes(report: &Seen, expected: &[&str]) {
    let mut labels: Vec<_> = report.outcomes.iter().map(|it| &*it.label).collect();
    labels.sort_unstable();
    assert_eq!(labels, expected);
}

#[test]
fn what_is_closed_stays_closed_holds() {
    let report = beside(
        |state| state.store(2, Release),
        |state| match state.compare_exchange(0, 1, AcqRel, Acquire) {
            Ok(found) | Err(found) => found,
        },
        |_, end| end == 2,
    );
    assert_outcomes(&report, &["(0, 2)", "(2, 2)"]);
}

#[test]
fn an_addition_beside_a_store_comes_before_or_after_it_holds() {
    for ordering in [Relaxed, SeqCst] {
        let add: [fn(&AtomicU32) -> u32; 2] =
            [|it| it.fetch_add(1, Relaxed), |it| it.fetch_add(1, SeqCst)];
        let store: [fn(&AtomicU32); 2] = [|it| it.store(10, Relaxed), |it| it.store(10, SeqCst)];
        let which = usize::from(ordering == SeqCst);
        let right = |found, end| matches!((found, end), (0, 10) | (10, 11));
        let report = beside(store[which], add[which], right);
        assert_outcomes(&report, &["(0, 10)", "(10, 11)"]);
    }
}

#[test]
fn the_own_last_store_is_final_unless_it_was_read_holds() {
    let report = beside(
        |word| {
            word.store(5, Relaxed);
            word.store(7, Relaxed);
        },
        |word| word.swap(1, AcqRel),
        |found, end| end == if found == 7 { 1 } else { 7 },
    );
    assert_outcomes(&report, &["(0, 7)", "(5, 7)", "(7, 1)"]);
}

#[test]
fn a_notification_is_consumed_or_stays_holds() {
    holds(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || flag.store(true, Release)
        });
        let consumed = flag.swap(false, AcqRel);
        other.join().unwrap();
        assert_ne!(consumed, flag.load(Acquire));
    });
}

/// The sender leaves a value and announces it; the receiver announces that it waits, unless it is there.
#[test]
fn a_one_shot_holds() {
    holds(|| {
        let shared = Arc::new((AtomicU32::new(0), Plain::new(0)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.1.set(7);
                shared.0.swap(2, AcqRel) == 1
            }
        });
        let waits = match shared.0.compare_exchange(0, 1, AcqRel, Acquire) {
            Ok(_) => true,
            Err(_) => {
                assert_eq!(shared.1.get(), 7);
                false
            }
        };
        assert_eq!(other.join().unwrap(), waits, "whoever waits is woken");
        assert_eq!(shared.0.load(Acquire), 2);
    });
}

/// Two threads add to plain data under a lock of that kind.
fn locked(
    lock: fn(&AtomicU32) -> bool,
    unlock: fn(&AtomicU32),
) -> impl Fn() + Send + Sync + 'static {
    move || {
        let shared = Arc::new((AtomicU32::new(0), Plain::new(0)));
        let add = move |shared: &(AtomicU32, Plain<u32>)| {
            while !lock(&shared.0) {
                hint::spin_loop();
            }
            shared.1.change(|value| *value += 1);
            unlock(&shared.0);
        };
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || add(&shared)
        });
        add(&shared);
        other.join().unwrap();
        assert_eq!(shared.1.get(), 2);
    }
}

#[test]
fn spin_locks_by_any_exchange_hold() {
    let release = |word: &AtomicU32| word.store(0, Release);
    holds(locked(|word| word.swap(1, Acquire) == 0, release));
    holds(locked(|word| word.swap(1, AcqRel) == 0, release));
    holds(locked(
        |word| word.swap(1, SeqCst) == 0,
        |word| {
            word.store(0, SeqCst);
        },
    ));
    holds(locked(
        |word| word.fetch_or(1, AcqRel) & 1 == 0,
        |word| {
            word.fetch_and(!1, Release);
        },
    ));
    let weak = |word: &AtomicU32| word.compare_exchange_weak(0, 1, Acquire, Relaxed).is_ok();
    holds(locked(weak, release));
}

#[test]
fn a_spin_lock_that_orders_nothing_fails() {
    let program = locked(
        |word| word.swap(1, Relaxed) == 0,
        |word| word.store(0, Release),
    );
    fails(program, Class::DataRace, "nothing orders them");
    let program = locked(
        |word| word.swap(1, Acquire) == 0,
        |word| word.store(0, Relaxed),
    );
    fails(program, Class::DataRace, "nothing orders them");
}

/// Each raises a flag, and reads the other's by adding zero to it.
fn raise_and_look(ordering: Ordering) -> impl Fn() + Send + Sync + 'static {
    move || {
        let flags = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let other = thread::spawn({
            let flags = Arc::clone(&flags);
            move || {
                flags.0.store(
                    1,
                    if ordering == AcqRel {
                        Release
                    } else {
                        ordering
                    },
                );
                flags.1.fetch_add(0, ordering)
            }
        });
        flags.1.store(
            1,
            if ordering == AcqRel {
                Release
            } else {
                ordering
            },
        );
        let seen = flags.0.fetch_add(0, ordering);
        assert!(other.join().unwrap() + seen > 0, "neither saw the other");
    }
}

#[test]
fn a_look_by_exchange_is_no_fence_fails() {
    for ordering in [Relaxed, AcqRel] {
        let program = raise_and_look(ordering);
        fails(program, Class::Assertion, "neither saw the other");
    }
}

#[test]
fn looks_by_exchange_in_the_one_order_of_seq_cst_holds() {
    holds(raise_and_look(SeqCst));
}

/// One spurious failure is enough for a thread without a second try.
#[test]
fn a_weak_exchange_without_a_loop_fails() {
    deadlocks(|| {
        let free = AtomicBool::new(true);
        if { free.compare_exchange_weak(true, false, SeqCst, SeqCst) }.is_err() {
            thread::park();
        }
    });
    let asserts = || {
        let free = AtomicBool::new(true);
        let taken = free.compare_exchange_weak(true, false, AcqRel, Relaxed);
        assert!(taken.is_ok(), "failed for no reason");
    };
    fails(asserts, Class::Assertion, "failed for no reason");
}

#[test]
fn a_strong_exchange_without_a_loop_holds() {
    holds(|| {
        let free = AtomicBool::new(true);
        let taken = free.compare_exchange(true, false, AcqRel, Relaxed);
        assert_eq!(taken, Ok(true));
    });
}
