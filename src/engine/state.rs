//! The state of a thread, as a number: equal for a thread that has returned to an earlier state.
//!
//! A thread's knowledge is on its stack, and in the memory that only it uses: on the heap, or in variables
//! that another thread lent it. It is not known which memory that is, and the rest may be changed by others.
//! So what is noted is what *this thread* changed, wherever: memory is summed up each time that another
//! thread takes over, and the difference is credited to the one that ran. A pass that leaves its own stack
//! as it was, and whose changes add up to zero, will do the same again if it reads the same.

use crate::memory;
use crate::objects::Objects;
use std::ops::Range;

/// A sum over the words of memory, which can be added and subtracted. Each word is multiplied
/// by a number derived from its address, and the product is not truncated: the change of one word is
/// cancelled by that of another only by chance, about once in 2⁶⁴.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u128);

impl Sum {
    /// The sum of the memory between two addresses, by words from the first whole one on, then by bytes.
    /// Object numbers, which the engine stores, count as zero.
    ///
    /// # Safety
    ///
    /// The memory must be readable, and must not be written meanwhile.
    pub unsafe fn of(memory: Range<usize>, objects: &Objects) -> Sum {
        let first = memory.start.next_multiple_of(size_of::<usize>());
        let end_of_words = first.max(memory.end & !(size_of::<usize>() - 1));
        let mut sum = 0_u128;
        for address in (first..end_of_words).step_by(size_of::<usize>()) {
            // SAFETY: the caller's promise. Uninitialised words are only compared with themselves;
            // a volatile read keeps the compiler from drawing conclusions.
            let word = unsafe { (address as *const usize).read_volatile() } as u64;
            if !objects.is_number_at(address, word) {
                sum = sum.wrapping_add(mix(address, word));
            }
        }
        for address in end_of_words..memory.end {
            // SAFETY: as above.
            let byte = unsafe { (address as *const u8).read_volatile() };
            sum = sum.wrapping_add(mix(address, u64::from(byte)));
        }
        Sum(sum)
    }

    /// The sum of one word.
    #[inline]
    pub fn of_word(address: usize, word: u64) -> Sum {
        Sum(mix(address, word))
    }

    /// The sum of all live blocks of the heap.
    pub fn of_heap(objects: &Objects) -> Sum {
        let mut all = Sum::default();
        memory::for_each_block(|block| {
            // SAFETY: the block is the program's, which does not run now, and it was not freed.
            all = all.with(unsafe { Sum::of(block, objects) });
        });
        all
    }

    /// The sum of both.
    #[inline]
    pub fn with(self, other: Sum) -> Sum {
        Sum(self.0.wrapping_add(other.0))
    }

    /// The difference to `before`.
    #[inline]
    pub fn since(self, before: Sum) -> Sum {
        Sum(self.0.wrapping_sub(before.0))
    }

    /// The sum as a number.
    #[inline]
    pub fn number(self) -> u64 {
        let folded = (self.0 >> 64) as u64 ^ self.0 as u64;
        folded.wrapping_mul(FACTOR) ^ (self.0 >> 64) as u64
    }
}

/// 2⁶⁴ divided by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The contribution of a word: zero if it is zero, like the number of an unbound object.
#[inline]
fn mix(address: usize, word: u64) -> u128 {
    let scattered = (address as u64 ^ FACTOR).wrapping_mul(FACTOR);
    // Adjacent words must not get adjacent numbers.
    let key = scattered ^ scattered >> 29;
    u128::from(key.wrapping_mul(key | 1)) * u128::from(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(words: &[u64]) -> Sum {
        let start = words.as_ptr() as usize;
        // SAFETY: the memory belongs to a slice.
        unsafe { Sum::of(start..start + size_of_val(words), &Objects::default()) }
    }

    #[test]
    fn what_is_undone_adds_up_to_nothing() {
        let mut words = [7, 8, 9];
        let before = sum(&words);
        words[1] += 1;
        let change = sum(&words).since(before);
        assert_ne!(change, Sum::default());
        let before = sum(&words);
        words[1] -= 1;
        assert_eq!(change.with(sum(&words).since(before)), Sum::default());
    }

    #[test]
    fn words_that_are_swapped_are_something_else() {
        let mut words = [7, 8];
        let before = sum(&words);
        words.swap(0, 1);
        assert_ne!(sum(&words), before);
    }

    #[test]
    fn bytes_behind_the_last_word_count() {
        let mut words = [0_u64; 2];
        let bytes = words.as_mut_ptr().cast::<u8>();
        let memory = bytes as usize..bytes as usize + 11;
        // SAFETY: the range lies in the array.
        let before = unsafe { Sum::of(memory.clone(), &Objects::default()) };
        // SAFETY: as above.
        unsafe { bytes.add(10).write(1) };
        // SAFETY: as above.
        assert_ne!(unsafe { Sum::of(memory, &Objects::default()) }, before);
    }
}
