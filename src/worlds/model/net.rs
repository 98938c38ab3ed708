//! Machines on a network: functions that send and receive, keep files, and may crash.
//!
//! A program makes a [`System`] and says what may go wrong in it, and how often. A check then explores every
//! run: each order in which messages arrive, each timer, and every fault within those bounds. A run ends when
//! nothing can happen any more, unless something else goes wrong.
//!
//! ```
//! use heisenbug::net::{Machine, System};
//!
//! fn bank(me: &Machine) {
//!     loop {
//!         let (shop, order): (_, u32) = me.receive();
//!         me.disk().append("ledger", format!("{order} "));
//!         me.send(shop, "paid".to_owned());
//!     }
//! }
//!
//! fn shop(me: &Machine) -> String {
//!     me.send("bank", 7_u32);
//!     me.receive::<String>().1
//! }
//!
//! let report = heisenbug::check(|| {
//!     System::new()
//!         .machine("bank", bank)
//!         .machine("shop", shop)
//!         .outcome(|end| end.file("bank", "ledger").unwrap_or_default())
//! });
//! report.assert_holds();
//! ```
//!
//! # What a machine may do
//!
//! A machine runs alone, from its start, on what it has received, chosen and read from its clock. So it must
//! share nothing with other machines but messages, and with its earlier lives nothing but its disk; and it
//! must do the same whenever these are the same. It may use threads, locks and atomics only for itself, and
//! they are then those of std.
//!
//! # What may go wrong
//!
//! | fault | allowed by |
//! |---|---|
//! | a message never arrives | [`System::losses`] |
//! | a message arrives, and comes once more | [`System::duplicates`] |
//! | a machine crashes at any point, and starts again with what its disk has kept | [`System::crashes`] |
//! | a machine stops for good | [`System::stops`] |
//! | a timer fires though something else could still happen | [`System::early_timers`] |
//! | a `sync` fails, and what it should have written is lost | [`System::disk_errors`] |
//! | a clock is wrong | [`System::skew`] |
//!
//! Messages may always overtake each other, but for [streams](System::stream) of bytes: those arrive in order, and in
//! pieces (see [`Stream`]). A machine with a stream must not crash: no connection outlives that.
//!
//! A timer fires when nothing else can happen: a time-out is longer
//! than anything the network does, unless [`System::early_timers`] allows an exception.

mod contents;
mod disk;
mod end;
mod handed;
#[path = "../history.rs"]
mod history;
mod machine;
mod stream;
#[path = "../system.rs"]
mod system;

use contents::value as opened;

pub use contents::Content;
pub use disk::Disk;
pub use end::End;
pub use handed::{Handed, take};
pub use history::{History, Sequential};
pub use machine::Machine;
pub use stream::Stream;
pub use system::System;

/// What a machine tells, as it comes: a number, as bytes.
type Told = [u8];
