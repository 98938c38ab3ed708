//! The programs, written once. Each asserts what std guarantees, whatever the schedule.

use super::world::cell::UnsafeCell;
use super::world::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8,
    AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
use super::world::sync::mpsc::{
    RecvError, SendError, TryRecvError, TrySendError, channel, sync_channel,
};
use super::world::sync::{
    Arc, Barrier, Condvar, Futex, Mutex, Once, OnceLock, PoisonError, RwLock, TryLockError, Weak,
};
use super::world::{hint, thread};
use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::panic::{AssertUnwindSafe, catch_unwind};

// ---- Mutex ------------------------------------------------------------------------------------

pub fn mutex_lets_one_in_at_a_time() {
    let count = Arc::new(Mutex::new(0));
    let other = thread::spawn({
        let count = Arc::clone(&count);
        move || add_one_slowly(&count)
    });
    add_one_slowly(&count);
    other.join().unwrap();
    assert_eq!(*count.lock().unwrap(), 2);
}

/// Loses an increment if another thread gets in between.
fn add_one_slowly(count: &Mutex<u32>) {
    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
    let before = *count;
    thread::yield_now();
    *count = before + 1;
}

pub fn mutex_try_lock_never_waits() {
    let mutex = Arc::new(Mutex::new(1));
    let guard = mutex.lock().unwrap();
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
    let other = thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || mutex.try_lock().is_err()
    });
    assert!(other.join().unwrap());
    drop(guard);
    *mutex.try_lock().unwrap() = 2;
    assert_eq!(*mutex.lock().unwrap(), 2);
}

pub fn mutex_gives_its_value_to_its_owner() {
    let mut mutex = Mutex::new(String::from("a"));
    mutex.get_mut().unwrap().push('b');
    assert!(!mutex.is_poisoned());
    assert_eq!(mutex.into_inner().unwrap(), "ab");
    assert_eq!(Mutex::<u8>::default().into_inner().unwrap(), 0);
    assert_eq!(Mutex::from(3).into_inner().unwrap(), 3);
}

pub fn mutex_is_poisoned_by_a_panicking_holder() {
    let mutex = Arc::new(Mutex::new(1));
    let other = thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || {
            let mut guard = mutex.lock().unwrap();
            *guard = 2;
            panic!("while the lock is held");
        }
    });
    assert!(other.join().is_err());
    assert!(mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 2);
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    mutex.clear_poison();
    assert_eq!(*mutex.lock().unwrap(), 2);
    drop(mutex.try_lock().unwrap());
}

pub fn mutex_wakes_who_waits_when_its_holder_panics() {
    let mutex = Arc::new(Mutex::new(0));
    let other = thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || {
            let _guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
            thread::yield_now();
            panic!("while the lock is held");
        }
    });
    add_one_slowly(&mutex);
    assert!(other.join().is_err());
    add_one_slowly(&mutex);
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 2);
}

pub fn mutex_excludes_even_when_it_is_poisoned() {
    let mutex = Arc::new(Mutex::new(0));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _guard = mutex.lock().unwrap();
        panic!("while the lock is held");
    }));
    assert!(panicked.is_err());
    let other = thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || add_one_slowly(&mutex)
    });
    add_one_slowly(&mutex);
    other.join().unwrap();
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 2);
}

pub fn mutex_locked_and_unlocked_within_a_panic_is_not_poisoned() {
    struct AddOnDrop(Arc<Mutex<u32>>);
    impl Drop for AddOnDrop {
        fn drop(&mut self) {
            assert!(thread::panicking());
            *self.0.lock().unwrap() += 1;
        }
    }
    let count = Arc::new(Mutex::new(0));
    let other = thread::spawn({
        let count = AddOnDrop(Arc::clone(&count));
        move || {
            let _count = count;
            panic!("with a destructor that locks");
        }
    });
    *count.lock().unwrap() += 1;
    assert!(other.join().is_err());
    assert_eq!(*count.lock().unwrap(), 2);
}

// ---- RwLock -----------------------------------------------------------------------------------

pub fn rwlock_lets_many_readers_in() {
    let lock = Arc::new(RwLock::new(7));
    let guard = lock.read().unwrap();
    let other = thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
            *lock.read().unwrap()
        }
    });
    assert_eq!(other.join().unwrap(), *guard);
    assert_eq!(*lock.try_read().unwrap(), 7);
    assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    drop(guard);
    *lock.try_write().unwrap() = 8;
    assert_eq!(*lock.read().unwrap(), 8);
}

