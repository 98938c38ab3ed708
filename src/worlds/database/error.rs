//! Why a statement failed.

use std::fmt;

/// What kind of failure it is: whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Somebody else held a lock until the time was up, or waiting for it could only end in a deadlock.
    Busy,
    /// The transaction conflicts with another one that has committed: roll back and begin anew.
    Conflict,
    /// It waited for a transaction that waited for it, and was chosen to end that: roll back and begin anew.
    Deadlock,
    /// A constraint of the schema forbids the change.
    Constraint,
    /// The machine has no room for the database, or does not let it be written: no fault of the program.
    Machine,
    /// Anything else, such as a mistake in the SQL.
    Other,
}

/// Why a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure it is.
    pub kind: Kind,
    /// The engine's own name of it, such as `SQLITE_BUSY`, or its number: `40001`.
    pub code: String,
    /// The engine's message.
    pub message: String,
}

impl Error {
    pub(crate) fn new(kind: Kind, code: &str, message: impl Into<String>) -> Error {
        Error {
            kind,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// Whether the same transaction may go through if it is tried again from its beginning.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, Kind::Busy | Kind::Conflict | Kind::Deadlock)
    }

    /// The engine's name of it, with a word if that is a number.
    pub fn name(&self) -> String {
        let word = match self.kind {
            Kind::Busy => "busy",
            Kind::Conflict => "conflict",
            Kind::Deadlock => "deadlock",
            Kind::Constraint => "constraint",
            Kind::Machine | Kind::Other => "",
        };
        match self.code.starts_with(|c: char| c.is_ascii_digit()) && !word.is_empty() {
            true => format!("{} ({word})", self.code),
            false => self.code.clone(),
        }
    }

    /// Whether a constraint of the schema forbids the change.
    pub fn is_constraint(&self) -> bool {
        self.kind == Kind::Constraint
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode::{
            CannotOpen, ConstraintViolation, DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly,
            SystemIoFailure,
        };
        let rusqlite::Error::SqliteFailure(failure, message) = &error else {
            return Error::new(Kind::Other, "SQLITE_ERROR", error.to_string());
        };
        let kind = match failure.code {
            _ if failure.extended_code == rusqlite::ffi::SQLITE_BUSY_SNAPSHOT => Kind::Conflict,
            DatabaseBusy | DatabaseLocked => Kind::Busy,
            ConstraintViolation => Kind::Constraint,
            CannotOpen | DiskFull | ReadOnly | SystemIoFailure => Kind::Machine,
            _ => Kind::Other,
        };
        let text = || rusqlite::ffi::code_to_str(failure.extended_code).to_owned();
        Error::new(
            kind,
            name(failure.extended_code),
            message.clone().unwrap_or_else(text),
        )
    }
}

/// SQLite's name of an error: of those that transactions run into.
fn name(extended_code: i32) -> &'static str {
    use rusqlite::ffi;
    match extended_code {
        ffi::SQLITE_BUSY => "SQLITE_BUSY",
        ffi::SQLITE_BUSY_SNAPSHOT => "SQLITE_BUSY_SNAPSHOT",
        ffi::SQLITE_BUSY_RECOVERY => "SQLITE_BUSY_RECOVERY",
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
        ffi::SQLITE_FULL => "SQLITE_FULL",
        ffi::SQLITE_IOERR => "SQLITE_IOERR",
        ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
        ffi::SQLITE_READONLY => "SQLITE_READONLY",
        _ => "SQLITE_ERROR",
    }
}
