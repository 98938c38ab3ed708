//! # Old snapshot
//!
//! A page keeps a read transaction open while it is put together. The user saves a new name over another
//! connection, is told that it is saved, and the page shows the old one.
//!
//! It is the stale read among threads once more: what was published is there, and who looks sees the past,
//! because nothing made it look anew. With a replica in place of a snapshot the same is called a missing
//! *read-your-writes*.
//!
//! **Where it happened.** In 2024 a payroll job told 4,091 writers that they would not be paid: it read their
//! new balance from a replica that lagged behind.
//!
//! **Why.** With a write-ahead log, a transaction reads the state of its first statement until it ends. What is written meanwhile,
//! by whomever, is in no snapshot that is older.
//!
//! **Who sees it.** A check, over every interleaving of statements and messages. A database on which every read
//! is of the newest state hides it. loom has no databases.

use super::db::{Connection, Database, Engine, Result};
use super::sync::mpsc::{self, Receiver, Sender};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table users (id integer primary key, name text not null);
    create table settings (id integer primary key, theme text not null);
    insert into users values (1, 'old');
    insert into settings values (1, 'dark');
";

const NAME: &str = "select name from users where id = 1";
const THEME: &str = "select theme from settings where id = 1";

/// How a page is put together.
pub trait Page {
    /// Reads the theme, waits for what the user saves, and shows the name.
    fn show(client: &Connection, saved: &Receiver<()>) -> Result<String>;
}

pub mod buggy {
    use super::super::db::{Connection, Result};
    use super::super::sync::mpsc::Receiver;
    use super::{NAME, THEME};

    pub struct Page;

    impl super::Page for Page {
        fn show(client: &Connection, saved: &Receiver<()>) -> Result<String> {
            client.begin()?;
            let theme: String = client.value(THEME, ())?;
            saved.recv().expect("the user saves");
            // Of the snapshot that began with the theme.
            let name: String = client.value(NAME, ())?;
            client.commit()?;
            Ok(format!("{name} on {theme}"))
        }
    }
}

pub mod trap_transaction_for_each {
    use super::super::db::{Connection, Result};
    use super::super::sync::mpsc::Receiver;
    use super::{NAME, THEME};

    pub struct Page;

    impl super::Page for Page {
        fn show(client: &Connection, saved: &Receiver<()>) -> Result<String> {
            client.begin()?;
            let theme: String = client.value(THEME, ())?;
            client.commit()?;
            // A new transaction, but it begins before the user has saved: with its first statement.
            client.begin()?;
            client.query(THEME, ())?;
            saved.recv().expect("the user saves");
            let name: String = client.value(NAME, ())?;
            client.commit()?;
            Ok(format!("{name} on {theme}"))
        }
    }
}

pub mod fixed_new_transaction {
    use super::super::db::{Connection, Result};
    use super::super::sync::mpsc::Receiver;
    use super::{NAME, THEME};

    pub struct Page;

    impl super::Page for Page {
        fn show(client: &Connection, saved: &Receiver<()>) -> Result<String> {
            saved.recv().expect("the user saves");
            // Begins once that is known, so its snapshot has it.
            client.begin()?;
            let theme: String = client.value(THEME, ())?;
            let name: String = client.value(NAME, ())?;
            client.commit()?;
            Ok(format!("{name} on {theme}"))
        }
    }
}

pub mod fixed_no_transaction {
    use super::super::db::{Connection, Result};
    use super::super::sync::mpsc::Receiver;
    use super::{NAME, THEME};

    pub struct Page;

    impl super::Page for Page {
        fn show(client: &Connection, saved: &Receiver<()>) -> Result<String> {
            // Each select sees what is committed by then. What they see need not be of one moment.
            let theme: String = client.value(THEME, ())?;
            saved.recv().expect("the user saves");
            let name: String = client.value(NAME, ())?;
            Ok(format!("{name} on {theme}"))
        }
    }
}

/// Saves a new name, and says so.
fn save(client: &Connection, saved: &Sender<()>) -> Result<()> {
    client.execute("update users set name = 'new' where id = 1", ())?;
    saved.send(()).expect("the page listens");
    Ok(())
}

/// A page that is put together while its user saves.
fn scenario<P: Page>() -> String {
    let db = Database::on(Engine::SqliteWal, SCHEMA);
    let (saved, news) = mpsc::channel();
    thread::scope(|scope| {
        let (user, page) = (db.connect(), db.connect());
        let saves = thread::Builder::new().name("user".into());
        let saves = saves
            .spawn_scoped(scope, move || save(&user, &saved))
            .unwrap();
        let shows = thread::Builder::new().name("page".into());
        let shows = shows
            .spawn_scoped(scope, move || P::show(&page, &news))
            .unwrap();
        saves.join().unwrap().unwrap();
        shows.join().unwrap().unwrap()
    })
}

pub const BUG: Bug = Bug {
    name: "old-snapshot",
    shape: Shape::StaleVisibility,
    scale: Scale::Transactions,
    summary: "a page reads from a snapshot that is older than what its user has saved",
    file: file!(),
    source: include_str!("old_snapshot.rs"),
    references: &[
        "D. Terry et al., Session Guarantees for Weakly Consistent Replicated Data (PDIS 1994): read your writes",
        "J. Bennett, When I told 4,091 writers they weren't getting paid (Medium, 2024)",
        "SQLite, Isolation: https://www.sqlite.org/isolation.html, on read transactions in WAL mode",
    ],
    outcomes: &[
        Outcome::acceptable("new on dark", "the page shows what its user has saved"),
        Outcome::forbidden(
            "old on dark",
            "the page's snapshot began before the user saved",
        ),
    ],
    schedule: "The page begins to read. The user saves and says so. The page reads the name from its snapshot.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("old on dark"),
            "one read transaction around the whole page",
            scenario::<buggy::Page>,
        ),
        Variant::trap(
            "trap_transaction_for_each",
            Expected::outcome("old on dark"),
            "a new transaction that begins to read too early",
            scenario::<trap_transaction_for_each::Page>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_new_transaction",
            "begins to read when it knows that the user has saved",
            scenario::<fixed_new_transaction::Page>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_no_transaction",
            "each select sees what is committed",
            scenario::<fixed_no_transaction::Page>,
        ),
    ],
};
