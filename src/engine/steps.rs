//! What a model thread can ask of the engine: a typed step in, a value out.
//!
//! All of these act for the model thread that runs at the moment on this OS thread. Outside of an
//! execution they must not be called (see [`mode`]); in a *dead* execution, whose threads are only
//! being unwound, they do nothing and return at once.

use crate::Place;
use std::sync::atomic::{AtomicU64, Ordering};

/// What happens on this OS thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// No execution: the façade's types are std's.
    Outside,
    /// A model thread runs.
    Running,
    /// The execution is over, and a model thread is being unwound: steps do nothing.
    Dead,
}

/// What happens on this OS thread.
#[inline]
pub fn mode() -> Mode {
    todo!()
}

/// Whether a model thread runs: shorthand for `mode() == Mode::Running`.
#[inline]
pub fn running() -> bool {
    mode() == Mode::Running
}

/// Who an object is, embedded in every object of the façade. Made in a `const`, so that statics are
/// possible; bound to a location of the graph at its first step in an execution.
#[derive(Debug, Default)]
pub struct Object {
    bound: AtomicU64,
}

impl Object {
    /// An object that no execution knows yet.
    pub const fn new() -> Object {
        Object {
            bound: AtomicU64::new(0),
        }
    }
}

/// The number of a model thread within one execution. The scenario itself is number 0.
pub type ThreadId = u8;

/// How a read-modify-write changes what it reads. `bits` (8, 16, 32 or 64) is the width of the value:
/// arithmetic wraps around there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rmw {
    /// The operation.
    pub op: RmwOp,
    /// The operand; for an exchange the new value.
    pub operand: u64,
    /// What an exchange compares with.
    pub expected: u64,
    /// The width of the value.
    pub bits: u8,
    /// Whether the value is widened to 64 bits with its sign.
    pub signed: bool,
}

/// The operation of a [`Rmw`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RmwOp {
    /// `swap`
    Set,
    /// `fetch_add`
    Add,
    /// `fetch_sub`
    Sub,
    /// `fetch_and`
    And,
    /// `fetch_nand`
    Nand,
    /// `fetch_or`
    Or,
    /// `fetch_xor`
    Xor,
    /// `fetch_max` of unsigned values
    Max,
    /// `fetch_min` of unsigned values
    Min,
    /// `fetch_max` of signed values (sign-extended to 64 bits)
    MaxSigned,
    /// `fetch_min` of signed values (sign-extended to 64 bits)
    MinSigned,
    /// `compare_exchange`
    Exchange,
    /// `compare_exchange_weak`: may fail for no reason
    ExchangeWeak,
    /// Takes away one bit that is set; which one is a choice. Writes nothing if none is.
    TakeBit,
}

/// What a read-modify-write found, and what it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The value it read.
    pub read: u64,
    /// The value it wrote; `None` if it wrote nothing (a failed exchange).
    pub wrote: Option<u64>,
}

/// The values that a blocking step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Any value: does not block.
    Any,
    /// Exactly this value.
    Is(u64),
    /// Any but this value.
    IsNot(u64),
    /// At least this value.
    AtLeast(u64),
    /// Less than this value.
    Below(u64),
}

/// Why a choice is offered. Those that stand for something that happens for no reason are taken at
/// most `Config::spurious` times in one execution, counted by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The program's own: as often as it asks.
    Program,
    /// Waking from a condition variable for no reason.
    SpuriousWake,
    /// Returning from `park` for no reason.
    SpuriousUnpark,
    /// Waking from a futex for no reason.
    SpuriousFutex,
    /// A weak compare-exchange that fails although it found what it expected.
    WeakExchange,
    /// A time-out comes before what is waited for. Whoever waits with a time-out and is never
    /// notified times out in the end: such a wait is no deadlock.
    TimeOut,
}

/// Loads the value. `init` is what the object held before its first step in this execution.
pub fn load(object: &Object, init: u64, order: Ordering, at: Place) -> u64 {
    todo!()
}

/// Stores a value.
pub fn store(object: &Object, init: u64, value: u64, order: Ordering, at: Place) {
    todo!()
}

/// A read-modify-write, in one step. An exchange that fails is a load with the ordering `failure`.
pub fn rmw(
    object: &Object,
    init: u64,
    rmw: Rmw,
    success: Ordering,
    failure: Ordering,
    at: Place,
) -> Change {
    todo!()
}