pub fn rwlock_stays_read_locked_until_the_last_guard_of_a_thread_goes() {
    let lock = Arc::new(RwLock::new(0));
    let first = lock.read().unwrap();
    let second = lock.try_read().unwrap();
    drop(first);
    let other = thread::spawn({
        let lock = Arc::clone(&lock);
        move || lock.try_write().is_err()
    });
    assert!(other.join().unwrap());
    drop(second);
    assert!(lock.try_write().is_ok());
}

pub fn rwlock_lets_one_writer_in() {
    let lock = Arc::new(RwLock::new((0, 0)));
    let other = thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            let mut pair = lock.write().unwrap();
            pair.0 += 1;
            thread::yield_now();
            pair.1 += 1;
        }
    });
    {
        let pair = lock.read().unwrap();
        let first = pair.0;
        thread::yield_now();
        assert_eq!(first, pair.1);
    }
    {
        let mut pair = lock.write().unwrap();
        assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        pair.0 += 1;
        pair.1 += 1;
    }
    other.join().unwrap();
    assert_eq!(*lock.read().unwrap(), (2, 2));
}

pub fn rwlock_gives_its_value_to_its_owner() {
    let mut lock = RwLock::new(1);
    *lock.get_mut().unwrap() += 1;
    assert_eq!(lock.into_inner().unwrap(), 2);
    assert_eq!(RwLock::<u8>::default().into_inner().unwrap(), 0);
}

pub fn rwlock_is_poisoned_by_a_writer_and_not_by_a_reader() {
    let lock = Arc::new(RwLock::new(1));
    let reader = thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            let _guard = lock.read().unwrap();
            panic!("while reading");
        }
    });
    assert!(reader.join().is_err());
    assert!(!lock.is_poisoned());
    assert_eq!(*lock.write().unwrap(), 1);
    let writer = thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            let mut guard = lock.write().unwrap();
            *guard = 2;
            panic!("while writing");
        }
    });
    assert!(writer.join().is_err());
    assert!(lock.is_poisoned());
    assert_eq!(*lock.read().unwrap_err().into_inner(), 2);
    assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
    assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
    *lock.write().unwrap_err().into_inner() = 3;
    assert_eq!(*lock.read().unwrap_err().into_inner(), 3);
}

pub fn rwlock_wakes_who_waits_when_its_writer_panics() {
    let lock = Arc::new(RwLock::new(0));
    let other = thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            let _guard = lock.write().unwrap();
            thread::yield_now();
            panic!("while writing");
        }
    });
    let seen = *lock.read().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(seen, 0);
    assert!(other.join().is_err());
    assert!(lock.write().is_err());
}

// ---- Condvar ----------------------------------------------------------------------------------

pub fn condvar_wait_returns_after_a_notification() {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            *shared.0.lock().unwrap() = true;
            shared.1.notify_one();
        }
    });
    let mut ready = shared.0.lock().unwrap();
    while !*ready {
        ready = shared.1.wait(ready).unwrap();
    }
    assert!(*ready);
    drop(ready);
    other.join().unwrap();
}

pub fn condvar_wait_while_looks_before_it_waits() {
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            *shared.0.lock().unwrap() += 1;
            shared.1.notify_all();
        }
    });
    let guard = shared.0.lock().unwrap();
    let guard = shared.1.wait_while(guard, |count| *count == 0).unwrap();
    assert_eq!(*guard, 1);
    let guard = shared.1.wait_while(guard, |count| *count == 0).unwrap();
    drop(guard);
    other.join().unwrap();
}

pub fn condvar_notify_all_wakes_all() {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let waiters: Vec<_> = (0..2)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let ready = shared.0.lock().unwrap();
                drop(shared.1.wait_while(ready, |ready| !*ready).unwrap());
            })
        })
        .collect();
    *shared.0.lock().unwrap() = true;
    shared.1.notify_all();
    for waiter in waiters {
        waiter.join().unwrap();
    }
}

pub fn condvar_notify_one_wakes_one_for_each_call() {
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    let taker = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            for _ in 0..2 {
                let left = shared.0.lock().unwrap();
                *shared.1.wait_while(left, |left| *left == 0).unwrap() -= 1;
            }
        }
    });
    for _ in 0..2 {
        *shared.0.lock().unwrap() += 1;
        shared.1.notify_one();
    }
    taker.join().unwrap();
    assert_eq!(*shared.0.lock().unwrap(), 0);
}

