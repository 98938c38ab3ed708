//! What programs can rely on, over all orders of their statements.

use super::on;
use heisenbug::catalogue::{Class, Needs};
use heisenbug::db::{Connection, Database, Engine, Kind, Level, Result};
use heisenbug::trace::Op;
use heisenbug::{Checker, Report, Verdict, thread};
use libtest_mimic::Trial;
use std::fmt::Debug;

const SCHEMA: &str = "
    create table test (id integer primary key, value integer not null);
    insert into test values (1, 10), (2, 20);
";

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (server, engine) in [
        (Needs::Postgres, Engine::Postgres),
        (Needs::Mariadb, Engine::Mariadb),
    ] {
        trials.extend([
            on(
                server,
                "the_same_check_comes_to_the_same_each_time",
                move || {
                    the_same_each_time(engine);
                },
            ),
            on(
                server,
                "a_statement_that_waits_names_the_holder",
                move || {
                    names_the_holder(engine);
                },
            ),
            on(
                server,
                "a_change_by_itself_commits_in_a_step_of_its_own",
                move || {
                    commits_in_a_step(engine);
                },
            ),
            on(
                server,
                "nothing_of_an_execution_is_left_in_the_next",
                move || {
                    nothing_is_left(engine);
                },
            ),
            on(server, "what_is_bound_comes_back_as_it_was", move || {
                comes_back(engine);
            }),
            on(
                server,
                "a_mistake_in_the_sql_is_an_error_of_the_program",
                move || {
                    is_an_error(engine);
                },
            ),
            on(
                server,
                "what_a_session_holds_ends_with_its_connection",
                move || ends_with_its_connection(engine),
            ),
            on(
                server,
                "tables_come_back_as_the_schema_made_them",
                move || come_back(engine),
            ),
            on(
                server,
                "a_second_transaction_in_the_first_is_an_error",
                move || no_second_begin(engine),
            ),
            on(
                server,
                "an_execution_that_ends_in_the_middle_leaves_no_lock",
                move || {
                    leaves_no_lock(engine);
                },
            ),
        ]);
    }
    trials.push(on(
        Needs::Postgres,
        "a_commit_after_a_failed_statement_is_an_error",
        commit_after_failure,
    ));
    // Not on MariaDB: which of three it ends has once differed from run to run, and a check that notices
    // that is unknown.
    trials.extend([
        on(
            Needs::Postgres,
            "a_deadlock_that_a_woken_statement_closes_has_a_victim",
            || closed_by_a_woken_one(Engine::Postgres),
        ),
        on(Needs::Postgres, "a_ring_of_three_has_a_victim", || {
            ring(Engine::Postgres);
        }),
    ]);
    trials.push(on(
        Needs::Postgres,
        "a_commit_that_is_refused_ends_the_transaction",
        refused_commit,
    ));
    trials.push(on(
        Needs::Mariadb,
        "snapshot_isolation_refuses_what_is_newer",
        refuses_what_is_newer,
    ));
    trials
}

fn check<R: Debug>(program: impl Fn() -> R + Send + Sync + 'static) -> Report {
    let report = Checker::new().max_executions(5_000).check(program);
    assert_ne!(report.verdict, Verdict::Unknown, "{report}");
    assert!(report.complete, "{report}");
    report
}

/// The outcomes of a program that holds, each with how often it was seen.
#[track_caller]
fn outcomes<R: Debug>(program: impl Fn() -> R + Send + Sync + 'static) -> Vec<(String, u64)> {
    let report = check(program);
    assert_eq!(report.verdict, Verdict::Holds, "{report}");
    let outcomes = report.outcomes.iter();
    let mut counts: Vec<_> = outcomes.map(|one| (one.label.clone(), one.count)).collect();
    counts.sort();
    counts
}

/// Two clients at once.
fn two<R: Send + 'static>(db: &Database, acts: [fn(&Connection) -> R; 2]) -> Vec<R> {
    let clients = acts.map(|act| {
        let client = db.connect();
        thread::spawn(move || act(&client))
    });
    clients.map(|client| client.join().unwrap()).into()
}

fn change(client: &Connection, id: i64) -> Result<()> {
    let sql = "update test set value = value + 1 where id = ?";
    client.execute(sql, [id]).map(drop)
}

fn both_rows(client: &Connection, first: i64, second: i64) -> Option<Kind> {
    let act = || {
        client.begin()?;
        change(client, first)?;
        change(client, second)?;
        client.commit()
    };
    act().err().map(|error| error.kind)
}

