//! Texts that are kept until the process ends, each once: labels, and values in executions that are
//! shown. There are few of them.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The same text, kept until the process ends.
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
