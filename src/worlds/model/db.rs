//! Databases: every statement is a step, run for real when its turn comes.
//!
//! A program makes a [`Database`] and connects its clients; each execution of a check gets a fresh one. All
//! orders of the clients' statements are explored. A statement that finds a lock taken waits until a
//! transaction ends, and then looks again, which is a step, too: SQLite wakes nobody. A plain `begin` takes
//! no lock and no snapshot, so it is no step.
//!
//! SQLite tells a lock that is worth waiting for from one that is not: a transaction that has read, and
//! wants to write after another one did, gets its error at once, whatever the time-out
//! ([`Kind::Busy`], [`Kind::Conflict`]). So does this. A wait has no time-out in a check: clients that all
//! wait for each other are a deadlock.
//!
//! On a server ([`Engine`]) statements of several clients can overlap. A statement is one step all the same; but a
//! change outside of a transaction is two: what it does, and its commit. A statement that waits is left to the server, which ends it when it can. There the server ends a
//! deadlock, too, and says who is its victim ([`Kind::Deadlock`]).
//!
//! [`Engine::Snapshot`] has no SQL but a few commands: `get`, `set`, `delete`, `scan`. Its transactions never wait; a
//! commit is refused instead ([`Kind::Conflict`]), and has ended its transaction then.

pub use heisenbug_database::{
    Engine, Error, FromValue, Kind, Level, Params, Result, Row, Rows, Value,
};

mod stores;

pub(crate) use stores::{end_execution, end_session};

use crate::session::{self, Call, Shared};
use crate::unordered::Unordered;
use heisenbug_database::{Answer, Attempt, Found, MAX_CONNECTIONS, Numbers, changes_rows};
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Object, Rmw, Until};
use heisenbug_native::db as native;
use heisenbug_trace::{Op, cut, keep};
use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use stores::Number;

/// A database. Connections to it are clients.
#[derive(Clone)]
pub struct Database(World<Arc<Unordered<Inner>>, native::Database>);

/// A client's connection, for one thread at a time: it can be sent to another thread, and not shared.
pub struct Connection(World<Client, native::Connection>, PhantomData<Cell<()>>);

/// In a check, or on real threads.
#[derive(Clone)]
enum World<M, N> {
    Model(M),
    Native(N),
}

/// The call that commits a statement which is a transaction by itself: the server's own.
const AUTOMATIC: &str = "commit";

struct Inner {
    /// Every statement is a step of it.
    shared: Shared,
    store: Number,
    /// For each connection, whether it is time to look again.
    looks_again: [Object; MAX_CONNECTIONS],
    numbers: Numbers,
}

struct Client {
    database: Arc<Unordered<Inner>>,
    number: usize,
    /// What is done when it is dropped is told at this place.
    made: Place,
}

