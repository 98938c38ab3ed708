//! Many reads, few writes: what such strategies have in common, and the programs that prove them.

use super::cell::UnsafeCell;
use super::sync::Arc;
use super::thread;
use heisenbug_catalogue::Outcome;

/// A value that is often read and rarely written.
pub trait ReadMostly<T>: Send + Sync + 'static {
    fn new(value: T) -> Self;

    /// Shows `look` the value as one of the writes left it.
    fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R;

    /// Waits until no other thread writes, and lets `change` change the value.
    fn write(&self, change: impl FnOnce(&mut T));

    /// The value, from its only owner.
    fn into_inner(self) -> T;
}

/// A reader-writer lock without a value.
///
/// # Safety
///
/// While `hold_exclusive` runs a closure, no other closure runs. An exclusive closure happens before all
/// closures that begin later, and all that ended earlier happen before it.
pub unsafe trait RawRwLock: Default + Send + Sync + 'static {
    /// Waits until no `hold_exclusive` runs, and runs `look`, possibly together with others.
    fn hold_shared<R>(&self, look: impl FnOnce() -> R) -> R;

    /// Waits until no other closure runs, and runs `change`.
    fn hold_exclusive<R>(&self, change: impl FnOnce() -> R) -> R;
}

/// A reader-writer lock and the value it protects.
#[derive(Default)]
pub struct RwLocked<L, T> {
    lock: L,
    value: UnsafeCell<T>,
}

// SAFETY: `read` and `write` are the only access to the value. Several threads at a time only get a
// `&T`, which `T: Sync` allows; a thread that gets a `&mut T` has exclusive access, and may send it.
unsafe impl<L: RawRwLock, T: Send + Sync> Sync for RwLocked<L, T> {}
// SAFETY: the owner of the lock owns the value.
unsafe impl<L: RawRwLock, T: Send> Send for RwLocked<L, T> {}

impl<L: RawRwLock, T: Send + Sync + 'static> ReadMostly<T> for RwLocked<L, T> {
    #[inline]
    fn new(value: T) -> Self {
        RwLocked {
            lock: L::default(),
            value: UnsafeCell::new(value),
        }
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.lock.hold_shared(|| {
            self.value.with(|value| {
                // SAFETY: no exclusive closure runs, so no thread writes.
                look(unsafe { &*value })
            })
        })
    }

    #[inline]
    fn write(&self, change: impl FnOnce(&mut T)) {
        self.lock.hold_exclusive(|| {
            self.value.with_mut(|value| {
                // SAFETY: no other closure runs.
                change(unsafe { &mut *value })
            })
        })
    }

    fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

/// Two words that belong together: every write leaves them equal.
pub type Pair = [u64; 2];

/// The outcomes of the programs below.
pub const OUTCOMES: &[Outcome] = &[
    Outcome::acceptable("whole", "every read saw what one write had left"),
    Outcome::acceptable("2 of 2 written", "no other thread came in between"),
    Outcome::acceptable("4 of 4 written", "no other thread came in between"),
    Outcome::forbidden("1 of 2 written", "a write was overwritten"),
    Outcome::forbidden(
        "torn",
        "one word is from before a write and the other from after it",
    ),
    Outcome::forbidden("backwards", "a later read saw an older value"),
    Outcome::forbidden("data race", "a thread read what another one was writing"),
    Outcome::forbidden("deadlock", "a thread waits that will never be woken"),
];

/// Main writes `WRITES` times, and another thread reads `READS` times.
pub fn writer_and_reader<L: ReadMostly<Pair>, const WRITES: u64, const READS: u64>() -> String {
    let pair = Arc::new(L::new([0, 0]));
    let reader = start(&pair, |pair| read::<L, READS>(pair, 0));
    write::<L, WRITES>(&pair);
    reader.join().unwrap().into()
}

/// Two threads that write `TIMES` times each.
pub fn two_writers<L: ReadMostly<Pair>, const TIMES: u64>() -> String {
    let pair = Arc::new(L::new([0, 0]));
    let other = start(&pair, write::<L, TIMES>);
    write::<L, TIMES>(&pair);
    other.join().unwrap();
    written(pair, 2 * TIMES)
}

/// Main writes once. Another thread does too, and then reads.
pub fn writer_and_writing_reader<L: ReadMostly<Pair>>() -> String {
    let pair = Arc::new(L::new([0, 0]));
    let other = start(&pair, |pair| {
        write::<L, 1>(pair);
        read::<L, 1>(pair, 1)
    });
    write::<L, 1>(&pair);
    match other.join().unwrap() {
        "whole" => written(pair, 2),
        seen => seen.into(),
    }
}

/// Main writes once, and two other threads read once each.
pub fn writer_and_two_readers<L: ReadMostly<Pair>>() -> String {
    let pair = Arc::new(L::new([0, 0]));
    let readers = [(); 2].map(|()| start(&pair, |pair| read::<L, 1>(pair, 0)));
    write::<L, 1>(&pair);
    let seen = readers.map(|reader| reader.join().unwrap());
    seen.into_iter()
        .find(|&seen| seen != "whole")
        .unwrap_or("whole")
        .into()
}

/// Main and another thread write once each, and a third thread reads `READS` times.
pub fn two_writers_and_reader<L: ReadMostly<Pair>, const READS: u64>() -> String {
    let pair = Arc::new(L::new([0, 0]));
    let other = start(&pair, write::<L, 1>);
    let reader = start(&pair, |pair| read::<L, READS>(pair, 0));
    write::<L, 1>(&pair);
    other.join().unwrap();
    match reader.join().unwrap() {
        "whole" => written(pair, 2),
        seen => seen.into(),
    }
}

fn start<L: Send + Sync + 'static, R: Send + 'static>(
    pair: &Arc<L>,
    part: fn(&L) -> R,
) -> thread::JoinHandle<R> {
    let pair = Arc::clone(pair);
    thread::spawn(move || part(&pair))
}

fn write<L: ReadMostly<Pair>, const TIMES: u64>(pair: &L) {
    for _ in 0..TIMES {
        pair.write(|words| {
            for word in words {
                *word += 1;
            }
        });
    }
}

/// Reads, in a thread that has already seen `before`.
fn read<L: ReadMostly<Pair>, const TIMES: u64>(pair: &L, mut before: u64) -> &'static str {
    for _ in 0..TIMES {
        let [one, other] = pair.read(|words| *words);
        if one != other {
            return "torn";
        }
        if one < before {
            return "backwards";
        }
        before = one;
    }
    "whole"
}

/// Read by the only owner: locking once more would multiply the executions and show nothing new.
fn written<L: ReadMostly<Pair>>(pair: Arc<L>, times: u64) -> String {
    let pair = Arc::try_unwrap(pair)
        .ok()
        .expect("the others have let go of it");
    match pair.into_inner() {
        [one, other] if one != other => "torn".into(),
        [count, _] => format!("{count} of {times} written"),
    }
}
