//! Explores every run of several machines on a network.
//!
//! A machine is a function that takes [steps]: it sends and receives, writes to its disk, waits for a
//! timer. [`explore`] finds every way in which the machines can come to an end, with messages in any order,
//! and with as many [faults](Faults) as are allowed; [`record`] tells what happens in one of them.
//!
//! ```
//! use heisenbug_engine::machines::{
//!     Blind, Faults, Fate, Files, Label, Machine, Options, Program, Timers, explore, steps,
//! };
//! use std::panic::Location;
//! use std::{cell::RefCell, rc::Rc, time::Duration};
//!
//! fn machine(name: &str, body: fn() -> String) -> Machine {
//!     let name = name.to_owned();
//!     Machine { name, body: Rc::new(body), files: Files::new(), crashes: false, stops: false, skew: 0 }
//! }
//!
//! fn asks() -> String {
//!     steps::send(1, b"2 + 2", "2 + 2", Location::caller());
//!     let answer = steps::receive_timeout(Duration::from_secs(1), Location::caller());
//!     if answer.is_some() { "answered" } else { "in vain" }.to_owned()
//! }
//!
//! fn answers() -> String {
//!     let question = steps::receive(Location::caller());
//!     steps::send(question.from, b"4", "4", Location::caller());
//!     String::new()
//! }
//!
//! let program = Program {
//!     machines: vec![machine("asks", asks), machine("answers", answers)],
//!     streams: Vec::new(),
//!     faults: Faults { losses: 1, ..Faults::default() },
//!     timers: Timers::Last,
//!     monitor: RefCell::new(Box::new(Blind)),
//!     judge: Box::new(|end| match end.machines[0].fate {
//!         Fate::Returned(result) => result.to_owned(),
//!         _ => unreachable!("it does not wait for ever"),
//!     }),
//! };
//! let found = explore(&program, &Options::default(), &mut |_| true);
//! assert_eq!(found.complete, Ok(()));
//! let labels: Vec<_> = found.ends.iter().map(|end| (&end.label, end.faults.losses)).collect();
//! let (answered, in_vain) = ("answered".to_owned(), "in vain".to_owned());
//! assert_eq!(labels, [(&Label::Returned(answered), 0), (&Label::Returned(in_vain), 1)]);
//! ```
//!
//! # How it works
//!
//! A machine shares nothing but messages and its disk. So what it does next is a function of the disk with
//! which it started, and of what it took in since then: these are its *local state*, and it is run alone, from
//! its start. That happens once for each local state and input; then the *step* is known: the next
//! local state, and what it sends, observes and writes. The state of the whole is a few numbers: the local
//! states, the messages under way, the state of the monitor, and it takes no machine to go from one to the
//! next. A few dozen runs are enough for millions of states.
//!
//! That local steps can be explored apart from the network is an idea of Guerraoui and Yabandeh, *Model Checking
//! a Networked System Without the Network*, NSDI 2011. There it gives an approximation, which is checked
//! afterwards. Here the global states are kept, so nothing has to be.
//!
//! - A machine that crashes starts again in the local state of a machine with what its disk has kept. So two
//!   crashes that leave the same are one.
//! - A machine that [says what it remembers](steps::remember) has the same local state whenever it remembers
//!   the same.
//! - What need not be tried in every order is not: see `acts`.
//! - States are explored by the number of faults that lead there, then by length (`search`). So the way to each
//!   kind of end has as few faults as possible, and of these as few steps; except that steps that concern nobody
//!   else are taken first, needed or not.
//!
//! The tests compare all this with brute force on random programs, with rules broken on purpose, too.
//!
//! # What can happen
//!
//! | | |
//! |---|---|
//! | message | arrives at any time, in any order; to a machine that has returned or stopped: never |
//! | loss | it never arrives: all that could be received is lost at once, where that is allowed, just before a timer or at the end |
//! | duplicate | it arrives, and once more later |
//! | timer | fires [when nothing else can happen](Timers::Last), or [at any time](Timers::Any) |
//! | crash | anywhere; the machine starts again at once, from its function's beginning. One that has returned does not crash |
//! | stop | anywhere; the machine never does anything again |
//! | stream | a read returns a first part of what has arrived: see `acts`; no byte is lost, doubled or overtaken |
//! | clock | see [`steps::now`] |
//! | disk | see `disk`: contents and names, torn writes, syncs that fail |
//!
//! # Limits
//!
//! - Parts of a program that have nothing to do with each other multiply.
//! - Machines with the same function are not recognised as interchangeable.
//! - A machine that loops without taking any step hangs the exploration: its caller must see to that.
//! - A panic in a destructor of a machine that is thrown away where it waits aborts the process.
//! - Nothing happens to a stream when a machine crashes: the next life goes on with it.
//! - The judge sees the faults of one way to an end, and not of every way.
//!
//! # Modules
//!
//! | module | purpose | uses |
//! |---|---|---|
//! | [`steps`] | the operations of a machine | `run` |
//! | `search` | the exploration | `audit`, `cycles`, `record`, `store`, `acts` |
//! | `record` | what happens in one run; paths | `acts`, `moment` |
//! | `audit` | checks what machines say that they remember | `locals` |
//! | `cycles` | runs without an end | `store`, `acts` |
//! | `store` | the states that were reached, and how | `world` |
//! | `acts` | the steps that are to be tried in a state | `world` |
//! | `world` | states, and what a step makes of them | `locals` |
//! | `locals` | the states of single machines, and their steps: all of them | `local`, `run`, `names` |
//! | `local` | one of them | `run` |
//! | `run` | one run of one machine | `disk` |
//! | `disk` | what a crash leaves | |
//! | `names` | numbers for messages, observations and labels | |
//! | `program`, `found`, `moment`, `path` | the vocabulary | |

mod acts;
mod audit;
mod cycles;
mod disk;
mod found;
mod local;
mod locals;
mod moment;
mod names;
mod path;
mod program;
mod record;
mod run;
mod search;
pub mod steps;
mod store;
mod world;

pub use found::{Cycle, EndCount, Found, Label, Stopped};
pub use moment::{Moment, What};
pub use path::Path;
pub use program::{
    AtEnd, Blind, End, Fate, Faults, Files, MAX_MACHINES, MAX_STREAMS, Machine, Monitor, Options,
    Program, Sabotage, Stream, Timers,
};
pub use record::record;
pub use run::{MAX_EFFECTS, MAX_INPUTS};
pub use search::explore;

/// What a clock shows at the first look.
pub const CLOCK_START: u64 = 1_000;

/// By how much a clock is later at each look.
pub const CLOCK_STEP: u64 = 10;
