// The joint account
//
// Two people pay from one account, each with a card. The bank looks whether there is enough, and writes
// down what is left. Now and then somebody gets a present: a payment that the account knows nothing of.

use heisenbug::db::{Connection, Result};

/// Pays from account 1, if there is enough on it, and says whether there was.
pub fn pay(bank: &Connection, amount: i64) -> Result<bool> {
    // TODO: make sure that what was looked at is what the payment is taken from.
    let balance: i64 = bank.value("select balance from accounts where id = 1", ())?;
    if balance < amount {
        return Ok(false);
    }
    bank.execute(
        "update accounts set balance = ? where id = 1",
        [balance - amount],
    )?;
    Ok(true)
}
