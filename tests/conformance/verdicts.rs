//! The checker's verdicts on programs that do not hold, and on those it cannot judge.

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use heisenbug::catalogue::Class;
use heisenbug::cell::UnsafeCell;
use heisenbug::check::{Checker, Engine, Engines, Report, Verdict, check};
use heisenbug::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use heisenbug::sync::mpsc::{channel, sync_channel};
use heisenbug::sync::{Arc, Barrier, Condvar, Futex, Mutex, Once, PoisonError, RwLock};
use heisenbug::thread::JoinHandle;
use heisenbug::trace::one_line;
use heisenbug::{hint, thread};
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// The two memory models.
const BOTH_MODELS: [Engines; 2] = [Engines::Sc, Engines::Weak];

fn check_with(engines: Engines, program: fn()) -> Report {
    Checker::new().engines(engines).check(program)
}

/// The program fails under either memory model.
fn fails(program: fn(), class: Class, message: &str) {
    for engines in BOTH_MODELS {
        let report = check_with(engines, program);
        assert_eq!(report.verdict, Verdict::Fails, "{engines:?}");
        assert_eq!(
            report.class,
            Some(class),
            "{engines:?}: {:?}",
            report.message
        );
        let said = one_line(&report.message.unwrap_or_default());
        assert!(said.contains(message), "{engines:?}: {said}");
    }
}

/// The program deadlocks under either memory model, with these actors stuck in these calls.
fn deadlocks(program: fn(), stuck: &[(&str, &str)]) {
    fails(program, Class::Deadlock, "every thread that is left waits");
    for engines in BOTH_MODELS {
        let report = check_with(engines, program);
        assert_eq!(report.outcome.as_deref(), Some("deadlock"));
        let blocked = report.blocked.iter().map(|b| (&*b.actor, &*b.call));
        assert_eq!(blocked.collect::<Vec<_>>(), stuck, "{engines:?}");
    }
}

fn holds(program: fn()) {
    let report = check(program);
    assert!(
        report.holds() && report.complete,
        "{:?} {:?}",
        report.message,
        report.stopped
    );
}

// ---- deadlocks --------------------------------------------------------------------------------

#[test]
fn a_futex_that_nobody_wakes_is_a_deadlock() {
    deadlocks(
        || {
            let word = Arc::new(Futex::new(0));
            let sleeper = thread::spawn({
                let word = Arc::clone(&word);
                move || word.wait(0)
            });
            // Not followed by a wake-up: a thread that fell asleep before it is not woken.
            word.store(1, Release);
            sleeper.join().unwrap();
        },
        &[("main", "join"), ("thread 1", "wait")],
    );
}

#[test]
fn two_locks_in_two_orders_deadlock() {
    let program = || {
        let a = Arc::new(Mutex::new(()));
        let b = Arc::new(Mutex::new(()));
        let other = thread::spawn({
            let (a, b) = (Arc::clone(&a), Arc::clone(&b));
            move || {
                let _b = b.lock().unwrap();
                let _a = a.lock().unwrap();
            }
        });
        {
            let _a = a.lock().unwrap();
            let _b = b.lock().unwrap();
        }
        other.join().unwrap();
    };
    deadlocks(program, &[("main", "lock"), ("thread 1", "lock")]);
    let report = check(program);
    let held_by: Vec<_> = report.blocked.iter().map(|b| b.held_by.concat()).collect();
    assert_eq!(held_by, ["thread 1", "main"]);
    let outcomes: Vec<_> = report.outcomes.iter().map(|o| &*o.label).collect();
    assert_eq!(
        outcomes,
        ["completes", "deadlock"],
        "the search goes on after a deadlock"
    );
}

#[test]
fn a_thread_that_waits_for_itself_deadlocks() {
    let twice = || {
        let mutex = Mutex::new(());
        let _first = mutex.lock().unwrap();
        let _second = mutex.lock().unwrap();
    };
    deadlocks(twice, &[("main", "lock")]);
    let upgrade = || {
        let lock = RwLock::new(());
        let _read = lock.read().unwrap();
        let _write = lock.write().unwrap();
    };
    deadlocks(upgrade, &[("main", "write")]);
    let downgrade = || {
        let lock = RwLock::new(());
        let _write = lock.write().unwrap();
        let _read = lock.read().unwrap();
    };
    deadlocks(downgrade, &[("main", "read")]);
    let again = || {
        let once = Once::new();
        once.call_once(|| once.call_once(|| {}));
    };
    deadlocks(again, &[("main", "call_once")]);
}

