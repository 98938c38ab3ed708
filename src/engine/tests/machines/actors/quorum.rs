//! A register on three replicas: the actors of `support/protocols/quorum.rs`.

use super::{Ends, Peer, set_timer};
use stateright::actor::{Actor, ActorModel, Id, Network, Out};
use std::borrow::Cow;
use std::collections::BTreeSet;

const REPLICAS: usize = 3;
const WRITER: usize = 3;

#[derive(Clone)]
pub enum Role {
    Replica,
    Writer { w: usize },
    Reader { r: usize },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    Write(u8),
    Written,
    /// The writer has returned. Nobody receives this: it is for the history.
    Acknowledged,
    Read,
    Value(u8),
}

/// What only an observer of the whole knows.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct History {
    acknowledged: bool,
    /// The readers that have begun after that.
    after: BTreeSet<Id>,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub enum State {
    Replica { value: u8 },
    Writes { have: BTreeSet<Id> },
    Reads { have: BTreeSet<Id>, newest: u8 },
    HasWritten,
    HasRead(u8),
}

fn to_all(what: &Message, out: &mut Out<Role>) {
    (0..REPLICAS).for_each(|replica| out.send(replica.into(), what.clone()));
}

impl Actor for Role {
    type Msg = Message;
    type Timer = ();
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, out: &mut Out<Self>) -> State {
        let have = BTreeSet::new();
        match self {
            Role::Replica => State::Replica { value: 0 },
            Role::Writer { .. } => {
                to_all(&Message::Write(1), out);
                State::Writes { have }
            }
            Role::Reader { .. } => {
                // It begins whenever it likes.
                set_timer(out);
                State::Reads { have, newest: 0 }
            }
        }
    }

    fn on_msg(&self, me: Id, state: &mut Cow<State>, from: Id, what: Message, out: &mut Out<Self>) {
        let mut next = (**state).clone();
        match (&mut next, what) {
            (State::Replica { value }, Message::Write(new)) => {
                *value = new.max(*value);
                out.send(from, Message::Written);
            }
            (State::Replica { value }, Message::Read) => out.send(from, Message::Value(*value)),
            (State::Writes { have }, Message::Written) => {
                have.insert(from);
                if matches!(self, Role::Writer { w } if have.len() == *w) {
                    out.send(me, Message::Acknowledged);
                    next = State::HasWritten;
                }
            }
            (State::Reads { have, newest }, Message::Value(value)) => {
                have.insert(from);
                *newest = value.max(*newest);
                if matches!(self, Role::Reader { r } if have.len() == *r) {
                    next = State::HasRead(*newest);
                }
            }
            // It has what it waited for.
            _ => return,
        }
        *state = Cow::Owned(next);
    }

    fn on_timeout(&self, _: Id, _: &mut Cow<State>, _: &(), out: &mut Out<Self>) {
        to_all(&Message::Read, out);
    }
}

pub fn peer(r: usize, w: usize, readers: usize) -> Peer<Role, History> {
    let ends = Ends::<Role, History> {
        fails: |state| {
            let mut after = state.history.after.iter();
            after.any(|&reader| *state.actor_states[usize::from(reader)] == State::HasRead(0))
        },
        succeeds: |state| {
            let mut readers = state.actor_states[WRITER + 1..].iter();
            readers.all(|reader| **reader == State::HasRead(1))
        },
    };
    ActorModel::new(ends, History::default())
        .actors(vec![Role::Replica; REPLICAS])
        .actor(Role::Writer { w })
        .actors(vec![Role::Reader { r }; readers])
        .init_network(Network::new_unordered_nonduplicating([]))
        .record_msg_out(|_, history, sent| {
            let mut next = history.clone();
            match sent.msg {
                Message::Acknowledged => next.acknowledged = true,
                Message::Read if history.acknowledged => _ = next.after.insert(sent.src),
                _ => return None,
            }
            Some(next)
        })
}
