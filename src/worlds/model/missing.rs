//! What std has and this world cannot have. Code that uses it gets a compiler error that says what to write
//! instead: the methods need these traits, which nothing implements.

/// An atomic whose value lies in memory.
#[diagnostic::on_unimplemented(
    message = "heisenbug's atomics have no `as_ptr` and no `from_ptr`: in a check their values are the engine's",
    label = "there is no address to take",
    note = "share the atomic itself: by a reference, or by an `Arc`"
)]
pub trait HasAnAddress {}

/// A cell whose accesses are not bracketed by a closure.
#[diagnostic::on_unimplemented(
    message = "heisenbug's `UnsafeCell` has no `get` and no `raw_get`: a check has to see each access",
    label = "an access through this pointer would not be seen",
    note = "read by `cell.with(|value| unsafe {{ *value }})`, and write by `cell.with_mut(|value| unsafe {{ *value = … }})`"
)]
pub trait IsAccessedUnseen {}
