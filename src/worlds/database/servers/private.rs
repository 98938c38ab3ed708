//! A private server, started from what is installed, which leaves nothing behind however this process ends.

use crate::{Error, Kind, Result};
use heisenbug_catalogue::Needs;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// The guard of a server: it ends the server when its own input ends.
const GUARD: &str = include_str!("guard.sh");
const SCRIPT: &str = "guard.sh";

/// How long a server is left alone between two tries to connect while it starts.
const PAUSE: Duration = Duration::from_millis(5);

/// A server of our own. It is gone when this is dropped, or this process has ended.
#[derive(Debug)]
pub struct Private {
    folder: PathBuf,
    guard: Child,
    address: String,
}

impl Private {
    /// Starts one, and waits until it accepts connections.
    ///
    /// # Errors
    ///
    /// If none is installed, or it does not start.
    pub fn start(server: Needs) -> Result<Private> {
        let failed = |why: String| {
            let message = format!("cannot start a private {}: {why}", server.name());
            Error::new(Kind::Machine, "NO_SERVER", message)
        };
        let io = |error: std::io::Error| failed(error.to_string());
        let folder = folder().map_err(io)?;
        let mut command = Command::new("sh");
        command
            .arg(folder.join(SCRIPT))
            .arg(server.command())
            .arg(&folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C in the terminal is for us: what it means for the server, the guard finds out.
        let guard = command.stderr(Stdio::null()).process_group(0).spawn();
        let guard = guard.inspect_err(|_| drop(fs::remove_dir_all(&folder)));
        let mut private = Private {
            address: address(server, &folder),
            guard: guard.map_err(|error| failed(format!("cannot run `sh`: {error}")))?,
            folder,
        };
        while !private.answers(server) {
            if private.guard.try_wait().map_err(io)?.is_some() {
                let mut why = String::new();
                if let Some(mut said) = private.guard.stdout.take() {
                    let _ = said.read_to_string(&mut why);
                }
                return Err(failed(why.trim().to_owned()));
            }
            thread::sleep(PAUSE);
        }
        Ok(private)
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn answers(&self, server: Needs) -> bool {
        use super::server::Session;
        let (engine, address) = (crate::Engine::Postgres, &self.address);
        match server {
            Needs::Postgres => super::Postgres::connect(address, engine, None).is_ok(),
            Needs::Mariadb => super::Mariadb::dial(address).is_ok(),
        }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // Its input ends.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A new folder with the guard's script, in memory if it can be: the path of a socket is short.
fn folder() -> std::io::Result<PathBuf> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("heisenbug-server-");
    let folder = builder
        .tempdir_in("/dev/shm")
        .or_else(|_| builder.tempdir())?;
    fs::write(folder.path().join(SCRIPT), GUARD)?;
    // The guard removes it.
    Ok(folder.keep())
}

fn address(server: Needs, folder: &Path) -> String {
    let folder = folder.display();
    match server {
        Needs::Postgres => format!("host={folder} user=postgres dbname=postgres"),
        Needs::Mariadb => format!("mysql://root@localhost/?socket={folder}/socket"),
    }
}
