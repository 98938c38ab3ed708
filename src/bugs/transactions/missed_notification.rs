//! # Missed notification
//!
//! A worker looks for a job in the table, finds none, and begins to listen for notifications. A job that is
//! inserted in between is announced to nobody, and the worker sleeps beside it.
//!
//! It is the lost wake-up among threads once more: the signal came before anybody waited.
//!
//! **Where it happened.** PostgreSQL's `LISTEN` page tells clients to listen first and to look then. Job
//! queues that look first lose jobs until the next one comes.
//!
//! **Why.** To look and to listen are two steps, and a notification is not kept for who comes later.
//!
//! **Who sees it.** A check, over every interleaving of statements and messages. loom has no databases, and
//! would show the same between two locks and a condition variable.

use super::db::{Connection, Database, Result};
use super::sync::mpsc::{self, Receiver, Sender};
use super::sync::{Arc, Mutex};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "create table jobs (id integer primary key, task text not null)";

/// Who listens. A notification goes to those who do at that moment.
#[derive(Clone, Default)]
pub struct Listeners {
    ears: Arc<Mutex<Vec<Sender<()>>>>,
}

impl Listeners {
    /// Begins to listen.
    fn listen(&self) -> Receiver<()> {
        let (ear, rings) = mpsc::channel();
        self.ears.lock().unwrap().push(ear);
        rings
    }

    fn notify(&self) {
        for ear in self.ears.lock().unwrap().iter() {
            // Somebody who no longer listens misses nothing.
            let _ = ear.send(());
        }
    }
}

/// How a worker gets its next job.
pub trait Work {
    /// Waits for a job. Returns its task.
    fn next_job(client: &Connection, listeners: &Listeners) -> Result<String>;
}

/// The oldest job, if there is one.
fn look(client: &Connection) -> Result<Option<String>> {
    let found = client.query("select task from jobs order by id limit 1", ())?;
    Ok(found.first().map(|row| row.get(0)))
}

pub mod buggy {
    use super::super::db::{Connection, Result};
    use super::Listeners;

    pub struct Worker;

    impl super::Work for Worker {
        fn next_job(client: &Connection, listeners: &Listeners) -> Result<String> {
            if let Some(task) = super::look(client)? {
                return Ok(task);
            }
            let notifications = listeners.listen();
            notifications.recv().expect("the service goes on");
            Ok(super::look(client)?.expect("a job was announced"))
        }
    }
}

pub mod trap_look_twice {
    use super::super::db::{Connection, Result};
    use super::Listeners;
    use super::Work as _;

    pub struct Worker;

    impl super::Work for Worker {
        fn next_job(client: &Connection, listeners: &Listeners) -> Result<String> {
            // A second look, still before it listens.
            if let Some(task) = super::look(client)? {
                return Ok(task);
            }
            super::buggy::Worker::next_job(client, listeners)
        }
    }
}

pub mod fixed_listen_first {
    use super::super::db::{Connection, Result};
    use super::Listeners;

    pub struct Worker;

    impl super::Work for Worker {
        fn next_job(client: &Connection, listeners: &Listeners) -> Result<String> {
            // What comes from now on is announced to this worker, and what came before is in the table.
            let notifications = listeners.listen();
            loop {
                if let Some(task) = super::look(client)? {
                    return Ok(task);
                }
                notifications.recv().expect("the service goes on");
            }
        }
    }
}

/// One worker, one job.
fn scenario<W: Work>() -> String {
    let db = Database::new(SCHEMA);
    let listeners = Listeners::default();
    thread::scope(|scope| {
        let (service, worker) = (db.connect(), db.connect());
        let inserts = thread::Builder::new().name("service".into());
        let inserts = inserts.spawn_scoped(scope, {
            let listeners = listeners.clone();
            move || {
                service.execute("insert into jobs (task) values ('mail')", ())?;
                listeners.notify();
                Ok::<(), super::db::Error>(())
            }
        });
        let works = thread::Builder::new().name("worker".into());
        let works = works
            .spawn_scoped(scope, move || W::next_job(&worker, &listeners))
            .unwrap();
        inserts.unwrap().join().unwrap().unwrap();
        works.join().unwrap().unwrap()
    })
}

pub const BUG: Bug = Bug {
    name: "missed-notification",
    shape: Shape::LostWakeup,
    scale: Scale::Transactions,
    summary: "a worker looks for a job, then listens; the job that comes in between is never done",
    file: file!(),
    source: include_str!("missed_notification.rs"),
    references: &[
        "PostgreSQL, LISTEN: https://www.postgresql.org/docs/current/sql-listen.html, on the race with a first look",
    ],
    outcomes: &[
        Outcome::acceptable("mail", "the worker got the job"),
        Outcome::forbidden(
            "deadlock",
            "the worker looked before the job was there, and listened after it was announced",
        ),
    ],
    schedule: "The worker finds no job. The service inserts one and notifies nobody. The worker listens for ever.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::DEADLOCK,
            "looks for a job, and then begins to listen",
            scenario::<buggy::Worker>,
        ),
        Variant::trap(
            "trap_look_twice",
            Expected::DEADLOCK,
            "a second look before listening leaves the same gap",
            scenario::<trap_look_twice::Worker>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_listen_first",
            "listens, and then looks",
            scenario::<fixed_listen_first::Worker>,
        ),
    ],
};
