//! # ABA
//!
//! Free buffers lie on a stack: A on B. Main wants A: it notes that B comes next, and is about to
//! swap the top from A to B. Meanwhile another thread takes A, takes B, and puts A back. The top is
//! A again, so main's swap succeeds, and puts B on top: a buffer that is in use.
//!
//! **Where it happened.** The manual of the IBM System/370, where the instruction comes from,
//! warned of it. std's `ReentrantLock` identified its owner by the address of a thread-local, and a
//! later thread can get the same address (rust#123458). SBCL's condition variable mistook a new
//! token for an old one, because the two compared equal.
//!
//! **Why.** `compare_exchange` compares a name. Main means "if nothing has happened since", and asks
//! "is the top called A?". Looking once more before the swap asks the same question. A version beside
//! the name tells the two A apart.
//!
//! **Who sees it.** Any tool that tries interleavings: a single preemption, but one in which the other
//! thread gets through three calls, which stress hardly ever hits. Race detectors see nothing: every
//! access is atomic.

use super::sync::Arc;
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// The buffers, by number.
pub const A: usize = 0;
pub const B: usize = 1;

/// Up to two free buffers. At first both are free, with A on top of B.
pub trait FreeList: Default + Send + Sync + 'static {
    /// Takes a free buffer, if there is one.
    fn pop(&self) -> Option<usize>;
    /// Gives back a buffer that was popped.
    fn push(&self, buffer: usize);
}

pub mod buggy {
    use super::super::sync::atomic::{
        AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    };
    use super::{A, B};

    /// Stands for "no buffer".
    const NONE: usize = usize::MAX;

    pub struct FreeList {
        top: AtomicUsize,
        /// For each buffer, the one below it.
        next: [AtomicUsize; 2],
    }

    impl Default for FreeList {
        fn default() -> Self {
            FreeList {
                top: AtomicUsize::new(A),
                next: [AtomicUsize::new(B), AtomicUsize::new(NONE)],
            }
        }
    }

    impl super::FreeList for FreeList {
        fn pop(&self) -> Option<usize> {
            loop {
                let top = self.top.load(Acquire); // Pairs with the exchange in `push`.
                if top == NONE {
                    return None;
                }
                let next = self.next[top].load(Relaxed);
                // Succeeds whenever the top is A again, even if `next` is no longer right.
                if self
                    .top
                    .compare_exchange(top, next, Relaxed, Relaxed)
                    .is_ok()
                {
                    return Some(top);
                }
            }
        }

        fn push(&self, buffer: usize) {
            loop {
                let top = self.top.load(Relaxed);
                self.next[buffer].store(top, Relaxed);
                // Pairs with the load in `pop`.
                if self
                    .top
                    .compare_exchange(top, buffer, Release, Relaxed)
                    .is_ok()
                {
                    return;
                }
            }
        }
    }
}

pub mod trap_look_again {
    use super::super::sync::atomic::{
        AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    };
    use super::{A, B};

    /// Stands for "no buffer".
    const NONE: usize = usize::MAX;

    pub struct FreeList {
        top: AtomicUsize,
        /// For each buffer, the one below it.
        next: [AtomicUsize; 2],
    }

    impl Default for FreeList {
        fn default() -> Self {
            FreeList {
                top: AtomicUsize::new(A),
                next: [AtomicUsize::new(B), AtomicUsize::new(NONE)],
            }
        }
    }

    impl super::FreeList for FreeList {
        fn pop(&self) -> Option<usize> {
            loop {
                let top = self.top.load(Acquire); // Pairs with the exchange in `push`.
                if top == NONE {
                    return None;
                }
                let next = self.next[top].load(Relaxed);
                // The top may have changed and changed back by now, or do so after this load.
                if self.top.load(Acquire) != top {
                    continue;
                }
                if self
                    .top
                    .compare_exchange(top, next, Relaxed, Relaxed)
                    .is_ok()
                {
                    return Some(top);
                }
            }
        }

        fn push(&self, buffer: usize) {
            loop {
                let top = self.top.load(Relaxed);
                self.next[buffer].store(top, Relaxed);
                // Pairs with the load in `pop`.
                if self
                    .top
                    .compare_exchange(top, buffer, Release, Relaxed)
                    .is_ok()
                {
                    return;
                }
            }
        }
    }
}

pub mod fixed_version {
    use super::super::sync::atomic::{
        AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    };
    use super::{A, B};

    /// Stands for "no buffer": the highest number that fits beside the version.
    const NONE: usize = 0xff;

    pub struct FreeList {
        /// The number of the topmost buffer in the lowest byte, and above it a version that grows
        /// with every push.
        top: AtomicUsize,
        /// For each buffer, the one below it.
        next: [AtomicUsize; 2],
    }

    impl Default for FreeList {
        fn default() -> Self {
            FreeList {
                top: AtomicUsize::new(A),
                next: [AtomicUsize::new(B), AtomicUsize::new(NONE)],
            }
        }
    }

