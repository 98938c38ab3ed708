//! A database, whichever engine it is on, and the connections to it.

use crate::servers::needs;
use crate::sqlite::Sqlite;
use crate::{Answer, Attempt, Engine, Found, Level, Result, Value};

use heisenbug_catalogue::Needs;

#[cfg(feature = "servers")]
use crate::servers::{Mariadb, Postgres, Server};

/// How many connections to one database there can be at once.
pub const MAX_CONNECTIONS: usize = 8;

/// A database, and the connections to it. Each execution begins with [`reset`](Store::reset).
#[derive(Debug)]
pub struct Store {
    schema: String,
    engine: Engine,
    on: On,
}

#[derive(Debug)]
enum On {
    Sqlite(Sqlite),
    #[cfg(feature = "servers")]
    Postgres(Server<Postgres>),
    #[cfg(feature = "servers")]
    Mariadb(Server<Mariadb>),
}

/// Calls the same method, on whichever engine it is.
macro_rules! on {
    ($store:expr, $name:ident => $call:expr) => {
        match $store {
            On::Sqlite($name) => $call,
            #[cfg(feature = "servers")]
            On::Postgres($name) => $call,
            #[cfg(feature = "servers")]
            On::Mariadb($name) => $call,
        }
    };
}

impl Store {
    /// A new database, with that schema and what it inserts.
    ///
    /// # Errors
    ///
    /// If there is no room for it, no such server at hand, or the schema is wrong.
    pub fn open(schema: &str, engine: Engine) -> Result<Store> {
        let on = match engine {
            Engine::Sqlite | Engine::SqliteWal => On::Sqlite(Sqlite::open(schema, engine)?),
            #[cfg(feature = "servers")]
            Engine::Postgres => On::Postgres(Server::open(schema, engine)?),
            #[cfg(feature = "servers")]
            Engine::Mariadb | Engine::MariadbSnapshot => On::Mariadb(Server::open(schema, engine)?),
            #[cfg(not(feature = "servers"))]
            _ => return Err(crate::servers::none_in_this_build(engine)),
        };
        Ok(Store {
            schema: schema.to_owned(),
            engine,
            on,
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
        match on!(&mut self.on, on => on.reset())? {
            true => Ok(()),
            false => {
                let had_turn = self.has_turn().is_some();
                self.rest()?;
                *self = Store::open(&self.schema, self.engine)?;
                if had_turn {
                    self.take_turn()?;
                }
                Ok(())
            }
        }
    }

    /// Waits until no other execution uses the server, if it is on one. The turn ends with [`rest`](Store::rest).
    ///
    /// # Errors
    ///
    /// If the server is lost.
    pub fn take_turn(&mut self) -> Result<()> {
        match &mut self.on {
            On::Sqlite(_) => Ok(()),
            #[cfg(feature = "servers")]
            On::Postgres(server) => server.take_turn(),
            #[cfg(feature = "servers")]
            On::Mariadb(server) => server.take_turn(),
        }
    }

    /// The server that no other execution uses.
    pub fn has_turn(&self) -> Option<Needs> {
        let has_turn = match &self.on {
            On::Sqlite(_) => false,
            #[cfg(feature = "servers")]
            On::Postgres(server) => server.has_turn(),
            #[cfg(feature = "servers")]
            On::Mariadb(server) => server.has_turn(),
        };
        needs(self.engine).filter(|_| has_turn)
    }

    /// Ends an execution: nothing of it waits, or keeps others waiting.
    ///
    /// # Errors
    ///
    /// If the server is lost.
    pub fn rest(&mut self) -> Result<()> {
        match &mut self.on {
            // The next one rolls back what it finds.
            On::Sqlite(_) => Ok(()),
            #[cfg(feature = "servers")]
            On::Postgres(server) => server.rest(),
            #[cfg(feature = "servers")]
            On::Mariadb(server) => server.rest(),
        }
    }

    /// Runs a statement on that connection, in a check. Nobody waits here: the statement may have to.
    pub fn attempt(&mut self, connection: usize, sql: &str, params: &[Value]) -> Attempt {
        on!(&mut self.on, on => on.attempt(connection, sql, params))
    }

    /// Whether a client may have left anything in its session that outlives a transaction.
    pub fn may_have_session_state(&self) -> bool {
        match &self.on {
            On::Sqlite(_) => false,
            #[cfg(feature = "servers")]
            On::Postgres(server) => server.may_have_session_state(),
            #[cfg(feature = "servers")]
            On::Mariadb(server) => server.may_have_session_state(),
        }
    }

    /// Ends what the client of that connection has left in its session. Returns who need not wait any longer.
    ///
    /// # Errors
    ///
    /// If the server is lost.
    pub fn disconnect(&mut self, connection: usize) -> Result<Vec<usize>> {
        match &mut self.on {
            On::Sqlite(_) => {
                let _ = connection;
                Ok(Vec::new())
            }
            #[cfg(feature = "servers")]
            On::Postgres(server) => server.disconnect(connection),
            #[cfg(feature = "servers")]
            On::Mariadb(server) => server.disconnect(connection),
        }
    }

    /// What came of the statement of that connection that had to wait. `None` if it has to be tried again.
    pub fn delivered(&mut self, connection: usize) -> Option<Answer> {
        match &mut self.on {
            On::Sqlite(_) => None,
            #[cfg(feature = "servers")]
            On::Postgres(server) => server.delivered(connection),
            #[cfg(feature = "servers")]
            On::Mariadb(server) => server.delivered(connection),
        }
    }

    /// Runs a statement on that connection, and waits for locks as the engine's users usually do.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn run_waiting(&self, connection: usize, sql: &str, params: &[Value]) -> Result<Found> {
        on!(&self.on, on => on.run_waiting(connection, sql, params))
    }

    /// Whether a transaction is open on that connection.
    pub fn is_in_transaction(&self, connection: usize) -> bool {
        on!(&self.on, on => on.is_in_transaction(connection))
    }

    /// The statement that begins a transaction at that level. MariaDB needs two: they are sent at once.
    pub fn begin(&self, level: Level) -> String {
        let name = level.name();
        match self.engine {
            // Its transactions are serializable whatever is asked for.
            Engine::Sqlite | Engine::SqliteWal => "begin".to_owned(),
            Engine::Postgres => format!("begin isolation level {name}"),
            Engine::Mariadb | Engine::MariadbSnapshot => {
                format!("set transaction isolation level {name}; begin")
            }
        }
    }
}
