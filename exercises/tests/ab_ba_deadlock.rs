//! Judges `ab_ba_deadlock.rs`: two clerks carry in opposite directions, and one carries while the
//! other counts.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "ab_ba_deadlock.rs"
);

fn to_and_fro() -> String {
    let library = Arc::new(yours::Library::new(5, 5));
    let clerk = start("second clerk", {
        let library = Arc::clone(&library);
        move || library.carry(1, 0, 2)
    });
    library.carry(0, 1, 1);
    clerk.join().unwrap();
    format!("{} books", library.count())
}

fn stocktaking() -> String {
    let library = Arc::new(yours::Library::new(5, 5));
    let clerk = start("second clerk", {
        let library = Arc::clone(&library);
        move || library.carry(1, 0, 2)
    });
    let books = library.count();
    clerk.join().unwrap();
    match books {
        10 => "10 books".into(),
        _ => "some are missing".into(),
    }
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("10 books", "every book is on a shelf"),
        Outcome::forbidden(
            "some are missing",
            "books were counted while they were on no shelf"
        ),
        Outcome::forbidden(
            "deadlock",
            "each clerk holds the shelf that the other waits for"
        ),
    ],
    cases: &[
        Case::holds("to_and_fro", to_and_fro),
        Case::holds("stocktaking", stocktaking),
    ],
});
