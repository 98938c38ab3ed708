//! # Double-checked initialisation
//!
//! The settings are read from a file on first use. To lock on every use seems dear, so `get` looks at
//! a flag first, and takes the lock only while the flag is down. There it looks again: somebody else
//! may have been faster. Both checks are needed, and the first one needs more than a plain flag.
//!
//! **Where it happened.** Java programs did it for years before "The 'Double-Checked Locking is
//! Broken' Declaration" explained why it could not work there. once_cell published with `Relaxed`
//! (fixed in commit 0af68fb): writing the value under a lock gives no order to a reader that never
//! takes the lock.
//!
//! **Why.** A thread that takes the lock is ordered by it. On the fast path there is only the flag,
//! so the flag must give the order itself: `Release` when it is set, `Acquire` at the first check.
//! The second check is under the lock again, and can be `Relaxed`.
//!
//! **Who sees it.** The `Relaxed` flag: only a weak-memory or race checker, such as loom, Miri or
//! ThreadSanitizer. The missing second check: any tool that tries interleavings; both threads must
//! pass the first check before either locks. loom has no `OnceLock`, so it does not check that fix.

use super::sync::Arc;
use super::sync::atomic::{AtomicU64, Ordering::Relaxed};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// A setting that is read on first use.
pub trait Setting: Default + Send + Sync + 'static {
    /// The setting. Calls `read` if it has not been read yet.
    fn get(&self, read: impl FnOnce() -> u64) -> u64;
}

pub mod buggy {
    use super::super::cell::UnsafeCell;
    use super::super::sync::Mutex;
    use super::super::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[derive(Default)]
    pub struct Setting {
        value: UnsafeCell<u64>,
        ready: AtomicBool,
        reading: Mutex<()>,
    }

    // SAFETY: Would need every access to `value` to be ordered after the only write. That is false
    // for a thread that sees the flag without taking the lock.
    unsafe impl Sync for Setting {}

    impl Setting {
        fn value(&self) -> u64 {
            // SAFETY: Would need the write to have happened before. That is false on the fast path:
            // a Relaxed load that sees the flag synchronises with nothing.
            self.value.with(|value| unsafe { *value })
        }
    }

    impl super::Setting for Setting {
        fn get(&self, read: impl FnOnce() -> u64) -> u64 {
            if self.ready.load(Relaxed) {
                return self.value();
            }
            let _guard = self.reading.lock().unwrap();
            if !self.ready.load(Relaxed) {
                let read = read();
                // SAFETY: No other thread writes, since the lock is held and the flag was not set.
                // But others may read meanwhile, so this is false.
                self.value.with_mut(|value| unsafe { *value = read });
                self.ready.store(true, Relaxed);
            }
            self.value()
        }
    }
}

pub mod trap_single_check {
    use super::super::cell::UnsafeCell;
    use super::super::sync::Mutex;
    use super::super::sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    };

    #[derive(Default)]
    pub struct Setting {
        value: UnsafeCell<u64>,
        ready: AtomicBool,
        reading: Mutex<()>,
    }

    // SAFETY: Would need a single write to `value`. That is false: a thread that waited for the
    // lock writes again, and a third caller may read meanwhile. Two callers alone cannot do that.
    unsafe impl Sync for Setting {}

    impl Setting {
        fn value(&self) -> u64 {
            // SAFETY: Either the flag was seen, or the lock is held. Another write may follow the
            // flag, but not with the two callers of this scenario.
            self.value.with(|value| unsafe { *value })
        }
    }

    impl super::Setting for Setting {
        fn get(&self, read: impl FnOnce() -> u64) -> u64 {
            // Pairs with the store below.
            if self.ready.load(Acquire) {
                return self.value();
            }
            // By the time the lock is ours, another thread may have read the setting.
            let _guard = self.reading.lock().unwrap();
            let read = read();
            // SAFETY: No other thread writes, since the lock is held. Others may read once the flag
            // is set, but not with the two callers of this scenario.
            self.value.with_mut(|value| unsafe { *value = read });
            self.ready.store(true, Release); // Pairs with the load above.
            self.value()
        }
    }
}

pub mod fixed_release_acquire {
    use super::super::cell::UnsafeCell;
    use super::super::sync::Mutex;
    use super::super::sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Relaxed, Release},
    };

    #[derive(Default)]
    pub struct Setting {
        value: UnsafeCell<u64>,
        ready: AtomicBool,
        reading: Mutex<()>,
    }

    // SAFETY: `value` is written once, under the lock and before the flag is set, and read only
    // under the lock or after the flag was seen; Release and Acquire order the latter.
    unsafe impl Sync for Setting {}

    impl Setting {
        fn value(&self) -> u64 {
            // SAFETY: Only called once the flag was seen or under the lock, and so after the write.
            self.value.with(|value| unsafe { *value })
        }
    }

    impl super::Setting for Setting {
        fn get(&self, read: impl FnOnce() -> u64) -> u64 {
            // Pairs with the store below: a thread that sees the flag sees the value.
            if self.ready.load(Acquire) {
                return self.value();
            }
            let _guard = self.reading.lock().unwrap();
            // The second check. Relaxed is enough: the flag only changes under the lock.
            if !self.ready.load(Relaxed) {
                let read = read();
                // SAFETY: No other thread writes, since the lock is held and the flag was not set;
                // and none reads before the flag is set.
                self.value.with_mut(|value| unsafe { *value = read });
                self.ready.store(true, Release); // Pairs with the first load.
            }
            self.value()
        }
    }
}

