//! The panics: noted by the hook, and judged when a thread ends.
//!
//! Whether a thread failed is decided by how it ends, not by the hook: a program may catch its panics, and
//! may replace the hook. The hook only learns where a panic happened.

use super::call::Target;
use super::flags::{self, Flags};
use super::record::Recorded;
use super::{forever, threads, with_execution};
use heisenbug_catalogue::Class;
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, ThreadId};
use heisenbug_trace::{Op, source};
use std::any::{Any, TypeId};
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};

/// A thread that ended with a panic.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind it is.
    pub class: Class,
    /// The thread that panicked.
    pub thread: ThreadId,
    /// The panic's message.
    pub message: String,
    /// Whether the program itself looked at it, by joining the thread that panicked.
    pub observed: bool,
    /// Where it happened, if the hook was called.
    pub place: Option<Place>,
}

/// The failures of one execution.
#[derive(Default)]
pub(super) struct Failures {
    notes: Vec<Note>,
    all: Vec<Ended>,
    /// The threads that have begun to panic.
    panicking: Vec<ThreadId>,
    /// Whether a thread of an earlier execution will never finish its panic: then std reports forever that
    /// this OS thread panics.
    std_is_lost: bool,
}

/// A panic as the hook saw it.
struct Note {
    thread: ThreadId,
    text: Option<String>,
    kind: TypeId,
    class: Class,
    message: String,
    place: Option<Place>,
    /// Whether a thread has ended with this panic.
    spent: bool,
}

/// A thread that ended with a panic, and what identifies the panic.
struct Ended {
    failure: Failure,
    /// The number of the thread that ended with it last: a panic may be resumed in another thread.
    carrier: u32,
    /// The number of the thread that observed it last.
    observer: Option<u32>,
    /// The address of its payload, unless that has no size.
    payload: Option<usize>,
}

impl Failures {
    pub(super) fn all(&self) -> Vec<Failure> {
        self.all.iter().map(|ended| ended.failure.clone()).collect()
    }

    /// Begins an execution.
    pub(super) fn begin(&mut self) {
        self.std_is_lost = std::thread::panicking();
    }

    /// Notes that the thread ended with a panic of that payload.
    fn ended(&mut self, thread: ThreadId, carrier: u32, payload: &(dyn Any + Send)) {
        self.panicking.retain(|other| *other != thread);
        let address = address_of(payload);
        let fresh = |note: &&mut Note| !note.spent && note.thread == thread && note.is_of(payload);
        if let Some(note) = self.notes.iter_mut().rev().find(fresh) {
            note.spent = true;
            let (failure, passes_on) = (note.failure(), note.passes_on());
            if !(passes_on && self.pass_on(carrier, address)) {
                self.add(failure, carrier, address);
            }
            return;
        }
        let same = |ended: &&mut Ended| address.is_some() && ended.payload == address;
        if let Some(resumed) = self.all.iter_mut().find(same) {
            // The same panic again, in another thread or in this one.
            resumed.carrier = carrier;
            resumed.failure.observed = false;
            return;
        }
        let text = text(payload);
        let failure = Failure {
            class: class(text, None),
            thread,
            message: message(text),
            observed: false,
            place: None,
        };
        self.add(failure, carrier, address);
    }

    /// Notes that the thread ended because of the panic that it observed last: it unwrapped a `join`.
    /// Returns whether there is one.
    fn pass_on(&mut self, carrier: u32, payload: Option<usize>) -> bool {
        let mut seen = self.all.iter_mut().rev();
        let Some(seen) = seen.find(|ended| ended.observer == Some(carrier)) else {
            return false;
        };
        seen.carrier = carrier;
        seen.payload = payload;
        seen.observer = None;
        seen.failure.observed = false;
        true
    }

    fn add(&mut self, failure: Failure, carrier: u32, payload: Option<usize>) {
        self.all.push(Ended {
            failure,
            carrier,
            observer: None,
            payload,
        });
    }

    /// Notes that one thread received the panic that another one ended with.
    fn observe(&mut self, carrier: u32, observer: u32) {
        for ended in self.all.iter_mut().filter(|ended| ended.carrier == carrier) {
            ended.failure.observed = true;
            ended.observer = Some(observer);
        }
    }
}

impl Note {
    /// Whether a thread that ends with this payload ends with this panic.
    fn is_of(&self, payload: &(dyn Any + Send)) -> bool {
        match (&self.text, text(payload)) {
            (Some(noted), Some(text)) => noted == text,
            (None, None) => self.kind == payload.type_id(),
            _ => false,
        }
    }

