//! # Isolation
//!
//! Which anomalies transactions can have, at each level of an engine: programs of two or three clients, and
//! a question about what they saw. A level *has* an anomaly if some interleaving shows it.
//!
//! **Where it happened.** The anomalies are those of Hermitage (M. Kleppmann, 2014), which took them from A.
//! Adya, *Weak Consistency* (MIT 1999), and from H. Berenson et al., *A Critique of ANSI SQL Isolation Levels*
//! (SIGMOD 1995). Hermitage shows one interleaving of each; here every one is run.
//!
//! **Why.** A level is a promise about what a transaction may see of others. SQLite's is serializability, for
//! all that happens between `begin` and `commit`; it keeps it by refusing, or by making others wait. Without
//! a transaction each statement is one, and nothing is promised about two of them.
//!
//! **Who sees it.** A check, over every interleaving of the statements. loom has no databases.

mod anomalies;
mod levels;

pub use anomalies::ALL;

/// What a check of an anomaly ends in if it was seen.
pub const SEEN: &str = "seen";

/// What it ends in otherwise.
pub const NOT_SEEN: &str = "not seen";
