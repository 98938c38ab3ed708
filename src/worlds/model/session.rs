//! One check, from the model world's point of view: who runs, what failed, and what is recorded.
//!
//! The engine knows threads, locations and values. Everything else is kept here, beside it:
//! names, panics, the scenario's result, leaks and, while an execution is shown, its operations.
//! While executions are only explored nothing is recorded.
//!
//! All threads of a model share one OS thread, so the session belongs to that OS thread.

mod call;
mod failures;
mod flags;
mod objects;
mod record;
mod sites;
mod statics;
mod threads;

pub(crate) use call::{Call, Mark, Target, used};
pub(crate) use failures::{SCOPED, end_of_thread, observed, panicking};
pub(crate) use objects::{Counted, INNER, Shared};
pub(crate) use statics::{keep_static, keep_value};
pub(crate) use threads::{Inner, current, inner_of, local, set_local, spawning, started};

pub use failures::{Failure, class_of, message_of, panicked};
pub use sites::{Mutation, Site};

use failures::Failures;
use flags::Flags;
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, ThreadId};
use heisenbug_trace::{Trace, Value, journal};
use objects::Objects;
use record::Record;
use sites::Sites;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

/// The facts about a program that change its steps when they are learnt: a token has a bit for each.
pub const FACTS: [&str; 5] = [
    crate::sync::ARC_COUNTS,
    crate::sync::WEAK_COUNTS,
    steps::FACTS[0],
    steps::FACTS[1],
    steps::FACTS[2],
];
use threads::Threads;

/// The options of a session.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether to record the operations of each execution.
    pub record: bool,
    /// Replaces the ordering at one site, in all executions.
    pub mutation: Option<Mutation>,
    /// Whether to collect the sites at which the program names an ordering.
    pub collect_sites: bool,
}

/// The results of one execution, besides how the engine says that it ended.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What the scenario returned, if it got to its end.
    pub result: Option<String>,
    /// The threads that panicked, in the order in which they ended.
    pub failures: Vec<Failure>,
    /// The names of the reference-counted values that were never freed.
    pub leaked: Vec<String>,
    /// How often the running thread changed from one operation to the next. Only counted while recording.
    pub switches: usize,
    /// How many operations were recorded.
    pub operations: usize,
}

/// A reference-counted value that was never freed.
#[derive(Clone, Debug)]
pub struct Left {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: usize,
    /// Whether a weak pointer to it was made: a pointer found in memory may then be a weak one.
    pub has_weak: bool,
}

/// All state of the current check, and of its current execution.
#[derive(Default)]
struct Session {
    sites: Sites,
    /// Whether to record each execution.
    record: bool,
    /// Whether an execution before the current one changed data in statics.
    changed_statics: bool,
    execution: Execution,
}

/// All state of one execution. A new execution begins with an empty one.
#[derive(Default)]
pub(crate) struct Execution {
    threads: Threads,
    objects: Objects,
    failures: Failures,
    record: Record,
    result: Option<String>,
}

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
    /// The number of the current execution, to distinguish its objects from those of others.
    static GENERATION: Cell<u32> = const { Cell::new(0) };
}

/// Calls `f` with the current session, if there is one.
fn with<R>(f: impl FnOnce(&mut Session) -> R) -> Option<R> {
    steps::aside(|| SESSION.with_borrow_mut(|session| session.as_mut().map(f)))
}

/// Calls `f` with the current execution, if there is one.
fn with_execution<R>(f: impl FnOnce(&mut Execution) -> R) -> Option<R> {
    with(|session| f(&mut session.execution))
}

/// A session that is current on this OS thread, until it is dropped.
#[must_use = "the session ends when this is dropped"]
pub struct Entered {
    before: Option<Session>,
    flags_before: Flags,
}

/// Begins a session on this OS thread. The previous one resumes when it ends.
pub fn enter(options: Options) -> Entered {
    let minds_orderings = options.mutation.is_some() || options.collect_sites;
    let session = Session {
        sites: Sites::new(options.mutation, options.collect_sites),
        record: options.record,
        ..Session::default()
    };
    let entered = Entered {
        before: SESSION.replace(Some(session)),
        flags_before: flags::replace(Flags::NOTHING_YET),
    };
    flags::set(Flags::ORDERINGS, minds_orderings);
    entered
}

impl Entered {
    /// The sites collected so far, each with the ordering named there.
    pub fn sites(&self) -> Vec<(Site, Ordering)> {
        sites()
    }

