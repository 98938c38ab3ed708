//! Everything in std exists under the same name, and does something sensible: a list, in no particular order.

use super::world::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicUsize, Ordering, compiler_fence, fence,
};
use super::world::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use super::world::sync::{
    Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, TryLockError, Weak,
};
use super::world::{hint, thread};
use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::any::Any;
use std::mem::MaybeUninit;
use std::time::Duration;

const NO_TIME: Duration = Duration::from_millis(1);

pub fn arcs() {
    let any: Arc<dyn Any + Send + Sync> = Arc::from(Box::new(1_u8) as Box<dyn Any + Send + Sync>);
    assert!(any.is::<u8>());
    assert_eq!(*any.downcast::<u8>().expect("it is one"), 1);
    let cyclic = Arc::new_cyclic(|me: &Weak<u8>| {
        assert!(me.upgrade().is_none());
        2
    });
    assert_eq!(Arc::unwrap_or_clone(Arc::clone(&cyclic)), 2);
    assert_eq!(Arc::try_unwrap(cyclic), Ok(2));
    let mut later = Arc::<u32>::new_uninit();
    Arc::get_mut(&mut later).expect("the only one").write(3);
    // SAFETY: it was written.
    let mut value = unsafe { later.assume_init() };
    *Arc::make_mut(&mut value) += 1;
    assert_eq!((*value, Arc::strong_count(&value)), (4, 1));
    assert_eq!(Arc::weak_count(&value), 0);
    let raw = Arc::into_raw(Arc::clone(&value));
    // SAFETY: it came from `into_raw`.
    let again = unsafe { Arc::from_raw(raw) };
    assert!(Arc::ptr_eq(&value, &again) && Arc::as_ptr(&value) == raw);
    drop(again);
    assert_eq!(Arc::into_inner(value), Some(4));
    let mut slice: Arc<[MaybeUninit<u8>]> = Arc::new_uninit_slice(2);
    let places = Arc::get_mut(&mut slice).expect("the only one");
    for place in places {
        place.write(5);
    }
    // SAFETY: all of it was written.
    assert_eq!(&*unsafe { slice.assume_init() }, [5, 5]);
    let text: Arc<str> = "text".into();
    let list: Arc<[u8]> = vec![1, 2].into();
    let collected: Arc<[u8]> = (1..3).collect();
    assert_eq!((&*text, &*list), ("text", &*collected));
    assert!(Weak::<u8>::new().upgrade().is_none());
    assert_eq!(*Arc::pin(1), *Arc::<u8>::from(1));
}

pub fn locks() {
    let mut mutex = Mutex::new(1);
    *mutex.get_mut().unwrap() += 1;
    mutex.clear_poison();
    assert!(matches!(mutex.try_lock().as_deref(), Ok(2)) && !mutex.is_poisoned());
    assert_eq!(mutex.into_inner().unwrap(), 2);
    let mut lock = RwLock::new(1);
    *lock.get_mut().unwrap() += 1;
    lock.clear_poison();
    let held = lock.read().unwrap();
    assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    drop(held);
    let mut held = lock.write().unwrap();
    *held += 1;
    drop(held);
    assert_eq!(lock.into_inner().unwrap(), 3);
    let pair = (Mutex::new(false), Condvar::new());
    let held = pair.0.lock().unwrap();
    let waited = pair.1.wait_timeout_while(held, NO_TIME, |met| !*met);
    assert!(waited.unwrap().1.timed_out());
    let held = pair.0.lock().unwrap();
    drop(pair.1.wait_timeout(held, NO_TIME).unwrap());
    let held = pair.0.lock().unwrap();
    drop(pair.1.wait_while(held, |met| *met).unwrap());
    pair.1.notify_one();
    pair.1.notify_all();
    assert!(Barrier::new(1).wait().is_leader());
}

