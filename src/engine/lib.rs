//! Explores every execution of a concurrent program, each once.
//!
//! A program is a closure that spawns model threads and takes *steps*: a load here, a lock there
//! ([`steps`]). The engine runs it repeatedly until everything that the memory model allows has been seen
//! ([`search`]), or one step at a time, as the caller chooses ([`stepper`]). It knows nothing of the types
//! that the program is written with: the engine's user builds those from steps.
//!
//! # What an execution is
//!
//! Most of what a scheduler can do makes no difference. If two threads load the same value, no thread can
//! tell which was first; nor if one stores `x` while the other stores `y`. What does make a
//! difference is what each load returns, and the order of the stores to one location. So an execution is
//! not a sequence of steps but a graph:
//!
//! - *events*: each step of each thread, in the order of the thread (*program order*, po);
//! - *reads-from* (rf): for each read, the write whose value it returns;
//! - *modification order* (mo): for each location, the order of its writes.
//!
//! A memory model says which graphs exist. Under sequential consistency there must be one order of
//! all events in which every read returns the newest value. RC11 demands less: what a thread knows
//! (*happens-before*, made of program order and of releases that are acquired) it must not forget, and
//! the `SeqCst` events have an order that all threads agree on. Apart from that, a read may well return
//! an old value. In both models a graph has no cycle of program order and reads-from (*porf*): no
//! value comes from nowhere.
//!
//! # An example
//!
//! Two threads count: each loads `x` (`R`) and stores one more (`W`). There are 6 ways to interleave
//! these steps, and more under a weak memory model, but only 4 graphs. A load without an incoming rf edge
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
//! Each is derived from another:
//!
//! ```text
//!  first run ──────────────────────────────────────────────► (1)
//!  └─ forward: thread 2's load reads an older value ───────► (2)
//!     ├─ backward: thread 1's load, though added earlier,
//!     │            reads thread 2's new store ─────────────► (3)
//!     └─ forward: thread 2's store goes before thread 1's ─► (4)
//! ```
//!
//! - The first run takes the first thread that can go on, and every read gets the newest value: (1).
//!   Wherever an event could have been added in another way, that is noted.
//! - One such note says that thread 2's load could have read the initial value. So the graph is cut back
//!   to its state when the load was added, the load is pointed to the initial value, and the program is run
//!   again: first the events in the graph are replayed, then more are added. That gives (2).
//! - When the store of thread 2 was added to (2), thread 1's load could have read from it, had it not
//!   been there already. Such a *backward revisit* makes a smaller graph: everything added after the load
//!   is deleted, except the store and what it depends on; then the load is pointed to the store. Thread 1
//!   goes on from there, and that gives (3). In (1) the same store depends on that load: pointing the
//!   load to it would make a cycle.
//! - The store could also have been placed before the other one: (4).
//!
//! No graph comes twice. Forward, each note differs from the way that was taken in the event itself.
//! Backward, the same smaller graph could be cut from several larger ones: if thread 1 had loaded twice, it
//! would not matter what its second load, which is deleted, had read. It is cut from one of them only: the
//! one in which every deleted event had been added in the ordinary way, each read from the newest write and
//! each write last, as in a run without any notes. There is always exactly one such graph.
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
//! # Machines
//!
//! A program can also be several [machines] on a network, which share no memory and may crash. That is another
//! search, over states instead of graphs: there the number of orders of messages matters more than what
//! reads see. All that follows here is about threads.
//!
//! # The one invariant
//!
//! **An event is added to a graph, or pointed to another write, only while nothing in the graph depends
//! on it** by program order and reads-from.
//!
//! Everything else rests on this. An event's dependencies are there before it and never change, so
//! its vector clocks are computed only once. Whatever part of a graph is kept is a prefix of each
//! thread: a clock, too; and a graph is cut by shortening vectors. RC11's coherence becomes one number, the
//! *floor*: the newest write of a location that an access knows, by itself or by a read of it. It may
//! read from any write from there on, and be placed anywhere after it. No relations are stored as matrices,
//! and nothing is undone.
//!
//! # What follows from the papers, and what is our own
//!
//! | | |
//! |---|---|
//! | RC11: Lahav, Vafeiadis, Kang, Hur, Dreyer, *Repairing Sequential Consistency in C/C++11*, PLDI 2017 | the memory model, with the release sequences of C++20; exact for accesses and fences |
//! | TruSt: Kokologiannakis, Marmanis, Gladstein, Vafeiadis, *Truly Stateless, Optimal Dynamic Partial Order Reduction*, POPL 2022 | the exploration: forward and backward revisits, and maximality instead of a record of visited graphs |
//! | Awamoche: Kokologiannakis, Marmanis, Vafeiadis, *Unblocking Dynamic Partial Order Reduction*, CAV 2023 | blocked steps are not in the graph until they can go on |
//! | Must: Enea, Giannakopoulou, Kokologiannakis, Majumdar, *Model Checking Distributed Protocols in Must*, OOPSLA 2024 | each taker reads from one giver, exclusively: in the paper messages, here locks |
//! | GenMC: Kokologiannakis, Vafeiadis, *GenMC: A Model Checker for Weak Memory Models*, CAV 2021 | the yardstick: its numbers of executions are those of `tests/kernels.rs` |
//!
//! These are our own:
//!
//! - A mutex has two kinds of events, `Lock` and `Unlock`, and is not an exchange that is retried. A lock
//!   that is not free is not in the graph. A thread that comes to a lock which others had before *steals*
//!   it: it takes the lock where they did; their events are deleted, and come again later. So no run is
//!   explored in vain, and deadlocks are exact.
//! - A step that can go several ways for no reason has *variants*. Only variant 0 is ordinary; the others
//!   are taken forward, never by an event that is about to be deleted.
//! - Waiting loops are detected at run time, see below.
//!
//! That the exploration stays optimal with these is tested, not proven: against a brute-force search that
//! shares no code with it, on random programs of all kinds (`tests/graphs.rs`), and with rules broken on
//! purpose (`tests/mutants.rs`).
//!
//! # What objects are made of
//!
//! An [`Object`](steps::Object) is a location of the graph, whatever it is to the program.
//!
//! | object | steps |
//! |---|---|
//! | atomic | reads and writes; a read-modify-write is a read and the write right behind it, one step |
//! | plain data | none: an access is compared with the clocks of earlier accesses, and is a race if nothing orders them. A race in any graph shows in that graph, so there is nothing to explore |
//! | mutex | `Lock` reads from the `Unlock` before it, each from a different one |
//! | reader-writer lock | the same; any number of readers read from one write section, and the next writer comes after all of them, so readers are not ordered among themselves |
//! | lock that is also queried, or taken by a *try* method | a word, taken by a read-modify-write that blocks |
//! | reader-writer lock whose readers wait while they read, or that is upgraded or downgraded | a word, too: a writer keeps others out by one step, and then waits for the readers to leave |
//! | other blocking objects: parking, barriers, one-time initialisation, channels, futexes | words, and reads and read-modify-writes that wait for a value ([`Until`](steps::Until)) |
//! | condition variable | a word with a bit for each thread that waits, and a word for each of these: it orders nothing by itself |
//! | time-out, spurious wake-up | a [choice](steps::choose); their number per execution is limited |
//! | thread | its spawn, begin, end and join |
//! | anything done for real, such as a database statement | an [opaque step](steps::opaque), run in the order of the graph |
//!
//! # Learning, and starting over
//!
//! Some things are cheap as long as the program does not look at them. A mutex is two events, unless it
//! is also taken by `try_lock`, which must see that it is taken; the number of a value's owners does not
//! matter until it is asked for; a place in the code is worth a look at the thread's state only once a
//! loop has come back there. All this is found out by running the program. Code that notices such a thing
//! [learns](steps::learn) it: the exploration so far does not count, and starts over
//! with that knowledge ([`Observer::restart`](search::Observer::restart)). That happens a few times at
//! most, and early, so that only the programs that need it pay for it.
//!
//! # Waiting loops
//!
//! `while !ready.load(Acquire) {}` has infinitely many executions, but only one that matters. No annotation
//! is needed to see that: a thread that comes to the same place with the same stack and registers as before,
//! and has changed nothing in between, will do the same again until it reads something else. Such a pass
//! is removed from the graph, and the thread sleeps until something that it looked at has a newer
//! value. If nothing else can run, and all threads have seen the newest values, that is a livelock. A loop
//! that counts its passes has a different state each time: all of its passes are explored, up to
//! [a limit](search::Config::max_passes), and the result says if that was reached
//! ([`Ending::Cut`](search::Ending::Cut)).
//!
//! # Memory and threads
//!
//! Model threads are coroutines of the OS thread that runs the program; if several of these
//! [take part](search::take_part) in an exploration, each runs the program on its own. The engine brings
//! the global allocator of the program that contains it: what model threads free stays as it is until
//! the execution is over. So an access to something that was dropped finds what was there, and is reported
//! as such; no block is used twice within an execution; and stuck threads can be left where they
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
//! - Loops that read an outdated value, or are woken in vain, cost runs that are not
//!   executions ([`Summary::wasted`](search::Summary::wasted)).
//! - The program must do the same whenever its steps return the same. If it does not, that is noticed
//!   only if it leads to another step ([`Ending::Nondeterministic`](search::Ending::Nondeterministic)).
//! - The cost is exponential where executions truly differ.
//!
//! # Modules
//!
//! | module | purpose | uses |
//! |---|---|---|
//! | [`steps`] | the operations of a model thread | `run` |
//! | [`search`] | the exploration, as its user sees it | `workers`, `schedule`, `run` |
//! | [`workers`] | one exploration by several OS threads | `dealing`, `explorer` |
//! | `dealing` | one exploration in parts, on several machines | `explorer` |
//! | [`stepper`] | runs a program step by step | `options`, `run` |
//! | `moves` | the vocabulary of the stepper | |
//! | `options` | the ways in which a step could go | `explorer` |
//! | `schedule` | an order of an execution with the fewest preemptions | `graph` |
//! | [`token`] | an execution as a text | `schedule` |
//! | [`machines`] | several machines on a network: steps, search and all | `run` (stacks only) |
//! | [`orderings`] | which stronger orderings would forbid an execution | `schedule`, `psc`, `graph` |
//! | `run` | one run: coroutines, replay and extension | `explorer`, `loops`, `objects`, `memory` |
//! | `loops` | distinguishes waiting passes from passes that make progress | `explorer` |
//! | `objects` | maps objects to locations; plain accesses | `graph` |
//! | `memory` | keeps freed memory | |
//! | `explorer` | the alternatives, and how they are applied | `maximal`, `psc`, `sc`, `graph` |
//! | `maximal` | what a backward revisit may delete; which threads can steal | `graph` |
//! | `psc`, `sc` | the axioms of RC11 and of sequential consistency beyond the floor | `graph` |
//! | `graph` | events, reads-from, modification order; the floor | `event` |
//! | `event` | one event, and its clocks | `clock` |
//! | `clock` | positions, and sets that are closed under program order | |
//!
//! Only vocabulary is used upwards: the operations and reasons of [`steps`], the configuration and
//! endings of [`search`], what a thread waits for in `run`, and the ways of `moves`. The engine knows no
//! bug and no library type, and has no user-facing texts.

mod clock;
mod dealing;
mod event;
mod explorer;
mod graph;
mod loops;
pub mod machines;
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

pub use dealing::Shard;

/// A source position, as the compiler passes it to `#[track_caller]` functions.
pub type Place = &'static std::panic::Location<'static>;
