//! Mutual exclusion: what such locks have in common, and the program that proves them.

use super::cell::UnsafeCell;
use super::sync::Arc;
use super::thread;
use std::panic::resume_unwind;

/// A value that one thread at a time may use.
pub trait Exclusive<T>: Send + Sync + 'static {
    fn new(value: T) -> Self;

    /// Waits until no other thread uses the value, and lets `critical` use it.
    ///
    /// The closure may run on another thread: a lock is free to send the work to where the data is.
    fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R;

    /// The value, from its only owner.
    fn into_inner(self) -> T;
}

/// A lock without a value.
///
/// # Safety
///
/// `hold` runs one closure at a time, and everything in it happens before the next one begins.
pub unsafe trait RawLock: Default + Send + Sync + 'static {
    /// Waits for the lock, runs `critical`, and frees the lock, even if it panics.
    fn hold<R>(&self, critical: impl FnOnce() -> R) -> R;
}

/// A lock and the value it protects.
#[derive(Default)]
pub struct Locked<L, T> {
    lock: L,
    value: UnsafeCell<T>,
}

// SAFETY: `with` is the only access to the value. The lock runs one closure at a time, so one thread
// at a time uses the value, and it moves between threads only if it is `Send`.
unsafe impl<L: RawLock, T: Send> Sync for Locked<L, T> {}
// SAFETY: as above; the owner of the lock owns the value.
unsafe impl<L: RawLock, T: Send> Send for Locked<L, T> {}

impl<L: RawLock, T: Send + 'static> Exclusive<T> for Locked<L, T> {
    #[inline]
    fn new(value: T) -> Self {
        Locked {
            lock: L::default(),
            value: UnsafeCell::new(value),
        }
    }

    #[inline]
    fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
        self.lock.hold(|| {
            self.value.with_mut(|value| {
                // SAFETY: this closure is the only one that the lock runs now.
                critical(unsafe { &mut *value })
            })
        })
    }

    fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

/// Two threads: main counts itself `MINE` times, and the other thread counts itself `THEIRS` times.
pub fn two_threads<L: Exclusive<u64>, const MINE: u64, const THEIRS: u64>() -> String {
    let visitors = Arc::new(L::new(0));
    let other = thread::spawn({
        let visitors = Arc::clone(&visitors);
        move || count::<L, THEIRS>(&visitors)
    });
    count::<L, MINE>(&visitors);
    other.join().unwrap();
    result(visitors, MINE + THEIRS)
}

/// Three threads, each of which counts itself once: the fewest with which two can wait at a time.
pub fn three_threads<L: Exclusive<u64>>() -> String {
    let visitors = Arc::new(L::new(0));
    let others = [(); 2].map(|()| {
        let visitors = Arc::clone(&visitors);
        thread::spawn(move || count::<L, 1>(&visitors))
    });
    count::<L, 1>(&visitors);
    for other in others {
        other.join().unwrap();
    }
    result(visitors, 3)
}

/// Two threads, one of which panics while it uses the value: that must not affect the other.
pub fn a_panic<L: Exclusive<u64>>() -> String {
    let visitors = Arc::new(L::new(0));
    let other = thread::spawn({
        let visitors = Arc::clone(&visitors);
        move || {
            visitors.with(|count| {
                *count += 1;
                // Without a message: this panic is expected and caught.
                resume_unwind(Box::new(()))
            })
        }
    });
    count::<L, 1>(&visitors);
    assert!(other.join().is_err(), "it panicked");
    result(visitors, 2)
}

/// Read by the only owner: locking once more would multiply the executions and show nothing new.
fn result<L: Exclusive<u64>>(visitors: Arc<L>, came: u64) -> String {
    let visitors = Arc::try_unwrap(visitors)
        .ok()
        .expect("the others have let go of it");
    format!("{} of {came} counted", visitors.into_inner())
}

fn count<L: Exclusive<u64>, const TIMES: u64>(visitors: &L) {
    for _ in 0..TIMES {
        visitors.with(|count| *count += 1);
    }
}
