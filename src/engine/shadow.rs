//! A copy of a stack when it was last summed up, so that only what has changed is summed up again.
//!
//! Most of a stack does not change: the frames far from its top belong to callers that wait. Comparing memory
//! is ten times as fast as summing it up.

use crate::objects::Objects;
use crate::state::Sum;

/// How many words are compared at once.
const CHUNK: usize = 16;

/// A copy of the words of one stack, the one at its base last.
#[derive(Default)]
pub struct Shadow {
    base: usize,
    /// The contents of the words. Only the last `len` are valid.
    words: Vec<u64>,
    /// What they count as: object numbers, which the engine stores, count as zero.
    counted: Vec<u64>,
    len: usize,
    sum: Sum,
    /// The words that may be such numbers, counted from the base. Whether one is a number may change
    /// while the word does not.
    numbers: Vec<usize>,
}

impl Shadow {
    /// Forgets the copy.
    pub fn forget(&mut self) {
        self.len = 0;
        self.sum = Sum::default();
        self.numbers.clear();
    }

    /// The sum of the memory between the top of a stack and its base: the same as [`Sum::of`].
    ///
    /// # Safety
    ///
    /// The memory must be readable, and must not be written meanwhile.
    pub unsafe fn sum(&mut self, top: usize, base: usize, objects: &Objects) -> Sum {
        debug_assert!(base.is_multiple_of(size_of::<u64>()));
        if self.base != base {
            self.forget();
            self.base = base;
        }
        let top = top.next_multiple_of(size_of::<u64>());
        let len = base.saturating_sub(top) / size_of::<u64>();
        self.shrink(len);
        // SAFETY: the caller's promise; these words lie between the top and the base.
        unsafe { self.compare(objects) };
        self.look_at_numbers(objects);
        // SAFETY: as above.
        unsafe { self.grow(len, objects) };
        self.sum
    }

    /// Removes the words above the new top, which are no longer part of the stack.
    fn shrink(&mut self, len: usize) {
        let end = self.words.len();
        while self.len > len {
            let at = end - self.len;
            self.sum = self.sum.since(self.part(at));
            self.len -= 1;
        }
        self.numbers.retain(|&from_base| from_base <= len);
    }

    /// Updates the words that have changed.
    unsafe fn compare(&mut self, objects: &Objects) {
        let end = self.words.len();
        let mut from = end - self.len;
        // SAFETY: the caller's promise.
        if from == end || unsafe { self.is_same(from, end) } {
            return;
        }
        while from < end {
            let to = (from + CHUNK).min(end);
            // SAFETY: the caller's promise.
            if unsafe { !self.is_same(from, to) } {
                for at in from..to {
                    // SAFETY: as above.
                    let word = unsafe { self.read(at) };
                    if self.words[at] != word {
                        self.sum = self.sum.since(self.part(at));
                        self.set(at, word, objects);
                    }
                }
            }
            from = to;
        }
    }

    /// Updates the words that look like numbers: they may have become numbers, or may no longer be any.
    fn look_at_numbers(&mut self, objects: &Objects) {
        let mut numbers = std::mem::take(&mut self.numbers);
        let end = self.words.len();
        numbers.retain(|&from_base| {
            let at = end - from_base;
            let (address, word) = (self.address(at), self.words[at]);
            let counts = counted(address, word, objects);
            if counts != self.counted[at] {
                self.sum = self.sum.since(self.part(at));
                self.counted[at] = counts;
                self.sum = self.sum.with(self.part(at));
            }
            objects.is_like_a_number(word)
        });
        self.numbers = numbers;
    }

    /// Adds the words below those known so far.
    unsafe fn grow(&mut self, len: usize, objects: &Objects) {
        if len > self.words.len() {
            let more = len.next_power_of_two() - self.words.len();
            self.words.splice(0..0, std::iter::repeat_n(0, more));
            self.counted.splice(0..0, std::iter::repeat_n(0, more));
        }
        while self.len < len {
            self.len += 1;
            let at = self.words.len() - self.len;
            // SAFETY: the caller's promise.
            let word = unsafe { self.read(at) };
            self.set(at, word, objects);
        }
    }

    /// Notes the contents of a word that counted as zero so far.
    fn set(&mut self, at: usize, word: u64, objects: &Objects) {
        self.words[at] = word;
        self.counted[at] = counted(self.address(at), word, objects);
        self.sum = self.sum.with(self.part(at));
        let from_base = self.words.len() - at;
        if objects.is_like_a_number(word) && !self.numbers.contains(&from_base) {
            self.numbers.push(from_base);
        }
    }

    fn address(&self, at: usize) -> usize {
        self.base - (self.words.len() - at) * size_of::<u64>()
    }

    /// The word's part of the sum.
    fn part(&self, at: usize) -> Sum {
        Sum::of_word(self.address(at), self.counted[at])
    }

    /// The current contents of a word of the stack.
    unsafe fn read(&self, at: usize) -> u64 {
        // SAFETY: the caller's promise. Uninitialised words are only compared with themselves; a
        // volatile read keeps the compiler from drawing conclusions.
        unsafe { (self.address(at) as *const u64).read_volatile() }
    }

    /// Whether some words of the stack are unchanged.
    unsafe fn is_same(&self, from: usize, to: usize) -> bool {
        let (known, now) = (&raw const self.words[from], self.address(from));
        // SAFETY: there are that many words, and the caller promises the rest. It is C's own function, of which
        // the compiler knows only that it compares: see `read`.
        unsafe {
            memcmp(
                known.cast(),
                now as *const u8,
                (to - from) * size_of::<u64>(),
            ) == 0
        }
    }
}

unsafe extern "C" {
    fn memcmp(one: *const u8, other: *const u8, bytes: usize) -> std::ffi::c_int;
}

/// The value that a word counts as.
fn counted(address: usize, word: u64, objects: &Objects) -> u64 {
    match objects.is_number_at(address, word) {
        true => 0,
        false => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stack whose words are in use from a certain place on.
    struct Stack(Vec<u64>);

    impl Stack {
        fn range(&self, from: usize) -> (usize, usize) {
            let range = self.0[from..].as_ptr_range();
            (range.start as usize, range.end as usize)
        }

        fn both(&self, from: usize, shadow: &mut Shadow) -> (Sum, Sum) {
            let ((top, base), objects) = (self.range(from), Objects::default());
            // SAFETY: the memory belongs to a slice.
            unsafe {
                (
                    Sum::of(top..base, &objects),
                    shadow.sum(top, base, &objects),
                )
            }
        }
    }

    #[test]
    fn the_sum_is_that_of_all_words_however_the_stack_has_changed() {
        let mut stack = Stack((0..100).map(|n| n * n).collect());
        let mut shadow = Shadow::default();
        let mut random = 7_u64;
        for _ in 0..1_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let (at, from) = ((random >> 40) as usize % 100, (random >> 50) as usize % 90);
            stack.0[at] = random;
            let (whole, changed) = stack.both(from, &mut shadow);
            assert_eq!(whole, changed);
        }
    }

    #[test]
    fn what_was_forgotten_does_not_count() {
        let stack = Stack(vec![1, 2, 3]);
        let mut shadow = Shadow::default();
        stack.both(0, &mut shadow);
        shadow.forget();
        let (whole, changed) = stack.both(1, &mut shadow);
        assert_eq!(whole, changed);
    }
}
