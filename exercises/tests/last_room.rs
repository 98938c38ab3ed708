//! Judges `last_room.rs`: two guests, for the same night and for two.

use heisenbug::catalogue::Outcome;
use heisenbug::db::Database;
use heisenbug::judge::{Case, Judge, kept, start};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "last_room.rs"
);

/// Two guests book at once. Says which of them have a confirmation.
fn guests(nights: [i64; 2]) -> Result<(bool, bool), String> {
    let db = Database::new(yours::SCHEMA);
    let bob = start("bob", {
        let hotel = db.connect();
        move || yours::book(&hotel, nights[1], "bob")
    });
    let ann = yours::book(&db.connect(), nights[0], "ann");
    let refused = |error: heisenbug::db::Error| format!("the hotel refuses: {}", error.code);
    Ok((ann.map_err(refused)?, bob.join().unwrap().map_err(refused)?))
}

fn the_same_night() -> String {
    match guests([7, 7]) {
        Ok((true, false)) => "ann has the room".into(),
        Ok((false, true)) => "bob has the room".into(),
        Ok((true, true)) => "two guests, one bed".into(),
        Ok((false, false)) => "the room stays empty".into(),
        Err(error) => error,
    }
}

fn two_nights() -> String {
    match guests([7, 8]) {
        Ok((true, true)) => "a night for each".into(),
        Ok(_) => "the room stays empty".into(),
        Err(error) => error,
    }
}

fn one_guest() -> String {
    let db = Database::new(yours::SCHEMA);
    let hotel = db.connect();
    let booked = [(1, "ann"), (1, "bob"), (2, "bob"), (1, "ann")]
        .map(|(night, guest)| yours::book(&hotel, night, guest));
    let stored: i64 = hotel.value("select count(*) from bookings", ()).unwrap();
    kept(booked == [Ok(true), Ok(false), Ok(true), Ok(false)] && stored == 2)
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("ann has the room", "ann came first"),
        Outcome::acceptable("bob has the room", "bob came first"),
        Outcome::acceptable("a night for each", "they want different nights"),
        Outcome::forbidden(
            "two guests, one bed",
            "both looked before either booking was there",
        ),
        Outcome::forbidden(
            "the room stays empty",
            "a night was free, and a guest was sent away"
        ),
        Outcome::forbidden(
            "the hotel refuses: SQLITE_CONSTRAINT_UNIQUE",
            "the constraint did its work, and the guest gets an error for an answer",
        ),
        Outcome::forbidden(
            "the hotel refuses: SQLITE_BUSY",
            "a transaction that began with a look could not go on to write",
        ),
    ],
    contract: &[Case::promises(
        "`book` stores one booking for each night, and says no to everybody else",
        one_guest
    ),],
    cases: &[
        Case::holds("the_same_night", the_same_night)
            .reaches(&["ann has the room", "bob has the room"]),
        Case::holds("two_nights", two_nights),
    ],
});
