//! One operation of the model world, from before its first step until after its last.

use super::flags::{self, Flags};
use super::record::Recorded;
use super::{Execution, Shared, with, with_execution};
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, ThreadId};
use heisenbug_trace::{Op, Value, keep};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The target of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Target {
    /// None, as for a fence.
    #[default]
    None,
    /// A lock, an atomic, a cell: its number among the objects of the execution.
    Object(u32),
    /// A thread: its number among those of the execution.
    Thread(u32),
    /// None, but there is a text to show.
    Note(Arc<str>),
}

/// One operation of the running thread. Each is closed by one of its methods, unless the thread
/// never returns from a step.
#[must_use = "an operation that was begun must be closed"]
pub(crate) struct Call {
    name: &'static str,
    at: Place,
    recording: bool,
}

/// The call that a thread is in, if it is one that can block.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) call: &'static str,
    pub(super) target: Target,
    pub(super) at: Place,
}

/// Something that can be the target of an operation.
pub(crate) trait Mark {
    /// Its target in this execution.
    fn target(&self, execution: &mut Execution) -> Target;

    /// Whether it is a part of another object, whose operation is what the timeline shows.
    fn is_inner(&self) -> bool {
        false
    }
}

impl Mark for () {
    fn target(&self, _: &mut Execution) -> Target {
        Target::None
    }
}

impl Mark for Target {
    fn target(&self, _: &mut Execution) -> Target {
        self.clone()
    }
}

/// Notes that the program uses something of this world, even if only as its exclusive owner.
#[inline]
pub(crate) fn used() {
    if flags::get().contains(Flags::NOTHING_YET) {
        flags::clear(Flags::NOTHING_YET);
    }
}

impl Call {
    /// Begins an operation, if a model thread runs. `None` otherwise: there is no model to take a step in.
    #[inline]
    pub(crate) fn begin(name: &'static str, at: Place) -> Option<Call> {
        if !steps::running() {
            return None;
        }
        used();
        let flags = flags::get();
        Some(Call {
            name,
            at,
            recording: flags.contains(Flags::RECORDING),
        })
    }

    /// The operation's place in the source.
    pub(crate) fn at(&self) -> Place {
        self.at
    }

    /// The ordering to use: the given one, unless this site is being weakened.
    #[inline]
    pub(crate) fn ordering(&self, slot: u8, ordering: Ordering) -> Ordering {
        if !flags::get().contains(Flags::ORDERINGS) {
            return ordering;
        }
        with(|session| session.sites.ordering(self.at, slot, ordering)).unwrap_or(ordering)
    }

    /// Whether the operation is recorded: otherwise what is only shown need not be computed.
    #[inline]
    pub(crate) fn recording(&self) -> bool {
        self.recording
    }

    /// Whether an operation on it is recorded.
    #[inline]
    fn records(&self, mark: &impl Mark) -> bool {
        self.recording && !mark.is_inner()
    }

    /// Says that the operation may block, and on what.
    #[inline]
    pub(crate) fn waits_for(&self, mark: &impl Mark) {
        if self.recording {
            self.waits_in(self.name, mark);
        }
    }

    /// As [`waits_for`](Self::waits_for), under the name of another call.
    pub(crate) fn waits_in(&self, call: &'static str, mark: &impl Mark) {
        if self.records(mark) {
            with_execution(|execution| {
                let target = mark.target(execution);
                execution.threads.current_mut().pending = Some(Pending {
                    call,
                    target,
                    at: self.at,
                });
            });
        }
    }

    /// Closes an operation that leaves no row.
    #[inline]
    pub(crate) fn silent(self) {
        if self.recording {
            with_execution(|execution| execution.threads.current_mut().pending = None);
        }
    }

    /// Closes an operation without values.
    #[inline]
    pub(crate) fn done(self, op: Op, mark: &impl Mark) {
        if self.recording {
            self.row(op, mark, |_, _| {});
            self.silent();
        }
    }

