//! `loom::cell::UnsafeCell`, with a `get_mut` for exclusive owners of the cell.

/// loom's cell. Its own `get_mut` takes a shared reference and returns a guard, where that of the
/// other worlds takes an exclusive one and returns the value.
#[derive(Debug, Default)]
pub struct UnsafeCell<T>(::loom::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// A cell that holds `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        UnsafeCell(::loom::cell::UnsafeCell::new(value))
    }

    /// Gives `read` a pointer to the value, for reading.
    #[track_caller]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        self.0.with(read)
    }

    /// Gives `write` a pointer to the value, for writing.
    #[track_caller]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(write)
    }

    /// Returns a mutable reference; `&mut self` guarantees exclusive access. A write to loom.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: the cell is borrowed exclusively for as long as the value is.
        self.0.with_mut(|value| unsafe { &mut *value })
    }

    /// Consumes the cell and returns the value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}
