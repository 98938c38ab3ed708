//! Database servers: where they are, how they are talked to, and private ones that leave nothing behind.
//!
//! A server is *at hand* if its address is in the environment: the command line puts it there, for itself and
//! for the processes it starts. No other variable is looked at, so that nobody's database is used who has
//! not said so.

#[cfg(feature = "servers")]
mod mariadb;
#[cfg(feature = "servers")]
mod postgres;
#[cfg(feature = "servers")]
mod private;
#[cfg(feature = "servers")]
mod server;

#[cfg(feature = "servers")]
pub use mariadb::Mariadb;
#[cfg(feature = "servers")]
pub use postgres::Postgres;
#[cfg(feature = "servers")]
pub use private::Private;
#[cfg(feature = "servers")]
pub use server::Server;

use crate::{Engine, Error, Kind, Result};
use heisenbug_catalogue::Needs;
use std::env;

/// The server that an engine runs on, if it runs on one.
pub fn needs(engine: Engine) -> Option<Needs> {
    match engine {
        Engine::Sqlite | Engine::SqliteWal => None,
        Engine::Postgres => Some(Needs::Postgres),
        Engine::Mariadb | Engine::MariadbSnapshot => Some(Needs::Mariadb),
    }
}

/// The address of a server.
///
/// # Errors
///
/// If none was given, or this build cannot talk to it.
pub fn address(server: Needs) -> Result<String> {
    let name = server.name();
    if !cfg!(feature = "servers") {
        let message = format!("this build knows no {name}: build it with `--features servers`");
        return Err(Error::new(Kind::Machine, "NO_SERVER", message));
    }
    match env::var(server.variable()) {
        Ok(address) if !address.is_empty() => Ok(address),
        _ => {
            let message = format!(
                "no {name} is at hand: `{option}` starts a private one from what is installed, and \
                 `{option}=URL` or {variable} names one that runs",
                option = server.option(),
                variable = server.variable()
            );
            Err(Error::new(Kind::Machine, "NO_SERVER", message))
        }
    }
}

/// The error of a build without clients for servers.
#[cfg(not(feature = "servers"))]
pub(crate) fn none_in_this_build(engine: Engine) -> Error {
    let refused = needs(engine).map(address);
    let refused = refused.expect("an embedded engine is in every build");
    refused.expect_err("this build can talk to no server")
}
