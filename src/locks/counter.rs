//! Counters: what they have in common, and the programs that prove them.

use super::sync::Arc;
use super::thread;

/// A number that many threads add to, and few read.
pub trait Counter: Default + Send + Sync + 'static {
    fn add(&self, n: u64);

    /// At least what was added before the call, and at most what was added before the return. If others
    /// add meanwhile, it may be a sum that the counter never had.
    fn total(&self) -> u64;
}

/// Three threads that add 1 `TIMES` times each.
pub fn three_threads<C: Counter, const TIMES: u64>() -> String {
    let counter = Arc::new(C::default());
    let others = [(); 2].map(|()| {
        let counter = Arc::clone(&counter);
        thread::spawn(move || count::<C, TIMES>(&counter))
    });
    count::<C, TIMES>(&counter);
    for other in others {
        other.join().unwrap();
    }
    format!("{} of {} counted", counter.total(), 3 * TIMES)
}

fn count<C: Counter, const TIMES: u64>(counter: &C) {
    for _ in 0..TIMES {
        counter.add(1);
    }
}

/// Main adds 1, and starts a thread that adds 10. Meanwhile another thread reads the total.
pub fn total_meanwhile<C: Counter>() -> String {
    let counter = Arc::new(C::default());
    let asks = thread::spawn({
        let counter = Arc::clone(&counter);
        move || counter.total()
    });
    counter.add(1);
    let adds = thread::spawn({
        let counter = Arc::clone(&counter);
        move || counter.add(10)
    });
    adds.join().unwrap();
    let meanwhile = asks.join().unwrap();
    match counter.total() {
        11 => format!("{meanwhile} meanwhile"),
        total => format!("{total} in the end"),
    }
}
