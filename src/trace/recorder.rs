//! The recorder: what the model world's types tell of each operation while an engine runs them.
//!
//! All threads of a model share one OS thread, so the recorder is a thread-local buffer, outside
//! the engines' own bookkeeping. Who acts is known without asking the engine: every point at which
//! an engine can switch threads lies inside a [`Call`], and a call that returns reinstates its own
//! actor.

mod call;
mod deadlock;
mod owned;

pub use call::Call;
pub use deadlock::before_deadlocks;

use super::{Op, Trace, Value};
use crate::catalogue::Class;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::atomic::Ordering;

/// What runs the program at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Nothing: the types of the model world work on the standard library.
    None,
    /// loom: weak memory.
    Loom,
    /// shuttle: sequential consistency.
    Shuttle,
}

/// The number of an actor within one execution. The scenario itself is number 0.
pub type ActorId = u8;

/// A source position, as the compiler tells it to `#[track_caller]` functions.
pub type Place = &'static Location<'static>;

/// A failure, as it was noticed while the program ran.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind it is.
    pub class: Class,
    /// Who failed.
    pub actor: ActorId,
    /// The panic's message, or the checker's.
    pub message: String,
    /// Whether the program itself looked at it, by joining the thread that panicked.
    pub observed: bool,
}

/// A site at which the source names a memory ordering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
    /// 0 for the only or the success ordering, 1 for the failure ordering.
    pub slot: u8,
}

/// Replaces the ordering at one site, to see whether the program needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// Where.
    pub site: Site,
    /// By what.
    pub ordering: Ordering,
}

#[derive(Clone, Copy)]
struct Recorded {
    at: Place,
    call: &'static str,
    read: Value,
    value: Value,
    newest: Value,
    ordering: Option<Ordering>,
    /// An object, a thread, or the number of a failure: `op` tells which.
    target: Target,
    actor: ActorId,
    op: Op,
}

/// What an operation is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing, as for a fence.
    None,
    /// A lock, an atomic, a cell.
    Object(u32),
    /// A thread.
    Actor(ActorId),
    /// The failure of that number.
    Failure(u32),
}

struct Actor {
    name: Option<Cow<'static, str>>,
    /// Who spawned it: nobody, or one with a smaller number.
    parent: Option<ActorId>,
    /// The call the actor is in, if it is one that can block.
    pending: Option<Pending>,
    finished: bool,
    /// The last read, and how often it was repeated with nothing else in between.
    spin: Option<(Place, u32, Value, u32)>,
}

#[derive(Clone, Copy)]
struct Pending {
    call: &'static str,
    target: Target,
    at: Place,
}

struct Object {
    kind: &'static str,
    label: Option<String>,
    created: Place,
    used: Option<Place>,
    newest: Value,
    /// A reference-counted value that nothing has freed yet.
    alive: bool,
    holders: Vec<ActorId>,
    /// Who loaded it, and who wrote it after having loaded it: a bit for each actor.
    loaded_by: u64,
    updated_by: u64,
}

struct Recorder {
    events: Vec<Recorded>,
    actors: Vec<Actor>,
    objects: Vec<Object>,
    failures: Vec<Failure>,
    sites: Option<BTreeSet<(Site, OrderingKey)>>,
    mutation: Option<Mutation>,
    only_seq_cst: bool,
    /// Whether one thread loads and then writes an atomic that another one loads.
    hides_loads: bool,
    /// Whether there was an atomic access.
    uses_atomics: bool,
    /// Whether there was an `UnsafeCell`.
    plain_data: bool,
    /// Whether the program made anything of the model world.
    models: bool,
    /// Whether this execution has come to where it could deadlock.
    can_deadlock: bool,
}

/// `Ordering` has no order of its own; its name has.
type OrderingKey = &'static str;

