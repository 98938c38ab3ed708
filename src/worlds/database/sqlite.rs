//! SQLite: one database file, several connections to it, and a way back to its first state.

use crate::sql::{beginning, first_word, is_undone_by_reset};
use crate::store::Database;
use crate::{
    Answer, Attempt, Engine, Error, Found, Kind, MAX_CONNECTIONS, Result, Row, Rows, Value,
};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, TransactionState, params_from_iter};
use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 64;

/// How often a statement on a real thread looks again for a lock: at first as soon as others have run, then
/// after a pause. SQLite's usual time-out is the product.
const LOOKS: i32 = 5_000;
const QUICK_LOOKS: i32 = 200;
const PAUSE: Duration = Duration::from_millis(1);

thread_local! {
    /// Whether the statement that runs has found a lock taken for which it could wait.
    static COULD_WAIT: Cell<bool> = const { Cell::new(false) };
    /// Whether it does wait.
    static WAITS: Cell<bool> = const { Cell::new(false) };
}

/// A database file, and the connections to it.
///
/// All of them are opened before the file loses its name, so that nothing is left behind however the
/// process ends.
#[derive(Debug)]
pub struct Sqlite {
    connections: Vec<Mutex<Connection>>,
    control: Mutex<Connection>,
    /// What brings the tables back to what the schema filled them with.
    reset: String,
    /// What the schema was when it was made.
    schema_version: i64,
    /// Whether a statement was run that `reset` does not undo.
    changed_schema: AtomicBool,
    /// The connections whose statements wait.
    waiting: Vec<usize>,
}

impl Sqlite {
    /// A new database, with that schema and what it inserts.
    ///
    /// # Errors
    ///
    /// If there is no room for its file, or the schema is wrong.
    pub fn open(schema: &str, engine: Engine) -> Result<Sqlite> {
        let failed = |error: std::io::Error| {
            let message = format!("cannot make a folder for the database: {error}");
            Error::new(Kind::Machine, "SQLITE_CANTOPEN", message)
        };
        let folder = tempfile::Builder::new().prefix("heisenbug-").tempdir();
        let folder = folder.map_err(failed)?;
        let path = folder.path().join("database");
        let control = connect(&path, engine)?;
        if let Some(refused) = refused(&schema.to_ascii_lowercase()) {
            return Err(refused);
        }
        control.execute_batch(schema)?;
        // What brings the tables back is no part of the program: it fires no triggers, and checks nothing.
        control.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        control.pragma_update(None, "foreign_keys", "off")?;
        let reset = reset_script(&control)?;
        bring_back(&control, &reset)?;
        let schema_version = schema_version(&control)?;
        let connections: Result<Vec<Mutex<Connection>>> = (0..MAX_CONNECTIONS)
            .map(|_| {
                let mut connection = connect(&path, engine)?;
                // The log is opened by the first look, and has to be before its name is gone.
                connection.query_row("select count(*) from sqlite_master", [], |_| Ok(()))?;
                connection.busy_handler(Some(could_wait))?;
                Ok(Mutex::new(connection))
            })
            .collect();
        Ok(Sqlite {
            connections: connections?,
            control: Mutex::new(control),
            reset,
            schema_version,
            changed_schema: AtomicBool::new(false),
            waiting: Vec::new(),
        })
    }

    /// The other connections that hold a lock.
    fn holders(&self, me: usize) -> Vec<usize> {
        let state = |other: usize| self.state(other);
        let others = || (0..self.connections.len()).filter(move |&other| other != me);
        let writers: Vec<usize> = others()
            .filter(|&other| state(other) == TransactionState::Write)
            .collect();
        match writers.is_empty() {
            // It writes itself, and waits for those who read.
            true => others().filter(|&other| self.holds(other)).collect(),
            false => writers,
        }
    }

    fn holds(&self, connection: usize) -> bool {
        self.state(connection) != TransactionState::None
    }

