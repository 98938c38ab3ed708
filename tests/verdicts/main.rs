//! Small programs whose correct verdict is known, by topic. Each test has the verdict in
//! its name.

mod counts;
mod crossbeam_names;
#[cfg(feature = "sqlite")]
mod databases;
mod exchanges;
mod finite;
mod futures;
#[path = "../judged/mod.rs"]
mod judged;
mod leaks;
mod memory;
mod orders;
mod other_crates;
#[cfg(feature = "learn")]
mod outside;
mod parking;
mod passes;
mod programs;
mod questions;
mod remedies;
mod select;
mod seqcst;
mod std_allows;
#[cfg(feature = "learn")]
#[path = "../tried/mod.rs"]
mod tried;
mod waiting;

use heisenbug::sync::Arc;
use heisenbug::thread;
use std::time::Duration;

/// A time-out that is not endless. In a check its length does not matter.
const A_WHILE: Duration = Duration::from_millis(5);

/// Main and another thread do the same with a shared value, which is then returned.
fn both<S: Send + Sync + 'static>(shared: S, act: fn(&S)) -> Arc<S> {
    let shared = Arc::new(shared);
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || act(&shared)
    });
    act(&shared);
    other.join().unwrap();
    shared
}