thread_local! {
    /// What to call before a deadlock becomes possible.
    static BEFORE_DEADLOCKS: Cell<Option<fn()>> = const { Cell::new(None) };
    static LOADS_CONFLICT: Cell<bool> = const { Cell::new(false) };
    /// Asks the scheduler to leave the current actor running at the next scheduling point.
    static HELD: Cell<bool> = const { Cell::new(false) };
    static ENGINE: Cell<Engine> = const { Cell::new(Engine::None) };
    /// The number of the current execution, to tell its objects from those of others.
    static GENERATION: Cell<u32> = const { Cell::new(0) };
    static ACTOR: Cell<ActorId> = const { Cell::new(0) };
    /// Set when the engine cannot go on: nothing may call it any more.
    static DEAD: Cell<bool> = const { Cell::new(false) };
    /// Why the engine cannot tell anything about this program.
    static GIVEN_UP: Cell<Option<&'static str>> = const { Cell::new(None) };
    /// The actors that have begun to panic, as a set.
    static PANICKED: Cell<u64> = const { Cell::new(0) };
    static RECORDER: RefCell<Recorder> = const { RefCell::new(Recorder::new()) };
}

/// A read repeated this often with the same result, and nothing else in between, is a spin loop
/// that forgot to say so: it is made to yield, or no engine would ever let the others run.
const SPINS_BEFORE_YIELD: u32 = 8;

impl Recorder {
    const fn new() -> Recorder {
        Recorder {
            events: Vec::new(),
            actors: Vec::new(),
            objects: Vec::new(),
            failures: Vec::new(),
            sites: None,
            mutation: None,
            only_seq_cst: true,
            hides_loads: false,
            uses_atomics: false,
            plain_data: false,
            models: false,
            can_deadlock: false,
        }
    }

    fn models_in_this_execution(&self) -> bool {
        self.actors.len() > 1 || !self.objects.is_empty() || !self.events.is_empty()
    }

    #[inline]
    fn push(&mut self, event: Recorded) {
        if let Target::Object(object) = event.target
            && let Some(object) = self.objects.get_mut(object as usize)
            && object.used.is_none()
        {
            object.used = Some(event.at);
        }
        self.events.push(event);
        if super::journal::is_open() {
            super::journal::write(&self.trace());
        }
    }
}

fn with<R>(f: impl FnOnce(&mut Recorder) -> R) -> R {
    RECORDER.with_borrow_mut(f)
}

/// What runs the program on this OS thread.
#[inline]
pub fn engine() -> Engine {
    ENGINE.get()
}

/// Whether the engine has given up on the current execution, so that only destructors run now.
#[inline]
pub fn dead() -> bool {
    DEAD.get()
}

// ---- for the checkers -------------------------------------------------------------------------

/// Says which engine runs on this OS thread from now on, and forgets what was learnt of the last
/// program.
pub fn enter(engine: Engine) {
    ENGINE.set(engine);
    DEAD.set(false);
    GIVEN_UP.set(None);
    BEFORE_DEADLOCKS.set(None);
    with(|recorder| {
        recorder.only_seq_cst = true;
        recorder.hides_loads = false;
        recorder.uses_atomics = false;
        recorder.plain_data = false;
        recorder.models = false;
        recorder.events.clear();
        recorder.objects.clear();
        recorder.actors.clear();
    });
}

/// Begins a new execution: nobody but the scenario itself, no objects, no events.
pub fn begin_execution() {
    ACTOR.set(0);
    HELD.set(false);
    DEAD.set(false);
    GENERATION.set(GENERATION.get().wrapping_add(1));
    super::journal::begin_execution();
    PANICKED.set(0);
    with(|recorder| {
        recorder.can_deadlock = false;
        recorder.models |= recorder.models_in_this_execution();
        recorder.events.clear();
        recorder.objects.clear();
        recorder.failures.clear();
        recorder.actors.clear();
        recorder.actors.push(Actor::new(Some("main".into()), None));
    });
}

/// Says that the engine cannot go on with this execution.
pub fn engine_died() {
    DEAD.set(true);
}

/// Says that the engine cannot go on, for a reason that is no failure of the program.
pub fn give_up(why: &'static str) {
    GIVEN_UP.set(Some(why));
    engine_died();
}

/// Why the engine gave the program up, if it did.
pub fn given_up() -> Option<&'static str> {
    GIVEN_UP.get()
}

