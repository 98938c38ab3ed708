//! Where loom differs from C++20, in the smallest programs that show it.
//!
//! It *misses* outcomes that are allowed, and so lets bugs through; and it shows outcomes that are
//! forbidden, which are false alarms (it *cries wolf*). The names of the shapes are those of `tests/litmus.rs`.

use ::loom::sync::Arc;
use ::loom::sync::atomic::{
    AtomicU32,
    Ordering::{self, Relaxed, Release, SeqCst},
    fence,
};
use ::loom::thread;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Mutex;

/// All outcomes that loom shows. Collected outside of the model, where loom does not see it.
fn outcomes<R: Ord + Send + 'static>(
    program: impl Fn() -> R + Send + Sync + 'static,
) -> BTreeSet<R> {
    let seen = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let sink = std::sync::Arc::clone(&seen);
    ::loom::model(move || {
        let outcome = program();
        sink.lock().unwrap().insert(outcome);
    });
    let mut seen = seen.lock().unwrap();
    std::mem::take(&mut *seen)
}

fn assert_missed<R: Ord + Debug + Send + 'static>(
    missed: R,
    program: impl Fn() -> R + Send + Sync + 'static,
) {
    let seen = outcomes(program);
    assert!(!seen.contains(&missed), "loom got better: {seen:?}");
    assert!(!seen.is_empty());
}

fn assert_cries_wolf<R: Ord + Debug + Send + 'static>(
    forbidden: R,
    program: impl Fn() -> R + Send + Sync + 'static,
) {
    let seen = outcomes(program);
    assert!(seen.contains(&forbidden), "loom got better: {seen:?}");
}

/// Two threads on two variables that are zero, and both results. Main is the first.
fn two_threads(
    first: fn(&AtomicU32, &AtomicU32) -> u32,
    second: fn(&AtomicU32, &AtomicU32) -> u32,
) -> (u32, u32) {
    let variables = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
    let other = thread::spawn({
        let variables = Arc::clone(&variables);
        move || second(&variables.0, &variables.1)
    });
    let a = first(&variables.0, &variables.1);
    (a, other.join().unwrap())
}

/// SB, store buffering, with the given way to read. No interleaving explains that both are zero.
fn store_buffering(order: Ordering, read: fn(&AtomicU32) -> u32) -> (u32, u32) {
    let variables = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
    let other = thread::spawn({
        let variables = Arc::clone(&variables);
        move || {
            variables.1.store(1, order);
            read(&variables.0)
        }
    });
    variables.0.store(1, order);
    let a = read(&variables.1);
    (a, other.join().unwrap())
}

// ---- missed -----------------------------------------------------------------------------------

/// Not a weak outcome: an interleaving that loom leaves out. The load of the thread that stores
/// is considered the last access that main's load could conflict with, and the store is forgotten.
#[test]
fn misses_a_store_behind_the_storing_threads_own_load() {
    let program = || {
        let flag = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || {
                flag.load(Relaxed);
                flag.store(1, Relaxed);
            }
        });
        let seen = flag.load(Relaxed);
        other.join().unwrap();
        seen
    };
    assert_missed(1, program);
}

/// The model world misses it, too: RC11 forbids it, to keep values from coming out of thin air.
#[test]
fn misses_load_buffering() {
    let program = || {
        two_threads(
            |x, y| {
                let a = x.load(Relaxed);
                y.store(1, Relaxed);
                a
            },
            |x, y| {
                let b = y.load(Relaxed);
                x.store(1, Relaxed);
                b
            },
        )
    };
    assert_missed((1, 1), program);
}

/// In loom a read-modify-write reads the newest store. C++20 requires less: that nothing
/// comes between the value read and the value written; the other thread's store may well come
/// after both.
#[test]
fn misses_store_buffering_with_read_modify_writes_as_the_loads() {
    assert_missed((0, 0), || {
        store_buffering(Relaxed, |x| x.fetch_add(0, Relaxed))
    });
}

/// A failing compare-exchange is a load, which may be stale. In loom it is not.
#[test]
fn misses_stale_values_in_a_compare_exchange_that_fails() {
    let peek = |x: &AtomicU32| {
        x.compare_exchange(7, 8, Relaxed, Relaxed)
            .expect_err("never 7")
    };
    assert_missed((0, 0), move || store_buffering(Relaxed, peek));
}