    /// Closes a fence.
    pub(crate) fn fence(self, ordering: Ordering) {
        if self.recording {
            self.row(Op::Fence, &(), |event, _| event.ordering = Some(ordering));
            self.silent();
        }
    }

    /// Closes a read. `before` is what the object held before its first step.
    #[inline]
    pub(crate) fn read(
        self,
        op: Op,
        shared: &Shared,
        before: Value,
        value: Value,
        ordering: Option<Ordering>,
    ) {
        if self.recording {
            self.row(op, shared, |event, execution| {
                let newest = execution.objects.newest(&event.target, before);
                event.read = value;
                event.ordering = ordering;
                if newest != value {
                    event.newest = newest;
                }
            });
            self.silent();
        }
    }

    /// Closes a write, or a read-modify-write.
    #[inline]
    pub(crate) fn write(
        self,
        op: Op,
        shared: &Shared,
        read: Value,
        value: Value,
        ordering: Option<Ordering>,
    ) {
        if self.recording {
            self.row(op, shared, |event, execution| {
                event.read = read;
                event.value = value;
                event.ordering = ordering;
                execution.objects.written(&event.target, value);
            });
            self.silent();
        }
    }

    /// Closes a notification that wakes these threads.
    #[inline]
    pub(crate) fn notified(self, op: Op, mark: &impl Mark, woken: impl Iterator<Item = ThreadId>) {
        if self.records(mark) {
            self.row(op, mark, |event, execution| {
                let numbers = woken.map(|thread| execution.threads.number_of(thread));
                event.wakes = Some(numbers.collect());
            });
            self.silent();
        }
    }

    /// Closes an operation that gets `value` from somewhere. It is not compared with the last value
    /// sent: a channel is a queue.
    pub(crate) fn received(self, op: Op, mark: &impl Mark, value: Value) {
        if self.recording {
            self.row(op, mark, |event, _| event.read = value);
            self.silent();
        }
    }

    /// Closes an operation that takes a value out of a channel.
    pub(crate) fn takes_out(self, channel: &Shared, value: Value) {
        if self.recording {
            self.row(Op::Recv, channel, |event, execution| {
                event.read = value;
                event.holds(execution.objects.takes_out(&event.target));
            });
            self.silent();
        }
    }

    /// Closes a send whose value is taken back, since nobody receives it.
    pub(crate) fn takes_back(self, op: Op, channel: &Shared) {
        if self.recording {
            self.row(op, channel, |event, execution| {
                execution.objects.takes_back(&event.target);
            });
            self.silent();
        }
    }

    /// Closes a change of something that is no atomic of the program's own.
    pub(crate) fn changed(
        self,
        op: Op,
        mark: &impl Mark,
        read: Value,
        value: Value,
        ordering: Ordering,
    ) {
        if self.recording {
            self.row(op, mark, |event, _| {
                event.read = read;
                event.value = value;
                event.ordering = Some(ordering);
            });
            self.silent();
        }
    }

    /// Adds a row for a value that is put into a channel while the operation goes on.
    pub(crate) fn puts_in(&self, channel: &Shared, value: Value) {
        if self.recording {
            self.row(Op::Send, channel, |event, execution| {
                event.value = value;
                event.holds(execution.objects.puts_in(&event.target, value));
            });
        }
    }

    /// Closes the acquisition of a lock, which protects `value`.
    #[inline]
    pub(crate) fn acquired(self, op: Op, lock: &Shared, value: impl FnOnce() -> Value) {
        if self.records(lock) {
            let value = value();
            self.row(op, lock, |event, execution| {
                event.read = value;
                execution.objects.held(&event.target, event.thread);
            });
            self.silent();
        }
    }

    /// Closes the conversion of a held lock into another kind.
    pub(crate) fn turned(self, op: Op, lock: &Shared, value: impl FnOnce() -> Value) {
        if self.recording {
            let value = value();
            self.row(op, lock, |event, _| event.read = value);
            self.silent();
        }
    }

