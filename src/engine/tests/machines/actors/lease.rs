//! A lock that expires: the actors of `support/protocols/lease.rs`.

use super::{Ends, Peer, set_timer};
use stateright::actor::{Actor, ActorModel, Id, Network, Out};
use std::borrow::Cow;
use std::collections::VecDeque;

const LOCKS: usize = 0;
const STORE: usize = 1;

#[derive(Clone)]
pub enum Role {
    Locks,
    Store { fenced: bool },
    Client,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    Acquire,
    Granted(u8),
    Write(u8),
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub enum State {
    Locks(Locks),
    Store { newest: u8, stale: bool },
    Client { token: u8 },
}

#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Locks {
    last: u8,
    held: bool,
    waiting: VecDeque<Id>,
}

impl Locks {
    /// Whoever has waited longest gets the lock, if anybody waits.
    fn next(&mut self, out: &mut Out<Role>) {
        self.held = !self.waiting.is_empty();
        if let Some(next) = self.waiting.pop_front() {
            self.last += 1;
            out.send(next, Message::Granted(self.last));
            set_timer(out);
        }
    }
}

impl Actor for Role {
    type Msg = Message;
    type Timer = ();
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, out: &mut Out<Self>) -> State {
        match self {
            Role::Locks => State::Locks(Locks::default()),
            Role::Store { .. } => State::Store {
                newest: 0,
                stale: false,
            },
            Role::Client => {
                out.send(LOCKS.into(), Message::Acquire);
                State::Client { token: 0 }
            }
        }
    }

    fn on_msg(&self, _: Id, state: &mut Cow<State>, from: Id, what: Message, out: &mut Out<Self>) {
        match (state.to_mut(), what) {
            (State::Locks(locks), Message::Acquire) => {
                locks.waiting.push_back(from);
                if !locks.held {
                    locks.next(out);
                }
            }
            (State::Store { newest, stale }, Message::Write(token)) => {
                *stale |= token < *newest && !matches!(self, Role::Store { fenced: true });
                *newest = token.max(*newest);
            }
            (State::Client { token }, Message::Granted(given)) => {
                *token = given;
                set_timer(out);
            }
            (state, what) => unreachable!("{what:?} to {state:?}"),
        }
    }

    fn on_timeout(&self, _: Id, state: &mut Cow<State>, _: &(), out: &mut Out<Self>) {
        match state.to_mut() {
            State::Locks(locks) => locks.next(out),
            State::Client { token } => out.send(STORE.into(), Message::Write(*token)),
            State::Store { .. } => unreachable!("a store has no timer"),
        }
    }
}

pub fn peer(clients: usize, fenced: bool) -> Peer<Role> {
    let ends = Ends {
        fails: |state| matches!(*state.actor_states[STORE], State::Store { stale: true, .. }),
        succeeds: |state| matches!(*state.actor_states[STORE], State::Store { newest: 2, .. }),
    };
    ActorModel::new(ends, ())
        .actors([Role::Locks, Role::Store { fenced }])
        .actors(vec![Role::Client; clients])
        .init_network(Network::new_unordered_nonduplicating([]))
}
