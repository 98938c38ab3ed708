//! The protocols as actors of [stateright](https://docs.rs/stateright), whose search shares no code with ours: it
//! finds the same failures, after as many steps, and none where we find none.
//!
//! Where a crash comes into it, steps are counted differently. A step of a machine can be interrupted by its crash, so
//! the two are one step; an actor's cannot, so its crash is another. The restart is a step in both.
//!
//! Timers fire at any time here: stateright knows no others. `cargo test -p heisenbug-engine --test machines actors --
//! --nocapture` shows how many states and how much time it took. After the first failure stateright stops, and we
//! do not.

mod failover;
mod lease;
mod payment;
mod quorum;
mod two_phase;

use crate::support::machine::{NO_FAULTS, explore_all};
use crate::support::protocols;
use crate::support::protocols::payment::Key;
use heisenbug_engine::machines::Timers::Any;
use heisenbug_engine::machines::{Faults, Label, Program};
use stateright::Expectation::{Always, Sometimes};
use stateright::actor::{Actor, ActorModel, ActorModelState, Out, model_timeout};
use stateright::{Checker, Model};
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

/// Actors, with a memory for what only an observer of the whole can know.
type Peer<A, H = ()> = ActorModel<A, Ends<A, H>, H>;

/// The states that are looked for.
#[derive(Clone)]
struct Ends<A: Actor, H = ()> {
    fails: fn(&ActorModelState<A, H>) -> bool,
    /// All went as it was meant to: without a way there, that nothing fails would say little.
    succeeds: fn(&ActorModelState<A, H>) -> bool,
}

fn set_timer<A: Actor<Timer = ()>>(out: &mut Out<A>) {
    out.set_timer((), model_timeout());
}

/// Whether only the first actor has crashed, and only once. It counts its starts.
fn crashes_once(crashed: &[bool], starts: u8) -> bool {
    let [first, others @ ..] = crashed else {
        return true;
    };
    !others.contains(&true) && starts + u8::from(*first) <= 2
}

/// What one of the two has found.
struct Search {
    /// The number of steps to the nearest failure.
    steps: Option<usize>,
    states: u64,
    millis: f64,
}

/// Looks for the nearest failure. `crashes`: on our way to it.
fn ours(program: &Program) -> (Search, usize) {
    let start = Instant::now();
    let found = explore_all(program);
    let is_failure = |label: &Label| !matches!(label, Label::Returned(_));
    let failure = found.ends.iter().find(|end| is_failure(&end.label));
    let search = Search {
        // The first of them only start the machines.
        steps: failure.map(|end| end.path.len() - program.machines.len()),
        states: found.states,
        millis: start.elapsed().as_secs_f64() * 1e3,
    };
    (search, failure.map_or(0, |end| end.faults.total()))
}

/// Looks for the nearest state to be reported for the only property of a model.
fn theirs<M>(model: M) -> Search
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq,
{
    let start = Instant::now();
    // Only a search with one thread and one property reports the nearest.
    let found = model.checker().threads(1).spawn_bfs().join();
    let mut paths = found.discoveries().into_values();
    Search {
        steps: paths.next().map(|path| path.into_actions().len()),
        states: found.unique_state_count() as u64,
        millis: start.elapsed().as_secs_f64() * 1e3,
    }
}

/// Compares the two. Returns the number of steps to the nearest failure, in our way of counting.
fn compare<A, H>(name: &str, program: &Program, peer: &Peer<A, H>) -> Option<usize>
where
    A: Actor<Timer = ()> + Clone + Send + Sync + 'static,
    A::Msg: Ord + Send + Sync,
    A::Random: Send + Sync,
    A::State: Send + Sync,
    A::Storage: Send + Sync,
    H: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
{
    let (ours, crashes) = ours(program);
    let reached = theirs({
        let succeeds =
            |model: &Peer<A, H>, state: &ActorModelState<A, H>| (model.cfg.succeeds)(state);
        peer.clone().property(Sometimes, "succeeds", succeeds)
    });
    assert!(reached.steps.is_some(), "{name}: it never succeeds");
    let theirs = theirs({
        let holds = |model: &Peer<A, H>, state: &ActorModelState<A, H>| !(model.cfg.fails)(state);
        peer.clone().property(Always, "holds", holds)
    });
    println!(
        "{name:36} {:>6} states {:>7.1} ms | stateright {:>6} states {:>7.1} ms | {:?} {:?}",
        ours.states, ours.millis, theirs.states, theirs.millis, ours.steps, theirs.steps,
    );
    let as_theirs = ours.steps.map(|steps| steps + crashes);
    assert_eq!(as_theirs, theirs.steps, "{name}");
    ours.steps
}

const CRASH: Faults = Faults {
    crashes: 1,
    ..NO_FAULTS
};

#[test]
fn a_lease_fails_without_a_fencing_token_and_holds_with_one() {
    for (clients, fenced, expected) in [
        (2, false, Some(9)),
        (3, false, Some(9)),
        (2, true, None),
        (3, true, None),
        (4, true, None),
    ] {
        let mut program = protocols::lease::program(clients, fenced);
        program.timers = Any;
        let name = format!("lease, fenced: {fenced}, {clients} clients");
        let found = compare(&name, &program, &lease::peer(clients, fenced));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_payment_is_made_once_only_if_its_key_is_in_the_ledger() {
    for (shops, key, faults, expected) in [
        (1, Key::Nowhere, NO_FAULTS, Some(3)),
        (1, Key::Memory, NO_FAULTS, None),
        (1, Key::Memory, CRASH, Some(4)),
        (1, Key::Afterwards, CRASH, Some(4)),
        (1, Key::Ledger, CRASH, None),
        (2, Key::Ledger, CRASH, None),
        (3, Key::Ledger, CRASH, None),
    ] {
        let program = protocols::payment::program(shops, key, faults, Any);
        let crashes = faults.crashes;
        let name = format!("payment, {shops} shops, {key:?}, {crashes} crashes");
        let peer = payment::peer(shops, key, crashes.into());
        assert_eq!(compare(&name, &program, &peer), expected, "{name}");
    }
}

#[test]
fn quorums_hold_only_if_they_meet() {
    for (r, w, expected) in [(1, 1, Some(5)), (1, 2, Some(7)), (2, 2, None), (1, 3, None)] {
        let program = protocols::quorum::program(r, w, 1);
        let name = format!("quorum, reads {r}, writes {w}");
        let found = compare(&name, &program, &quorum::peer(r, w, 1));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn two_phase_commit_survives_a_crash_only_with_a_log() {
    for (logged, faults, expected) in [
        (false, NO_FAULTS, None),
        (false, CRASH, Some(9)),
        (true, CRASH, None),
    ] {
        let program = protocols::two_phase::program(2, logged, faults, Any);
        let crashes = faults.crashes;
        let name = format!("two-phase, logged: {logged}, {crashes} crashes");
        let peer = two_phase::peer(2, logged, crashes.into());
        assert_eq!(compare(&name, &program, &peer), expected, "{name}");
    }
}

#[test]
fn a_value_survives_its_primary_only_if_it_is_acknowledged_late() {
    for (clients, early, expected) in [
        (1, true, Some(5)),
        (2, true, Some(5)),
        (1, false, None),
        (2, false, None),
        (3, false, None),
    ] {
        let program = protocols::failover::program(clients, early, NO_FAULTS, Any);
        let name = format!("failover, early: {early}, {clients} clients");
        let peer = failover::peer(clients, early);
        assert_eq!(compare(&name, &program, &peer), expected, "{name}");
    }
}
