//! `std::thread::scope`: threads that may borrow from the thread that starts them.

use super::builder::{Of, Started};
use super::{Builder, Result, Thread};
use crate::session::{self, Call, Inner, SCOPED, Target};
use heisenbug_engine::Place;
use heisenbug_engine::steps;
use heisenbug_trace::Op;
use std::cell::OnceCell;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// A scope, to start threads in.
pub struct Scope<'scope, 'env: 'scope> {
    /// Std's own, outside of a check.
    outside: Option<&'scope std::thread::Scope<'scope, 'env>>,
    /// The threads of a check.
    model: Mutex<Vec<Arc<Inner>>>,
    /// Invariant, as std's: otherwise a thread could borrow for longer than the scope, or for less.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// Calls `f` with a scope, and waits for all threads that were started in it.
///
/// # Panics
///
/// If a thread panicked that was not joined explicitly.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    if !steps::running() {
        return scope_outside(f);
    }
    let at = Location::caller();
    let scope = Scope::new(None);
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    let panicked = scope.join_all(at);
    match result {
        Err(payload) => resume_unwind(payload),
        Ok(_) if panicked => panic!("{SCOPED}"),
        Ok(value) => value,
    }
}

fn scope_outside<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    // Declared here, so that it lives until std's scope has waited for all threads, which may hold on to it.
    let scope = OnceCell::<Scope<'static, 'static>>::new();
    std::thread::scope(|outside| {
        // SAFETY: only the lifetimes differ, and the next line shortens them to what they were.
        let outside = unsafe {
            std::mem::transmute::<
                &std::thread::Scope<'_, 'env>,
                &'static std::thread::Scope<'static, 'static>,
            >(outside)
        };
        let scope = scope.get_or_init(|| Scope::new(Some(outside)));
        // SAFETY: as above. It outlives all threads of std's scope, which is what `'scope` stands for.
        let scope =
            unsafe { std::mem::transmute::<&Scope<'static, 'static>, &Scope<'_, 'env>>(scope) };
        f(scope)
    })
}

impl<'scope, 'env> Scope<'scope, 'env> {
    fn new(outside: Option<&'scope std::thread::Scope<'scope, 'env>>) -> Scope<'scope, 'env> {
        Scope {
            outside,
            model: Mutex::default(),
            scope: PhantomData,
            env: PhantomData,
        }
    }

    /// Starts a thread that may borrow what outlives the scope.
    ///
    /// # Panics
    ///
    /// As [`spawn`](super::spawn).
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let handle = self.start(Builder::new(), f, Location::caller());
        handle.expect("failed to spawn thread")
    }

    fn start<F, T>(
        &'scope self,
        builder: Builder,
        f: F,
        at: Place,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        if let Some(outside) = self.outside {
            let handle = builder.of_std().spawn_scoped(outside, f)?;
            return Ok(ScopedJoinHandle {
                thread: Thread::of_std(handle.thread().clone()),
                joins: Joins::Std(handle),
            });
        }
        // SAFETY: `scope` joins all threads before it returns, and so before `'scope` ends.
        let started = unsafe { builder.start_unchecked(f, at)? };
        if let Of::Model(inner, _) = &started.of {
            self.model().push(Arc::clone(inner));
        }
        Ok(ScopedJoinHandle {
            thread: started.thread.clone(),
            joins: Joins::Model(started),
        })
    }

    fn model(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Inner>>> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the threads of a check, including those that are started meanwhile. Returns whether one
    /// panicked that was not joined explicitly.
    fn join_all(&self, at: Place) -> bool {
        let mut panicked = false;
        loop {
            let mut left = self.model();
            if left.is_empty() {
                return panicked;
            }
            let child = left.remove(0);
            // Not held while waiting for other threads, which may start more.
            drop(left);
            let Some(call) = Call::begin("scope", at) else {
                continue;
            };
            let thread = Target::Thread(child.number());
            call.waits_for(&thread);
            steps::join(child.id(), at);
            if child.has_unseen_panic() {
                panicked = true;
                session::observed(&child);
            }
            call.done(Op::Join, &thread);
        }
    }
}

impl Builder {
    /// Starts a thread in a scope.
    ///
    /// # Errors
    ///
    /// Outside of a check, as std's; in a check, never.
    #[track_caller]
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        scope.start(self, f, Location::caller())
    }
}

/// Waits for a thread of a scope.
pub struct ScopedJoinHandle<'scope, T> {
    thread: Thread,
    joins: Joins<'scope, T>,
}

enum Joins<'scope, T> {
    Std(std::thread::ScopedJoinHandle<'scope, T>),
    Model(Started<T>),
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the thread, and returns what it returned, or its panic.
    ///
    /// # Errors
    ///
    /// The payload of the thread's panic.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        match self.joins {
            Joins::Std(handle) => handle.join(),
            Joins::Model(started) => started.join(Location::caller()),
        }
    }

    /// The thread's handle, for example to unpark it.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Whether the thread has finished. Orders nothing.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        match &self.joins {
            Joins::Std(handle) => handle.is_finished(),
            Joins::Model(started) => started.is_finished(Location::caller()),
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}
