//! Bugs among machines on a network.
//!
//! They run in checks only, so they are mounted in the model world alone.

// A bug file explains itself in its module documentation.
#![allow(missing_docs)]

use super::net;
use heisenbug_catalogue::Bug;

pub mod double_charge;
pub mod moved_account;
pub mod mutual_calls;
pub mod stale_plan;

/// The bugs of this scale, in teaching order.
pub const ALL: &[Bug] = &[
    double_charge::BUG,
    stale_plan::BUG,
    moved_account::BUG,
    mutual_calls::BUG,
];
