//! Checks a program over all its schedules, and says what it found.
//!
//! Two engines, one verdict. The first explores all interleavings under sequential consistency, the
//! second what weak memory adds to them:
//!
//! | `sc` | `weak` | verdict |
//! |---|---|---|
//! | fails | not asked | fails: an interleaving bug |
//! | holds | fails | fails: a memory-ordering bug, a data race |
//! | holds | fails, but every atomic access is `SeqCst` and there is no data race | holds |
//! | holds | holds | holds |
//!
//! A limit that is reached before a failure is found makes the verdict *unknown*, never *holds*.

mod budget;
mod checker;
mod declared;
pub mod isolated;
#[cfg(any(test, feature = "peers"))]
pub mod loom;
mod panics;
mod report;
pub mod sc;
mod scenario;
mod tally;
pub mod weak;

pub use budget::{Budget, interrupt, interrupt_flag, interrupted};
pub use checker::{Checker, Engines, check, label};
pub use declared::{Declared, as_declared};
pub use report::{Engine, Executions, OutcomeCount, Report, Verdict};
pub use scenario::Scenario;
pub use tally::{Counterexample, Judge, Tally};
