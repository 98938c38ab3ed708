//! # Reference cycle The two ends of a chat each own the other, to
//! be able to say goodbye. Both leave, and no one else knows either
//! of them any more. Neither is freed: each is still owned by the
//! other.
//!
//! **Where it happened.** Weeks before Rust 1.0 it turned out that a reference cycle could leak the
//! guard that made scoped threads be joined (rust#24292). Since then no code may rely on a
//! destructor for memory safety; a cycle is safe, and a leak.
//!
//! **Why.** A reference count falls to zero when the last owner lets go. In a cycle the last owners
//! are inside. Either one direction must not own, or one side must surely cut the cycle. "The last
//! one out cuts it" needs agreement on who is last, and two separate checks give none.
//!
//! **Who sees it.** A leak checker: Miri's, LeakSanitizer. The cycle itself leaks in every run; the
//! trap only if both leave at once, so there it takes the interleaving as well. loom looks for leaks
//! too, but loom has no `Weak`, so it is not asked here.

use super::sync::Arc;
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// One end of a chat.
pub trait Peer: Sized + Send + Sync + 'static {
    /// Two ends that know each other.
    fn pair() -> (Arc<Self>, Arc<Self>);
    /// Says goodbye to the other end.
    fn leave(&self);
    /// How many goodbyes this end has heard.
    fn goodbyes(&self) -> u64;
}

pub mod buggy {
    use super::super::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use super::super::sync::{Arc, Mutex};

    #[derive(Default)]
    pub struct Peer {
        partner: Mutex<Option<Arc<Peer>>>,
        goodbyes: AtomicU64,
    }

    impl super::Peer for Peer {
        fn pair() -> (Arc<Self>, Arc<Self>) {
            let ann = Arc::new(Peer::default());
            let bob = Arc::new(Peer::default());
            *ann.partner.lock().unwrap() = Some(Arc::clone(&bob));
            *bob.partner.lock().unwrap() = Some(Arc::clone(&ann));
            (ann, bob)
        }

        fn leave(&self) {
            // Says goodbye, but keeps the other end.
            if let Some(partner) = &*self.partner.lock().unwrap() {
                partner.goodbyes.fetch_add(1, Relaxed);
            }
        }

        fn goodbyes(&self) -> u64 {
            self.goodbyes.load(Relaxed)
        }
    }
}

pub mod trap_last_one_out {
    use super::super::sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    };
    use super::super::sync::{Arc, Mutex};

    #[derive(Default)]
    pub struct Peer {
        partner: Mutex<Option<Arc<Peer>>>,
        left: AtomicBool,
        goodbyes: AtomicU64,
    }

    impl super::Peer for Peer {
        fn pair() -> (Arc<Self>, Arc<Self>) {
            let ann = Arc::new(Peer::default());
            let bob = Arc::new(Peer::default());
            *ann.partner.lock().unwrap() = Some(Arc::clone(&bob));
            *bob.partner.lock().unwrap() = Some(Arc::clone(&ann));
            (ann, bob)
        }

        fn leave(&self) {
            let Some(partner) = self.partner.lock().unwrap().clone() else {
                return;
            };
            partner.goodbyes.fetch_add(1, Relaxed);
            // The last one out cuts the cycle. If both check before either has left, neither is last.
            if partner.left.load(Acquire) {
                *self.partner.lock().unwrap() = None;
            }
            self.left.store(true, Release); // Pairs with the load in the other's `leave`.
        }

        fn goodbyes(&self) -> u64 {
            self.goodbyes.load(Relaxed)
        }
    }
}

pub mod fixed_weak {
    use super::super::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use super::super::sync::{Arc, Mutex, Weak};

    #[derive(Default)]
    pub struct Peer {
        /// Knows the other end and does not own it: each end belongs to its user.
        partner: Mutex<Option<Weak<Peer>>>,
        goodbyes: AtomicU64,
    }

    impl super::Peer for Peer {
        fn pair() -> (Arc<Self>, Arc<Self>) {
            let ann = Arc::new(Peer::default());
            let bob = Arc::new(Peer::default());
            *ann.partner.lock().unwrap() = Some(Arc::downgrade(&bob));
            *bob.partner.lock().unwrap() = Some(Arc::downgrade(&ann));
            (ann, bob)
        }

