//! From what was recorded to the owned [`Trace`], with names for everything.

use super::{Object, Recorder, Target};
use crate::trace::{Blocked, Event, Trace, Value, names, source};

impl Recorder {
    pub(super) fn actor_names(&self) -> Vec<String> {
        let mut names: Vec<String> = (self.actors.iter().enumerate())
            .map(|(id, actor)| match &actor.name {
                Some(name) => name.to_string(),
                None => format!("thread {id}"),
            })
            .collect();
        names::number_duplicates(&mut names);
        names
    }

    pub(super) fn object_names(&self) -> Vec<String> {
        let made_by = |object: &Object| (object.kind, object.created.file(), object.created.line());
        let mut names: Vec<String> = (self.objects.iter().enumerate())
            .map(|(id, object)| match &object.label {
                Some(label) => label.clone(),
                None => {
                    let before = &self.objects[..id];
                    let nth = before
                        .iter()
                        .filter(|o| made_by(o) == made_by(object))
                        .count();
                    names::of_object(object.kind, object.created, object.used, nth)
                }
            })
            .collect();
        // An `Arc` and what it points to go by one name: they are never on the same row.
        let is_arc = |id: usize| self.objects[id].kind == "Arc";
        for arcs in [true, false] {
            let ids: Vec<usize> = (0..names.len()).filter(|&id| is_arc(id) == arcs).collect();
            let mut group: Vec<String> = ids.iter().map(|&id| names[id].clone()).collect();
            names::number_duplicates(&mut group);
            ids.into_iter()
                .zip(group)
                .for_each(|(id, name)| names[id] = name);
        }
        names
    }

    pub(super) fn trace(&self) -> Trace {
        let actors = self.actor_names();
        let objects = self.object_names();
        let mut pointers = Pointers::default();
        let name = |target: Target| match target {
            Target::None | Target::Failure(_) => None,
            Target::Object(id) => objects.get(id as usize).cloned(),
            Target::Actor(id) => actors.get(id as usize).cloned(),
        };
        let events = (self.events.iter())
            .map(|event| Event {
                actor: actors[event.actor as usize].clone(),
                op: event.op,
                call: event.call.to_owned(),
                object: name(event.target),
                read: pointers.show(event.read),
                value: pointers.show(event.value),
                newest: pointers.show(event.newest),
                ordering: event.ordering.map(|ordering| format!("{ordering:?}")),
                file: source::tidy(event.at.file()),
                line: event.at.line(),
                column: event.at.column(),
                note: match event.target {
                    Target::Failure(number) => Some(self.failures[number as usize].message.clone()),
                    _ => None,
                },
            })
            .collect();
        let blocked = (self.actors.iter().enumerate())
            .filter(|(_, actor)| !actor.finished)
            .filter_map(|(id, actor)| actor.pending.map(|pending| (id, pending)))
            .map(|(id, pending)| Blocked {
                actor: actors[id].clone(),
                call: pending.call.to_owned(),
                object: name(pending.target),
                held_by: match pending.target {
                    Target::Object(object) => (self.objects[object as usize].holders.iter())
                        .map(|&holder| actors[holder as usize].clone())
                        .collect(),
                    _ => Vec::new(),
                },
                file: source::tidy(pending.at.file()),
                line: pending.at.line(),
            })
            .collect();
        Trace {
            actors,
            events,
            blocked,
        }
    }
}

/// Gives addresses letters, in the order in which they appear: they differ between runs.
#[derive(Default)]
struct Pointers(Vec<usize>);

impl Pointers {
    fn show(&mut self, value: Value) -> Option<String> {
        Some(match value {
            Value::Nothing => return None,
            Value::Bool(value) => value.to_string(),
            Value::Signed(value) => value.to_string(),
            // The "none" of indices.
            Value::Unsigned(u64::MAX) => "MAX".to_owned(),
            Value::Unsigned(value) => value.to_string(),
            Value::Pointer(0) => "null".to_owned(),
            Value::Pointer(address) => {
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
        })
    }
}
