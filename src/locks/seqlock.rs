//! # Sequence lock
//!
//! Readers take no lock. They read, and then check whether a thread wrote meanwhile; if so, they read
//! again.
//!
//! **Idea.** A writer raises the count before it writes and once more afterwards. A reader that finds
//! the same even count before and after its reads has a consistent copy. The fences make "before" and
//! "after" reliable: a reader that saw a new word cannot find the old count afterwards.
//!
//! **Cost.** A read writes nothing, so that any number of cores read at full speed: on x86, where
//! the fences are free, it needs only two loads more than the words themselves. In return, a reader
//! may have to retry forever while others keep writing, and it gets a copy, not a reference. The value
//! consists of words that are copied one by one, since a plain copy would race with the writer, even
//! if it is thrown away afterwards. Writers wait for each other at a mutex, which holds a second copy
//! of the words. The count wraps: a read must not last for as many writes as half of its values.
//!
//! **Proof.** Exhaustive for a writer and a reader that reads twice, and for two writers of which one
//! reads afterwards; and for two writers and a reader, three threads, that come once each. loom cannot
//! finish the program with three threads within a minute, so it is not run with it.

use super::hint;
use super::read_mostly::{OUTCOMES, Pair, ReadMostly};
use super::read_mostly::{two_writers_and_reader, writer_and_reader, writer_and_writing_reader};
use super::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use super::sync::{Mutex, PoisonError};
use heisenbug_catalogue::{Bug, Expected, Scale, Shape, Variant};

/// Several words that belong together.
pub struct SeqLock<const WORDS: usize> {
    /// Odd while a thread writes.
    sequence: AtomicUsize,
    words: [AtomicU64; WORDS],
    /// The words that were written last. For writers only.
    written: Mutex<Written<WORDS>>,
}

#[derive(Clone, Copy)]
struct Written<const WORDS: usize> {
    sequence: usize,
    words: [u64; WORDS],
}

impl<const WORDS: usize> ReadMostly<[u64; WORDS]> for SeqLock<WORDS> {
    fn new(words: [u64; WORDS]) -> Self {
        SeqLock {
            sequence: AtomicUsize::new(0),
            words: words.map(AtomicU64::new),
            written: Mutex::new(Written { sequence: 0, words }),
        }
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(&[u64; WORDS]) -> R) -> R {
        loop {
            if let Some(words) = self.try_read() {
                return look(&words);
            }
            hint::spin_loop();
        }
    }

    #[inline]
    fn write(&self, change: impl FnOnce(&mut [u64; WORDS])) {
        // Poisoning is ignored: a writer can panic only before it has written anything.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let mut words = written.words;
        change(&mut words);
        let sequence = written.sequence.wrapping_add(2);
        *written = Written { sequence, words };
        self.publish(sequence, words);
    }

    fn into_inner(self) -> [u64; WORDS] {
        let written = self.written.into_inner();
        written.unwrap_or_else(PoisonError::into_inner).words
    }
}

impl<const WORDS: usize> SeqLock<WORDS> {
    /// The words, unless a thread wrote while they were read.
    #[inline]
    fn try_read(&self) -> Option<[u64; WORDS]> {
        // Acquire pairs with the last store in `publish`: a thread that sees the even count sees the words.
        let before = self.sequence.load(Acquire);
        if before % 2 == 1 {
            return None;
        }
        let words = self.words.each_ref().map(|word| word.load(Relaxed));
        // Pairs with the fence in `publish`: a thread that has seen a new word sees the odd count.
        fence(Acquire);
        let after = self.sequence.load(Relaxed);
        (before == after).then_some(words)
    }

    /// Writes the words, with the count odd meanwhile and `sequence` afterwards. For one writer at a time.
    #[inline]
    fn publish(&self, sequence: usize, words: [u64; WORDS]) {
        self.sequence.store(sequence.wrapping_sub(1), Relaxed);
        // Pairs with the fence in `try_read`.
        fence(Release);
        for (word, new) in self.words.iter().zip(words) {
            word.store(new, Relaxed);
        }
        // Release pairs with the first load in `try_read`.
        self.sequence.store(sequence, Release);
    }
}

/// The second look is an Acquire load. That orders what comes *after* it, not the reads before it.
pub mod trap_no_fence {
    use super::super::hint;
    use super::super::read_mostly::ReadMostly;
    use super::super::sync::atomic::Ordering::{Acquire, Relaxed};

    pub struct SeqLock<const WORDS: usize>(super::SeqLock<WORDS>);