pub fn condvar_wait_on_a_poisoned_mutex_returns_an_error() {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            let mut ready = shared.0.lock().unwrap();
            *ready = true;
            shared.1.notify_one();
            panic!("while the lock is held");
        }
    });
    let mut ready = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !*ready {
        ready = shared.1.wait(ready).unwrap_or_else(PoisonError::into_inner);
    }
    drop(ready);
    assert!(other.join().is_err());
    assert!(shared.0.is_poisoned());
}

pub fn condvar_works_with_a_mutex_that_was_poisoned_before() {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _guard = shared.0.lock().unwrap();
        panic!("while the lock is held");
    }));
    assert!(panicked.is_err());
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            *shared.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            shared.1.notify_one();
        }
    });
    let mut ready = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !*ready {
        ready = shared.1.wait(ready).unwrap_or_else(PoisonError::into_inner);
    }
    drop(ready);
    other.join().unwrap();
}

// ---- atomics ----------------------------------------------------------------------------------

/// Every operation of an atomic integer, against the operators of the integer itself.
macro_rules! every_operation {
    ($atomic:ident, $int:ty) => {{
        let (a, b): ($int, $int) = (0b0110_0101, 0b0011_0110);
        let atomic = $atomic::new(a);
        assert_eq!(atomic.load(Acquire), a);
        atomic.store(b, Release);
        assert_eq!(atomic.swap(a, AcqRel), b);
        let after = |operation: &dyn Fn(&$atomic) -> $int| {
            atomic.store(a, SeqCst);
            assert_eq!(operation(&atomic), a, "the value before");
            atomic.load(SeqCst)
        };
        assert_eq!(after(&|it| it.fetch_add(b, Relaxed)), a.wrapping_add(b));
        assert_eq!(after(&|it| it.fetch_sub(b, Acquire)), a.wrapping_sub(b));
        assert_eq!(after(&|it| it.fetch_and(b, Release)), a & b);
        assert_eq!(after(&|it| it.fetch_nand(b, AcqRel)), !(a & b));
        assert_eq!(after(&|it| it.fetch_or(b, SeqCst)), a | b);
        assert_eq!(after(&|it| it.fetch_xor(b, SeqCst)), a ^ b);
        assert_eq!(after(&|it| it.fetch_max(b, SeqCst)), a.max(b));
        assert_eq!(after(&|it| it.fetch_min(b, SeqCst)), a.min(b));
        atomic.store(<$int>::MAX, Relaxed);
        assert_eq!(atomic.fetch_add(1, Relaxed), <$int>::MAX);
        assert_eq!(atomic.fetch_sub(1, Relaxed), <$int>::MIN);
        assert_eq!(atomic.load(Relaxed), <$int>::MAX);
        atomic.store(a, Relaxed);
        assert_eq!(atomic.compare_exchange(b, 1, AcqRel, Acquire), Err(a));
        assert_eq!(atomic.compare_exchange(a, b, SeqCst, Relaxed), Ok(a));
        assert_eq!(atomic.compare_exchange_weak(a, 1, AcqRel, Relaxed), Err(b));
        while atomic.compare_exchange_weak(b, a, Release, Relaxed) != Ok(b) {}
        let halve = |value: $int| (value > 1).then_some(value / 2);
        assert_eq!(atomic.fetch_update(SeqCst, SeqCst, halve), Ok(a));
        assert_eq!(atomic.load(Relaxed), a / 2);
        atomic.store(1, Relaxed);
        assert_eq!(atomic.fetch_update(AcqRel, Acquire, halve), Err(1));
        assert_eq!(atomic.into_inner(), 1);
        assert_eq!($atomic::default().into_inner(), 0);
        assert_eq!($atomic::from(a).into_inner(), a);
    }};
}

pub fn atomic_integers_have_every_operation_of_std() {
    every_operation!(AtomicI8, i8);
    every_operation!(AtomicI16, i16);
    every_operation!(AtomicI32, i32);
    every_operation!(AtomicI64, i64);
    every_operation!(AtomicIsize, isize);
    every_operation!(AtomicU8, u8);
    every_operation!(AtomicU16, u16);
    every_operation!(AtomicU32, u32);
    every_operation!(AtomicU64, u64);
    every_operation!(AtomicUsize, usize);
}

