//! What each operation has to know, in one word.

use std::cell::Cell;

/// A set of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    /// Operations are recorded.
    pub(crate) const RECORDING: Flags = Flags(1);
    /// The session wants to know of orderings, or replaces one.
    pub(crate) const ORDERINGS: Flags = Flags(2);
    /// The program has made nothing of this world yet.
    pub(crate) const NOTHING_YET: Flags = Flags(4);
    /// A destructor runs because the last of several pointers went, and nobody counted them.
    pub(crate) const LAST_DROP: Flags = Flags(8);

    #[inline]
    pub(crate) fn contains(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    /// Whether there is more to it than recording.
    #[inline]
    pub(crate) fn is_unusual(self) -> bool {
        self.0 & (Flags::NOTHING_YET.0 | Flags::LAST_DROP.0) != 0
    }
}

thread_local! {
    static FLAGS: Cell<Flags> = const { Cell::new(Flags(0)) };
}

#[inline]
pub(crate) fn get() -> Flags {
    FLAGS.get()
}

pub(crate) fn set(flag: Flags, on: bool) {
    if on {
        add(flag);
    } else {
        clear(flag);
    }
}

/// Sets a flag, and returns what was set before.
pub(crate) fn add(flag: Flags) -> Flags {
    FLAGS.replace(Flags(FLAGS.get().0 | flag.0))
}

pub(crate) fn clear(flag: Flags) {
    FLAGS.set(Flags(FLAGS.get().0 & !flag.0));
}

/// Sets all of them, and returns what was set before.
pub(crate) fn replace(flags: Flags) -> Flags {
    FLAGS.replace(flags)
}
