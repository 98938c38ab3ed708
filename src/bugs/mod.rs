//! The bugs, one file each, in folders by scale. Mounted once in every world.

// A bug file explains itself in its module documentation; its types read like the code they stand
// for, and not every world uses every name.
#![allow(missing_docs, unused_imports)]

#[cfg(feature = "sqlite")]
use super::db;
use super::{cell, hint, sync, thread};
use heisenbug_catalogue::Bug;

pub mod threads;
#[cfg(feature = "sqlite")]
pub mod transactions;

/// Every bug, in teaching order.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    #[cfg(feature = "sqlite")]
    return threads::ALL.iter().chain(transactions::ALL);
    #[cfg(not(feature = "sqlite"))]
    threads::ALL.iter()
}