    /// Whether it only passes on another thread's panic: `join().unwrap()`, or the end of a scope.
    fn passes_on(&self) -> bool {
        let text = self.text.as_deref().unwrap_or_default();
        text.ends_with(": Any { .. }") || text == SCOPED
    }

    fn failure(&self) -> Failure {
        Failure {
            class: self.class,
            thread: self.thread,
            message: self.message.clone(),
            observed: false,
            place: self.place,
        }
    }
}

/// For the panic hook: whether a model thread panicked. Then the panic is kept, and must not be printed.
pub fn panicked(info: &PanicHookInfo<'_>) -> bool {
    if !steps::running() {
        return false;
    }
    let text = text(info.payload());
    let note = Note {
        thread: steps::current(),
        text: text.map(str::to_owned),
        kind: info.payload().type_id(),
        class: class(text, info.location()),
        message: message(text),
        place: info.location().map(forever),
        spent: false,
    };
    with_execution(|execution| {
        let failures = &mut execution.failures;
        if !failures.std_is_lost && !std::thread::panicking() {
            // The earlier panics have been caught.
            failures.panicking.clear();
        }
        failures.panicking.push(note.thread);
        if flags::get().contains(Flags::RECORDING)
            && let Some(at) = note.place
        {
            let thread = execution.threads.current_number();
            let said = Target::Note(note.message.as_str().into());
            execution.push(Recorded::of(Op::Panic, "panic", thread, at, said));
        }
        execution.failures.notes.push(note);
    })
    .is_some()
}

/// Whether the running thread is unwinding. Other threads may run meanwhile on the same OS thread, so
/// std's answer is the same for all of them.
#[inline]
pub(crate) fn panicking() -> bool {
    std::thread::panicking() && (!steps::running() || is_me())
}

/// Whether it is the running thread that unwinds, given that one does.
fn is_me() -> bool {
    let me = steps::current();
    with_execution(|execution| {
        let failures = &execution.failures;
        match failures.std_is_lost {
            true => failures.panicking.contains(&me),
            // If the program replaced the hook nothing was noted: most likely it is the thread that asks.
            false => failures.panicking.is_empty() || failures.panicking.contains(&me),
        }
    })
    .unwrap_or(true)
}

/// The last acts of a model thread: drops its thread-locals, and notes how it ended.
pub(crate) fn end_of_thread<T>(result: std::thread::Result<T>) -> std::thread::Result<T> {
    let locals = catch_unwind(AssertUnwindSafe(threads::drop_locals));
    let result = result.and_then(|value| locals.map(|()| value));
    if let Err(payload) = &result {
        with_execution(|execution| {
            let carrier = execution.threads.current_number();
            let failures = &mut execution.failures;
            failures.ended(steps::current(), carrier, &**payload);
        });
    }
    threads::finished();
    result
}

/// The message of the panic of a scope in which a thread panicked, in std's words.
pub(crate) const SCOPED: &str = "a scoped thread panicked";

/// Notes that the program observed how a thread ended: it joined it, and received the panic.
pub(crate) fn observed(thread: &threads::Inner) {
    with_execution(|execution| {
        let observer = execution.threads.current_number();
        execution.failures.observe(thread.number(), observer);
    });
}

fn address_of(payload: &(dyn Any + Send)) -> Option<usize> {
    let address = std::ptr::from_ref(payload).cast::<()>() as usize;
    (size_of_val(payload) > 0).then_some(address)
}

fn text<'a>(payload: &'a (dyn Any + 'static)) -> Option<&'a str> {
    let literal = payload.downcast_ref::<&'static str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// The message that a panic carries.
pub fn message_of(payload: &(dyn Any + Send)) -> String {
    message(text(payload))
}

/// The panic's message.
fn message(text: Option<&str>) -> String {
    text.unwrap_or("a panic without a message").to_owned()
}

/// The class of a panic.
pub fn class_of(info: &PanicHookInfo<'_>) -> Class {
    class(text(info.payload()), info.location())
}

fn class(text: Option<&str>, at: Option<&Location<'_>>) -> Class {
    if at.is_some_and(is_assertion) || text.is_some_and(|text| text.starts_with("assertion")) {
        Class::Assertion
    } else {
        Class::Panic
    }
}

/// Whether the panic comes from an `assert!` in the source. Its message need not show that.
fn is_assertion(location: &Location<'_>) -> bool {
    let text = source::text(location.file());
    let line = text
        .as_deref()
        .and_then(|text| text.lines().nth(location.line() as usize - 1));
    let call = line.and_then(|line| line.get(location.column() as usize - 1..));
    call.is_some_and(|call| call.starts_with("assert") || call.starts_with("debug_assert"))
}
