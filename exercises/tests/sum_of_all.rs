//! Judges `sum_of_all.rs`: a count while money is moved, and two moves at once.

use heisenbug::catalogue::Outcome;
use heisenbug::db::{Connection, Database, Engine};
use heisenbug::judge::{Case, Judge, kept, start};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "sum_of_all.rs"
);

const SCHEMA: &str = "
    create table places (name text primary key, money integer not null);
    insert into places values ('till', 100), ('safe', 0);
";

fn refused(error: heisenbug::db::Error) -> String {
    format!("the shop refuses: {}", error.code)
}

/// What is in the till, and in the safe.
fn places(shop: &Connection) -> [i64; 2] {
    ["till", "safe"].map(|name| {
        shop.value("select money from places where name = ?", [name])
            .unwrap()
    })
}

fn a_count_at_noon() -> String {
    let db = Database::on(Engine::SqliteWal, SCHEMA);
    let cashier = start("cashier", {
        let shop = db.connect();
        move || yours::move_to_safe(&shop, 60)
    });
    let sum = yours::count(&db.connect());
    let moved = cashier.join().unwrap();
    match (sum.map_err(refused), moved.map_err(refused)) {
        (Ok(100), Ok(())) => "the sum is right".into(),
        (Ok(_), Ok(())) => "the sum is one that the shop never had".into(),
        (Err(error), _) | (_, Err(error)) => error,
    }
}

fn two_cashiers() -> String {
    let db = Database::on(Engine::SqliteWal, SCHEMA);
    let cashier = start("cashier", {
        let shop = db.connect();
        move || yours::move_to_safe(&shop, 60)
    });
    let mine = yours::move_to_safe(&db.connect(), 30);
    let other = cashier.join().unwrap();
    match mine.and(other).map_err(refused) {
        Ok(()) if places(&db.connect()) == [10, 90] => "both moves arrived".into(),
        Ok(()) => "a move was lost".into(),
        Err(error) => error,
    }
}

fn alone() -> String {
    let db = Database::on(Engine::SqliteWal, SCHEMA);
    let shop = db.connect();
    let before = yours::count(&shop);
    let moved = yours::move_to_safe(&shop, 25);
    let after = yours::count(&shop);
    kept((before, moved, after) == (Ok(100), Ok(()), Ok(100)) && places(&shop) == [75, 25])
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("the sum is right", "the count saw one moment"),
        Outcome::acceptable("both moves arrived", "each move was whole"),
        Outcome::forbidden(
            "the sum is one that the shop never had",
            "the till was counted at one moment and the safe at another, or a half-done move was seen",
        ),
        Outcome::forbidden("a move was lost", "one move overwrote the other"),
        Outcome::forbidden(
            "the shop refuses: SQLITE_BUSY",
            "a transaction could not go on, and gave up",
        ),
        Outcome::forbidden(
            "the shop refuses: SQLITE_BUSY_SNAPSHOT",
            "a transaction that had looked could not go on to write",
        ),
    ],
    contract: &[Case::promises(
        "`move_to_safe` moves what it is told to, and `count` says what there is",
        alone
    ),],
    cases: &[
        Case::holds("a_count_at_noon", a_count_at_noon),
        Case::holds("two_cashiers", two_cashiers),
    ],
});