    impl super::FreeList for FreeList {
        fn pop(&self) -> Option<usize> {
            loop {
                // Pairs with the exchange in `push`: a thread that sees the buffer on top sees what
                // lies below it. A pop in between breaks nothing, since it passes the release on.
                let top = self.top.load(Acquire);
                let (version, buffer) = (top >> 8, top & 0xff);
                if buffer == NONE {
                    return None;
                }
                let next = version << 8 | self.next[buffer].load(Relaxed);
                // A buffer that was pushed meanwhile has raised the version, and this fails.
                if self
                    .top
                    .compare_exchange(top, next, Relaxed, Relaxed)
                    .is_ok()
                {
                    return Some(buffer);
                }
            }
        }

        fn push(&self, buffer: usize) {
            loop {
                let top = self.top.load(Relaxed);
                self.next[buffer].store(top & 0xff, Relaxed);
                let pushed = ((top >> 8) + 1) << 8 | buffer;
                // Pairs with the load in `pop`.
                if self
                    .top
                    .compare_exchange(top, pushed, Release, Relaxed)
                    .is_ok()
                {
                    return;
                }
            }
        }
    }
}

pub mod fixed_mutex {
    use super::super::sync::Mutex;
    use super::{A, B};

    pub struct FreeList {
        buffers: Mutex<Vec<usize>>,
    }

    impl Default for FreeList {
        fn default() -> Self {
            FreeList {
                buffers: Mutex::new(vec![B, A]),
            }
        }
    }

    impl super::FreeList for FreeList {
        fn pop(&self) -> Option<usize> {
            // Nothing happens between reading the top and taking it.
            self.buffers.lock().unwrap().pop()
        }

        fn push(&self, buffer: usize) {
            self.buffers.lock().unwrap().push(buffer);
        }
    }
}

/// Main takes a buffer. Another thread takes two and gives the first one back.
fn scenario<F: FreeList>() -> String {
    let free = Arc::new(F::default());
    let other = thread::Builder::new()
        .name("other user".into())
        .spawn({
            let free = Arc::clone(&free);
            move || {
                let first = free.pop();
                let second = free.pop();
                if let Some(first) = first {
                    free.push(first);
                }
                second
            }
        })
        .unwrap();
    let mains = free.pop();
    let others = other.join().unwrap();
    // Each buffer now belongs to main, to the other user, or to the list, and to one of them only.
    let owners = [mains, others, free.pop(), free.pop()];
    let count = |buffer| {
        owners
            .iter()
            .filter(|owned| **owned == Some(buffer))
            .count()
    };
    match (count(A), count(B)) {
        (1, 1) => "one owner each".into(),
        (1, 2) => "B has two owners".into(),
        (a, b) => format!("A has {a} owners, B has {b}"),
    }
}

/// All take buffers from one list and give them back. More than two threads may find it empty.
fn workload<F: FreeList>() -> Workload {
    Workload::new(
        F::default(),
        |free, _| {
            if let Some(buffer) = free.pop() {
                free.push(buffer);
            }
        },
        |free, _| {
            // Both are on the list once, in either order.
            let found = [free.pop(), free.pop(), free.pop()];
            assert!(
                matches!(found, [Some(A), Some(B), None] | [Some(B), Some(A), None]),
                "the list held {found:?}"
            );
            free.push(B);
            free.push(A);
        },
    )
}

pub const BUG: Bug = Bug {
    name: "aba",
    shape: Shape::IdentityReuse,
    scale: Scale::Threads,
    summary: "the top of the stack is A again, but the stack below it has changed",
    file: file!(),
    source: include_str!("aba.rs"),
    references: &[
        "R. K. Treiber, Systems Programming: Coping with Parallelism (IBM RJ 5118, 1986)",
        "rust#123458: https://github.com/rust-lang/rust/issues/123458, fixed in rust#124881",
    ],
    outcomes: &[
        Outcome::acceptable("one owner each", "every buffer was handed out once"),
        Outcome::forbidden(
            "B has two owners",
            "main's swap put B back on the list while the other user still had it",
        ),
    ],
    schedule: "Main reads the top, A, and what is next, B. The other user pops A, pops B, and pushes A. \
               Main's exchange finds A on top and makes B the new top.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("B has two owners"),
            "compares only the name of the top",
            scenario::<buggy::FreeList>,
        )
        .workload(workload::<buggy::FreeList>),
        Variant::trap(
            "trap_look_again",
            Expected::outcome("B has two owners"),
            "a second look at the name sees the same name",
            scenario::<trap_look_again::FreeList>,
        )
        .workload(workload::<trap_look_again::FreeList>),
        Variant::fixed(
            "fixed_version",
            "a version beside the name, raised by every push",
            scenario::<fixed_version::FreeList>,
        )
        .workload(workload::<fixed_version::FreeList>),
        Variant::fixed(
            "fixed_mutex",
            "a lock around reading the top and taking it",
            scenario::<fixed_mutex::FreeList>,
        )
        .workload(workload::<fixed_mutex::FreeList>),
    ],
};
