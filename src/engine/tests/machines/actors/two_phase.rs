//! Two-phase commit: the actors of `support/protocols/two_phase.rs`.

use super::{Ends, Peer, crashes_once, set_timer};
use stateright::actor::{Actor, ActorModel, Id, Network, Out};
use std::borrow::Cow;
use std::collections::BTreeSet;

const COORDINATOR: usize = 0;

/// How often the coordinator tells its decision.
const ATTEMPTS: u8 = 2;

#[derive(Clone)]
pub enum Role {
    Coordinator { participants: usize, logged: bool },
    Participant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    Commit,
    Abort,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    Prepare,
    Yes,
    No,
    Decided(Decision),
    Done,
}

/// What a crash leaves.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Disk {
    starts: u8,
    decision: Option<Decision>,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub enum State {
    Asks {
        yes: BTreeSet<Id>,
        disk: Disk,
    },
    Tells {
        decision: Decision,
        left: BTreeSet<Id>,
        attempts: u8,
    },
    HasTold,
    Participant {
        asked: bool,
        voted: bool,
        decided: Option<Decision>,
    },
}

impl Role {
    /// Everybody but the coordinator.
    fn participants(&self) -> BTreeSet<Id> {
        let Role::Coordinator { participants, .. } = self else {
            unreachable!("only the coordinator asks");
        };
        (1..=*participants).map(Id::from).collect()
    }

    fn decide(&self, decision: Decision, disk: &Disk, out: &mut Out<Self>) -> State {
        if matches!(self, Role::Coordinator { logged: true, .. }) {
            out.save(Disk {
                decision: Some(decision),
                ..disk.clone()
            });
        }
        let left = self.participants();
        tell(&left, decision, out);
        State::Tells {
            decision,
            left,
            attempts: 1,
        }
    }
}

fn tell(left: &BTreeSet<Id>, decision: Decision, out: &mut Out<Role>) {
    out.broadcast(left, &Message::Decided(decision));
    set_timer(out);
}

impl Actor for Role {
    type Msg = Message;
    type Timer = ();
    type State = State;
    type Storage = Disk;
    type Random = bool;

    fn on_start(&self, _: Id, disk: &Option<Disk>, out: &mut Out<Self>) -> State {
        let Role::Coordinator { .. } = self else {
            return State::Participant {
                asked: false,
                voted: false,
                decided: None,
            };
        };
        let mut disk = disk.clone().unwrap_or_default();
        disk.starts += 1;
        out.save(disk.clone());
        match disk.decision {
            Some(decision) => self.decide(decision, &disk, out),
            // Presumed abort.
            None if disk.starts > 1 => self.decide(Decision::Abort, &disk, out),
            None => {
                out.broadcast(&self.participants(), &Message::Prepare);
                set_timer(out);
                let yes = BTreeSet::new();
                State::Asks { yes, disk }
            }
        }
    }

    fn on_msg(&self, _: Id, state: &mut Cow<State>, from: Id, what: Message, out: &mut Out<Self>) {
        let mut next = (**state).clone();
        match (&mut next, what) {
            (State::Asks { yes, disk }, Message::Yes) => {
                yes.insert(from);
                if *yes == self.participants() {
                    next = self.decide(Decision::Commit, disk, out);
                }
            }
            (State::Asks { disk, .. }, Message::No) => {
                next = self.decide(Decision::Abort, disk, out);
            }
            (State::Tells { left, .. }, Message::Done) => {
                left.remove(&from);
                if left.is_empty() {
                    out.cancel_timer(());
                    next = State::HasTold;
                }
            }
            (State::Tells { .. }, Message::Yes | Message::No) => {}
            (
                State::Participant {
                    asked,
                    voted,
                    decided,
                },
                what,
            ) => match what {
                // It answers later, and looks at nothing until then.
                _ if *asked && !*voted => return,
                Message::Prepare if decided.is_none() => {
                    *asked = true;
                    out.choose_random("vote", vec![true, false]);
                }
                Message::Decided(decision) => {
                    decided.get_or_insert(decision);
                    out.send(from, Message::Done);
                }
                _ => {}
            },
            _ => return,
        }
        *state = Cow::Owned(next);
    }

    fn on_random(&self, _: Id, state: &mut Cow<State>, yes: &bool, out: &mut Out<Self>) {
        let State::Participant { voted, decided, .. } = state.to_mut() else {
            unreachable!("only participants vote");
        };
        *voted = true;
        if !yes {
            *decided = Some(Decision::Abort);
        }
        let vote = if *yes { Message::Yes } else { Message::No };
        out.send(COORDINATOR.into(), vote);
    }

    fn on_timeout(&self, _: Id, state: &mut Cow<State>, _: &(), out: &mut Out<Self>) {
        let next = match state.to_mut() {
            State::Asks { disk, .. } => self.decide(Decision::Abort, disk, out),
            State::Tells {
                attempts: ATTEMPTS, ..
            } => State::HasTold,
            State::Tells {
                decision,
                left,
                attempts,
            } => {
                *attempts += 1;
                tell(left, *decision, out);
                return;
            }
            State::HasTold | State::Participant { .. } => unreachable!("it has no timer"),
        };
        *state = Cow::Owned(next);
    }
}

/// Participants, and a coordinator that may crash.
pub fn peer(participants: usize, logged: bool, crashes: usize) -> Peer<Role> {
    let ends = Ends {
        fails: |state| {
            [Decision::Commit, Decision::Abort]
                .iter()
                .all(|decision| state.actor_states[1..].iter().any(|it| has(it, *decision)))
        },
        succeeds: |state| {
            let mut participants = state.actor_states[1..].iter();
            participants.all(|it| has(it, Decision::Commit))
        },
    };
    ActorModel::new(ends, ())
        .actor(Role::Coordinator {
            participants,
            logged,
        })
        .actors(vec![Role::Participant; participants])
        .init_network(Network::new_unordered_nonduplicating([]))
        .max_crashes(crashes)
        .within_boundary(|_, state| {
            let disk = state.actor_storages[COORDINATOR].as_ref();
            crashes_once(&state.crashed, disk.expect("it has started").starts)
        })
}

fn has(state: &State, decision: Decision) -> bool {
    matches!(state, State::Participant { decided: Some(it), .. } if *it == decision)
}
