//! The objects that threads share: what each object of the model world carries, and what is recorded of it.

use super::call::Target;
use super::{Execution, GENERATION, Mark, recording, with_execution};
use heisenbug_engine::{Place, steps, steps::Object};
use heisenbug_trace::{Value, keep};
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The part that every lock, atomic and cell of the model world contains.
#[derive(Debug)]
pub(crate) struct Shared {
    object: Object,
    kind: &'static str,
    /// Where it was created: the steps of its destructor are shown at that line.
    made: Place,
    label: Option<&'static str>,
    /// The number that a recorded execution gave it, together with that execution's own number.
    known: AtomicU64,
}

/// The kind of an object inside of another one: its operations are no rows of the timeline.
pub(crate) const INNER: &str = "inner";

impl Shared {
    /// A new object, created by the caller's caller.
    #[track_caller]
    pub(crate) const fn new(kind: &'static str) -> Shared {
        Shared::made_at(kind, Location::caller())
    }

    /// The same, for an atomic that holds addresses.
    #[track_caller]
    pub(crate) const fn of_pointer(kind: &'static str) -> Shared {
        Shared::of(Object::new().of_pointer(), kind, Location::caller())
    }

    /// A new object, created there.
    pub(crate) const fn made_at(kind: &'static str, made: Place) -> Shared {
        Shared::of(Object::new(), kind, made)
    }

    const fn of(object: Object, kind: &'static str, made: Place) -> Shared {
        Shared {
            object: object.made_at(made),
            kind,
            made,
            label: None,
            known: AtomicU64::new(0),
        }
    }

    /// The engine's handle to it.
    #[inline]
    pub(crate) fn object(&self) -> &Object {
        &self.object
    }

    /// Gives it a name for timelines.
    pub(crate) fn label(&mut self, label: &str) {
        self.label = Some(keep(label));
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }
}

impl Drop for Shared {
    #[inline]
    fn drop(&mut self) {
        if steps::running() {
            steps::dropped(&self.object, self.made);
        }
    }
}

impl Mark for Shared {
    fn is_inner(&self) -> bool {
        self.kind == INNER
    }

    fn target(&self, execution: &mut Execution) -> Target {
        let generation = GENERATION.get();
        let known = self.known.load(Relaxed);
        if (known >> 32) as u32 == generation {
            return Target::Object(known as u32);
        }
        let number = execution.objects.add(Known {
            kind: self.kind,
            label: self.label,
            made: self.made,
            address: self.address(),
            ..Known::default()
        });
        let known = u64::from(generation) << 32 | u64::from(number);
        self.known.store(known, Relaxed);
        Target::Object(number)
    }
}

/// A reference-counted value, as the session sees it: something that is alive, or leaked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    number: u32,
    generation: u32,
}

impl Counted {
    /// Notes a new one. Outside of an execution it has no number and needs none.
    pub(crate) fn new(made: Place) -> Counted {
        let add = || {
            with_execution(|execution| {
                execution.objects.add(Known {
                    kind: "Arc",
                    made,
                    alive: true,
                    ..Known::default()
                })
            })
        };
        let number = steps::running().then(add).flatten();
        Counted {
            number: number.unwrap_or(u32::MAX),
            generation: number.map_or(0, |_| GENERATION.get()),
        }
    }

    /// Notes that the value was freed.
    pub(crate) fn freed(self) {
        self.note(|known| known.alive = false);
    }

    /// Notes its address.
    pub(crate) fn lies_at(self, address: usize) {
        self.note(|known| known.address = address);
    }

    /// Notes that a weak pointer to it was made.
    pub(crate) fn has_weak(self) {
        if recording() {
            self.note(|known| known.has_weak = true);
        }
    }

    fn note(self, note: impl FnOnce(&mut Known)) {
        if self.is_current() {
            with_execution(|execution| note(&mut execution.objects.all[self.number as usize]));
        }
    }

    fn is_current(self) -> bool {
        self.generation != 0 && self.generation == GENERATION.get()
    }
}

impl Mark for Counted {
    fn target(&self, _: &mut Execution) -> Target {
        if self.is_current() {
            Target::Object(self.number)
        } else {
            Target::None
        }
    }
}

/// What is recorded about one object.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) kind: &'static str,
    pub(super) label: Option<&'static str>,
    pub(super) made: Place,
    pub(super) address: usize,
    pub(super) used: Option<Place>,
    pub(super) newest: Option<Value>,
    /// Whether it is a reference-counted value that was not freed yet.
    pub(super) alive: bool,
    /// Whether there was a weak pointer to it.
    pub(super) has_weak: bool,
    /// The threads that hold it, if it is a lock.
    pub(super) holders: Vec<u32>,
    /// The values in it, if it is a channel, oldest first.
    pub(super) inside: VecDeque<Value>,
}

impl Default for Known {
    #[track_caller]
    fn default() -> Known {
        Known {
            kind: "",
            label: None,
            made: Location::caller(),
            address: 0,
            used: None,
            newest: None,
            alive: false,
            has_weak: false,
            holders: Vec::new(),
            inside: VecDeque::new(),
        }
    }
}

/// The objects of one execution, in the order in which they were first used.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) all: Vec<Known>,
}

impl Objects {
    fn add(&mut self, known: Known) -> u32 {
        self.all.push(known);
        (self.all.len() - 1) as u32
    }

    pub(super) fn get(&mut self, target: &Target) -> Option<&mut Known> {
        match target {
            Target::Object(number) => self.all.get_mut(*number as usize),
            _ => None,
        }
    }

    /// The newest value stored in it: initially `before`, its value before the first step.
    pub(super) fn newest(&mut self, target: &Target, before: Value) -> Value {
        self.get(target)
            .map_or(before, |object| *object.newest.get_or_insert(before))
    }

    pub(super) fn written(&mut self, target: &Target, value: Value) {
        if let Some(object) = self.get(target) {
            object.newest = Some(value);
        }
    }

    /// Forgets the newest value.
    pub(super) fn forget(&mut self, target: &Target) {
        if let Some(object) = self.get(target) {
            object.newest = None;
        }
    }

    /// Notes that a value is put into a channel. Returns all values that are in it.
    pub(super) fn puts_in(&mut self, target: &Target, value: Value) -> Vec<Value> {
        let Some(object) = self.get(target) else {
            return Vec::new();
        };
        object.inside.push_back(value);
        object.inside.iter().copied().collect()
    }

    /// Notes that the newest value is taken back out of a channel.
    pub(super) fn takes_back(&mut self, target: &Target) {
        if let Some(object) = self.get(target) {
            object.inside.pop_back();
        }
    }

    /// Notes that the oldest value is taken out of a channel. Returns all that are left.
    pub(super) fn takes_out(&mut self, target: &Target) -> Vec<Value> {
        let Some(object) = self.get(target) else {
            return Vec::new();
        };
        object.inside.pop_front();
        object.inside.iter().copied().collect()
    }

    pub(super) fn held(&mut self, target: &Target, thread: u32) {
        if let Some(object) = self.get(target) {
            object.holders.push(thread);
        }
    }

    pub(super) fn let_go(&mut self, target: &Target, thread: u32) {
        if let Some(object) = self.get(target)
            && let Some(me) = object.holders.iter().position(|holder| *holder == thread)
        {
            object.holders.swap_remove(me);
        }
    }
}
