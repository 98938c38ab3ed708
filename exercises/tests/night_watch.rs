//! Judges `night_watch.rs`: two of two watchmen, and two of three.

use heisenbug::catalogue::Outcome;
use heisenbug::db::Database;
use heisenbug::judge::{Case, Judge, kept, start};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "night_watch.rs"
);

const TWO: &str = "
    create table watchmen (name text primary key, on_duty integer not null);
    insert into watchmen values ('ann', 1), ('bob', 1);
";

const THREE: &str = "
    create table watchmen (name text primary key, on_duty integer not null);
    insert into watchmen values ('ann', 1), ('bob', 1), ('eve', 1);
";

/// Ann and bob want to go home at once. Says which of them did, and how many stay.
fn evening(schema: &str) -> Result<(bool, bool, i64), String> {
    let db = Database::new(schema);
    let bob = start("bob", {
        let tower = db.connect();
        move || yours::go_home(&tower, "bob")
    });
    let ann = yours::go_home(&db.connect(), "ann");
    let refused = |error: heisenbug::db::Error| format!("the tower refuses: {}", error.code);
    let (ann, bob) = (ann.map_err(refused)?, bob.join().unwrap().map_err(refused)?);
    let stay = db
        .connect()
        .value("select count(*) from watchmen where on_duty", ());
    Ok((ann, bob, stay.map_err(refused)?))
}

fn two_on_duty() -> String {
    match evening(TWO) {
        Ok((true, false, 1)) => "bob stays".into(),
        Ok((false, true, 1)) => "ann stays".into(),
        Ok((_, _, 0)) => "nobody watches".into(),
        Ok((false, false, 2)) => "both have to stay".into(),
        Ok(_) => "the table says otherwise".into(),
        Err(error) => error,
    }
}

fn three_on_duty() -> String {
    match evening(THREE) {
        Ok((true, true, 1)) => "eve stays".into(),
        Ok((_, _, 0)) => "nobody watches".into(),
        Ok(_) => "both have to stay".into(),
        Err(error) => error,
    }
}

fn one_after_the_other() -> String {
    let db = Database::new(TWO);
    let tower = db.connect();
    let gone = ["ann", "bob"].map(|name| yours::go_home(&tower, name));
    let stays: String = tower
        .value("select name from watchmen where on_duty", ())
        .unwrap();
    kept(gone == [Ok(true), Ok(false)] && stays == "bob")
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("ann stays", "bob went first"),
        Outcome::acceptable("bob stays", "ann went first"),
        Outcome::acceptable("eve stays", "there was somebody else for both"),
        Outcome::forbidden("nobody watches", "both counted two before either had gone"),
        Outcome::forbidden("both have to stay", "one of them could have gone"),
        Outcome::forbidden(
            "the table says otherwise",
            "who went is not who is off duty"
        ),
        Outcome::forbidden(
            "the tower refuses: SQLITE_BUSY",
            "a transaction that began with a look could not go on to write",
        ),
    ],
    contract: &[Case::promises(
        "`go_home` lets the first one go, and keeps the last one",
        one_after_the_other
    ),],
    cases: &[
        Case::holds("two_on_duty", two_on_duty).reaches(&["ann stays", "bob stays"]),
        Case::holds("three_on_duty", three_on_duty),
    ],
});
