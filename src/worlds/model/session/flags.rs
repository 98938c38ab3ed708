//! What each operation needs to know, in one word.

use std::cell::Cell;

/// A set of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    /// Operations are recorded.
    pub(crate) const RECORDING: Flags = Flags(1);
    /// The session collects orderings, or replaces one.
    pub(crate) const ORDERINGS: Flags = Flags(2);
    /// The program has not used anything of this world yet.
    pub(crate) const NOTHING_YET: Flags = Flags(4);

    #[inline]
    pub(crate) fn contains(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
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
        FLAGS.set(Flags(FLAGS.get().0 | flag.0));
    } else {
        clear(flag);
    }
}

pub(crate) fn clear(flag: Flags) {
    FLAGS.set(Flags(FLAGS.get().0 & !flag.0));
}

/// Sets all of them, and returns the previous ones.
pub(crate) fn replace(flags: Flags) -> Flags {
    FLAGS.replace(flags)
}
