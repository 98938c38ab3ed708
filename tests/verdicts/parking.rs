//! Reader-writer locks whose writers wait, and read locks that are upgraded to write locks.

use crate::A_WHILE;
use crate::judged::{deadlocks, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::parking_lot;
use heisenbug::parking_lot::{OnceState, RwLockUpgradableReadGuard, RwLockWriteGuard};
use heisenbug::sync::atomic::{AtomicBool, Ordering::SeqCst};
use heisenbug::sync::{Arc, Condvar, Mutex, RwLock};
use heisenbug::thread;
use std::cell::Cell;

/// What is shared beside the lock: something to wait for while reading.
#[derive(Default)]
struct Shared {
    lock: RwLock<i32>,
    gate: Mutex<()>,
    done: (Mutex<bool>, Condvar),
    flag: AtomicBool,
}

type Act = fn(&Shared);

/// Main, which reads, waits in some way for another reader; a third thread does something else.
fn reads_and_waits(reads: Act, waits: Act, third: Act) -> impl Fn() + Send + Sync + 'static {
    move || {
        let shared = Arc::new(Shared::default());
        let others = [reads, third].map(|act| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || act(&shared))
        });
        let held = shared.lock.read().unwrap();
        waits(&shared);
        drop(held);
        for other in others {
            other.join().unwrap();
        }
    }
}

const READS: Act = |shared| drop(shared.lock.read().unwrap());
const WRITES: Act = |shared| *shared.lock.write().unwrap() = 1;

const READS_AND_TELLS: Act = |shared| {
    READS(shared);
    *shared.done.0.lock().unwrap() = true;
    shared.done.1.notify_one();
};
const IS_TOLD: Act = |shared| {
    let done = shared.done.0.lock().unwrap();
    drop(shared.done.1.wait_while(done, |done| !*done).unwrap());
};

const READS_AND_FLAGS: Act = |shared| {
    READS(shared);
    shared.flag.store(true, SeqCst);
};
const SPINS: Act = |shared| {
    while !shared.flag.load(SeqCst) {
        thread::yield_now();
    }
};

const READS_INSIDE: Act = |shared| {
    let _inside = shared.gate.lock().unwrap();
    READS(shared);
};
const GOES_IN: Act = |shared| drop(shared.gate.lock().unwrap());

#[test]
fn waiting_for_another_reader_while_a_writer_waits_fails() {
    deadlocks(reads_and_waits(READS_AND_TELLS, IS_TOLD, WRITES));
    deadlocks(reads_and_waits(READS_INSIDE, GOES_IN, WRITES));
    deadlocks(reads_and_waits(READS, READS, WRITES));
    fails(
        reads_and_waits(READS_AND_FLAGS, SPINS, WRITES),
        Class::Livelock,
        "",
    );
}

#[test]
fn waiting_for_another_reader_without_a_writer_holds() {
    for (reads, waits) in [
        (READS_AND_TELLS, IS_TOLD),
        (READS_INSIDE, GOES_IN),
        (READS_AND_FLAGS, SPINS),
        (READS, READS),
    ] {
        holds(reads_and_waits(reads, waits, READS));
    }
}

#[test]
fn waiting_for_the_end_of_another_reader_while_a_writer_waits_fails() {
    deadlocks(|| {
        let lock = Arc::new(RwLock::new(0));
        let start = |act: fn(&RwLock<i32>)| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || act(&lock))
        };
        let writer = start(|lock| *lock.write().unwrap() = 1);
        let held = lock.read().unwrap();
        start(|lock| drop(lock.read().unwrap())).join().unwrap();
        drop(held);
        writer.join().unwrap();
    });
}

/// No thread waits for another while it reads.
#[test]
fn readers_beside_a_writer_holds() {
    holds(reads_and_waits(READS, |_| {}, WRITES));
}

#[test]
fn trying_to_read_beside_another_reader_holds() {
    holds(|| {
        let lock = Arc::new(RwLock::new(0));
        let reader = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.read().unwrap()
        });
        let held = lock.read().unwrap();
        assert!(lock.try_read().is_ok(), "nobody writes");
        drop(held);
        reader.join().unwrap();
    });
}

#[test]
fn trying_to_read_while_a_writer_waits_fails() {
    let program = || {
        let lock = Arc::new(RwLock::new(0));
        let writer = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.write().unwrap() = 1
        });
        let held = lock.read().unwrap();
        assert!(lock.try_read().is_ok(), "a writer waits");
        drop(held);
        writer.join().unwrap();
    };
    fails(program, Class::Assertion, "a writer waits");
}

