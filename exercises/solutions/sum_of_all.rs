// The sum of all
//
// A till and a safe hold the money of a shop. At noon some of it is moved from the till to the safe, and
// somebody counts both. However often it is moved, the sum is 100; the count says otherwise.

use heisenbug::db::{Connection, Result};

/// Moves money from the till to the safe.
pub fn move_to_safe(shop: &Connection, amount: i64) -> Result<()> {
    // Both updates become visible with the commit, and nobody else writes in between.
    shop.begin_immediate()?;
    shop.execute(
        "update places set money = money - ? where name = 'till'",
        [amount],
    )?;
    shop.execute(
        "update places set money = money + ? where name = 'safe'",
        [amount],
    )?;
    shop.commit()
}

/// The money in both places.
pub fn count(shop: &Connection) -> Result<i64> {
    // One statement looks at one moment.
    shop.value("select sum(money) from places", ())
}