#[test]
fn a_wait_that_nobody_ends_deadlocks() {
    let condvar = || {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        drop(condvar.wait(mutex.lock().unwrap()));
    };
    deadlocks(condvar, &[("main", "wait")]);
    let barrier = || {
        Barrier::new(2).wait();
    };
    deadlocks(barrier, &[("main", "wait")]);
    deadlocks(thread::park, &[("main", "park")]);
    let parked_in_a_loop = || {
        let never = AtomicBool::new(false);
        while !never.load(Acquire) {
            thread::park();
        }
    };
    deadlocks(parked_in_a_loop, &[("main", "park")]);
}

#[test]
fn join_of_a_thread_that_is_stuck_deadlocks() {
    let program = || {
        let stuck = thread::spawn(|| {
            let (mutex, condvar) = (Mutex::new(()), Condvar::new());
            drop(condvar.wait(mutex.lock().unwrap()));
        });
        stuck.join().unwrap();
    };
    deadlocks(program, &[("main", "join"), ("thread 1", "wait")]);
}

#[test]
fn a_thread_that_is_stuck_deadlocks_even_if_nobody_joins_it() {
    let program = || {
        thread::spawn(|| {
            let mutex = Mutex::new(());
            let _first = mutex.lock().unwrap();
            let _second = mutex.lock().unwrap();
        });
    };
    deadlocks(program, &[("thread 1", "lock")]);
}

#[test]
fn a_lock_whose_holder_is_stuck_deadlocks() {
    fn holder_does(wait: fn()) {
        let mutex = Arc::new(Mutex::new(()));
        let guard = mutex.lock().unwrap();
        let other = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || drop(mutex.lock())
        });
        wait();
        drop(guard);
        other.join().unwrap();
    }
    deadlocks(
        || holder_does(thread::park),
        &[("main", "park"), ("thread 1", "lock")],
    );
    deadlocks(
        || holder_does(|| _ = Barrier::new(2).wait()),
        &[("main", "wait"), ("thread 1", "lock")],
    );
    let joins = || {
        let lock = Arc::new(RwLock::new(()));
        let guard = lock.read().unwrap();
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || drop(lock.write())
        });
        other.join().unwrap();
        drop(guard);
    };
    deadlocks(joins, &[("main", "join"), ("thread 1", "write")]);
}

#[test]
fn a_lock_whose_holder_has_ended_deadlocks() {
    let child_leaks = || {
        let mutex = Arc::new(Mutex::new(()));
        let child = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || forget(mutex.lock().unwrap())
        });
        child.join().unwrap();
        drop(mutex.lock());
    };
    deadlocks(child_leaks, &[("main", "lock")]);
    let main_leaks = || {
        let lock = Arc::new(RwLock::new(()));
        thread::spawn({
            let lock = Arc::clone(&lock);
            move || drop(lock.write())
        });
        forget(lock.read().unwrap());
    };
    deadlocks(main_leaks, &[("thread 1", "write")]);
}

/// A thread whose handle is gone drops its result, which takes a lock that is never released.
#[test]
fn a_lock_that_a_result_keeps_deadlocks() {
    struct Keeps(Arc<Mutex<()>>);
    impl Drop for Keeps {
        fn drop(&mut self) {
            if let Ok(guard) = self.0.try_lock() {
                forget(guard);
            }
        }
    }
    let program = || {
        let mutex = Arc::new(Mutex::new(()));
        let keeps = Keeps(Arc::clone(&mutex));
        drop(thread::spawn(move || keeps));
        drop(mutex.lock());
    };
    let report = check_with(Engines::Sc, program);
    assert_eq!(report.class, Some(Class::Deadlock));
    assert!(report.complete);
}

