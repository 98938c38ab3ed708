//! The model world: std's names over our own engine. Every operation is a step of the exploration.
//!
//! Write code against [`sync`], [`thread`], [`cell`] and [`hint`] as against the modules of std
//! that they are named after, and hand a scenario to `heisenbug::check`. Inside of a check each
//! operation asks the engine what comes of it; outside it is the standard library's, so the same code
//! runs as it is.
//!
//! # What std leaves open, a check tries
//!
//! - A wait on a condition variable, `park` and a futex may return for no reason; a weak
//!   compare-and-exchange may fail for none. Each kind happens at most once in an execution, unless the
//!   check is told otherwise.
//! - A time-out may come before anything else, or after. There is no time: `sleep` and `yield_now` let
//!   others run, and promise nothing.
//! - A thread that reads under a [`RwLock`](sync::RwLock) and reads again may be let in, or may have to
//!   wait for a writer.
//! - Questions are steps, too: `is_finished`, `is_poisoned`, `strong_count` may get an answer that is
//!   about to change.
//!
//! # What differs from std
//!
//! - `Arc<T>` does not turn into `Arc<dyn Trait>` or `Arc<[T]>` by itself, and `self: &Arc<Self>` cannot
//!   be had: both need parts of the language that are not stable. Write
//!   `Arc::from(Box::new(…) as Box<dyn Trait>)`, `Arc::from(vec![…])`, and `this: &Arc<Self>`, which is
//!   called as `Type::function(&pointer)`. `heisenbug try` adds that to the compiler's error.
//! - Atomics have no `as_ptr` and no `from_ptr`: their values are the engine's. So there are no accesses
//!   of different sizes to the same atomic, either.
//!   The compiler's error says so, as for `UnsafeCell::get`.
//! - There is no `consume` ordering, and no load buffering: in this model no load reads what only follows
//!   from it.
//! - [`UnsafeCell`](cell::UnsafeCell) is read through `with` and written through `with_mut`, which is
//!   where races are noticed.
//! - A closure handed to `fetch_update` takes no steps of its own.
//! - What std's own thread-locals, files or clocks say is not part of the model. [`thread_local!`]
//!   of this crate gives each thread of a check a value of its own.
//! - Plain data behind a raw pointer, in a `static mut` or in std's own cells is read and written unseen:
//!   neither a data race nor a use after free is noticed there. What a raw pointer leads to is as good as
//!   anything else if it is made of this crate's types. `heisenbug try` calls a program unknown that has
//!   such data; `heisenbug::check` cannot know.
//! - A channel that was made outside of the scenario cannot be used in it.

// Some of what is here serves only the names of other crates.
#![cfg_attr(
    not(all(feature = "crossbeam", feature = "parking_lot")),
    allow(dead_code, unused_imports)
)]

/// Guards are shown as what they protect.
macro_rules! shown_as_the_data {
    ($($guard:ident),*) => {
        $(
            impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    (**self).fmt(f)
                }
            }

            impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    (**self).fmt(f)
                }
            }
        )*
    };
}

pub mod cell;
#[cfg(feature = "crossbeam")]
pub mod crossbeam;
#[cfg(feature = "sqlite")]
pub mod db;
pub mod future;
pub mod hint;
mod missing;
#[cfg(feature = "parking_lot")]
pub mod parking_lot;
#[doc(hidden)]
pub mod session;
pub mod sync;
pub mod thread;
mod unordered;

#[doc(inline)]
pub use crate::__thread_local as thread_local;