    fn state(&self, connection: usize) -> TransactionState {
        let state = locked(&self.connections[connection]).transaction_state::<&str>(None);
        state.unwrap_or(TransactionState::None)
    }

    fn run(&self, connection: usize, sql: &str, params: &[Value]) -> Result<Found> {
        let lower = sql.to_ascii_lowercase();
        if let Some(refused) = refused(&lower) {
            return Err(refused);
        }
        if beginning(&lower).starts_with("pragma busy_timeout") {
            // How long a statement waits is not for a check to say.
            return Ok(Found::default());
        }
        if !is_undone_by_reset(&first_word(sql)) {
            self.changed_schema.store(true, Relaxed);
        }
        let connection = locked(&self.connections[connection]);
        let mut statement = connection.prepare_cached(sql)?;
        let params = params_from_iter(params);
        let columns = statement.column_count();
        if columns == 0 {
            return Ok(Found {
                rows: Rows::default(),
                changed: statement.execute(params)? as u64,
            });
        }
        let mut found = statement.query(params)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let values: rusqlite::Result<_> = (0..columns).map(|column| row.get(column)).collect();
            rows.push(Row(values?));
        }
        drop(found);
        let changed = match statement.readonly() {
            true => 0,
            false => connection.changes(),
        };
        Ok(Found {
            rows: Rows(rows),
            changed,
        })
    }
}

impl Database for Sqlite {
    fn reset(&mut self) -> Result<bool> {
        self.waiting.clear();
        for connection in &self.connections {
            let connection = locked(connection);
            if !connection.is_autocommit() {
                connection.execute_batch("rollback")?;
            }
            forget_last_row(&connection);
        }
        let control = locked(&self.control);
        if self.changed_schema.load(Relaxed) || schema_version(&control)? != self.schema_version {
            return Ok(false);
        }
        bring_back(&control, &self.reset)?;
        Ok(true)
    }

    /// One that would have to wait has done nothing, and is tried again when a transaction that held locks
    /// has ended.
    fn attempt(&mut self, connection: usize, sql: &str, params: &[Value]) -> Attempt {
        let before = self.holds(connection);
        COULD_WAIT.set(false);
        let answer = match self.run(connection, sql, params) {
            Err(error) if error.kind == Kind::Busy && COULD_WAIT.get() => {
                self.waiting.push(connection);
                Answer::Waits {
                    held_by: self.holders(connection),
                }
            }
            result => result.into(),
        };
        let woken = match before && !self.holds(connection) {
            true => std::mem::take(&mut self.waiting),
            false => Vec::new(),
        };
        Attempt { answer, woken }
    }

    fn run_waiting(&self, connection: usize, sql: &str, params: &[Value]) -> Result<Found> {
        WAITS.set(true);
        let answer = self.run(connection, sql, params);
        WAITS.set(false);
        answer
    }

    fn is_in_transaction(&self, connection: usize) -> bool {
        !locked(&self.connections[connection]).is_autocommit()
    }
}

/// SQLite calls this where it could wait for a lock, and not where that could never end. The statement
/// fails then, having done nothing, unless it waits: by looking again, which is all that SQLite does.
fn could_wait(times: i32) -> bool {
    COULD_WAIT.set(true);
    let looks_again = WAITS.get() && times < LOOKS;
    match times < QUICK_LOOKS {
        _ if !looks_again => {}
        true => thread::yield_now(),
        false => thread::sleep(PAUSE),
    }
    looks_again
}

/// Each connection has one user at a time; one that panicked has left SQLite as it was.
fn locked(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path, engine: Engine) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    // There is this one file, and no program writes another one.
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", journal_mode(engine))?;
    // No check pulls a plug, and syncing would take most of its time.
    connection.pragma_update(None, "synchronous", "off")?;
    Ok(connection)
}

/// The name in `pragma journal_mode`. A rollback journal is kept in memory: the checks do not crash, and the
/// locks are the same.
fn journal_mode(engine: Engine) -> &'static str {
    match engine {
        Engine::SqliteWal => "wal",
        _ => "memory",
    }
}

