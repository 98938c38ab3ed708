//! # Idle worker
//!
//! Two workers take jobs from a table, each with one statement: an update of the first new job. The second
//! worker waits for the row of the first. When it gets it, the job is done. PostgreSQL looks at that row
//! again, finds that it is no longer new, and does not look for another one. The worker hears that there is
//! no job, and goes to sleep beside a table that has one.
//!
//! It is a wake-up that is lost: there is work, and who should do it sleeps.
//!
//! **Where it happened.** Queues in tables are written like this everywhere. PostgreSQL 9.5 (2016) got
//! `skip locked` for them.
//!
//! **Why.** The subquery has chosen the row before the lock is waited for. At *read committed* the row is
//! looked at again afterwards, and the subquery is not.
//!
//! **Who sees it.** A check, over every interleaving of the statements. With one worker, or a queue that is
//! never short, nobody does. loom has no databases.

use super::db::{Connection, Database, Engine, Result};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Needs, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table jobs (id integer primary key, state varchar(9) not null);
    insert into jobs values (1, 'new'), (2, 'new');
";

/// How a worker takes a job.
pub trait Take {
    /// Takes a job and does it. Returns which, or that there is none.
    fn take(client: &Connection) -> Result<Option<i64>>;
}

/// Takes a job with that statement, which returns its number.
fn take_with(client: &Connection, sql: &str) -> Result<Option<i64>> {
    Ok(client.query(sql, ())?.first().map(|row| row.get(0)))
}

pub mod buggy {
    use super::super::db::{Connection, Result};

    pub struct Worker;

    impl super::Take for Worker {
        fn take(client: &Connection) -> Result<Option<i64>> {
            super::take_with(
                client,
                "update jobs set state = 'done' where state = 'new'
                 and id = (select min(id) from jobs where state = 'new') returning id",
            )
        }
    }
}

pub mod trap_first_only {
    use super::super::db::{Connection, Result};

    pub struct Worker;

    impl super::Take for Worker {
        fn take(client: &Connection) -> Result<Option<i64>> {
            // Nothing is left that could be false when the row is looked at again.
            super::take_with(
                client,
                "update jobs set state = 'done'
                 where id = (select min(id) from jobs where state = 'new') returning id",
            )
        }
    }
}

pub mod trap_nowait {
    use super::super::db::{Connection, Kind, Result};

    pub struct Worker;

    impl super::Take for Worker {
        fn take(client: &Connection) -> Result<Option<i64>> {
            let taken = super::take_with(
                client,
                "update jobs set state = 'done' where id = (select id from jobs
                 where state = 'new' order by id limit 1 for update nowait) returning id",
            );
            match taken {
                // Somebody has the first job. Whether there is a second one, nobody has asked.
                Err(error) if error.kind == Kind::Busy => Ok(None),
                taken => taken,
            }
        }
    }
}

pub mod fixed_skip_locked {
    use super::super::db::{Connection, Result};

    pub struct Worker;

    impl super::Take for Worker {
        fn take(client: &Connection) -> Result<Option<i64>> {
            // What another worker has locked is as good as gone, and the next one is as good.
            super::take_with(
                client,
                "update jobs set state = 'done' where id = (select id from jobs
                 where state = 'new' order by id limit 1 for update skip locked) returning id",
            )
        }
    }
}

pub mod fixed_for_update {
    use super::super::db::{Connection, Result};

    pub struct Worker;

    impl super::Take for Worker {
        fn take(client: &Connection) -> Result<Option<i64>> {
            // Here it is the subquery that waits. It goes on to the next row if this one is done.
            super::take_with(
                client,
                "update jobs set state = 'done' where id = (select id from jobs
                 where state = 'new' order by id limit 1 for update) returning id",
            )
        }
    }
}

/// Two workers, two jobs.
fn scenario<T: Take>() -> String {
    let db = Database::on(Engine::Postgres, SCHEMA);
    let taken = thread::scope(|scope| {
        let workers = ["ann", "bob"].map(|name| {
            let client = db.connect();
            let builder = thread::Builder::new().name(name.into());
            builder
                .spawn_scoped(scope, move || T::take(&client))
                .unwrap()
        });
        workers.map(|worker| worker.join().unwrap().unwrap())
    });
    match taken {
        [Some(one), Some(other)] if one == other => "a job is done twice".to_owned(),
        [Some(_), Some(_)] => "both work".to_owned(),
        _ => "a worker sleeps beside a job".to_owned(),
    }
}

pub const BUG: Bug = Bug {
    name: "idle-worker",
    shape: Shape::LostWakeup,
    scale: Scale::Transactions,
    summary: "a worker waits for the job of another one, and then sleeps beside the next job",
    file: file!(),
    source: include_str!("idle_worker.rs"),
    references: &[
        "PostgreSQL: https://www.postgresql.org/docs/current/sql-select.html, the locking clause",
        "PostgreSQL 9.5 (2016): https://www.postgresql.org/docs/release/9.5.0/, on SKIP LOCKED",
    ],
    outcomes: &[
        Outcome::acceptable("both work", "each worker has a job of its own"),
        Outcome::forbidden(
            "a worker sleeps beside a job",
            "it asked for the first job only, and somebody else had that",
        ),
        Outcome::forbidden(
            "a job is done twice",
            "the second one waited for the first, and then did the same job again",
        ),
    ],
    schedule: "Ann takes job 1. Bob waits for it. Ann commits. Bob is told that there is no job.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("a worker sleeps beside a job"),
            "updates the first new job, if it is still new",
            scenario::<buggy::Worker>,
        )
        .needs(Needs::Postgres),
        Variant::trap(
            "trap_first_only",
            Expected::outcome("a job is done twice"),
            "does not ask again whether the job is new, and does it once more",
            scenario::<trap_first_only::Worker>,
        )
        .needs(Needs::Postgres),
        Variant::trap(
            "trap_nowait",
            Expected::outcome("a worker sleeps beside a job"),
            "does not wait, and takes a lock for an empty table",
            scenario::<trap_nowait::Worker>,
        )
        .needs(Needs::Postgres),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_skip_locked",
            "passes over what another worker has locked",
            scenario::<fixed_skip_locked::Worker>,
        )
        .needs(Needs::Postgres),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_for_update",
            "waits in the subquery, which then looks at the next row",
            scenario::<fixed_for_update::Worker>,
        )
        .needs(Needs::Postgres),
    ],
};
