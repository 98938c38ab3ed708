//! Databases on real threads: each client's statements wait for locks as SQLite does.

pub use heisenbug_database::{
    Engine, Error, FromValue, Kind, Level, Params, Result, Row, Rows, Value,
};

pub use heisenbug_database::tally;
use heisenbug_database::{Found, Numbers, Store, pool};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

/// A database. Connections to it are clients.
#[derive(Clone, Debug)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// There until this is dropped.
    store: Option<Store>,
    numbers: Numbers,
}

/// A client's connection, for one thread at a time: it can be sent to another thread, and not shared.
#[derive(Debug)]
pub struct Connection {
    database: Arc<Inner>,
    number: usize,
    not_shared: PhantomData<Cell<()>>,
}

impl Database {
    /// A new database, which is what the statements of `schema` make of it.
    ///
    /// # Panics
    ///
    /// If the engine does not accept them.
    pub fn new(schema: &str) -> Database {
        Database::on(Engine::default(), schema)
    }

    /// As [`new`](Self::new), on that engine.
    ///
    /// # Panics
    ///
    /// If the engine is not at hand, or does not accept the schema.
    pub fn on(engine: Engine, schema: &str) -> Database {
        let fresh = || {
            let mut store = pool::take(schema, engine)?;
            store.reset().map(|()| store)
        };
        let store = fresh().unwrap_or_else(|error| panic!("the database cannot be had: {error}"));
        Database(Arc::new(Inner {
            store: Some(store),
            numbers: Numbers::default(),
        }))
    }

    /// A new connection.
    ///
    /// # Panics
    ///
    /// If there are 8 already.
    #[track_caller]
    pub fn connect(&self) -> Connection {
        Connection {
            database: Arc::clone(&self.0),
            number: self.0.numbers.take(),
            not_shared: PhantomData,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(store) = self.store.take() {
            pool::give_back(store);
        }
    }
}

impl Connection {
    /// Runs a statement that finds rows.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn query(&self, sql: &str, params: impl Params) -> Result<Rows> {
        Ok(self.run(sql, &params.values())?.rows)
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
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<u64> {
        Ok(self.run(sql, &params.values())?.changed)
    }

    /// Begins a transaction, which takes no lock and no snapshot before its first statement.
    ///
    /// # Errors
    ///
    /// If there is one already.
    pub fn begin(&self) -> Result<()> {
        self.execute("begin", ()).map(drop)
    }

    /// Begins a transaction at that level. SQLite's transactions are serializable, whatever is asked for.
    ///
    /// # Errors
    ///
    /// If there is one already.
    pub fn begin_at(&self, level: Level) -> Result<()> {
        self.execute(&self.store().begin(level), ()).map(drop)
    }

    /// Begins a transaction that writes: it is the only one that does, from now on.
    ///
    /// # Errors
    ///
    /// If there is one already, or another one did not end in time.
    pub fn begin_immediate(&self) -> Result<()> {
        self.execute("begin immediate", ()).map(drop)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be committed.
    pub fn commit(&self) -> Result<()> {
        self.execute("commit", ()).map(drop)
    }

    /// Undoes what the transaction has done, and ends it. Nothing happens if there is none.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn rollback(&self) -> Result<()> {
        match self.store().is_in_transaction(self.number) {
            true => self.execute("rollback", ()).map(drop),
            false => Ok(()),
        }
    }

    fn run(&self, sql: &str, params: &[Value]) -> Result<Found> {
        let was_in_transaction = self.store().is_in_transaction(self.number);
        let result = self.store().run_waiting(self.number, sql, params);
        tally::count(sql, was_in_transaction, &result);
        result
    }

    fn store(&self) -> &Store {
        self.database
            .store
            .as_ref()
            .expect("it is there until all are gone")
    }
}

/// Closing a connection undoes what was not committed.
impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.rollback();
        self.database.numbers.give_back(self.number);
    }
}
