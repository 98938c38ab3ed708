//! Threads that wait by polling: the others get their turn, and a loop that gives up does give up.

use crate::judged::{Plain, deadlocks, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::atomic::{
    AtomicBool, AtomicU32, Ordering,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
};
use heisenbug::sync::{Arc, Condvar, Mutex, RwLock, mpsc};
use heisenbug::thread::{self, sleep as nap};
use heisenbug::{Checker, Verdict, hint};
use std::time::Duration;

#[derive(Default)]
struct Shared {
    flag: AtomicBool,
    lock: Mutex<u32>,
    count: AtomicU32,
}

/// Another thread stores a flag; main waits for it in that way.
fn polls(wait: fn(&Shared)) -> impl Fn() + Send + Sync + 'static {
    move || {
        let shared = Arc::new(Shared::default());
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.flag.store(true, SeqCst)
        });
        wait(&shared);
        other.join().unwrap();
    }
}

#[test]
fn polling_a_flag_in_any_manner_holds() {
    holds(polls(|it| while !it.flag.load(SeqCst) {}));
    holds(polls(|it| {
        while !it.flag.load(SeqCst) {
            hint::spin_loop();
        }
    }));
    holds(polls(|it| {
        while !it.flag.load(SeqCst) {
            thread::yield_now();
        }
    }));
    holds(polls(|it| {
        while !it.flag.load(SeqCst) {
            it.count.load(SeqCst);
        }
    }));
}

#[test]
fn polling_with_a_nap_holds() {
    holds(polls(|it| {
        while !it.flag.load(SeqCst) {
            // Takes no time in a check.
            nap(Duration::from_millis(1));
        }
    }));
}

#[test]
fn polling_under_a_lock_holds() {
    holds(|| {
        let value = Arc::new(Mutex::new(0));
        let other = thread::spawn({
            let value = Arc::clone(&value);
            move || *value.lock().unwrap() += 1
        });
        while *value.lock().unwrap() == 0 {
            thread::yield_now();
        }
        other.join().unwrap();
    });
}

#[test]
fn polling_a_channel_holds() {
    holds(|| {
        let (to, from) = mpsc::channel();
        let other = thread::spawn(move || to.send(1).unwrap());
        while from.try_recv().is_err() {}
        other.join().unwrap();
    });
}

#[test]
fn polling_whether_a_thread_has_finished_holds() {
    holds(|| {
        let other = thread::spawn(|| {});
        while !other.is_finished() {}
        other.join().unwrap();
    });
}

#[test]
fn trying_a_lock_until_it_is_free_holds() {
    holds(|| {
        let lock = Arc::new(Mutex::new(0));
        let add = |lock: &Mutex<u32>| loop {
            if let Ok(mut value) = lock.try_lock() {
                *value += 1;
                return;
            }
            thread::yield_now();
        };
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || add(&lock)
        });
        add(&lock);
        other.join().unwrap();
        assert_eq!(*lock.lock().unwrap(), 2);
    });
}

/// It is not a livelock, as the other thread gets its turn. The engine decides how many passes it
/// explores: the program may be too large to explore it all.
#[track_caller]
fn does_not_fail(wait: fn(&Shared)) {
    let report = Checker::new().max_executions(5).check(polls(wait));
    assert_ne!(report.verdict, Verdict::Fails, "{:?}", report.message);
}

#[test]
fn working_while_one_waits_does_not_fail() {
    does_not_fail(|it| {
        while !it.flag.load(SeqCst) {
            it.count.fetch_add(1, SeqCst);
        }
    });
    does_not_fail(|it| {
        while !it.flag.load(SeqCst) {
            *it.lock.lock().unwrap() += 1;
        }
    });
}

#[test]
fn looking_only_under_a_lock_that_was_free_does_not_fail() {
    does_not_fail(|it| {
        loop {
            if let Ok(_held) = it.lock.try_lock()
                && it.flag.load(SeqCst)
            {
                return;
            }
        }
    });
}