#[test]
fn threads_that_wait_for_each_other_deadlock() {
    let program = || {
        let handles = Arc::new([Mutex::new(None), Mutex::new(None)]);
        for mine in 0..2 {
            let theirs = Arc::clone(&handles);
            let handle = thread::spawn(move || {
                let other: Option<JoinHandle<()>> = theirs[1 - mine].lock().unwrap().take();
                if let Some(other) = other {
                    other.join().unwrap();
                }
            });
            *handles[mine].lock().unwrap() = Some(handle);
        }
    };
    deadlocks(program, &[("thread 1", "join"), ("thread 2", "join")]);
}

/// More threads than there can be at once, one after another.
#[test]
fn the_last_of_very_many_threads_waits_for_itself_and_deadlocks() {
    let report = Checker::new().max_executions(1).check(|| {
        for _ in 1..256 {
            thread::spawn(|| {}).join().unwrap();
        }
        // Not the model's mutex: the join must be the only thing that waits.
        let handle = Arc::new(std::sync::Mutex::new(None::<JoinHandle<()>>));
        let mine = Arc::clone(&handle);
        let last = thread::spawn(move || {
            let handle = mine.lock().unwrap().take();
            handle.unwrap().join().unwrap();
        });
        *handle.lock().unwrap() = Some(last);
    });
    assert_eq!(report.class, Some(Class::Deadlock), "{:?}", report.message);
}

/// The first wait that cannot end is in a destructor, in a thread that panics.
#[test]
fn a_thread_that_waits_for_itself_while_it_panics_deadlocks() {
    let report = check_with(Engines::Sc, || {
        let noisy = Noisy::new();
        thread::spawn(move || {
            let _guard = noisy.mutex.lock().unwrap();
            let _again = noisy.clone();
            panic!("with a destructor that locks");
        });
    });
    assert_eq!(report.verdict, Verdict::Fails);
    let blocked = report.blocked.iter().map(|b| (&*b.actor, &*b.call));
    assert_eq!(blocked.collect::<Vec<_>>(), [("thread 1", "lock")]);
}

#[test]
fn reading_again_while_a_writer_waits_deadlocks() {
    let program = || {
        let lock = Arc::new(RwLock::new(0));
        let writer = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.write().unwrap() += 1
        });
        {
            let _outer = lock.read().unwrap();
            let _inner = lock.read().unwrap();
        }
        writer.join().unwrap();
    };
    deadlocks(program, &[("main", "read"), ("thread 1", "write")]);
}

#[test]
fn receiving_from_oneself_deadlocks() {
    let empty = || {
        let (sender, receiver) = channel::<u8>();
        let _ = receiver.recv();
        drop(sender);
    };
    deadlocks(empty, &[("main", "recv")]);
    let full = || {
        let (sender, receiver) = sync_channel(1);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(receiver);
    };
    deadlocks(full, &[("main", "send")]);
}

#[test]
fn an_unpark_before_the_condition_is_set_loses_the_wakeup() {
    let program = || {
        let ready = Arc::new(AtomicBool::new(false));
        let sleeper = thread::spawn({
            let ready = Arc::clone(&ready);
            move || {
                while !ready.load(Acquire) {
                    thread::park();
                }
            }
        });
        sleeper.thread().unpark();
        ready.store(true, Release);
        sleeper.join().unwrap();
    };
    deadlocks(program, &[("main", "join"), ("thread 1", "park")]);
}

// ---- data races -------------------------------------------------------------------------------

struct Shared(UnsafeCell<u32>);

// SAFETY: false on purpose in the tests that must fail; the checker sees every access.
unsafe impl Sync for Shared {}

