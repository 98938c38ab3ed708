//! Databases whose users are gone: to open one takes far longer than to empty it.

use crate::{Engine, Result, Store};
use std::sync::{Mutex, PoisonError};

/// How many are kept: each holds some files open.
const KEPT: usize = 16;

static FREE: Mutex<Vec<Store>> = Mutex::new(Vec::new());

/// A database with that schema, which is to be [reset](Store::reset) before it is used.
///
/// # Errors
///
/// If there is no room for its file, or the schema is wrong.
pub fn take(schema: &str, engine: Engine) -> Result<Store> {
    let (known, _surplus) = {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let known = free.iter().position(|store| store.is(schema, engine));
        let known = known.map(|known| free.remove(known));
        // Those that nobody has asked for the longest are closed after this: it may take a while.
        let surplus = free.len().saturating_sub(KEPT);
        (known, free.drain(..surplus).collect::<Vec<_>>())
    };
    match known {
        Some(store) => Ok(store),
        None => Store::open(schema, engine),
    }
}

/// Keeps a database for the next one who asks for its like. Called while a thread ends, too, when it is too
/// late to talk to a server.
pub fn give_back(store: Store) {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    free.push(store);
}

/// Closes those on servers that nobody uses, and so removes what they have there.
pub fn close_servers() {
    let unused: Vec<Store> = {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        free.extract_if(.., |store| !store.is_embedded()).collect()
    };
    // Outside of the lock: it may take a while.
    drop(unused);
}
