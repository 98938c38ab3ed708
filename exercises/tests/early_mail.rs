//! Judges `early_mail.rs`: a mailer beside the shop, and a clerk who looks at the orders.

use heisenbug::catalogue::Outcome;
use heisenbug::db::{Connection, Database, Engine};
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::mpsc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "early_mail.rs"
);

const SCHEMA: &str = "
    create table orders (id integer primary key);
    create table items (order_id integer not null, name text not null);
";

/// How many orders there are, and how many of them have an item: of one moment.
fn orders(shop: &Connection) -> (i64, i64) {
    let sql = "select count(*), coalesce(sum((select count(*) from items where order_id = id)), 0) from orders";
    let rows = shop.query(sql, ()).unwrap();
    let row = rows.first().unwrap();
    (row.get(0), row.get(1))
}

fn a_mail() -> String {
    let db = Database::on(Engine::SqliteWal, SCHEMA);
    let (mails, to_send) = mpsc::channel();
    let shop = start("shop", {
        let shop = db.connect();
        move || yours::place_order(&shop, &mails, 7)
    });
    let sent = match to_send.recv() {
        Ok(7) => match orders(&db.connect()) {
            (1, 1) => "a mail about a teapot",
            (1, _) => "a mail about an order without items",
            _ => "a mail about no order",
        },
        Ok(_) => "a mail about another order",
        Err(_) => "no mail",
    };
    match shop.join().unwrap() {
        Ok(()) => sent.into(),
        Err(error) => format!("the shop refuses: {}", error.code),
    }
}

fn a_clerk() -> String {
    let db = Database::on(Engine::SqliteWal, SCHEMA);
    let (mails, _to_send) = mpsc::channel();
    let shop = start("shop", {
        let shop = db.connect();
        move || yours::place_order(&shop, &mails, 7)
    });
    let seen = orders(&db.connect());
    shop.join().unwrap().unwrap();
    match seen {
        (0, _) => "no order yet",
        (1, 1) => "an order with its item",
        _ => "an order without items",
    }
    .into()
}

fn two_orders() -> String {
    let db = Database::on(Engine::SqliteWal, SCHEMA);
    let shop = db.connect();
    let (mails, to_send) = mpsc::channel();
    let placed = [3, 4].map(|order| yours::place_order(&shop, &mails, order));
    let told: Vec<i64> = to_send.try_iter().collect();
    kept(placed == [Ok(()), Ok(())] && told == [3, 4] && orders(&shop) == (2, 2))
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("a mail about a teapot", "the mailer found the order"),
        Outcome::forbidden(
            "a mail about no order",
            "the mailer was told before the commit"
        ),
        Outcome::forbidden(
            "a mail about an order without items",
            "the mailer was told between two commits",
        ),
        Outcome::forbidden(
            "a mail about another order",
            "the queue has another number in it"
        ),
        Outcome::forbidden("no mail", "nobody told the mailer"),
        Outcome::acceptable("no order yet", "the clerk looked before the commit"),
        Outcome::acceptable(
            "an order with its item",
            "the clerk looked after the commit"
        ),
        Outcome::forbidden("an order without items", "the clerk saw half of an order"),
    ],
    contract: &[Case::promises(
        "`place_order` stores the order with its item, and queues its number",
        two_orders
    ),],
    cases: &[
        Case::holds("a_mail", a_mail),
        Case::holds("a_clerk", a_clerk).reaches(&["no order yet", "an order with its item"]),
    ],
});
