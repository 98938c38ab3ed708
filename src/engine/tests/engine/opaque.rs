//! Opaque steps, and choices.

use crate::support::kernels::{count, here, in_threads};
use heisenbug_engine::search::{Config, Ending, Leaf, Model, Observer, explore};
use heisenbug_engine::stepper::{Stepper, What};
use heisenbug_engine::steps::{self, Object, Why};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Each of several clients writes its number into a log, several times.
fn clients(clients: usize, statements: usize, log: Rc<RefCell<Vec<usize>>>) {
    log.borrow_mut().clear();
    in_threads(
        clients,
        (Object::new(), log, statements),
        |(object, log, statements), me| {
            for _ in 0..*statements {
                let length = steps::opaque(object, here(), || {
                    log.borrow_mut().push(me);
                    log.borrow().len()
                });
                assert!(length >= 1);
            }
        },
    );
}

/// How often each log was found at the end.
#[derive(Default)]
struct Logs {
    log: Rc<RefCell<Vec<usize>>>,
    seen: BTreeMap<Vec<usize>, u32>,
}

impl Observer for Logs {
    fn begin(&mut self) {}

    fn ended(&mut self, leaf: &Leaf<'_>) {
        assert_eq!(*leaf.ending, Ending::Complete);
        *self.seen.entry(self.log.borrow().clone()).or_default() += 1;
    }

    fn restart(&mut self) {
        self.seen.clear();
    }

    fn go_on(&mut self, _runs: u64) -> bool {
        true
    }
}

fn all_logs(number: usize, statements: usize) -> Vec<Vec<usize>> {
    let mut logs = Logs::default();
    let log = Rc::clone(&logs.log);
    let program = move || clients(number, statements, Rc::clone(&log));
    let summary = explore(&Config::default(), &program, &mut logs);
    assert!(summary.complete && summary.wasted == 0, "{summary:?}");
    assert!(
        logs.seen.values().all(|&times| times == 1),
        "none comes twice"
    );
    logs.seen.into_keys().collect()
}

#[test]
fn two_clients_with_two_statements_each() {
    let expected = [
        [0, 0, 1, 1],
        [0, 1, 0, 1],
        [0, 1, 1, 0],
        [1, 0, 0, 1],
        [1, 0, 1, 0],
        [1, 1, 0, 0],
    ];
    assert_eq!(all_logs(2, 2), expected);
}

#[test]
fn as_many_executions_as_interleavings() {
    assert_eq!(all_logs(3, 1).len(), 6);
    assert_eq!(all_logs(3, 2).len(), 90);
    assert_eq!(all_logs(2, 4).len(), 70);
}

#[test]
fn steps_on_different_objects_are_in_no_order() {
    for model in [Model::Rc11, Model::Sc] {
        let found = count(model, &|| {
            in_threads(
                3,
                [Object::new(), Object::new(), Object::new()],
                |all, me| {
                    for _ in 0..3 {
                        steps::opaque(&all[me], here(), || ());
                    }
                },
            );
        });
        assert_eq!(found.complete, 1);
    }
}

/// The second client sees the data of the first one: that is no race.
#[test]
fn a_step_orders_what_came_before_it() {
    let found = count(Model::Rc11, &|| {
        let shared = (Object::new(), Object::new(), Cell::new(false));
        in_threads(2, shared, |(object, data, is_taken), _| {
            let is_mine = steps::opaque(object, here(), || !is_taken.replace(true));
            if is_mine {
                steps::plain_write(data, here());
                steps::opaque(object, here(), || is_taken.set(false));
            }
        });
    });
    assert_eq!((found.racy, &found.odd[..]), (0, &[][..]));
    assert!(found.complete > 2);
}

#[test]
fn choices_multiply() {
    let found = count(Model::Rc11, &|| {
        steps::choose(2, Why::Program, here());
        steps::choose(3, Why::Program, here());
    });
    assert_eq!(found.complete, 6);
    let found = count(Model::Rc11, &|| {
        in_threads(2, Object::new(), |object, _| {
            steps::choose(3, Why::Program, here());
            steps::opaque(object, here(), || ());
        });
    });
    assert_eq!(found.complete, 3 * 3 * 2);
}

#[test]
fn a_choice_decides_what_comes_after_it() {
    let found = count(Model::Rc11, &|| {
        for _ in 0..steps::choose(4, Why::Program, here()) {
            steps::choose(2, Why::Program, here());
        }
    });
    assert_eq!(found.complete, 1 + 2 + 4 + 8);
}

#[test]
fn what_happens_for_no_reason_happens_only_so_often() {
    let config = Config {
        spurious: 1,
        ..Config::default()
    };
    let mut logs = Logs::default();
    let log = Rc::clone(&logs.log);
    let program = move || {
        let chosen: [u8; 3] = std::array::from_fn(|_| steps::choose(2, Why::SpuriousWake, here()));
        *log.borrow_mut() = chosen.map(usize::from).to_vec();
    };
    explore(&config, &program, &mut logs);
    let expected = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]].map(|log| (log.to_vec(), 1));
    assert_eq!(logs.seen, BTreeMap::from(expected));
}

#[test]
fn opaque_steps_one_by_one() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let again = Rc::clone(&log);
    let mut stepper = Stepper::new(Config::default(), move || {
        clients(2, 2, Rc::clone(&again));
    });
    for thread in [0, 0, 2, 1, 1, 2, 0, 0] {
        assert!(stepper.step_ordinarily(thread));
    }
    assert_eq!(stepper.ending(), Some(&Ending::Complete));
    assert_eq!(*log.borrow(), [1, 0, 0, 1]);
    while stepper.taken().len() > 3 {
        stepper.back();
    }
    let changes = |what| matches!(what, What::Change { .. });
    assert!(stepper.moves().iter().all(|next| changes(next.what)));
}