/// Deadlocks and their victims, too.
fn the_same_each_time(engine: Engine) {
    let program = move || {
        let db = Database::on(engine, SCHEMA);
        two(
            &db,
            [
                |client| both_rows(client, 1, 2),
                |client| both_rows(client, 2, 1),
            ],
        )
    };
    let first = outcomes(program);
    let ended = |outcome: &(String, u64)| outcome.0.contains("Deadlock");
    assert!(first.iter().any(ended), "{first:?}");
    for _ in 0..3 {
        assert_eq!(outcomes(program), first);
    }
}

/// Main holds a row, and waits for a thread that waits for the row.
fn names_the_holder(engine: Engine) {
    let report = check(move || {
        let db = Database::on(engine, SCHEMA);
        let ours = db.connect();
        ours.begin().unwrap();
        change(&ours, 1).unwrap();
        let theirs = db.connect();
        let theirs = thread::spawn(move || change(&theirs, 1));
        theirs.join().unwrap().unwrap();
    });
    assert_eq!(report.class, Some(Class::Deadlock), "{report}");
    let mut events = report.counterexample.iter();
    let waits = events.find(|event| event.op == Op::StatementWaits);
    assert_eq!(waits.expect("it waits").held_by, ["main"]);
}

fn commits_in_a_step(engine: Engine) {
    let counts = outcomes(move || {
        let db = Database::on(engine, SCHEMA);
        two(
            &db,
            [|client| change(client, 1), |client| change(client, 2)],
        );
    });
    // Two steps each, in any order: 4 choose 2.
    assert_eq!(counts, [("completes".to_owned(), 6)]);
}

/// Numbers that the engine gives, and settings of a session.
fn nothing_is_left(engine: Engine) {
    let (numbers, setting) = match engine {
        Engine::Postgres => ("serial", "set application_name = 'left'"),
        _ => ("integer auto_increment", "set @left = 1"),
    };
    let schema = format!("create table jobs (id {numbers} primary key, name varchar(9))");
    let ask = match engine {
        Engine::Postgres => "select current_setting('application_name')",
        _ => "select coalesce(@left, 0)",
    };
    let counts = outcomes(move || {
        let db = Database::on(engine, &schema);
        let client = db.connect();
        let before = client.query(ask, ()).unwrap().to_string();
        client.execute(setting, ()).unwrap();
        drop(client);
        let insert = |client: &Connection| {
            let sql = "insert into jobs (name) values ('one')";
            client.execute(sql, ()).unwrap();
        };
        two(&db, [insert, insert]);
        let ids = db
            .connect()
            .query("select id from jobs order by id", ())
            .unwrap();
        (before, ids.to_string())
    });
    assert_eq!(counts.len(), 1, "{counts:?}");
    assert!(counts[0].0.contains("1, 2"), "{counts:?}");
    assert!(counts[0].1 > 1, "{counts:?}");
}

fn comes_back(engine: Engine) {
    let schema = "create table test (a integer, b varchar(20), c double precision, d bigint)";
    let counts = outcomes(move || {
        let db = Database::on(engine, schema);
        let client = db.connect();
        let none: Option<i64> = None;
        client
            .execute(
                "insert into test values (?, ?, 2.5, ?)",
                (7, "it's ?", i64::MIN),
            )
            .unwrap();
        client
            .execute("insert into test (a) values (?)", [none])
            .unwrap();
        let rows = client
            .query("select a, b, c, d from test order by d desc", ())
            .unwrap();
        let sum: i64 = client.value("select sum(a) from test", ()).unwrap();
        let mut rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
        rows.sort();
        (rows, sum)
    });
    let rows = r#"(["(7, 'it''s ?', 2.5, -9223372036854775808)", "(null, null, null, null)"], 7)"#;
    assert_eq!(counts, [(rows.to_owned(), 1)]);
}

fn is_an_error(engine: Engine) {
    let counts = outcomes(move || {
        let db = Database::on(engine, SCHEMA);
        let error = db.connect().execute("updat test", ()).unwrap_err();
        (error.kind, error.message.contains("updat"))
    });
    assert_eq!(counts, [("(Other, true)".to_owned(), 1)]);
}