/// Whether every atomic access so far was `SeqCst`.
pub fn only_seq_cst() -> bool {
    with(|recorder| recorder.only_seq_cst)
}

/// Whether the program so far had a thread load and then write an atomic that another one loads.
///
/// loom remembers one access per atomic. A thread's own load hides the other's from it, and it
/// never tries to run the store before that load.
pub fn hides_loads() -> bool {
    with(|recorder| recorder.hides_loads)
}

/// Whether the program so far made a thread, a lock, an atomic or anything else of the model world.
pub fn models_anything() -> bool {
    with(|recorder| recorder.models || recorder.models_in_this_execution())
}

/// Whether the program so far accessed an atomic.
pub fn uses_atomics() -> bool {
    with(|recorder| recorder.uses_atomics)
}

/// Whether the program so far had plain data that threads could race for.
pub fn plain_data() -> bool {
    with(|recorder| recorder.plain_data)
}

/// Notes that the program has plain data that threads could race for.
pub fn has_plain_data() {
    with(|recorder| recorder.plain_data = true);
}

/// Whether loads of the same atomic shall count as conflicting, so that none is hidden.
pub fn loads_conflict() -> bool {
    LOADS_CONFLICT.get()
}

/// Says whether loads of the same atomic shall count as conflicting.
pub fn set_loads_conflict(conflict: bool) {
    LOADS_CONFLICT.set(conflict);
}

/// Says that the current actor begins to panic.
pub fn panic_begins() {
    PANICKED.set(PANICKED.get() | 1 << (ACTOR.get() % 64));
}

/// Whether the current actor is unwinding. An engine may run other threads while one unwinds, on the
/// same OS thread, so that std's answer is the same for all of them.
pub fn panicking() -> bool {
    if !std::thread::panicking() {
        PANICKED.set(0);
        return false;
    }
    engine() == Engine::None || PANICKED.get() & 1 << (ACTOR.get() % 64) != 0
}

/// Notes a failure of the current actor: an event of the trace, and a reason for the verdict.
pub fn fail(class: Class, message: String, at: Option<Place>) {
    let actor = ACTOR.get();
    with(|recorder| {
        let number = recorder.failures.len() as u32;
        recorder.failures.push(Failure {
            class,
            actor,
            message,
            observed: false,
        });
        // What the engine finds is no operation: the trace ends before it.
        if let Some(at) = at {
            recorder.push(Recorded {
                target: Target::Failure(number),
                ..Recorded::of(Op::Panic, "panic", actor, at)
            });
        }
    });
}

/// The failures of this execution, in the order in which they were noticed.
pub fn failures() -> Vec<Failure> {
    with(|recorder| recorder.failures.clone())
}

/// How many operations this execution has recorded so far.
pub fn events_so_far() -> usize {
    with(|recorder| recorder.events.len())
}

/// How often the actor changed from one operation to the next.
pub fn switches() -> usize {
    with(|recorder| {
        let shown = recorder.events.iter().filter(|event| !event.op.is_quiet());
        let actors = shown.map(|event| event.actor);
        let next = actors.clone().skip(1);
        actors.zip(next).filter(|(one, other)| one != other).count()
    })
}

/// The names of the reference-counted values that nothing freed.
pub fn leaked() -> Vec<String> {
    with(|recorder| {
        let alive = |object: &Object| object.alive;
        if !recorder.objects.iter().any(alive) {
            return Vec::new();
        }
        let named = recorder.objects.iter().zip(recorder.object_names());
        named
            .filter(|(object, _)| alive(object))
            .map(|(_, name)| name)
            .collect()
    })
}

/// Weakens one ordering in all executions to come, or none.
pub fn mutate(mutation: Option<Mutation>) {
    with(|recorder| recorder.mutation = mutation);
}

/// Begins to collect the sites at which the program names an ordering.
pub fn collect_sites() {
    with(|recorder| recorder.sites = Some(BTreeSet::new()));
}

/// What is asked of the recorder, beside recording.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    sites: Option<BTreeSet<(Site, OrderingKey)>>,
    mutation: Option<Mutation>,
}

