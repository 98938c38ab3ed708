//! The guarantees of the names of parking_lot and crossbeam, and of a future that is run to completion.

use crate::judged::{Plain, deadlocks, fails, holds};
use crate::{A_WHILE, both};
use heisenbug::catalogue::Class;
use heisenbug::crossbeam::channel::{self, RecvTimeoutError, TryRecvError, TrySendError};
use heisenbug::crossbeam::sync::Parker;
use heisenbug::crossbeam::utils::Backoff;
use heisenbug::future::block_on;
use heisenbug::parking_lot::{
    Condvar, Mutex, MutexGuard, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed, Ordering::SeqCst};
use heisenbug::{crossbeam, thread};
use std::future::poll_fn;
use std::task::{Poll, Waker};

#[test]
fn a_mutex_without_poison_excludes_holds() {
    holds(|| {
        let shared = both((Mutex::new(()), Plain::new(0)), |(lock, count)| {
            let _held = lock.lock();
            count.set(count.get() + 1);
        });
        assert_eq!(shared.1.get(), 2);
    });
}

#[test]
fn writing_beside_a_mutex_without_poison_fails() {
    let program = || {
        both((Mutex::new(()), Plain::new(0)), |(lock, count)| {
            drop(lock.lock());
            count.set(1);
        });
    };
    fails(program, Class::DataRace, "");
}

/// A panic releases the lock, and the next thread sees what was done.
#[test]
fn a_panic_leaves_no_poison_holds() {
    holds(|| {
        let lock = Arc::new((Mutex::new(0), RwLock::new(0)));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || {
                let mut first = lock.0.lock();
                let mut second = lock.1.write();
                (*first, *second) = (1, 1);
                std::panic::resume_unwind(Box::new("on purpose"));
            }
        });
        assert!(other.join().is_err());
        assert_eq!((*lock.0.lock(), *lock.1.read()), (1, 1));
    });
}

#[test]
fn letting_others_in_for_a_moment_fails_for_whoever_counts_on_the_old_value() {
    let program = || {
        both(Mutex::new(0), |lock| {
            let mut held = lock.lock();
            let before = *held;
            MutexGuard::bump(&mut held);
            assert_eq!(*held, before, "somebody was here");
            *held += 1;
        });
    };
    fails(program, Class::Assertion, "somebody was here");
}

#[test]
fn upgraders_exclude_each_other_and_see_the_newest_holds() {
    holds(|| {
        let lock = both(RwLock::new(0), |lock| {
            let held = lock.upgradable_read();
            let seen = *held;
            let mut held = RwLockUpgradableReadGuard::upgrade(held);
            assert_eq!(*held, seen, "nobody wrote in between");
            *held += 1;
        });
        assert_eq!(*lock.read(), 2);
    });
}

#[test]
fn an_upgrade_meets_no_writer_holds() {
    holds(|| {
        let lock = Arc::new(RwLock::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.write() += 1
        });
        let held = lock.upgradable_read();
        let seen = *held;
        let mut held = RwLockUpgradableReadGuard::upgrade(held);
        assert_eq!(*held, seen);
        *held += 1;
        drop(held);
        other.join().unwrap();
        assert_eq!(*lock.read(), 2);
    });
}

#[test]
fn an_upgradable_reader_lets_readers_in_holds() {
    holds(|| {
        let lock = Arc::new(RwLock::new(0));
        let held = lock.upgradable_read();
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || assert_eq!(*lock.read(), 0)
        });
        other.join().unwrap();
        drop(held);
    });
}

#[test]
fn two_readers_who_both_mean_to_write_fail() {
    let program = || {
        both(RwLock::new(0), |lock| {
            let held = lock.read();
            drop(lock.write());
            drop(held);
        });
    };
    fails(program, Class::Deadlock, "");
}

#[test]
fn an_upgrade_that_is_only_tried_fails_while_somebody_reads() {
    let program = || {
        let lock = Arc::new(RwLock::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.read()
        });
        let upgraded = RwLockUpgradableReadGuard::try_upgrade(lock.upgradable_read());
        assert!(upgraded.is_ok(), "somebody reads");
        drop(upgraded);
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "somebody reads");
}

