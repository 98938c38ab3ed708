//! Judges `ab_ba_deadlock.rs`: two clerks carry in opposite directions, and one carries while the
//! other counts.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
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
    let books = library.count();
    // Now 6 are on shelf 0, and 4 on shelf 1.
    let all = start("a third clerk", move || {
        library.carry(1, 0, 4);
        library.carry(0, 1, 10);
    });
    match (books, all.join()) {
        (10, Ok(())) => "10 books".into(),
        (10, Err(_)) => "not carried".into(),
        _ => "some are missing".into(),
    }
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

/// What was carried to a shelf can be carried on from there.
fn is_carried(from: usize, to: usize) -> String {
    let library = yours::Library::new(5, 5);
    library.carry(from, to, 2);
    library.carry(from, to, 3);
    library.carry(to, from, 10);
    kept(library.count() == 10)
}

fn to_the_right() -> String {
    is_carried(0, 1)
}

fn to_the_left() -> String {
    is_carried(1, 0)
}

/// Carries from a shelf whose last book was just carried away.
fn one_too_many(from: usize, to: usize) -> String {
    let library = yours::Library::new(5, 5);
    library.carry(from, to, 4);
    library.carry(from, to, 1);
    library.carry(from, to, 1);
    "carried a book that is not there".into()
}

fn one_too_many_to_the_right() -> String {
    one_too_many(0, 1)
}

fn one_too_many_to_the_left() -> String {
    one_too_many(1, 0)
}

fn a_count() -> String {
    kept(yours::Library::new(3, 4).count() == 7 && yours::Library::new(0, 1).count() == 1)
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("10 books", "every book is on a shelf"),
        Outcome::forbidden(
            "some are missing",
            "books were counted while they were on no shelf"
        ),
        Outcome::forbidden("not carried", "books are still where they were"),
        Outcome::forbidden(
            "deadlock",
            "each clerk holds the shelf that the other waits for"
        ),
    ],
    contract: &[
        Case::promises("`count` counts the books on both shelves", a_count),
        Case::promises(
            "`carry` carries books from shelf 0 to shelf 1",
            to_the_right
        ),
        Case::promises("`carry` carries books from shelf 1 to shelf 0", to_the_left),
        Case::panics(
            "`carry` takes the books from shelf 0, and panics if there are not enough",
            one_too_many_to_the_right
        ),
        Case::panics(
            "`carry` takes the books from shelf 1, and panics if there are not enough",
            one_too_many_to_the_left
        ),
    ],
    cases: &[
        Case::holds("to_and_fro", to_and_fro),
        Case::holds("stocktaking", stocktaking),
    ],
});
