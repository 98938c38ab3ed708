//! Running programs step by step.

use crate::support::ast::Program;
use crate::support::compare;
use crate::support::generate::{self, Kind, Random};
use crate::support::graph::Graph;
use crate::support::kernels::{here, in_threads};
use crate::support::oracle::{self, Executions};
use crate::support::run;
use heisenbug_engine::search::{Config, Ending, Leaf, Model, Observer};
use heisenbug_engine::stepper::{Stepper, Waits, Way, What};
use heisenbug_engine::steps::{self, Object, Why};
use rustc_hash::FxHashSet;
use std::sync::atomic::Ordering::{self, Relaxed, SeqCst};

/// Takes ordinary steps.
fn go(stepper: &mut Stepper, threads: &[u8]) {
    for &thread in threads {
        assert!(stepper.step_ordinarily(thread), "{thread} cannot move");
    }
}

/// The ways of a thread's next step.
fn ways(stepper: &Stepper, thread: u8) -> &[Way] {
    let mut moves = stepper.moves().iter();
    &moves
        .find(|next| next.thread == thread)
        .expect("it can move")
        .ways
}

/// Two threads count with a load and a store.
fn lost_update() {
    in_threads(2, Object::new(), |x, _| {
        let seen = steps::load(x, 0, Relaxed, here());
        steps::store(x, 0, seen + 1, Relaxed, here());
    });
}

#[test]
fn one_update_is_lost_and_then_it_is_not() {
    let mut stepper = Stepper::new(Config::default(), lost_update);
    go(&mut stepper, &[0, 0, 1, 2, 1, 2, 0, 0]);
    assert_eq!(stepper.ending(), Some(&Ending::Complete));
    assert_eq!(stepper.newest(0), 1);
    assert!(stepper.moves().is_empty() && stepper.blocked().is_empty());
    for _ in 0..5 {
        assert!(stepper.back());
    }
    assert_eq!(stepper.ending(), None);
    assert_eq!(stepper.taken().len(), 3);
    go(&mut stepper, &[1, 2, 2, 0, 0]);
    assert_eq!(stepper.ending(), Some(&Ending::Complete));
    assert_eq!(stepper.newest(0), 2);
    while stepper.back() {}
    assert!(stepper.taken().is_empty());
    go(&mut stepper, &[0, 0]);
}

#[test]
fn a_move_says_what_it_does() {
    let mut stepper = Stepper::new(Config::default(), lost_update);
    assert_eq!(stepper.moves()[0].what, What::Spawn);
    go(&mut stepper, &[0, 0]);
    assert_eq!(stepper.blocked()[0].waits, Waits::End(1));
    let load = &stepper.moves()[0];
    assert!(matches!(load.what, What::Load { order: Relaxed, .. }));
    assert!(load.at.file().ends_with("stepper.rs"));
    assert_eq!(load.location, Some(0));
    go(&mut stepper, &[1]);
    let store = &stepper.moves()[0];
    let (order, value) = (Relaxed, 1);
    assert_eq!(store.what, What::Store { order, value });
    assert_eq!(store.ways, [Way::Write { newer: 0 }]);
    assert!(!stepper.step(1, Way::Only), "that is no way to store");
    assert!(!stepper.step(7, Way::Only), "there is no such thread");
}

#[test]
fn locations_keep_their_numbers() {
    let mut stepper = Stepper::new(Config::default(), || {
        in_threads(
            2,
            [Object::new(), Object::new(), Object::new()],
            |all, thread| {
                steps::store(&all[thread], 0, 1, Relaxed, here());
                steps::store(&all[2], 0, 1, Relaxed, here());
            },
        );
    });
    go(&mut stepper, &[0, 0]);
    let locations = |stepper: &Stepper| -> Vec<_> {
        stepper.moves().iter().map(|next| next.location).collect()
    };
    assert_eq!(locations(&stepper), [Some(0), Some(1)]);
    go(&mut stepper, &[1]);
    assert_eq!(locations(&stepper), [Some(2), Some(1)]);
    go(&mut stepper, &[2]);
    assert_eq!(locations(&stepper), [Some(2), Some(2)]);
}

/// Each of two threads stores to one location and loads the other one.
fn store_buffering(order: Ordering) -> impl Fn() + 'static {
    move || {
        in_threads(
            2,
            ([Object::new(), Object::new()], order),
            |(all, order), thread| {
                steps::store(&all[thread], 0, 1, *order, here());
                steps::load(&all[1 - thread], 0, *order, here());
            },
        );
    }
}

