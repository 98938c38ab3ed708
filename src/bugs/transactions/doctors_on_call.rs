//! # Doctors on call
//!
//! Two doctors are on call, and one of them has to be. Each may go home if the other one stays: the
//! service counts who is on call, and takes the doctor off if there are two. When both count before either
//! goes, both go.
//!
//! Each changes a row of its own, so no update is lost, and no check of one row sees anything wrong. This
//! is *write skew*: what each did rests on what the other one changed.
//!
//! **Where it happened.** The example is that of M. Cahill, *Serializable Isolation for Snapshot Databases*
//! (2009). PostgreSQL's serializable level let it happen until 2020, when Jepsen found it (PostgreSQL 12.3).
//!
//! **Why.** The count is no longer true when it is acted upon.
//!
//! **Who sees it.** A check, over every interleaving of the statements. No tool that looks at memory does: there
//! is no race, and each statement does what it says. loom has no databases.

use super::db::{Connection, Database, Engine, Result};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Feature, Needs, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table doctors (name varchar(9) primary key, on_call integer not null);
    insert into doctors values ('ann', 1), ('bob', 1);
";

/// The same in the words of the snapshot engine: who is on call has a key.
const KEYS: &str = "
    set on_call/ann 1
    set on_call/bob 1
";

/// How a doctor goes home.
pub trait GoHome {
    /// On which engine.
    const ENGINE: Engine = Engine::Sqlite;
    /// Takes the doctor off call, if another one stays. Returns whether it did.
    fn go_home(client: &Connection, doctor: &str) -> Result<bool>;
}

pub mod buggy {
    use super::super::db::{Connection, Result};

    pub struct Service;

    impl super::GoHome for Service {
        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            let on_call: i64 =
                client.value("select count(*) from doctors where on_call = 1", ())?;
            if on_call < 2 {
                return Ok(false);
            }
            client.execute("update doctors set on_call = 0 where name = ?", [doctor])?;
            Ok(true)
        }
    }
}

pub mod trap_look_again {
    use super::super::db::{Connection, Result};
    use super::GoHome;

    pub struct Service;

    impl super::GoHome for Service {
        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            if !super::buggy::Service::go_home(client, doctor)? {
                return Ok(false);
            }
            // Looks again, and comes back if nobody is left: both may see that, and both stay. Until
            // then nobody was on call.
            let on_call: i64 =
                client.value("select count(*) from doctors where on_call = 1", ())?;
            if on_call == 0 {
                client.execute("update doctors set on_call = 1 where name = ?", [doctor])?;
            }
            Ok(on_call > 0)
        }
    }
}

pub mod trap_repeatable_read {
    use super::super::db::{Connection, Engine, Level, Result};
    use super::GoHome;

    pub struct Service;

    impl super::GoHome for Service {
        const ENGINE: Engine = Engine::Postgres;

        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            // A snapshot, which refuses to change a row that another one has changed. These are two rows.
            client.begin_at(Level::RepeatableRead)?;
            let gone = super::buggy::Service::go_home(client, doctor)?;
            client.commit()?;
            Ok(gone)
        }
    }
}

pub mod trap_snapshot_isolation {
    use super::super::db::{Connection, Engine, Level, Result};
    use super::GoHome;

    pub struct Service;

    impl super::GoHome for Service {
        const ENGINE: Engine = Engine::Snapshot;

        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            // A commit is refused if another one has changed the same key. These are two keys.
            client.begin_at(Level::RepeatableRead)?;
            let gone = leave(client, doctor)?;
            client.commit()?;
            Ok(gone)
        }
    }

    /// Counts, and then takes a key away: what the buggy one does in SQL.
    pub fn leave(client: &Connection, doctor: &str) -> Result<bool> {
        if client.query("scan on_call", ())?.len() < 2 {
            return Ok(false);
        }
        client.execute(&format!("delete on_call/{doctor}"), ())?;
        Ok(true)
    }
}

pub mod trap_one_statement {
    use super::super::db::{Connection, Engine, Result};
    use super::GoHome;

