// The early mail
//
// A shop stores an order, and has a mail sent about it. The mailer gets the number of the order over a
// queue, and looks it up. Sometimes there is no such order: the mail was too early.

use heisenbug::db::{Connection, Result};
use heisenbug::sync::mpsc::Sender;

/// Stores an order with its items, and queues the mail about it.
pub fn place_order(shop: &Connection, mails: &Sender<i64>, order: i64) -> Result<()> {
    shop.begin_immediate()?;
    shop.execute("insert into orders values (?)", [order])?;
    shop.execute("insert into items values (?, 'teapot')", [order])?;
    shop.commit()?;
    // What is announced is committed by now, with its items.
    mails.send(order).unwrap();
    Ok(())
}
