//! `crossbeam::thread`.

use crate::thread;
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub use thread::{ScopedJoinHandle, ThreadId};

/// A scope, to start threads in.
#[derive(Debug)]
pub struct Scope<'scope, 'env: 'scope>(&'scope thread::Scope<'scope, 'env>);

/// Configures a thread of a scope.
#[derive(Debug)]
pub struct ScopedThreadBuilder<'scope, 'env: 'scope> {
    scope: &'scope thread::Scope<'scope, 'env>,
    builder: thread::Builder,
}

/// Calls `f` with a scope, and waits for all threads that were started in it.
///
/// # Errors
///
/// If a thread panicked that was not joined explicitly.
///
/// # Panics
///
/// If `f` does.
#[track_caller]
pub fn scope<'env, F, R>(f: F) -> Result<R, Box<dyn Any + Send>>
where
    F: for<'scope> FnOnce(&Scope<'scope, 'env>) -> R,
{
    let mut result = None;
    let joined = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|scope| {
            result = Some(catch_unwind(AssertUnwindSafe(|| f(&Scope(scope)))));
        });
    }));
    match result {
        Some(Err(panic)) => resume_unwind(panic),
        Some(Ok(result)) => joined.map(|()| result),
        None => joined.map(|()| unreachable!("the scope ran")),
    }
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// Starts a thread that may borrow what outlives the scope.
    ///
    /// # Panics
    ///
    /// Outside of a check, as std's: if the system cannot start another thread.
    #[track_caller]
    pub fn spawn<F, T>(&self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce(&Scope<'scope, 'env>) -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let scope = self.0;
        scope.spawn(move || f(&Scope(scope)))
    }

    /// Configures a thread, such as its name.
    pub fn builder(&self) -> ScopedThreadBuilder<'scope, 'env> {
        ScopedThreadBuilder {
            scope: self.0,
            builder: thread::Builder::new(),
        }
    }
}

impl<'scope, 'env> ScopedThreadBuilder<'scope, 'env> {
    /// Names the thread. Timelines show the name.
    #[must_use]
    pub fn name(mut self, name: String) -> Self {
        self.builder = self.builder.name(name);
        self
    }

    /// The minimum size of the thread's stack. The default is std's: 2 MiB.
    #[must_use]
    pub fn stack_size(mut self, size: usize) -> Self {
        self.builder = self.builder.stack_size(size);
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Outside of a check, as std's; in a check, never.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce(&Scope<'scope, 'env>) -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let scope = self.scope;
        self.builder.spawn_scoped(scope, move || f(&Scope(scope)))
    }
}
