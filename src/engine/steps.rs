//! The operations of a model thread: a typed step in, a value out.
//!
//! All of these act for the model thread that runs at the moment on this OS thread. Except for [`running`],
//! and where a function says otherwise, they must not be called outside of an execution.

use crate::Place;
use crate::event::{Order, Update};
use crate::memory;
use crate::run::{self, Answer, Step, perform};
use crate::search::Ending;
use std::sync::atomic::{AtomicU64, Ordering};

mod locks;

pub use locks::{
    begins_to_read, downgrade, downgrade_to_upgradable, ends_reading, is_locked,
    is_read_or_write_locked, lock, read_lock, read_lock_again, read_unlock, try_lock, try_lock_for,
    try_read_lock, try_read_lock_again, try_read_lock_for, try_upgradable_lock,
    try_upgradable_lock_for, try_upgrade, try_upgrade_for, try_write_lock, try_write_lock_for,
    unlock, upgradable_lock, upgradable_to_reader, upgradable_unlock, upgrade, write_lock,
    write_unlock,
};

/// Whether a model thread is running.
#[inline]
pub fn running() -> bool {
    run::is_current()
}

/// Sets the function to call when the system has no more memory for a program. It must not allocate.
pub fn on_exhaustion(tell: fn()) {
    memory::on_exhaustion(tell);
}

/// The size of the running model thread's stack, if the address lies beyond its end: touching that
/// address means an overflow. May be called in a signal handler.
pub fn overflowed(address: usize) -> Option<usize> {
    run::overflowed(address)
}

/// A size in words, such as `2 MiB`.
pub fn size_in_words(size: usize) -> String {
    run::in_words(size)
}

/// Calls `f` as something that is not part of the program, such as logging: its allocations are not
/// the program's. Outside of an execution it only calls `f`.
pub fn aside<R>(f: impl FnOnce() -> R) -> R {
    memory::aside(f)
}

/// Says that the program uses a static there: its contents are part of a thread's state, like those of
/// the heap.
///
/// # Safety
///
/// The static must stay readable until the execution is over.
pub unsafe fn uses_static(data: std::ops::Range<usize>) {
    memory::note_static(data);
}

/// Says that the caller, into which this is inlined, is about to take a step that a loop may wait with.
/// Wipes what earlier calls have left on the stack, so that the stack is the same each time at that step:
/// it is compared to tell whether the thread is in the same state as before.
#[inline(always)]
pub fn comes() {
    if run::LOOKS.get() {
        run::wipe();
    }
}

/// The identity of an object, embedded in every object of the façade. Created in a `const`, so that it can
/// be in statics; bound to a location of the graph at its first step in an execution.
#[derive(Debug, Default)]
pub struct Object {
    pub(crate) bound: AtomicU64,
    pointer: bool,
    made: Option<Place>,
}

impl Object {
    /// An object that no execution knows yet.
    pub const fn new() -> Object {
        Object {
            bound: AtomicU64::new(0),
            pointer: false,
            made: None,
        }
    }

    /// The same, for an atomic that holds addresses: these may differ from run to run.
    #[must_use]
    pub const fn of_pointer(self) -> Object {
        Object {
            pointer: true,
            bound: AtomicU64::new(0),
            ..self
        }
    }

    /// The same, for an object that the program creates at that place: its users must know of that. Creating
    /// it is a plain write, even for an atomic (C11, 7.17.2.1: initialising one is not an atomic access).
    #[must_use]
    pub const fn made_at(self, at: Place) -> Object {
        Object {
            made: Some(at),
            bound: AtomicU64::new(0),
            ..self
        }
    }

    #[inline]
    pub(crate) fn is_pointer(&self) -> bool {
        self.pointer
    }

    #[inline]
    pub(crate) fn made(&self) -> Option<Place> {
        self.made
    }
}

/// The number of a model thread within one execution. The scenario itself is number 0.
pub type ThreadId = u8;

/// How a read-modify-write changes the value it reads. `bits` (8, 16, 32 or 64) is the value's width:
/// arithmetic wraps around there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rmw {
    /// The operation.
    pub op: RmwOp,
    /// The operand; for an exchange the new value.
    pub operand: u64,
    /// The value that an exchange compares with.
    pub expected: u64,
    /// The width of the value.
    pub bits: u8,
    /// Whether the value is sign-extended to 64 bits.
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
    /// `compare_exchange_weak`: may fail spuriously
    ExchangeWeak,
    /// Clears one set bit; which one is a choice. Writes nothing if none is set.
    TakeBit,
    /// Adds if the value is less than `expected`.
    AddBelow,
}

