// The sum of all

use heisenbug::db::{Connection, Result};

/// Moves money from the till to the safe.
pub fn move_to_safe(shop: &Connection, amount: i64) -> Result<()> {
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
    let till: i64 = shop.value("select money from places where name = 'till'", ())?;
    let safe: i64 = shop.value("select money from places where name = 'safe'", ())?;
    Ok(till + safe)
}