/// Takes the settings, to go on with them on another OS thread.
pub fn take_settings() -> Settings {
    with(|recorder| Settings {
        sites: recorder.sites.take(),
        mutation: recorder.mutation.take(),
    })
}

/// Sets what [`take_settings`] took.
pub fn put_settings(settings: Settings) {
    with(|recorder| {
        recorder.sites = settings.sites;
        recorder.mutation = settings.mutation;
    });
}

/// The sites collected, each with its ordering.
pub fn collected_sites() -> Vec<(Site, Ordering)> {
    let sites = with(|recorder| recorder.sites.take()).unwrap_or_default();
    sites
        .into_iter()
        .map(|(site, key)| (site, ordering_named(key)))
        .collect()
}

/// The execution so far, with names for everything.
pub fn trace() -> Trace {
    with(|recorder| recorder.trace())
}

// ---- for the model world's types --------------------------------------------------------------

/// The recorder's handle for a lock, an atomic, a cell or a reference-counted value.
#[derive(Clone, Copy, Debug)]
pub struct ObjectId {
    id: u32,
    generation: u32,
}

impl ObjectId {
    /// Announces a new object. Outside of an engine it has no identity, and needs none.
    pub fn new(kind: &'static str, initial: Value, created: Place) -> ObjectId {
        if engine() == Engine::None || dead() {
            return ObjectId {
                id: u32::MAX,
                generation: 0,
            };
        }
        with(|recorder| {
            let id = recorder.objects.len() as u32;
            recorder.objects.push(Object {
                kind,
                label: None,
                created,
                used: None,
                newest: initial,
                alive: false,
                holders: Vec::new(),
                loaded_by: 0,
                updated_by: 0,
            });
            ObjectId {
                id,
                generation: GENERATION.get(),
            }
        })
    }

    /// Gives the object a name of its own.
    pub fn label(self, label: &str) {
        with(|recorder| {
            if let Some(object) = recorder.objects.get_mut(self.id as usize) {
                object.label = Some(label.to_owned());
            }
        });
    }

    /// The newest value stored in it.
    pub fn newest(self) -> Value {
        with(|recorder| {
            recorder
                .objects
                .get(self.id as usize)
                .map_or(Value::Nothing, |o| o.newest)
        })
    }

    /// Whether the current actor holds it.
    pub fn held_by_me(self) -> bool {
        let me = ACTOR.get();
        with(|recorder| {
            let object = recorder.objects.get(self.id as usize);
            object.is_some_and(|object| object.holders.contains(&me))
        })
    }

    /// Whether another actor waits to write it.
    pub fn awaited_by_writer(self) -> bool {
        with(|recorder| {
            let pending = recorder.actors.iter().filter_map(|actor| actor.pending);
            let mut waiting = pending.filter(|pending| pending.target == self.target());
            waiting.any(|pending| pending.call == "write")
        })
    }

    /// Whether it was made in this execution.
    #[inline]
    fn is_current(self) -> bool {
        self.generation == GENERATION.get()
    }

    fn target(self) -> Target {
        Target::Object(self.id)
    }
}

impl Object {
    fn hides_loads(&self) -> bool {
        self.updated_by != 0 && self.loaded_by.count_ones() > 1
    }
}

impl Actor {
    /// How often the actor has read the same value at the same place, with nothing in between.
    fn repeat(&mut self, here: Place, object: ObjectId, value: Value) -> u32 {
        let repeats = match self.spin {
            Some((at, id, seen, repeats))
                if std::ptr::eq(at, here) && id == object.id && seen == value =>
            {
                repeats + 1
            }
            _ => 0,
        };
        self.spin = Some((here, object.id, value, repeats));
        repeats
    }

    fn new(name: Option<Cow<'static, str>>, parent: Option<ActorId>) -> Actor {
        Actor {
            name,
            parent,
            pending: None,
            finished: false,
            spin: None,
        }
    }
}

