// The sum of all
//
// A till and a safe hold the money of a shop. At noon some of it is moved from the till to the safe, and
// somebody counts both. However often it is moved, the sum is 100; the count says otherwise.

use heisenbug::db::{Connection, Result};

/// Moves money from the till to the safe.
pub fn move_to_safe(shop: &Connection, amount: i64) -> Result<()> {
    // TODO: make sure that nobody sees the money in neither place, or in both.
    shop.execute(
        "update places set money = money - ? where name = 'till'",
        [amount],
    )?;
    shop.execute(
        "update places set money = money + ? where name = 'safe'",
        [amount],
    )?;
    Ok(())
}

/// The money in both places.
pub fn count(shop: &Connection) -> Result<i64> {
    let till: i64 = shop.value("select money from places where name = 'till'", ())?;
    let safe: i64 = shop.value("select money from places where name = 'safe'", ())?;
    Ok(till + safe)
}