    pub struct Service;

    impl super::GoHome for Service {
        const ENGINE: Engine = Engine::Postgres;

        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            // What is a fix in SQLite: here it counts what was committed when it began.
            super::fixed_one_statement::Service::go_home(client, doctor)
        }
    }
}

pub mod fixed_one_statement {
    use super::super::db::{Connection, Result};

    pub struct Service;

    impl super::GoHome for Service {
        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            // SQLite runs one writing statement at a time.
            let changed = client.execute(
                "update doctors set on_call = 0
                 where name = ? and (select count(*) from doctors where on_call = 1) > 1",
                [doctor],
            )?;
            Ok(changed == 1)
        }
    }
}

pub mod fixed_begin_immediate {
    use super::super::db::{Connection, Result};
    use super::GoHome;

    pub struct Service;

    impl super::GoHome for Service {
        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            client.begin_immediate()?;
            let gone = super::buggy::Service::go_home(client, doctor)?;
            client.commit()?;
            Ok(gone)
        }
    }
}

pub mod fixed_materialised_conflict {
    use super::super::db::{Connection, Result};

    pub struct Service;

    impl super::GoHome for Service {
        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            loop {
                let rows = client.query("select on_call, changes from shifts where id = 1", ())?;
                let row = rows.first().expect("the shift is there");
                let (on_call, changes) = (row.get::<i64>(0), row.get::<i64>(1));
                if on_call < 2 {
                    return Ok(false);
                }
                // One row that both of them change: the second one finds that it has changed.
                let changed = client.execute(
                    "update shifts set on_call = on_call - 1, changes = changes + 1
                     where id = 1 and changes = ?",
                    [changes],
                )?;
                if changed == 1 {
                    client.execute("update doctors set on_call = 0 where name = ?", [doctor])?;
                    return Ok(true);
                }
            }
        }
    }
}

pub mod fixed_for_update {
    use super::super::db::{Connection, Engine, Result};

    pub struct Service;

    impl super::GoHome for Service {
        const ENGINE: Engine = Engine::Postgres;

        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            client.begin()?;
            // Locks all that are counted, in one order. The next one to come waits, and then counts anew.
            let sql = "select name from doctors where on_call = 1 order by name for update";
            let may_go = client.query(sql, ())?.len() > 1;
            if may_go {
                client.execute("update doctors set on_call = 0 where name = ?", [doctor])?;
            }
            client.commit()?;
            Ok(may_go)
        }
    }
}

pub mod fixed_serializable {
    use super::super::db::{Connection, Engine, Level, Result};
    use super::GoHome;

    pub struct Service;

    impl super::GoHome for Service {
        const ENGINE: Engine = Engine::Postgres;

        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            loop {
                client.begin_at(Level::Serializable)?;
                let gone = super::buggy::Service::go_home(client, doctor)
                    .and_then(|gone| client.commit().map(|()| gone));
                match gone {
                    // What it counted has changed: it counts again.
                    Err(error) if error.is_retryable() => client.rollback()?,
                    gone => return gone,
                }
            }
        }
    }
}

pub mod fixed_serializable_snapshot {
    use super::super::db::{Connection, Engine, Level, Result};
    use super::GoHome;
    use super::trap_snapshot_isolation::leave;

    pub struct Service;

    impl super::GoHome for Service {
        const ENGINE: Engine = Engine::Snapshot;

        fn go_home(client: &Connection, doctor: &str) -> Result<bool> {
            loop {
                client.begin_at(Level::Serializable)?;
                // Its commit is refused, too, if another one has changed what it has counted.
                let gone = leave(client, doctor)?;
                match client.commit() {
                    Err(error) if error.is_retryable() => {}
                    committed => return committed.map(|()| gone),
                }
            }
        }
    }
}

/// The shift as a row of its own, for the one that changes it.
const SHIFTS: &str = "
    create table shifts (id integer primary key, on_call integer not null, changes integer not null);
    insert into shifts values (1, 2, 0);