#[test]
fn a_downgrade_keeps_writers_out_holds() {
    holds(|| {
        let lock = both(RwLock::new(0), |lock| {
            let mut held = lock.write();
            *held += 1;
            let mine = *held;
            let held = RwLockWriteGuard::downgrade(held);
            assert_eq!(*held, mine, "nobody wrote in between");
        });
        assert_eq!(*lock.read(), 2);
    });
}

#[test]
fn letting_go_instead_of_a_downgrade_fails() {
    let program = || {
        both(RwLock::new(0), |lock| {
            let mut held = lock.write();
            *held += 1;
            let mine = *held;
            drop(held);
            assert_eq!(*lock.read(), mine, "somebody wrote in between");
        });
    };
    fails(program, Class::Assertion, "somebody wrote in between");
}

/// Main waits in that way for what another thread does under the lock before it notifies.
fn told(wait: fn(&Condvar, &mut MutexGuard<'_, bool>)) -> impl Fn() + Send + Sync + 'static {
    move || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                *shared.0.lock() = true;
                shared.1.notify_one();
            }
        });
        let mut told = shared.0.lock();
        wait(&shared.1, &mut told);
        assert!(*told, "nobody told it");
        drop(told);
        other.join().unwrap();
    }
}

/// parking_lot promises that there are no spurious wake-ups.
#[test]
fn one_look_before_a_wait_is_enough_without_spurious_wakes_holds() {
    holds(told(|changed, told| {
        if !**told {
            changed.wait(told);
        }
    }));
    holds(told(|changed, told| {
        changed.wait_while(told, |told| !*told)
    }));
}

#[test]
fn a_wait_without_a_look_fails() {
    deadlocks(told(|changed, told| changed.wait(told)));
}

/// A wake-up is not spurious, but another thread may have been quicker.
#[test]
fn a_wait_without_a_loop_fails_if_two_are_woken_for_one() {
    let program = || {
        let shared = Arc::new((Mutex::new(0_u32), Condvar::new()));
        let takers = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut there = shared.0.lock();
                if *there == 0 {
                    shared.1.wait(&mut there);
                }
                *there = there.checked_sub(1).expect("there is one");
            })
        });
        for _ in 0..2 {
            *shared.0.lock() += 1;
            shared.1.notify_all();
        }
        for taker in takers {
            taker.join().unwrap();
        }
    };
    fails(program, Class::Panic, "there is one");
}

#[test]
fn a_wait_for_a_while_without_a_loop_fails() {
    let program = told(|changed, told| {
        if !**told {
            changed.wait_for(told, A_WHILE);
        }
    });
    fails(program, Class::Assertion, "nobody told it");
}

#[test]
fn a_wait_for_a_while_that_looks_again_holds() {
    holds(told(|changed, told| {
        while !**told {
            changed.wait_for(told, A_WHILE);
        }
    }));
    holds(told(|changed, told| {
        let waited = changed.wait_while_for(told, |told| !*told, A_WHILE);
        assert!(**told || waited.timed_out());
        **told = true;
    }));
}

/// The time may be up and the condition met: parking_lot does not check it again.
#[test]
fn taking_a_time_out_for_a_condition_that_is_not_met_fails() {
    let program = told(|changed, told| {
        let waited = changed.wait_while_for(told, |told| !*told, A_WHILE);
        assert_eq!(waited.timed_out(), !**told, "it was met after all");
        **told = true;
    });
    fails(program, Class::Assertion, "it was met after all");
}

#[test]
fn whoever_wakes_knows_how_many_holds() {
    holds(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        assert!(!shared.1.notify_one() && shared.1.notify_all() == 0);
        let waiters = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut waiting = shared.0.lock();
                *waiting += 1;
                shared.1.wait(&mut waiting);
            })
        });
        let mut woken = 0;
        while woken < 2 {
            let waiting = *shared.0.lock();
            let now = shared.1.notify_all();
            assert!(now + woken >= waiting, "who has said so waits");
            woken += now;
        }
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}

#[test]
fn counting_on_being_awaited_fails() {
    let program = told(|changed, told| {
        if !**told {
            changed.wait(told);
        }
        assert!(changed.notify_one(), "nobody waits");
    });
    fails(program, Class::Assertion, "nobody waits");
}