pub fn atomic_bool_has_every_operation_of_std() {
    for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
        let atomic = AtomicBool::new(a);
        let after = |operation: &dyn Fn(&AtomicBool) -> bool| {
            atomic.store(a, SeqCst);
            assert_eq!(operation(&atomic), a, "the value before");
            atomic.load(SeqCst)
        };
        assert_eq!(after(&|it| it.swap(b, SeqCst)), b);
        assert_eq!(after(&|it| it.fetch_and(b, SeqCst)), a & b);
        assert_eq!(after(&|it| it.fetch_nand(b, SeqCst)), !(a & b));
        assert_eq!(after(&|it| it.fetch_or(b, SeqCst)), a | b);
        assert_eq!(after(&|it| it.fetch_xor(b, SeqCst)), a ^ b);
        atomic.store(a, Relaxed);
        assert_eq!(atomic.compare_exchange(!a, b, AcqRel, Acquire), Err(a));
        assert_eq!(atomic.compare_exchange(a, b, AcqRel, Acquire), Ok(a));
        while atomic.compare_exchange_weak(b, a, AcqRel, Acquire) != Ok(b) {
            hint::spin_loop();
        }
        assert_eq!(atomic.fetch_update(AcqRel, Acquire, |_| Some(b)), Ok(a));
        assert_eq!(atomic.fetch_update(AcqRel, Acquire, |_| None), Err(b));
        assert_eq!(atomic.into_inner(), b);
    }
    assert!(!AtomicBool::default().into_inner());
}

pub fn atomic_ptr_has_every_operation_of_std() {
    let (mut one, mut two) = (1, 2);
    let (a, b): (*mut i32, *mut i32) = (&mut one, &mut two);
    let atomic = AtomicPtr::new(a);
    assert_eq!(atomic.load(Acquire), a);
    atomic.store(b, Release);
    assert_eq!(atomic.swap(a, AcqRel), b);
    assert_eq!(atomic.compare_exchange(b, a, AcqRel, Acquire), Err(a));
    assert_eq!(atomic.compare_exchange(a, b, AcqRel, Acquire), Ok(a));
    while atomic.compare_exchange_weak(b, a, AcqRel, Acquire) != Ok(b) {}
    assert_eq!(atomic.fetch_update(AcqRel, Acquire, |_| Some(b)), Ok(a));
    // SAFETY: the pointer is to `two`, which is alive and to which nothing else points.
    assert_eq!(unsafe { *atomic.load(Relaxed) }, 2);
    assert_eq!(atomic.into_inner(), b);
    assert!(AtomicPtr::<u8>::default().into_inner().is_null());
}

pub fn atomics_are_atomic() {
    let count = Arc::new(AtomicU32::new(0));
    let other = thread::spawn({
        let count = Arc::clone(&count);
        move || {
            count.fetch_add(1, Relaxed);
            (count.fetch_update(Relaxed, Relaxed, |count| Some(count * 2))).unwrap();
        }
    });
    count.fetch_add(1, Relaxed);
    other.join().unwrap();
    let count = count.load(Relaxed);
    assert!((3..=4).contains(&count), "{count}");
}

pub fn fences_order_relaxed_accesses() {
    let shared = Arc::new((AtomicU32::new(0), AtomicBool::new(false)));
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            shared.0.store(1, Relaxed);
            fence(Release);
            shared.1.store(true, Relaxed);
        }
    });
    if shared.1.load(Relaxed) {
        fence(Acquire);
        assert_eq!(shared.0.load(Relaxed), 1);
    }
    fence(AcqRel);
    fence(SeqCst);
    other.join().unwrap();
}

// ---- threads ----------------------------------------------------------------------------------

pub fn join_returns_what_the_thread_returned() {
    let text = String::from("from the parent");
    let child = thread::spawn(move || text.len());
    assert_eq!(child.join().unwrap(), 15);
}

pub fn join_returns_the_panic_of_a_thread() {
    let literal = thread::spawn(|| panic!("a literal"));
    let error = literal.join().unwrap_err();
    assert_eq!(error.downcast_ref::<&str>(), Some(&"a literal"));
    let formatted = thread::spawn(|| -> u32 { panic!("number {}", 1 + 1) });
    let error = formatted.join().unwrap_err();
    assert_eq!(error.downcast_ref::<String>().unwrap(), "number 2");
    let any = thread::spawn(|| std::panic::panic_any(3_u8));
    assert_eq!(any.join().unwrap_err().downcast_ref::<u8>(), Some(&3));
}