/// Waits until a number under a lock is large enough, by looking repeatedly.
fn looks(lock: &Mutex<u32>, wanted: u32) {
    while *lock.lock().unwrap() < wanted {
        hint::spin_loop();
    }
}

#[test]
fn looking_under_a_lock_for_what_never_comes_fails() {
    let livelocks = |others: fn(&Mutex<u32>)| {
        let program = move || {
            let lock = Mutex::new(0);
            thread::scope(|scope| {
                scope.spawn(|| others(&lock));
                looks(&lock, 3);
            });
        };
        fails(program, Class::Livelock, "run forever");
    };
    livelocks(|_| ());
    livelocks(|lock| *lock.lock().unwrap() += 1);
    livelocks(|lock| {
        *lock.lock().unwrap() += 1;
        *lock.lock().unwrap() += 1;
    });
    // Each of them takes the lock after the other one.
    livelocks(|lock| looks(lock, 3));
    livelocks(|lock| looks(lock, 2));
    // Gives up if the lock is taken, even by a thread that only looks.
    livelocks(|lock| {
        if let Ok(mut number) = lock.try_lock() {
            *number = 3;
        }
    });
}

#[test]
fn reading_under_a_lock_what_never_comes_fails() {
    let livelocks = |others: fn(&RwLock<u32>)| {
        let program = move || {
            let lock = RwLock::new(0);
            thread::scope(|scope| {
                scope.spawn(|| others(&lock));
                while *lock.read().unwrap() < 3 {
                    hint::spin_loop();
                }
            });
        };
        fails(program, Class::Livelock, "run forever");
    };
    livelocks(|lock| *lock.write().unwrap() += 1);
    livelocks(|lock| while *lock.read().unwrap() < 3 {});
    livelocks(|lock| while *lock.write().unwrap() < 3 {});
}

#[test]
fn swapping_for_what_never_comes_fails() {
    let livelocks = |others: fn(&AtomicBool, &AtomicU32)| {
        let program = move || {
            let (taken, other) = (AtomicBool::new(true), AtomicU32::new(0));
            thread::scope(|scope| {
                scope.spawn(|| others(&taken, &other));
                while taken.swap(true, AcqRel) {
                    hint::spin_loop();
                }
            });
        };
        fails(program, Class::Livelock, "run forever");
    };
    livelocks(|_, other| other.store(1, SeqCst));
    livelocks(|taken, _| while taken.swap(true, AcqRel) {});
    livelocks(|taken, _| _ = taken.load(SeqCst));
}

#[test]
fn looking_under_a_lock_is_seen_by_others_fails() {
    let busy = |tries: u32| {
        move || {
            let (lock, times) = (Mutex::new(0), AtomicU32::new(0));
            thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..tries {
                        if lock.try_lock().is_err() {
                            times.fetch_add(1, SeqCst);
                        }
                    }
                    *lock.lock().unwrap() = 1;
                });
                looks(&lock, 1);
                assert_ne!(times.load(SeqCst), tries, "busy each time");
            });
        }
    };
    fails(busy(1), Class::Assertion, "busy each time");
    fails(busy(3), Class::Assertion, "busy each time");
}

#[test]
fn several_that_look_under_a_lock_hold() {
    holds(|| {
        let lock = Mutex::new(0);
        thread::scope(|scope| {
            scope.spawn(|| looks(&lock, 1));
            scope.spawn(|| *lock.lock().unwrap() = 1);
            looks(&lock, 1);
        });
    });
}

/// Another thread does some work on the stack of the thread that waits for it.
fn lends(ordering: Ordering) -> impl Fn() + Send + Sync + 'static {
    move || {
        let (result, done) = &(Plain::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                result.set(7);
                done.store(true, Release);
            });
            while !done.load(ordering) {
                hint::spin_loop();
            }
            assert_eq!(result.get(), 7);
        });
    }
}

