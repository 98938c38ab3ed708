//! Judges `once.rs`: two threads ask for the value, and one looks whether it is there.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!("once.rs");

fn two_makers() -> String {
    let cell = Arc::new(yours::Once::default());
    let other = start("other", {
        let cell = Arc::clone(&cell);
        move || cell.get_or_init(|| 2)
    });
    let mine = cell.get_or_init(|| 1);
    match (mine, other.join().unwrap()) {
        (1, 1) => "main made it",
        (2, 2) => "the other made it",
        _ => "made twice",
    }
    .into()
}

fn a_look() -> String {
    let cell = Arc::new(yours::Once::default());
    let maker = start("maker", {
        let cell = Arc::clone(&cell);
        move || cell.get_or_init(|| 2)
    });
    let seen = cell.get();
    match (seen, maker.join().unwrap()) {
        (None, 2) => "nothing yet",
        (Some(2), 2) => "the value",
        _ => "another value",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("main made it", "main was first, and both got main's value"),
        Outcome::acceptable(
            "the other made it",
            "the other was first, and both got its value"
        ),
        Outcome::forbidden("made twice", "both found the cell empty"),
        Outcome::acceptable("nothing yet", "main looked before the cell was full"),
        Outcome::acceptable("the value", "main looked when the cell was full"),
        Outcome::forbidden("another value", "main saw what nobody had made"),
        Outcome::forbidden("data race", "the value is read while it is written"),
        Outcome::forbidden("livelock", "somebody waits for a value that nobody makes"),
    ],
    cases: &[
        Case::holds("two_makers", two_makers).reaches(&["main made it", "the other made it"]),
        Case::holds("a_look", a_look).reaches(&["nothing yet", "the value"]),
    ],
});
