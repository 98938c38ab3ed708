// The last room

use heisenbug::db::{Connection, Result};

/// The table, as the hotel makes it.
pub const SCHEMA: &str =
    "create table bookings (night integer not null unique, guest text not null)";

/// Books the room for that night, if it is free, and says whether it was.
pub fn book(hotel: &Connection, night: i64, guest: &str) -> Result<bool> {
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