#[test]
fn an_upgradable_reader_that_tries_and_reads_on_holds() {
    holds(|| {
        let lock = Arc::new(parking_lot::RwLock::new(0));
        let others = [
            (|lock| drop(lock.read())) as fn(&parking_lot::RwLock<i32>),
            |lock| *lock.write() += 1,
        ];
        let others = others.map(|act| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || act(&lock))
        });
        let held = lock.upgradable_read();
        let seen = *held;
        match RwLockUpgradableReadGuard::try_upgrade(held) {
            Ok(mut held) => {
                assert_eq!(*held, seen);
                *held += 1;
            }
            Err(held) => assert_eq!(*held, seen),
        }
        for other in others {
            other.join().unwrap();
        }
        let _ = RwLockWriteGuard::downgrade(lock.write());
    });
}

/// Trying never waits, even for a reader that waits for the thread that tries.
#[test]
fn trying_to_upgrade_beside_a_reader_of_ones_own_holds() {
    holds(|| {
        let lock = Arc::new(parking_lot::RwLock::new(0));
        let writer = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.write() += 1
        });
        let upgradable = lock.upgradable_read();
        let mine = lock.read();
        let tried = RwLockUpgradableReadGuard::try_upgrade(upgradable);
        assert!(tried.is_err());
        drop((tried, mine));
        writer.join().unwrap();
    });
}

type Lock = parking_lot::RwLock<i32>;

/// Main and other threads use one lock, each in its own way.
fn together<const N: usize>(
    main: fn(&Lock),
    others: [fn(&Lock); N],
) -> impl Fn() + Send + Sync + 'static {
    move || {
        let lock = Arc::new(Lock::new(0));
        let others = others.map(|act| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || act(&lock))
        });
        main(&lock);
        for other in others {
            other.join().unwrap();
        }
    }
}

fn reads(lock: &Lock) {
    drop(lock.read());
}

fn writes(lock: &Lock) {
    *lock.write() += 1;
}

fn upgrades(lock: &Lock) {
    *RwLockUpgradableReadGuard::upgrade(lock.upgradable_read()) += 1;
}

/// A failed try keeps the lock: no thread writes before it is released.
#[test]
fn a_failed_try_leaves_the_lock_as_it_is_holds() {
    let tries: fn(&Lock) = |lock| {
        let held = lock.upgradable_read();
        let seen = *held;
        match RwLockUpgradableReadGuard::try_upgrade(held) {
            Ok(mut held) => *held += 1,
            Err(held) => {
                assert_eq!(*held, seen);
                *RwLockUpgradableReadGuard::upgrade(held) = seen + 1;
            }
        }
    };
    holds(together(tries, [reads, writes]));
    holds(together(tries, [tries, reads]));
    holds(together(tries, [upgrades]));
}

#[test]
fn letting_go_instead_of_an_upgrade_fails() {
    let program = together(
        |lock| {
            let seen = *lock.upgradable_read();
            *lock.write() = seen + 1;
            assert_eq!(*lock.read(), seen + 1, "somebody wrote in between");
        },
        [writes],
    );
    fails(program, Class::Assertion, "somebody wrote in between");
}

#[test]
fn an_upgrade_beside_a_reader_that_waits_for_the_upgrader_fails() {
    deadlocks(together(
        |lock| {
            let upgradable = lock.upgradable_read();
            let _mine = lock.read();
            drop(RwLockUpgradableReadGuard::upgrade(upgradable));
        },
        [],
    ));
}

#[test]
fn trying_to_upgrade_in_time_beside_a_reader_of_ones_own_holds() {
    holds(together(
        |lock| {
            let upgradable = lock.upgradable_read();
            let mine = lock.read();
            let tried = RwLockUpgradableReadGuard::try_upgrade_for(upgradable, A_WHILE);
            let upgradable = tried.map(drop).expect_err("it reads itself");
            assert!(lock.try_read().is_some() && lock.try_upgradable_read().is_none());
            assert!(lock.try_write().is_none() && !lock.is_locked_exclusive());
            drop((upgradable, mine));
            assert!(!lock.is_locked());
        },
        [],
    ));
}

#[test]
fn a_writer_kept_out_by_an_upgradable_reader_keeps_no_reader_out_holds() {
    holds(|| {
        let lock = Arc::new(Lock::new(0));
        let start = |act: fn(&Lock)| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || act(&lock))
        };
        let writer = start(writes);
        let held = lock.upgradable_read();
        start(reads).join().unwrap();
        drop(held);
        writer.join().unwrap();
    });
}

