//! The model world: std's names over loom and over shuttle, recording every operation.
//!
//! Write code against [`sync`], [`thread`], [`cell`] and [`hint`] as against the modules of std
//! that they are named after, and hand a scenario to [`check`](fn@crate::check). Which engine runs
//! below is decided when an object is made; outside of a check it is the standard library, so the
//! same code runs as it is.
//!
//! What differs from std:
//!
//! - Everything the threads share is made inside the scenario, anew for each execution. There are
//!   no `const` constructors, so no statics.
//! - There is no time: no timeouts, and `sleep` is a point at which others may run, no more.
//! - There is no `thread::scope`, and atomics have no `get_mut`: loom has neither.
//! - `Arc` does not turn into `Arc<dyn Trait>` by itself; `Arc::from(Box<dyn Trait>)` does it.
//! - [`UnsafeCell`](cell::UnsafeCell) is read through `with` and written through `with_mut`.
//! - A lock held by a panicking thread is poisoned, and free at once.

pub mod cell;
pub mod hint;
pub(crate) mod raw;
pub mod session;
pub mod sync;
pub mod thread;

#[doc(hidden)]
#[path = "../../bugs/mod.rs"]
pub mod bugs;

#[doc(hidden)]
#[path = "../../locks/mod.rs"]
pub mod locks;
