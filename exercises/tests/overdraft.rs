//! Judges `overdraft.rs`: two desks, once with too few seats and once with enough.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "overdraft.rs"
);

/// Two parties come to two desks. Says who got seats.
fn parties(seats: u32, at_main: u32, at_second: u32) -> (bool, bool) {
    let theatre = Arc::new(yours::Theatre::new(seats));
    let second_desk = start("second desk", {
        let theatre = Arc::clone(&theatre);
        move || theatre.book(at_second)
    });
    let main = theatre.book(at_main);
    (main, second_desk.join().unwrap())
}

fn the_last_two() -> String {
    match parties(2, 2, 2) {
        (true, false) => "main's party sits",
        (false, true) => "the other party sits",
        (true, true) => "both sit on the last seats",
        (false, false) => "the last seats stay empty",
    }
    .into()
}

fn enough_for_both() -> String {
    match parties(3, 2, 1) {
        (true, true) => "both parties sit",
        _ => "sent away from free seats",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("main's party sits", "main's desk was first"),
        Outcome::acceptable("the other party sits", "the second desk was first"),
        Outcome::forbidden(
            "both sit on the last seats",
            "both desks saw two free seats before either booked them",
        ),
        Outcome::forbidden(
            "the last seats stay empty",
            "there were seats for one party, and nobody got them",
        ),
        Outcome::acceptable("both parties sit", "there were seats for both"),
        Outcome::forbidden(
            "sent away from free seats",
            "there were seats for both parties, and one got none",
        ),
    ],
    cases: &[
        Case::holds("the_last_two", the_last_two)
            .reaches(&["main's party sits", "the other party sits"]),
        Case::holds("enough_for_both", enough_for_both),
    ],
});
