// The last room
//
// A hotel has one room, and a table of its bookings: the night, and the guest. Nobody may book a night
// that is taken: `book` looks first. On some nights two guests stand in the door, each with a confirmation.

use heisenbug::db::{Connection, Result};

/// The table, as the hotel makes it. You may change that, too.
pub const SCHEMA: &str = "create table bookings (night integer not null, guest text not null)";

/// Books the room for that night, if it is free, and says whether it was.
pub fn book(hotel: &Connection, night: i64, guest: &str) -> Result<bool> {
    // TODO: make sure that no other guest books between the look and the insert.
    let taken = hotel.query("select guest from bookings where night = ?", [night])?;
    if !taken.is_empty() {
        return Ok(false);
    }
    hotel.execute(
        "insert into bookings (night, guest) values (?, ?)",
        (night, guest),
    )?;
    Ok(true)
}