    impl<const WORDS: usize> ReadMostly<[u64; WORDS]> for SeqLock<WORDS> {
        fn new(words: [u64; WORDS]) -> Self {
            SeqLock(super::SeqLock::new(words))
        }

        fn read<R>(&self, look: impl FnOnce(&[u64; WORDS]) -> R) -> R {
            loop {
                let before = self.0.sequence.load(Acquire);
                let words = self.0.words.each_ref().map(|word| word.load(Relaxed));
                let after = self.0.sequence.load(Acquire);
                if before.is_multiple_of(2) && before == after {
                    return look(&words);
                }
                hint::spin_loop();
            }
        }

        fn write(&self, change: impl FnOnce(&mut [u64; WORDS])) {
            self.0.write(change);
        }

        fn into_inner(self) -> [u64; WORDS] {
            self.0.into_inner()
        }
    }
}

/// The words are plain data, copied at once: a torn copy is thrown away, but it was read.
pub mod trap_plain_data {
    use super::super::cell::UnsafeCell;
    use super::super::hint;
    use super::super::read_mostly::ReadMostly;
    use super::super::sync::Mutex;
    use super::super::sync::atomic::{
        AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    };

    pub struct SeqLock<T> {
        sequence: AtomicUsize,
        value: UnsafeCell<T>,
        writer: Mutex<()>,
    }

    // SAFETY: false. The value is read while it is being written.
    unsafe impl<T: Send> Sync for SeqLock<T> {}
    // SAFETY: the owner of the lock owns the value.
    unsafe impl<T: Send> Send for SeqLock<T> {}

    impl<T: Copy + Send + 'static> ReadMostly<T> for SeqLock<T> {
        fn new(value: T) -> Self {
            SeqLock {
                sequence: AtomicUsize::new(0),
                value: UnsafeCell::new(value),
                writer: Mutex::new(()),
            }
        }

        fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
            loop {
                let before = self.sequence.load(Acquire);
                if before.is_multiple_of(2) {
                    // SAFETY: false. Nothing keeps a writer out now.
                    let value = self.value.with(|value| unsafe { value.read_volatile() });
                    fence(Acquire);
                    if self.sequence.load(Relaxed) == before {
                        return look(&value);
                    }
                }
                hint::spin_loop();
            }
        }

        fn write(&self, change: impl FnOnce(&mut T)) {
            let _writer = self.writer.lock().unwrap();
            let _odd = Odd::begin(&self.sequence);
            // SAFETY: false. There is one writer at a time, but readers may be reading.
            self.value.with_mut(|value| change(unsafe { &mut *value }));
        }

        fn into_inner(self) -> T {
            self.value.into_inner()
        }
    }

    /// Makes the count even when dropped, even if the closure panics.
    struct Odd<'a>(&'a AtomicUsize);

    impl Odd<'_> {
        fn begin(sequence: &AtomicUsize) -> Odd<'_> {
            sequence.fetch_add(1, Relaxed);
            fence(Release);
            Odd(sequence)
        }
    }

    impl Drop for Odd<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Release);
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "seqlock",
    shape: Shape::TornRead,
    scale: Scale::Threads,
    summary: "readers take no lock, and read again if a thread wrote meanwhile",
    file: file!(),
    source: include_str!("seqlock.rs"),
    references: &[
        "H.-J. Boehm, Can Seqlocks Get Along With Programming Language Memory Models? (MSPC 2012)",
    ],
    outcomes: OUTCOMES,
    schedule: "",
    variants: &[
        Variant::sound(
            "writer_and_reader",
            "one thread writes once, another reads twice",
            writer_and_reader::<SeqLock<2>, 1, 2>,
        ),
        Variant::sound(
            "two_writers",
            "two threads write, and then one of them reads",
            writer_and_writing_reader::<SeqLock<2>>,
        ),
        Variant::sound(
            "three_threads",
            "two threads write once each, a third reads once",
            two_writers_and_reader::<SeqLock<2>, 1>,
        ),
        Variant::trap(
            "trap_no_fence",
            Expected::outcome("torn"),
            "an Acquire load does not prevent earlier reads from being carried out after it",
            writer_and_reader::<trap_no_fence::SeqLock<2>, 1, 1>,
        ),
        Variant::trap(
            "trap_plain_data",
            Expected::DATA_RACE,
            "a torn copy is thrown away, but reading it was a data race already",
            writer_and_reader::<trap_plain_data::SeqLock<Pair>, 1, 1>,
        )
        .undefined("plain data is read while it is being written"),
    ],
};
