//! Judges `reproduce_it.rs`: the scenario must fail with a book that loses records, and hold with one
//! that does not.

use heisenbug::catalogue::{Expected, Outcome};
use heisenbug::judge::{Case, Judge};
use heisenbug::sync::Mutex;
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

/// Also right, but with other steps.
#[derive(Default)]
struct Locked {
    longest: Mutex<u32>,
}

impl yours::Book for Locked {
    fn note(&self, centimetres: u32) {
        let mut longest = self.longest.lock().unwrap();
        *longest = centimetres.max(*longest);
    }

    fn longest(&self) -> u32 {
        *self.longest.lock().unwrap()
    }
}

fn locked_book() -> String {
    match yours::scenario::<Locked>() {
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
    contract: &[],
    cases: &[
        Case::fails(
            "a_book_that_loses_records",
            Expected::outcome("the book is wrong"),
            wrong_book,
        )
        .reaches(&["the book is right"]),
        Case::holds("a_book_that_is_right", right_book),
        Case::holds("another_book_that_is_right", locked_book),
    ],
});