impl Shared {
    fn add_one(&self) {
        // SAFETY: false on purpose, as above. All threads of a model run on one OS thread.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }

    fn get(&self) -> u32 {
        // SAFETY: as above.
        self.0.with(|value| unsafe { *value })
    }
}

fn races(program: fn()) {
    let report = check(program);
    assert_eq!(report.verdict, Verdict::Fails);
    assert_eq!(report.class, Some(Class::DataRace), "{:?}", report.message);
    assert_eq!(report.outcome.as_deref(), Some("data race"));
    assert!(report.clash.is_some(), "the two accesses are named");
}

#[test]
fn unordered_accesses_to_plain_data_race() {
    races(|| {
        let shared = Arc::new(Shared(UnsafeCell::new(0)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.add_one()
        });
        shared.get();
        other.join().unwrap();
    });
    holds(|| {
        let shared = Arc::new(Shared(UnsafeCell::new(0)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.get()
        });
        assert_eq!(shared.get(), other.join().unwrap());
    });
}

#[test]
fn a_data_race_is_a_failure_even_if_its_panic_is_caught() {
    races(|| {
        let shared = Arc::new(Shared(UnsafeCell::new(0)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.add_one()
        });
        let _ = catch_unwind(AssertUnwindSafe(|| shared.get()));
        let _ = other.join();
    });
}

/// Two threads add one under a spin lock, taken and released with these orderings.
fn spin_lock(take: Ordering, release: Ordering) {
    let shared = Arc::new((AtomicBool::new(false), Shared(UnsafeCell::new(0))));
    let part = move |(locked, data): &(AtomicBool, Shared)| {
        while locked.swap(true, take) {
            hint::spin_loop();
        }
        data.add_one();
        locked.store(false, release);
    };
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || part(&shared)
    });
    part(&shared);
    other.join().unwrap();
}

#[test]
fn a_spin_lock_needs_acquire_and_release() {
    holds(|| spin_lock(Acquire, Release));
    races(|| spin_lock(Acquire, Relaxed));
    races(|| spin_lock(Relaxed, Release));
}

#[test]
fn a_spin_lock_may_be_taken_with_acq_rel() {
    holds(|| spin_lock(AcqRel, Release));
}

// ---- leaks and livelocks ----------------------------------------------------------------------

#[test]
fn a_cycle_of_arcs_leaks() {
    struct Node(Mutex<Option<Arc<Node>>>);
    fails(
        || {
            let node = Arc::new(Node(Mutex::new(None)));
            *node.0.lock().unwrap() = Some(Arc::clone(&node));
        },
        Class::Leak,
        "never freed: node",
    );
    fails(|| std::mem::forget(Arc::new(1)), Class::Leak, "never freed");
    // A thread that is not joined drops its pointer when it ends.
    holds(|| {
        let value = Arc::new(1);
        thread::spawn(move || drop(value));
    });
}

/// Each pass changes something, so it is not known whether a later pass would succeed.
#[test]
fn two_threads_that_always_yield_to_each_other_hold_with_a_bound_on_their_passes() {
    let report = check(|| {
        let wants = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let enter = |wants: &[AtomicBool; 2], me: usize| loop {
            wants[me].store(true, Release);
            if !wants[1 - me].load(Acquire) {
                break;
            }
            wants[me].store(false, Release);
            thread::yield_now();
        };
        let other = thread::spawn({
            let wants = Arc::clone(&wants);
            move || enter(&wants, 1)
        });
        enter(&wants, 0);
        other.join().unwrap();
    });
    assert_eq!(report.verdict, Verdict::Bounded, "{report}");
}

#[test]
fn a_flag_that_nobody_sets_is_a_livelock() {
    fails(
        || {
            let never = AtomicBool::new(false);
            while !never.load(Acquire) {}
        },
        Class::Livelock,
        "forever",
    );
    // Even if main does not wait for the thread that spins.
    fails(
        || {
            thread::spawn(|| {
                loop {
                    thread::yield_now();
                }
            });
        },
        Class::Livelock,
        "forever",
    );
}

// ---- assertions and panics --------------------------------------------------------------------

/// `set` is seen or not, depending on the schedule.
fn seen_set() -> u32 {
    let set = Arc::new(AtomicU32::new(0));
    let other = thread::spawn({
        let set = Arc::clone(&set);
        move || set.store(1, Relaxed)
    });
    let seen = set.load(Relaxed);
    other.join().unwrap();
    seen
}

