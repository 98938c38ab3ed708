//! Bugs among machines on a network.
//!
//! They run in checks, and for real in `stress` and `serve`: mounted in the model world and in the live one.

// A bug file explains itself in its module documentation.
#![allow(missing_docs)]

use super::net;
use heisenbug_catalogue::Bug;

pub mod back_in_time;
pub mod bad_relay;
pub mod call_under_lock;
pub mod double_charge;
pub mod dual_write;
pub mod early_notice;
pub mod hot_shard;
pub mod lagging_replica;
pub mod lapsed_lease;
pub mod late_reply;
pub mod lost_name;
pub mod lost_notice;
pub mod lost_session;
pub mod lost_tail;
pub mod mixed_lines;
pub mod moved_account;
pub mod mutual_calls;
pub mod old_leader;
pub mod pushed_config;
pub mod renamed_field;
pub mod retry_storm;
pub mod short_read;
pub mod skewed_clocks;
pub mod small_quorum;
pub mod stale_fill;
pub mod stale_plan;
pub mod stampede;
pub mod stuck_commit;
pub mod sync_again;
pub mod torn_page;
pub mod unbounded_queue;

/// The bugs of this scale, in teaching order.
pub const ALL: &[Bug] = &[
    double_charge::BUG,
    late_reply::BUG,
    short_read::BUG,
    mixed_lines::BUG,
    renamed_field::BUG,
    lapsed_lease::BUG,
    old_leader::BUG,
    stale_fill::BUG,
    stampede::BUG,
    lagging_replica::BUG,
    back_in_time::BUG,
    lost_notice::BUG,
    early_notice::BUG,
    lost_session::BUG,
    small_quorum::BUG,
    lost_tail::BUG,
    dual_write::BUG,
    stuck_commit::BUG,
    mutual_calls::BUG,
    call_under_lock::BUG,
    unbounded_queue::BUG,
    retry_storm::BUG,
    hot_shard::BUG,
    moved_account::BUG,
    skewed_clocks::BUG,
    stale_plan::BUG,
    pushed_config::BUG,
    bad_relay::BUG,
    lost_name::BUG,
    sync_again::BUG,
    torn_page::BUG,
];