/// A rendezvous also orders what the receiver did before it received.
#[test]
fn a_rendezvous_waits_for_its_receiver_holds() {
    holds(|| {
        let (to, from) = channel::bounded(0);
        let ready = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let ready = Arc::clone(&ready);
            move || {
                ready.store(true, Relaxed);
                from.recv()
            }
        });
        to.send(1).unwrap();
        assert!(ready.load(Relaxed));
        assert_eq!(other.join().unwrap(), Ok(1));
    });
}

#[test]
fn a_rendezvous_with_nobody_fails() {
    deadlocks(|| {
        let (to, _from) = channel::bounded(0);
        to.send(1).unwrap();
    });
}

#[test]
fn a_channel_of_one_keeps_the_order_holds() {
    holds(|| {
        let (to, from) = channel::bounded(1);
        let other = thread::spawn(move || (1..=2).for_each(|value| to.send(value).unwrap()));
        assert_eq!(from.iter().collect::<Vec<_>>(), [1, 2]);
        other.join().unwrap();
    });
}

#[test]
fn a_channel_of_one_is_full_with_one_holds() {
    holds(|| {
        let (to, from) = channel::bounded(1);
        assert_eq!(to.try_send(1), Ok(()));
        assert_eq!(to.try_send(2), Err(TrySendError::Full(2)));
        assert_eq!(from.try_recv(), Ok(1));
        assert_eq!(from.try_recv(), Err(TryRecvError::Empty));
    });
}

/// The order of two senders is open, and each value goes to one receiver.
#[test]
fn a_channel_without_a_bound_loses_and_doubles_nothing_holds() {
    holds(|| {
        let (to, from) = channel::unbounded();
        let senders = [1, 2].map(|value| {
            let to = to.clone();
            thread::spawn(move || to.send(value).unwrap())
        });
        let other = from.clone();
        let receiver = thread::spawn(move || other.recv().unwrap());
        let sum = from.recv().unwrap() + receiver.join().unwrap();
        assert_eq!(sum, 3);
        for sender in senders {
            sender.join().unwrap();
        }
    });
}

#[test]
fn the_order_of_two_senders_is_left_open_fails() {
    let program = || {
        let (to, from) = channel::unbounded();
        let senders = [1, 2].map(|value| {
            let to = to.clone();
            thread::spawn(move || to.send(value).unwrap())
        });
        assert_eq!(from.recv(), Ok(1));
        for sender in senders {
            sender.join().unwrap();
        }
    };
    fails(program, Class::Assertion, "left: Ok(2)");
}

#[test]
fn what_was_sent_brings_along_what_came_before_holds() {
    holds(|| {
        let (to, from) = channel::unbounded();
        let data = Arc::new(Plain::new(0));
        let other = thread::spawn({
            let data = Arc::clone(&data);
            move || {
                data.set(1);
                to.send(()).unwrap();
            }
        });
        from.recv().unwrap();
        assert_eq!(data.get(), 1);
        other.join().unwrap();
    });
}

#[test]
fn a_channel_ends_with_its_last_sender_and_its_last_receiver_holds() {
    holds(|| {
        let (to, from) = channel::unbounded();
        let other = thread::spawn(move || to.send(1).unwrap());
        assert_eq!(from.recv(), Ok(1));
        assert!(from.recv().is_err(), "all senders are gone");
        other.join().unwrap();
    });
    holds(|| {
        let (to, from) = channel::bounded(0);
        let other = thread::spawn(move || drop(from));
        assert!(to.send(1).is_err(), "all receivers are gone");
        other.join().unwrap();
    });
}

#[test]
fn a_sender_that_is_kept_fails_for_whoever_waits_for_the_end() {
    deadlocks(|| {
        let (to, from) = channel::unbounded();
        to.send(1).unwrap();
        from.iter().count()
    });
}

#[test]
fn a_value_awaited_for_a_while_fails_for_whoever_counts_on_it() {
    let program = || {
        let (to, from) = channel::bounded(1);
        let other = thread::spawn(move || to.send(1).unwrap());
        let got = from.recv_timeout(A_WHILE);
        other.join().unwrap();
        assert_ne!(got, Err(RecvTimeoutError::Timeout), "the time was up");
        assert_eq!(got, Ok(1));
    };
    fails(program, Class::Assertion, "the time was up");
}

