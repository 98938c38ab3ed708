//! The operations of one execution, and the owned [`Trace`] that is made of them.

use super::call::Target;
use super::objects::Known;
use super::{Execution, Left};
use heisenbug_engine::Place;
use heisenbug_trace::{Blocked, Event, Op, Trace, Value, journal, names, source};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One operation, in a form that is cheap to record.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) op: Op,
    pub(super) call: &'static str,
    pub(super) thread: u32,
    pub(super) at: Place,
    pub(super) target: Target,
    pub(super) read: Value,
    pub(super) value: Value,
    pub(super) newest: Value,
    pub(super) ordering: Option<Ordering>,
    /// The threads that a notification wakes.
    pub(super) wakes: Option<Vec<u32>>,
    pub(super) inside: Option<u64>,
    /// The statement, if it is one of a database.
    pub(super) sql: Option<Arc<str>>,
    /// Who holds what it waits for.
    pub(super) held_by: Vec<u32>,
    /// What is in a channel afterwards.
    pub(super) contents: Option<Vec<Value>>,
    /// Whether the value that a lock protects may have been changed, if it cannot be shown.
    pub(super) changed: Option<bool>,
}

impl Recorded {
    pub(super) fn of(
        op: Op,
        call: &'static str,
        thread: u32,
        at: Place,
        target: Target,
    ) -> Recorded {
        Recorded {
            op,
            call,
            thread,
            at,
            target,
            read: Value::Nothing,
            value: Value::Nothing,
            newest: Value::Nothing,
            ordering: None,
            wakes: None,
            inside: None,
            sql: None,
            held_by: Vec::new(),
            contents: None,
            changed: None,
        }
    }
}

impl Recorded {
    /// Notes what is in a channel afterwards.
    pub(super) fn holds(&mut self, values: Vec<Value>) {
        self.inside = Some(values.len() as u64);
        self.contents = Some(values);
    }

    /// Whether it only creates or drops a pointer, without reading the count.
    fn only_counts(&self) -> bool {
        self.op == Op::Rmw && matches!(self.call, "clone" | "drop")
    }
}

/// All recorded operations, in the order in which they took effect.
#[derive(Debug, Default)]
pub(super) struct Record {
    events: Vec<Recorded>,
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// How often the thread changed from one operation to the next.
    pub(super) fn switches(&self) -> usize {
        let shown = self.events.iter().filter(|event| !event.op.is_quiet());
        let threads = shown.map(|event| event.thread);
        let next = threads.clone().skip(1);
        threads
            .zip(next)
            .filter(|(one, other)| one != other)
            .count()
    }

    /// Fills in for whom the last operation waits.
    pub(super) fn last_waits_for(&mut self, threads: Vec<u32>) {
        if let Some(event) = self.events.last_mut() {
            event.held_by = threads;
        }
    }

    /// Fills in what the last operation on an object wrote.
    pub(super) fn patch(&mut self, target: &Target, value: Value) {
        let mut last = self.events.iter_mut().rev();
        if let Some(event) = last.find(|event| event.target == *target) {
            event.value = value;
        }
    }
}

impl Execution {
    pub(super) fn push(&mut self, event: Recorded) {
        if let Some(object) = self.objects.get(&event.target) {
            object.used.get_or_insert(event.at);
        }
        self.record.events.push(event);
        if journal::is_open() {
            journal::write(&self.trace());
        }
    }

    pub(super) fn thread_names(&self) -> Vec<String> {
        let named = self.threads.all.iter().enumerate();
        let mut names: Vec<String> = named
            .map(|(number, thread)| match thread.inner.name() {
                Some(name) => name.to_owned(),
                None => format!("thread {number}"),
            })
            .collect();
        names::number_duplicates(&mut names);
        names
    }

    fn object_names(&self) -> Vec<String> {
        let objects = &self.objects.all;
        let mut names: Vec<String> = (0..objects.len()).map(|id| self.name_of(id)).collect();
        // An `Arc` and the object it points to share a name: they are never on the same row.
        for arcs in [true, false] {
            let of_kind = |id: &usize| (objects[*id].kind == "Arc") == arcs;
            let ids: Vec<usize> = (0..names.len()).filter(of_kind).collect();
            let mut group: Vec<String> = ids.iter().map(|&id| names[id].clone()).collect();
            names::number_duplicates(&mut group);
            for (id, name) in ids.into_iter().zip(group) {
                names[id] = name;
            }
        }
        names
    }

    fn name_of(&self, id: usize) -> String {
        let object = &self.objects.all[id];
        if let Some(label) = object.label {
            return label.to_owned();
        }
        // The elements of an array were created at one line, and are adjacent in memory.
        let twin = |other: &&Known| {
            let place = |known: &Known| (known.made.file(), known.made.line());
            other.kind == object.kind && place(other) == place(object)
        };
        let twins = self.objects.all.iter().filter(twin);
        let nth = twins.filter(|other| other.address < object.address).count();
        names::of_object(object.kind, object.made, object.used, nth)
    }

    /// The names of the reference-counted values that were never freed.
    pub(super) fn leaked(&self) -> Vec<String> {
        self.left().into_iter().map(|left| left.name).collect()
    }