pub fn catch_unwind_catches_within_a_thread() {
    let child = thread::spawn(|| {
        let caught = catch_unwind(|| panic!("caught"));
        assert!(!thread::panicking());
        caught.is_err()
    });
    assert!(child.join().unwrap());
}

pub fn builder_names_threads() {
    let named = thread::Builder::new()
        .name("worker".to_owned())
        .spawn(|| {
            thread::current()
                .name()
                .is_some_and(|name| name == "worker")
        })
        .unwrap();
    assert!(named.thread().name().is_some_and(|name| name == "worker"));
    assert!(named.join().unwrap());
    let nameless = thread::Builder::new()
        .spawn(|| thread::current().name().is_none())
        .unwrap();
    assert!(nameless.thread().name().is_none());
    assert!(nameless.join().unwrap());
}

pub fn thread_ids_tell_threads_apart() {
    let me = thread::current().id();
    let child = thread::spawn(|| thread::current().id());
    let of_handle = child.thread().id();
    let of_child = child.join().unwrap();
    assert_eq!(of_handle, of_child);
    assert_ne!(me, of_child);
    assert_eq!(thread::current().id(), me);
}

pub fn park_returns_at_once_after_an_unpark() {
    thread::current().unpark();
    thread::park();
    let child = thread::spawn(|| {
        thread::current().unpark();
        thread::current().unpark();
        thread::park();
    });
    child.join().unwrap();
}

pub fn park_waits_for_an_unpark() {
    let ready = Arc::new(AtomicBool::new(false));
    let sleeper = thread::spawn({
        let ready = Arc::clone(&ready);
        move || {
            // A park may return spuriously, as in std.
            while !ready.load(Acquire) {
                thread::park();
            }
        }
    });
    ready.store(true, Release);
    sleeper.thread().unpark();
    sleeper.join().unwrap();
}

pub fn unpark_reaches_the_parent_too() {
    let ready = Arc::new(AtomicBool::new(false));
    let parent = thread::current();
    let child = thread::spawn({
        let ready = Arc::clone(&ready);
        move || {
            ready.store(true, Release);
            parent.unpark();
        }
    });
    while !ready.load(Acquire) {
        thread::park();
    }
    child.join().unwrap();
}

pub fn yield_and_sleep_return() {
    let child = thread::spawn(|| {
        thread::yield_now();
        hint::spin_loop();
    });
    thread::yield_now();
    thread::sleep(std::time::Duration::ZERO);
    child.join().unwrap();
    thread::yield_now();
    hint::spin_loop();
}

pub fn is_finished_says_whether_join_would_wait() {
    let go = Arc::new(AtomicBool::new(false));
    let child = thread::spawn({
        let go = Arc::clone(&go);
        move || {
            while !go.load(Acquire) {
                thread::yield_now();
            }
        }
    });
    assert!(!child.is_finished());
    go.store(true, Release);
    while !child.is_finished() {
        thread::yield_now();
    }
    child.join().unwrap();
}

// ---- channels ---------------------------------------------------------------------------------

pub fn channel_delivers_in_order() {
    let (sender, receiver) = channel();
    let producer = thread::spawn(move || {
        sender.send(1).unwrap();
        sender.send(2).unwrap();
    });
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2]);
    producer.join().unwrap();
    assert_eq!(receiver.recv(), Err(RecvError));
}

pub fn channel_has_many_senders() {
    let (sender, receiver) = channel();
    let other = thread::spawn({
        let sender = sender.clone();
        move || sender.send(1).unwrap()
    });
    sender.send(2).unwrap();
    drop(sender);
    assert_eq!(receiver.recv().unwrap() + receiver.recv().unwrap(), 3);
    assert_eq!(receiver.recv(), Err(RecvError));
    other.join().unwrap();
}

pub fn channel_drains_before_it_disconnects() {
    let (sender, receiver) = channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.send('a').unwrap();
    drop(sender);
    assert_eq!(receiver.try_recv(), Ok('a'));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
}

pub fn channel_returns_what_nobody_will_receive() {
    let (sender, receiver) = channel();
    drop(receiver);
    assert_eq!(sender.send(5), Err(SendError(5)));
}