/// One client panics between its statements, while the other one waits for it.
fn leaves_no_lock(engine: Engine) {
    let program = move || {
        let db = Database::on(engine, SCHEMA);
        two(
            &db,
            [
                |client| {
                    client.begin().unwrap();
                    change(client, 1).unwrap();
                    panic!("in the middle");
                },
                |client| change(client, 1).unwrap(),
            ],
        );
    };
    let first = check(program);
    assert_eq!(first.verdict, Verdict::Fails, "{first}");
    let again = check(program);
    assert_eq!(first.explored(), again.explored());
}

fn commit_after_failure() {
    let counts = outcomes(|| {
        let db = Database::on(Engine::Postgres, SCHEMA);
        let client = db.connect();
        client.begin().unwrap();
        let failed = client
            .execute("insert into test values (1, 0)", ())
            .unwrap_err();
        let in_vain = client.query("select 1", ()).unwrap_err();
        let committed = client.commit().unwrap_err();
        (failed.kind, in_vain.code, committed.code)
    });
    let codes = r#"(Constraint, "25P02", "25P02")"#;
    assert_eq!(counts, [(codes.to_owned(), 1)]);
}

fn refuses_what_is_newer() {
    let act = |client: &Connection| {
        let act = || {
            client.begin_at(Level::RepeatableRead)?;
            let value: i64 = client.value("select value from test where id = 1", ())?;
            client.execute("update test set value = ? where id = 1", [value + 1])?;
            client.commit()
        };
        act().err().map(|error| error.kind)
    };
    let lost = |engine: Engine| {
        let counts = outcomes(move || two(&Database::on(engine, SCHEMA), [act, act]));
        let without = counts.iter().find(|(label, _)| label == "[None, None]");
        let refused = counts.iter().any(|(label, _)| label.contains("Conflict"));
        (without.map_or(0, |(_, count)| *count), refused)
    };
    // Two of the orders have one client after the other.
    assert_eq!(lost(Engine::MariadbSnapshot), (2, true));
    assert_eq!(lost(Engine::Mariadb), (14, false));
}

/// Runs these statements in a transaction, at *read committed*. Says how that ended.
fn transaction(client: &Connection, statements: &[&str]) -> Option<Kind> {
    let act = || {
        client.begin_at(Level::ReadCommitted)?;
        for sql in statements {
            client.execute(sql, ())?;
        }
        client.commit()
    };
    let error = act().err()?;
    client.rollback().unwrap();
    Some(error.kind)
}

/// As many clients at once as there are transactions.
fn at_once(engine: Engine, transactions: &'static [&'static [&'static str]]) -> Vec<Option<Kind>> {
    let schema = "create table t (id integer primary key, v integer not null);
                  insert into t values (0, 0), (1, 0), (2, 0)";
    let db = Database::on(engine, schema);
    let clients = transactions.iter().map(|statements| {
        let client = db.connect();
        thread::spawn(move || transaction(&client, statements))
    });
    let clients: Vec<_> = clients.collect();
    let ended = clients.into_iter().map(|client| client.join().unwrap());
    ended.collect()
}

/// The second client waits for the first one; woken, it waits for the third, which waits for it.
fn closed_by_a_woken_one(engine: Engine) {
    let program = move || {
        let ended = at_once(
            engine,
            &[
                &["update t set v = 1 where id = 1"],
                &[
                    "update t set v = 2 where id = 0",
                    "update t set v = 2 where id in (1, 2)",
                ],
                &[
                    "update t set v = 3 where id = 2",
                    "update t set v = 3 where id = 0",
                ],
            ],
        );
        let victims = ended.iter().filter(|kind| **kind == Some(Kind::Deadlock));
        victims.count()
    };
    let first = outcomes(program);
    assert_eq!(first.len(), 2, "none or one: {first:?}");
    assert_eq!(outcomes(program), first);
}

fn ring(engine: Engine) {
    let counts = outcomes(move || {
        let ended = at_once(
            engine,
            &[
                &[
                    "update t set v = 1 where id = 0",
                    "update t set v = 1 where id = 1",
                ],
                &[
                    "update t set v = 2 where id = 1",
                    "update t set v = 2 where id = 2",
                ],
                &[
                    "update t set v = 3 where id = 2",
                    "update t set v = 3 where id = 0",
                ],
            ],
        );
        ended.iter().flatten().count()
    });
    let labels: Vec<&str> = counts.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["0", "1"]);
}

