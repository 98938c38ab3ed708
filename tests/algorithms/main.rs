//! Well-known algorithms: each holds, and its twin, with one thing wrong, fails for exactly the reason
//! why the algorithm needs that thing.

mod barriers;
mod exclusion;
#[path = "../judged/mod.rs"]
mod judged;
mod pointers;
mod queues;
mod readers;

use heisenbug::sync::Arc;
use heisenbug::thread;

/// Two threads that share something, main being the first of them.
fn two<S: Send + Sync + 'static, A, B: Send + 'static>(
    shared: S,
    first: fn(&S) -> A,
    second: fn(&S) -> B,
) -> (A, B, Arc<S>) {
    let shared = Arc::new(shared);
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || second(&shared)
    });
    let first = first(&shared);
    (first, other.join().unwrap(), shared)
}
