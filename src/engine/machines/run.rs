//! One run of one machine, alone: from its start, with the list of what it took in.
//!
//! The machine is a coroutine. A machine that waits at the end of the list is thrown away: it goes on in a
//! world in which nothing that it does counts, and every wait unwinds, so that it drops what it owns.

use super::disk::Disk;
use super::program::{Files, Machine, Stream};
use crate::Place;
use crate::run::{OwnStack, Stacks, turn_to};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

/// The largest number of effects between two waits of a machine.
pub const MAX_EFFECTS: usize = 10_000;

/// The largest number of inputs of a machine from its start on.
pub const MAX_INPUTS: usize = 1_000;

/// How often a machine that is thrown away may wait, for example because it catches all panics in a loop.
const MAX_DEAD_WAITS: u32 = 100;

/// What a machine waits for, or why it does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wants {
    /// To be started.
    Boot,
    /// Its turn, because it is about to do something whose order matters to others.
    Turn,
    Receive,
    ReceiveFor(Duration),
    Sleep(Duration),
    /// One of so many ways.
    Choice(u8),
    Time,
    /// Something from a stream, at most so many bytes.
    Read {
        stream: u8,
        most: usize,
    },
    /// The result of a sync that may fail.
    Sync,
    /// Nothing: it has taken too many steps.
    Nothing,
    Returned,
    Stopped,
}

/// What it gets.
#[derive(Clone, Debug)]
pub enum Given {
    Go,
    Message {
        from: usize,
        content: Rc<[u8]>,
    },
    TimeOut,
    Choice(u8),
    Time(u64),
    /// From a stream. Nothing: it has ended.
    Bytes(Rc<[u8]>),
    Synced(bool),
    /// The end: it is being thrown away.
    Death,
}

/// What it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub at: Option<Place>,
    pub does: Does,
}

/// See [`steps`](super::steps).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    Send {
        to: usize,
        content: Rc<[u8]>,
        shown: Rc<str>,
    },
    Observe {
        what: Rc<[u8]>,
        shown: Rc<str>,
    },
    Stream {
        stream: u8,
        bytes: Rc<[u8]>,
    },
    Write {
        file: String,
        bytes: Vec<u8>,
    },
    Append {
        file: String,
        bytes: Vec<u8>,
    },
    Sync {
        file: String,
        ok: bool,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        file: String,
    },
    SyncDir,
    Panic(String),
}

impl Does {
    pub fn is_panic(&self) -> bool {
        matches!(self, Does::Panic(_))
    }

    /// Whether others see it.
    fn is_seen(&self) -> bool {
        matches!(
            self,
            Does::Send { .. } | Does::Observe { .. } | Does::Stream { .. }
        )
    }

    /// Does to a disk what it does to one.
    pub fn apply(&self, disk: &mut Disk) {
        match self {
            Does::Write { file, bytes } => disk.write(file, bytes),
            Does::Append { file, bytes } => disk.append(file, bytes),
            Does::Sync { file, ok } => disk.sync(file, *ok),
            Does::Rename { from, to } => drop(disk.rename(from, to)),
            Does::Remove { file } => drop(disk.remove(file)),
            Does::SyncDir => disk.sync_dir(),
            Does::Send { .. } | Does::Observe { .. } | Does::Stream { .. } | Does::Panic(_) => {}
        }
    }
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub wants: Wants,
    /// Where it waits.
    pub at: Option<Place>,
    /// What it has done since its last input.
    pub effects: Vec<Effect>,
    pub disk: Disk,
    /// What it has said that it remembers, and where.
    pub declared: Option<(u64, Place)>,
    /// What it has returned.
    pub returned: Option<String>,
}

/// How runs are done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Whether a sync may fail.
    pub syncs_fail: bool,
    /// Broken rules.
    pub no_split: bool,
    pub no_split_of_writes: bool,
    pub boots_observe: bool,
}

/// The machine that runs on this OS thread.
struct Live {
    machine: usize,
    machines: usize,
    streams: Rc<[Stream]>,
    manner: Manner,
    yielder: *const Yielder<Given, Wait>,
    effects: Vec<Effect>,
    disk: Disk,
    declared: Option<(u64, Place)>,
    /// Whether the block so far must come before an observation that follows.
    binds: bool,
    dead: bool,
    dead_waits: u32,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    wants: Wants,
    at: Place,
}

/// What unwinds a machine that is thrown away.
struct Death;

