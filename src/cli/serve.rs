//! `heisenbug serve`: machines for real, each in a terminal of its own.

use super::args::Serve;
use super::stress::live;
use super::{Exit, lookup, output};
use anyhow::{Result, bail};
use clap::Parser;
use heisenbug_catalogue::{Bug, Grade, Scale, Variant};
use heisenbug_explain::wrap;
use heisenbug_stress::{self as stress, MACHINE_COMMAND, Started};
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

/// The hidden command of a machine that a hub has started.
pub const COMMAND: &str = MACHINE_COMMAND;

/// How often a machine looks whether it was interrupted.
const TICK: Duration = Duration::from_millis(20);

#[derive(Parser)]
struct Child {
    name: String,
    #[arg(long)]
    machine: String,
    #[arg(long)]
    life: u32,
    #[arg(long)]
    hub: SocketAddr,
    #[arg(long)]
    folder: PathBuf,
}

/// Is the hub or a machine of a program. 0 if the outcome of the run is acceptable, 1 if it is not.
pub fn run(args: &Serve) -> Result<Exit> {
    let (bug, variant) = program(&args.name)?;
    if let Some(machine) = &args.machine {
        end_when_interrupted();
        stress::serve_machine(variant, machine, args.port);
    }
    let command = format!("heisenbug serve {}/{}", bug.name, variant.name);
    let port = match args.port {
        stress::PORT => String::new(),
        port => format!(" --port {port}"),
    };
    let usage = format!(
        "Start each machine in a terminal of its own: `{command}{port} --machine NAME`. Ctrl-C there is a crash; start it \
         again. Messages are late, lost and doubled here, as often as the program allows."
    );
    output::print(&wrap(&usage, output::text_width(), ""))?;
    // What the panic says is told below.
    panic::set_hook(Box::new(|_| {}));
    let interrupted = heisenbug_check::interrupted;
    let label = panic::catch_unwind(AssertUnwindSafe(|| {
        stress::serve(variant, args.port, interrupted)
    }));
    if interrupted() {
        return Ok(Exit::Interrupted);
    }
    let label = match label {
        Ok(label) => label,
        Err(message) => match message.downcast_ref::<String>() {
            Some(message) if message.starts_with("cannot listen") => bail!("{message}; see --port"),
            Some(message) if message.starts_with("cannot make") => bail!("{message}"),
            Some(message) => format!("panic: {message}"),
            None => "panic".to_owned(),
        },
    };
    let outcome = bug.outcome(&label);
    let grade = outcome.map_or(Grade::Forbidden, |outcome| outcome.grade);
    let why = outcome.map_or(String::new(), |outcome| format!(": {}", outcome.reason));
    output::print(&format!("The outcome is \"{label}\"{why}"))?;
    Ok(match grade {
        Grade::Forbidden => Exit::Bad,
        _ => Exit::Good,
    })
}

/// Ends this process at Ctrl-C, whatever the machine waits for: that is a crash.
fn end_when_interrupted() {
    thread::spawn(|| {
        while !heisenbug_check::interrupted() {
            thread::sleep(TICK);
        }
        process::exit(Exit::Interrupted as i32)
    });
}

/// Is a machine that a hub has started.
pub fn child(args: &[String]) -> ExitCode {
    let words = std::iter::once(COMMAND).chain(args.iter().map(String::as_str));
    let parsed = Child::try_parse_from(words).map_err(anyhow::Error::from);
    let found = parsed.and_then(|child| Ok((program(&child.name)?.1, child)));
    match found {
        Ok((variant, child)) => {
            // A panic is a result, and the hub is told of it.
            panic::set_hook(Box::new(|_| {}));
            stress::be_machine(
                variant,
                Started {
                    machine: child.machine,
                    life: child.life,
                    hub: child.hub,
                    folder: child.folder,
                },
            )
        }
        Err(error) => {
            output::complain(&format!("{error:#}"));
            ExitCode::from(Exit::Usage as u8)
        }
    }
}

/// A program of machines, in the live world.
fn program(name: &str) -> Result<(&'static Bug, &'static Variant)> {
    let found = lookup::find(name)?;
    if found.bug.scale != Scale::Machines {
        bail!(
            "{} has no machines: see `heisenbug list --scale machines`",
            found.bug.name
        );
    }
    let Some(variant) = found.variant else {
        bail!("which variant of {name}? For example {name}/buggy");
    };
    live(found.bug, variant)
}