/// The result of a read-modify-write.
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
    /// Any value except this one.
    IsNot(u64),
    /// At least this value.
    AtLeast(u64),
    /// Less than this value.
    Below(u64),
}

/// Why a choice is offered. The reasons that stand for spurious events are taken at
/// most `Config::spurious` times in one execution, counted by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The program's own choice: not limited.
    Program,
    /// A weak compare-exchange that fails although it found what it expected.
    WeakExchange,
    /// A spurious wake-up of a condition variable.
    SpuriousWake,
    /// A spurious return from `park`.
    SpuriousUnpark,
    /// A spurious wake-up of a futex.
    SpuriousFutex,
    /// A time-out comes before the awaited event. A thread that waits with a time-out and is never
    /// notified times out in the end: such a wait is not a deadlock.
    TimeOut,
}

/// Loads the value. `init` is the object's value before its first step in this execution.
#[inline(always)]
pub fn load(object: &Object, init: u64, order: Ordering, at: Place) -> u64 {
    await_load(object, init, Until::Any, order, false, at)
}

/// Stores a value.
#[inline(always)]
pub fn store(object: &Object, init: u64, value: u64, order: Ordering, at: Place) {
    let step = Step::Store {
        object,
        init,
        order: order.into(),
        value,
        undoes: false,
    };
    perform(step, at);
}

/// A read-modify-write, in one step. An exchange that fails is a load with the ordering `failure`.
#[inline(always)]
pub fn rmw(
    object: &Object,
    init: u64,
    rmw: Rmw,
    success: Ordering,
    failure: Ordering,
    at: Place,
) -> Change {
    let step = Step::Update {
        object,
        init,
        order: success.into(),
        failure: failure.into(),
        update: Update::Rmw(rmw),
        until: Until::Any,
        timed: false,
        undone: false,
    };
    perform(step, at).into()
}

/// A read-modify-write that computes its value by a closure, in one step: `fetch_update`. If the
/// closure gives up it is a load with the ordering `failure`. The closure must not take steps itself.
#[inline(always)]
pub fn update(
    object: &Object,
    init: u64,
    success: Ordering,
    failure: Ordering,
    at: Place,
    change: &mut dyn FnMut(u64) -> Option<u64>,
) -> Change {
    let step = Step::Update {
        object,
        init,
        order: success.into(),
        failure: failure.into(),
        update: Update::Closure,
        until: Until::Any,
        timed: false,
        undone: false,
    };
    let answer = perform(step, at);
    let new = change(answer.value);
    match new {
        Some(value) if answer.wrote().is_none() => {
            perform(Step::Commit { value }, at);
        }
        Some(value) => run::with(|now| now.fill_in(value)),
        None => {}
    }
    Change {
        read: answer.value,
        wrote: new,
    }
}

/// An *opaque* step: `act` is executed for real, as one step of the object, and its result is returned.
/// So the engine can explore the orders of actions that it knows nothing about, such as the
/// statements of several clients of a database.
///
/// All orders of the opaque steps on one object are explored. In each run, `act` is called once for
/// each such step, in the order of that run. Like a sequentially consistent read-modify-write, the step
/// comes after all opaque steps on the object that were before it, and after all that those came after.
///
/// The data that `act` acts upon must be created by the program in every run, in the same state: the steps
/// after this one depend on the result, and the engine expects the same result whenever the same
/// was done before. `act` must not take steps itself, nor block: if it has to wait it returns that,
/// and the thread waits by a step. A run that leads nowhere is ended by letting its threads run to
/// their ends, so `act` may be called in an order that is not part of any execution.
///
/// ```
/// # use heisenbug_engine::search::{Config, Ending, Leaf, Observer, explore};
/// # use heisenbug_engine::steps::{self, Object};
/// # use std::{cell::RefCell, collections::BTreeSet, panic::Location, rc::Rc};
/// # #[derive(Default)]
/// # struct Count(u64);
/// # impl Observer for Count {
/// #     fn begin(&mut self) {}
/// #     fn ended(&mut self, leaf: &Leaf<'_>) {
/// #         assert_eq!(*leaf.ending, Ending::Complete);
/// #         self.0 += 1;
/// #     }
/// #     fn restart(&mut self) {}
/// #     fn go_on(&mut self, _: u64) -> bool { true }
/// # }
/// # let mut count = Count::default();
/// let program = || {
///     // A table, created in every run. Two clients look for a row, and insert it if there is none.
///     let table = Rc::new((Object::new(), RefCell::new(Vec::new())));
///     for _ in 0..2 {
///         let table = Rc::clone(&table);
///         let client = move || {
///             let (object, rows) = &*table;
///             let here = Location::caller();
///             let found = steps::opaque(object, here, || rows.borrow().contains(&7));
///             if !found {
///                 steps::opaque(object, Location::caller(), || rows.borrow_mut().push(7));
///             }
///         };
///         steps::spawn(Box::new(client), Location::caller());
///     }
/// };
/// explore(&Config::default(), &program, &mut count);
/// // One client is done before the other one looks (2), or both look before they insert (4).
/// assert_eq!(count.0, 6);
/// ```
pub fn opaque<R>(object: &Object, at: Place, act: impl FnOnce() -> R) -> R {
    // Acquire and Release suffice: each opaque step reads what the previous one has written, and nothing
    // else accesses the object, so there is nothing left for `SeqCst` to forbid.
    let order = Ordering::AcqRel;
    rmw(object, 0, Rmw::add(1), order, Ordering::Acquire, at);
    // No other thread runs before this one gets to its next step.
    act()
}

