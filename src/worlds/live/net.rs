//! Machines for real: each a process of its own, with UDP and TCP on loopback, and real files.
//!
//! The names and signatures are those of the model world, except that what is sent must be
//! [serialisable](Content). All messages go through the *hub*, a process that starts the machines, and delays, loses and
//! doubles what they send, or kills them, at random, but no more than the system allows. A machine is the
//! same program, started anew: it runs the scenario up to [`System::outcome`], finds out there that it is a machine, and
//! runs its function.
//!
//! ```text
//!  machine ── UDP: messages ──────────── hub ── UDP ── machine
//!          ── TCP: streams ─────────────     ── TCP ──
//!          ── TCP: control, lines of JSON ──
//! ```
//!
//! On the control connection a machine says where it waits, what it [tells](Machine::tell), and what it returns. So the hub
//! knows when nothing can happen any more, without a guess about time. When the connection ends, the machine does,
//! too: no process and no file outlives the hub, however that ends.
//!
//! # What differs from the model
//!
//! - Time-outs are [`FASTER`] times as short, and real: on a busy machine they can fire early.
//! - A machine that is killed loses nothing that it has written: the kernel keeps it. Only a loss of power loses what was not
//!   synced, and that is not staged here.
//! - A timer is early because a message is later than any time-out should be.
//! - Clocks are real, and wrong by what the system allows.
//!
//! | module | purpose | uses |
//! |---|---|---|
//! | `system` | a system, as it is described | `machine` |
//! | `role` | what this process is in it | `system`, `hub`, `member` |
//! | `hub` | the process in the middle | `faults`, `pipe`, `wire` |
//! | `faults` | what goes wrong, at random | |
//! | `pipe` | the hub's part of a stream | |
//! | `machine`, `disk`, `stream` | what a machine may do | `member` |
//! | `member` | a machine's connections to the hub | `wire` |
//! | `end` | what is asked of the end | |
//! | `wire` | what hub and machines say to each other | |

mod disk;
mod end;
mod faults;
#[path = "../history.rs"]
mod history;
mod hub;
mod machine;
mod member;
mod pipe;
mod role;
mod stream;
#[path = "../system.rs"]
mod system;
mod wire;

pub use disk::Disk;
pub use end::End;
pub use history::{History, Sequential};
pub use machine::Machine;
pub use member::FASTER;
pub use role::{HANG, Role, play, try_out};
pub use stream::Stream;
pub use system::System;

use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// What can be sent, or told.
pub trait Content: Clone + Debug + Serialize + Deserialize<'static> + 'static {}

impl<T: Clone + Debug + Serialize + Deserialize<'static> + 'static> Content for T {}

/// What a machine tells, as it comes.
pub(crate) type Told = serde_json::Value;

/// What is told, if it is of that type.
fn opened<T: Content>(told: &Told) -> Option<T> {
    let text = heisenbug_trace::keep(&told.to_string());
    serde_json::from_str(text).ok()
}