#[test]
fn a_failed_assertion_is_told_from_other_panics() {
    fails(
        || assert_eq!(seen_set(), 0),
        Class::Assertion,
        "left: 1 right: 0",
    );
    fails(
        || assert!(seen_set() == 0),
        Class::Assertion,
        "assertion failed: seen_set() == 0",
    );
    fails(
        || assert_ne!(seen_set(), 1, "why"),
        Class::Assertion,
        "failed: why left: 1",
    );
    let out_of_bounds = || {
        let _ = ["only one"][seen_set() as usize];
    };
    fails(
        out_of_bounds,
        Class::Panic,
        "index out of bounds: the len is 1 but the index is 1",
    );
    fails(
        || {
            (seen_set() == 0).then_some(()).expect("an option");
        },
        Class::Panic,
        "an option",
    );
    fails(
        || std::panic::panic_any(1_u8),
        Class::Panic,
        "a panic without a message",
    );
    // Messages of the program's own are passed on.
    fails(
        || panic!("deadlock, or a data race: who knows"),
        Class::Panic,
        "deadlock, or a data race",
    );
    // An `assert!` with its own message does not say that it is one. The source does.
    fails(
        || assert!(seen_set() == 0, "own words"),
        Class::Assertion,
        "own words",
    );
}

#[test]
fn a_panic_of_a_thread_is_a_failure_unless_somebody_handles_it() {
    fails(
        || {
            thread::spawn(|| panic!("nobody looks"));
        },
        Class::Panic,
        "nobody looks",
    );
    fails(
        || thread::spawn(|| panic!("passed on")).join().unwrap(),
        Class::Panic,
        "passed on",
    );
    holds(|| assert!(thread::spawn(|| panic!("handled")).join().is_err()));
    holds(|| {
        seen_set();
        assert!(catch_unwind(|| panic!("handled")).is_err());
    });
}

#[test]
fn a_panic_with_a_lock_held_is_the_failure_and_not_what_others_make_of_it() {
    fails(
        || {
            let mutex = Arc::new(Mutex::new(0));
            let other = thread::spawn({
                let mutex = Arc::clone(&mutex);
                move || drop(mutex.lock())
            });
            {
                let value = mutex.lock().unwrap();
                assert_eq!(*value, 1);
            }
            other.join().unwrap();
        },
        Class::Assertion,
        "left: 0 right: 1",
    );
    fails(
        || {
            let mutex = Arc::new(Mutex::new(0));
            let other = thread::spawn({
                let mutex = Arc::clone(&mutex);
                move || {
                    let _value = mutex.lock().unwrap();
                    panic!("with the lock held");
                }
            });
            // Main finds the lock poisoned, or joins a thread that panicked.
            drop(mutex.lock().unwrap());
            other.join().unwrap();
        },
        Class::Panic,
        "with the lock held",
    );
}

// ---- destructors ------------------------------------------------------------------------------

/// Locks and counts when it is dropped.
#[derive(Clone)]
struct Noisy {
    mutex: Arc<Mutex<u32>>,
    count: Arc<AtomicU32>,
}

impl Noisy {
    fn new() -> Noisy {
        Noisy {
            mutex: Arc::new(Mutex::new(0)),
            count: Arc::new(AtomicU32::new(0)),
        }
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        *self.mutex.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.count.fetch_add(1, SeqCst);
        self.count.store(self.count.load(SeqCst), SeqCst);
    }
}

#[test]
fn destructors_run_while_a_panic_unwinds() {
    holds(|| {
        let noisy = Noisy::new();
        let count = Arc::clone(&noisy.count);
        let other = thread::spawn({
            let noisy = noisy.clone();
            move || {
                let _noisy = noisy;
                panic!("with a destructor that locks");
            }
        });
        drop(noisy.mutex.lock());
        assert!(other.join().is_err());
        drop(noisy);
        assert_eq!(count.load(SeqCst), 2);
    });
}

#[test]
fn destructors_run_while_a_deadlock_unwinds() {
    deadlocks(
        || {
            let noisy = Noisy::new();
            let other = thread::spawn({
                let noisy = noisy.clone();
                move || {
                    let _again = noisy.clone();
                    let _guard = noisy.mutex.lock().unwrap();
                    let never = Condvar::new();
                    let mine = Mutex::new(());
                    drop(never.wait(mine.lock().unwrap()));
                }
            });
            let _again = noisy.clone();
            other.join().unwrap();
        },
        &[("main", "join"), ("thread 1", "wait")],
    );
}

