//! The bugs that loom can be asked about.
//!
//! All but `reference_cycle`: loom's `Arc` has no `Weak`.

// The same as where the other worlds mount them.
#![allow(missing_docs, unused_imports)]

use super::{cell, hint, sync, thread};
use heisenbug_catalogue::Bug;

#[path = "../../bugs/threads/ab_ba_deadlock.rs"]
pub mod ab_ba_deadlock;
#[path = "../../bugs/threads/aba.rs"]
pub mod aba;
#[path = "../../bugs/threads/double_checked_init.rs"]
pub mod double_checked_init;
#[path = "../../bugs/threads/double_lock.rs"]
pub mod double_lock;
#[path = "../../bugs/threads/lost_update.rs"]
pub mod lost_update;
#[path = "../../bugs/threads/lost_wakeup.rs"]
pub mod lost_wakeup;
#[path = "../../bugs/threads/overdraft.rs"]
pub mod overdraft;
#[path = "../../bugs/threads/publish_after_wake.rs"]
pub mod publish_after_wake;
#[path = "../../bugs/threads/store_buffering.rs"]
pub mod store_buffering;
#[path = "../../bugs/threads/torn_read.rs"]
pub mod torn_read;
#[path = "../../bugs/threads/unsafe_publication.rs"]
pub mod unsafe_publication;

/// In teaching order.
pub const ALL: &[Bug] = &[
    lost_update::BUG,
    overdraft::BUG,
    torn_read::BUG,
    unsafe_publication::BUG,
    store_buffering::BUG,
    ab_ba_deadlock::BUG,
    double_lock::BUG,
    lost_wakeup::BUG,
    aba::BUG,
    publish_after_wake::BUG,
    double_checked_init::BUG,
];
