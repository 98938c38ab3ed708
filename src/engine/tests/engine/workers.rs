//! Several OS threads explore what one would: each execution once, by any of them.

use crate::support::kernels::{condvar, exchange_loop, mutex, ticket, treiber};
use heisenbug_engine::search::{Config, Ending, Leaf, Observer, take_part};
use heisenbug_engine::workers::Workers;
use std::collections::BTreeMap;
use std::thread;

/// The executions that one thread has seen, by their codes.
#[derive(Default)]
struct Seen {
    codes: BTreeMap<Vec<u32>, u64>,
    stuck: u64,
}

impl Observer for Seen {
    fn begin(&mut self) {}

    fn ended(&mut self, leaf: &Leaf<'_>) {
        self.stuck += u64::from(*leaf.ending != Ending::Complete);
        *self.codes.entry(leaf.code()).or_default() += 1;
    }

    fn restart(&mut self) {
        *self = Seen::default();
    }

    fn go_on(&mut self, _runs: u64) -> bool {
        true
    }
}

/// What `jobs` OS threads see together.
fn explore(jobs: usize, program: &(dyn Fn() + Sync)) -> Seen {
    let workers = Workers::new(Config::default());
    let parts = thread::scope(|scope| {
        let part = || {
            let mut seen = Seen::default();
            let summary = take_part(&workers, &program, &mut seen);
            assert!(summary.complete);
            seen
        };
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(part)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .collect::<Result<Vec<_>, _>>()
            .expect("nobody panics")
    });
    let mut all = Seen::default();
    for part in parts {
        all.stuck += part.stuck;
        for (code, times) in part.codes {
            *all.codes.entry(code).or_default() += times;
        }
    }
    all
}

fn see_the_same(program: &(dyn Fn() + Sync)) {
    let alone = explore(1, program);
    for jobs in [2, 4] {
        let together = explore(jobs, program);
        assert_eq!(together.stuck, alone.stuck, "{jobs} jobs");
        assert!(together.codes == alone.codes, "{jobs} jobs");
    }
}

#[test]
fn two_or_four_see_what_one_sees_of_a_lock() {
    see_the_same(&|| ticket(4, 2));
    see_the_same(&|| mutex(4, 2));
}

#[test]
fn two_or_four_see_what_one_sees_of_a_loop() {
    see_the_same(&|| exchange_loop(4));
    see_the_same(&|| treiber(3, 2));
}

#[test]
fn two_or_four_see_what_one_sees_of_a_condition_variable() {
    see_the_same(&|| condvar(3));
}
