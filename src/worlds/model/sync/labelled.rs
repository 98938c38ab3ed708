//! Names for shared objects that the source does not name well.

/// Gives an object a name for timelines: `Mutex::new(100).labelled("savings")`.
///
/// Without a label, an object is called after the variable or field it is stored in or used through,
/// else by its type and the line that created it. The native and the live world have the same trait,
/// which does nothing there.
pub trait Labelled: Sized {
    /// The same object, under that name.
    fn labelled(self, label: &str) -> Self;
}
