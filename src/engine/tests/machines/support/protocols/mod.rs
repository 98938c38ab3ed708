//! Known protocols, as sequential functions: right, and with one thing wrong.

pub mod failover;
pub mod lease;
pub mod pairs;
pub mod payment;
pub mod quorum;
pub mod two_phase;
