//! Bugs among transactions of a database.

use super::{db, sync, thread};
use heisenbug_catalogue::Bug;

pub mod doctors_on_call;
pub mod double_booking;
pub mod lost_withdrawal;

/// The bugs of this scale, in teaching order.
pub const ALL: &[Bug] = &[
    lost_withdrawal::BUG,
    doctors_on_call::BUG,
    double_booking::BUG,
];
