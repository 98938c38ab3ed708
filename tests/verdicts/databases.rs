//! What a database promises its clients, over all orders of their statements: on a real SQLite.

use crate::judged::{deadlocks, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::check::Report;
use heisenbug::db::{Connection, Database, Engine, Kind, Result};
use heisenbug::explain;
use heisenbug::sync::Arc;
use heisenbug::thread;
use heisenbug::trace::{Event, Op};

const SCHEMA: &str = "
    create table test (id integer primary key, value integer not null unique);
    insert into test values (1, 10), (2, 20);
";

/// Two clients do the same at once. Returns what came of each, and the rows in the end.
fn two(engine: Engine, act: fn(&Connection) -> Result<()>) -> (Vec<Result<()>>, Vec<i64>) {
    let db = Database::on(engine, SCHEMA);
    let clients = [db.connect(), db.connect()];
    let ended = clients.map(|client| thread::spawn(move || act(&client)));
    let ended = ended.map(|client| client.join().unwrap());
    let rows = db.connect().query("select value from test order by id", ());
    let values = rows.unwrap().iter().map(|row| row.get(0)).collect();
    (ended.into(), values)
}

/// Reads a value and writes one more.
fn add_one(client: &Connection) -> Result<()> {
    let value: i64 = client.value("select value from test where id = 1", ())?;
    client.execute("update test set value = ? where id = 1", [value + 1])?;
    Ok(())
}

fn in_transaction(client: &Connection) -> Result<()> {
    client.begin()?;
    let done = add_one(client).and_then(|()| client.commit());
    if done.is_err() {
        client.rollback()?;
    }
    done
}

fn as_the_only_writer(client: &Connection) -> Result<()> {
    client.begin_immediate()?;
    add_one(client)?;
    client.commit()
}

/// How many of the executions came to each outcome.
fn counts<R: std::fmt::Debug>(
    program: impl Fn() -> R + Send + Sync + 'static,
) -> Vec<(String, u64)> {
    let report = holds(program);
    let mut counts: Vec<_> = { report.outcomes.iter() }
        .map(|outcome| (outcome.label.clone(), outcome.count))
        .collect();
    counts.sort();
    counts
}

/// The report in one line, so that it does not matter where its lines end.
fn told(report: &Report) -> String {
    let text = explain::plain(&explain::report(report, explain::MAX_WIDTH));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn outcome(label: &str, executions: u64) -> (String, u64) {
    (label.to_owned(), executions)
}

#[test]
fn every_order_of_the_statements_of_two_clients_is_one_execution_holds() {
    // 4 statements in 6 orders: 2 in which one client comes after the other, 4 in which both read first.
    let values = || two(Engine::Sqlite, add_one).1[0];
    assert_eq!(counts(values), [outcome("11", 4), outcome("12", 2)]);
}

#[test]
fn a_transaction_that_has_read_may_not_write_beside_a_writer_holds() {
    for (journal, kinds) in [
        (Engine::Sqlite, [Kind::Busy, Kind::Busy]),
        (Engine::SqliteWal, [Kind::Busy, Kind::Conflict]),
    ] {
        let program = move || {
            let (ended, values) = two(journal, in_transaction);
            for error in ended.iter().filter_map(|ended| ended.as_ref().err()) {
                assert!(kinds.contains(&error.kind), "{error}");
            }
            let done = ended.iter().filter(|ended| ended.is_ok()).count();
            assert_eq!(values[0], 10 + done as i64, "no update is lost");
            done
        };
        let counts = counts(program);
        // Only the 2 orders without any overlap let both of them through.
        assert_eq!(counts.last(), Some(&outcome("2", 2)), "{journal:?}");
    }
}

#[test]
fn the_only_writer_loses_nothing_and_fails_never_holds() {
    for journal in [Engine::Sqlite, Engine::SqliteWal] {
        holds(move || {
            let (ended, values) = two(journal, as_the_only_writer);
            assert_eq!((ended, values), (vec![Ok(()), Ok(())], vec![12, 20]));
        });
    }
}

#[test]
fn a_reader_in_a_log_keeps_its_snapshot_holds() {
    let both = || {
        let db = Database::on(Engine::SqliteWal, SCHEMA);
        let writer = db.connect();
        let writes = thread::spawn(move || as_the_only_writer(&writer).unwrap());
        let reader = db.connect();
        reader.begin().unwrap();
        let read = [(); 2].map(|()| reader.value("select value from test where id = 1", ()));
        writes.join().unwrap();
        read.map(|value: Result<i64>| value.unwrap())
    };
    let outcomes: Vec<String> = counts(both).into_iter().map(|(label, _)| label).collect();
    assert_eq!(outcomes, ["[10, 10]", "[11, 11]"]);
}

#[test]
fn a_commit_waits_for_those_who_read_and_a_deadlock_is_told_as_such() {
    // In a rollback journal a writer cannot commit while somebody reads.
    let report = deadlocks(|| {
        let db = Database::new(SCHEMA);
        let reader = db.connect();
        reader.begin().unwrap();
        let _: i64 = reader.value("select count(*) from test", ()).unwrap();
        let writer = db.connect();
        let writes = thread::Builder::new().name("writer".into());
        let writes = writes
            .spawn(move || as_the_only_writer(&writer).unwrap())
            .unwrap();
        writes.join().unwrap();
    });
    let blocked = report
        .blocked
        .iter()
        .find(|blocked| blocked.actor == "writer")
        .unwrap();
    assert_eq!(blocked.held_by, ["main"]);
    let told = told(&report);
    let locked = "which main locked with `select count(*) from test` at line ";
    assert!(told.contains(locked), "{told}");
}

#[test]
fn who_waits_for_whom_is_a_row() {
    let report = fails(
        || {
            let db = Database::new(SCHEMA);
            let [ann, bob] = ["ann", "bob"].map(|name| {
                let client = db.connect();
                let builder = thread::Builder::new().name(name.into());
                builder.spawn(move || as_the_only_writer(&client)).unwrap()
            });
            bob.join().unwrap().unwrap();
            assert!(ann.is_finished(), "bob overtook ann");
        },
        Class::Assertion,
        "bob overtook ann",
    );
    assert!(
        report
            .counterexample
            .iter()
            .all(|event| event.held_by.is_empty())
    );
    let waits = |event: &&Event| event.op == Op::StatementWaits;
    let report = deadlocks(|| {
        let db = Database::new(SCHEMA);
        let holder = db.connect();
        holder.begin_immediate().unwrap();
        let client = db.connect();
        let waiter = thread::Builder::new().name("bob".into());
        let waiter = waiter.spawn(move || as_the_only_writer(&client)).unwrap();
        waiter.join().unwrap().unwrap();
    });
    let event = report.counterexample.iter().find(waits).expect("bob waits");
    assert_eq!(event.note.as_deref(), Some("begin immediate"));
    assert_eq!(
        (&*event.actor, &event.held_by[..]),
        ("bob", &["main".to_owned()][..])
    );
    let told = told(&report);
    let locked = "which main locked with `begin immediate` at line ";
    assert!(told.contains(locked), "{told}");
}

#[test]
fn each_execution_begins_with_what_the_schema_made_holds() {
    holds(|| {
        let db = Database::new(
            "create table log (id integer primary key autoincrement, what text);
             insert into log (what) values ('first');
             create trigger beyond after insert on log when new.id > 3 begin select raise(abort, 'late'); end;",
        );
        let clients = [db.connect(), db.connect()];
        let ended = clients.map(|client| {
            thread::spawn(move || client.execute("insert into log (what) values ('more')", ()))
        });
        let changed = ended.map(|client| client.join().unwrap().unwrap());
        assert_eq!(changed, [1, 1]);
        let ids = db
            .connect()
            .query("select id from log order by id", ())
            .unwrap();
        let ids: Vec<i64> = ids.iter().map(|row| row.get(0)).collect();
        assert_eq!(ids, [1, 2, 3], "the sequence begins anew, too");
    });
}

#[test]
fn a_schema_that_a_client_changes_is_put_back_holds() {
    holds(|| {
        let db = Database::new(SCHEMA);
        let client = db.connect();
        let other = db.connect();
        let adds = thread::spawn(move || {
            client
                .execute("alter table test add column extra integer", ())
                .unwrap();
        });
        let sql = "select count(*) from pragma_table_info('test')";
        let columns: i64 = other.value(sql, ()).unwrap();
        adds.join().unwrap();
        assert!(columns == 2 || columns == 3, "{columns}");
    });
}

#[test]
fn a_connection_that_is_dropped_undoes_its_transaction_holds() {
    holds(|| {
        let db = Arc::new(Database::new(SCHEMA));
        let leaver = thread::spawn({
            let db = Arc::clone(&db);
            move || {
                let client = db.connect();
                client.begin_immediate().unwrap();
                client.execute("delete from test", ()).unwrap();
            }
        });
        as_the_only_writer(&db.connect()).unwrap();
        leaver.join().unwrap();
        let rows: i64 = db.connect().value("select count(*) from test", ()).unwrap();
        assert_eq!(rows, 2);
    });
}

#[test]
fn what_a_connection_undoes_when_it_is_dropped_is_told_as_such() {
    let program = |drops: bool| {
        move || {
            let client = Database::new(SCHEMA).connect();
            client.begin_immediate().unwrap();
            match drops {
                true => drop(client),
                false => client.rollback().unwrap(),
            }
            panic!("in the end");
        }
    };
    let dropped = told(&fails(program(true), Class::Panic, "in the end"));
    assert!(dropped.contains("rollback (dropped)"), "{dropped}");
    let written = told(&fails(program(false), Class::Panic, "in the end"));
    assert!(!written.contains("(dropped)"), "{written}");
}

#[test]
fn errors_say_what_they_are_holds() {
    holds(|| {
        let client = Database::new(SCHEMA).connect();
        let twice = client
            .execute("insert into test values (3, 10)", ())
            .unwrap_err();
        assert_eq!(
            (twice.kind, &*twice.code),
            (Kind::Constraint, "SQLITE_CONSTRAINT_UNIQUE")
        );
        let wrong = client
            .execute("insert into tset values (3, 10)", ())
            .unwrap_err();
        assert_eq!(wrong.kind, Kind::Other);
        assert!(wrong.message.contains("tset"), "{wrong}");
        // There is no way to another file.
        let other = client.execute("attach database '/tmp/another' as another", ());
        assert_eq!(other.unwrap_err().kind, Kind::Other);
        let other = client.execute("vacuum into '/tmp/another'", ());
        assert_eq!(other.unwrap_err().kind, Kind::Other);
    });
}

#[test]
fn a_wrong_schema_fails_in_words() {
    fails(
        || Database::new("create tabel test (id)"),
        Class::Panic,
        "the schema of the database",
    );
}

#[test]
fn a_ninth_connection_fails() {
    fails(
        || {
            let db = Database::new(SCHEMA);
            (0..9).map(|_| db.connect()).collect::<Vec<_>>().len()
        },
        Class::Panic,
        "at most 8 connections",
    );
}

#[test]
fn outside_of_a_check_a_database_is_one_for_real_threads() {
    let (ended, values) = two(Engine::SqliteWal, as_the_only_writer);
    assert_eq!((ended, values), (vec![Ok(()), Ok(())], vec![12, 20]));
}

#[test]
fn nothing_of_one_execution_is_left_in_the_next_holds() {
    // Row numbers with a gap, a schema that changes behind a comment, and the last row of a connection.
    let schema = "
        create table plain (n integer);
        insert into plain values (1), (2), (3);
        delete from plain where n = 2;
        create table computed (n integer, double integer generated always as (2 * n));
        insert into computed values (4);
        create table parents (id integer primary key);
        create table children (parent integer references parents);
        insert into parents values (1);
        insert into children values (1);
    ";
    holds(move || {
        let db = Database::new(schema);
        let writer = db.connect();
        let writes = thread::spawn(move || {
            writer
                .execute("update plain set n = n + 10 where n = 1", ())
                .unwrap();
            writer
                .execute("/* more */ create table more (id integer)", ())
                .unwrap();
        });
        let client = db.connect();
        let numbers = client
            .query("select rowid from plain order by rowid", ())
            .unwrap();
        let numbers: Vec<i64> = numbers.iter().map(|row| row.get(0)).collect();
        assert_eq!(numbers, [1, 3]);
        let last: i64 = client.value("select last_insert_rowid()", ()).unwrap();
        assert_eq!(last, 0);
        client.execute("insert into plain values (9)", ()).unwrap();
        let double: i64 = client.value("select double from computed", ()).unwrap();
        assert_eq!(double, 8);
        writes.join().unwrap();
    });
}

#[test]
fn triggers_fire_while_the_schema_is_made_and_not_afterwards_holds() {
    holds(|| {
        let db = Database::new(
            "create table jobs (id integer primary key);
             create table log (job integer);
             create trigger logs after insert on jobs begin insert into log values (new.id); end;
             insert into jobs values (7);",
        );
        let other = db.connect();
        let inserts = thread::spawn(move || other.execute("insert into jobs values (8)", ()));
        let first: i64 = db.connect().value("select min(job) from log", ()).unwrap();
        inserts.join().unwrap().unwrap();
        let all: i64 = db.connect().value("select count(*) from log", ()).unwrap();
        assert_eq!((first, all), (7, 2));
    });
}

#[test]
fn what_a_statement_returns_and_what_it_changes_are_both_known_holds() {
    holds(|| {
        let client = Database::new(SCHEMA).connect();
        let sql = "update test set value = value + 1 where id = 1 returning value";
        assert_eq!(client.execute(sql, ()), Ok(1));
        assert_eq!(client.value::<i64>(sql, ()), Ok(12));
    });
}

#[test]
fn the_wait_is_not_for_the_program_to_set_and_neither_is_the_journal_holds() {
    holds(|| {
        let db = Database::new(SCHEMA);
        let clients = [db.connect(), db.connect()].map(|client| {
            thread::spawn(move || {
                client.query("pragma busy_timeout = 2000", ()).unwrap();
                as_the_only_writer(&client).unwrap();
            })
        });
        for client in clients {
            client.join().unwrap();
        }
        let journal = db
            .connect()
            .query("pragma journal_mode = wal", ())
            .unwrap_err();
        assert!(journal.message.contains("Database::on"), "{journal}");
    });
}
