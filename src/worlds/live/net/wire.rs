//! What hub and machines say to each other.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

/// A machine to the hub, on the control connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Said {
    /// It is there.
    Hello {
        machine: String,
        /// How often it was started before.
        life: u32,
        /// Where it receives messages.
        port: u16,
    },
    /// It waits for a message, and has received and sent so many.
    Waits {
        received: u64,
        sent: u64,
        /// Whether it goes on without one, too.
        timed: bool,
    },
    /// It tells whoever watches.
    Tells(Value),
    /// It is about to sync a file.
    Syncs,
    /// Its function has returned.
    Returned {
        result: String,
        /// How many messages it has sent.
        sent: u64,
    },
    Panicked(String),
}

/// The hub to a machine, on the control connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// What it needs to know, after [`Said::Hello`].
    Welcome(Welcome),
    /// [`Said::Tells`] was heard.
    Heard,
    /// Whether a sync succeeds.
    Syncs(bool),
}

/// What a machine needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// Where to send messages.
    pub post: SocketAddr,
    /// Where the ends of streams connect, by name.
    pub writes: BTreeMap<String, SocketAddr>,
    pub reads: BTreeMap<String, SocketAddr>,
    /// The folder with its files.
    pub folder: PathBuf,
    /// By how much its clock is wrong, in milliseconds.
    pub skew: i64,
}

/// A message, in a datagram.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter {
    pub from: String,
    pub life: u32,
    pub to: String,
    pub content: Value,
    /// For people.
    pub shown: String,
}

/// Writes a line.
pub fn say(mut to: &TcpStream, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_string(what)?;
    line.push('\n');
    to.write_all(line.as_bytes())
}