#[test]
fn waiting_for_what_others_do_on_ones_own_stack_holds() {
    holds(lends(Acquire));
    fails(lends(Relaxed), Class::DataRace, "nothing orders them");
}

#[test]
fn giving_up_after_some_looks_fails() {
    for looks in [3, 20] {
        for pause in [|| {}, hint::spin_loop, thread::yield_now] {
            let program = move || {
                let flag = Arc::new(AtomicBool::new(false));
                let other = thread::spawn({
                    let flag = Arc::clone(&flag);
                    move || flag.store(true, SeqCst)
                });
                let seen = (0..looks).any(|_| {
                    let seen = flag.load(SeqCst);
                    if !seen {
                        pause();
                    }
                    seen
                });
                assert!(seen, "gave up too early");
                other.join().unwrap();
            };
            fails(program, Class::Assertion, "gave up too early");
        }
    }
}

#[test]
fn a_slow_path_that_is_wrong_fails() {
    let program = || {
        let lock = Arc::new(Mutex::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.lock().unwrap() = 1
        });
        let taken = (0..10).any(|_| {
            hint::spin_loop();
            lock.try_lock().is_ok()
        });
        assert!(taken, "it went the slow path");
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "it went the slow path");
}

/// A thread spins for a while and then announces that it sleeps: a hundred looks do not hide that.
#[test]
fn what_comes_after_spinning_is_seen_fails() {
    let program = || {
        let state = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let state = Arc::clone(&state);
            move || {
                let told = state.compare_exchange(0, 2, SeqCst, SeqCst);
                assert_ne!(told, Err(1), "the sleeper is not woken");
            }
        });
        for _ in 0..100 {
            if state.load(SeqCst) == 2 {
                break;
            }
            hint::spin_loop();
        }
        let _ = state.compare_exchange(0, 1, SeqCst, SeqCst);
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "the sleeper is not woken");
}

#[test]
fn waiting_for_a_flag_that_nobody_raises_fails() {
    let program = || {
        let flag = AtomicBool::new(false);
        while !flag.load(Acquire) {
            hint::spin_loop();
        }
    };
    fails(program, Class::Livelock, "");
}

#[test]
fn parking_until_a_flag_is_up_holds() {
    holds(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let (flag, main) = (Arc::clone(&flag), thread::current());
            move || {
                flag.store(true, Release);
                main.unpark();
            }
        });
        while !flag.load(Acquire) {
            thread::park();
        }
        other.join().unwrap();
    });
}

#[test]
fn an_unpark_that_comes_too_late_to_matter_holds() {
    holds(|| {
        let main = thread::current();
        thread::spawn(move || main.unpark()).join().unwrap();
    });
    holds(|| {
        let word = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let (word, main) = (Arc::clone(&word), thread::current());
            move || {
                word.store(1, SeqCst);
                main.unpark();
            }
        });
        word.load(SeqCst);
        other.join().unwrap();
    });
}

#[test]
fn notifying_another_condition_fails() {
    let report = deadlocks(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new(), Condvar::new()));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                *shared.0.lock().unwrap() = true;
                shared.2.notify_one();
            }
        });
        let held = shared.0.lock().unwrap();
        drop(shared.1.wait_while(held, |told| !*told).unwrap());
        other.join().unwrap();
    });
    let call = report
        .counterexample
        .iter()
        .find(|it| it.call == "notify_one");
    assert!(
        call.is_some(),
        "the notification that wakes nobody is shown"
    );
    let shown = heisenbug::explain::report(&report, 100);
    assert!(shown.contains("nobody"), "{shown}");
}

#[test]
fn a_wait_for_a_while_fails_for_whoever_counts_on_it() {
    let program = || {
        let (shared, other) = told_by_another();
        let held = shared.0.lock().unwrap();
        let a_while = Duration::from_millis(5);
        let (told, _) = shared
            .1
            .wait_timeout_while(held, a_while, |told| !*told)
            .unwrap();
        assert!(*told, "the time was up");
        drop(told);
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "the time was up");
}