macro_rules! debug_as_name {
    ($($name:ident),*) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

debug_as_name!(Database, Connection);

impl Database {
    /// A new database, which is what the statements of `schema` make of it.
    ///
    /// # Panics
    ///
    /// If the engine does not accept them.
    #[track_caller]
    pub fn new(schema: &str) -> Database {
        Database::on(Engine::default(), schema)
    }

    /// As [`new`](Self::new), on that engine. If it is on a server that is not at hand, a check ends in
    /// *unknown*.
    ///
    /// # Panics
    ///
    /// If the engine does not accept the schema.
    #[track_caller]
    pub fn on(engine: Engine, schema: &str) -> Database {
        if !steps::running() {
            return Database(World::Native(native::Database::on(engine, schema)));
        }
        session::used();
        let store = match stores::fresh(schema, engine) {
            Ok(store) => store,
            Err(error) if error.kind == Kind::Machine => no_database(&error),
            Err(error) => panic!("the schema of the database: {error}"),
        };
        Database(World::Model(Arc::new(Unordered::new(Inner {
            shared: Shared::new("database"),
            store,
            looks_again: [const { Object::new() }; MAX_CONNECTIONS],
            numbers: Numbers::default(),
        }))))
    }

    /// A new connection.
    ///
    /// # Panics
    ///
    /// If there are 8 already.
    #[track_caller]
    pub fn connect(&self) -> Connection {
        let connection = match &self.0 {
            World::Native(database) => World::Native(database.connect()),
            World::Model(database) => World::Model(Client {
                database: Arc::clone(database),
                number: database.numbers.take(),
                made: Location::caller(),
            }),
        };
        Connection(connection, PhantomData)
    }
}

impl Connection {
    /// Runs a statement that finds rows.
    ///
    /// # Errors
    ///
    /// What the engine says.
    #[track_caller]
    pub fn query(&self, sql: &str, params: impl Params) -> Result<Rows> {
        match &self.0 {
            World::Native(connection) => connection.query(sql, params),
            World::Model(client) => Ok(client
                .run("query", sql, &params.values(), Location::caller())?
                .rows),
        }
    }

    /// Runs a statement that finds one value: the first column of the first row.
    ///
    /// # Errors
    ///
    /// What the engine says.
    ///
    /// # Panics
    ///
    /// If there is no row, or the value is of another type.
    #[track_caller]
    pub fn value<T: FromValue>(&self, sql: &str, params: impl Params) -> Result<T> {
        Ok(self.query(sql, params)?.value())
    }

    /// Runs a statement that changes rows. Returns how many.
    ///
    /// # Errors
    ///
    /// What the engine says.
    #[track_caller]
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<u64> {
        match &self.0 {
            World::Native(connection) => connection.execute(sql, params),
            World::Model(client) => Ok(client
                .run("execute", sql, &params.values(), Location::caller())?
                .changed),
        }
    }

    /// Begins a transaction, which takes no lock and no snapshot before its first statement.
    ///
    /// # Errors
    ///
    /// If there is one already.
    #[track_caller]
    pub fn begin(&self) -> Result<()> {
        match &self.0 {
            World::Native(connection) => connection.begin(),
            World::Model(client) => client.begin(None, Location::caller()),
        }
    }

    /// Begins a transaction at that level. SQLite's transactions are serializable, whatever is asked for.
    ///
    /// # Errors
    ///
    /// If there is one already.
    #[track_caller]
    pub fn begin_at(&self, level: Level) -> Result<()> {
        match &self.0 {
            World::Native(connection) => connection.begin_at(level),
            World::Model(client) => client.begin(Some(level), Location::caller()),
        }
    }

    /// Begins a transaction that writes: it is the only one that does, from now on.
    ///
    /// # Errors
    ///
    /// If there is one already.
    #[track_caller]
    pub fn begin_immediate(&self) -> Result<()> {
        self.execute("begin immediate", ()).map(drop)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be committed.
    #[track_caller]
    pub fn commit(&self) -> Result<()> {
        self.execute("commit", ()).map(drop)
    }

    /// Undoes what the transaction has done, and ends it. Nothing happens if there is none.
    ///
    /// # Errors
    ///
    /// What the engine says.
    #[track_caller]
    pub fn rollback(&self) -> Result<()> {
        match &self.0 {
            World::Native(connection) => connection.rollback(),
            World::Model(client) => client.rollback(Location::caller()),
        }
    }
}

impl Client {
    /// Runs a statement, waiting for locks.
    ///
    /// On a server, a change that is no part of a transaction is one by itself. Others may come between
    /// what it does and its commit: that is a second step.
    fn run(&self, name: &'static str, sql: &str, params: &[Value], at: Place) -> Result<Found> {
        let Inner { store, .. } = &**self.database;
        if !stores::commits_by_itself(*store, self.number, sql) {
            return self.step(name, sql, params, at);
        }
        let begun = stores::attempt(*store, self.number, "begin", &[]);
        if let Answer::Failed(error) = begun.answer {
            no_database(&error);
        }
        self.wake(begun.woken, at);
        let done = self.step(name, sql, params, at);
        let ended = match &done {
            Ok(_) => self.step(AUTOMATIC, "commit", &[], at).map(drop),
            Err(_) => self.rollback(at),
        };
        ended.and(done)
    }

    /// Runs a statement as one step, waiting for locks.
    fn step(&self, name: &'static str, sql: &str, params: &[Value], at: Place) -> Result<Found> {
        let Some(call) = Call::begin(name, at) else {
            panic!("a connection of a check is used outside of it");
        };
        let Inner {
            shared,
            store,
            looks_again,
            ..
        } = &**self.database;
        call.waits_for(shared);
        let shown = || match name {
            AUTOMATIC => format!("{sql} (automatic)"),
            _ => shown(sql, params),
        };
        let mut delivered = None;
        loop {
            let attempt = || stores::attempt(*store, self.number, sql, params);
            let Attempt { answer, woken } = match delivered.take() {
                Some(answer) => Attempt {
                    answer,
                    woken: Vec::new(),
                },
                None => steps::opaque(shared.object(), at, attempt),
            };
            let wake = || self.wake(woken, at);
            match answer {
                Answer::Waits { held_by } => {
                    let holders = stores::users(*store, &held_by);
                    call.statement_waits(shared, shown, &holders);
                    wake();
                    let again = &looks_again[self.number];
                    steps::await_rmw(again, 0, Until::Is(1), Rmw::set(0), Acquire, false, at);
                    delivered = stores::delivered(*store, self.number);
                }
                Answer::Done(found) => {
                    let answer = || match name {
                        "query" => found.rows.to_string(),
                        _ => rows_changed(sql, found.changed),
                    };
                    call.statement(Op::Statement, shared, shown, answer);
                    wake();
                    return Ok(found);
                }
                Answer::Failed(error) if error.kind == Kind::Machine => no_database(&error),
                Answer::Failed(error) => {
                    let code = || error.name();
                    call.statement(Op::StatementFails, shared, shown, code);
                    wake();
                    return Err(error);
                }
            }
        }
    }

    /// Tells clients that they need not wait any longer.
    fn wake(&self, woken: Vec<usize>, at: Place) {
        for connection in woken {
            steps::store(&self.database.looks_again[connection], 0, 1, Release, at);
        }
    }

    /// Begins a transaction. Nobody else can tell, so it is no step.
    fn begin(&self, level: Option<Level>, at: Place) -> Result<()> {
        let call = Call::begin("begin", at).expect("a connection of a check is used in it");
        let Inner { shared, store, .. } = &**self.database;
        let sql = stores::begin(*store, level);
        match stores::attempt(*store, self.number, &sql, &[]).answer {
            Answer::Failed(error) if error.kind == Kind::Machine => no_database(&error),
            Answer::Failed(error) => {
                let code = || error.name();
                call.statement(Op::StatementFails, shared, || sql, code);
                Err(error)
            }
            _ => {
                call.statement(Op::Statement, shared, || sql, String::new);
                Ok(())
            }
        }
    }

    /// What it has left in its session ends. Only where it can have left anything is that a step.
    fn disconnect(&self) {
        let Inner { shared, store, .. } = &**self.database;
        if !stores::may_have_session_state(*store) {
            return;
        }
        let end = || stores::disconnect(*store, self.number);
        match steps::opaque(shared.object(), self.made, end) {
            Ok(woken) => self.wake(woken, self.made),
            Err(error) => no_database(&error),
        }
    }

    fn rollback(&self, at: Place) -> Result<()> {
        match stores::is_in_transaction(self.database.store, self.number) {
            true => self.step("execute", "rollback", &[], at).map(drop),
            false => Ok(()),
        }
    }
}

/// Closing a connection undoes what was not committed.
impl Drop for Client {
    fn drop(&mut self) {
        if steps::running() {
            let _ = self.rollback(self.made);
            self.disconnect();
        }
        self.database.numbers.give_back(self.number);
    }
}

/// Ends the check: nothing is known of a program whose database cannot be had, or is lost.
fn no_database(error: &Error) -> ! {
    let why = steps::aside(|| keep(&format!("no database can be had here: {}", error.message)));
    steps::give_up(why)
}

/// A statement with its values in it.
fn shown(sql: &str, params: &[Value]) -> String {
    let lines = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let sql = words.join(" ");
    let mut params = params.iter();
    let mut text = String::new();
    let mut quoted = false;
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        quoted ^= c == '\'';
        let is_numbered = rest.peek().is_some_and(char::is_ascii_digit);
        match params.as_slice() {
            [value, ..] if c == '?' && !quoted && !is_numbered => {
                text.push_str(&short(value));
                params.next();
            }
            _ => text.push(c),
        }
    }
    text
}

/// How much of a value is shown.
const MAX_VALUE: usize = 60;

fn short(value: &Value) -> String {
    cut(value.to_string().replace('\n', " "), MAX_VALUE)
}

/// How many rows a statement changed, if it is one that changes rows.
fn rows_changed(sql: &str, changed: u64) -> String {
    match changed {
        _ if !changes_rows(sql) => String::new(),
        0 => "no row".to_owned(),
        1 => "1 row".to_owned(),
        number => format!("{number} rows"),
    }
}
