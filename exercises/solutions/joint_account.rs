// The joint account
//
// Two people pay from one account, each with a card. The bank looks whether there is enough, and writes
// down what is left. Now and then somebody gets a present: a payment that the account knows nothing of.

use heisenbug::db::{Connection, Result};

/// Pays from account 1, if there is enough on it, and says whether there was.
pub fn pay(bank: &Connection, amount: i64) -> Result<bool> {
    // One statement looks, subtracts and writes.
    let changed = bank.execute(
        "update accounts set balance = balance - ? where id = 1 and balance >= ?",
        [amount, amount],
    )?;
    Ok(changed == 1)
}