/// A memory fence.
#[inline(always)]
pub fn fence(order: Ordering, at: Place) {
    let order = order.into();
    perform(Step::Fence { order }, at);
}

/// Blocks until the value is an awaited one, and loads it. With `timed`, waiting forever is not a deadlock.
#[inline(always)]
pub fn await_load(
    object: &Object,
    init: u64,
    until: Until,
    order: Ordering,
    timed: bool,
    at: Place,
) -> u64 {
    let step = Step::Load {
        object,
        init,
        order: order.into(),
        until,
        timed,
    };
    perform(step, at).value
}

/// Blocks until the value is an awaited one, and changes it in the same step.
#[inline(always)]
pub fn await_rmw(
    object: &Object,
    init: u64,
    until: Until,
    rmw: Rmw,
    order: Ordering,
    timed: bool,
    at: Place,
) -> Change {
    let order = Order::from(order);
    let step = Step::Update {
        object,
        init,
        order,
        failure: order,
        update: Update::Rmw(rmw),
        until,
        timed,
        undone: false,
    };
    perform(step, at).into()
}

/// Chooses one of `0..n`: all of them are explored. 0 is the ordinary course of events.
///
/// For a program that can continue in several ways for external reasons: the answer of a machine, a
/// random number, a message that is lost. For spurious or rare events, give the reason as `why`: their
/// number per execution is limited.
#[inline(always)]
pub fn choose(n: u8, why: Why, at: Place) -> u8 {
    perform(Step::Choice { n, why }, at).value as u8
}

/// A plain read of data that no step protects. If nothing orders it after the last write of another
/// thread, the execution is a data race, and this never returns.
pub fn plain_read(object: &Object, at: Place) {
    plain(object, false, at);
}

/// A plain write. Like [`plain_read`], but conflicts with all accesses of other threads.
pub fn plain_write(object: &Object, at: Place) {
    plain(object, true, at);
}

fn plain(object: &Object, writes: bool, at: Place) {
    if running() && !run::with(|now| now.plain(object, writes, at)) {
        run::stop();
    }
}

/// The value of an atomic for its exclusive owner (`get_mut`, `into_inner`): a plain access to
/// something that others may have accessed by atomic steps. The object is forgotten: its next step
/// binds it again, with the `init` given then.
pub fn take_atomic(object: &Object, init: u64, at: Place) -> u64 {
    if !running() {
        return init;
    }
    match run::with(|now| now.take(object, init, at)) {
        Some(value) => value,
        None => run::stop(),
    }
}

/// Notes that the object is dropped: a plain write, after which any access is a use after free.
pub fn dropped(object: &Object, at: Place) {
    if running() && !run::with(|now| now.drop_object(object, at)) {
        run::stop();
    }
}

/// Drops something whose owners need not be ordered, such as the value of a reference-counted
/// pointer whose counts are not steps. Returns whether the destructor took no steps: then it cannot be
/// observed which owner was the last.
pub fn drop_unordered(destructor: impl FnOnce()) -> bool {
    if !running() {
        destructor();
        return true;
    }
    let steps = || run::with(|now| now.steps_so_far());
    let set =
        |unordered| run::with(|now| std::mem::replace(&mut now.run.objects.unordered, unordered));
    let (before, outer) = (steps(), set(true));
    destructor();
    set(outer);
    steps() == before
}

