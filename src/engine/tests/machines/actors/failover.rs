//! A primary with a replica: the actors of `support/protocols/failover.rs`.

use super::{Ends, Peer, set_timer};
use stateright::actor::{Actor, ActorModel, Id, Network, Out};
use std::borrow::Cow;
use std::collections::VecDeque;

const PRIMARY: usize = 0;
const REPLICA: usize = 1;

#[derive(Clone)]
pub enum Role {
    /// Acknowledges a value before the replica has it, or after.
    Primary {
        early: bool,
    },
    Replica,
    Client,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    Put(u8),
    Replicate { at: usize, value: u8 },
    Replicated,
    Ok,
    Get,
    Values(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub enum State {
    Primary { log: Vec<u8>, waiting: VecDeque<Id> },
    Replica { log: Vec<u8> },
    Puts,
    Gets { from: usize },
    Knows { lost: bool },
    GaveUp,
}

impl Actor for Role {
    type Msg = Message;
    type Timer = ();
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, me: Id, _: &Option<()>, out: &mut Out<Self>) -> State {
        let log = Vec::new();
        match self {
            Role::Primary { .. } => State::Primary {
                log,
                waiting: VecDeque::new(),
            },
            Role::Replica => State::Replica { log },
            Role::Client => {
                out.send(PRIMARY.into(), Message::Put(value_of(me)));
                set_timer(out);
                State::Puts
            }
        }
    }

    fn on_msg(&self, me: Id, state: &mut Cow<State>, from: Id, what: Message, out: &mut Out<Self>) {
        let mut next = (**state).clone();
        match (&mut next, what) {
            (State::Primary { log, waiting }, Message::Put(value)) => {
                log.push(value);
                let at = log.len();
                out.send(REPLICA.into(), Message::Replicate { at, value });
                match self {
                    Role::Primary { early: true } => out.send(from, Message::Ok),
                    _ => waiting.push_back(from),
                }
            }
            (State::Primary { waiting, .. }, Message::Replicated) => {
                if let Some(next) = waiting.pop_front() {
                    out.send(next, Message::Ok);
                }
            }
            (State::Replica { log }, Message::Replicate { at, value }) => {
                if at == log.len() + 1 {
                    log.push(value);
                    out.send(from, Message::Replicated);
                }
            }
            (State::Primary { log, .. } | State::Replica { log }, Message::Get) => {
                out.send(from, Message::Values(log.clone()));
            }
            (State::Puts, Message::Ok) => {
                out.send(PRIMARY.into(), Message::Get);
                set_timer(out);
                next = State::Gets { from: PRIMARY };
            }
            (State::Gets { .. }, Message::Values(values)) => {
                let lost = !values.contains(&value_of(me));
                out.cancel_timer(());
                next = State::Knows { lost };
            }
            // It does not wait any more.
            _ => return,
        }
        *state = Cow::Owned(next);
    }

    fn on_timeout(&self, _: Id, state: &mut Cow<State>, _: &(), out: &mut Out<Self>) {
        let next = match **state {
            State::Gets { from: PRIMARY } => {
                out.send(REPLICA.into(), Message::Get);
                State::Gets { from: REPLICA }
            }
            _ => State::GaveUp,
        };
        *state = Cow::Owned(next);
    }
}

/// Each client puts its own value.
fn value_of(client: Id) -> u8 {
    usize::from(client) as u8
}

/// A primary that is gone for good is one to which no message comes any more, and that is among the runs anyway.
pub fn peer(clients: usize, early: bool) -> Peer<Role> {
    let ends = Ends {
        fails: |state| {
            let mut states = state.actor_states.iter();
            states.any(|it| **it == State::Knows { lost: true })
        },
        succeeds: |state| {
            let mut clients = state.actor_states[2..].iter();
            clients.all(|it| **it == State::Knows { lost: false })
        },
    };
    ActorModel::new(ends, ())
        .actors([Role::Primary { early }, Role::Replica])
        .actors(vec![Role::Client; clients])
        .init_network(Network::new_unordered_nonduplicating([]))
}
