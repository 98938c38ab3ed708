//! SeqCst beside weaker orderings: what its rules guarantee, and what they do not.

use crate::judged::{Plain, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};
use heisenbug::thread;

#[derive(Default)]
struct Shared {
    mine: AtomicBool,
    yours: AtomicBool,
    count: AtomicU32,
    data: Plain<u32>,
}

/// Each thread raises a flag and looks at the other's; at least one of them must see the other.
fn flags(
    yours: fn(&Shared) -> bool,
    mine: fn(&Shared) -> bool,
) -> impl Fn() + Send + Sync + 'static {
    move || {
        let shared = Arc::new(Shared::default());
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || yours(&shared)
        });
        let seen = mine(&shared);
        assert!(other.join().unwrap() || seen, "neither saw the other");
    }
}

#[test]
fn a_relaxed_statistic_in_between_changes_nothing_holds() {
    holds(flags(
        |it| {
            it.yours.store(true, SeqCst);
            it.count.fetch_add(1, Relaxed);
            it.mine.load(SeqCst)
        },
        |it| {
            it.mine.store(true, SeqCst);
            it.count.fetch_add(1, Relaxed);
            it.yours.load(SeqCst)
        },
    ));
}

#[test]
fn an_access_on_one_side_and_a_fence_on_the_other_holds() {
    holds(flags(
        |it| {
            it.yours.store(true, SeqCst);
            it.mine.load(SeqCst)
        },
        |it| {
            it.mine.store(true, Relaxed);
            fence(SeqCst);
            it.yours.load(Relaxed)
        },
    ));
}

#[test]
fn a_failure_ordering_that_is_relaxed_holds() {
    holds(flags(
        |it| {
            let _ = it.count.compare_exchange(0, 1, SeqCst, Relaxed);
            it.yours.store(true, SeqCst);
            it.mine.load(SeqCst)
        },
        |it| {
            it.mine.store(true, SeqCst);
            it.yours.load(SeqCst)
        },
    ));
}

#[test]
fn release_and_acquire_in_place_of_seq_cst_fails() {
    let weak = flags(
        |it| {
            it.yours.store(true, Release);
            it.mine.load(Acquire)
        },
        |it| {
            it.mine.store(true, Release);
            it.yours.load(Acquire)
        },
    );
    fails(weak, Class::Assertion, "neither saw the other");
}

#[test]
fn a_fence_on_one_side_alone_fails() {
    let one_sided = flags(
        |it| {
            it.yours.store(true, Relaxed);
            it.mine.load(Relaxed)
        },
        |it| {
            it.mine.store(true, Relaxed);
            fence(SeqCst);
            it.yours.load(Relaxed)
        },
    );
    fails(one_sided, Class::Assertion, "neither saw the other");
}

#[test]
fn what_is_read_after_the_join_is_the_newest_holds() {
    holds(|| {
        let shared = Arc::new(Shared::default());
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.yours.store(true, SeqCst);
                if !shared.mine.load(SeqCst) {
                    shared.count.fetch_add(1, SeqCst);
                }
            }
        });
        shared.mine.store(true, SeqCst);
        if !shared.yours.load(SeqCst) {
            shared.count.fetch_add(1, SeqCst);
        }
        other.join().unwrap();
        assert!(shared.count.load(Relaxed) < 2);
    });
}

/// A thread that sees no other flag enters; no thread waits.
#[test]
fn two_flags_keep_plain_data_apart_holds() {
    holds(|| {
        let shared = Arc::new(Shared::default());
        let enter = |mine: &AtomicBool, yours: &AtomicBool, data: &Plain<u32>| {
            mine.store(true, SeqCst);
            if !yours.load(SeqCst) {
                data.change(|value| *value += 1);
            }
        };
        let other = thread::spawn({
            let it = Arc::clone(&shared);
            move || enter(&it.yours, &it.mine, &it.data)
        });
        enter(&shared.mine, &shared.yours, &shared.data);
        other.join().unwrap();
    });
}