/// A read-modify-write that computes its value by a closure, in one step: `fetch_update`. Where the
/// closure gives up it is a load with the ordering `failure`. The closure takes no steps itself.
/// Also the *opaque* step: what the closure does is done for real, once in each run, in the order of
/// the object's steps.
pub fn update(
    object: &Object,
    init: u64,
    success: Ordering,
    failure: Ordering,
    at: Place,
    change: &mut dyn FnMut(u64) -> Option<u64>,
) -> Change {
    todo!()
}

/// A memory fence.
pub fn fence(order: Ordering, at: Place) {
    todo!()
}

/// Blocks until the value is as wanted, and loads it. With `timed`, waiting for ever is no deadlock.
pub fn await_load(
    object: &Object,
    init: u64,
    until: Until,
    order: Ordering,
    timed: bool,
    at: Place,
) -> u64 {
    todo!()
}

/// Blocks until the value is as wanted, and changes it in the same step.
pub fn await_rmw(
    object: &Object,
    init: u64,
    until: Until,
    rmw: Rmw,
    order: Ordering,
    timed: bool,
    at: Place,
) -> Change {
    todo!()
}

/// One of `0..n`: all of them are explored. 0 is the ordinary course of events.
pub fn choose(n: u8, why: Why, at: Place) -> u8 {
    todo!()
}

/// Takes a mutex: blocks while somebody else (or the caller itself) holds it.
pub fn lock(object: &Object, at: Place) {
    todo!()
}

/// Takes a mutex if nobody holds it.
pub fn try_lock(object: &Object, at: Place) -> bool {
    todo!()
}

/// Gives a mutex back.
pub fn unlock(object: &Object, at: Place) {
    todo!()
}

/// Takes a reader-writer lock for reading. The returned token goes to [`read_unlock`].
pub fn read_lock(object: &Object, at: Place) -> ReadToken {
    todo!()
}

/// Takes a reader-writer lock for reading if nobody writes.
pub fn try_read_lock(object: &Object, at: Place) -> Option<ReadToken> {
    todo!()
}

/// Gives a read lock back.
pub fn read_unlock(object: &Object, token: ReadToken, at: Place) {
    todo!()
}

/// Takes a reader-writer lock for writing.
pub fn write_lock(object: &Object, at: Place) {
    todo!()
}

/// Takes a reader-writer lock for writing if nobody holds it.
pub fn try_write_lock(object: &Object, at: Place) -> bool {
    todo!()
}

/// Gives a write lock back.
pub fn write_unlock(object: &Object, at: Place) {
    todo!()
}

/// Which read section a read lock began.
#[derive(Clone, Copy, Debug)]
pub struct ReadToken(pub(crate) u32);

/// A plain read of data that no step protects. If nothing orders it after the last write of another
/// thread, the calling thread never returns from here: the execution is a data race.
pub fn plain_read(object: &Object, at: Place) {
    todo!()
}

/// A plain write. As [`plain_read`], for all accesses of other threads.
pub fn plain_write(object: &Object, at: Place) {
    todo!()
}

/// The value of an atomic for a thread that has it for itself (`get_mut`, `into_inner`): a plain
/// access to something that others may have accessed by atomic steps. The object is forgotten: its
/// next step begins anew, with whatever `init` is then.
pub fn take_atomic(object: &Object, init: u64, at: Place) -> u64 {
    todo!()
}

/// The object is dropped: a plain write, after which any access is one of freed memory.
pub fn dropped(object: &Object, at: Place) {
    todo!()
}

/// Starts a model thread.
pub fn spawn(body: Box<dyn FnOnce()>, at: Place) -> ThreadId {
    todo!()
}

/// Waits for a thread to end.
pub fn join(thread: ThreadId, at: Place) {
    todo!()
}

/// Whether a thread has ended. Orders nothing, as with std.
pub fn is_finished(thread: ThreadId, at: Place) -> bool {
    todo!()
}

/// The model thread that runs.
pub fn current() -> ThreadId {
    todo!()
}

/// A hint that the caller waits: `spin_loop`, `yield_now`, `sleep`. Orders nothing and promises
/// nothing: it is no event.
pub fn pass(at: Place) {
    todo!()
}

/// Ends the current model thread here, for good. For what cannot be modelled: the execution counts as
/// one of which nothing is known, for the given reason.
pub fn give_up(why: &'static str) -> ! {
    todo!()
}
