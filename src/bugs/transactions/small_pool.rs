//! # Small pool
//!
//! A request takes a connection from the pool, and a helper that it calls takes another one for its audit
//! log. With two connections and two requests, each holds one and waits for the other's.
//!
//! It is the deadlock of two locks, where the locks are all alike and nobody sees an order.
//!
//! **Where it happened.** The manual of HikariCP has a page on it ("About Pool Sizing": *pool-locking*), with
//! the formula: `threads * (connections each - 1) + 1`.
//!
//! **Why.** Each holds a part of what it needs, and waits for the rest without giving anything back.
//!
//! **Who sees it.** A check, over every interleaving. A load test does, once the pool is as small as the load
//! makes it. loom has no databases, and would show the same with a semaphore.

use super::db::{Connection, Database, Result};
use super::sync::{Arc, Condvar, Mutex};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table orders (id integer primary key, item text not null);
    create table audit (id integer primary key, what text not null);
";

/// Connections that requests share.
pub struct Pool {
    free: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Pool {
    fn new(db: &Database, size: usize) -> Pool {
        Pool {
            free: Mutex::new((0..size).map(|_| db.connect()).collect()),
            returned: Condvar::new(),
        }
    }

    /// Waits for a connection.
    pub fn take(&self) -> Connection {
        let mut free = self.free.lock().unwrap();
        loop {
            match free.pop() {
                Some(connection) => return connection,
                None => free = self.returned.wait(free).unwrap(),
            }
        }
    }

    /// Gives it back.
    pub fn put_back(&self, connection: Connection) {
        self.free.lock().unwrap().push(connection);
        self.returned.notify_one();
    }
}

/// How a request is served.
pub trait Serve {
    /// How many connections there are, for two requests at once.
    const POOL: usize = 2;
    /// Stores an order, and writes that down in the audit log.
    fn serve(pool: &Pool) -> Result<()>;
}

pub mod buggy {
    use super::super::db::Result;
    use super::Pool;

    pub struct Service;

    impl super::Serve for Service {
        fn serve(pool: &Pool) -> Result<()> {
            let orders = pool.take();
            // The second one, while it holds the first.
            let audit = pool.take();
            orders.execute("insert into orders (item) values ('teapot')", ())?;
            audit.execute("insert into audit (what) values ('order')", ())?;
            pool.put_back(audit);
            pool.put_back(orders);
            Ok(())
        }
    }
}

pub mod trap_other_order {
    use super::super::db::Result;
    use super::Pool;

    pub struct Service;

    impl super::Serve for Service {
        fn serve(pool: &Pool) -> Result<()> {
            // An order helps where locks differ. These are all alike.
            let audit = pool.take();
            let orders = pool.take();
            orders.execute("insert into orders (item) values ('teapot')", ())?;
            audit.execute("insert into audit (what) values ('order')", ())?;
            pool.put_back(orders);
            pool.put_back(audit);
            Ok(())
        }
    }
}

pub mod fixed_formula {
    use super::super::db::Result;
    use super::Pool;
    use super::Serve as _;

    pub struct Service;

    impl super::Serve for Service {
        // 2 requests, 2 connections each: 2 * (2 - 1) + 1. One of them always gets both.
        const POOL: usize = 3;

        fn serve(pool: &Pool) -> Result<()> {
            super::buggy::Service::serve(pool)
        }
    }
}

pub mod fixed_one_connection {
    use super::super::db::Result;
    use super::Pool;

    pub struct Service;

    impl super::Serve for Service {
        fn serve(pool: &Pool) -> Result<()> {
            // The helper uses the connection of its caller.
            let connection = pool.take();
            connection.execute("insert into orders (item) values ('teapot')", ())?;
            connection.execute("insert into audit (what) values ('order')", ())?;
            pool.put_back(connection);
            Ok(())
        }
    }
}

/// Two requests at once.
fn scenario<S: Serve>() -> String {
    let db = Database::new(SCHEMA);
    let pool = Arc::new(Pool::new(&db, S::POOL));
    let requests = ["ann", "bob"].map(|name| {
        let pool = Arc::clone(&pool);
        let builder = thread::Builder::new().name(name.into());
        builder.spawn(move || S::serve(&pool)).unwrap()
    });
    for request in requests {
        request.join().unwrap().unwrap();
    }
    let stored: i64 = db
        .connect()
        .value("select count(*) from audit", ())
        .unwrap();
    format!("{stored} served")
}

pub const BUG: Bug = Bug {
    name: "small-pool",
    shape: Shape::Deadlock,
    scale: Scale::Transactions,
    summary: "each request holds a pooled connection and waits for a second one",
    file: file!(),
    source: include_str!("small_pool.rs"),
    references: &[
        "HikariCP, About Pool Sizing: https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing, pool-locking",
    ],
    outcomes: &[
        Outcome::acceptable("2 served", "both requests went through"),
        Outcome::forbidden(
            "deadlock",
            "each request holds a connection, and waits for one that the other holds",
        ),
    ],
    schedule: "Ann takes a connection. Bob takes the other one. Each waits for a second.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::DEADLOCK,
            "two connections for each of two requests, from a pool of two",
            scenario::<buggy::Service>,
        ),
        Variant::trap(
            "trap_other_order",
            Expected::DEADLOCK,
            "an order among connections that are all alike is none",
            scenario::<trap_other_order::Service>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_formula",
            "threads * (connections each - 1) + 1 connections",
            scenario::<fixed_formula::Service>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_one_connection",
            "one connection for each request",
            scenario::<fixed_one_connection::Service>,
        ),
    ],
};
