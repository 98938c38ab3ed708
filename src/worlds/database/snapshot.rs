//! The snapshot engine: keys and values in memory, with snapshots as the papers have them (crate `surrealmx`).
//!
//! Nobody ever waits: what two transactions may not both do, the commit of the second one refuses.

use crate::commands::{Access, Command};
use crate::store::Database;
use crate::{Attempt, Error, Found, Kind, Level, MAX_CONNECTIONS, Result, Row, Rows, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use surrealmx::{DatabaseOptions, Transaction};

/// After how many commits the engine forgets what no transaction needs any longer. It would do that in a
/// thread of its own, and an execution has no such company. Well below what it can keep, 65,536 commits.
const TIDY: u64 = 4_096;

/// A store of keys, and the connections to it.
pub struct Snapshot {
    database: surrealmx::Database,
    /// What the schema sets.
    first: BTreeMap<String, Value>,
    connections: Vec<Mutex<Session>>,
    commits: AtomicU64,
}

/// A connection between two commands.
#[derive(Default)]
enum Session {
    /// Each command is a transaction by itself.
    #[default]
    Idle,
    /// A transaction has begun, and takes its snapshot with its first command.
    Begun(Level),
    /// A transaction has its snapshot. In a box: it is large, and most connections have none.
    Has(Box<Transaction>),
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Snapshot {
    /// A new store, with what the lines of the schema set.
    ///
    /// # Errors
    ///
    /// If a line is none of `set`.
    pub fn open(schema: &str) -> Result<Snapshot> {
        let options = DatabaseOptions::default().with_all_workers_disabled();
        Ok(Snapshot {
            database: surrealmx::Database::new_with_options(options),
            first: first(schema)?,
            connections: (0..MAX_CONNECTIONS).map(|_| Mutex::default()).collect(),
            commits: AtomicU64::new(0),
        })
    }

    fn run(&self, connection: usize, text: &str, params: &[Value]) -> Result<Found> {
        let command = Command::read(text, params)?;
        let mut session = self.session(connection);
        match (command, std::mem::take(&mut *session)) {
            (Command::Of(access), Session::Idle) => return self.alone(&access),
            (Command::Of(access), begun) => {
                let mut transaction = match begun {
                    Session::Has(transaction) => transaction,
                    Session::Begun(level) => Box::new(self.transaction(level)),
                    Session::Idle => unreachable!("that was the case before"),
                };
                let found = access.run(&mut transaction);
                *session = Session::Has(transaction);
                return found;
            }
            (Command::Begin(level), Session::Idle) => *session = Session::Begun(level),
            (Command::Begin(_), open) => {
                *session = open;
                return Err(wrong("a transaction has begun already"));
            }
            (Command::Commit | Command::Rollback, Session::Idle) => {
                return Err(wrong("no transaction has begun"));
            }
            (Command::Commit, Session::Has(transaction)) => self.commit(*transaction)?,
            // To drop a transaction is to roll it back.
            (Command::Commit | Command::Rollback, _) => {}
        }
        Ok(Found::default())
    }

    /// Runs a command that is a transaction by itself. It has decided nothing by what it read, so that it
    /// comes after whichever transaction was quicker on another thread.
    fn alone(&self, access: &Access) -> Result<Found> {
        loop {
            let mut transaction = self.transaction(Level::RepeatableRead);
            let found = access.run(&mut transaction)?;
            match self.commit(transaction) {
                Err(refused) if refused.kind == Kind::Conflict => {}
                committed => return committed.map(|()| found),
            }
        }
    }

    /// A transaction that takes its snapshot now.
    fn transaction(&self, level: Level) -> Transaction {
        let transaction = self.database.transaction(true);
        match level {
            Level::Serializable => transaction.with_serializable_snapshot_isolation(),
            _ => transaction.with_snapshot_isolation(),
        }
    }

    fn commit(&self, mut transaction: Transaction) -> Result<()> {
        let committed = transaction.commit();
        drop(transaction);
        if self.commits.fetch_add(1, Relaxed) % TIDY == TIDY - 1 {
            self.tidy();
        }
        Ok(committed?)
    }

    /// Forgets what no transaction needs any longer.
    fn tidy(&self) {
        self.database.run_cleanup();
        self.database.run_gc_tracked();
    }

    /// Each connection has one user at a time; one that panicked has left the engine as it was.
    fn session(&self, connection: usize) -> MutexGuard<'_, Session> {
        let session = self.connections[connection].lock();
        session.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Database for Snapshot {
    /// One transaction brings all keys back. A new engine would do, too, and take far longer.
    fn reset(&mut self) -> Result<bool> {
        for connection in 0..MAX_CONNECTIONS {
            *self.session(connection) = Session::Idle;
        }
        let mut transaction = self.transaction(Level::RepeatableRead);
        for (key, _) in in_order(&transaction, "")? {
            if !self.first.contains_key(&key) {
                transaction.del(key)?;
            }
        }
        for (key, value) in &self.first {
            transaction.set(key, to_bytes(value))?;
        }
        self.commit(transaction)?;
        self.tidy();
        Ok(true)
    }

    fn attempt(&mut self, connection: usize, text: &str, params: &[Value]) -> Attempt {
        Attempt {
            answer: self.run(connection, text, params).into(),
            woken: Vec::new(),
        }
    }

    fn run_waiting(&self, connection: usize, text: &str, params: &[Value]) -> Result<Found> {
        self.run(connection, text, params)
    }

    fn is_in_transaction(&self, connection: usize) -> bool {
        !matches!(*self.session(connection), Session::Idle)
    }
}

impl Access {
    fn run(&self, transaction: &mut Transaction) -> Result<Found> {
        let mut found = Found::default();
        match self {
            Access::Get(key) => {
                let value = transaction.get(key)?;
                let row = value.map(|value| Row(vec![from_bytes(&value)]));
                found.rows = Rows(row.into_iter().collect());
            }
            Access::Set(key, value) => {
                transaction.set(key, to_bytes(value))?;
                found.changed = 1;
            }
            // To say whether it was there is to read it.
            Access::Delete(key) => {
                if transaction.exists(key)? {
                    transaction.del(key)?;
                    found.changed = 1;
                }
            }
            Access::Scan(prefix) => {
                let row = |(key, value)| Row(vec![Value::Text(key), value]);
                found.rows = Rows(
                    in_order(transaction, prefix)?
                        .into_iter()
                        .map(row)
                        .collect(),
                );
            }
        }
        Ok(found)
    }
}

/// The keys that begin so, and their values.
fn in_order(transaction: &Transaction, prefix: &str) -> Result<Vec<(String, Value)>> {
    // No key has a character as high as this one.
    let range = prefix.to_owned()..format!("{prefix}\u{7f}");
    let found = transaction.scan(range, None, None)?;
    let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    let pairs = { found.iter() }.map(|(key, value)| (text(key), from_bytes(value)));
    Ok(pairs.collect())
}

/// What the lines of a schema set.
fn first(schema: &str) -> Result<BTreeMap<String, Value>> {
    let mut first = BTreeMap::new();
    for line in schema.lines().filter(|line| !line.trim().is_empty()) {
        match Command::read(line, &[])? {
            Command::Of(Access::Set(key, value)) => first.insert(key, value),
            _ => {
                let message = format!("`{}`: a schema has lines of `set` only", line.trim());
                return Err(wrong(&message));
            }
        };
    }
    Ok(first)
}

fn wrong(message: &str) -> Error {
    Error::new(Kind::Other, "NO_COMMAND", message)
}

/// The engine's keys and values are bytes: the first one of a value tells its type.
fn to_bytes(value: &Value) -> Vec<u8> {
    let (of, bytes) = match value {
        Value::Null => (b'n', Vec::new()),
        Value::Integer(number) => (b'i', number.to_be_bytes().to_vec()),
        Value::Real(number) => (b'r', number.to_be_bytes().to_vec()),
        Value::Text(text) => (b't', text.as_bytes().to_vec()),
        Value::Blob(bytes) => (b'b', bytes.clone()),
    };
    [vec![of], bytes].concat()
}

fn from_bytes(bytes: &[u8]) -> Value {
    let rest = bytes.get(1..).unwrap_or_default();
    let eight = || rest.try_into().unwrap_or_default();
    match bytes.first() {
        Some(b'i') => Value::Integer(i64::from_be_bytes(eight())),
        Some(b'r') => Value::Real(f64::from_be_bytes(eight())),
        Some(b't') => Value::Text(String::from_utf8_lossy(rest).into_owned()),
        Some(b'b') => Value::Blob(rest.to_vec()),
        _ => Value::Null,
    }
}

impl From<surrealmx::Error> for Error {
    fn from(error: surrealmx::Error) -> Error {
        use surrealmx::Error::{DatabasePoisoned, KeyReadConflict, KeyWriteConflict, MemoryLimit};
        let (kind, code) = match error {
            KeyReadConflict => (Kind::Conflict, "KeyReadConflict"),
            KeyWriteConflict => (Kind::Conflict, "KeyWriteConflict"),
            DatabasePoisoned(_) | MemoryLimit => (Kind::Machine, "NO_DATABASE"),
            _ => (Kind::Other, "SNAPSHOT_ERROR"),
        };
        Error::new(kind, code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(schema: &str) -> Snapshot {
        let mut store = Snapshot::open(schema).unwrap();
        store.reset().unwrap();
        store
    }

    fn run(store: &Snapshot, connection: usize, text: &str) -> String {
        match store.run(connection, text, &[]) {
            Ok(found) => found.rows.to_string(),
            Err(error) => error.code,
        }
    }

    /// Two transactions that read both keys, and then set one each: what their commits come to.
    fn crossed(level: &str, keys: [&str; 2]) -> [String; 2] {
        let store = store("set a 1\nset b 1");
        for me in [0, 1] {
            run(&store, me, &format!("begin {level}"));
            run(&store, me, "get a");
            run(&store, me, "scan b");
        }
        for me in [0, 1] {
            run(&store, me, &format!("set {} 0", keys[me]));
        }
        [0, 1].map(|me| run(&store, me, "commit"))
    }

    #[test]
    fn a_snapshot_refuses_a_second_write_and_no_read() {
        let fine = "no row".to_owned();
        let refused = "KeyWriteConflict".to_owned();
        assert_eq!(crossed("", ["a", "a"]), [fine.clone(), refused]);
        assert_eq!(crossed("", ["a", "b"]), [fine.clone(), fine]);
    }

    #[test]
    fn a_serializable_transaction_is_refused_if_what_it_read_has_changed() {
        let fine = "no row".to_owned();
        let refused = "KeyReadConflict".to_owned();
        assert_eq!(crossed("serializable", ["a", "b"]), [fine, refused]);
    }

    #[test]
    fn a_refused_commit_ends_its_transaction() {
        let store = store("");
        for me in [0, 1] {
            run(&store, me, "begin");
            run(&store, me, "set a 1");
        }
        run(&store, 0, "commit");
        assert_eq!(run(&store, 1, "commit"), "KeyWriteConflict");
        assert!(!store.is_in_transaction(1));
        assert_eq!(run(&store, 1, "rollback"), "NO_COMMAND");
    }

    #[test]
    fn a_snapshot_is_taken_by_the_first_command() {
        let store = store("set a 1");
        run(&store, 0, "begin");
        run(&store, 1, "set a 2");
        assert_eq!(run(&store, 0, "get a"), "2");
        run(&store, 1, "set a 3");
        assert_eq!(run(&store, 0, "get a"), "2");
    }

    #[test]
    fn a_reset_brings_back_what_the_schema_set_and_nothing_else() {
        let mut store = store("set a 1\n\n set b 'x y'\n");
        for command in ["set a 2", "delete b", "set c 3", "begin", "set d 4"] {
            run(&store, 0, command);
        }
        store.reset().unwrap();
        assert_eq!(run(&store, 0, "scan a"), "('a', 1)");
        assert_eq!(run(&store, 0, "scan b"), "('b', 'x y')");
        assert_eq!(run(&store, 0, "get c"), "no row");
        assert_eq!(run(&store, 0, "get d"), "no row");
        assert!(!store.is_in_transaction(0));
    }

    #[test]
    fn values_come_back_as_they_were() {
        let store = store("");
        let values = [
            1_i64.into(),
            0.5.into(),
            "it's".into(),
            vec![0_u8, 255].into(),
            Value::Null,
        ];
        for value in values {
            store
                .run(0, "set a ?", std::slice::from_ref(&value))
                .unwrap();
            let found = store.run(0, "get a", &[]).unwrap();
            assert_eq!(found.rows.value::<Value>(), value);
        }
    }

    #[test]
    fn more_commits_than_the_engine_keeps_refuse_nobody() {
        let store = store("set a 0");
        for _ in 0..70_000 {
            store.run(0, "set a 1", &[]).unwrap();
        }
        run(&store, 1, "begin");
        run(&store, 1, "set a 2");
        assert_eq!(run(&store, 1, "commit"), "no row");
    }

    #[test]
    fn a_schema_sets_and_does_nothing_else() {
        let why = Snapshot::open("set a 1\nget a").unwrap_err().message;
        assert_eq!(why, "`get a`: a schema has lines of `set` only");
    }
}
