// The sum of all

use heisenbug::db::{Connection, Result};

/// Moves money from the till to the safe.
pub fn move_to_safe(shop: &Connection, amount: i64) -> Result<()> {
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
    shop.value("select sum(money) from places", ())
}
