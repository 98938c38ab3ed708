//! A word to sleep on: what the Linux kernel calls a futex.

use std::ops::Deref;
use std::sync::atomic::AtomicU32;

/// An [`AtomicU32`] that threads can sleep on until another thread wakes them.
///
/// The kernel compares and falls asleep in one step, so that no wake-up can come in between. Other
/// systems have the same under other names.
#[derive(Debug, Default)]
pub struct Futex(AtomicU32);

impl Futex {
    /// A word that holds `value`, with no thread asleep.
    #[inline(always)]
    pub const fn new(value: u32) -> Futex {
        Futex(AtomicU32::new(value))
    }

    /// Sleeps until it is woken, unless the word differs from `expected`. May return
    /// spuriously.
    #[inline]
    pub fn wait(&self, expected: u32) {
        atomic_wait::wait(&self.0, expected);
    }

    /// Wakes one sleeping thread, if there is one.
    #[inline]
    pub fn wake_one(&self) {
        atomic_wait::wake_one(&self.0);
    }

    /// Wakes all sleeping threads.
    #[inline]
    pub fn wake_all(&self) {
        atomic_wait::wake_all(&self.0);
    }
}

impl Deref for Futex {
    type Target = AtomicU32;

    #[inline(always)]
    fn deref(&self) -> &AtomicU32 {
        &self.0
    }
}