#[test]
fn both_see_nothing_if_they_choose_to() {
    let mut stepper = Stepper::new(Config::default(), store_buffering(Relaxed));
    go(&mut stepper, &[0, 0, 1, 2]);
    for thread in [1, 2] {
        let older = ways(&stepper, thread)[1];
        assert!(matches!(
            older,
            Way::Read {
                value: 0,
                newer: 1,
                from: None,
                ..
            }
        ));
        assert!(stepper.step(thread, older));
    }
    go(&mut stepper, &[0, 0]);
    assert_eq!(stepper.ending(), Some(&Ending::Complete));
}

#[test]
fn one_of_them_sees_something_if_all_is_sequentially_consistent() {
    let mut stepper = Stepper::new(Config::default(), store_buffering(SeqCst));
    go(&mut stepper, &[0, 0, 1, 2]);
    let older = ways(&stepper, 1)[1];
    assert!(stepper.step(1, older));
    assert_eq!(ways(&stepper, 2).len(), 1);
}

#[test]
fn under_sequential_consistency_the_order_of_steps_is_all() {
    let config = Config {
        model: Model::Sc,
        ..Config::default()
    };
    let mut stepper = Stepper::new(config, store_buffering(Relaxed));
    go(&mut stepper, &[0, 0, 1, 2]);
    assert_eq!(ways(&stepper, 1).len(), 1);
}

#[test]
fn a_store_can_be_put_behind_another_one() {
    let mut stepper = Stepper::new(Config::default(), || {
        in_threads(2, Object::new(), |x, thread| {
            steps::store(x, 0, thread as u64 + 1, Relaxed, here());
        });
    });
    go(&mut stepper, &[0, 0, 1]);
    assert_eq!(ways(&stepper, 2), [0, 1].map(|newer| Way::Write { newer }));
    assert!(stepper.step(2, Way::Write { newer: 1 }));
    assert_eq!(stepper.newest(0), 1);
}

#[test]
fn two_locks_in_opposite_orders() {
    let mut stepper = Stepper::new(Config::default(), || {
        in_threads(2, [Object::new(), Object::new()], |locks, thread| {
            steps::lock(&locks[thread], here());
            steps::lock(&locks[1 - thread], here());
            steps::unlock(&locks[1 - thread], true, here());
            steps::unlock(&locks[thread], true, here());
        });
    });
    go(&mut stepper, &[0, 0, 1, 2]);
    assert_eq!(stepper.ending(), Some(&Ending::Deadlock));
    assert!(stepper.moves().is_empty());
    let blocked = stepper.blocked();
    let who: Vec<_> = blocked.iter().map(|blocked| blocked.thread).collect();
    assert_eq!(who, [0, 1, 2]);
    assert_eq!(blocked[1].what, What::Lock);
    assert_eq!(blocked[1].waits, Waits::Lock { holders: vec![2] });
    assert_eq!(blocked[2].waits, Waits::Lock { holders: vec![1] });
    assert!(stepper.back());
    assert_eq!(stepper.ending(), None);
    go(&mut stepper, &[1, 1, 1, 2, 2, 2, 2, 0, 0]);
    assert_eq!(stepper.ending(), Some(&Ending::Complete));
}

#[test]
fn readers_hold_a_lock_together() {
    let mut stepper = Stepper::new(Config::default(), || {
        in_threads(3, Object::new(), |lock, thread| {
            if thread < 2 {
                steps::read_lock(lock, here());
                steps::read_unlock(lock, here());
            } else {
                steps::write_lock(lock, here());
            }
        });
    });
    go(&mut stepper, &[0, 0, 0, 1, 2]);
    let writer = stepper.blocked().iter().find(|blocked| blocked.thread == 3);
    let holders = vec![1, 2];
    assert_eq!(writer.expect("it waits").waits, Waits::Lock { holders });
    go(&mut stepper, &[1, 2, 3]);
}

#[test]
fn whoever_looks_at_locks_changes_what_they_are() {
    let mut stepper = Stepper::new(Config::default(), || {
        in_threads(2, Object::new(), |lock, thread| {
            if thread == 0 {
                steps::lock(lock, here());
            } else if steps::try_lock(lock, here()) {
                steps::unlock(lock, true, here());
            }
        });
    });
    // The second thread's next step is known as soon as it has begun.
    go(&mut stepper, &[0, 0]);
    assert!(matches!(stepper.moves()[0].what, What::Change { .. }));
    go(&mut stepper, &[1]);
    // It may also see the lock as it was before, but cannot take it then.
    assert_eq!(ways(&stepper, 2).len(), 1);
    go(&mut stepper, &[2, 0, 0]);
    assert_eq!(stepper.ending(), Some(&Ending::Complete));
}

