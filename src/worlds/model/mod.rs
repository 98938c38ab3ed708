//! The model world: std's names over our own engine.
pub mod cell;
pub mod hint;
#[doc(hidden)]
pub mod session;
pub mod sync;
pub mod thread;

#[doc(hidden)]
#[path = "../../bugs/mod.rs"]
pub mod bugs;

#[doc(hidden)]
#[path = "../../locks/mod.rs"]
pub mod locks;