    /// The same, each with its address and whether there may be a weak pointer to it.
    pub(super) fn left(&self) -> Vec<Left> {
        if !self.objects.all.iter().any(|object| object.alive) {
            return Vec::new();
        }
        let named = self.objects.all.iter().zip(self.object_names());
        let alive = named.filter(|(object, _)| object.alive);
        alive
            .map(|(object, name)| Left {
                name,
                address: object.address,
                has_weak: object.has_weak,
            })
            .collect()
    }

    pub(super) fn trace(&self) -> Trace {
        let mut namer = Namer {
            threads: self.thread_names(),
            objects: self.object_names(),
            pointers: Pointers::default(),
        };
        let events = { self.record.events.iter() }.filter(|event| self.is_shown(event));
        Trace {
            events: events.map(|event| namer.event(event)).collect(),
            blocked: self.blocked(&namer),
            actors: namer.threads,
        }
    }

    /// Whether the operation tells the reader something. The clone or drop of a pointer does so only if
    /// this execution reads the count, or leaks the value.
    fn is_shown(&self, event: &Recorded) -> bool {
        let Target::Object(number) = event.target else {
            return true;
        };
        let object = &self.objects.all[number as usize];
        if object.kind != "Arc" || !event.only_counts() {
            return true;
        }
        let ended = || self.threads.all.iter().all(|thread| thread.finished);
        let looks = |other: &Recorded| {
            other.target == event.target && !other.op.is_quiet() && !other.only_counts()
        };
        object.alive && ended() || self.record.events.iter().any(looks)
    }

    /// Who holds what a thread waits for.
    fn holders(&self, thread: u32, target: &Target) -> Vec<u32> {
        let mut own = self
            .record
            .events
            .iter()
            .rev()
            .filter(|event| event.thread == thread);
        match (own.next(), target) {
            (Some(last), _) if last.op == Op::StatementWaits => last.held_by.clone(),
            (_, Target::Object(id)) => self.objects.all[*id as usize].holders.clone(),
            _ => Vec::new(),
        }
    }

    fn blocked(&self, namer: &Namer) -> Vec<Blocked> {
        let left = self.threads.all.iter().enumerate();
        let left = left.filter(|(_, thread)| !thread.finished);
        let waiting = left.filter_map(|(number, thread)| Some((number, thread.pending.as_ref()?)));
        waiting
            .map(|(number, pending)| {
                let (file, line, column) = source::place(pending.at);
                Blocked {
                    actor: namer.threads[number].clone(),
                    call: pending.call.to_owned(),
                    object: namer.target(&pending.target),
                    held_by: namer.threads_of(&self.holders(number as u32, &pending.target)),
                    file,
                    line,
                    column,
                }
            })
            .collect()
    }
}

/// Chooses the names of objects, threads and values.
struct Namer {
    threads: Vec<String>,
    objects: Vec<String>,
    pointers: Pointers,
}

impl Namer {
    fn target(&self, target: &Target) -> Option<String> {
        match target {
            Target::None | Target::Note(_) => None,
            Target::Object(number) => self.objects.get(*number as usize).cloned(),
            Target::Thread(number) => self.threads.get(*number as usize).cloned(),
        }
    }

    fn event(&mut self, event: &Recorded) -> Event {
        let (file, line, column) = source::place(event.at);
        Event {
            actor: self.threads[event.thread as usize].clone(),
            op: event.op,
            call: event.call.to_owned(),
            object: self.target(&event.target),
            read: self.pointers.show(event.read),
            value: self.pointers.show(event.value),
            newest: self.pointers.show(event.newest),
            ordering: event.ordering.map(|ordering| format!("{ordering:?}")),
            file,
            line,
            column,
            note: match &event.target {
                Target::Note(note) => Some(note.to_string()),
                _ => event.sql.as_ref().map(ToString::to_string),
            },
            held_by: self.threads_of(&event.held_by),
            wakes: event.wakes.as_ref().map(|woken| self.threads_of(woken)),
            inside: event.inside,
            contents: { event.contents.as_ref() }.and_then(|all| self.shown(all)),
            changed: event.changed,
        }
    }

    /// Values, if all of them can be shown.
    fn shown(&mut self, values: &[Value]) -> Option<Vec<String>> {
        values
            .iter()
            .map(|&value| self.pointers.show(value))
            .collect()
    }

    fn threads_of(&self, numbers: &[u32]) -> Vec<String> {
        let names = numbers.iter().map(|&number| &self.threads[number as usize]);
        names.cloned().collect()
    }
}

/// Names addresses by letters, in order of appearance, as addresses differ between runs.
#[derive(Default)]
struct Pointers(Vec<usize>);

impl Pointers {
    fn show(&mut self, value: Value) -> Option<String> {
        Some(match value {
            Value::Nothing => return None,
            Value::Bool(value) => value.to_string(),
            Value::Signed(value) => value.to_string(),
            // Often used as the "none" of indices.
            Value::Unsigned(u64::MAX) => "MAX".to_owned(),
            Value::Unsigned(value) => value.to_string(),
            Value::Text(text) => text.to_owned(),
            Value::Pointer(0) => "null".to_owned(),
            Value::Pointer(address) => self.letter(address),
        })
    }

    fn letter(&mut self, address: usize) -> String {
        let known = self.0.iter().position(|&seen| seen == address);
        let number = known.unwrap_or_else(|| {
            self.0.push(address);
            self.0.len() - 1
        });
        match u8::try_from(number) {
            Ok(number) if number < 26 => format!("&{}", (b'A' + number) as char),
            _ => format!("&{number}"),
        }
    }
}
