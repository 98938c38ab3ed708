// The long jump
//
// A club keeps its record: each jump is noted, and the longest counts. The program was
//
//     fn note(&self, centimetres: u32) {
//         if centimetres > self.longest.load(Relaxed) {
//             self.longest.store(centimetres, Relaxed);
//         }
//     }
//
// and someone says that records get lost. Prove it: write a scenario that can go wrong with this
// program, but not with a correct one. Both are run, each as a `Book`, over all schedules.

use heisenbug::sync::Arc;
use heisenbug::thread;

/// The book in which the club keeps its record.
pub trait Book: Default + Send + Sync + 'static {
    /// Notes a jump of that length.
    fn note(&self, centimetres: u32);
    /// The longest jump so far.
    fn longest(&self) -> u32;
}

/// Uses a book. Returns whether it is right in the end.
pub fn scenario<B: Book>() -> bool {
    let book = Arc::new(B::default());
    let other = thread::spawn({
        let book = Arc::clone(&book);
        move || book.note(620)
    });
    book.note(610);
    // The longer jump may not have been noted yet, and that is no mistake.
    let longest = book.longest();
    other.join().unwrap();
    longest == 620
}
