//! A shop and its bank: the actors of `support/protocols/payment.rs`.

use super::{Ends, Peer, crashes_once, set_timer};
use crate::support::protocols::payment::Key;
use stateright::actor::{Actor, ActorModel, Id, Network, Out};
use std::borrow::Cow;

const BANK: usize = 0;

/// How often a shop asks.
const ATTEMPTS: u8 = 2;

#[derive(Clone)]
pub enum Role {
    Bank(Key),
    Shop,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    Charge(u8),
    Receipt,
}

/// What a crash leaves.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Disk {
    starts: u8,
    ledger: Vec<u8>,
    keys: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub enum State {
    Bank {
        seen: Vec<u8>,
        disk: Disk,
        /// An order that is charged, and whose key is not yet on the disk.
        busy: Option<(Id, u8)>,
    },
    Waits {
        attempts: u8,
    },
    Paid,
    GaveUp,
}

impl Role {
    fn charge(&self, state: &mut State, shop: Id, order: u8, out: &mut Out<Self>) {
        let (Role::Bank(key), State::Bank { seen, disk, busy }) = (self, state) else {
            unreachable!("only a bank charges");
        };
        let known = match key {
            Key::Nowhere => false,
            Key::Memory | Key::Afterwards => seen.contains(&order),
            Key::Ledger => disk.ledger.contains(&order),
        };
        if !known {
            seen.push(order);
            disk.ledger.push(order);
            out.save(disk.clone());
        }
        if *key == Key::Afterwards && !known {
            // A crash never interrupts a step of an actor, so what comes after the charge is another one.
            *busy = Some((shop, order));
            set_timer(out);
        } else {
            out.send(shop, Message::Receipt);
        }
    }
}

fn ask(me: Id, out: &mut Out<Role>) {
    out.send(BANK.into(), Message::Charge(usize::from(me) as u8));
    set_timer(out);
}

impl Actor for Role {
    type Msg = Message;
    type Timer = ();
    type State = State;
    type Storage = Disk;
    type Random = ();

    fn on_start(&self, me: Id, disk: &Option<Disk>, out: &mut Out<Self>) -> State {
        match self {
            Role::Bank(key) => {
                let mut disk = disk.clone().unwrap_or_default();
                disk.starts += 1;
                out.save(disk.clone());
                let seen = match key {
                    Key::Afterwards => disk.keys.clone(),
                    _ => Vec::new(),
                };
                let busy = None;
                State::Bank { seen, disk, busy }
            }
            Role::Shop => {
                ask(me, out);
                State::Waits { attempts: 1 }
            }
        }
    }

    fn on_msg(&self, _: Id, state: &mut Cow<State>, from: Id, what: Message, out: &mut Out<Self>) {
        match (&**state, what) {
            (State::Bank { busy: None, .. }, Message::Charge(order)) => {
                self.charge(state.to_mut(), from, order, out);
            }
            (State::Waits { .. }, Message::Receipt) => {
                *state = Cow::Owned(State::Paid);
                out.cancel_timer(());
            }
            // It stays where it is.
            _ => {}
        }
    }

    fn on_timeout(&self, me: Id, state: &mut Cow<State>, _: &(), out: &mut Out<Self>) {
        match state.to_mut() {
            State::Bank { disk, busy, .. } => {
                let (shop, order) = busy.take().expect("it is busy");
                disk.keys.push(order);
                out.save(disk.clone());
                out.send(shop, Message::Receipt);
            }
            State::Waits { attempts: ATTEMPTS } => *state = Cow::Owned(State::GaveUp),
            State::Waits { attempts } => {
                *attempts += 1;
                ask(me, out);
            }
            State::Paid | State::GaveUp => unreachable!("it has no timer"),
        }
    }
}

fn disk(states: &[Option<Disk>]) -> &Disk {
    states[BANK].as_ref().expect("it has started")
}

/// Shops, and a bank that may crash.
pub fn peer(shops: usize, key: Key, crashes: usize) -> Peer<Role> {
    let ends = Ends {
        fails: |state| {
            let mut charged = disk(&state.actor_storages).ledger.clone();
            charged.sort_unstable();
            charged.windows(2).any(|two| two[0] == two[1])
        },
        succeeds: |state| {
            let mut shops = state.actor_states[1..].iter();
            shops.all(|shop| **shop == State::Paid)
        },
    };
    ActorModel::new(ends, ())
        .actor(Role::Bank(key))
        .actors(vec![Role::Shop; shops])
        .init_network(Network::new_unordered_nonduplicating([]))
        .max_crashes(crashes)
        .within_boundary(|_, state| {
            crashes_once(&state.crashed, disk(&state.actor_storages).starts)
        })
}