#[test]
fn a_wait_for_a_while_in_a_loop_holds() {
    holds(|| {
        let (shared, other) = told_by_another();
        let mut told = shared.0.lock().unwrap();
        while !*told {
            let a_while = Duration::from_millis(5);
            told = shared.1.wait_timeout(told, a_while).unwrap().0;
        }
        drop(told);
        other.join().unwrap();
    });
}

type Told = Arc<(Mutex<bool>, Condvar)>;

fn told_by_another() -> (Told, thread::JoinHandle<()>) {
    let shared: Told = Arc::default();
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            *shared.0.lock().unwrap() = true;
            shared.1.notify_one();
        }
    });
    (shared, other)
}

#[test]
fn a_message_awaited_for_a_while_fails_for_whoever_counts_on_it() {
    let program = || {
        let (to, from) = mpsc::channel();
        let other = thread::spawn(move || to.send(1).unwrap());
        let got = from.recv_timeout(Duration::from_secs(1));
        other.join().unwrap();
        assert_eq!(got, Ok(1));
    };
    fails(program, Class::Assertion, "left: Err(Timeout)");
}

/// A failed attempt to take a lock orders nothing.
#[test]
fn what_a_failed_try_was_said_to_order_fails() {
    let plain = || {
        let shared = Arc::new((Mutex::new(()), crate::judged::Plain::new(0)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.1.set(1);
                drop(shared.0.lock().unwrap());
            }
        });
        if shared.0.try_lock().is_err() {
            shared.1.get();
        }
        other.join().unwrap();
    };
    fails(plain, Class::DataRace, "nothing orders them");
    let atomic = || {
        let shared = Arc::new((RwLock::new(()), AtomicU32::new(0)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared
                    .1
                    .store(1, heisenbug::sync::atomic::Ordering::Relaxed);
                drop(shared.0.write().unwrap());
            }
        });
        if shared.0.try_read().is_err() {
            let seen = shared.1.load(heisenbug::sync::atomic::Ordering::Relaxed);
            assert_eq!(seen, 1, "it was there before the lock");
        }
        other.join().unwrap();
    };
    fails(atomic, Class::Assertion, "it was there before the lock");
}

/// Two threads take two locks in opposite orders, and release the first if the second is taken.
fn backs_off(of: &[Mutex<u32>; 2], first: usize, second: usize) {
    loop {
        let held = of[first].lock().unwrap();
        if let Ok(mut other) = of[second].try_lock() {
            *other += *held;
            return;
        }
        drop(held);
        thread::yield_now();
    }
}

#[test]
fn whoever_lets_go_of_a_lock_and_tries_again_gets_both_in_the_end() {
    holds(|| {
        let locks = Arc::new([Mutex::new(1), Mutex::new(1)]);
        let other = thread::spawn({
            let locks = Arc::clone(&locks);
            move || backs_off(&locks, 1, 0)
        });
        backs_off(&locks, 0, 1);
        other.join().unwrap();
    });
}

/// One notification without a change, and one for each of two steps. The wake-up of the first step has taken
/// the waiter's bit, so it must not get lost.
#[test]
fn a_wake_is_not_covered_by_an_older_one_that_it_does_not_know_of() {
    holds(|| {
        let shared = Arc::new((Mutex::new(0_u32), Condvar::new()));
        let for_nothing = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.1.notify_all()
        });
        let in_steps = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for _ in 0..2 {
                    *shared.0.lock().unwrap() += 1;
                    shared.1.notify_all();
                }
            }
        });
        let (count, changed) = &*shared;
        let mut seen = count.lock().unwrap();
        while *seen != 2 {
            seen = changed.wait(seen).unwrap();
        }
        drop(seen);
        for_nothing.join().unwrap();
        in_steps.join().unwrap();
    });
}
