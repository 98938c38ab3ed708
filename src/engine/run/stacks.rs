//! The stacks of model threads: their sizes, their reuse, and their overflow.

use corosensei::stack::{DefaultStack, Stack};
use std::cell::Cell;
use std::sync::OnceLock;

/// std's default size of a stack.
const USUAL: usize = 2 * 1024 * 1024;

/// The smallest size: a step, or a panic, needs space on the stack of the thread that takes it.
const SMALLEST: usize = 64 * 1024;

/// How many stacks are kept for reuse. A program may keep asking for new sizes.
const AT_MOST: usize = 64;

/// The size of a thread's stack, given the size it asked for, if any.
fn size_for(asked: Option<usize>) -> usize {
    static UNASKED: OnceLock<usize> = OnceLock::new();
    let unasked = || usual(std::env::var("RUST_MIN_STACK").ok());
    asked
        .unwrap_or_else(|| *UNASKED.get_or_init(unasked))
        .max(SMALLEST)
}

/// The default size, given the environment variable: the same as std's.
fn usual(said: Option<String>) -> usize {
    said.and_then(|size| size.parse().ok()).unwrap_or(USUAL)
}

/// The stack of one model thread.
pub struct OwnStack {
    stack: DefaultStack,
    pub extent: Extent,
}

/// The address range of a stack. The system commits memory as it is used, except for a guard at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The base: the stack grows downwards from here.
    pub base: usize,
    /// The end of the stack and its guard.
    pub limit: usize,
    /// The size without the guard.
    pub size: usize,
}

// SAFETY: all of it is delegated to the stack within.
unsafe impl Stack for OwnStack {
    fn base(&self) -> corosensei::stack::StackPointer {
        self.stack.base()
    }

    fn limit(&self) -> corosensei::stack::StackPointer {
        self.stack.limit()
    }

    #[cfg(windows)]
    fn teb_fields(&self) -> corosensei::stack::StackTebFields {
        self.stack.teb_fields()
    }

    #[cfg(windows)]
    fn update_teb_fields(&mut self, limit: usize, bytes: usize) {
        self.stack.update_teb_fields(limit, bytes);
    }
}

impl OwnStack {
    /// A stack of that size, if the system has the memory.
    fn new(size: usize) -> Option<OwnStack> {
        if size > isize::MAX as usize {
            return None;
        }
        let stack = DefaultStack::new(size).ok()?;
        let extent = Extent {
            base: stack.base().get(),
            limit: stack.limit().get(),
            size,
        };
        Some(OwnStack { stack, extent })
    }
}

/// The unused stacks.
#[derive(Default)]
pub struct Stacks(Vec<OwnStack>);

impl Stacks {
    /// A stack of the requested or the usual size. It has exactly that size, even if it is
    /// reused: a program that overflows its stack must do so in every run.
    ///
    /// # Errors
    ///
    /// If the system has no memory for it: the reason.
    pub fn take(&mut self, asked: Option<usize>) -> Result<OwnStack, String> {
        let size = size_for(asked);
        let known = (self.0.iter()).rposition(|stack| stack.extent.size == size);
        if let Some(known) = known {
            return Ok(self.0.swap_remove(known));
        }
        OwnStack::new(size).ok_or_else(|| {
            format!(
                "there is no memory for the stack of another thread, of {}",
                in_words(size)
            )
        })
    }

    pub fn give(&mut self, stack: OwnStack) {
        if self.0.len() < AT_MOST {
            self.0.push(stack);
        }
    }
}

/// A size in the largest unit in which it is a whole number.
pub fn in_words(size: usize) -> String {
    const UNITS: [(usize, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let mut units = UNITS.iter();
    match units.find(|(unit, _)| size > 0 && size.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", size / unit),
        None => format!("{size} bytes"),
    }
}

thread_local! {
    /// The stack of the model thread that has run last on this OS thread.
    static CURRENT: Cell<Extent> = const { Cell::new(Extent { base: 0, limit: 0, size: 0 }) };
}

/// Notes the stack of the thread that runs next.
#[inline]
pub fn turn_to(extent: Extent) {
    CURRENT.set(extent);
}

/// The size of the running model thread's stack, if the address lies beyond its end: then touching
/// that address means an overflow. Safe to call in signal handlers.
pub fn overflowed(address: usize) -> Option<usize> {
    let extent = CURRENT.get();
    let guard = extent.limit..extent.base - extent.size;
    guard.contains(&address).then_some(extent.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_as_large_as_it_was_asked_for() {
        let mut stacks = Stacks::default();
        let usual = stacks.take(None).expect("there is memory");
        let large = stacks.take(Some(8 << 20)).expect("there is memory");
        let where_it_was = large.extent;
        stacks.give(usual);
        stacks.give(large);
        let again = stacks.take(Some(8 << 20)).expect("there is memory");
        assert_eq!(again.extent, where_it_was);
        let small = stacks.take(Some(1)).expect("there is memory");
        assert_eq!(small.extent.size, SMALLEST);
    }

    #[test]
    fn the_environment_says_how_large_the_others_are() {
        let said = |text: &str| usual(Some(text.to_owned()));
        assert_eq!((usual(None), said("4194304")), (USUAL, 4 << 20));
        assert_eq!(said("4 MiB"), USUAL);
    }

    #[test]
    fn what_the_system_has_no_memory_for_is_said_with_its_size() {
        let mut stacks = Stacks::default();
        let why = stacks.take(Some(1 << 60)).err().expect("nobody has that");
        assert!(why.ends_with("1073741824 GiB"), "{why}");
        assert!(stacks.take(Some(usize::MAX)).is_err());
    }

    #[test]
    fn an_address_below_a_stack_is_an_overflow() {
        let stack = Stacks::default().take(None).expect("there is memory");
        let extent = stack.extent;
        turn_to(extent);
        assert_eq!(overflowed(extent.limit), Some(extent.size));
        assert_eq!(overflowed(extent.base - 8), None);
        assert_eq!(overflowed(extent.limit - 1), None);
    }
}