/// Once the right to write is given up, waiting writers keep readers out.
#[test]
fn a_writer_that_waits_for_a_reader_keeps_readers_out_fails() {
    deadlocks(|| {
        let lock = Arc::new(Lock::new(0));
        let start = |act: fn(&Lock)| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || act(&lock))
        };
        let writer = start(writes);
        let held = RwLockUpgradableReadGuard::downgrade(lock.upgradable_read());
        start(reads).join().unwrap();
        drop(held);
        writer.join().unwrap();
    });
}

#[test]
fn reading_twice_beside_a_writer_fails_but_for_who_says_so() {
    deadlocks(together(|lock| drop((lock.read(), lock.read())), [writes]));
    holds(together(
        |lock| drop((lock.read(), lock.read_recursive())),
        [writes],
    ));
}

#[test]
fn a_downgrade_may_write_again_before_all_others_holds() {
    holds(together(
        |lock| {
            let mut held = lock.write();
            *held += 1;
            let mine = *held;
            let held = RwLockWriteGuard::downgrade_to_upgradable(held);
            assert_eq!(*held, mine);
            let mut held = RwLockUpgradableReadGuard::upgrade(held);
            assert_eq!(*held, mine);
            *held += 1;
        },
        [writes, reads],
    ));
}

#[test]
fn writing_for_a_moment_within_an_upgradable_lock_holds() {
    holds(together(
        |lock| {
            let mut held = lock.upgradable_read();
            let seen = *held;
            held.with_upgraded(|value| *value += 1);
            assert_eq!(*held, seen + 1);
            held.try_with_upgraded(|value| *value = seen);
            assert!(*held == seen || *held == seen + 1);
        },
        [writes, reads],
    ));
}

/// A wait with a time-out may get the lock or not, and never lasts forever.
#[test]
fn waiting_for_a_while_beside_a_reader_that_stays_holds() {
    holds(together(
        |lock| {
            let held = lock.read();
            assert!(lock.try_write_for(A_WHILE).is_none());
            assert!(lock.try_upgradable_read_for(A_WHILE).is_some());
            drop(held);
            let held = lock.write();
            assert!(lock.try_read_for(A_WHILE).is_none());
            drop(held);
            assert!(lock.try_read_for(A_WHILE).is_some());
            assert!(lock.try_write_for(A_WHILE).is_some());
        },
        [],
    ));
}

#[test]
fn counting_on_a_lock_in_time_fails() {
    let writes_in_time: fn(&Lock) = |lock| {
        *lock.try_write_for(A_WHILE).expect("in time") += 1;
    };
    let reads_in_time: fn(&Lock) = |lock| {
        drop(lock.try_read_for(A_WHILE).expect("in time"));
    };
    fails(together(writes_in_time, [writes]), Class::Panic, "in time");
    fails(together(reads_in_time, [writes]), Class::Panic, "in time");
    holds(together(reads_in_time, [reads]));
}

/// A writer that gives up lets in the readers that it has kept out.
#[test]
fn a_writer_that_gives_up_keeps_nobody_out_holds() {
    holds(together(
        |lock| {
            let held = lock.read();
            drop(lock.read());
            drop(held);
        },
        [|lock| drop(lock.try_write_for(A_WHILE))],
    ));
}

#[test]
fn a_mutex_taken_in_time_holds() {
    holds(|| {
        let lock = Arc::new(parking_lot::Mutex::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.lock() += 1
        });
        let mut mine = 1;
        match lock.try_lock_for(A_WHILE) {
            Some(mut held) => *held += 1,
            None => mine = 0,
        }
        other.join().unwrap();
        assert_eq!(*lock.lock(), 1 + mine);
        let held = lock.lock();
        assert!(lock.is_locked() && lock.try_lock_for(A_WHILE).is_none());
        drop(held);
    });
}

#[test]
fn counting_on_a_mutex_in_time_fails() {
    let program = || {
        let lock = Arc::new(parking_lot::Mutex::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || *lock.lock() += 1
        });
        drop(lock.try_lock_for(A_WHILE).expect("in time"));
        other.join().unwrap();
    };
    fails(program, Class::Panic, "in time");
}

/// Looking at a lock does not hold it.
#[test]
fn looking_whether_a_lock_is_held_keeps_nobody_out_holds() {
    holds(|| {
        let lock = Arc::new(parking_lot::Mutex::new(0));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.is_locked()
        });
        assert!(lock.try_lock().is_some());
        other.join().unwrap();
    });
}