#[test]
fn an_unpark_before_the_park_is_kept_holds() {
    holds(|| {
        let parker = Parker::new();
        let unparker = parker.unparker().clone();
        let data = Arc::new(Plain::new(0));
        let other = thread::spawn({
            let data = Arc::clone(&data);
            move || {
                data.set(1);
                unparker.unpark();
            }
        });
        parker.park();
        assert_eq!(data.get(), 1);
        other.join().unwrap();
    });
}

#[test]
fn two_unparks_are_one_fails() {
    deadlocks(|| {
        let parker = Parker::new();
        parker.unparker().unpark();
        parker.unparker().unpark();
        parker.park();
        parker.park();
    });
}

/// Another thread raises a flag; main waits for it in that way.
fn raised(wait: fn(&AtomicBool)) -> impl Fn() + Send + Sync + 'static {
    move || {
        let flag = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || flag.store(true, SeqCst)
        });
        wait(&flag);
        assert!(flag.load(SeqCst), "gave up");
        other.join().unwrap();
    }
}

#[test]
fn backing_off_until_a_flag_is_up_holds() {
    holds(raised(|flag| {
        let backoff = Backoff::new();
        while !flag.load(SeqCst) {
            backoff.spin();
        }
    }));
    holds(raised(|flag| {
        let backoff = Backoff::new();
        while !flag.load(SeqCst) {
            backoff.snooze();
        }
    }));
}

#[test]
fn backing_off_until_it_is_time_to_block_fails_for_whoever_does_not_block() {
    let program = raised(|flag| {
        let backoff = Backoff::new();
        while !flag.load(SeqCst) && !backoff.is_completed() {
            backoff.snooze();
        }
    });
    fails(program, Class::Assertion, "gave up");
}

/// Only snoozing counts towards the time to block.
#[test]
fn spinning_alone_is_never_completed_holds() {
    holds(raised(|flag| {
        let backoff = Backoff::new();
        while !flag.load(SeqCst) && !backoff.is_completed() {
            backoff.spin();
        }
    }));
}

#[test]
fn scoped_threads_are_joined_and_may_borrow_holds() {
    holds(|| {
        let (count, data) = (AtomicU32::new(0), Plain::new(0));
        crossbeam::scope(|scope| {
            scope.spawn(|scope| {
                data.set(1);
                scope.spawn(|_| count.fetch_add(1, Relaxed));
            });
            scope.spawn(|_| count.fetch_add(1, Relaxed));
        })
        .unwrap();
        assert_eq!((count.load(Relaxed), data.get()), (2, 1));
    });
}

/// A panic of a thread in the scope is returned as an error; the result of the scope itself is kept.
#[test]
fn a_panic_in_a_scope_is_told_by_whose_it_is_holds() {
    holds(|| {
        let result = crossbeam::scope(|scope| {
            scope.spawn(|_| std::panic::resume_unwind(Box::new("on purpose")));
        });
        assert!(result.is_err());
    });
    let program = || crossbeam::scope(|_| panic!("the scope's own")).is_ok();
    fails(program, Class::Panic, "the scope's own");
}

/// A signal that a future waits for.
#[derive(Default)]
struct Signal {
    given: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Signal {
    fn give(&self) {
        self.given.store(true, SeqCst);
        if let Some(waker) = self.waker.lock().take() {
            waker.wake();
        }
    }

    fn is_given(&self) -> Poll<()> {
        if self.given.load(SeqCst) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Main runs a future that checks in that way for another thread's signal.
fn signalled(look: fn(&Signal, &Waker) -> Poll<()>) -> impl Fn() + Send + Sync + 'static {
    move || {
        let signal = Arc::new(Signal::default());
        let other = thread::spawn({
            let signal = Arc::clone(&signal);
            move || signal.give()
        });
        block_on(poll_fn(|context| look(&signal, context.waker())));
        other.join().unwrap();
    }
}

#[test]
fn a_future_woken_by_another_thread_ends_holds() {
    holds(signalled(|signal, waker| {
        *signal.waker.lock() = Some(waker.clone());
        signal.is_given()
    }));
}

/// The signal may come after the check and before the waker is registered.
#[test]
fn a_waker_left_after_the_look_fails() {
    deadlocks(signalled(|signal, waker| {
        let given = signal.is_given();
        *signal.waker.lock() = Some(waker.clone());
        given
    }));
}

#[test]
fn a_future_that_leaves_no_waker_fails() {
    deadlocks(signalled(|signal, _| signal.is_given()));
}