pub fn channel_drops_what_nobody_will_receive() {
    let (sender, receiver) = channel();
    let (reply, answer) = channel::<u8>();
    sender.send(reply).unwrap();
    let other = thread::spawn(move || drop(receiver));
    // The request was dropped with its receiver, and the reply channel with the request.
    assert_eq!(answer.recv(), Err(RecvError));
    other.join().unwrap();
}

pub fn channel_wakes_a_receiver_when_the_last_sender_goes() {
    let (sender, receiver) = channel::<u8>();
    let other = thread::spawn(move || drop(sender));
    assert_eq!(receiver.recv(), Err(RecvError));
    other.join().unwrap();
}

pub fn sync_channel_waits_for_room() {
    let (sender, receiver) = sync_channel(1);
    sender.send(1).unwrap();
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    let producer = thread::spawn(move || sender.send(2).unwrap());
    assert_eq!(receiver.recv(), Ok(1));
    assert_eq!(receiver.recv(), Ok(2));
    producer.join().unwrap();
}

pub fn sync_channel_wakes_a_sender_when_the_receiver_goes() {
    let (sender, receiver) = sync_channel(1);
    sender.send(1).unwrap();
    let other = thread::spawn(move || drop(receiver));
    assert_eq!(sender.send(2), Err(SendError(2)));
    other.join().unwrap();
    assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));
}

pub fn rendezvous_send_waits_for_its_receiver() {
    let (sender, receiver) = sync_channel(0);
    let received = Arc::new(AtomicBool::new(false));
    let consumer = thread::spawn({
        let received = Arc::clone(&received);
        move || {
            received.store(true, Relaxed);
            receiver.recv().unwrap()
        }
    });
    sender.send(7).unwrap();
    assert!(
        received.load(Relaxed),
        "a send returned before its receive began"
    );
    assert_eq!(consumer.join().unwrap(), 7);
}

pub fn rendezvous_send_fails_when_the_receiver_goes() {
    let (sender, receiver) = sync_channel(0);
    let other = thread::spawn(move || drop(receiver));
    assert_eq!(sender.send(7), Err(SendError(7)));
    other.join().unwrap();
}

pub fn rendezvous_try_send_needs_a_receiver_that_waits() {
    let (sender, receiver) = sync_channel(0);
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let consumer = thread::spawn(move || receiver.recv());
    while sender.try_send(2) == Err(TrySendError::Full(2)) {
        thread::yield_now();
    }
    assert_eq!(consumer.join().unwrap(), Ok(2));
}

// ---- Barrier ----------------------------------------------------------------------------------

pub fn barrier_opens_when_all_have_come_and_has_one_leader() {
    let shared = Arc::new((Barrier::new(2), AtomicU32::new(0)));
    let part = |shared: &(Barrier, AtomicU32)| {
        shared.1.fetch_add(1, Relaxed);
        let first = shared.0.wait().is_leader();
        assert!(shared.1.load(Relaxed) >= 2);
        u32::from(first)
    };
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || part(&shared)
    });
    let leaders = part(&shared);
    assert_eq!(leaders + other.join().unwrap(), 1);
}

pub fn barrier_closes_again() {
    let barrier = Arc::new(Barrier::new(2));
    let part = |barrier: &Barrier| [(); 2].map(|()| u32::from(barrier.wait().is_leader()));
    let other = thread::spawn({
        let barrier = Arc::clone(&barrier);
        move || part(&barrier)
    });
    let mine = part(&barrier);
    let theirs = other.join().unwrap();
    assert_eq!([mine[0] + theirs[0], mine[1] + theirs[1]], [1, 1]);
    assert!(Barrier::new(1).wait().is_leader());
}

// ---- Once, OnceLock ---------------------------------------------------------------------------

pub fn once_runs_once_and_everybody_waits_for_it() {
    let shared = Arc::new((Once::new(), AtomicU32::new(0)));
    assert!(!shared.0.is_completed());
    let part = |shared: &(Once, AtomicU32)| {
        shared.0.call_once(|| {
            thread::yield_now();
            shared.1.fetch_add(1, Relaxed);
        });
        assert!(shared.0.is_completed());
        assert_eq!(shared.1.load(Relaxed), 1);
    };
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || part(&shared)
    });
    part(&shared);
    other.join().unwrap();
    part(&shared);
}

pub fn once_is_poisoned_by_a_panic() {
    let once = Arc::new(Once::new());
    let first = thread::spawn({
        let once = Arc::clone(&once);
        move || once.call_once(|| panic!("the first time"))
    });
    assert!(first.join().is_err());
    assert!(!once.is_completed());
    let second = thread::spawn({
        let once = Arc::clone(&once);
        move || once.call_once(|| unreachable!("a poisoned `Once` runs nothing"))
    });
    assert!(second.join().is_err());
}

