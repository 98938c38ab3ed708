//! Reader-writer locks whose writers wait, and read locks that become write locks.

use crate::judged::{deadlocks, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::parking_lot;
use heisenbug::parking_lot::{RwLockUpgradableReadGuard, RwLockWriteGuard};
use heisenbug::sync::atomic::{AtomicBool, Ordering::SeqCst};
use heisenbug::sync::{Arc, Condvar, Mutex, RwLock};
use heisenbug::thread;

/// What is shared beside the lock: something to wait for while one reads.
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

/// Nobody waits for anybody while it reads.
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

/// Trying never waits, even for a reader that waits for whoever tries.
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
