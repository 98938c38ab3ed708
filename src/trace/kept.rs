//! Texts that are kept for as long as the process runs, each once: labels, and values of executions that are
//! shown. There are few.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The same text, for as long as the process runs.
pub fn keep(text: &str) -> &'static str {
    static TEXTS: OnceLock<Mutex<HashSet<&'static str>>> = OnceLock::new();
    let texts = TEXTS.get_or_init(Mutex::default);
    let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let kept: &'static str = Box::leak(text.into());
    texts.insert(kept);
    kept
}
