//! Programs whose outcome depends on the number of pointers.

use crate::judged::{deadlocks, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use heisenbug::sync::{Arc, Condvar, Mutex};
use heisenbug::thread;

/// Both threads act on the answer to the same question. Returns the other thread's answer, and main's.
fn both(ask: fn(Arc<u32>) -> bool) -> (bool, bool) {
    let mine = Arc::new(7);
    let yours = Arc::clone(&mine);
    let other = thread::spawn(move || ask(yours));
    let me = ask(mine);
    (other.join().unwrap(), me)
}

#[test]
fn the_last_one_cleans_up_by_the_count_fails() {
    let last = |pointer: Arc<u32>| Arc::strong_count(&pointer) == 1;
    let program = move || {
        let (other, me) = both(last);
        assert!(other || me, "nobody was the last");
    };
    fails(program, Class::Assertion, "nobody was the last");
}

#[test]
fn the_last_one_unwraps_fails() {
    let unwraps = |pointer| Arc::try_unwrap(pointer).is_ok();
    let program = move || {
        let (other, me) = both(unwraps);
        assert!(other || me, "it went to nobody");
        (other, me)
    };
    let report = fails(program, Class::Assertion, "it went to nobody");
    let both = report.outcomes.iter().any(|it| it.label == "(true, true)");
    assert!(!both, "only one of them can have it");
}

#[test]
fn the_last_one_takes_it_out_holds() {
    let takes = |pointer| Arc::into_inner(pointer).is_some();
    let report = holds(move || {
        let (other, me) = both(takes);
        assert_ne!(other, me);
        me
    });
    let mut labels: Vec<_> = report.outcomes.iter().map(|it| &*it.label).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["false", "true"], "either may be the last");
}

#[test]
fn waiting_until_the_other_has_let_go_holds() {
    holds(|| {
        let mine = Arc::new(());
        let yours = Arc::clone(&mine);
        let other = thread::spawn(move || drop(yours));
        while Arc::strong_count(&mine) > 1 {
            thread::yield_now();
        }
        other.join().unwrap();
    });
}

/// The flag is set before the pointer is dropped. But they are examined one after the other.
#[test]
fn a_flag_and_a_count_in_two_looks_fails() {
    let program = || {
        let sent = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let sent = Arc::clone(&sent);
            move || sent.store(true, SeqCst)
        });
        let seen = sent.load(SeqCst);
        let alone = Arc::strong_count(&sent) == 1;
        assert!(seen || !alone, "gone without a word");
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "gone without a word");
}

#[test]
fn the_count_before_the_flag_holds() {
    holds(|| {
        let sent = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let sent = Arc::clone(&sent);
            move || sent.store(true, SeqCst)
        });
        // A thread that gets exclusive access comes after what the other did with its pointer.
        let mut sent = sent;
        if let Some(alone) = Arc::get_mut(&mut sent) {
            assert!(*alone.get_mut());
        }
        other.join().unwrap();
    });
}

/// The pointer is dropped after the notification, and that is not notified.
#[test]
fn a_condition_that_is_a_count_fails() {
    let report = deadlocks(|| {
        let shared = Arc::new((Mutex::new(()), Condvar::new()));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let _held = shared.0.lock().unwrap();
                shared.1.notify_one();
            }
        });
        let mut held = shared.0.lock().unwrap();
        while Arc::strong_count(&shared) > 1 {
            held = shared.1.wait(held).unwrap();
        }
        drop(held);
        other.join().unwrap();
    });
    let stuck: Vec<_> = report.blocked.iter().map(|it| &*it.call).collect();
    assert_eq!(stuck, ["wait"]);
}

#[test]
fn upgrading_beside_the_last_drop_fails_either_way() {
    for alive in [true, false] {
        let program = move || {
            let pointer = Arc::new(());
            let weak = Arc::downgrade(&pointer);
            let other = thread::spawn(move || drop(pointer));
            let upgraded = weak.upgrade().is_some();
            other.join().unwrap();
            assert!(upgraded == alive, "the other way round");
        };
        fails(program, Class::Assertion, "the other way round");
    }
}

/// The same, with the roles of the threads exchanged.
#[test]
fn another_that_upgrades_beside_the_last_drop_fails_either_way() {
    for alive in [true, false] {
        let program = move || {
            let pointer = Arc::new(());
            let weak = Arc::downgrade(&pointer);
            let other = thread::spawn(move || weak.upgrade().is_some());
            drop(pointer);
            assert!(other.join().unwrap() == alive, "the other way round");
        };
        fails(program, Class::Assertion, "the other way round");
    }
}

#[test]
fn two_upgrades_that_should_agree_fails() {
    let program = || {
        let pointer = Arc::new(0);
        let weak = Arc::downgrade(&pointer);
        let other = thread::spawn(move || drop(pointer));
        // Each drops what it got before the other thread looks.
        let first = weak.upgrade().is_some();
        let second = weak.upgrade().is_some();
        other.join().unwrap();
        assert!(first == second, "gone in between");
        (first, second)
    };
    let report = fails(program, Class::Assertion, "gone in between");
    let back = report.outcomes.iter().any(|it| it.label == "(false, true)");
    assert!(!back, "what is gone does not come back");
}

#[test]
fn a_cache_that_expects_its_value_fails() {
    let program = || {
        let value = Arc::new(Mutex::new(7));
        let weak = Arc::downgrade(&value);
        let other = thread::spawn(move || {
            weak.upgrade().expect("the value is gone");
        });
        drop(value);
        other.join().unwrap();
    };
    fails(program, Class::Panic, "the value is gone");
}

#[test]
fn a_count_and_then_an_upgrade_fails() {
    let program = || {
        let value = Arc::new(AtomicU32::new(0));
        let weak = Arc::downgrade(&value);
        let other = thread::spawn(move || drop(value));
        if weak.strong_count() > 0 {
            weak.upgrade().expect("gone since the look");
        }
        other.join().unwrap();
    };
    fails(program, Class::Panic, "gone since the look");
}

#[test]
fn an_upgrade_that_is_kept_holds() {
    holds(|| {
        let value = Arc::new(AtomicU32::new(1));
        let weak = Arc::downgrade(&value);
        let other = thread::spawn(move || {
            if let Some(value) = weak.upgrade() {
                assert_eq!(value.load(SeqCst), 1);
            }
        });
        drop(value);
        other.join().unwrap();
    });
}
