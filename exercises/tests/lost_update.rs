//! Judges `lost_update.rs`: two doors, one visitor each.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "lost_update.rs"
);

fn two_doors() -> String {
    let counter = Arc::new(yours::Counter::default());
    let side_door = start("side door", {
        let counter = Arc::clone(&counter);
        move || counter.increment()
    });
    counter.increment();
    side_door.join().unwrap();
    format!("{} counted", counter.total())
}

/// Main does not wait for the side door before it looks.
fn an_early_look() -> String {
    let counter = Arc::new(yours::Counter::default());
    let side_door = start("side door", {
        let counter = Arc::clone(&counter);
        move || counter.increment()
    });
    let early = counter.total();
    side_door.join().unwrap();
    format!("{early} so far, {} in the end", counter.total())
}

fn one_door() -> String {
    let counter = yours::Counter::default();
    let mut right = counter.total() == 0;
    for visitor in 1..=10 {
        counter.increment();
        // Looking changes nothing.
        right &= counter.total() == visitor && counter.total() == visitor;
    }
    kept(right)
}

/// A counter that gives up after a few attempts loses a visitor in a crowd.
fn a_crowd() -> String {
    let counter = Arc::new(yours::Counter::default());
    let side_door = start("side door", {
        let counter = Arc::clone(&counter);
        move || (0..5).for_each(|_| counter.increment())
    });
    counter.increment();
    side_door.join().unwrap();
    format!("{} counted", counter.total())
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("2 counted", "both visitors were counted"),
        Outcome::forbidden("1 counted", "one of the two visitors was lost"),
        Outcome::acceptable("6 counted", "all of the crowd were counted"),
        Outcome::acceptable(
            "0 so far, 1 in the end",
            "main looked before the visitor came"
        ),
        Outcome::acceptable(
            "1 so far, 1 in the end",
            "main looked after the visitor came"
        ),
    ],
    contract: &[Case::promises(
        "`total` counts every visitor who came in by one door",
        one_door
    ),],
    cases: &[
        Case::holds("two_doors", two_doors),
        Case::holds("an_early_look", an_early_look)
            .reaches(&["0 so far, 1 in the end", "1 so far, 1 in the end"]),
        Case::holds("a_crowd", a_crowd),
    ],
});
