//! Random programs, run by our checker and by two that share no code with it.
//!
//! - [`shuttle`] explores all interleavings under sequential consistency: the outcomes must be the
//!   same as ours.
//! - [`loom`] explores weak memory, and misses some of it: ours must contain its outcomes, in
//!   programs for which they are right.

mod loom;
mod programs;
mod shuttle;

use heisenbug::Checker;
use heisenbug::check::Engines;
use programs::{Program, define_run};
use std::collections::BTreeSet;

define_run!(run, heisenbug);

/// All outcomes that our checker finds.
fn ours(program: &Program, engines: Engines) -> BTreeSet<String> {
    let scenario = {
        let program = program.clone();
        move || run(&program)
    };
    let report = Checker::new().engines(engines).check(scenario);
    assert!(report.complete, "{program:?}: {:?}", report.stopped);
    assert!(report.holds(), "{program:?}: {:?}", report.message);
    { report.outcomes.into_iter() }
        .map(|outcome| outcome.label)
        .collect()
}
