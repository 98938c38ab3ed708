//! Database servers: where they are, how they are talked to, and private ones that leave nothing behind.
//!
//! A server is *at hand* if its address is in the environment, or this process has [provided](provide) one.
//! The command line puts addresses there, for itself and for the processes it starts. No other variable is
//! looked at, so that nobody's database is used who has not said so.

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
#[cfg(feature = "servers")]
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The server that an engine runs on, if it runs on one.
pub fn needs(engine: Engine) -> Option<Needs> {
    match engine {
        Engine::Sqlite | Engine::SqliteWal | Engine::Snapshot => None,
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
    match given(server).or_else(|| provided(server)) {
        Some(address) => Ok(address),
        None => {
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

/// The private servers of this process, which end with it.
#[cfg(feature = "servers")]
static PROVIDED: Mutex<Vec<(Needs, Private)>> = Mutex::new(Vec::new());

/// Sees to it that a server is at hand as long as this process lives: starts a private one if none is.
///
/// # Errors
///
/// If none is installed, it does not start, or this build cannot talk to it.
pub fn provide(server: Needs) -> Result<()> {
    #[cfg(feature = "servers")]
    if given(server).is_none() {
        // Others who ask meanwhile wait here.
        let mut here = provided_here();
        if !here.iter().any(|(of, _)| *of == server) {
            here.push((server, Private::start(server)?));
        }
        return Ok(());
    }
    address(server).map(drop)
}

/// Does what every check does on a server, but for the check itself.
///
/// # Errors
///
/// If it cannot be reached, is too old, lets nobody write, or does not tell who waits.
#[cfg(feature = "servers")]
pub fn try_out(server: Needs, address: &str) -> Result<()> {
    match server {
        Needs::Postgres => Server::<Postgres>::try_out(address, Engine::Postgres),
        Needs::Mariadb => Server::<Mariadb>::try_out(address, Engine::Mariadb),
    }
}

/// The address in the environment.
fn given(server: Needs) -> Option<String> {
    let given = env::var(server.variable()).ok();
    given.filter(|address| !address.is_empty())
}

/// The address of the one that this process has started.
#[cfg(feature = "servers")]
fn provided(server: Needs) -> Option<String> {
    let here = provided_here();
    let (_, private) = here.iter().find(|(of, _)| *of == server)?;
    Some(private.address().to_owned())
}

#[cfg(not(feature = "servers"))]
fn provided(_: Needs) -> Option<String> {
    None
}

#[cfg(feature = "servers")]
fn provided_here() -> MutexGuard<'static, Vec<(Needs, Private)>> {
    PROVIDED.lock().unwrap_or_else(PoisonError::into_inner)
}
