//! Bugs among threads that share memory.

use super::{cell, hint, sync, thread};
use heisenbug_catalogue::Bug;

pub mod ab_ba_deadlock;
pub mod aba;
pub mod double_checked_init;
pub mod double_lock;
pub mod lost_update;
pub mod lost_wakeup;
pub mod overdraft;
pub mod publish_after_wake;
pub mod reference_cycle;
pub mod store_buffering;
pub mod torn_read;
pub mod unsafe_publication;

/// The bugs of this scale, in teaching order.
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
    reference_cycle::BUG,
    double_checked_init::BUG,
];
