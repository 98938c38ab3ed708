//! Small programs whose right verdict is known, by what they are about. Each test has the verdict in
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

/// How long somebody waits who does not wait for ever. In a check it does not matter how long that is.
const A_WHILE: Duration = Duration::from_millis(5);

/// Main and another thread do the same with what they share, which is then handed back.
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