";

/// Both doctors want to go home.
fn scenario<G: GoHome>() -> String {
    let schema = match G::ENGINE {
        Engine::Snapshot => KEYS.to_owned(),
        _ => format!("{SCHEMA}{SHIFTS}"),
    };
    let db = Database::on(G::ENGINE, &schema);
    thread::scope(|scope| {
        let doctors = ["ann", "bob"].map(|doctor| {
            let client = db.connect();
            let builder = thread::Builder::new().name(doctor.into());
            builder
                .spawn_scoped(scope, move || G::go_home(&client, doctor))
                .unwrap()
        });
        for doctor in doctors {
            doctor.join().unwrap().unwrap();
        }
    });
    let who = match G::ENGINE {
        Engine::Snapshot => "scan on_call",
        _ => "select name from doctors where on_call = 1",
    };
    let left = db.connect().query(who, ()).unwrap();
    format!("{} on call", left.len())
}

pub const BUG: Bug = Bug {
    name: "doctors-on-call",
    shape: Shape::CheckThenAct,
    scale: Scale::Transactions,
    summary: "two doctors each see the other one on call, and both go home (write skew)",
    file: file!(),
    source: include_str!("doctors_on_call.rs"),
    references: &[
        "M. Cahill, Serializable Isolation for Snapshot Databases (PhD thesis, Sydney 2009), section 2.5",
        "Jepsen, PostgreSQL 12.3 (2020): https://jepsen.io/analyses/postgresql-12.3, G2-item under serializable",
    ],
    outcomes: &[
        Outcome::acceptable("1 on call", "one doctor went home, the other one stayed"),
        Outcome::forbidden(
            "0 on call",
            "both counted two doctors on call before either had gone",
        ),
        Outcome::forbidden(
            "2 on call",
            "both went, both saw that nobody was left, and both came back",
        ),
    ],
    schedule: "Ann counts 2. Bob counts 2 and goes home. Ann goes home.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("0 on call"),
            "a count, then an update of one's own row",
            scenario::<buggy::Service>,
        ),
        Variant::trap(
            "trap_look_again",
            Expected::outcome("2 on call"),
            "a second look may make both of them come back, and comes after a time with nobody on call",
            scenario::<trap_look_again::Service>,
        ),
        Variant::trap(
            "trap_repeatable_read",
            Expected::outcome("0 on call"),
            "PostgreSQL's snapshots let both go: each changes a row of its own",
            scenario::<trap_repeatable_read::Service>,
        )
        .needs(Needs::Postgres),
        Variant::trap(
            "trap_snapshot_isolation",
            Expected::outcome("0 on call"),
            "snapshot isolation by the book lets both go: each changes a key of its own",
            scenario::<trap_snapshot_isolation::Service>,
        )
        .feature(Feature::Snapshot),
        Variant::trap(
            "trap_one_statement",
            Expected::outcome("0 on call"),
            "one statement is not alone in PostgreSQL: it counts what was committed when it began",
            scenario::<trap_one_statement::Service>,
        )
        .needs(Needs::Postgres),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_one_statement",
            "the count is part of the update, and SQLite runs one at a time",
            scenario::<fixed_one_statement::Service>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_begin_immediate",
            "a transaction that is the only writer before it counts",
            scenario::<fixed_begin_immediate::Service>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_materialised_conflict",
            "the count is a row that both must change, with a version",
            scenario::<fixed_materialised_conflict::Service>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_for_update",
            "locks every row that it counts, in PostgreSQL",
            scenario::<fixed_for_update::Service>,
        )
        .needs(Needs::Postgres),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_serializable",
            "a serializable transaction, tried again when PostgreSQL refuses it",
            scenario::<fixed_serializable::Service>,
        )
        .needs(Needs::Postgres),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_serializable_snapshot",
            "a serializable transaction, tried again when the snapshot engine refuses its commit",
            scenario::<fixed_serializable_snapshot::Service>,
        )
        .feature(Feature::Snapshot),
    ],
};
