//! Programs of machines: a hub, and a process for each machine. See [`heisenbug_live::net`].

use heisenbug_catalogue::{Bug, Scale, Variant};
use heisenbug_live::net::{self, Role};
use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The hidden command that makes this program one machine: `__machine BUG/VARIANT --machine NAME --life N --hub ADDRESS
/// --folder PATH`.
pub const MACHINE_COMMAND: &str = "__machine";

/// Where `serve` listens, if nobody says anything else.
pub const PORT: u16 = 7171;

/// Prepares to run a program, if it is one of machines: this process is to be the hub.
pub(super) fn prepare(bug: &Bug, variant: &Variant) -> io::Result<()> {
    if bug.scale == Scale::Machines {
        net::try_out()?;
        let program = std::env::current_exe()?.into_os_string();
        let name = format!("{}/{}", bug.name, variant.name);
        let command = vec![program, MACHINE_COMMAND.into(), OsString::from(name)];
        net::play(Role::Hub { command });
    }
    Ok(())
}

/// A machine that a hub has started.
#[derive(Debug)]
pub struct Started {
    /// Its name.
    pub machine: String,
    /// How often it was started before.
    pub life: u32,
    /// Where the hub is.
    pub hub: SocketAddr,
    /// The folder of the run.
    pub folder: PathBuf,
}

/// Is a machine that a hub has started, to the end of this process.
pub fn be_machine(variant: &Variant, started: Started) -> ! {
    be(
        variant,
        Role::Machine {
            name: started.machine,
            life: started.life,
            hub: started.hub,
            folder: Some(started.folder),
            aloud: false,
        },
    )
}

/// Is one machine of a program, in a terminal of its own, to the end of this process: it says what it does. The hub
/// listens on this port.
pub fn serve_machine(variant: &Variant, machine: &str, port: u16) -> ! {
    be(
        variant,
        Role::Machine {
            name: machine.to_owned(),
            life: 0,
            hub: (Ipv4Addr::LOCALHOST, port).into(),
            folder: None,
            aloud: true,
        },
    )
}

fn be(variant: &Variant, role: Role) -> ! {
    net::play(role);
    let label = (variant.scenario)();
    unreachable!("a program without machines has come to \"{label}\"")
}

/// Is the hub of a program whose machines are started by others. Returns the label of the outcome.
///
/// # Panics
///
/// If the port is taken; or if a machine panics.
pub fn serve(variant: &Variant, port: u16, interrupted: fn() -> bool) -> String {
    net::play(Role::Open { port, interrupted });
    (variant.scenario)()
}