pub fn once_lock_is_set_once() {
    let cell = OnceLock::new();
    assert_eq!(cell.get(), None);
    assert_eq!(cell.set(1), Ok(()));
    assert_eq!(cell.set(2), Err(2));
    assert_eq!(cell.get(), Some(&1));
    assert_eq!(*cell.get_or_init(|| 3), 1);
    assert_eq!(cell.into_inner(), Some(1));
    assert_eq!(OnceLock::<u8>::default().into_inner(), None);
}

pub fn once_lock_is_made_by_one_thread() {
    let shared = Arc::new((OnceLock::new(), AtomicU32::new(0)));
    let part = |shared: &(OnceLock<u32>, AtomicU32)| {
        *(shared.0).get_or_init(|| shared.1.fetch_add(1, Relaxed) + 10)
    };
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || part(&shared)
    });
    assert_eq!(part(&shared), 10);
    assert_eq!(other.join().unwrap(), 10);
    assert_eq!(shared.1.load(Relaxed), 1);
    assert_eq!(shared.0.get(), Some(&10));
}

pub fn once_lock_is_not_poisoned_by_a_panic() {
    let cell = OnceLock::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        cell.get_or_init(|| panic!("the first time"));
    }));
    assert!(panicked.is_err());
    assert_eq!(cell.get(), None);
    assert_eq!(*cell.get_or_init(|| 2), 2);
}

// ---- Arc, Weak --------------------------------------------------------------------------------

pub fn arc_counts_its_pointers() {
    let one = Arc::new(5);
    assert_eq!((Arc::strong_count(&one), Arc::weak_count(&one)), (1, 0));
    let two = Arc::clone(&one);
    let weak = Arc::downgrade(&one);
    assert_eq!((Arc::strong_count(&one), Arc::weak_count(&one)), (2, 1));
    assert_eq!(weak.strong_count(), 2);
    assert!(Arc::ptr_eq(&one, &two));
    assert!(!Arc::ptr_eq(&one, &Arc::new(5)));
    assert_eq!(one, two);
    assert_eq!(*weak.upgrade().unwrap(), 5);
    drop((one, two));
    assert!(weak.upgrade().is_none());
    assert!(weak.clone().upgrade().is_none());
    assert!(Weak::<u8>::new().upgrade().is_none());
}

pub fn arc_gives_its_value_to_its_only_owner() {
    let mut one = Arc::new(String::from("a"));
    Arc::get_mut(&mut one).unwrap().push('b');
    let two = Arc::clone(&one);
    assert!(Arc::get_mut(&mut one).is_none());
    let one = Arc::try_unwrap(one).unwrap_err();
    assert_eq!(Arc::strong_count(&two), 2);
    drop(one);
    assert_eq!(Arc::try_unwrap(two).unwrap(), "ab");
    assert_eq!(Arc::into_inner(Arc::new(1)), Some(1));
    let dynamic: Arc<dyn Fn() -> u8> = Arc::from(Box::new(|| 4_u8) as Box<dyn Fn() -> u8>);
    assert_eq!(dynamic(), 4);
}

pub fn arc_new_cyclic_knows_itself() {
    struct Node {
        me: Weak<Node>,
        value: u8,
    }
    let node = Arc::new_cyclic(|me| {
        assert!(me.upgrade().is_none());
        Node {
            me: me.clone(),
            value: 6,
        }
    });
    assert_eq!(node.me.upgrade().unwrap().value, 6);
    assert_eq!((Arc::strong_count(&node), Arc::weak_count(&node)), (1, 1));
}

pub fn arc_drops_its_value_once_in_the_last_thread() {
    struct CountOnDrop(Arc<AtomicU32>);
    impl Drop for CountOnDrop {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let drops = Arc::new(AtomicU32::new(0));
    let value = Arc::new(CountOnDrop(Arc::clone(&drops)));
    let other = thread::spawn({
        let value = Arc::clone(&value);
        move || drop(value)
    });
    drop(value);
    other.join().unwrap();
    assert_eq!(drops.load(Relaxed), 1);
}

// ---- UnsafeCell -------------------------------------------------------------------------------

/// Data behind a hand-made lock.
struct Guarded {
    locked: AtomicBool,
    data: UnsafeCell<u32>,
}

// SAFETY: `data` is only accessed by the thread that set `locked`.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn add_one(&self) {
        while self.locked.swap(true, Acquire) {
            hint::spin_loop();
        }
        // SAFETY: `locked` was false, and belongs to this thread until it is false again.
        self.data.with_mut(|data| unsafe { *data += 1 });
        self.locked.store(false, Release);
    }
}

