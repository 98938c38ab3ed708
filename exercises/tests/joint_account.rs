//! Judges `joint_account.rs`: two cards, with enough on the account and without.

use heisenbug::catalogue::Outcome;
use heisenbug::db::Database;
use heisenbug::judge::{Case, Judge, kept, start};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "joint_account.rs"
);

const SCHEMA: &str = "
    create table accounts (id integer primary key, balance integer not null);
    insert into accounts values (1, 50), (2, 7);
";

/// Two people pay at once. Says who could, and what is left.
fn payments(first: i64, second: i64) -> Result<(bool, bool, i64), String> {
    let db = Database::new(SCHEMA);
    let card = start("second card", {
        let bank = db.connect();
        move || yours::pay(&bank, second)
    });
    let main = yours::pay(&db.connect(), first);
    let refused = |error: heisenbug::db::Error| format!("the bank refuses: {}", error.code);
    let (main, other) = (
        main.map_err(refused)?,
        card.join().unwrap().map_err(refused)?,
    );
    let left = db
        .connect()
        .value("select balance from accounts where id = 1", ());
    Ok((main, other, left.map_err(refused)?))
}

fn enough_for_both() -> String {
    match payments(20, 20) {
        Ok((true, true, 10)) => "both paid".into(),
        Ok((true, true, _)) => "a payment was a present".into(),
        Ok(_) => "turned away with money on the account".into(),
        Err(error) => error,
    }
}

fn enough_for_one() -> String {
    match payments(40, 30) {
        Ok((true, false, 10)) => "main paid".into(),
        Ok((false, true, 20)) => "the second card paid".into(),
        Ok((true, true, _)) => "a payment was a present".into(),
        Ok((false, false, 50)) => "turned away with money on the account".into(),
        Ok(_) => "paid by one, and taken from another".into(),
        Err(error) => error,
    }
}

fn one_card() -> String {
    let db = Database::new(SCHEMA);
    let bank = db.connect();
    let paid = [20, 40, 30, 1].map(|amount| yours::pay(&bank, amount));
    let other: i64 = bank
        .value("select balance from accounts where id = 2", ())
        .unwrap();
    kept(paid == [Ok(true), Ok(false), Ok(true), Ok(false)] && other == 7)
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("both paid", "there was enough for both"),
        Outcome::acceptable("main paid", "main came first, and the rest was not enough"),
        Outcome::acceptable(
            "the second card paid",
            "the second card came first, and the rest was not enough"
        ),
        Outcome::forbidden(
            "a payment was a present",
            "both looked at the same balance, and the second write undid the first",
        ),
        Outcome::forbidden(
            "turned away with money on the account",
            "there was enough for a payment, and it was refused",
        ),
        Outcome::forbidden(
            "paid by one, and taken from another",
            "what is left is not what was paid",
        ),
        Outcome::forbidden(
            "the bank refuses: SQLITE_BUSY",
            "a transaction that began with a look could not go on to write",
        ),
    ],
    contract: &[Case::promises(
        "`pay` takes what there is enough for, from account 1 alone",
        one_card
    ),],
    cases: &[
        Case::holds("enough_for_both", enough_for_both),
        Case::holds("enough_for_one", enough_for_one)
            .reaches(&["main paid", "the second card paid"]),
    ],
});
