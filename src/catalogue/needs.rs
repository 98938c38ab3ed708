//! What a program needs besides this one process.

use std::fmt;

/// A server that a program runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Needs {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    Mariadb,
}

impl Needs {
    /// All of them.
    pub const ALL: [Needs; 2] = [Needs::Postgres, Needs::Mariadb];

    /// What it calls itself.
    pub fn name(self) -> &'static str {
        match self {
            Needs::Postgres => "PostgreSQL",
            Needs::Mariadb => "MariaDB",
        }
    }

    /// Its name on the command line, in lower case.
    pub fn command(self) -> &'static str {
        match self {
            Needs::Postgres => "postgres",
            Needs::Mariadb => "mariadb",
        }
    }

    /// The option that names one, or starts one.
    pub fn option(self) -> &'static str {
        match self {
            Needs::Postgres => "--postgres",
            Needs::Mariadb => "--mariadb",
        }
    }

    /// The variable of the environment that names one.
    pub fn variable(self) -> &'static str {
        match self {
            Needs::Postgres => "HEISENBUG_POSTGRES",
            Needs::Mariadb => "HEISENBUG_MARIADB",
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
