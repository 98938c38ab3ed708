//! Explores every execution of a concurrent program, each once.
//!
//! A program is a closure that spawns model threads and takes *steps*: a load here, a lock there
//! ([`steps`]). The engine runs it again and again until all that the memory model allows has been seen
//! ([`search`]), or one step at a time, as somebody chooses ([`stepper`]). It knows nothing of the types
//! that the program is written with: those are made of steps by whoever uses the engine.
//!
//! # What an execution is
//!
//! Most of what a scheduler can do makes no difference. If two threads load the same value, nobody can
//! tell who was first; if one stores `x` while the other stores `y`, neither. What does make a
//! difference is what each load returns, and the order of the stores to one location. So an execution is
//! no sequence of steps but a graph:
//!
//! - *events*: each step of each thread, in the order of the thread (*program order*, po);
//! - *reads-from* (rf): for each read, the write whose value it returns;
//! - *modification order* (mo): for each location, the order of its writes.
//!
//! A memory model says which graphs there are. Under sequential consistency there must be one order of
//! all events in which every read returns the newest value. Under RC11 it is less: what a thread knows
//! (*happens-before*, made of program order and of releases that are acquired) it must not forget, and
//! the events with `SeqCst` have an order that all agree on. Apart from that, a read may well return
//! something old. In both models a graph has no cycle of program order and reads-from (*porf*): no
//! value comes from nowhere.
//!
//! # An example
//!
//! Two threads count: each loads `x` (`R`) and stores one more (`W`). There are 6 ways to interleave
//! that, and more under a weak memory model, which are 4 graphs. A load that reads from nobody here
//! reads the initial 0.
//!
//! ```text
//!      (1) x = 2              (2) x = 1              (3) x = 2              (4) x = 1
//!
//!  thread 1   thread 2    thread 1   thread 2    thread 1   thread 2    thread 1   thread 2
//!
//!    R 0                    R 0        R 0                    R 0         R 0        R 0
//!     │po                    │          │                      │           │          │
//!    W 1 ──rf──► R 1        W 1 ──mo─► W 1        R 1 ◄──rf── W 1         W 1 ◄─mo── W 1
//!                 │                                │
//!                W 2                              W 2
//! ```
//!
//! They arise one from another:
//!
//! ```text
//!  first run ──────────────────────────────────────────────► (1)
//!  └─ forward: thread 2's load reads what is older ────────► (2)
//!     ├─ backward: thread 2's new store is what thread 1's
//!     │            load reads, though that was there before ► (3)
//!     └─ forward: thread 2's store goes before thread 1's ─► (4)
//! ```
//!
//! - The first run takes the first thread that can go on, and every read gets the newest value: (1).
//!   Where an event could have been added in another way, that is noted.
//! - One such note says that thread 2's load could have read the initial value. So the graph is cut back
//!   to what it was when the load was added, the load is pointed there, and the program is run again:
//!   first what is in the graph is done again, then more is added. That gives (2).
//! - When the store of thread 2 was added to (2), thread 1's load could have read from it, had it not
//!   been there already. Such a *backward revisit* makes a smaller graph: all that came after the load
//!   goes, but for the store and what that depends on; then the load is pointed to the store. Thread 1
//!   goes on from there, and that gives (3). In (1) the same store depends on that load: pointing the
//!   load to it would be a cycle.
//! - The store could also have been put before the other one: (4).
//!
//! None comes twice. Forward, each note differs from what was taken in the event itself. Backward, the
//! same smaller graph could be cut from several larger ones: if thread 1 had loaded twice, it would not
//! matter what its second load, which goes, had read. It is cut from one of them only: the one in which
//! everything that goes had been added in the ordinary way, each read from the newest write and each
//! write last, as in a run without any notes. There is always exactly one of these.
//!
//! ```
//! use heisenbug_engine::search::{Config, Ending, Leaf, Observer, explore};
//! use heisenbug_engine::steps::{join, load, spawn, store, Object};
//! use std::panic::Location;
//! use std::rc::Rc;
//! use std::sync::atomic::Ordering::Relaxed;
//!
//! fn lost_update() {
//!     let x = Rc::new(Object::new());
//!     let threads = [(); 2].map(|()| {
//!         let x = Rc::clone(&x);
//!         let count = move || {
//!             let seen = load(&x, 0, Relaxed, Location::caller());
//!             store(&x, 0, seen + 1, Relaxed, Location::caller());
//!         };
//!         spawn(Box::new(count), Location::caller())
//!     });
//!     threads.map(|thread| join(thread, Location::caller()));
//! }
//!
//! /// Keeps the last value of `x`.
//! struct Results(Vec<u64>);
//!
//! impl Observer for Results {
//!     fn begin(&mut self) {}
//!
//!     fn ended(&mut self, leaf: &Leaf<'_>) {
//!         assert_eq!(*leaf.ending, Ending::Complete);
//!         let view = leaf.view();
//!         let (thread, index) = *view.order[0].last().expect("x was written");
//!         self.0.push(view.threads[thread as usize][index as usize].value);
//!     }
//!
//!     fn restart(&mut self) {
//!         self.0.clear();
//!     }
//!
//!     fn go_on(&mut self, _runs: u64) -> bool {
//!         true
//!     }
//! }
//!
//! let mut results = Results(Vec::new());
//! let summary = explore(&Config::default(), &lost_update, &mut results);
//! assert!(summary.complete);
//! assert_eq!(results.0, [2, 1, 2, 1]);
//! ```
//!
//! # The one invariant
//!
//! **An event is added to a graph, or pointed to another write, only while nothing in the graph depends
//! on it** by program order and reads-from.
//!
//! Everything else rests on this. What an event depends on is there before it and never changes, so that
//! its vector clocks are computed once. Whatever is kept of a graph is, of each thread, the first so many
//! events: a clock, too; and a graph is cut by shortening vectors. RC11's coherence becomes one number, the
//! *floor*: the newest write of a location that an access knows, by itself or by a read of it. It may
//! read from any write from there on, and be put anywhere behind it. There are no relations as matrices,
//! and nothing is undone.
//!
//! # What follows from the papers, and what does not
//!
//! | | |
//! |---|---|
//! | RC11: Lahav, Vafeiadis, Kang, Hur, Dreyer, *Repairing Sequential Consistency in C/C++11*, PLDI 2017 | the memory model, with the release sequences of C++20; exact for accesses and fences |
//! | TruSt: Kokologiannakis, Marmanis, Gladstein, Vafeiadis, *Truly Stateless, Optimal Dynamic Partial Order Reduction*, POPL 2022 | the exploration: forward and backward revisits, and maximality instead of a memory of what was seen |
//! | Awamoche: Kokologiannakis, Marmanis, Vafeiadis, *Unblocking Dynamic Partial Order Reduction*, CAV 2023 | steps that block are not in the graph before they can go on |
//! | Must: Enea, Giannakopoulou, Kokologiannakis, Majumdar, *Model Checking Distributed Protocols in Must*, OOPSLA 2024 | whoever takes something reads from whoever gave it, and nobody else does: there it is messages, here it is locks |
//! | GenMC: Kokologiannakis, Vafeiadis, *GenMC: A Model Checker for Weak Memory Models*, CAV 2021 | the yardstick: its numbers of executions are those of `tests/kernels.rs` |
//!
//! These are our own:
//!
//! - A mutex is two kinds of events, `Lock` and `Unlock`, no exchange that is tried again. A lock that
//!   cannot be had is not in the graph. A thread that comes to a lock which others had before *steals* it:
//!   it takes it where they did, and they go, to come again. So nothing is explored in vain, and
//!   deadlocks are exact.
//! - What can go several ways for no reason has *variants*. Only variant 0 is ordinary; the others are
//!   taken forward, never by something that is about to be deleted.
//! - Loops that wait are told at run time, see below.
//!
//! That the exploration stays optimal with these is tested, not proven: against a brute force that shares
//! no code with it, on random programs of all kinds (`tests/graphs.rs`), and with rules broken on purpose
//! (`tests/mutants.rs`).
//!
//! # What objects are made of
//!
//! An [`Object`](steps::Object) is a location of the graph, whatever it is to the program.
//!
//! | object | steps |
//! |---|---|
//! | atomic | reads and writes; a read-modify-write is a read and the write right behind it, one step |
//! | plain data | none: an access is compared with the clocks of those before it, and is a race if nothing orders them. A race in any graph shows in that graph, so there is nothing to explore |
//! | mutex | `Lock` reads from the `Unlock` that it follows, each from another one |
//! | reader-writer lock | the same; any number of readers read from one write section, and the next writer comes after all of them, so readers are in no order among themselves |
//! | lock that somebody *tries* to take, or looks at | a word, taken by a read-modify-write that blocks |
//! | reader-writer lock under which somebody waits while it reads, or that is upgraded or downgraded | a word, too: a writer keeps others out by one step, and then waits for the readers to leave |
//! | what blocks otherwise: parking, barriers, one-time initialisation, channels, futexes | words, and reads and read-modify-writes that wait for a value ([`Until`](steps::Until)) |
//! | condition variable | a word with a bit for each thread that waits, and a word for each of these: it orders nothing by itself |
//! | time-out, wake-up for no reason | a [choice](steps::choose), of which one execution has only so many |
//! | thread | its spawn, beginning, end and join |
//! | anything done for real, such as a statement of a database | an [opaque step](steps::opaque), run in the order of the graph |
//!
//! # To learn, and to begin anew
//!
//! Some things are cheap as long as the program does not look at them. A mutex is two events, unless it
//! is also taken by `try_lock`, which has to see it taken; the number of a value's owners matters to
//! nobody, unless it is asked for; a place in the code is worth a look at the thread's state only once a
//! loop has come round there. All this is found out by running the program. Whoever notices
//! [learns](steps::learn) it: what was explored so far does not count, and the exploration begins anew,
//! knowing more ([`Observer::restart`](search::Observer::restart)). That happens a few times at most, and
//! early, so that only those pay who need to.
//!
//! # Loops that wait
//!
//! `while !ready.load(Acquire) {}` has infinitely many executions, and one that matters. No annotation is
//! needed to see that: a thread that comes to the same place with the same stack and registers as before,
//! and has changed nothing in between, will do the same again until it reads something else. Such a pass
//! is taken out of the graph again, and the thread sleeps until something that it looked at has a newer
//! value. If nothing else can run, and everybody has seen the newest values, that is a livelock. A loop
//! that counts its passes has another state each time: all of its passes are explored, up to
//! [a limit](search::Config::max_passes), and beyond that the result says so
//! ([`Ending::Cut`](search::Ending::Cut)).
//!
//! # Memory and threads
//!
//! Model threads are coroutines of the thread of the system that runs the program; if several of these
//! [take part](search::take_part) in an exploration, each runs the program on its own. The engine brings
//! the global allocator of the program that it is part of: what model threads free stays as it is until
//! the execution is over. So an access to something that was dropped finds what was there, and is told as
//! such; no block is used twice within an execution; and threads that are stuck can be left where they
//! are.
//!
//! # Limits
//!
//! - *Load buffering* is not shown: as porf has no cycles, two threads that each load what the other one
//!   stores afterwards never both see it. Rust allows that for `Relaxed`. A program that could do it is
//!   recognised ([`Summary::load_buffering`](search::Summary::load_buffering)).
//! - No accesses of different sizes to the same memory, and no `consume`.
//! - 16 threads at once, of 65,535 events each. More threads one after another is fine.
//! - With reader-writer locks some graphs come more than once: a few in a hundred.
//! - Loops that read a value which is already outdated, or are woken for nothing, cost runs that are no
//!   execution ([`Summary::wasted`](search::Summary::wasted)).
//! - The program must do the same whenever its steps return the same. What it does otherwise is noticed
//!   if it leads to another step ([`Ending::Nondeterministic`](search::Ending::Nondeterministic)).
//! - It is exponential where executions truly differ.
//!
//! # The house
//!
//! | module | is | uses |
//! |---|---|---|
//! | [`steps`] | what a model thread asks for | `run` |
//! | [`search`] | the exploration, as its user sees it | `workers`, `schedule`, `run` |
//! | [`workers`] | one exploration by several threads of the system | `explorer` |
//! | [`stepper`] | a program step by step | `options`, `run` |
//! | `moves` | the words of the stepper | |
//! | `options` | the ways in which a step could go | `explorer` |
//! | `schedule` | an order of an execution with the fewest preemptions | `graph` |
//! | [`token`] | an execution as a text | `schedule` |
//! | [`orderings`] | which stronger orderings would forbid an execution | `schedule`, `psc`, `graph` |
//! | `run` | one run: coroutines, done again and extended | `explorer`, `loops`, `objects`, `memory` |
//! | `loops` | how a pass that waits is told from one that gets somewhere | `explorer` |
//! | `objects` | which object is which location; plain accesses | `graph` |
//! | `memory` | what is freed stays | |
//! | `explorer` | what is noted, and how it is applied | `maximal`, `psc`, `sc`, `graph` |
//! | `maximal` | what a backward revisit may delete; who can steal | `graph` |
//! | `psc`, `sc` | the axioms of RC11 and of sequential consistency that are no floor | `graph` |
//! | `graph` | events, reads-from, modification order; the floor | `event` |
//! | `event` | one event, and its clocks | `clock` |
//! | `clock` | positions, and sets that are closed under program order | |
//!
//! Nothing is used upwards but words: the operations and reasons of [`steps`], the configuration and
//! endings of [`search`], what a thread waits for in `run`, and the ways of `moves`. The engine knows no
//! bug, no library type and no language to say things in.

mod clock;
mod event;
mod explorer;
mod graph;
mod loops;
mod maximal;
mod memory;
mod moves;
mod objects;
mod options;
pub mod orderings;
mod psc;
mod run;
mod sc;
mod schedule;
pub mod search;
mod shadow;
mod state;
pub mod stepper;
pub mod steps;
pub mod token;
pub mod workers;

/// A source position, as the compiler tells it to `#[track_caller]` functions.
pub type Place = &'static std::panic::Location<'static>;
