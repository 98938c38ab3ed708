//! What it costs to explore the interleavings of a database's clients, beside the same statements in a
//! bare loop on the same engine, with the same reset before and the same look at the end.
//!
//! `elements` are statements, the final look included. `checked` ÷ `bare` in elements per second is the
//! share that the search leaves to the database.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use heisenbug::Checker;
use heisenbug::catalogue::Needs;
use heisenbug::db::{Connection, Database, Engine, Result};
use heisenbug::thread;
use heisenbug_database::{Answer, Store, servers};
use std::hint::black_box;

const SCHEMA: &str = "
    create table test (id integer primary key, value integer not null);
    insert into test values (1, 10), (2, 20);
";
const READ: &str = "select value from test where id = 1";
const READ_OTHER: &str = "select value from test where id = 2";
const WRITE: &str = "update test set value = value + 1 where id = 1";
const LOOK: &str = "select sum(value) from test";

/// What each of the two clients does: 4 statements.
const STATEMENTS: [&str; 4] = [READ, READ_OTHER, READ, WRITE];

/// The interleavings of 4 statements with 4 others.
const INTERLEAVINGS: u64 = 70;

fn act(client: &Connection) -> Result<()> {
    for sql in STATEMENTS {
        match sql == WRITE {
            true => client.execute(sql, ()).map(drop)?,
            false => client.query(sql, ()).map(drop)?,
        }
    }
    Ok(())
}

fn program(engine: Engine) -> i64 {
    let db = Database::on(engine, SCHEMA);
    let clients = [db.connect(), db.connect()].map(|client| thread::spawn(move || act(&client)));
    for client in clients {
        client.join().unwrap().unwrap();
    }
    db.connect().value(LOOK, ()).unwrap()
}

fn bare(store: &mut Store) {
    for _ in 0..INTERLEAVINGS {
        store.reset().unwrap();
        for sql in STATEMENTS {
            for connection in [0, 1] {
                let attempt = black_box(store.attempt(connection, sql, &[]));
                assert!(matches!(attempt.answer, Answer::Done(_)));
            }
        }
        black_box(store.attempt(2, LOOK, &[]));
    }
}

/// The engines there are: those on servers, where a server is at hand or can be started.
fn engines() -> Vec<(&'static str, Engine)> {
    let mut engines = vec![("rollback", Engine::Sqlite), ("wal", Engine::SqliteWal)];
    for (server, engine) in [
        (Needs::Postgres, Engine::Postgres),
        (Needs::Mariadb, Engine::Mariadb),
    ] {
        match servers::provide(server) {
            Ok(()) => engines.push((server.command(), engine)),
            Err(why) => println!("skipped: {}", why.message),
        }
    }
    engines
}

fn databases(criterion: &mut Criterion) {
    for (name, engine) in engines() {
        let mut group = criterion.benchmark_group(format!("databases/{name}"));
        let statements = 2 * STATEMENTS.len() as u64 + 1;
        group.throughput(Throughput::Elements(INTERLEAVINGS * statements));
        let checker = Checker::new().jobs(1);
        group.bench_function("checked", |bencher| {
            bencher.iter(|| {
                let report = checker.check(move || program(engine));
                assert_eq!(report.explored(), INTERLEAVINGS);
            });
        });
        let mut store = Store::open(SCHEMA, engine).unwrap();
        group.bench_function("bare", |bencher| bencher.iter(|| bare(&mut store)));
        group.finish();
    }
}

criterion_group!(benches, databases);
criterion_main!(benches);
