// The early mail

use heisenbug::db::{Connection, Result};
use heisenbug::sync::mpsc::Sender;

/// Stores an order with its items, and queues the mail about it.
pub fn place_order(shop: &Connection, mails: &Sender<i64>, order: i64) -> Result<()> {
    shop.begin_immediate()?;
    shop.execute("insert into orders values (?)", [order])?;
    shop.execute("insert into items values (?, 'teapot')", [order])?;
    mails.send(order).unwrap();
    shop.commit()
}
