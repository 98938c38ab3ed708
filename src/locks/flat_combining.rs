//! # Flat combining
//!
//! The holder of the lock does the work of all threads that wait for it.
//!
//! **Idea.** Passing a lock from core to core moves both the lock and the data, each time. Here a
//! waiting thread writes a request on its own stack, and puts it on a list. The holder of the lock,
//! the *combiner*, takes the whole list and runs all requests: the data stay where they are, and only
//! the requests travel there and back.
//!
//! There is no guarantee that a combiner sees a request: it may come just after the combiner's last
//! look. So a waiting thread also tries to become the combiner itself.
//!
//! A closure that panics must not end the combiner. The panic is caught where it happens, and resumes
//! in the thread that asked.
//!
//! **Cost.** That of test-and-set, plus one look at the list, while no thread waits. A combiner may
//! work for others for a while: after a few rounds it stops, and leaves the rest to one of them.
//! The closures run on any thread, so they and their results must be `Send`, and must not rely on
//! thread-locals.
//!
//! **Proof.** Exhaustive for two threads and for three that ask once each. loom disagrees, as it does on
//! `test_and_set`. loom cannot join a thread that panicked, so that program is not run with it.

use super::cell::UnsafeCell;
use super::exclusive::{Exclusive, a_panic, three_threads, two_threads};
use super::sync::atomic::{
    AtomicBool, AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};
use super::{hint, thread};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::{mem, ptr};

/// How many times a combiner takes the list before it stops.
const ROUNDS: usize = 4;

/// A value behind a flat combining lock.
pub struct FlatCombining<T> {
    /// Whether there is a combiner.
    combining: AtomicBool,
    /// The newest request, or null.
    requests: AtomicPtr<Request<T>>,
    value: UnsafeCell<T>,
}

// SAFETY: only the combiner uses the value, and there is one at a time. The closures of the requests
// and their results are `Send`, as is the value itself.
unsafe impl<T: Send> Sync for FlatCombining<T> {}

/// The beginning of every request, whatever it asks for.
struct Request<T> {
    /// Runs the request. To be called once, with the request itself.
    run: unsafe fn(*const Request<T>, &mut T),
    /// The request that was the newest before this one. Published and taken as `Job::work` is.
    next: UnsafeCell<*mut Request<T>>,
    done: AtomicBool,
}

/// A request with its closure. It is on the stack of the thread that asks, until it is done.
#[repr(C)]
struct Job<T, F, R> {
    request: Request<T>,
    work: UnsafeCell<Work<F, R>>,
}

/// First the closure, and then its result.
enum Work<F, R> {
    Asked(F),
    Running,
    Done(thread::Result<R>),
}

impl<T, F: FnOnce(&mut T) -> R, R> Job<T, F, R> {
    fn new(critical: F) -> Self {
        Job {
            request: Request {
                run: Job::<T, F, R>::run,
                next: UnsafeCell::new(ptr::null_mut()),
                done: AtomicBool::new(false),
            },
            work: UnsafeCell::new(Work::Asked(critical)),
        }
    }

    /// # Safety
    ///
    /// `request` is the beginning of a job of this type, which no other thread uses meanwhile.
    unsafe fn run(request: *const Request<T>, value: &mut T) {
        // SAFETY: the caller guarantees it; a job begins with its request, and is laid out as in C.
        let job = unsafe { &*request.cast::<Self>() };
        job.work.with_mut(|work| {
            // SAFETY: the caller guarantees that no other thread uses it.
            let work = unsafe { &mut *work };
            if let Work::Asked(critical) = mem::replace(work, Work::Running) {
                // Others may see a half-done change to the value, as with a lock that a panic
                // simply frees.
                let result = catch_unwind(AssertUnwindSafe(|| critical(value)));
                *work = Work::Done(result);
            }
        });
    }

    /// Returns what the closure returned, or resumes its panic.
    ///
    /// # Safety
    ///
    /// The job is done.
    unsafe fn result(self) -> R {
        let work = self.work.with_mut(|work| {
            // SAFETY: the job is done, so the combiner no longer uses it.
            mem::replace(unsafe { &mut *work }, Work::Running)
        });
        match work {
            Work::Done(Ok(result)) => result,
            Work::Done(Err(panic)) => resume_unwind(panic),
            Work::Asked(_) | Work::Running => unreachable!("it is done"),
        }
    }
}

