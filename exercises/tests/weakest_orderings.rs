//! Judges `weakest_orderings.rs`: the cook has two dishes, and the waiter comes twice.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!("weakest_orderings.rs");

/// Main is the waiter.
fn two_dishes() -> String {
    let hatch = Arc::new(yours::Hatch::default());
    let cook = start("cook", {
        let hatch = Arc::clone(&hatch);
        move || {
            // SAFETY: This thread is the cook.
            unsafe { hatch.put(1) && hatch.put(2) }
        }
    });
    // SAFETY: Main is the waiter.
    let dishes = unsafe { [hatch.take(), hatch.take()] };
    cook.join().unwrap();
    match (dishes, hatch.taken()) {
        ([None, None], 0) => "no dish yet",
        ([Some(1), None] | [None, Some(1)], 1) => "dish 1",
        ([Some(1), Some(2)], 2) => "dish 1, dish 2",
        _ => "something else",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("no dish yet", "the waiter came before the first dish"),
        Outcome::acceptable("dish 1", "the waiter found one dish"),
        Outcome::acceptable("dish 1, dish 2", "the waiter found both"),
        Outcome::forbidden(
            "something else",
            "a dish was lost, or served twice, or not counted"
        ),
        Outcome::forbidden(
            "data race",
            "cook and waiter reach into the hatch, and nothing orders the one after the other",
        ),
    ],
    cases: &[Case::holds("two_dishes", two_dishes).reaches(&[
        "no dish yet",
        "dish 1",
        "dish 1, dish 2"
    ])],
});