/// A weak exchange may fail spuriously. In loom it behaves like the strong one.
#[test]
fn misses_weak_exchanges_that_fail_for_no_reason() {
    let program = || {
        AtomicU32::new(0)
            .compare_exchange_weak(0, 1, Relaxed, Relaxed)
            .is_ok()
    };
    assert_missed(false, program);
}

/// loom keeps the last seven stores of each variable, and loads cannot see others.
#[test]
fn misses_stores_that_were_overwritten_seven_times() {
    let program = || {
        two_threads(
            |x, y| {
                for value in 1..=7 {
                    x.store(value, Relaxed);
                }
                y.store(1, Relaxed);
                0
            },
            |x, y| 10 * y.load(Relaxed) + x.load(Relaxed),
        )
        .1
    };
    // The flag is set, but no store to the data is visible.
    assert_missed(10, program);
}

/// A waiting thread may wake spuriously. In loom there is always a notification.
#[test]
fn misses_wake_ups_for_no_reason() {
    use ::loom::sync::{Condvar, Mutex};
    let program = || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let other = thread::spawn({
            let pair = Arc::clone(&pair);
            move || {
                *pair.0.lock().unwrap() = true;
                pair.1.notify_one();
            }
        });
        let mut ready = pair.0.lock().unwrap();
        if !*ready {
            // The wait needs a loop. loom does not notice that it is missing.
            ready = pair.1.wait(ready).unwrap();
        }
        let ready = *ready;
        other.join().unwrap();
        ready
    };
    assert_missed(false, program);
}

// ---- cries wolf -------------------------------------------------------------------------------

/// loom treats `SeqCst` accesses as `AcqRel`, and those may be reordered.
#[test]
fn cries_wolf_over_store_buffering_with_seq_cst_accesses() {
    assert_cries_wolf((0, 0), || store_buffering(SeqCst, |x| x.load(SeqCst)));
}

/// As above: two stores of two threads, each of which comes last for one variable.
#[test]
fn cries_wolf_over_two_plus_two_writes_with_seq_cst_accesses() {
    let program = || {
        let variables = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let other = thread::spawn({
            let variables = Arc::clone(&variables);
            move || {
                variables.1.store(1, SeqCst);
                variables.0.store(2, SeqCst);
            }
        });
        variables.0.store(1, SeqCst);
        variables.1.store(2, SeqCst);
        other.join().unwrap();
        (variables.0.load(SeqCst), variables.1.load(SeqCst))
    };
    assert_cries_wolf((1, 1), program);
}

/// As above: the later of two writers reads an old value.
#[test]
fn cries_wolf_over_r_with_seq_cst_accesses() {
    let program = || {
        let variables = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let other = thread::spawn({
            let variables = Arc::clone(&variables);
            move || {
                variables.1.store(2, SeqCst);
                variables.0.load(SeqCst)
            }
        });
        variables.0.store(1, SeqCst);
        variables.1.store(1, SeqCst);
        let a = other.join().unwrap();
        (variables.1.load(SeqCst), a)
    };
    assert_cries_wolf((2, 0), program);
}

/// loom does not keep the two halves of a read-modify-write together: another thread's plain store
/// may come between what an exchange reads and what it writes, and is then lost.
#[test]
fn cries_wolf_over_a_store_beside_a_read_modify_write() {
    let program = || {
        let x = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let x = Arc::clone(&x);
            move || x.fetch_add(1, Relaxed)
        });
        x.store(10, Release);
        let before = other.join().unwrap();
        (before, x.load(Relaxed))
    };
    // The addition came first, so 10 cannot be the last value.
    assert_cries_wolf((0, 1), program);
}

// ---- and correct answers, so that the twins above prove something -------------------------------

#[test]
fn agrees_that_seq_cst_fences_forbid_store_buffering() {
    let program = || {
        store_buffering(Relaxed, |x| {
            fence(SeqCst);
            x.load(Relaxed)
        })
    };
    assert_eq!(outcomes(program), BTreeSet::from([(0, 1), (1, 0), (1, 1)]));
}

#[test]
fn agrees_that_relaxed_accesses_allow_store_buffering() {
    let program = || store_buffering(Relaxed, |x| x.load(Relaxed));
    assert_eq!(
        outcomes(program),
        BTreeSet::from([(0, 0), (0, 1), (1, 0), (1, 1)])
    );
}
