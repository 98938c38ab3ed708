//! Judges `weakest_orderings.rs`: the cook has two dishes, and the waiter comes twice.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
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

fn one_dish_at_a_time() -> String {
    let hatch = yours::Hatch::default();
    // SAFETY: One thread is cook and waiter.
    let (put, take) = unsafe { (|dish| hatch.put(dish), || hatch.take()) };
    let mut right = hatch.taken() == 0 && take().is_none();
    for (served, dish) in [(1, 5), (2, 0), (3, u64::MAX), (4, 5)] {
        right &= put(dish) && !put(9) && hatch.taken() == served - 1;
        right &= take() == Some(dish) && take().is_none() && hatch.taken() == served;
    }
    kept(right)
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
    contract: &[Case::promises(
        "the hatch holds one dish, gives it out as it was put, and counts it once it is taken",
        one_dish_at_a_time
    ),],
    cases: &[Case::holds("two_dishes", two_dishes).reaches(&[
        "no dish yet",
        "dish 1",
        "dish 1, dish 2"
    ])],
});