    /// Closes the release of a lock, which leaves `value` behind. `changed` if it may have been changed.
    #[inline]
    pub(crate) fn released(self, op: Op, lock: &Shared, value: Value, changed: bool) {
        if self.records(lock) {
            self.row(op, lock, |event, execution| {
                event.value = value;
                event.changed = (value == Value::Nothing).then_some(changed);
                execution.objects.let_go(&event.target, event.thread);
            });
            self.silent();
        }
    }

    /// Closes a statement of a database, with what it answered, or the name of its error.
    pub(crate) fn statement(
        self,
        op: Op,
        database: &Shared,
        sql: impl FnOnce() -> String,
        answer: impl FnOnce() -> String,
    ) {
        if self.recording {
            self.sql(op, database, sql, Some(answer()));
            self.silent();
        }
    }

    /// Notes that a statement waits for what these threads hold.
    pub(crate) fn statement_waits(
        &self,
        database: &Shared,
        sql: impl FnOnce() -> String,
        holders: &[ThreadId],
    ) {
        if self.recording {
            self.sql(Op::StatementWaits, database, sql, None);
            with_execution(|execution| {
                let numbers = holders
                    .iter()
                    .map(|&thread| execution.threads.number_of(thread));
                let numbers = numbers.collect();
                execution.record.last_waits_for(numbers);
            });
        }
    }

    /// Adds a row for a statement.
    fn sql(&self, op: Op, database: &Shared, sql: impl FnOnce() -> String, answer: Option<String>) {
        let sql = steps::aside(|| Arc::from(sql()));
        self.row(op, database, |event, _| {
            event.sql = Some(sql);
            if let Some(answer) = answer.filter(|answer| !answer.is_empty()) {
                event.read = Value::Text(keep(&answer));
            }
        });
    }

    /// Notes that the thread gives `mutex` back and begins to wait on `condvar`.
    pub(crate) fn begin_wait(
        &self,
        condvar: &Shared,
        mutex: &Shared,
        value: impl FnOnce() -> Value,
    ) {
        if self.records(condvar) {
            let value = value();
            self.row(Op::Wait, condvar, |event, execution| {
                event.value = value;
                let mutex = mutex.target(execution);
                execution.objects.let_go(&mutex, event.thread);
            });
            self.waits_for(condvar);
        }
    }

    /// Notes that the thread falls asleep on a futex.
    pub(crate) fn begin_sleep(&self, futex: &Shared) {
        if self.recording {
            self.row(Op::Sleep, futex, |_, _| {});
            self.waits_for(futex);
        }
    }

    /// Notes an access to plain data, which is not closed separately: the row is written before the
    /// access, as a thread does not return from a race.
    pub(crate) fn accesses(&self, op: Op, cell: &Shared, before: Value) {
        if self.recording {
            self.row(op, cell, |event, execution| {
                let newest = execution.objects.newest(&event.target, before);
                if op == Op::CellRead {
                    event.read = newest;
                }
            });
        }
    }

    /// Closes a write to plain data, once the written value is known.
    pub(crate) fn wrote(self, cell: &Shared, value: impl FnOnce() -> Value) {
        if self.recording {
            let value = value();
            with_execution(|execution| {
                let target = cell.target(execution);
                execution.objects.written(&target, value);
                execution.record.patch(&target, value);
            });
        }
    }

    /// Closes an operation that takes the value away, or lets the caller change it unseen.
    pub(crate) fn takes(self, shared: &Shared) {
        if self.recording {
            with_execution(|execution| {
                let target = shared.target(execution);
                execution.objects.forget(&target);
            });
        }
    }

    /// Adds a row.
    fn row(&self, op: Op, mark: &impl Mark, fill: impl FnOnce(&mut Recorded, &mut Execution)) {
        with_execution(|execution| {
            let thread = execution.threads.current_number();
            let target = mark.target(execution);
            let mut event = Recorded::of(op, self.name, thread, self.at, target);
            fill(&mut event, execution);
            execution.push(event);
        });
    }
}