#[test]
fn a_loop_that_has_seen_everything_waits() {
    let mut stepper = Stepper::new(Config::default(), || {
        in_threads(2, Object::new(), |x, thread| {
            if thread == 0 {
                while steps::load(x, 0, Relaxed, here()) == 0 {
                    steps::pass(here());
                }
            } else {
                steps::store(x, 0, 1, Relaxed, here());
            }
        });
    });
    go(&mut stepper, &[0, 0, 1]);
    let waiting = stepper.blocked().iter().find(|blocked| blocked.thread == 1);
    assert_eq!(waiting.expect("it waits").waits, Waits::News);
    go(&mut stepper, &[2, 1, 0, 0]);
    assert_eq!(stepper.ending(), Some(&Ending::Complete));
}

#[test]
fn a_loop_that_nobody_ends_is_a_livelock() {
    let mut stepper = Stepper::new(Config::default(), || {
        in_threads(1, Object::new(), |x, _| {
            while steps::load(x, 0, Relaxed, here()) == 0 {}
        });
    });
    go(&mut stepper, &[0, 1]);
    assert_eq!(stepper.ending(), Some(&Ending::Livelock));
}

#[test]
fn an_update_by_a_closure_is_one_step() {
    let mut stepper = Stepper::new(Config::default(), || {
        in_threads(2, Object::new(), |x, _| {
            let mut change = |old: u64| (old < 1).then_some(old + 1);
            steps::update(x, 0, Relaxed, Relaxed, here(), &mut change);
        });
    });
    go(&mut stepper, &[0, 0, 1]);
    // It would write if it reads 0, and the first thread has done so.
    let Way::Read { value, newer, .. } = ways(&stepper, 2)[0] else {
        panic!("it reads");
    };
    assert_eq!((value, newer, ways(&stepper, 2).len()), (1, 0, 1));
    go(&mut stepper, &[2, 0, 0]);
    assert_eq!(stepper.ending(), Some(&Ending::Complete));
    assert_eq!(stepper.newest(0), 1);
}

#[test]
fn choices_are_steps() {
    let mut stepper = Stepper::new(Config::default(), || {
        let chosen = steps::choose(3, Why::Program, here());
        steps::store(&Object::new(), 0, chosen.into(), Relaxed, here());
    });
    assert_eq!(stepper.moves()[0].what, What::Choice(Why::Program));
    assert_eq!(ways(&stepper, 0), [0, 1, 2].map(Way::Choose));
    assert!(stepper.step(0, Way::Choose(2)));
    go(&mut stepper, &[0]);
    assert_eq!(stepper.newest(0), 2);
}

#[test]
fn a_race_ends_it() {
    let mut stepper = Stepper::new(Config::default(), || {
        in_threads(2, Object::new(), |data, _| steps::plain_write(data, here()));
    });
    go(&mut stepper, &[0, 0]);
    assert!(matches!(stepper.ending(), Some(Ending::Race(_))));
    assert!(stepper.moves().is_empty());
}

/// Counts what it is notified of.
#[derive(Default)]
struct Counter {
    begun: usize,
    events: Vec<usize>,
}

impl Observer for Counter {
    fn begin(&mut self) {
        self.begun += 1;
    }

    fn ended(&mut self, leaf: &Leaf<'_>) {
        self.events.push(leaf.events());
    }

    fn restart(&mut self) {}

    fn go_on(&mut self, _runs: u64) -> bool {
        true
    }
}

#[test]
fn somebody_can_look_on() {
    let mut stepper = Stepper::new(Config::default(), lost_update);
    go(&mut stepper, &[0, 0, 1]);
    let mut counter = Counter::default();
    stepper.watch(&mut counter);
    // Two spawns, two beginnings, one load.
    assert_eq!((counter.begun, counter.events), (1, vec![5]));
}

/// The number of programs of each kind that are run.
const PROGRAMS: usize = 40;

/// The maximal number of partial executions of such a program.
const SMALL: usize = 300;

/// Steps after which a walk has certainly gone wrong.
const LONG: usize = 200;