/// A pair under a lock of either kind.
type Pairs = (
    parking_lot::Mutex<(i32, i32)>,
    parking_lot::RwLock<(i32, i32)>,
);

#[test]
fn parts_of_what_a_lock_protects_are_protected_holds() {
    holds(|| {
        let lock = Arc::new((
            parking_lot::Mutex::new((0, 0)),
            parking_lot::RwLock::new((0, 0)),
        ));
        let adds = |lock: &Pairs| {
            *parking_lot::MutexGuard::map(lock.0.lock(), |both| &mut both.1) += 1;
            *RwLockWriteGuard::map(lock.1.write(), |both| &mut both.0) += 1;
            let part = parking_lot::RwLockReadGuard::map(lock.1.read(), |both| &both.0);
            assert!(*part > 0);
        };
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || adds(&lock)
        });
        adds(&lock);
        other.join().unwrap();
        assert_eq!((*lock.0.lock(), *lock.1.read()), ((0, 2), (2, 0)));
    });
}

#[test]
fn a_reentrant_mutex_lets_its_holder_in_again_holds() {
    holds(|| {
        let lock = Arc::new(parking_lot::ReentrantMutex::new(Cell::new(0)));
        let adds = |lock: &parking_lot::ReentrantMutex<Cell<i32>>| {
            let first = lock.lock();
            let seen = first.get();
            let second = lock.lock();
            drop(first);
            second.set(second.get() + 1);
            assert!(lock.is_owned_by_current_thread() && second.get() == seen + 1);
        };
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || adds(&lock)
        });
        adds(&lock);
        other.join().unwrap();
        assert!(!lock.is_owned_by_current_thread());
        assert_eq!(lock.lock().get(), 2);
    });
}

#[test]
fn two_reentrant_mutexes_in_two_orders_fail() {
    deadlocks(|| {
        let locks = Arc::new([(); 2].map(parking_lot::ReentrantMutex::new));
        let other = thread::spawn({
            let locks = Arc::clone(&locks);
            move || drop((locks[1].lock(), locks[0].lock()))
        });
        drop((locks[0].lock(), locks[1].lock()));
        other.join().unwrap();
    });
}

#[test]
fn a_once_tells_how_far_it_is_holds() {
    holds(|| {
        let once = Arc::new(parking_lot::Once::new());
        assert_eq!(once.state(), OnceState::New);
        let other = thread::spawn({
            let once = Arc::clone(&once);
            move || once.call_once(|| std::panic::resume_unwind(Box::new("on purpose")))
        });
        assert_ne!(once.state(), OnceState::Done);
        assert!(other.join().is_err() && once.state().poisoned());
        once.call_once_force(|before| assert!(before.poisoned()));
        assert!(once.state().done());
    });
}

#[test]
fn asking_whether_a_once_is_done_instead_of_waiting_fails() {
    let program = || {
        let once = Arc::new(parking_lot::Once::new());
        let other = thread::spawn({
            let once = Arc::clone(&once);
            move || once.call_once(|| {})
        });
        if !once.state().done() {
            assert_ne!(once.state(), OnceState::InProgress, "somebody runs it");
        }
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "somebody runs it");
}

#[test]
fn a_downgrade_of_stds_lock_keeps_writers_out_holds() {
    holds(|| {
        let lock = Arc::new(RwLock::new(0));
        let adds = |lock: &RwLock<i32>| {
            let mut held = lock.write().unwrap();
            *held += 1;
            let mine = *held;
            let held = heisenbug::sync::RwLockWriteGuard::downgrade(held);
            assert_eq!(*held, mine, "nobody wrote in between");
        };
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || adds(&lock)
        });
        adds(&lock);
        other.join().unwrap();
        assert_eq!(*lock.read().unwrap(), 2);
    });
}

#[test]
fn whoever_waits_for_a_reader_after_a_downgrade_fails_beside_a_writer() {
    deadlocks(|| {
        let lock = Arc::new(RwLock::new(0));
        let start = |act: fn(&RwLock<i32>)| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || act(&lock))
        };
        let held = lock.write().unwrap();
        let writer = start(|lock| *lock.write().unwrap() = 1);
        let held = heisenbug::sync::RwLockWriteGuard::downgrade(held);
        start(|lock| drop(lock.read().unwrap())).join().unwrap();
        drop(held);
        writer.join().unwrap();
    });
}