pub fn once() {
    static LAZY: LazyLock<u8> = LazyLock::new(|| 1);
    assert_eq!(*LazyLock::force(&LAZY), *LAZY);
    let mut cell = OnceLock::new();
    assert_eq!((cell.get(), cell.get_or_init(|| 1)), (None, &1));
    assert_eq!((cell.set(2), cell.get_mut()), (Err(2), Some(&mut 1)));
    assert_eq!(cell.take(), Some(1));
    cell.set(3).unwrap();
    assert_eq!((cell.wait(), OnceLock::from(4).into_inner()), (&3, Some(4)));
    let once = Once::new();
    once.call_once(|| ());
    once.call_once_force(|state| assert!(state.is_poisoned()));
    once.wait();
    assert!(once.is_completed());
}

pub fn channels() {
    let (to, from) = mpsc::channel();
    to.clone().send(1).unwrap();
    assert_eq!((from.recv(), from.try_recv().is_err()), (Ok(1), true));
    assert_eq!(from.recv_timeout(NO_TIME), Err(RecvTimeoutError::Timeout));
    to.send(2).unwrap();
    assert_eq!(from.try_iter().collect::<Vec<_>>(), [2]);
    drop(to);
    assert_eq!((from.iter().next(), from.into_iter().next()), (None, None));
    let (to, from): (SyncSender<u8>, _) = mpsc::sync_channel(1);
    to.send(1).unwrap();
    assert!(to.clone().try_send(2).is_err());
    assert_eq!(from.recv(), Ok(1));
}

pub fn threads() {
    let named = thread::Builder::new()
        .name("named".into())
        .stack_size(1 << 20);
    let handle = named
        .spawn(|| thread::current().name().map(str::to_owned))
        .unwrap();
    assert_ne!(handle.thread().id(), thread::current().id());
    let _ = handle.is_finished();
    assert_eq!(handle.join().unwrap().as_deref(), Some("named"));
    let mut sum = 0;
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("scoped".into());
        let handle = builder.spawn_scoped(scope, || sum += 1).unwrap();
        assert_eq!(handle.thread().name(), Some("scoped"));
        let _ = handle.is_finished();
        handle.join().unwrap();
        assert_eq!(scope.spawn(|| 1).join().unwrap(), 1);
    });
    assert_eq!(sum, 1);
    thread::current().unpark();
    thread::park();
    thread::park_timeout(NO_TIME);
    thread::yield_now();
    hint::spin_loop();
    assert!(!thread::panicking() && thread::available_parallelism().is_ok());
}

pub fn atomics() {
    let small = AtomicU8::new(1);
    assert_eq!(
        small.fetch_update(AcqRel, Acquire, |old| old.checked_add(1)),
        Ok(1)
    );
    assert_eq!(small.fetch_update(AcqRel, Acquire, |_| None), Err(2));
    assert_eq!(
        (small.swap(3, AcqRel), small.fetch_nand(1, Relaxed)),
        (2, 3)
    );
    let wide = AtomicI64::new(-1);
    assert_eq!(
        (wide.fetch_max(2, SeqCst), wide.fetch_min(1, SeqCst)),
        (-1, 2)
    );
    assert_eq!(wide.compare_exchange(1, 5, SeqCst, Relaxed), Ok(1));
    while wide.compare_exchange_weak(5, 6, SeqCst, Relaxed).is_err() {}
    assert_eq!(wide.into_inner(), 6);
    let mut flag = AtomicBool::default();
    *flag.get_mut() = true;
    assert!(flag.fetch_not(SeqCst) && !flag.fetch_xor(true, SeqCst));
    let (mut first, mut second) = (1, 2);
    let pointer = AtomicPtr::new(&raw mut first);
    assert_eq!(pointer.swap(&raw mut second, AcqRel), &raw mut first);
    let updated = pointer.fetch_update(AcqRel, Acquire, |_| Some(std::ptr::null_mut()));
    assert_eq!(updated, Ok(&raw mut second));
    assert!(pointer.load(Acquire).is_null());
    AtomicUsize::new(0).store(1, Release);
    fence(SeqCst);
    compiler_fence(SeqCst);
}
