//! Bugs among threads that share memory.

use super::{cell, hint, sync, thread};
use crate::catalogue::Bug;

pub mod lost_update;
pub mod overdraft;
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
];
