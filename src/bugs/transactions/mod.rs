//! Bugs among transactions of a database.

use super::{db, sync, thread};
use heisenbug_catalogue::Bug;

pub mod crossed_transfers;
pub mod doctors_on_call;
pub mod double_booking;
pub mod early_job;
pub mod hot_row;
pub mod idle_worker;
pub mod lock_upgrade;
pub mod lost_withdrawal;
pub mod missed_notification;
pub mod old_snapshot;
pub mod polite_claims;
pub mod small_pool;
pub mod stolen_seat;
pub mod torn_report;

/// The bugs of this scale, in teaching order.
pub const ALL: &[Bug] = &[
    lost_withdrawal::BUG,
    doctors_on_call::BUG,
    double_booking::BUG,
    torn_report::BUG,
    early_job::BUG,
    old_snapshot::BUG,
    stolen_seat::BUG,
    small_pool::BUG,
    lock_upgrade::BUG,
    crossed_transfers::BUG,
    missed_notification::BUG,
    idle_worker::BUG,
    polite_claims::BUG,
    hot_row::BUG,
];