/// In a thread that panics, a destructor waits for a thread that waits for it.
#[test]
fn a_deadlock_within_a_panic_ends_too() {
    for engines in BOTH_MODELS {
        let report = check_with(engines, || {
            let noisy = Noisy::new();
            let guard = noisy.mutex.lock().unwrap();
            let other = thread::spawn({
                let noisy = noisy.clone();
                move || {
                    let _noisy = noisy;
                    panic!("with a destructor that locks");
                }
            });
            let _ = other.join();
            drop(guard);
        });
        assert_eq!(report.verdict, Verdict::Fails, "{engines:?}");
    }
}

// ---- what it takes to fail --------------------------------------------------------------------

/// Main sees the flag, and then asserts that it sees the data.
fn publication(release: Ordering) {
    let shared = Arc::new((AtomicU32::new(0), AtomicBool::new(false)));
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            shared.0.store(1, Relaxed);
            shared.1.store(true, release);
        }
    });
    if shared.1.load(Acquire) {
        assert_eq!(shared.0.load(Relaxed), 1);
    }
    other.join().unwrap();
}

#[test]
fn a_failure_that_takes_a_stale_read_is_a_memory_ordering_bug() {
    let report = check(|| publication(Relaxed));
    assert_eq!(report.found_by, Some(Engine::Weak));
    let stale = { report.counterexample.iter() }.filter(|event| event.newest.is_some());
    assert_eq!(stale.count(), 1, "{report}");
    assert!(
        report.to_string().contains("a memory-ordering bug"),
        "{report}"
    );
    holds(|| publication(Release));
    assert!(check_with(Engines::Sc, || publication(Relaxed)).holds());
}

#[test]
fn a_failure_that_an_interleaving_shows_is_an_interleaving_bug_whatever_the_orderings() {
    let report = check(|| {
        // Fails on weak memory, and the other one in any order.
        publication(Relaxed);
        assert_eq!(seen_set(), 0);
    });
    assert_eq!(report.found_by, Some(Engine::Sc));
    // The store comes between the start of its thread and the load.
    assert_eq!(report.preemptions, Some(1), "{report}");
    let stale = { report.counterexample.iter() }.filter(|event| event.newest.is_some());
    assert_eq!(stale.count(), 0, "{report}");
}

#[test]
fn a_counterexample_has_as_few_preemptions_as_any() {
    let report = check(|| {
        let count = Arc::new(AtomicU32::new(0));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let count = Arc::clone(&count);
                thread::spawn(move || count.store(count.load(Relaxed) + 1, Relaxed))
            })
            .collect();
        for other in others {
            other.join().unwrap();
        }
        // Without a preemption nothing is lost; one is enough, though others would be possible.
        assert_eq!(count.load(Relaxed), 2);
    });
    assert_eq!(report.preemptions, Some(1), "{report}");
}

// ---- loops that are cut -----------------------------------------------------------------------

/// Waits for the flag, and counts how often it had to look.
fn counts_its_looks() -> u32 {
    let set = Arc::new(AtomicBool::new(false));
    let looks = AtomicU32::new(0);
    let other = thread::spawn({
        let set = Arc::clone(&set);
        move || set.store(true, Release)
    });
    while !set.load(Acquire) {
        looks.fetch_add(1, Relaxed);
    }
    other.join().unwrap();
    looks.load(Relaxed).min(1)
}

#[test]
fn a_loop_that_changes_something_holds_with_a_bound_on_its_passes() {
    let report = check(counts_its_looks);
    assert_eq!(report.verdict, Verdict::Bounded, "{report}");
    let passes = report.passes.expect("it was cut");
    assert!(!report.holds() && report.holds_bounded() && !report.complete);
    let words = format!("HOLDS with loops of up to {passes} passes");
    assert!(report.to_string().contains(&words), "{report}");
    report.assert_holds_bounded();
}

#[test]
fn a_failure_within_the_bound_is_a_failure() {
    fails(
        || assert_eq!(counts_its_looks(), 0),
        Class::Assertion,
        "left: 1 right: 0",
    );
}

// ---- what cannot be judged --------------------------------------------------------------------