    /// Whether the program has used anything of this world so far: a thread, a lock, an atomic …
    pub fn models_anything(&self) -> bool {
        !flags::get().contains(Flags::NOTHING_YET)
    }

    /// Whether the program has changed plain data in statics so far. Such a program must not run on two
    /// OS threads at once: the data is the same for both.
    pub fn changes_statics(&self) -> bool {
        statics::are_changed() || with(|session| session.changed_statics).unwrap_or(false)
    }

    /// Sets whether to record the executions to come.
    pub fn set_recording(&self, record: bool) {
        with(|session| session.record = record);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        #[cfg(feature = "sqlite")]
        crate::db::end_session();
        // Dropped when it is no longer borrowed: it holds values of the program, whose destructors may come here.
        let session = SESSION.replace(self.before.take());
        statics::restore();
        flags::replace(self.flags_before);
        drop(session);
    }
}

/// Begins a new execution: only the scenario's own thread, no objects, no failures.
pub fn begin_execution() {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    GENERATION.set(NEXT.fetch_add(1, Ordering::Relaxed));
    let changed = statics::are_changed();
    statics::restore();
    journal::begin_execution();
    let old = with_execution(std::mem::take);
    drop(old);
    let record = with(|session| {
        session.changed_statics |= changed;
        session.execution.threads.begin();
        session.execution.failures.begin();
        session.record
    });
    flags::set(
        Flags::RECORDING,
        record.unwrap_or(false) || journal::is_open(),
    );
}

/// The number of the current execution.
pub(crate) fn generation() -> u32 {
    GENERATION.get()
}

/// Runs the scenario as the first thread of a model. Its panic stays here.
pub fn run(scenario: &dyn Fn() -> String) {
    let result = catch_unwind(AssertUnwindSafe(scenario));
    if let Ok(label) = end_of_thread(result) {
        with_execution(|execution| execution.result = Some(label));
    }
}

/// Ends the execution, and returns its results. Its threads may not have ended.
pub fn end_execution() -> Facts {
    #[cfg(feature = "sqlite")]
    crate::db::end_execution();
    with_execution(|execution| Facts {
        result: execution.result.clone(),
        failures: execution.failures.all(),
        leaked: execution.leaked(),
        switches: execution.record.switches(),
        operations: execution.record.len(),
    })
    .unwrap_or_default()
}

/// The sites at which the program has named an ordering so far, each with that ordering.
pub fn sites() -> Vec<(Site, Ordering)> {
    with(|session| session.sites.collected()).unwrap_or_default()
}

/// The reference-counted values that were never freed. Only for a recorded execution.
pub fn left() -> Vec<Left> {
    with_execution(|execution| execution.left()).unwrap_or_default()
}

/// The execution so far, with names for everything. Contains only what was recorded.
pub fn trace() -> Trace {
    with_execution(|execution| execution.trace()).unwrap_or_default()
}

/// Whether operations are recorded: otherwise what is only shown need not be computed.
pub(crate) fn recording() -> bool {
    flags::get().contains(Flags::RECORDING)
}

/// What a lock protects or a channel carries, as it is shown: nothing, unless operations are recorded.
/// The caller must have exclusive access.
pub(crate) fn shown<T: ?Sized>(value: &T) -> Value {
    match recording() {
        true => steps::aside(|| Value::of(value)),
        false => Value::Nothing,
    }
}

/// The name of a thread of the execution that has just ended.
pub fn thread_name(thread: ThreadId) -> String {
    let name = with_execution(|execution| {
        let number = execution.threads.number_of(thread) as usize;
        execution.thread_names().swap_remove(number)
    });
    name.unwrap_or_default()
}

/// The place of a location that the panic hook got, with the lifetime it really has.
fn forever(location: &std::panic::Location<'_>) -> Place {
    // SAFETY: every `Location` that rustc makes is a promoted constant with a static lifetime; the hook
    // only shortens the lifetime of the reference. The standard library relies on the same.
    unsafe { std::mem::transmute::<&std::panic::Location<'_>, Place>(location) }
}

/// The name of a thread of the current execution, by the engine's number.
pub fn name_of(thread: ThreadId) -> String {
    let name = with_execution(|execution| {
        let number = execution.threads.number_of(thread) as usize;
        execution.thread_names().into_iter().nth(number)
    });
    name.flatten().unwrap_or_else(|| format!("thread {thread}"))
}