/// Why a statement, in lower case, cannot be had in a program, if it cannot.
fn refused(sql: &str) -> Option<Error> {
    let refused = |message| Some(Error::new(Kind::Other, "REFUSED", message));
    if sql.contains("journal_mode") {
        return refused("the journal is chosen by `Database::on`, for all connections");
    }
    if sql.contains("total_changes") {
        return refused(
            "`total_changes` counts what other executions did on the same connection, too",
        );
    }
    None
}

/// A count that grows with every change of the schema, by whichever connection.
fn schema_version(connection: &Connection) -> Result<i64> {
    Ok(connection.pragma_query_value(None, "schema_version", |row| row.get(0))?)
}

/// A connection begins without a last inserted row, as if it had just been opened.
fn forget_last_row(connection: &Connection) {
    // SAFETY: the handle is that of an open connection, which this thread has for itself.
    unsafe { rusqlite::ffi::sqlite3_set_last_insert_rowid(connection.handle(), 0) };
}

/// Empties the tables, and fills them as the schema did.
fn bring_back(control: &Connection, script: &str) -> Result<()> {
    control.execute_batch(script).map_err(|error| {
        let message = format!("its tables cannot be brought back to their beginning: {error}");
        Error::new(Kind::Machine, "SQLITE_ERROR", message)
    })
}

/// The statements that empty all tables and fill them with what is in them now.
///
/// Quicker than any other way back: the schema stays as it is, so that prepared statements do, too.
fn reset_script(connection: &Connection) -> Result<String> {
    let mut names = connection.prepare(
        "select name from sqlite_master where type = 'table' and sql not like 'create virtual%'",
    )?;
    let names: rusqlite::Result<Vec<String>> = names.query_map([], |row| row.get(0))?.collect();
    let mut script = String::from("begin immediate;\n");
    for name in names? {
        let table = quoted(&name);
        script.push_str(&format!("delete from {table};\n"));
        let columns = columns(connection, &name)?.join(", ");
        let mut all = connection.prepare(&format!("select {columns} from {table}"))?;
        let number = all.column_count();
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let values: rusqlite::Result<Vec<Value>> =
                (0..number).map(|column| row.get(column)).collect();
            let values: Vec<String> = values?.iter().map(Value::to_string).collect();
            let values = values.join(", ");
            script.push_str(&format!(
                "insert into {table} ({columns}) values ({values});\n"
            ));
        }
    }
    script.push_str("commit;\n");
    Ok(script)
}

/// The columns of a table that can be written, and its row number, where that is no column.
fn columns(connection: &Connection, table: &str) -> Result<Vec<String>> {
    let mut all = connection.prepare("select name, hidden, pk, type from pragma_table_xinfo(?)")?;
    let mut rows = all.query([table])?;
    let mut columns = Vec::new();
    let mut has_number = false;
    while let Some(row) = rows.next()? {
        let (name, hidden): (String, i64) = (row.get(0)?, row.get(1)?);
        let (key, of_type): (i64, String) = (row.get(2)?, row.get(3)?);
        has_number |= key > 0 && of_type.eq_ignore_ascii_case("integer") || name == "rowid";
        // 2 and 3 are computed by the engine.
        if hidden == 0 {
            columns.push(quoted(&name));
        }
    }
    let number = format!("select rowid from {} limit 0", quoted(table));
    if !has_number && connection.prepare(&number).is_ok() {
        columns.push("rowid".to_owned());
    }
    Ok(columns)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Real(value) => ValueRef::Real(*value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl rusqlite::types::FromSql for Value {
    fn column_result(
        value: rusqlite::types::ValueRef<'_>,
    ) -> rusqlite::types::FromSqlResult<Value> {
        use rusqlite::types::ValueRef;
        Ok(match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Integer(value),
            ValueRef::Real(value) => Value::Real(value),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_owned()),
        })
    }
}
