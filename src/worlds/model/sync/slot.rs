//! A small number for each thread, to select its own part of something divided.

use crate::session;
use heisenbug_engine::steps;

/// The number of the current thread: in a check 0 for main, 1 for the first thread that it spawned,
/// and so on. It stays the same for as long as the thread lives.
///
/// Take it modulo the number of parts. Two threads may then get the same part, which must be harmless.
/// The call touches nothing shared, so no other thread runs in between.
pub fn slot() -> usize {
    if steps::running() {
        // All threads of a model share one OS thread, and with it std's thread-locals.
        session::current().number() as usize
    } else {
        heisenbug_native::sync::slot()
    }
}
