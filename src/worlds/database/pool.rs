//! Databases whose users are gone: to open one takes far longer than to empty it.

use crate::{Engine, Result, Store};
use std::sync::{Mutex, PoisonError};

/// How many are kept: each holds some files open.
const KEPT: usize = 16;

static FREE: Mutex<Vec<Store>> = Mutex::new(Vec::new());

/// A database as that schema makes it.
///
/// # Errors
///
/// If there is no room for its file, or the schema is wrong.
pub fn take(schema: &str, engine: Engine) -> Result<Store> {
    let known = {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let known = free.iter().position(|store| store.is(schema, engine));
        known.map(|known| free.remove(known))
    };
    match known {
        Some(mut store) => store.reset().map(|()| store),
        None => Store::open(schema, engine),
    }
}

/// Keeps a database for the next one who asks for its like.
pub fn give_back(store: Store) {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    free.push(store);
    if free.len() > KEPT {
        // The one that nobody has asked for the longest.
        free.remove(0);
    }
}
