//! What std allows beyond the usual, and what it guarantees.

use crate::judged::{deadlocks, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use heisenbug::sync::{Arc, Barrier, Condvar, Mutex, Once, OnceLock, RwLock, mpsc};
use heisenbug::thread;

#[test]
fn a_wait_without_a_loop_fails() {
    let program = || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                *shared.0.lock().unwrap() = true;
                shared.1.notify_one();
            }
        });
        let mut told = shared.0.lock().unwrap();
        if !*told {
            told = shared.1.wait(told).unwrap();
        }
        assert!(*told, "woken for no reason");
        drop(told);
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "woken for no reason");
}

#[test]
fn a_park_without_a_loop_fails() {
    let program = || {
        let flag = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let (flag, main) = (Arc::clone(&flag), thread::current());
            move || {
                flag.store(true, Release);
                main.unpark();
            }
        });
        thread::park();
        assert!(flag.load(Acquire), "woken for no reason");
        other.join().unwrap();
    };
    let report = fails(program, Class::Assertion, "woken for no reason");
    let shown = heisenbug::explain::report(&report, 100);
    assert!(shown.contains("no reason"), "{shown}");
}

#[test]
fn reading_again_while_a_writer_waits_fails() {
    deadlocks(|| {
        let lock = Arc::new(RwLock::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.write().unwrap() = 1
        });
        let first = lock.read().unwrap();
        let second = lock.read().unwrap();
        assert_eq!(*first, *second);
        drop((first, second));
        other.join().unwrap();
    });
}

/// Two threads wait, one is woken: it may be either, whichever came first.
#[test]
fn counting_on_who_is_woken_fails() {
    let program = || {
        // The number of waiting threads; whether one may go; which one went.
        let shared = Arc::new((Mutex::new((0, false, 0)), Condvar::new(), Condvar::new()));
        let waiter = |name: i32| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut held = shared.0.lock().unwrap();
                held.0 += 1;
                shared.2.notify_one();
                while !held.1 {
                    held = shared.1.wait(held).unwrap();
                }
                if held.2 == 0 {
                    held.2 = name;
                }
            })
        };
        let first = waiter(1);
        let wait_for = |number: i32| {
            let held = shared.0.lock().unwrap();
            shared.2.wait_while(held, |held| held.0 < number).unwrap()
        };
        drop(wait_for(1));
        let second = waiter(2);
        let mut held = wait_for(2);
        held.1 = true;
        drop(held);
        shared.1.notify_one();
        shared.1.notify_one();
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(shared.0.lock().unwrap().2, 1, "the second came first");
    };
    fails(program, Class::Assertion, "the second came first");
}

#[test]
fn waiting_for_time_to_pass_fails() {
    let program = || {
        let value = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let value = Arc::clone(&value);
            move || value.store(1, Relaxed)
        });
        thread::park_timeout(std::time::Duration::from_secs(1));
        assert_eq!(value.load(Relaxed), 1, "time is no order");
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "time is no order");
}