impl<T: Send + 'static> Exclusive<T> for FlatCombining<T> {
    fn new(value: T) -> Self {
        FlatCombining {
            combining: AtomicBool::new(false),
            requests: AtomicPtr::default(),
            value: UnsafeCell::new(value),
        }
    }

    #[inline]
    fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
        // Acquire, so that what the last combiner wrote is seen.
        if self.combining.swap(true, Acquire) {
            return self.ask(critical);
        }
        let combiner = Combiner(self);
        let result = self.value.with_mut(|value| {
            // SAFETY: only the combiner uses the value.
            critical(unsafe { &mut *value })
        });
        combiner.work_off();
        result
    }

    fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T> FlatCombining<T> {
    #[cold]
    fn ask<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
        let job = Job::new(critical);
        self.publish(&job.request);
        // Acquire, so that the result is seen.
        while !job.request.done.load(Acquire) {
            match self.try_combine() {
                Some(combiner) => combiner.work_off(),
                // The combiner is perhaps not running.
                None => thread::yield_now(),
            }
        }
        // SAFETY: it is done.
        unsafe { job.result() }
    }

    /// Puts the request on the list.
    fn publish(&self, request: &Request<T>) {
        let me = ptr::from_ref(request).cast_mut();
        let mut newest = self.requests.load(Relaxed);
        loop {
            request.next.with_mut(|next| {
                // SAFETY: no other thread knows the request before it is on the list.
                unsafe { *next = newest };
            });
            // Release, so that the thread that takes the list finds a finished request.
            let put = (self.requests).compare_exchange_weak(newest, me, Release, Relaxed);
            match put {
                Ok(_) => return,
                Err(newer) => newest = newer,
            }
        }
    }

    /// Becomes the combiner, if there is work and no other combiner.
    fn try_combine(&self) -> Option<Combiner<'_, T>> {
        // Relaxed is enough for the look. A thread that has asked and finds the list empty need not help:
        // another one has taken its request, and runs it.
        if self.requests.load(Relaxed).is_null() {
            return None;
        }
        let free = (self.combining).compare_exchange(false, true, Acquire, Relaxed);
        free.is_ok().then(|| Combiner(self))
    }
}

/// The only thread that may use the value, until this is dropped.
struct Combiner<'a, T>(&'a FlatCombining<T>);

impl<T> Combiner<'_, T> {
    /// Runs the requests of other threads.
    #[inline]
    fn work_off(&self) {
        for _ in 0..ROUNDS {
            // Relaxed: a thread that asks after this look helps itself.
            if self.0.requests.load(Relaxed).is_null() {
                return;
            }
            self.round();
        }
    }

    #[cold]
    fn round(&self) {
        // Acquire, so that the requests are seen as they were published.
        let mut next = self.0.requests.swap(ptr::null_mut(), Acquire);
        self.0.value.with_mut(|value| {
            // SAFETY: only the combiner uses the value.
            let value = unsafe { &mut *value };
            while !next.is_null() {
                let request = next;
                // SAFETY: a request on the list lives until it is done.
                let Request {
                    run,
                    next: after,
                    done,
                } = unsafe { &*request };
                // SAFETY: this was written before the request was put on the list, and never afterwards.
                next = after.with(|after| unsafe { *after });
                // SAFETY: every request was published as the beginning of its job, and only the thread
                // that took it from the list uses it until it is done.
                unsafe { run(request, value) };
                // Release, so that the owner sees the result. Afterwards the request may be gone.
                done.store(true, Release);
            }
        });
    }
}

impl<T> Drop for Combiner<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Release, so that the next combiner sees what was written.
        self.0.combining.store(false, Release);
    }
}

/// Relies on the combiner to see the request. But the combiner may have just had its last look.
pub mod trap_only_asks {
    use super::super::exclusive::Exclusive;
    use super::super::hint;
    use super::super::sync::atomic::Ordering::Acquire;
    use super::{FlatCombining, Job};

    pub struct Asking<T>(FlatCombining<T>);

    impl<T: Send + 'static> Exclusive<T> for Asking<T> {
        fn new(value: T) -> Self {
            Asking(FlatCombining::new(value))
        }

        fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
            let job = Job::new(critical);
            self.0.publish(&job.request);
            if let Some(combiner) = self.0.try_combine() {
                combiner.work_off();
            }
            while !job.request.done.load(Acquire) {
                hint::spin_loop();
            }
            // SAFETY: it is done.
            unsafe { job.result() }
        }

        fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "flat-combining",
    shape: Shape::LostUpdate,
    scale: Scale::Threads,
    summary: "the holder of the lock does the work of all threads that wait for it",
    file: file!(),
    source: include_str!("flat_combining.rs"),
    references: &[
        "D. Hendler, I. Incze, N. Shavit and M. Tzafrir, Flat Combining and the \
         Synchronization-Parallelism Tradeoff (SPAA 2010)",
    ],
    outcomes: &[
        Outcome::acceptable("3 of 3 counted", "no other thread came in between"),
        Outcome::acceptable("2 of 2 counted", "no other thread came in between"),
        Outcome::forbidden(
            "livelock",
            "the request came after the combiner's last look, and its owner does not run it itself",
        ),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "two_threads",
            "two threads ask once each",
            two_threads::<FlatCombining<u64>, 1, 1>,
        ),
        Variant::sound(
            "three_threads",
            "three threads ask once each",
            three_threads::<FlatCombining<u64>>,
        ),
        Variant::sound(
            "a_panic",
            "a thread asks for something that panics",
            a_panic::<FlatCombining<u64>>,
        ),
        Variant::trap(
            "trap_only_asks",
            Expected::LIVELOCK,
            "asks, and only waits to be served",
            two_threads::<trap_only_asks::Asking<u64>, 1, 1>,
        ),
    ],
};
