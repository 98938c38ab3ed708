// The last room
//
// A hotel has one room, and a table of its bookings: the night, and the guest. Nobody may book a night
// that is taken: `book` looks first. On some nights two guests stand in the door, each with a confirmation.

use heisenbug::db::{Connection, Result};

/// The table, as the hotel makes it. You may change that, too.
pub const SCHEMA: &str =
    "create table bookings (night integer not null unique, guest text not null)";

/// Books the room for that night, if it is free, and says whether it was.
pub fn book(hotel: &Connection, night: i64, guest: &str) -> Result<bool> {
    // The database looks and inserts in one step, and its refusal is the answer.
    match hotel.execute(
        "insert into bookings (night, guest) values (?, ?)",
        (night, guest),
    ) {
        Err(error) if error.is_constraint() => Ok(false),
        booked => booked.map(|rows| rows == 1),
    }
}