        fn leave(&self) {
            // The price: the other end may be gone, and every use must check.
            let partner = self
                .partner
                .lock()
                .unwrap()
                .as_ref()
                .and_then(Weak::upgrade);
            if let Some(partner) = partner {
                partner.goodbyes.fetch_add(1, Relaxed);
            }
        }

        fn goodbyes(&self) -> u64 {
            self.goodbyes.load(Relaxed)
        }
    }
}

pub mod fixed_let_go {
    use super::super::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use super::super::sync::{Arc, Mutex};

    #[derive(Default)]
    pub struct Peer {
        partner: Mutex<Option<Arc<Peer>>>,
        goodbyes: AtomicU64,
    }

    impl super::Peer for Peer {
        fn pair() -> (Arc<Self>, Arc<Self>) {
            let ann = Arc::new(Peer::default());
            let bob = Arc::new(Peer::default());
            *ann.partner.lock().unwrap() = Some(Arc::clone(&bob));
            *bob.partner.lock().unwrap() = Some(Arc::clone(&ann));
            (ann, bob)
        }

        fn leave(&self) {
            // Lets go of the other end, whatever that one does. One cut is enough, and two do no
            // harm. The price: an end that forgets to leave leaks both.
            let partner = self.partner.lock().unwrap().take();
            if let Some(partner) = partner {
                partner.goodbyes.fetch_add(1, Relaxed);
            }
        }

        fn goodbyes(&self) -> u64 {
            self.goodbyes.load(Relaxed)
        }
    }
}

/// Main is Ann. She and Bob leave at the same time.
fn scenario<P: Peer>() -> String {
    let (ann, bob) = P::pair();
    let bob = thread::Builder::new()
        .name("Bob".into())
        .spawn(move || bob.leave())
        .unwrap();
    ann.leave();
    bob.join().unwrap();
    "both left".into()
}

/// A short chat: both leave, and are freed.
///
/// A chat is over once both have left, so every thread has its own chats: they share nothing but
/// the allocator.
fn workload<P: Peer>() -> Workload {
    Workload::new(
        (),
        |(), _| {
            // All ends are gone and cannot be asked, so one more chat is watched from outside.
            let (ann, bob) = P::pair();
            ann.leave();
            bob.leave();
            assert_eq!(ann.goodbyes() + bob.goodbyes(), 2);
        },
        |(), _| {
            // All ends are gone and cannot be asked, so one more chat is watched from outside.
            let (ann, bob) = P::pair();
            ann.leave();
            bob.leave();
            let memory = [Arc::downgrade(&ann), Arc::downgrade(&bob)];
            drop((ann, bob));
            assert!(memory.iter().all(|peer| peer.upgrade().is_none()), "a leak");
        },
    )
}

pub const BUG: Bug = Bug {
    name: "reference-cycle",
    shape: Shape::Leak,
    scale: Scale::Threads,
    summary: "two ends of a chat own each other, and outlive everyone else who used them",
    file: file!(),
    source: include_str!("reference_cycle.rs"),
    references: &[
        "rust#24292: https://github.com/rust-lang/rust/issues/24292",
        "The Rust Programming Language, chapter 15: Reference Cycles Can Leak Memory",
    ],
    outcomes: &[
        Outcome::acceptable("both left", "both ends were freed"),
        Outcome::forbidden("leak", "each end of the chat is still held by the other"),
    ],
    schedule: "Any. Both say goodbye and leave, and each is still held by the other.",
    variants: &[
        // No workload: every chat would stay in memory.
        Variant::buggy(
            "buggy",
            Expected::LEAK,
            "each end owns the other",
            scenario::<buggy::Peer>,
        ),
        Variant::trap(
            "trap_last_one_out",
            Expected::LEAK,
            "the last one out cuts the cycle, unless each thinks that the other is the last",
            scenario::<trap_last_one_out::Peer>,
        )
        .workload(workload::<trap_last_one_out::Peer>),
        Variant::fixed(
            "fixed_weak",
            "each end knows the other without owning it",
            scenario::<fixed_weak::Peer>,
        )
        .workload(workload::<fixed_weak::Peer>),
        Variant::fixed(
            "fixed_let_go",
            "an end that leaves lets go of the other",
            scenario::<fixed_let_go::Peer>,
        )
        .workload(workload::<fixed_let_go::Peer>),
    ],
};
