//! What is known of what threads share: the values of atomics and cells, who holds a lock, who waits, what is
//! in a channel.

use super::super::cells::and;
use super::itf::Variable;
use heisenbug_trace::{Event, Op};
use std::collections::HashMap;

/// The shared objects, in the order in which they are first used.
pub struct Shared {
    objects: Vec<(String, Object)>,
}

/// What is known of an object.
struct Object {
    value: Option<String>,
    /// Who holds it, and how: "locked by".
    holders: Vec<(String, &'static str)>,
    waiting: Vec<String>,
    /// What is said if there is nothing to say.
    nothing: &'static str,
}

impl Shared {
    /// The objects at the start. What is read first was there from the start, unless it was written first.
    pub fn of(events: &[Event]) -> Shared {
        let mut objects: Vec<(String, Object)> = Vec::new();
        let mut number: HashMap<&str, usize> = HashMap::new();
        let mut decided: Vec<bool> = Vec::new();
        for event in events {
            let Some((name, nothing)) = event.object.as_deref().zip(nothing(event.op)) else {
                continue;
            };
            let nth = *number.entry(name).or_insert(objects.len());
            if nth == objects.len() {
                objects.push((name.to_owned(), Object::new(nothing)));
                decided.push(false);
            }
            if !decided[nth] {
                objects[nth].1.value = found(event).map(str::to_owned);
                decided[nth] = found(event).is_some() || event.value.is_some() || event.op.writes();
            }
        }
        Shared { objects }
    }

    /// Takes note of the operation at that position.
    pub fn after(&mut self, events: &[Event], nth: usize) {
        let event = &events[nth];
        match event.op {
            Op::Wait => self.release(events, nth),
            op if op.is_wakeup() => self.wake(&event.actor),
            _ => {}
        }
        let Some(name) = &event.object else { return };
        if let Some((_, object)) = self.objects.iter_mut().find(|(other, _)| other == name) {
            object.after(event);
        }
    }

    /// A wait on a condition variable releases its mutex. The event that ends the wait names it; if nothing
    /// does, it is the lock that was taken last.
    fn release(&mut self, events: &[Event], nth: usize) {
        let Event { actor, value, .. } = &events[nth];
        let own = |event: &&Event| event.actor == *actor;
        let woken = events[nth + 1..]
            .iter()
            .filter(own)
            .find(|event| event.op.is_wakeup());
        let taken = events[..nth]
            .iter()
            .rev()
            .filter(own)
            .find(|event| takes(event.op).is_some());
        let Some(name) = woken.or(taken).and_then(|event| event.object.as_ref()) else {
            return;
        };
        if let Some((_, mutex)) = self.objects.iter_mut().find(|(other, _)| other == name) {
            mutex.holders.retain(|(holder, _)| holder != actor);
            mutex.value.clone_from(value);
        }
    }

    fn wake(&mut self, actor: &str) {
        for (_, object) in &mut self.objects {
            object.waiting.retain(|other| other != actor);
        }
    }

    /// A variable for each object.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        { self.objects.iter() }.map(|(name, object)| Variable::text(name, object.told()))
    }
}

impl Object {
    fn new(nothing: &'static str) -> Object {
        Object {
            value: None,
            holders: Vec::new(),
            waiting: Vec::new(),
            nothing,
        }
    }

    fn after(&mut self, event: &Event) {
        let Event { op, actor, .. } = event;
        if let Some(how) = takes(*op) {
            self.holders.push((actor.clone(), how));
        }
        match op {
            Op::Wait | Op::Sleep => self.waiting.push(actor.clone()),
            Op::Unlock | Op::ReadUnlock | Op::WriteUnlock => {
                let held = self.holders.iter().position(|(holder, _)| holder == actor);
                held.map(|held| self.holders.remove(held));
                if event.value.is_some() || event.changed == Some(true) {
                    self.value.clone_from(&event.value);
                }
            }
            Op::Send | Op::Recv => self.value = inside(event),
            Op::Barrier => self.holders.push((actor.clone(), "passed by")),
            Op::OnceRun => self.value = Some(format!("begun by {actor}")),
            Op::OnceDone => self.value = Some("done".to_owned()),
            op if op.writes() => self.value.clone_from(&event.value),
            _ => {
                if let Some(found) = found(event) {
                    self.value = Some(found.to_owned());
                }
            }
        }
    }

    fn told(&self) -> String {
        let mut notes: Vec<String> = Vec::new();
        let mut hows: Vec<&str> = self.holders.iter().map(|(_, how)| *how).collect();
        hows.dedup();
        for how in hows {
            let alike = self.holders.iter().filter(|(_, other)| *other == how);
            let names: Vec<&str> = alike.map(|(holder, _)| holder.as_str()).collect();
            notes.push(format!("{how} {}", and(&names)));
        }
        notes.extend(self.waiting.iter().map(|actor| format!("{actor} waits")));
        let value = self.value.as_deref().filter(|value| *value != "()");
        match (value, notes.is_empty()) {
            (Some(value), true) => value.to_owned(),
            (Some(value), false) => format!("{value} ({})", notes.join(", ")),
            (None, true) => self.nothing.to_owned(),
            (None, false) => notes.join(", "),
        }
    }
}

/// What to say of an object of that operation if there is nothing to say. `None` if it is no shared object.
fn nothing(op: Op) -> Option<&'static str> {
    Some(match op {
        Op::Load | Op::Store | Op::Rmw | Op::CasOk | Op::CasFail | Op::CasFailForNoReason => "?",
        Op::CellRead | Op::CellWrite => "?",
        Op::Lock | Op::Unlock | Op::TryFail | Op::TryTimedOut => "free",
        Op::ReadLock | Op::ReadUnlock | Op::WriteLock | Op::WriteUnlock => "free",
        Op::Wait | Op::Sleep | Op::NotifyOne | Op::NotifyAll => "nobody waits",
        Op::Send | Op::SendFull | Op::SendClosed => "empty",
        Op::Recv | Op::RecvEmpty | Op::RecvClosed | Op::RecvTimedOut => "empty",
        Op::Barrier => "nobody has passed",
        Op::OnceRun | Op::OnceDone | Op::OnceNotYet => "not begun",
        _ => return None,
    })
}

/// How the operation takes a lock.
fn takes(op: Op) -> Option<&'static str> {
    match op {
        Op::Lock | Op::Woken | Op::WokenForNoReason | Op::WokenTimedOut => Some("locked by"),
        Op::ReadLock => Some("read-locked by"),
        Op::WriteLock => Some("write-locked by"),
        _ => None,
    }
}

/// The newest value at the time of an operation, if it tells.
fn found(event: &Event) -> Option<&str> {
    let is_of_value = !matches!(
        event.op,
        Op::Send | Op::Recv | Op::Sleep | Op::OnceRun | Op::OnceDone | Op::OnceNotYet
    );
    let newest = event.newest.as_deref().or(event.read.as_deref());
    newest.filter(|_| is_of_value)
}

/// What a send or a receive leaves in its channel.
fn inside(event: &Event) -> Option<String> {
    match (&event.contents, event.inside) {
        (_, Some(0)) => None,
        (Some(all), _) => Some(format!("[{}]", all.join(", "))),
        (None, Some(number)) => Some(format!("{number} inside")),
        (None, None) => Some("?".to_owned()),
    }
}
