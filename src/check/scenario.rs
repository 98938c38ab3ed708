//! The program under check, as the engines run it.

use crate::trace::recorder;
use crate::worlds::model::raw;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

/// Runs the program once, and returns the label of its outcome.
pub type Scenario = Arc<dyn Fn() -> String + Send + Sync>;

thread_local! {
    /// What main returned in the current execution, once it has.
    static RESULT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs the scenario as the main thread of a model. Its panic stays here: the hook has noted it.
pub fn run(scenario: &Scenario) {
    raw::forget_kept(None);
    let result = catch_unwind(AssertUnwindSafe(|| scenario()));
    raw::unlock_kept();
    match result {
        Err(payload) if recorder::dead() => resume_unwind(payload),
        Err(_) => {}
        Ok(label) => {
            // Whatever it panicked over, it has caught by itself.
            recorder::panics_observed(0);
            RESULT.with_borrow_mut(|result| *result = Some(label));
        }
    }
    recorder::actor_finished(0);
}

/// What main returned in the execution that has just ended, if it got that far.
pub fn take_result() -> Option<String> {
    RESULT.with_borrow_mut(Option::take)
}
