//! `--postgres` and `--mariadb`: the servers that programs run on which need one.

use super::args::Servers;
use anyhow::{Result, bail};
use heisenbug_catalogue::{Needs, Variant};
use std::process::ExitCode;

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
        let in_environment = std::env::var(server.variable()).ok();
        let in_environment = in_environment.filter(|address| !address.is_empty());
        let Some(wanted) = asked.clone().or(in_environment) else {
            continue;
        };
        // Without clients for servers, programs that need none run all the same.
        if !cfg!(feature = "servers") && asked.is_none() {
            continue;
        }
        let address = started.address(server, &wanted)?;
        // SAFETY: there is no other thread that could read the environment meanwhile.
        unsafe { std::env::set_var(server.variable(), address) };
    }
    Ok(started)
}

impl Started {
    /// The address of a server of that kind: one that is started, or a given one, once it has turned out that
    /// it can be used.
    #[cfg(feature = "servers")]
    fn address(&mut self, server: Needs, wanted: &str) -> Result<String> {
        use heisenbug_database::servers::{Private, try_out};
        if wanted == "private" {
            let private = Private::start(server);
            let private = private.map_err(|error| anyhow::anyhow!(error.message))?;
            let address = private.address().to_owned();
            self.private.push(private);
            return Ok(address);
        }
        try_out(server, wanted).map_err(|error| {
            let like = match server {
                Needs::Postgres => "postgresql://user:password@host/database",
                Needs::Mariadb => "mariadb://user:password@host",
            };
            let (option, why) = (server.option(), error.message);
            anyhow::anyhow!("{option}={wanted}: {why}\n\nan address is like {like}")
        })?;
        Ok(wanted.to_owned())
    }

    #[cfg(not(feature = "servers"))]
    fn address(&mut self, server: Needs, _: &str) -> Result<String> {
        bail!("this build knows no {server}: build it with `--features servers`")
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

/// For programs of which some cannot run here: why, and how many, once for each server.
pub fn skipped<'a>(variants: impl Iterator<Item = &'a Variant>) -> Vec<String> {
    let left: Vec<&Variant> = variants
        .filter(|variant| missing(variant).is_some())
        .collect();
    let of_server = |server: Needs| {
        let of = left.iter().filter(|variant| variant.needs == Some(server));
        let (count, why) = (of.clone().count(), missing(of.clone().next()?)?);
        let need = match count {
            1 => "program needs",
            _ => "programs need",
        };
        Some(format!("{why} ({count} {need} it)"))
    };
    Needs::ALL.into_iter().filter_map(of_server).collect()
}

/// # Errors
///
/// If the program needs a server that is not at hand.
pub fn need(variant: &Variant) -> Result<()> {
    match missing(variant) {
        Some(why) => bail!("{} runs on a server, and {why}", variant.name),
        None => Ok(()),
    }
}

/// At the end of a child that ran programs on real threads: what these have on servers is removed.
pub fn closed_after(exit: ExitCode) -> ExitCode {
    #[cfg(feature = "sqlite")]
    heisenbug_database::pool::close_servers();
    exit
}