const KINDS: [Kind; 14] = [
    Kind::Accesses,
    Kind::Changes,
    Kind::Updates,
    Kind::Chains,
    Kind::SeqCst,
    Kind::FencesAndChanges,
    Kind::Mutexes,
    Kind::Condvars,
    Kind::Choices,
    Kind::WeakExchanges,
    Kind::Awaits,
    Kind::AwaitChanges,
    Kind::ReaderWriterLocks,
    Kind::FourThreads,
];

/// Random programs, each under both models, with all their executions.
fn programs(kind: Kind, most: usize) -> impl Iterator<Item = (Program, Config, Executions)> {
    let models = move |number| [Model::Rc11, Model::Sc].map(|model| (number, model));
    let all = (0..).flat_map(models).filter_map(move |(number, model)| {
        let (program, config) = (
            generate::program(kind, number),
            compare::config(model, kind),
        );
        let expected = oracle::enumerate(&program, model, config.spurious, most)?;
        Some((program, config, expected))
    });
    all.take(PROGRAMS)
}

fn is_expected(stepper: &Stepper, graph: &Graph, expected: &Executions) -> bool {
    match stepper.ending() {
        Some(Ending::Complete) => expected.complete.contains(graph),
        Some(Ending::Deadlock) => expected.stuck.contains(graph),
        _ => false,
    }
}

#[test]
fn every_walk_is_an_execution() {
    for kind in KINDS {
        for (program, config, expected) in programs(kind, SMALL) {
            let mut stepper = run::stepper(&program, &config);
            let mut random = Random(kind as u64);
            for _ in 0..2 {
                walk(&mut stepper, &mut random);
                let graph = run::graph_of(&stepper, &program);
                let is_expected = is_expected(&stepper, &graph, &expected);
                assert!(is_expected, "{program:?} {:?} {graph:?}", stepper.ending());
                while stepper.taken().len() > 4 {
                    stepper.back();
                }
            }
        }
    }
}

#[test]
fn walks_through_loops_come_to_an_end() {
    let kind = Kind::Spins;
    for (program, config, expected) in programs(kind, SMALL) {
        let mut stepper = run::stepper(&program, &config);
        walk(&mut stepper, &mut Random(kind as u64));
        match stepper.ending() {
            Some(Ending::Complete) => {
                let graph = run::graph_of(&stepper, &program);
                assert!(expected.complete.contains(&graph), "{program:?} {graph:?}");
            }
            Some(Ending::Deadlock | Ending::Livelock) => {}
            odd => panic!("{program:?} {odd:?}"),
        }
    }
}

/// Takes random steps until there are none left.
fn walk(stepper: &mut Stepper, random: &mut Random) {
    while !stepper.moves().is_empty() {
        assert!(stepper.taken().len() < LONG, "{:?}", stepper.taken());
        let moves = stepper.moves();
        let next = &moves[random.below(moves.len() as u64) as usize];
        let way = next.ways[random.below(next.ways.len() as u64) as usize];
        assert!(stepper.step(next.thread, way));
    }
}

#[test]
fn all_walks_are_all_executions() {
    for kind in KINDS {
        for (program, config, expected) in programs(kind, 20) {
            let mut stepper = run::stepper(&program, &config);
            // Spawns affect no other thread: all of them come first.
            while stepper.moves().iter().any(|next| next.what == What::Spawn) {
                stepper.step_ordinarily(0);
            }
            let mut found = FxHashSet::default();
            go_everywhere(&mut stepper, &program, &expected, &mut found);
            let all = expected.complete.union(&expected.stuck);
            let missing: Vec<_> = all.filter(|graph| !found.contains(graph)).collect();
            assert!(
                missing.is_empty(),
                "{program:?} {:?} {missing:?}",
                config.model
            );
        }
    }
}

fn go_everywhere(
    stepper: &mut Stepper,
    program: &Program,
    expected: &Executions,
    found: &mut FxHashSet<Graph>,
) {
    if stepper.ending().is_some() {
        let graph = run::graph_of(stepper, program);
        assert!(
            is_expected(stepper, &graph, expected),
            "{program:?} {graph:?}"
        );
        found.insert(graph);
    }
    for next in stepper.moves().to_vec() {
        for way in next.ways {
            assert!(stepper.step(next.thread, way));
            go_everywhere(stepper, program, expected, found);
            assert!(stepper.back());
        }
    }
}
