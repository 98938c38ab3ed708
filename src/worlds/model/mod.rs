//! The model world: std's names over our own engine. Every operation is a step of the exploration.
//!
//! Write code against [`sync`], [`thread`], [`cell`] and [`hint`] as against the modules of std
//! that they are named after, and hand a scenario to `heisenbug::check`. Inside of a check each
//! operation asks the engine for its result; outside it is the standard library's, so the same code
//! runs unchanged.
//!
//! # What std leaves open, a check tries
//!
//! - A wait on a condition variable, `park` or a futex may return spuriously; a weak
//!   compare-and-exchange may fail spuriously. Each kind happens at most once in an execution, unless the
//!   check is configured otherwise.
//! - A time-out may come before anything else, or after. There is no time: `sleep` and `yield_now` let
//!   others run, and promise nothing.
//! - A thread that holds a read lock of a [`RwLock`](sync::RwLock) and takes another one may be let in, or
//!   may have to wait for a writer.
//! - Queries are steps, too: `is_finished`, `is_poisoned`, `strong_count` may get an answer that is
//!   about to change.
//!
//! # What differs from std
//!
//! - `Arc<T>` does not coerce to `Arc<dyn Trait>` or `Arc<[T]>`, and `self: &Arc<Self>` is not possible:
//!   both need unstable features of the language. Write
//!   `Arc::from(Box::new(…) as Box<dyn Trait>)`, `Arc::from(vec![…])`, and `this: &Arc<Self>`, which is
//!   called as `Type::function(&pointer)`. `heisenbug try` adds that to the compiler's error.
//! - Atomics have no `as_ptr` and no `from_ptr`, as their values are kept by the engine. So there are no
//!   accesses of different sizes to the same atomic, either.
//!   The compiler's error says so, as for `UnsafeCell::get`.
//! - There is no `consume` ordering, and no load buffering: in this model no load reads a value that
//!   depends on the load itself.
//! - [`UnsafeCell`](cell::UnsafeCell) is read through `with` and written through `with_mut`, which is
//!   where races are noticed.
//! - The closure of `fetch_update` must not perform steps itself.
//! - std's own thread-locals, files and clocks are not part of the model. [`thread_local!`] of this
//!   crate gives each thread of a check a value of its own.
//! - Accesses to plain data behind a raw pointer, in a `static mut` or in std's own cells are not seen:
//!   neither data races nor uses after free are noticed there. Objects of this crate's types are checked
//!   as usual behind a raw pointer, too. `heisenbug try` reports unknown for a program with such plain
//!   data; `heisenbug::check` cannot know.
//! - A channel that was created outside of the scenario cannot be used in it.

// Some items here serve only the names of other crates.
#![cfg_attr(
    not(all(feature = "crossbeam", feature = "parking_lot")),
    allow(dead_code, unused_imports)
)]

/// Debug and Display of guards show the data that they protect.
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
pub mod net;
#[cfg(feature = "parking_lot")]
pub mod parking_lot;
#[doc(hidden)]
pub mod session;
pub mod sync;
pub mod thread;
mod unordered;

#[doc(inline)]
pub use crate::__thread_local as thread_local;
