//! What programs can rely on with the snapshot engine, over all orders of their commands.

use heisenbug::catalogue::Bug;
use heisenbug::check::Report;
use heisenbug::db::{Connection, Database, Engine, Kind, Level, Result};
use heisenbug::{Checker, Verdict, thread};
use heisenbug_worlds as worlds;

/// A check of an anomaly at that level of the engine, if it can be asked there.
fn check(anomaly: &'static Bug, level: &str) -> Option<Report> {
    let variant = anomaly.variant(&format!("snapshot_{level}"))?;
    let report = Checker::new().check_variant(anomaly, variant);
    assert!(report.complete, "{report}");
    Some(report)
}

/// For each anomaly that can be asked there, in how many executions it was seen, and of how many.
fn row(level: &str) -> Vec<(&'static str, u64, u64)> {
    let cell = |anomaly: &'static Bug| {
        let report = check(anomaly, level)?;
        let seen = { report.outcomes.iter() }.filter(|outcome| outcome.label == "seen");
        let seen = seen.map(|outcome| outcome.count).sum();
        Some((anomaly.name, seen, report.explored()))
    };
    worlds::anomalies().filter_map(cell).collect()
}

#[test]
fn snapshot_isolation_allows_write_skew_and_nothing_else() {
    let expected = [
        ("g0", 0, 20),
        ("g1a", 0, 10),
        ("g1b", 0, 20),
        ("g1c", 0, 20),
        ("otv", 0, 1680),
        ("pmp", 0, 10),
        ("p4", 0, 20),
        ("g-single", 0, 20),
        // Write skew: of rows, of a condition, and as a reader sees it.
        ("g2-item", 18, 20),
        ("g2", 18, 20),
        ("g2-fekete", 16, 210),
    ];
    assert_eq!(row("repeatable_read"), expected);
}

#[test]
fn serializable_allows_no_anomaly() {
    let row = row("serializable");
    assert_eq!(row.len(), 11);
    assert!(row.iter().all(|&(_, seen, _)| seen == 0), "{row:?}");
}

#[test]
fn the_same_check_comes_to_the_same_each_time() {
    let anomaly = worlds::anomalies()
        .find(|bug| bug.name == "g2-item")
        .unwrap();
    let once = || Report {
        millis: 0,
        ..check(anomaly, "repeatable_read").unwrap()
    };
    assert_eq!(once().to_string(), once().to_string());
}

/// Two clients do the same at once. Returns what came of each, and the value in the end.
fn two(act: fn(&Connection) -> Result<()>) -> (Vec<Result<()>>, i64) {
    let db = Database::on(Engine::Snapshot, "set a 0");
    let clients = [db.connect(), db.connect()];
    let ended = clients.map(|client| thread::spawn(move || act(&client)));
    let ended = ended.map(|client| client.join().unwrap()).into();
    (ended, db.connect().value("get a", ()).unwrap())
}

fn add_one(client: &Connection) -> Result<()> {
    let value: i64 = client.value("get a", ())?;
    client.execute("set a ?", [value + 1])?;
    client.commit()
}

fn add_one_at_last(client: &Connection, level: Level) -> Result<()> {
    loop {
        client.begin_at(level)?;
        match add_one(client) {
            Err(error) if error.is_retryable() => client.rollback()?,
            done => return done,
        }
    }
}

/// The outcomes of a program that holds, in order.
fn outcomes<R: std::fmt::Debug>(program: impl Fn() -> R + Send + Sync + 'static) -> Vec<String> {
    let report = Checker::new().check(program);
    assert_eq!(report.verdict, Verdict::Holds, "{report}");
    let mut labels: Vec<String> = { report.outcomes.iter() }
        .map(|outcome| outcome.label.clone())
        .collect();
    labels.sort();
    labels
}

#[test]
fn one_of_two_commits_is_refused_as_a_conflict_or_both_go_through() {
    let program = || {
        let (ended, value) = two(|client| client.begin().and_then(|()| add_one(client)));
        let refused = ended.into_iter().filter_map(Result::err);
        let refused: Vec<_> = refused.map(|error| (error.kind, error.code)).collect();
        if let [(kind, code)] = &refused[..] {
            assert_eq!((*kind, code.as_str()), (Kind::Conflict, "KeyWriteConflict"));
        }
        (refused.len(), value)
    };
    assert_eq!(outcomes(program), ["(0, 2)", "(1, 1)"]);
}

#[test]
fn a_transaction_that_is_tried_again_goes_through() {
    for level in [Level::RepeatableRead, Level::Serializable] {
        let program = move || match level {
            Level::Serializable => two(|client| add_one_at_last(client, Level::Serializable)).1,
            _ => two(|client| add_one_at_last(client, Level::RepeatableRead)).1,
        };
        assert_eq!(outcomes(program), ["2"]);
    }
}

#[test]
fn a_command_outside_of_a_transaction_is_one_by_itself() {
    let program = || {
        let (ended, value) = two(|client| client.execute("set a 1", ()).map(drop));
        (ended, value)
    };
    assert_eq!(outcomes(program), ["([Ok(()), Ok(())], 1)"]);
}

#[test]
fn nothing_of_an_execution_is_left_in_the_next() {
    let program = || {
        let db = Database::on(Engine::Snapshot, "set a 0");
        let before = db.connect().query("scan a", ()).unwrap().to_string();
        let leave = |key: &'static str| {
            let client = db.connect();
            thread::spawn(move || client.execute(&format!("set {key} 1"), ()).map(drop))
        };
        let left = [leave("a"), leave("a2")];
        for client in left {
            client.join().unwrap().unwrap();
        }
        before
    };
    assert_eq!(outcomes(program), ["('a', 0)"]);
}

#[test]
fn a_wrong_command_is_an_error_that_says_what_is_accepted() {
    let program = || {
        let db = Database::on(Engine::Snapshot, "set a 0");
        let error = db.connect().query("select 1", ()).unwrap_err();
        assert_eq!(error.kind, Kind::Other);
        error.message.starts_with(
            "`select 1`: `select` is no command: the snapshot engine accepts `get KEY`",
        )
    };
    assert_eq!(outcomes(program), ["true"]);
}
