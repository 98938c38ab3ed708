//! `--postgres` and `--mariadb`: the servers that programs run on which need one.

use super::args::Servers;
use anyhow::{Result, bail};
use heisenbug_catalogue::{Needs, Variant};

/// The servers that were started for this command. They end when this is dropped, or with this process.
#[derive(Default)]
pub struct Started {
    #[cfg(feature = "servers")]
    private: Vec<heisenbug_database::servers::Private>,
}

/// Starts what is asked for without a URL, and puts all addresses where this process and its children find
/// them. To be called while the process has one thread.
///
/// # Errors
///
/// If a server cannot be started, or this build cannot talk to it.
pub fn start(args: Option<&Servers>) -> Result<Started> {
    let mut started = Started::default();
    let Some(args) = args else {
        return Ok(started);
    };
    for (server, asked) in [
        (Needs::Postgres, &args.postgres),
        (Needs::Mariadb, &args.mariadb),
    ] {
        let address = match asked.as_deref() {
            None => continue,
            _ if !cfg!(feature = "servers") => {
                bail!("this build knows no {server}: build it with `--features servers`")
            }
            Some("") => started.private(server)?,
            Some(url) => url.to_owned(),
        };
        // SAFETY: there is no other thread that could read the environment meanwhile.
        unsafe { std::env::set_var(server.variable(), address) };
    }
    Ok(started)
}

impl Started {
    /// Starts one, and returns its address.
    #[cfg(feature = "servers")]
    fn private(&mut self, server: Needs) -> Result<String> {
        let private = heisenbug_database::servers::Private::start(server);
        let private = private.map_err(|error| anyhow::anyhow!(error.message))?;
        let address = private.address().to_owned();
        self.private.push(private);
        Ok(address)
    }

    #[cfg(not(feature = "servers"))]
    fn private(&mut self, server: Needs) -> Result<String> {
        bail!("this build knows no {server}")
    }
}

/// Why a program cannot run here, if it needs a server that is not at hand.
pub fn missing(variant: &Variant) -> Option<String> {
    let server = variant.needs?;
    #[cfg(feature = "sqlite")]
    return heisenbug_database::servers::address(server)
        .err()
        .map(|error| error.message);
    #[cfg(not(feature = "sqlite"))]
    Some(format!("this build knows no {server}"))
}
