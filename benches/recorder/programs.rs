//! The programs, written once against std's names and mounted once for every way to run them.
//!
//! Main plays a thread's part, and the pointers are not explored, as in the bugs of the catalogue.
//! Nothing panics, so no run pays for unwinding; and nothing yields, so that shuttle's search and
//! ours go through the same schedules.

use super::sync::atomic::{AtomicU32, Ordering::Relaxed};
use super::sync::{Arc, Mutex};
use super::thread;

/// A program. It returns how many of its increments were lost.
pub type Program = fn() -> u32;

/// Every program, with its name.
pub const ALL: [(&str, Program); 6] = [
    ("fetch_add/2", fetch_add::<2>),
    ("fetch_add/3", fetch_add::<3>),
    ("load_store/2", load_store::<2>),
    ("load_store/3", load_store::<3>),
    ("mutex/2", mutex::<2>),
    ("mutex/3", mutex::<3>),
];

fn fetch_add<const THREADS: u32>() -> u32 {
    let count = Arc::new(AtomicU32::new(0));
    together(THREADS, &count, |count| {
        count.fetch_add(1, Relaxed);
    });
    THREADS - count.load(Relaxed)
}

fn load_store<const THREADS: u32>() -> u32 {
    let count = Arc::new(AtomicU32::new(0));
    together(THREADS, &count, |count| {
        let seen = count.load(Relaxed);
        count.store(seen + 1, Relaxed);
    });
    THREADS - count.load(Relaxed)
}

fn mutex<const THREADS: u32>() -> u32 {
    let count = Arc::new(Mutex::new(0));
    together(THREADS, &count, |count| *count.lock().unwrap() += 1);
    let total = *count.lock().unwrap();
    THREADS - total
}

/// Lets so many threads, main among them, do the same to what they share.
fn together<T: Send + Sync + 'static>(threads: u32, shared: &Arc<T>, act: fn(&T)) {
    let others: Vec<_> = (1..threads)
        .map(|_| {
            let shared = Arc::clone(shared);
            thread::spawn(move || act(&shared))
        })
        .collect();
    act(shared);
    for other in others {
        other.join().unwrap();
    }
}
