//! # Unsafe publication
//!
//! Main puts a letter into the box and raises the flag. The owner sees the flag up, opens the box,
//! and reads. In source order that is safe. But nothing in the program makes the compiler and the
//! memory system keep that order.
//!
//! **Where it happened.** once_cell published its value through a `Relaxed` pointer (fixed in
//! commit 0af68fb). The lock of the crate spin unlocked with a `Relaxed` store (RUSTSEC-2019-0013),
//! so the next owner might not see what the last one wrote.
//!
//! **Why.** A `Relaxed` flag carries its own value and nothing else. `Release` says "whoever sees this
//! sees what I did before", `Acquire` says "I am someone who looks". One without the other is none.
//!
//! **Who sees it.** No interleaving shows it: the letter is always written before the flag. On x86
//! stores become visible in order, so a test there only fails when the compiler reorders. loom,
//! Miri and ThreadSanitizer report the data race itself, as soon as one run reads the letter. loom
//! has no `OnceLock`, so it does not check that fix.

use super::sync::Arc;
use super::{hint, thread};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// A box for one letter.
pub trait Mailbox: Default + Send + Sync + 'static {
    /// Puts the letter in and raises the flag.
    ///
    /// # Safety
    ///
    /// At most one letter is ever put into a box.
    unsafe fn deliver(&self, letter: u64);
    /// The letter, if the flag is up.
    fn look(&self) -> Option<u64>;
}

pub mod buggy {
    use super::super::cell::UnsafeCell;
    use super::super::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[derive(Default)]
    pub struct Mailbox {
        letter: UnsafeCell<u64>,
        flag: AtomicBool,
    }

    // SAFETY: Would need the letter to be written before it is read. That is false: the flag does
    // not order the two.
    unsafe impl Sync for Mailbox {}

    impl super::Mailbox for Mailbox {
        unsafe fn deliver(&self, letter: u64) {
            // SAFETY: Only one write, by contract. But it may be read meanwhile: false.
            self.letter.with_mut(|place| unsafe { *place = letter });
            self.flag.store(true, Relaxed);
        }

        fn look(&self) -> Option<u64> {
            // SAFETY: Would need the write to have happened before. That is false: a Relaxed load
            // that sees the flag synchronises with nothing.
            let read = || self.letter.with(|place| unsafe { *place });
            self.flag.load(Relaxed).then(read)
        }
    }
}

pub mod trap_release_only {
    use super::super::cell::UnsafeCell;
    use super::super::sync::atomic::{
        AtomicBool,
        Ordering::{Relaxed, Release},
    };

    #[derive(Default)]
    pub struct Mailbox {
        letter: UnsafeCell<u64>,
        flag: AtomicBool,
    }

    // SAFETY: Would need the letter to be written before it is read. That is false: only one side
    // of the flag does its part in ordering the two.
    unsafe impl Sync for Mailbox {}

    impl super::Mailbox for Mailbox {
        unsafe fn deliver(&self, letter: u64) {
            // SAFETY: Only one write, by contract. But it may be read meanwhile: false.
            self.letter.with_mut(|place| unsafe { *place = letter });
            // Pairs with nothing: `look` does not acquire.
            self.flag.store(true, Release);
        }

        fn look(&self) -> Option<u64> {
            // SAFETY: Would need the write to have happened before. That is false: without Acquire
            // this load does not synchronise with the store it sees.
            let read = || self.letter.with(|place| unsafe { *place });
            self.flag.load(Relaxed).then(read)
        }
    }
}

pub mod fixed_release_acquire {
    use super::super::cell::UnsafeCell;
    use super::super::sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    };

    #[derive(Default)]
    pub struct Mailbox {
        letter: UnsafeCell<u64>,
        flag: AtomicBool,
    }

    // SAFETY: The letter is written once, before the flag is raised, and read only after the flag
    // was seen; Release and Acquire on the flag order the two.
    unsafe impl Sync for Mailbox {}

    impl super::Mailbox for Mailbox {
        unsafe fn deliver(&self, letter: u64) {
            // SAFETY: Only one write, by contract, and no read before the flag is up.
            self.letter.with_mut(|place| unsafe { *place = letter });
            self.flag.store(true, Release); // Pairs with the load in `look`.
        }

        fn look(&self) -> Option<u64> {
            // SAFETY: Only called once the flag was seen, and so after the only write.
            let read = || self.letter.with(|place| unsafe { *place });
            self.flag.load(Acquire).then(read) // Pairs with the store in `deliver`.
        }
    }
}

