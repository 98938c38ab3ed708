//! A database, whichever engine it is on, and the connections to it.

use crate::at_hand::in_this_build;
use crate::servers::{address, needs};
use crate::sqlite::Sqlite;
use crate::{Answer, Attempt, Engine, Error, Found, Level, Result, Value};
use heisenbug_catalogue::Needs;
use std::fmt::Debug;

#[cfg(feature = "servers")]
use crate::servers::{Mariadb, Postgres, Server};

/// How many connections to one database there can be at once.
pub const MAX_CONNECTIONS: usize = 8;

/// A database, and the connections to it. Each execution begins with [`reset`](Store::reset).
#[derive(Debug)]
pub struct Store {
    schema: String,
    engine: Engine,
    database: Box<dyn Database>,
}

/// A database on some engine. What it need not do is what an engine in this process has no use for.
pub(crate) trait Database: Debug + Send + Sync {
    /// Brings it back to what the schema made of it, and ends all transactions. `false` if it has to be
    /// made anew.
    fn reset(&mut self) -> Result<bool>;

    /// Runs a statement on that connection, in a check. Nobody waits here: the statement may have to.
    fn attempt(&mut self, connection: usize, sql: &str, params: &[Value]) -> Attempt;

    /// Runs a statement on that connection, and waits for locks as the engine's users usually do.
    fn run_waiting(&self, connection: usize, sql: &str, params: &[Value]) -> Result<Found>;

    /// Whether a transaction is open on that connection.
    fn is_in_transaction(&self, connection: usize) -> bool;

    /// What came of the statement of that connection that had to wait. `None` if it has to be tried again.
    fn delivered(&mut self, _connection: usize) -> Option<Answer> {
        None
    }

    /// From the next reset on, no other execution uses the server: that waits until none does.
    fn take_turn(&mut self) -> Result<()> {
        Ok(())
    }

    /// Whether no other execution uses the server, or will once this is reset.
    fn has_turn(&self) -> bool {
        false
    }

    /// Ends an execution: nothing of it waits, or keeps others waiting.
    fn rest(&mut self) -> Result<()> {
        Ok(())
    }

    /// Whether a client may have left anything in its session that outlives a transaction.
    fn may_have_session_state(&self) -> bool {
        false
    }

    /// Makes the session of a client that is gone as new. Returns who need not wait any longer.
    fn disconnect(&mut self, _connection: usize) -> Result<Vec<usize>> {
        Ok(Vec::new())
    }
}

impl Store {
    /// A new database, with that schema and what it inserts.
    ///
    /// # Errors
    ///
    /// If there is no room for it, no such server at hand, or the schema is wrong.
    pub fn open(schema: &str, engine: Engine) -> Result<Store> {
        Ok(Store {
            schema: schema.to_owned(),
            engine,
            database: open(schema, engine)?,
        })
    }

    /// Whether it is a database with that schema, on that engine.
    pub fn is(&self, schema: &str, engine: Engine) -> bool {
        self.schema == schema && self.engine == engine
    }

    /// Whether its engine runs in this process.
    pub fn is_embedded(&self) -> bool {
        self.engine.is_embedded()
    }

    /// Brings the database back to what the schema made of it, and ends all transactions.
    ///
    /// # Errors
    ///
    /// If the engine refuses, as with a full disk.
    pub fn reset(&mut self) -> Result<()> {
        if self.database.reset()? {
            return Ok(());
        }
        let had_turn = self.database.has_turn();
        self.database.rest()?;
        self.database = open(&self.schema, self.engine)?;
        if had_turn {
            self.database.take_turn()?;
            self.database.reset()?;
        }
        Ok(())
    }

    /// Runs a statement on that connection, in a check. Nobody waits here: the statement may have to.
    pub fn attempt(&mut self, connection: usize, sql: &str, params: &[Value]) -> Attempt {
        self.database.attempt(connection, sql, params)
    }

    /// What came of the statement of that connection that had to wait. `None` if it has to be tried again.
    pub fn delivered(&mut self, connection: usize) -> Option<Answer> {
        self.database.delivered(connection)
    }

    /// Runs a statement on that connection, and waits for locks as the engine's users usually do.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn run_waiting(&self, connection: usize, sql: &str, params: &[Value]) -> Result<Found> {
        self.database.run_waiting(connection, sql, params)
    }

    /// Whether a transaction is open on that connection.
    pub fn is_in_transaction(&self, connection: usize) -> bool {
        self.database.is_in_transaction(connection)
    }

    /// From the next [`reset`](Store::reset) on no other execution uses the server, if it is on one. That turn
    /// ends with [`rest`](Store::rest).
    ///
    /// # Errors
    ///
    /// If the server is lost.
    pub fn take_turn(&mut self) -> Result<()> {
        self.database.take_turn()
    }

    /// The server that no other execution uses.
    pub fn has_turn(&self) -> Option<Needs> {
        needs(self.engine).filter(|_| self.database.has_turn())
    }

    /// Ends an execution: nothing of it waits, or keeps others waiting.
    ///
    /// # Errors
    ///
    /// If the server is lost.
    pub fn rest(&mut self) -> Result<()> {
        self.database.rest()
    }

    /// Whether a client may have left anything in its session that outlives a transaction.
    pub fn may_have_session_state(&self) -> bool {
        self.database.may_have_session_state()
    }

    /// Makes the session of a client that is gone as new. Returns who need not wait any longer.
    ///
    /// # Errors
    ///
    /// If the server is lost.
    pub fn disconnect(&mut self, connection: usize) -> Result<Vec<usize>> {
        self.database.disconnect(connection)
    }

    /// The statement that begins a transaction at that level. MariaDB needs two: they are sent at once.
    pub fn begin(&self, level: Level) -> String {
        let name = level.name();
        match self.engine {
            // Its transactions are serializable whatever is asked for.
            Engine::Sqlite | Engine::SqliteWal => "begin".to_owned(),
            Engine::Postgres => format!("begin isolation level {name}"),
            Engine::Snapshot if level == Level::Serializable => "begin serializable".to_owned(),
            // Its snapshots keep more apart than lower levels ask for.
            Engine::Snapshot => "begin repeatable read".to_owned(),
            Engine::Mariadb | Engine::MariadbSnapshot => {
                format!("set transaction isolation level {name}; begin")
            }
        }
    }
}

fn open(schema: &str, engine: Engine) -> Result<Box<dyn Database>> {
    Ok(match engine {
        Engine::Sqlite | Engine::SqliteWal => Box::new(Sqlite::open(schema, engine)?),
        #[cfg(feature = "servers")]
        Engine::Postgres => Box::new(Server::<Postgres>::open(schema, engine)?),
        #[cfg(feature = "servers")]
        Engine::Mariadb | Engine::MariadbSnapshot => {
            Box::new(Server::<Mariadb>::open(schema, engine)?)
        }
        #[cfg(feature = "snapshot")]
        Engine::Snapshot => Box::new(crate::snapshot::Snapshot::open(schema)?),
        #[allow(
            unreachable_patterns,
            reason = "a build with all features has all engines"
        )]
        _ => return Err(none_in_this_build(engine)),
    })
}

/// The error of a build without that engine.
fn none_in_this_build(engine: Engine) -> Error {
    let feature = engine.feature().map(in_this_build);
    let server = || needs(engine).map(|server| address(server).map(drop));
    let refused = feature.or_else(server).and_then(Result::err);
    refused.expect("an engine that no feature brings is in every build")
}
