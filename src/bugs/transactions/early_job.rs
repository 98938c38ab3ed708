//! # Early job
//!
//! A shop stores an order and queues a job that sends the confirmation. It queues the job inside of the
//! transaction, so a worker may take it before the order is committed, and finds no order.
//!
//! **Where it happened.** Discourse queued jobs inside of transactions, and they ran before the commit
//! (discourse/discourse#11293). The manuals of job queues beside a database warn of it.
//!
//! **Why.** The queue and the database are two systems, and a commit orders one of them only. The job
//! announces what is not there yet: publication before the data, as among threads.
//!
//! **Who sees it.** A check, over every interleaving of statements and messages. A test whose queue runs jobs at
//! once, in the same thread, never does. loom has no databases.

use super::db::{Connection, Database, Engine, Result};
use super::sync::mpsc::{self, Receiver, Sender};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table orders (id integer primary key, item text not null);
    create table outbox (order_id integer primary key);
";

/// How an order is placed, and how the worker learns of it.
pub trait Shop {
    /// Stores order 1, and sees to it that its confirmation is sent.
    fn place_order(client: &Connection, jobs: &Sender<i64>) -> Result<()>;
    /// Does the next job. Returns what it confirmed.
    fn work(client: &Connection, jobs: &Receiver<i64>) -> Result<String>;
}

/// Confirms the order of the next job.
fn confirm_next(client: &Connection, jobs: &Receiver<i64>) -> Result<String> {
    let order = jobs.recv().expect("there is a job");
    let found = client.query("select item from orders where id = ?", [order])?;
    Ok(match found.first() {
        Some(row) => format!("confirmed a {}", row.get::<String>(0)),
        None => "no such order".to_owned(),
    })
}

pub mod buggy {
    use super::super::db::{Connection, Result};
    use super::super::sync::mpsc::{Receiver, Sender};

    pub struct Shop;

    impl super::Shop for Shop {
        fn place_order(client: &Connection, jobs: &Sender<i64>) -> Result<()> {
            client.begin_immediate()?;
            client.execute("insert into orders values (1, 'teapot')", ())?;
            jobs.send(1).unwrap();
            client.commit()
        }

        fn work(client: &Connection, jobs: &Receiver<i64>) -> Result<String> {
            super::confirm_next(client, jobs)
        }
    }
}

pub mod trap_one_more_look {
    use super::super::db::{Connection, Result};
    use super::super::sync::mpsc::{Receiver, Sender};
    use super::Shop as _;

    pub struct Shop;

    impl super::Shop for Shop {
        fn place_order(client: &Connection, jobs: &Sender<i64>) -> Result<()> {
            super::buggy::Shop::place_order(client, jobs)
        }

        fn work(client: &Connection, jobs: &Receiver<i64>) -> Result<String> {
            let order = jobs.recv().expect("there is a job");
            // Looks twice. The commit may come after both.
            for _ in 0..2 {
                let found = client.query("select item from orders where id = ?", [order])?;
                if let Some(row) = found.first() {
                    return Ok(format!("confirmed a {}", row.get::<String>(0)));
                }
            }
            Ok("no such order".to_owned())
        }
    }
}

pub mod fixed_after_commit {
    use super::super::db::{Connection, Result};
    use super::super::sync::mpsc::{Receiver, Sender};

    pub struct Shop;

    impl super::Shop for Shop {
        fn place_order(client: &Connection, jobs: &Sender<i64>) -> Result<()> {
            client.begin_immediate()?;
            client.execute("insert into orders values (1, 'teapot')", ())?;
            client.commit()?;
            // What is announced is there. Should the service die here, nobody ever confirms the order:
            // that takes an outbox.
            jobs.send(1).unwrap();
            Ok(())
        }

        fn work(client: &Connection, jobs: &Receiver<i64>) -> Result<String> {
            super::confirm_next(client, jobs)
        }
    }
}

pub mod fixed_outbox {
    use super::super::db::{Connection, Result};
    use super::super::sync::mpsc::{Receiver, Sender};

    pub struct Shop;

    impl super::Shop for Shop {
        fn place_order(client: &Connection, jobs: &Sender<i64>) -> Result<()> {
            client.begin_immediate()?;
            client.execute("insert into orders values (1, 'teapot')", ())?;
            // The job is a row: it is there exactly when the order is.
            client.execute("insert into outbox values (1)", ())?;
            client.commit()?;
            // Only wakes the worker. What there is to do is in the outbox.
            jobs.send(0).unwrap();
            Ok(())
        }

        fn work(client: &Connection, jobs: &Receiver<i64>) -> Result<String> {
            jobs.recv().expect("somebody rings");
            let item: String = client.value(
                "select item from orders join outbox on orders.id = outbox.order_id",
                (),
            )?;
            client.execute("delete from outbox where order_id = 1", ())?;
            Ok(format!("confirmed a {item}"))
        }
    }
}

/// One order, one worker.
fn scenario<S: Shop>() -> String {
    let db = Database::on(Engine::SqliteWal, SCHEMA);
    let (jobs, to_do) = mpsc::channel();
    thread::scope(|scope| {
        let (shop, worker) = (db.connect(), db.connect());
        let order = thread::Builder::new().name("shop".into());
        let order = order
            .spawn_scoped(scope, move || S::place_order(&shop, &jobs))
            .unwrap();
        let work = thread::Builder::new().name("worker".into());
        let work = work
            .spawn_scoped(scope, move || S::work(&worker, &to_do))
            .unwrap();
        order.join().unwrap().unwrap();
        work.join().unwrap().unwrap()
    })
}

pub const BUG: Bug = Bug {
    name: "early-job",
    shape: Shape::OrderViolation,
    scale: Scale::Transactions,
    summary: "a job is queued before its order is committed, and finds no order",
    file: file!(),
    source: include_str!("early_job.rs"),
    references: &[
        "Discourse: https://github.com/discourse/discourse/pull/11293, jobs that ran before the commit",
        "C. Richardson, Pattern: Transactional outbox, https://microservices.io/patterns/data/transactional-outbox.html",
    ],
    outcomes: &[
        Outcome::acceptable("confirmed a teapot", "the worker found the order"),
        Outcome::forbidden(
            "no such order",
            "the worker looked before the order was committed",
        ),
    ],
    schedule: "The shop inserts the order and queues the job. The worker looks and finds nothing. The shop commits.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("no such order"),
            "the job is queued inside of the transaction",
            scenario::<buggy::Shop>,
        ),
        Variant::trap(
            "trap_one_more_look",
            Expected::outcome("no such order"),
            "a second look makes it rarer: nothing makes the commit come first",
            scenario::<trap_one_more_look::Shop>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_after_commit",
            "the job is queued after the commit",
            scenario::<fixed_after_commit::Shop>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_outbox",
            "the job is a row of the same transaction; the queue only wakes the worker",
            scenario::<fixed_outbox::Shop>,
        ),
    ],
};
