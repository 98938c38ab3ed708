//! What std has and this world cannot have. Whoever asks for it is told by the compiler what to write
//! instead: nothing implements these traits, which such methods need.

/// An atomic whose value lies in memory.
#[diagnostic::on_unimplemented(
    message = "heisenbug's atomics have no `as_ptr` and no `from_ptr`: in a check their values are the engine's",
    label = "there is no address to take",
    note = "share the atomic itself: by a reference, or by an `Arc`"
)]
pub trait HasAnAddress {}

/// A cell whose accesses need no beginning and no end.
#[diagnostic::on_unimplemented(
    message = "heisenbug's `UnsafeCell` has no `get` and no `raw_get`: a check has to see each access",
    label = "nobody would see what is done through this pointer",
    note = "read by `cell.with(|value| unsafe {{ *value }})`, and write by `cell.with_mut(|value| unsafe {{ *value = … }})`"
)]
pub trait IsAccessedUnseen {}
