//! # Flat combining
//!
//! Who holds the lock does the work of all who wait for it.
//!
//! **Idea.** To pass a lock from core to core moves the lock and the data as well, each time. Here
//! who has to wait writes down what it wants done, on its own stack, and puts it on a list. Whoever
//! holds the lock, the *combiner*, takes the whole list and works it off: the data stay where they
//! are, and each request travels there and back.
//!
//! Nobody is promised that a combiner sees its request: it may come a moment after the combiner's
//! last look. So who waits also tries to become the combiner itself.
//!
//! A closure that panics must not take the combiner with it. The panic is caught where it happens,
//! and goes on in the thread that asked.
//!
//! **Cost.** That of test-and-set, and one look at the list, while nobody waits. A combiner can have
//! to work for others for a while: after a few rounds it stops, and leaves the rest to one of them.
//! The closures run on any thread, so they and their results must be `Send`, and must not rely on
//! thread-locals.
//!
//! **Proof.** Exhaustive for two threads and for three that ask once each. loom disagrees, as it does on
//! `test_and_set`. loom cannot join a thread that panicked, so it is not asked about that.

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

/// How often a combiner goes back for more.
const ROUNDS: usize = 4;

/// A value behind a flat combining lock.
pub struct FlatCombining<T> {
    /// Whether there is a combiner.
    combining: AtomicBool,
    /// The newest request, or null.
    requests: AtomicPtr<Request<T>>,
    value: UnsafeCell<T>,
}

// SAFETY: only the combiner uses the value, and there is one at a time. What the requests ask for,
// and what comes of it, is `Send`, as is the value itself.
unsafe impl<T: Send> Sync for FlatCombining<T> {}

/// What every request begins with, whatever it asks for.
struct Request<T> {
    /// Does what is asked for. To be called once, with the request itself.
    run: unsafe fn(*const Request<T>, &mut T),
    /// The request that was the newest before this one. Published and taken as `Job::work` is.
    next: UnsafeCell<*mut Request<T>>,
    done: AtomicBool,
}

/// A request, with what it asks for. Lives on the stack of the thread that asks, until it is done.
#[repr(C)]
struct Job<T, F, R> {
    request: Request<T>,
    work: UnsafeCell<Work<F, R>>,
}

/// First a closure, and then what it returned.
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
    /// `request` is the beginning of a job of this type, which nobody else uses meanwhile.
    unsafe fn run(request: *const Request<T>, value: &mut T) {
        // SAFETY: the caller says so; a job begins with its request, and is laid out as in C.
        let job = unsafe { &*request.cast::<Self>() };
        job.work.with_mut(|work| {
            // SAFETY: the caller says that nobody else uses it.
            let work = unsafe { &mut *work };
            if let Work::Asked(critical) = mem::replace(work, Work::Running) {
                // Half a change to the value is seen by others, as it is where a lock is simply
                // freed by a panic.
                let result = catch_unwind(AssertUnwindSafe(|| critical(value)));
                *work = Work::Done(result);
            }
        });
    }

    /// What the closure returned, or its panic.
    ///
    /// # Safety
    ///
    /// The job is done.
    unsafe fn result(self) -> R {
        let work = self.work.with_mut(|work| {
            // SAFETY: who did it has said so, and does not come back.
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
                // SAFETY: nobody else knows of the request before it is on the list.
                unsafe { *next = newest };
            });
            // Release, so that who takes the list finds a finished request.
            let put = (self.requests).compare_exchange_weak(newest, me, Release, Relaxed);
            match put {
                Ok(_) => return,
                Err(newer) => newest = newer,
            }
        }
    }

    /// Becomes the combiner, if there is work and nobody else is.
    fn try_combine(&self) -> Option<Combiner<'_, T>> {
        // The looks promise nothing, so they may be relaxed. Who asked and finds the list empty need not
        // help: somebody has taken the request, and does it.
        if self.requests.load(Relaxed).is_null() {
            return None;
        }
        let free = (self.combining).compare_exchange(false, true, Acquire, Relaxed);
        free.is_ok().then(|| Combiner(self))
    }
}

/// The only one who may use the value, until it goes.
struct Combiner<'a, T>(&'a FlatCombining<T>);

impl<T> Combiner<'_, T> {
    /// Does what others have asked for.
    #[inline]
    fn work_off(&self) {
        for _ in 0..ROUNDS {
            // Relaxed: who asks later than this look helps itself.
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
                // SAFETY: who put it on the list has written this before, and nobody does afterwards.
                next = after.with(|after| unsafe { *after });
                // SAFETY: every request was published as the beginning of its job, and whoever took
                // it from the list is the only one to use it until it is done.
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

/// Relies on the combiner to see the request. But the combiner may just have had its last look.
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
    summary: "who holds the lock does the work of all who wait for it",
    file: file!(),
    source: include_str!("flat_combining.rs"),
    references: &[
        "D. Hendler, I. Incze, N. Shavit and M. Tzafrir, Flat Combining and the \
         Synchronization-Parallelism Tradeoff (SPAA 2010)",
    ],
    outcomes: &[
        Outcome::acceptable("3 of 3 counted", "nobody came in between"),
        Outcome::acceptable("2 of 2 counted", "nobody came in between"),
        Outcome::forbidden(
            "livelock",
            "the request came after the combiner's last look, and its owner does not help itself",
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
            "asks, and waits to be served",
            two_threads::<trap_only_asks::Asking<u64>, 1, 1>,
        ),
    ],
};
