//! Bugs among threads that share memory.

use super::{cell, hint, sync, thread};
use crate::catalogue::Bug;

pub mod lost_update;

/// The bugs of this scale, in teaching order.
pub const ALL: &[Bug] = &[lost_update::BUG];
