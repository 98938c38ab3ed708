//! Judges `overdraft.rs`: two desks, once with too few seats and once with enough.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "overdraft.rs"
);

/// Two parties come to two desks. Returns which of them got seats.
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

fn a_party_too_large() -> String {
    match parties(3, 4, 3) {
        (false, true) => "the other party sits",
        (true, _) => "more than all the seats are sold",
        (false, false) => "sent away from free seats",
    }
    .into()
}

/// Each of the two is one too many.
fn two_parties_too_large() -> String {
    match parties(1, 2, 2) {
        (false, false) => "nobody sits",
        _ => "more than all the seats are sold",
    }
    .into()
}

/// A desk that gives up after a few attempts sends a party away.
fn many_small_parties() -> String {
    let theatre = Arc::new(yours::Theatre::new(6));
    let second_desk = start("second desk", {
        let theatre = Arc::clone(&theatre);
        move || (0..5).all(|_| theatre.book(1))
    });
    let main = theatre.book(1);
    match main && second_desk.join().unwrap() {
        true if theatre.book(1) => "more than all the seats are sold",
        true => "all parties sit",
        false => "sent away from free seats",
    }
    .into()
}

fn one_desk() -> String {
    let theatre = yours::Theatre::new(5);
    let asked = [2, 6, 4, 2, 2, u32::MAX, 1, 1].map(|party| theatre.book(party));
    kept(asked == [true, false, false, true, false, false, true, false])
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
            "there were seats for one party, and neither got them",
        ),
        Outcome::acceptable("both parties sit", "there were seats for both"),
        Outcome::acceptable("all parties sit", "there were seats for all of them"),
        Outcome::acceptable("nobody sits", "there were not enough seats for either"),
        Outcome::forbidden(
            "more than all the seats are sold",
            "a party got seats that do not exist",
        ),
        Outcome::forbidden(
            "sent away from free seats",
            "there were seats for a party, and it got none",
        ),
    ],
    contract: &[Case::promises(
        "`book` books seats for a party that fits, and none for one that does not",
        one_desk
    ),],
    cases: &[
        Case::holds("the_last_two", the_last_two)
            .reaches(&["main's party sits", "the other party sits"]),
        Case::holds("enough_for_both", enough_for_both),
        Case::holds("a_party_too_large", a_party_too_large),
        Case::holds("two_parties_too_large", two_parties_too_large),
        Case::holds("many_small_parties", many_small_parties),
    ],
});
