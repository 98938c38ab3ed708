//! The bugs, one file each, in folders by scale. Mounted once in every world.

// A bug file explains itself in its module documentation; its types read like the code they stand
// for, and not every world uses every name.
#![allow(missing_docs, unused_imports)]

use super::{cell, hint, sync, thread};
use heisenbug_catalogue::Bug;

pub mod threads;

/// Every bug, in teaching order.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    threads::ALL.iter()
}
