// The last room

use heisenbug::db::{Connection, Result};

/// The table, as the hotel makes it.
pub const SCHEMA: &str = "create table bookings (night integer not null, guest text not null)";

/// Books the room for that night, if it is free, and says whether it was.
pub fn book(hotel: &Connection, night: i64, guest: &str) -> Result<bool> {
    hotel.execute(
        "insert into bookings (night, guest) values (?, ?)",
        (night, guest),
    )?;
    let taken: i64 = hotel.value("select count(*) from bookings where night = ?", [night])?;
    if taken > 1 {
        hotel.execute("delete from bookings where rowid = last_insert_rowid()", ())?;
    }
    Ok(taken == 1)
}