pub mod fixed_fences {
    use super::super::cell::UnsafeCell;
    use super::super::sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    };

    #[derive(Default)]
    pub struct Mailbox {
        letter: UnsafeCell<u64>,
        flag: AtomicBool,
    }

    // SAFETY: The letter is written once, before the flag is raised, and read only after the flag
    // was seen; the two fences order the two.
    unsafe impl Sync for Mailbox {}

    impl super::Mailbox for Mailbox {
        unsafe fn deliver(&self, letter: u64) {
            // SAFETY: Only one write, by contract, and no read before the flag is up.
            self.letter.with_mut(|place| unsafe { *place = letter });
            fence(Release); // Pairs with the fence in `look`, by way of the flag.
            self.flag.store(true, Relaxed);
        }

        fn look(&self) -> Option<u64> {
            // If there is no mail, which is the usual case, no fence is paid for.
            if !self.flag.load(Relaxed) {
                return None;
            }
            fence(Acquire); // Pairs with the fence in `deliver`, by way of the flag.
            // SAFETY: The flag was seen and the fence passed, so the only write is over.
            Some(self.letter.with(|place| unsafe { *place }))
        }
    }
}

pub mod fixed_once_lock {
    use super::super::sync::OnceLock;

    #[derive(Default)]
    pub struct Mailbox {
        letter: OnceLock<u64>,
    }

    impl super::Mailbox for Mailbox {
        unsafe fn deliver(&self, letter: u64) {
            // A second letter would be rejected, so the contract is not even needed.
            let first = self.letter.set(letter).is_ok();
            debug_assert!(first, "the box is full");
        }

        fn look(&self) -> Option<u64> {
            self.letter.get().copied()
        }
    }
}

/// Main brings a letter while the owner of the box looks for mail.
fn scenario<M: Mailbox>() -> String {
    let mailbox = Arc::new(M::default());
    let owner = thread::Builder::new()
        .name("owner".into())
        .spawn({
            let mailbox = Arc::clone(&mailbox);
            move || mailbox.look()
        })
        .unwrap();
    // SAFETY: The only letter.
    unsafe { mailbox.deliver(42) };
    let seen = owner.join().unwrap();
    match seen {
        None => "no mail yet".into(),
        Some(letter) => format!("letter {letter}"),
    }
}

/// A new box for every letter: a look that finds nothing, a delivery, and a look that finds it.
///
/// A box is for one letter, so every thread has its own boxes: they share nothing.
fn workload<M: Mailbox>() -> Workload {
    Workload::new(
        (),
        |(), step| {
            let mailbox = M::default();
            // The compiler must not see that no other thread uses the box.
            let mailbox = hint::black_box(&mailbox);
            assert_eq!(mailbox.look(), None);
            // SAFETY: The only letter for this box.
            unsafe { mailbox.deliver(step.number) };
            assert_eq!(mailbox.look(), Some(step.number));
        },
        |(), _| (),
    )
}

pub const BUG: Bug = Bug {
    name: "unsafe-publication",
    shape: Shape::StaleVisibility,
    scale: Scale::Threads,
    summary: "the flag is up, but the letter it announces may not be visible yet",
    file: file!(),
    source: include_str!("unsafe_publication.rs"),
    references: &[
        "once_cell, commit 0af68fb: https://github.com/matklad/once_cell/commit/0af68fb",
        "RUSTSEC-2019-0013, spin: https://rustsec.org/advisories/RUSTSEC-2019-0013.html",
        "M. Bos, Rust Atomics and Locks (2023), chapter 3: Release and Acquire Ordering",
    ],
    outcomes: &[
        Outcome::acceptable("no mail yet", "the owner looked before the flag was up"),
        Outcome::acceptable("letter 42", "the flag was up and the letter was there"),
        Outcome::forbidden(
            "data race",
            "the owner reads the letter, and nothing orders that after main's write",
        ),
    ],
    schedule: "Main writes the letter and raises the flag. The owner sees the flag and reads the \
               letter, but nothing has made the write visible to that thread.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::DATA_RACE,
            "a Relaxed flag",
            scenario::<buggy::Mailbox>,
        )
        .undefined("a Relaxed flag orders nothing, so the letter is read while it is written"),
        Variant::trap(
            "trap_release_only",
            Expected::DATA_RACE,
            "the store releases, but the load does not acquire",
            scenario::<trap_release_only::Mailbox>,
        )
        .undefined("without Acquire the letter may be read while it is written"),
        Variant::fixed(
            "fixed_release_acquire",
            "the store releases, the load acquires",
            scenario::<fixed_release_acquire::Mailbox>,
        )
        .workload(workload::<fixed_release_acquire::Mailbox>),
        Variant::fixed(
            "fixed_fences",
            "two fences; the reader pays for its fence only when there is mail",
            scenario::<fixed_fences::Mailbox>,
        )
        .workload(workload::<fixed_fences::Mailbox>),
        Variant::fixed(
            "fixed_once_lock",
            "the standard library's own box for one letter, without unsafe code",
            scenario::<fixed_once_lock::Mailbox>,
        )
        .workload(workload::<fixed_once_lock::Mailbox>),
    ],
};
