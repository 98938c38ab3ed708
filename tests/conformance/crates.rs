//! The façade's parking_lot and crossbeam behave like the crates: the same programs with either.

use super::crates::crossbeam::atomic::AtomicCell;
use super::crates::crossbeam::channel::{self, RecvTimeoutError, Select, TrySendError, select};
use super::crates::crossbeam::queue::{ArrayQueue, SegQueue};
use super::crates::crossbeam::sync::{Parker, ShardedLock, WaitGroup};
use super::crates::parking_lot::{
    Condvar, FairMutex, MappedMutexGuard, Mutex, MutexGuard, Once, OnceState, ReentrantMutex,
    RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
use super::world::sync::Arc;
use super::world::thread;
use std::time::{Duration, Instant};

const NO_TIME: Duration = Duration::from_millis(1);

pub fn mutexes() {
    static LOCK: Mutex<u8> = Mutex::new(0);
    let held = LOCK.lock();
    assert!(LOCK.is_locked() && LOCK.try_lock().is_none());
    assert!(LOCK.try_lock_for(NO_TIME).is_none() && LOCK.try_lock_until(Instant::now()).is_none());
    drop(held);
    let mut held = LOCK.try_lock_for(NO_TIME).expect("nobody holds it");
    MutexGuard::unlocked(&mut held, || *LOCK.lock() = 1);
    MutexGuard::bump(&mut held);
    assert_eq!(*held, 1);
    *held = 0;
    MutexGuard::unlock_fair(held);
    let pair = FairMutex::new((1, 2));
    assert_eq!(pair.lock().1, 2);
    let mut pair = Mutex::new((1, 2));
    *MutexGuard::map(pair.lock(), |pair| &mut pair.0) = 3;
    let part = MutexGuard::map(pair.lock(), |pair| &mut pair.1);
    *MappedMutexGuard::map(part, |part| part) = 4;
    assert!(MutexGuard::try_map(pair.lock(), |_| None::<&mut u8>).is_err());
    assert_eq!((*pair.get_mut(), pair.into_inner()), ((3, 4), (3, 4)));
    let lock = ReentrantMutex::new(1);
    let (first, second) = (lock.lock(), lock.try_lock().expect("it is the same thread"));
    drop(first);
    assert!(lock.is_owned_by_current_thread() && *second == 1);
    drop(second);
    assert!(!lock.is_locked() && !lock.is_owned_by_current_thread());
}

pub fn rwlocks() {
    static LOCK: RwLock<u8> = RwLock::new(0);
    let (first, second) = (LOCK.read(), LOCK.try_read_for(NO_TIME));
    assert!(
        second.is_some() && LOCK.try_write().is_none() && LOCK.try_write_for(NO_TIME).is_none()
    );
    assert!(LOCK.is_locked() && !LOCK.is_locked_exclusive());
    drop(second);
    let upgradable = LOCK.upgradable_read();
    assert!(LOCK.try_upgradable_read().is_none() && LOCK.try_read().is_some());
    let Err(upgradable) = RwLockUpgradableReadGuard::try_upgrade(upgradable) else {
        panic!("somebody reads");
    };
    let tried = RwLockUpgradableReadGuard::try_upgrade_for(upgradable, NO_TIME);
    let Err(upgradable) = tried else {
        panic!("somebody reads");
    };
    drop(first);
    let mut held = RwLockUpgradableReadGuard::upgrade(upgradable);
    *held += 1;
    assert!(LOCK.try_read().is_none() && LOCK.is_locked_exclusive());
    let mut upgradable = RwLockWriteGuard::downgrade_to_upgradable(held);
    upgradable.with_upgraded(|value| *value += 1);
    assert_eq!(upgradable.try_with_upgraded(|value| *value), Some(2));
    assert!(LOCK.try_upgradable_read_for(NO_TIME).is_none());
    let mut held = RwLockUpgradableReadGuard::downgrade(upgradable);
    assert!(LOCK.try_upgradable_read().is_some());
    RwLockReadGuard::unlocked(&mut held, || *LOCK.write() = 3);
    assert_eq!(*held, 3);
    drop(held);
    let held = RwLockWriteGuard::downgrade(LOCK.write());
    assert!(LOCK.try_read().is_some() && LOCK.try_write().is_none());
    drop(held);
    *LOCK.write() = 0;
    let mut pair = RwLock::new((1, 2));
    *RwLockWriteGuard::map(pair.write(), |pair| &mut pair.0) = 3;
    assert_eq!(*RwLockReadGuard::map(pair.read(), |pair| &pair.0), 3);
    assert!(RwLockReadGuard::try_map(pair.read(), |_| None::<&u8>).is_err());
    assert_eq!((*pair.get_mut(), pair.into_inner()), ((3, 2), (3, 2)));
}

pub fn writers_and_readers() {
    let lock = Arc::new(RwLock::new(0));
    let others = [(); 2].map(|()| {
        let lock = Arc::clone(&lock);
        thread::spawn(move || {
            *RwLockUpgradableReadGuard::upgrade(lock.upgradable_read()) += 1;
            assert!(*lock.read() > 0);
        })
    });
    others.into_iter().for_each(|other| other.join().unwrap());
    assert_eq!(*lock.read(), 2);
}

pub fn condvars() {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    assert!(!pair.1.notify_one() && pair.1.notify_all() == 0);
    let mut told = pair.0.lock();
    assert!(pair.1.wait_for(&mut told, NO_TIME).timed_out());
    assert!(pair.1.wait_until(&mut told, Instant::now()).timed_out());
    let waited = pair.1.wait_while_for(&mut told, |told| !*told, NO_TIME);
    assert!(waited.timed_out());
    let other = thread::spawn({
        let pair = Arc::clone(&pair);
        move || {
            *pair.0.lock() = true;
            pair.1.notify_one()
        }
    });
    pair.1.wait_while(&mut told, |told| !*told);
    drop(told);
    other.join().unwrap();
}

pub fn once() {
    let once = Once::new();
    assert_eq!(once.state(), OnceState::New);
    once.call_once(|| assert_eq!(once.state(), OnceState::InProgress));
    once.call_once_force(|_| unreachable!("it is done"));
    assert!(once.state().done() && !once.state().poisoned());
}

pub fn channels() {
    let (to, from) = channel::bounded(1);
    select! {
        send(to, 1) -> sent => sent.unwrap(),
        default => unreachable!("there is room"),
    }
    assert_eq!(to.try_send(2), Err(TrySendError::Full(2)));
    let mut select = Select::new();
    let (sends, receives) = (select.send(&to), select.recv(&from));
    assert_eq!((sends, receives, select.try_ready()), (0, 1, Ok(1)));
    assert_eq!(select.select().recv(&from), Ok(1));
    let selected = select.select();
    assert_eq!(selected.index(), 0);
    selected.send(&to, 3).unwrap();
    select.remove(1);
    assert!(select.try_select().is_err() && select.select_timeout(NO_TIME).is_err());
    assert_eq!(from.try_iter().collect::<Vec<_>>(), [3]);
    let timer = channel::after(NO_TIME);
    assert!(timer.recv().is_ok());
    assert_eq!(timer.recv_timeout(NO_TIME), Err(RecvTimeoutError::Timeout));
    let ticker = channel::tick(NO_TIME);
    assert!(ticker.recv().is_ok() && ticker.recv().is_ok());
    drop(from);
    select! {
        send(to, 4) -> sent => assert!(sent.is_err()),
        recv(channel::never::<u8>()) -> _ => unreachable!(),
    }
}

pub fn rendezvous() {
    let (to, from) = channel::bounded(0);
    let other = thread::spawn(move || from.recv());
    select! {
        send(to, 1) -> sent => sent.unwrap(),
    }
    assert_eq!(other.join().unwrap(), Ok(1));
}

pub fn cells_and_queues() {
    let cell = AtomicCell::new(1_u32);
    assert_eq!((cell.fetch_add(1), cell.swap(5), cell.load()), (1, 2, 5));
    assert_eq!(cell.compare_exchange(5, 6), Ok(5));
    assert_eq!(cell.compare_exchange(5, 7), Err(6));
    assert_eq!(cell.fetch_update(|value| value.checked_sub(7)), Err(6));
    assert_eq!((cell.take(), cell.into_inner()), (6, 0));
    let text = AtomicCell::new(String::from("a"));
    text.store(String::from("b"));
    assert_eq!(text.swap(String::from("c")), "b");
    assert_eq!(text.into_inner(), "c");
    assert!(AtomicCell::<u64>::is_lock_free() && !AtomicCell::<[u64; 4]>::is_lock_free());
    let queue = ArrayQueue::new(1);
    assert_eq!((queue.push(1), queue.push(2)), (Ok(()), Err(2)));
    assert_eq!((queue.force_push(3), queue.is_full()), (Some(1), true));
    assert_eq!(
        (queue.pop(), queue.pop(), queue.capacity()),
        (Some(3), None, 1)
    );
    let queue = SegQueue::new();
    (0..3).for_each(|value| queue.push(value));
    assert_eq!(
        (queue.pop(), queue.len(), queue.is_empty()),
        (Some(0), 2, false)
    );
    assert_eq!(queue.into_iter().collect::<Vec<_>>(), [1, 2]);
}

pub fn groups() {
    let (group, lock) = (WaitGroup::new(), Arc::new(ShardedLock::new(0)));
    for _ in 0..2 {
        let (group, lock) = (group.clone(), Arc::clone(&lock));
        thread::spawn(move || {
            *lock.write().unwrap() += 1;
            drop(lock);
            drop(group);
        });
    }
    group.wait();
    assert_eq!(*lock.read().unwrap(), 2);
    let parker = Parker::new();
    let unparker = parker.unparker().clone();
    thread::spawn(move || unparker.unpark());
    parker.park();
    parker.park_timeout(NO_TIME);
}