impl Recorded {
    fn of(op: Op, call: &'static str, actor: ActorId, at: Place) -> Recorded {
        Recorded {
            at,
            call,
            read: Value::Nothing,
            value: Value::Nothing,
            newest: Value::Nothing,
            ordering: None,
            target: Target::None,
            actor,
            op,
        }
    }
}

/// The current actor.
pub fn current() -> ActorId {
    ACTOR.get()
}

/// Runs a part of an engine that may let other actors run, and reinstates the current one.
pub fn keeping_actor<R>(engine: impl FnOnce() -> R) -> R {
    let me = ACTOR.get();
    let result = engine();
    ACTOR.set(me);
    result
}

/// Whether an actor has finished.
pub fn has_finished(actor: ActorId) -> bool {
    with(|recorder| {
        recorder
            .actors
            .get(actor as usize)
            .is_none_or(|actor| actor.finished)
    })
}

/// Asks the scheduler to let the current actor run on until it blocks or is released, since what it
/// is about to do is one step.
pub fn hold() {
    HELD.set(engine() == Engine::Shuttle);
}

/// Ends what [`hold`] began.
pub fn release() {
    HELD.set(false);
}

/// Whether the current actor is to run on.
pub fn is_held() -> bool {
    HELD.get()
}

/// Notes what a cell holds after a write that has just been recorded.
pub fn written(object: ObjectId, value: Value) {
    with(|recorder| {
        if !object.is_current() {
            return;
        }
        recorder.objects[object.id as usize].newest = value;
        let target = object.target();
        let write = recorder
            .events
            .iter_mut()
            .rev()
            .find(|event| event.target == target);
        if let Some(write) = write {
            write.value = value;
        }
    });
}

/// Registers a thread that is about to be spawned.
pub fn new_actor(name: Option<String>) -> ActorId {
    let actor = Actor::new(name.map(Cow::Owned), Some(ACTOR.get()));
    with(|recorder| {
        recorder.actors.push(actor);
        (recorder.actors.len() - 1) as ActorId
    })
}

/// The name of an actor, if it was given one.
pub fn actor_name(actor: ActorId) -> Option<String> {
    with(|recorder| {
        recorder
            .actors
            .get(actor as usize)
            .and_then(|actor| actor.name.as_deref().map(str::to_owned))
    })
}

/// Called by a thread as its first act.
pub fn actor_started(actor: ActorId) {
    ACTOR.set(actor);
}

/// Called by a thread as its last act.
pub fn actor_finished(actor: ActorId) {
    let holds = with(|recorder| {
        recorder.actors[actor as usize].finished = true;
        recorder.holds(actor)
    });
    if holds {
        deadlock::becomes_possible();
    }
}

/// Says that the program looked at the panics of a thread: it joined the thread, or caught them.
/// What an engine found remains a failure, whoever caught the panic that it came as.
pub fn panics_observed(actor: ActorId) {
    with(|recorder| {
        for failure in recorder.failures.iter_mut().filter(|failure| {
            failure.actor == actor && matches!(failure.class, Class::Panic | Class::Assertion)
        }) {
            failure.observed = true;
        }
    });
}

/// Says that a reference-counted value is alive, or no longer is.
pub fn set_alive(object: ObjectId, alive: bool) {
    with(|recorder| {
        // Outside of an engine an object has no record.
        if object.is_current()
            && let Some(object) = recorder.objects.get_mut(object.id as usize)
        {
            object.alive = alive;
        }
    });
}

impl From<ObjectId> for Target {
    fn from(object: ObjectId) -> Target {
        object.target()
    }
}

fn ordering_name(ordering: Ordering) -> OrderingKey {
    match ordering {
        Ordering::Relaxed => "Relaxed",
        Ordering::Acquire => "Acquire",
        Ordering::Release => "Release",
        Ordering::AcqRel => "AcqRel",
        _ => "SeqCst",
    }
}

fn ordering_named(name: OrderingKey) -> Ordering {
    match name {
        "Relaxed" => Ordering::Relaxed,
        "Acquire" => Ordering::Acquire,
        "Release" => Ordering::Release,
        "AcqRel" => Ordering::AcqRel,
        _ => Ordering::SeqCst,
    }
}