pub fn unsafe_cell_behind_a_spin_lock_does_not_race() {
    let guarded = Arc::new(Guarded {
        locked: AtomicBool::new(false),
        data: UnsafeCell::new(0),
    });
    let other = thread::spawn({
        let guarded = Arc::clone(&guarded);
        move || guarded.add_one()
    });
    guarded.add_one();
    other.join().unwrap();
    // SAFETY: the other thread was joined.
    assert_eq!(guarded.data.with(|data| unsafe { *data }), 2);
}

pub fn unsafe_cell_gives_its_value_to_its_owner() {
    let mut cell = UnsafeCell::new(1);
    *cell.get_mut() += 1;
    // SAFETY: no other thread has the cell.
    cell.with_mut(|value| unsafe { *value += 1 });
    assert_eq!(cell.into_inner(), 3);
}

// ---- spinning ---------------------------------------------------------------------------------

/// Spins until another thread has set a flag, doing `pause` in between.
fn spin_until_set(pause: fn()) {
    let flag = Arc::new(AtomicBool::new(false));
    let other = thread::spawn({
        let flag = Arc::clone(&flag);
        move || flag.store(true, Release)
    });
    while !flag.load(Acquire) {
        pause();
    }
    other.join().unwrap();
}

pub fn spin_loops_with_a_hint_end() {
    spin_until_set(hint::spin_loop);
}

pub fn spin_loops_that_yield_end() {
    spin_until_set(thread::yield_now);
}

pub fn spin_loops_without_a_hint_end() {
    spin_until_set(|| {});
}

/// Spins on a read-modify-write that changes nothing, until another thread has released the word.
pub fn spin_until_free(is_taken: fn(&AtomicU32) -> bool, pause: fn()) {
    let lock = Arc::new(AtomicU32::new(1));
    let other = thread::spawn({
        let lock = Arc::clone(&lock);
        move || lock.store(0, Release)
    });
    while is_taken(&lock) {
        pause();
    }
    other.join().unwrap();
    assert_eq!(lock.load(Relaxed), 1);
}

pub fn spin_loops_on_swap_end() {
    spin_until_free(|lock| lock.swap(1, Acquire) == 1, hint::spin_loop);
    spin_until_free(|lock| lock.swap(1, Acquire) == 1, || {});
}

pub fn spin_loops_on_fetch_or_end() {
    spin_until_free(|lock| lock.fetch_or(1, Acquire) == 1, thread::yield_now);
    spin_until_free(|lock| lock.fetch_or(1, Relaxed) == 1, || {});
}

pub fn spin_loops_on_compare_exchange_and_try_lock_without_a_hint_end() {
    let shared = Arc::new((AtomicBool::new(true), Mutex::new(())));
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            let _guard = shared.1.lock().unwrap();
            shared.0.store(false, Release);
        }
    });
    while (shared.0.compare_exchange(false, true, AcqRel, Relaxed)).is_err() {}
    while shared.1.try_lock().is_err() {}
    other.join().unwrap();
}

// ---- Futex ------------------------------------------------------------------------------------

pub fn futex_wait_returns_if_the_word_has_changed() {
    let word = Futex::new(1);
    word.wait(0);
    assert_eq!(word.load(Relaxed), 1);
}

pub fn futex_sleepers_are_woken() {
    let word = Arc::new(Futex::new(0));
    let other = thread::spawn({
        let word = Arc::clone(&word);
        move || {
            word.store(1, Release);
            word.wake_one();
        }
    });
    while word.load(Acquire) == 0 {
        word.wait(0);
    }
    other.join().unwrap();
}

pub fn futex_wake_all_wakes_all() {
    let word = Arc::new(Futex::default());
    let sleepers = [(); 2].map(|()| {
        let word = Arc::clone(&word);
        thread::spawn(move || {
            while word.load(Acquire) == 0 {
                word.wait(0);
            }
        })
    });
    word.store(1, Release);
    word.wake_all();
    for sleeper in sleepers {
        sleeper.join().unwrap();
    }
}
