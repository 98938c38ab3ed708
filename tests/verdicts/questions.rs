//! Queries whose answer depends on when they are made: both answers are possible, so a program that
//! relies on either of them fails.

use crate::judged::fails;
use heisenbug::catalogue::Class;
use heisenbug::sync::atomic::{AtomicBool, Ordering::SeqCst};
use heisenbug::sync::{Arc, Mutex, Once, OnceLock, RwLock, mpsc};
use heisenbug::{hint, thread};

/// The program gets both answers.
#[track_caller]
fn gets_both_answers(ask: fn() -> bool) {
    for expected in [true, false] {
        let program = move || {
            let answer = ask();
            assert!(answer == expected, "the other answer");
        };
        fails(program, Class::Assertion, "the other answer");
    }
}

macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident: $ask:expr;)*) => {
        $($(#[$doc])* #[test] fn $name() { gets_both_answers($ask); })*
    };
}

questions! {
    counting_on_an_upgrade_fails: || {
        let pointer = Arc::new(());
        let weak = Arc::downgrade(&pointer);
        let other = thread::spawn(move || drop(pointer));
        let answer = weak.upgrade().is_some();
        other.join().unwrap();
        answer
    };
    counting_on_a_count_fails: || {
        let (mine, other) = dropped_by_another();
        let answer = Arc::strong_count(&mine) == 1;
        other.join().unwrap();
        answer
    };
    counting_on_a_weak_count_fails: || {
        let pointer = Arc::new(());
        let weak = Arc::downgrade(&pointer);
        let other = thread::spawn(move || drop(weak));
        let answer = Arc::weak_count(&pointer) == 0;
        other.join().unwrap();
        answer
    };
    counting_on_being_alone_fails: || {
        let (mut mine, other) = dropped_by_another();
        let answer = Arc::get_mut(&mut mine).is_some();
        other.join().unwrap();
        answer
    };
    counting_on_a_once_fails: || {
        let once = Arc::new(Once::new());
        let other = thread::spawn({
            let once = Arc::clone(&once);
            move || once.call_once(|| {})
        });
        let answer = once.is_completed();
        other.join().unwrap();
        answer
    };
    counting_on_a_once_lock_fails: || {
        let once = Arc::new(OnceLock::new());
        let other = thread::spawn({
            let once = Arc::clone(&once);
            move || once.set(1).unwrap()
        });
        let answer = once.get().is_some();
        other.join().unwrap();
        answer
    };
    counting_on_a_poisoned_lock_fails: || {
        let mutex = Arc::new(Mutex::new(0));
        let other = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || {
                let _held = mutex.lock();
                panic!("on purpose");
            }
        });
        let answer = mutex.is_poisoned();
        assert!(other.join().is_err());
        answer
    };
    counting_on_a_finished_thread_fails: || {
        let other = thread::spawn(|| {});
        let answer = other.is_finished();
        other.join().unwrap();
        answer
    };
    counting_on_a_receiver_fails: || {
        let (to, from) = mpsc::channel();
        let other = thread::spawn(move || drop(from));
        let answer = to.send(1).is_ok();
        other.join().unwrap();
        answer
    };
    counting_on_a_message_fails: || {
        let (to, from) = mpsc::channel();
        let other = thread::spawn(move || to.send(1).unwrap());
        let answer = from.try_recv().is_ok();
        other.join().unwrap();
        answer
    };
    counting_on_a_read_lock_fails: || {
        let lock = Arc::new(RwLock::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.write().unwrap() = 1
        });
        let answer = lock.try_read().is_ok();
        other.join().unwrap();
        answer
    };
    counting_on_a_lock_fails: || {
        let lock = Arc::new(Mutex::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.lock().unwrap() = 1
        });
        let answer = lock.try_lock().is_ok();
        other.join().unwrap();
        answer
    };
    /// Other threads may run, but need not.
    counting_on_a_yield_fails: || stored_by_another(thread::yield_now);
    counting_on_a_spin_hint_fails: || stored_by_another(|| (0..3).for_each(|_| hint::spin_loop()));
}

fn dropped_by_another() -> (Arc<()>, thread::JoinHandle<()>) {
    let mine = Arc::new(());
    let yours = Arc::clone(&mine);
    (mine, thread::spawn(move || drop(yours)))
}

fn stored_by_another(meanwhile: fn()) -> bool {
    let flag = Arc::new(AtomicBool::new(false));
    let other = thread::spawn({
        let flag = Arc::clone(&flag);
        move || flag.store(true, SeqCst)
    });
    meanwhile();
    let seen = flag.load(SeqCst);
    other.join().unwrap();
    seen
}
