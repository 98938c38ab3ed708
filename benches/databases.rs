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
const WRITE_OTHER: &str = "update test set value = value + 1 where id = 2";
const LOOK: &str = "select sum(value) from test";

/// What the two clients do, none of which waits.
#[derive(Clone, Copy)]
struct Kernel {
    clients: [&'static [&'static str]; 2],
    /// The interleavings of their steps. `begin` is none.
    interleavings: u64,
}

/// Each statement by itself. Many of them: a check connects its clients and makes its tables once, and the
/// bare loop has them.
const STATEMENTS: Kernel = Kernel {
    clients: [&[READ, READ_OTHER, READ, READ_OTHER, READ, WRITE]; 2],
    interleavings: 924,
};

/// Transactions on different rows, long for the same reason.
const TRANSACTIONS: Kernel = Kernel {
    clients: [
        &["begin", READ, READ_OTHER, READ, WRITE, WRITE, "commit"],
        &[
            "begin",
            READ,
            READ_OTHER,
            READ,
            WRITE_OTHER,
            WRITE_OTHER,
            "commit",
        ],
    ],
    interleavings: 924,
};

impl Kernel {
    fn of(engine: Engine) -> Kernel {
        match engine {
            Engine::Sqlite | Engine::SqliteWal => STATEMENTS,
            _ => TRANSACTIONS,
        }
    }

    /// How many statements an execution has, the final look included.
    fn statements(self) -> u64 {
        self.clients.map(<[_]>::len).iter().sum::<usize>() as u64 + 1
    }
}

fn act(client: &Connection, statements: &[&str]) -> Result<()> {
    for sql in statements {
        match sql.split(' ').next() {
            Some("begin") => client.begin()?,
            Some("select") => client.query(sql, ()).map(drop)?,
            _ => client.execute(sql, ()).map(drop)?,
        }
    }
    Ok(())
}

fn program(engine: Engine) -> i64 {
    let db = Database::on(engine, SCHEMA);
    let clients = Kernel::of(engine).clients.map(|statements| {
        let client = db.connect();
        thread::spawn(move || act(&client, statements))
    });
    for client in clients {
        client.join().unwrap().unwrap();
    }
    db.connect().value(LOOK, ()).unwrap()
}

fn bare(store: &mut Store, kernel: Kernel) {
    for _ in 0..kernel.interleavings {
        store.reset().unwrap();
        for nth in 0..kernel.clients[0].len() {
            for (connection, statements) in kernel.clients.iter().enumerate() {
                let attempt = black_box(store.attempt(connection, statements[nth], &[]));
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
        let kernel = Kernel::of(engine);
        group.throughput(Throughput::Elements(
            kernel.interleavings * kernel.statements(),
        ));
        group.sample_size(10);
        let checker = Checker::new().jobs(1);
        group.bench_function("checked", |bencher| {
            bencher.iter(|| {
                let report = checker.check(move || program(engine));
                assert_eq!(report.explored(), kernel.interleavings);
            });
        });
        let mut store = Store::open(SCHEMA, engine).unwrap();
        group.bench_function("bare", |bencher| bencher.iter(|| bare(&mut store, kernel)));
        group.finish();
    }
}

criterion_group!(benches, databases);
criterion_main!(benches);
