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
// and somebody says that records get lost. Prove it: write a scenario that can go wrong with this
// program, and cannot with one that is right. Both are run, each as a `Book`, over all schedules.

use heisenbug::sync::Arc;
use heisenbug::thread;

/// What the club keeps its record in.
pub trait Book: Default + Send + Sync + 'static {
    /// Somebody jumped that far.
    fn note(&self, centimetres: u32);
    /// The longest jump so far.
    fn longest(&self) -> u32;
}

/// Uses a book, and says whether it is right in the end.
pub fn scenario<B: Book>() -> bool {
    let book = Arc::new(B::default());
    let other = thread::spawn({
        let book = Arc::clone(&book);
        move || book.note(610)
    });
    // While the other thread may be anywhere in `note`.
    book.note(620);
    // Looks only once both are done: by then it is 620, whoever was first.
    other.join().unwrap();
    book.longest() == 620
}
