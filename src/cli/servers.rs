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

/// Why a program cannot run here, if it needs a server that is not at hand, or an engine that is not in this
/// build.
pub fn missing(variant: &Variant) -> Option<String> {
    #[cfg(feature = "sqlite")]
    return heisenbug_database::at_hand(variant)
        .err()
        .map(|error| error.message);
    // The programs on databases are not in it.
    #[cfg(not(feature = "sqlite"))]
    { variant.needs }.map(|server| format!("this build knows no {server}"))
}

/// For programs of which some cannot run here: why, and how many, once for each server or engine.
pub fn skipped<'a>(variants: impl Iterator<Item = &'a Variant>) -> Vec<String> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for why in variants.filter_map(missing) {
        match counts.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => counts.push((why, 1)),
        }
    }
    let told = |(why, count): (String, usize)| match count {
        1 => format!("{why} (1 program needs it)"),
        _ => format!("{why} ({count} programs need it)"),
    };
    counts.into_iter().map(told).collect()
}

/// # Errors
///
/// If the program needs a server that is not at hand, or an engine that is not in this build.
pub fn need(variant: &Variant) -> Result<()> {
    match (missing(variant), variant.feature) {
        (Some(why), Some(_)) => bail!("{}: {why}", variant.name),
        (Some(why), None) => bail!("{} runs on a server, and {why}", variant.name),
        (None, _) => Ok(()),
    }
}

/// At the end of a child that ran programs on real threads: what these have on servers is removed.
pub fn closed_after(exit: ExitCode) -> ExitCode {
    #[cfg(feature = "sqlite")]
    heisenbug_database::pool::close_servers();
    exit
}
