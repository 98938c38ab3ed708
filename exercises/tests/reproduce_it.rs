//! Judges `reproduce_it.rs`: the scenario must fail with a book that loses records, and hold with one
//! that does not.

use heisenbug::catalogue::{Expected, Outcome};
use heisenbug::course::program::{Case, Judge};
use heisenbug::sync::atomic::{AtomicU32, Ordering::Relaxed};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "reproduce_it.rs"
);

#[derive(Default)]
struct Losing {
    longest: AtomicU32,
}

impl yours::Book for Losing {
    fn note(&self, centimetres: u32) {
        if centimetres > self.longest.load(Relaxed) {
            self.longest.store(centimetres, Relaxed);
        }
    }

    fn longest(&self) -> u32 {
        self.longest.load(Relaxed)
    }
}

#[derive(Default)]
struct Right {
    longest: AtomicU32,
}

impl yours::Book for Right {
    fn note(&self, centimetres: u32) {
        self.longest.fetch_max(centimetres, Relaxed);
    }

    fn longest(&self) -> u32 {
        self.longest.load(Relaxed)
    }
}

fn wrong_book() -> String {
    match yours::scenario::<Losing>() {
        true => "the book is right".into(),
        false => "the book is wrong".into(),
    }
}

fn right_book() -> String {
    match yours::scenario::<Right>() {
        true => "the book is right".into(),
        false => "a right book is blamed".into(),
    }
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("the book is right", "the scenario found nothing wrong"),
        Outcome::forbidden(
            "the book is wrong",
            "the scenario says that a record was lost"
        ),
        Outcome::forbidden(
            "a right book is blamed",
            "the scenario blames a book that is right and loses no record"
        ),
    ],
    cases: &[
        Case::fails(
            "a_book_that_loses_records",
            Expected::outcome("the book is wrong"),
            wrong_book,
        ),
        Case::holds("a_book_that_is_right", right_book),
    ],
});