pub mod fixed_once_lock {
    use super::super::sync::OnceLock;

    #[derive(Default)]
    pub struct Setting {
        value: OnceLock<u64>,
    }

    impl super::Setting for Setting {
        fn get(&self, read: impl FnOnce() -> u64) -> u64 {
            // Does the same, and is tested by more people.
            *self.value.get_or_init(read)
        }
    }
}

pub mod fixed_mutex {
    use super::super::sync::Mutex;

    #[derive(Default)]
    pub struct Setting {
        value: Mutex<Option<u64>>,
    }

    impl super::Setting for Setting {
        fn get(&self, read: impl FnOnce() -> u64) -> u64 {
            // No fast path, so nothing to get wrong. Often this is fast enough.
            *self.value.lock().unwrap().get_or_insert_with(read)
        }
    }
}

/// The setting, and how often it was read from the file.
struct Settings<S> {
    language: S,
    reads: AtomicU64,
}

impl<S: Setting> Settings<S> {
    fn language(&self) -> u64 {
        self.language.get(|| {
            self.reads.fetch_add(1, Relaxed);
            42
        })
    }
}

/// Two threads need the setting, for the first time.
fn scenario<S: Setting>() -> String {
    let settings = Arc::new(Settings {
        language: S::default(),
        reads: AtomicU64::new(0),
    });
    let worker = thread::Builder::new()
        .name("worker".into())
        .spawn({
            let settings = Arc::clone(&settings);
            move || settings.language()
        })
        .unwrap();
    let mains = settings.language();
    let workers = worker.join().unwrap();
    match (mains, workers, settings.reads.load(Relaxed)) {
        (42, 42, 1) => "read once".into(),
        (42, 42, 2) => "read twice".into(),
        (mains, workers, reads) => format!("{mains} and {workers} after {reads} reads"),
    }
}

/// All use one setting: one first use, and then many more.
fn workload<S: Setting>() -> Workload {
    Workload::new(
        Settings {
            language: S::default(),
            reads: AtomicU64::new(0),
        },
        |settings, _| assert_eq!(settings.language(), 42),
        |settings, uses| assert_eq!(settings.reads.load(Relaxed), uses.min(1)),
    )
}

pub const BUG: Bug = Bug {
    name: "double-checked-init",
    shape: Shape::StaleVisibility,
    scale: Scale::Threads,
    summary: "the fast path without the lock reads a value that may not be there yet",
    file: file!(),
    source: include_str!("double_checked_init.rs"),
    references: &[
        "D. Bacon et al., The 'Double-Checked Locking is Broken' Declaration: \
         https://www.cs.umd.edu/~pugh/java/memoryModel/DoubleCheckedLocking.html",
        "S. Meyers and A. Alexandrescu, C++ and the Perils of Double-Checked Locking (2004)",
        "once_cell, commit 0af68fb: https://github.com/matklad/once_cell/commit/0af68fb",
    ],
    outcomes: &[
        Outcome::acceptable("read once", "the second thread found the setting"),
        Outcome::forbidden(
            "read twice",
            "both passed the first check, and neither checked again under the lock",
        ),
        Outcome::forbidden(
            "data race",
            "the fast path reads the value, and nothing orders that after the write",
        ),
    ],
    schedule: "Main takes the lock, writes the value and sets the flag. The worker sees the flag, \
               takes no lock, and reads a value that nothing has made visible to it.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::DATA_RACE,
            "two checks, and a flag that orders nothing",
            scenario::<buggy::Setting>,
        )
        .undefined("a Relaxed flag orders nothing, so the value is read while it is written"),
        Variant::trap(
            "trap_single_check",
            Expected::outcome("read twice"),
            "the right orderings, but no second check under the lock",
            scenario::<trap_single_check::Setting>,
        )
        .workload(workload::<trap_single_check::Setting>),
        Variant::fixed(
            "fixed_release_acquire",
            "Release when the flag is set, Acquire at the first check, a second check under the lock",
            scenario::<fixed_release_acquire::Setting>,
        )
        .workload(workload::<fixed_release_acquire::Setting>),
        Variant::fixed(
            "fixed_once_lock",
            "the standard library's double-checked initialisation",
            scenario::<fixed_once_lock::Setting>,
        )
        .workload(workload::<fixed_once_lock::Setting>),
        Variant::fixed(
            "fixed_mutex",
            "the lock on every use",
            scenario::<fixed_mutex::Setting>,
        )
        .workload(workload::<fixed_mutex::Setting>),
    ],
};