fn is_unknown(report: &Report, why: &str) {
    assert_eq!(report.verdict, Verdict::Unknown, "{:?}", report.message);
    assert_eq!((report.class, report.complete), (None, false));
    let stopped = report.stopped.as_deref().unwrap_or_default();
    assert!(stopped.contains(why), "{stopped}");
}

#[test]
fn more_threads_at_once_than_the_engine_tells_apart_are_unknown() {
    fn start<const COUNT: usize>() {
        let threads: Vec<_> = (0..COUNT).map(|_| thread::spawn(|| {})).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }
    assert!(check(start::<6>).holds());
    for model in BOTH_MODELS {
        is_unknown(&check_with(model, start::<20>), "threads");
    }
}

/// Like a static: what one execution does to it is not seen by the next one.
#[test]
fn an_object_from_outside_of_the_scenario_begins_each_execution_anew() {
    let (mutex, atomic) = (Arc::new(Mutex::new(0)), Arc::new(AtomicU32::new(7)));
    let report = check(move || {
        let other = thread::spawn({
            let (mutex, atomic) = (Arc::clone(&mutex), Arc::clone(&atomic));
            move || {
                drop(mutex.lock());
                atomic.fetch_add(1, SeqCst)
            }
        });
        drop(mutex.lock());
        let mut seen = [atomic.fetch_add(1, SeqCst), other.join().unwrap()];
        seen.sort_unstable();
        assert_eq!(seen, [7, 8]);
    });
    assert!(report.holds() && report.complete, "{report}");
}

#[test]
fn a_scenario_that_is_not_deterministic_is_unknown() {
    for engines in BOTH_MODELS {
        let runs = std::sync::atomic::AtomicU32::new(0);
        let report = Checker::new().engines(engines).check(move || {
            let run = runs.fetch_add(1, Relaxed);
            let count = Arc::new(AtomicU32::new(0));
            let other = thread::spawn({
                let count = Arc::clone(&count);
                move || count.store(1, SeqCst)
            });
            for _ in 0..run % 3 {
                count.load(SeqCst);
            }
            count.load(SeqCst);
            other.join().unwrap();
        });
        is_unknown(&report, "must not depend on time, randomness");
        is_unknown(&report, "verdicts.rs:");
    }
}

/// Far too many schedules to explore.
fn large() {
    let count = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || {
                for _ in 0..9 {
                    count.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_limit_that_is_reached_makes_the_verdict_unknown() {
    for engines in BOTH_MODELS {
        let checker = Checker::new().engines(engines);
        let report = checker.clone().max_executions(1).check(large);
        is_unknown(&report, "stopped at 1 executions");
        assert_eq!(report.explored(), 1);
        let report = checker.max_time(Duration::from_millis(1)).check(large);
        is_unknown(&report, "stopped after 0.001 s");
    }
}

#[test]
fn a_failure_counts_even_if_a_limit_is_reached_after_it() {
    let report = Checker::new().max_executions(1).check(|| panic!("at once"));
    assert!(report.fails());
    assert_eq!(report.class, Some(Class::Panic));
}

#[test]
fn a_deadlock_in_the_middle_of_a_panic_leaves_later_checks_whole() {
    struct Lock(Arc<Mutex<u32>>);

    impl Drop for Lock {
        fn drop(&mut self) {
            let _held = self.0.lock();
        }
    }

    let report = check_with(Engines::Sc, || {
        let mutex = Arc::new(Mutex::new(0));
        let _held = mutex.lock().unwrap();
        let _locks_again = Lock(Arc::clone(&mutex));
        panic!("and then locks what it holds");
    });
    assert_eq!(report.verdict, Verdict::Fails);
    let lost_update = check_with(Engines::Sc, || {
        let count = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let count = Arc::clone(&count);
            move || count.store(count.load(Relaxed) + 1, Relaxed)
        });
        count.store(count.load(Relaxed) + 1, Relaxed);
        other.join().unwrap();
        assert_eq!(count.load(Relaxed), 2);
    });
    assert_eq!(lost_update.verdict, Verdict::Fails);
    assert_eq!(lost_update.executions.sc, Some(4));
}
