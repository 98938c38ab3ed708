//! Bugs among machines on a network.
//!
//! They run in checks only, so they are mounted in the model world alone.

// A bug file explains itself in its module documentation.
#![allow(missing_docs)]

use super::net;
use heisenbug_catalogue::Bug;

pub mod bad_relay;
pub mod double_charge;
pub mod dual_write;
pub mod early_notice;
pub mod hot_shard;
pub mod lagging_replica;
pub mod lapsed_lease;
pub mod late_reply;
pub mod lost_name;
pub mod lost_tail;
pub mod moved_account;
pub mod mutual_calls;
pub mod old_leader;
pub mod pushed_config;
pub mod renamed_field;
pub mod skewed_clocks;
pub mod small_quorum;
pub mod stale_fill;
pub mod stale_plan;
pub mod stuck_commit;
pub mod sync_again;
pub mod torn_page;

/// The bugs of this scale, in teaching order.
pub const ALL: &[Bug] = &[
    double_charge::BUG,
    lapsed_lease::BUG,
    stale_fill::BUG,
    lagging_replica::BUG,
    early_notice::BUG,
    late_reply::BUG,
    small_quorum::BUG,
    dual_write::BUG,
    stuck_commit::BUG,
    skewed_clocks::BUG,
    lost_tail::BUG,
    stale_plan::BUG,
    moved_account::BUG,
    mutual_calls::BUG,
    lost_name::BUG,
    sync_again::BUG,
    torn_page::BUG,
    old_leader::BUG,
    hot_shard::BUG,
    renamed_field::BUG,
    bad_relay::BUG,
    pushed_config::BUG,
];