/// A lock of a session, a variable, a table of its own.
fn ends_with_its_connection(engine: Engine) {
    let (lock, set, ask) = match engine {
        Engine::Postgres => (
            "select pg_try_advisory_lock(1)",
            "set application_name = 'left'",
            "select current_setting('application_name') = 'left'",
        ),
        _ => (
            "select get_lock('leader', 0)",
            "set @name = 'left'",
            "select coalesce(@name, '') = 'left'",
        ),
    };
    let counts = outcomes(move || {
        let db = Database::on(engine, SCHEMA);
        for _ in 0..2 {
            let client = db.connect();
            assert!(!client.value::<bool>(ask, ()).unwrap(), "it is left");
            client.execute(set, ()).unwrap();
            assert!(client.value::<bool>(lock, ()).unwrap(), "it is held");
            client
                .execute("create temporary table own (id integer)", ())
                .unwrap();
        }
        let lead = move |client: &Connection| client.value::<bool>(lock, ()).unwrap();
        let leads = [(); 2].map(|()| {
            let client = db.connect();
            thread::spawn(move || (lead(&client), client))
        });
        let [one, other] = leads.map(|lead| lead.join().unwrap());
        assert!(one.0 != other.0, "there is one leader");
        one.0
    });
    let labels: Vec<&str> = counts.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["false", "true"], "either of them may be first");
}

/// Keys, numbers and triggers.
fn come_back(engine: Engine) {
    let schema = match engine {
        Engine::Postgres => {
            "create table parents (id serial primary key, child integer);
             create table children (id integer primary key, parent integer references parents);
             alter table parents add foreign key (child) references children;
             create table log (what text);
             create function noted() returns trigger language plpgsql as
               $$ begin insert into log values ('a; row'); return new; end $$;
             create trigger note after insert on children for each row execute function noted();
             insert into parents (id) values (1); insert into children values (7, 1);
             update parents set child = 7; select setval('parents_id_seq', 100)"
        }
        _ => {
            "create table parents (id integer auto_increment primary key, child integer)
               auto_increment = 101;
             create table children (id integer primary key, parent integer,
               foreign key (parent) references parents (id));
             create table log (what varchar(20));
             create trigger note after insert on children for each row
               begin insert into log values ('a; row'); end;
             insert into parents (id) values (1); insert into children values (7, 1);
             update parents set child = 7"
        }
    };
    let counts = outcomes(move || {
        let db = Database::on(engine, schema);
        let act = |client: &Connection| {
            let sql = "insert into parents (child) values (null)";
            client.execute(sql, ()).unwrap();
        };
        two(&db, [act, act]);
        let client = db.connect();
        let ids = client
            .query("select id from parents order by id", ())
            .unwrap();
        let log = client.query("select what from log", ()).unwrap();
        format!("{ids}; {log}")
    });
    assert_eq!(counts.len(), 1, "{counts:?}");
    assert_eq!(counts[0].0, "1, 101, 102; 'a; row'");
}

fn no_second_begin(engine: Engine) {
    let counts = outcomes(move || {
        let client = Database::on(engine, SCHEMA).connect();
        client.begin().unwrap();
        let second = client.begin().unwrap_err();
        client.rollback().unwrap();
        second.message.contains("already")
    });
    assert_eq!(counts, [("true".to_owned(), 1)]);
}

/// Of two that are serializable one is refused, often when it commits. It tries again.
fn refused_commit() {
    let act = |client: &Connection| loop {
        let act = || {
            client.begin_at(Level::Serializable)?;
            let sum: i64 = client.value("select sum(value) from test", ())?;
            let id = i64::from(sum % 2 == 0) + 1;
            client.execute("update test set value = ? where id = ?", [sum, id])?;
            client.commit()
        };
        match act() {
            Err(error) if error.is_retryable() => client.rollback().unwrap(),
            done => break done.unwrap(),
        }
    };
    let counts = outcomes(move || two(&Database::on(Engine::Postgres, SCHEMA), [act, act]).len());
    assert_eq!(counts.len(), 1, "{counts:?}");
    let counts = outcomes(|| {
        let schema = "create table t (id integer, unique (id) deferrable initially deferred)";
        let client = Database::on(Engine::Postgres, schema).connect();
        client.execute("insert into t values (1)", ()).unwrap();
        let refused = client.execute("insert into t values (1)", ()).unwrap_err();
        client.execute("insert into t values (2)", ()).unwrap();
        refused.kind
    });
    assert_eq!(counts, [("Constraint".to_owned(), 1)]);
}
