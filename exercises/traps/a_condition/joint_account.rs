// The joint account

use heisenbug::db::{Connection, Result};

/// Pays from account 1, if there is enough on it, and says whether there was.
pub fn pay(bank: &Connection, amount: i64) -> Result<bool> {
    let balance: i64 = bank.value("select balance from accounts where id = 1", ())?;
    let changed = bank.execute(
        "update accounts set balance = ? where id = 1 and balance >= ?",
        [balance - amount, amount],
    )?;
    Ok(changed == 1)
}