/// Starts a model thread. Its stack has std's default size: 2 MiB, or the value of `RUST_MIN_STACK`.
pub fn spawn(body: Box<dyn FnOnce()>, at: Place) -> ThreadId {
    spawn_with_stack(body, None, at)
}

/// The same with a stack of at least that many bytes. If the system has no memory for it, nothing
/// is known of the execution.
pub fn spawn_with_stack(body: Box<dyn FnOnce()>, size: Option<usize>, at: Place) -> ThreadId {
    let slot = perform(Step::Spawn, at).value as ThreadId;
    if running() {
        let body = move || {
            body();
            if knows(LOOKS_AT_ENDS) {
                let ended = run::with(|now| now.ended(slot));
                // SAFETY: see `Execution::ended`.
                store(unsafe { &*ended }, 0, 1, Ordering::Relaxed, at);
            }
        };
        if !run::with(|now| now.started(slot as usize, Box::new(body), size)) {
            run::stop();
        }
    }
    slot
}

/// Waits for a thread to end.
pub fn join(thread: ThreadId, at: Place) {
    let thread = thread as usize;
    perform(Step::Join { thread }, at);
}

/// The facts about a program that change its steps, excluding those of its façade.
pub const FACTS: [&str; 3] = [
    LOOKS_AT_ENDS,
    locks::LOOKS_AT_LOCKS,
    run::WRITERS_WAIT_IN_WORDS,
];

/// The fact that `is_finished` is used: the ends of threads are looked at.
const LOOKS_AT_ENDS: &str = "the ends of threads are looked at";

/// Whether a thread has ended. Orders nothing, as with std.
pub fn is_finished(thread: ThreadId, at: Place) -> bool {
    if !running() {
        return true;
    }
    if !learn(LOOKS_AT_ENDS) {
        return false;
    }
    let ended = run::with(|now| now.ended(thread));
    // SAFETY: see `Execution::ended`.
    load(unsafe { &*ended }, 0, Ordering::Relaxed, at) == 1
}

/// The running model thread.
pub fn current() -> ThreadId {
    if !running() {
        return 0;
    }
    run::with(|now| now.run.current as ThreadId)
}

/// A hint that the caller waits: `spin_loop`, `yield_now`, `sleep`. Orders nothing and promises
/// nothing: it is not an event.
#[inline(always)]
pub fn pass(at: Place) {
    run::pass(at);
}

/// Whether a fact about the program is known.
pub fn knows(fact: &'static str) -> bool {
    running() && run::with(|now| now.explorer.learnt.facts.contains(fact))
}

/// Makes a fact about the program known. Returns whether it was known already: if not, the
/// exploration starts over when this run is over, and the run itself does not count.
pub fn learn(fact: &'static str) -> bool {
    if !running() {
        return true;
    }
    run::with(|now| {
        let is_new = now.explorer.learnt.facts.insert(fact);
        now.explorer.restart |= is_new;
        !is_new
    })
}

/// Stops the current model thread here, forever. For code that cannot be modelled: nothing is known about
/// the execution then, for the given reason.
pub fn give_up(why: &'static str) -> ! {
    run::with(|now| now.run.ending = Some(Ending::GaveUp(why.into())));
    run::stop()
}

impl Rmw {
    fn of(op: RmwOp, expected: u64, operand: u64) -> Rmw {
        Rmw {
            op,
            operand,
            expected,
            bits: 64,
            signed: false,
        }
    }

    /// A 64-bit strong compare-exchange.
    pub fn exchange(expected: u64, new: u64) -> Rmw {
        Rmw::of(RmwOp::Exchange, expected, new)
    }

    /// A 64-bit addition.
    pub fn add(operand: u64) -> Rmw {
        Rmw::of(RmwOp::Add, 0, operand)
    }

    /// A 64-bit subtraction.
    pub fn sub(operand: u64) -> Rmw {
        Rmw::of(RmwOp::Sub, 0, operand)
    }

    /// A 64-bit addition, if the value is less than `limit`.
    pub fn add_below(limit: u64, operand: u64) -> Rmw {
        Rmw::of(RmwOp::AddBelow, limit, operand)
    }

    /// A swap.
    pub fn set(operand: u64) -> Rmw {
        Rmw::of(RmwOp::Set, 0, operand)
    }
}

impl From<Answer> for Change {
    fn from(answer: Answer) -> Change {
        Change {
            read: answer.value,
            wrote: answer.wrote(),
        }
    }
}