#[test]
fn two_who_send_before_they_receive_fails() {
    deadlocks(|| {
        let (to_other, from_main) = mpsc::sync_channel::<u8>(0);
        let (to_main, from_other) = mpsc::sync_channel::<u8>(0);
        let other = thread::spawn(move || {
            to_main.send(1).unwrap();
            from_main.recv().unwrap()
        });
        to_other.send(1).unwrap();
        from_other.recv().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn what_was_done_before_a_message_is_seen_after_it_holds() {
    holds(|| {
        let (to, from) = mpsc::channel();
        let value = Arc::new(AtomicU32::new(0));
        thread::spawn({
            let value = Arc::clone(&value);
            move || {
                value.store(1, Relaxed);
                to.send(()).unwrap();
            }
        });
        from.recv().unwrap();
        assert_eq!(value.load(Relaxed), 1);
    });
}

/// A sender that finds room does so because a value was received.
#[test]
fn room_in_a_channel_orders_too_holds() {
    holds(|| {
        let (to, from) = mpsc::sync_channel(1);
        let value = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let value = Arc::clone(&value);
            move || {
                value.store(1, Relaxed);
                from.recv().unwrap();
                from.recv().unwrap();
            }
        });
        to.send(1).unwrap();
        to.send(2).unwrap();
        assert_eq!(value.load(Relaxed), 1);
        other.join().unwrap();
    });
}

#[test]
fn all_get_what_one_of_them_made_holds() {
    holds(|| {
        let made = Arc::new(OnceLock::new());
        let other = thread::spawn({
            let made = Arc::clone(&made);
            move || *made.get_or_init(|| 1)
        });
        let mine = *made.get_or_init(|| 2);
        assert_eq!(other.join().unwrap(), mine);
    });
}

#[test]
fn a_once_that_calls_itself_fails() {
    deadlocks(|| {
        let once = Once::new();
        once.call_once(|| once.call_once(|| {}));
    });
}

#[test]
fn a_barrier_has_one_leader_holds() {
    holds(|| {
        let barrier = Arc::new(Barrier::new(2));
        let other = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.wait().is_leader()
        });
        let mine = barrier.wait().is_leader();
        assert_ne!(other.join().unwrap(), mine);
    });
}

#[test]
fn a_panic_with_the_lock_held_is_seen_by_the_next_holds() {
    holds(|| {
        let lock = Arc::new(Mutex::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || {
                let _held = lock.lock().unwrap();
                panic!("on purpose");
            }
        });
        assert!(other.join().is_err());
        assert!(lock.lock().is_err());
    });
}

#[test]
fn a_panic_that_nobody_joins_fails() {
    let program = || {
        thread::spawn(|| panic!("nobody hears this"));
    };
    fails(program, Class::Panic, "nobody hears this");
}

#[test]
fn a_finished_thread_that_is_asked_too_early_fails() {
    let program = || {
        let value = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let value = Arc::clone(&value);
            move || value.store(1, SeqCst)
        });
        assert!(other.is_finished(), "not yet");
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "not yet");
}

/// A value that keeps its own channel alive as long as it is in there.
struct Kept {
    _owner: Arc<()>,
    _own: Box<dyn Send>,
}

/// Main drops a receiver while another thread sends a value that must not stay in the channel.
fn sends_to_who_goes<S, R>(
    channel: fn() -> (S, R),
    send: fn(S, Kept),
) -> impl Fn() + Send + Sync + 'static
where
    S: Clone + Send + 'static,
    R: 'static,
{
    move || {
        let owner = Arc::new(());
        let (to, from) = channel();
        let kept = Kept {
            _owner: Arc::clone(&owner),
            _own: Box::new(to.clone()),
        };
        let other = thread::spawn(move || send(to, kept));
        drop(from);
        other.join().unwrap();
        assert_eq!(Arc::strong_count(&owner), 1, "it is still in the channel");
    }
}

/// A value sent while the receiver is dropped comes back, or is dropped with it.
#[test]
fn a_value_sent_to_a_receiver_that_goes_is_dropped_holds() {
    holds(sends_to_who_goes(mpsc::channel, |to, kept| {
        drop(to.send(kept));
    }));
    let one = || mpsc::sync_channel(1);
    holds(sends_to_who_goes(one, |to, kept| drop(to.send(kept))));
    holds(sends_to_who_goes(one, |to, kept| drop(to.try_send(kept))));
}

#[test]
fn a_value_sent_to_a_receiver_that_is_forgotten_fails() {
    let program = sends_to_who_goes(
        || {
            let (to, from) = mpsc::channel();
            (to, std::mem::ManuallyDrop::new(from))
        },
        |to, kept| drop(to.send(kept)),
    );
    fails(program, Class::Assertion, "it is still in the channel");
}