thread_local! {
    static LIVE: RefCell<Option<Live>> = const { RefCell::new(None) };
    /// Whether there is one, for those who come at the very end of the OS thread.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Calls `f` with the running machine.
fn with<R>(f: impl FnOnce(&mut Live) -> R) -> R {
    LIVE.with_borrow_mut(|live| f(live.as_mut().expect("no machine is running")))
}

/// Whether a machine runs on this OS thread.
pub fn is_running() -> bool {
    RUNNING.get()
}

/// Whether the running machine is thrown away.
pub fn is_dead() -> bool {
    with(|live| live.dead)
}

/// The number of the running machine.
pub fn me() -> usize {
    with(|live| live.machine)
}

/// The number of machines.
pub fn machines() -> usize {
    with(|live| live.machines)
}

/// Looks at a stream.
pub fn with_stream<R>(stream: usize, f: impl FnOnce(&Stream) -> R) -> R {
    let streams = with(|live| Rc::clone(&live.streams));
    let count = streams.len();
    let stream = streams.get(stream);
    f(stream.unwrap_or_else(|| panic!("there are only {count} streams")))
}

/// Looks at the disk.
pub fn with_disk<R>(f: impl FnOnce(&Disk) -> R) -> R {
    with(|live| f(&live.disk))
}

/// Whether a `sync` of the file now may fail.
pub fn sync_may_fail(file: &str) -> bool {
    with(|live| live.manner.syncs_fail && live.disk.is_dirty(file))
}

/// Notes what the machine says that it remembers.
pub fn declare(hash: u64, at: Place) {
    with(|live| live.declared = Some((hash, at)));
}

/// Waits. `None` if the machine is unwinding: then it cannot.
pub fn wait(wants: Wants, at: Place) -> Option<Given> {
    if std::thread::panicking() {
        return None;
    }
    let (yielder, is_dead) = with(|live| {
        live.dead_waits += u32::from(live.dead);
        (live.yielder, live.dead && live.dead_waits <= MAX_DEAD_WAITS)
    });
    if is_dead {
        resume_unwind(Box::new(Death));
    }
    // SAFETY: the yielder lives on the stack of the coroutine that runs this, below this frame.
    let given = unsafe { (*yielder).suspend(Wait { wants, at }) };
    if matches!(given, Given::Death) {
        resume_unwind(Box::new(Death));
    }
    Some(given)
}

/// Does something. In a machine that is unwinding or thrown away, that does not count.
pub fn act(does: Does, at: Place) {
    if std::thread::panicking() || with(|live| live.dead) {
        return;
    }
    let in_order = with(|live| live.in_order_with_others(&does));
    if in_order && with(|live| live.binds) {
        wait(Wants::Turn, at);
    }
    let too_many = with(|live| {
        live.binds |= does.is_seen();
        does.apply(&mut live.disk);
        live.effects.push(Effect { at: Some(at), does });
        live.effects.len() > MAX_EFFECTS
    });
    if too_many {
        wait(Wants::Nothing, at);
    }
}

impl Live {
    /// Whether others can tell what came first, this or what they do.
    fn in_order_with_others(&self, does: &Does) -> bool {
        match does {
            Does::Observe { .. } => !self.manner.no_split,
            Does::Stream { stream, .. } => {
                let writers = self.streams[usize::from(*stream)].from.len();
                writers > 1 && !self.manner.no_split_of_writes
            }
            _ => false,
        }
    }
}

/// Runs machines, one after the other.
#[derive(Default)]
pub struct Runner {
    stacks: Stacks,
    /// The number of runs.
    pub runs: u64,
}

type Life = Coroutine<Given, Wait, Result<String, String>, OwnStack>;

impl Runner {
    /// Runs a machine from its start. `None` if there is no memory for its stack.
    pub fn run(
        &mut self,
        machines: &[Machine],
        streams: &Rc<[Stream]>,
        machine: usize,
        files: &Files,
        manner: Manner,
        inputs: impl Iterator<Item = Given>,
    ) -> Option<Ran> {
        assert!(!is_running(), "a machine must not explore a program");
        self.runs += 1;
        let stack = self.stacks.take(None).ok()?;
        turn_to(stack.extent);
        let live = Live {
            machine,
            machines: machines.len(),
            streams: Rc::clone(streams),
            manner,
            yielder: std::ptr::null(),
            effects: Vec::new(),
            disk: Disk::of(files),
            declared: None,
            binds: false,
            dead: false,
            dead_waits: 0,
        };
        LIVE.set(Some(live));
        RUNNING.set(true);
        let body = Rc::clone(&machines[machine].body);
        let mut life = Life::with_stack(stack, move |yielder, _| {
            with(|live| live.yielder = yielder);
            catch_unwind(AssertUnwindSafe(|| body())).map_err(|panic| message(&*panic))
        });
        let ran = feed(&mut life, inputs);
        bury(&mut life);
        RUNNING.set(false);
        LIVE.set(None);
        self.stacks.give(life.into_stack());
        Some(ran)
    }
}

/// Gives a machine its inputs, and notes what it does with the last one.
fn feed(life: &mut Life, inputs: impl Iterator<Item = Given>) -> Ran {
    let mut state = (Wants::Boot, None, None);
    for (nth, given) in inputs.enumerate() {
        with(|live| {
            live.effects.clear();
            let goes_on = state.0 == Wants::Turn;
            if !goes_on {
                live.declared = None;
            }
            // The first block of a machine comes before all else, so it must not be seen. A block that
            // begins with a look at the clock must not be split from it either way.
            let is_first = nth == 0 && !live.manner.boots_observe;
            live.binds = is_first || matches!(given, Given::Time(_));
        });
        state = match life.resume(given) {
            CoroutineResult::Yield(wait) => (wait.wants, Some(wait.at), None),
            CoroutineResult::Return(Ok(result)) => (Wants::Returned, None, Some(result)),
            CoroutineResult::Return(Err(message)) => {
                let does = Does::Panic(message);
                with(|live| live.effects.push(Effect { at: None, does }));
                (Wants::Returned, None, Some(String::new()))
            }
        };
        if life.done() {
            break;
        }
    }
    with(|live| {
        let mut disk = live.disk.clone();
        disk.tidy();
        Ran {
            wants: state.0,
            at: state.1,
            effects: std::mem::take(&mut live.effects),
            disk,
            declared: live.declared,
            returned: state.2,
        }
    })
}

/// Ends a machine that has not ended.
fn bury(life: &mut Life) {
    with(|live| live.dead = true);
    if life.started() && !life.done() {
        life.resume(Given::Death);
    }
    if !life.done() {
        // SAFETY: it catches every panic and goes on. It will not run again, and nothing on its stack is
        // used by others: what it shares with them it can only share by reference counts.
        unsafe { life.force_reset() };
    }
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}
