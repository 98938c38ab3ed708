//! `UnsafeCell`, with accesses that have a beginning and an end.

use super::raw;
use super::sync::Labelled;
use crate::trace::recorder::{self, Call, Engine, ObjectId};
use crate::trace::{Op, Value};
use std::cell::Cell;
use std::panic::Location;

/// Plain data that several threads may reach. The checkers report two accesses that nothing orders
/// as a data race.
#[derive(Debug)]
pub struct UnsafeCell<T> {
    object: ObjectId,
    checker: Checker,
    data: std::cell::UnsafeCell<T>,
}

/// What notices that two accesses are not ordered.
#[derive(Debug)]
enum Checker {
    Std,
    /// Compares vector clocks.
    Loom(loom::cell::UnsafeCell<()>),
    /// Sees accesses that overlap: who is in, as a number of readers or -1 for a writer.
    Shuttle(Cell<i32>),
}

impl<T> UnsafeCell<T> {
    /// A cell that holds `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let checker = match recorder::engine() {
            _ if recorder::dead() => Checker::Std,
            Engine::None => Checker::Std,
            Engine::Loom => Checker::Loom(loom::cell::UnsafeCell::new(())),
            Engine::Shuttle => Checker::Shuttle(Cell::new(0)),
        };
        recorder::has_plain_data();
        let object = ObjectId::new("UnsafeCell", Value::peek(&value), Location::caller());
        UnsafeCell {
            object,
            checker,
            data: std::cell::UnsafeCell::new(value),
        }
    }

    /// Gives `read` a pointer to the value, for reading.
    #[track_caller]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        let call = Call::on(self.object, "with", Location::caller());
        match &self.checker {
            Checker::Loom(cell) if !recorder::dead() => {
                // Recorded first: should loom find a race, this is the access that raced.
                call.read(Op::CellRead, self.object, self.object.newest(), None);
                cell.with(|_| read(self.data.get()))
            }
            Checker::Shuttle(inside) if !recorder::dead() => {
                raw::switch_point();
                call.read(Op::CellRead, self.object, self.object.newest(), None);
                let _access = Access::read(inside);
                read(self.data.get())
            }
            _ => read(self.data.get()),
        }
    }

    /// Gives `write` a pointer to the value, for writing.
    #[track_caller]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        let call = Call::on(self.object, "with_mut", Location::caller());
        match &self.checker {
            Checker::Loom(cell) if !recorder::dead() => {
                call.write(
                    Op::CellWrite,
                    self.object,
                    Value::Nothing,
                    Value::Nothing,
                    None,
                );
                let result = cell.with_mut(|_| write(self.data.get()));
                self.note_written();
                result
            }
            Checker::Shuttle(inside) if !recorder::dead() => {
                raw::switch_point();
                call.write(
                    Op::CellWrite,
                    self.object,
                    Value::Nothing,
                    Value::Nothing,
                    None,
                );
                let access = Access::write(inside);
                let result = write(self.data.get());
                drop(access);
                self.note_written();
                result
            }
            _ => write(self.data.get()),
        }
    }

    /// What was written is known only once the closure is done with it.
    fn note_written(&self) {
        // SAFETY: the closure that wrote has returned, no engine switches threads between there and
        // here, and all threads of a model run on one OS thread.
        let value = Value::peek(unsafe { &*self.data.get() });
        recorder::written(self.object, value);
    }

    /// The value, with nobody else looking.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> Self {
        UnsafeCell::new(T::default())
    }
}

/// One access under shuttle, from its beginning to its end.
struct Access<'a> {
    inside: &'a Cell<i32>,
    step: i32,
}

impl<'a> Access<'a> {
    fn read(inside: &'a Cell<i32>) -> Self {
        Access::enter(inside, inside.get() >= 0, 1)
    }

    fn write(inside: &'a Cell<i32>) -> Self {
        Access::enter(inside, inside.get() == 0, -1)
    }

    fn enter(inside: &'a Cell<i32>, allowed: bool, step: i32) -> Self {
        assert!(allowed, "{}", super::cell::OVERLAP);
        inside.set(inside.get() + step);
        Access { inside, step }
    }
}

impl Drop for Access<'_> {
    fn drop(&mut self) {
        self.inside.set(self.inside.get() - self.step);
    }
}

/// The message of the panic that a race ends an access with.
pub(crate) const OVERLAP: &str = "data race: two accesses to the same data overlap";

impl<T> Labelled for UnsafeCell<T> {
    fn labelled(self, label: &str) -> Self {
        self.object.label(label);
        self
    }
}
