//! Parts of an exploration that never talk to each other: together they see what the whole sees.

use crate::support::kernels::{
    condvar, exchange_loop, mcs, mutex, queue, reader_writer_lock, ticket, treiber,
};
use heisenbug_engine::Shard;
use heisenbug_engine::search::{Config, Leaf, Observer, Summary, take_part};
use heisenbug_engine::workers::Workers;
use std::collections::BTreeMap;

/// The executions that a part counts, by their codes.
#[derive(Default)]
struct Seen {
    codes: BTreeMap<Vec<u32>, u64>,
}

impl Observer for Seen {
    fn begin(&mut self) {}

    fn ended(&mut self, leaf: &Leaf<'_>) {
        if leaf.is_counted() {
            *self.codes.entry(leaf.code()).or_default() += 1;
        }
    }

    fn restart(&mut self) {
        *self = Seen::default();
    }

    fn go_on(&mut self, _runs: u64) -> bool {
        true
    }
}

impl Seen {
    fn count(&self) -> u64 {
        self.codes.values().sum()
    }
}

fn explore(shard: Option<Shard>, program: &dyn Fn()) -> (Seen, Summary) {
    let mut seen = Seen::default();
    let workers = Workers::of(Config::default(), shard);
    let summary = take_part(&workers, program, &mut seen);
    assert!(summary.complete);
    (seen, summary)
}

/// Returns how many executions each part counts.
fn add_up(of: usize, program: &dyn Fn()) -> Vec<u64> {
    let (whole, summary) = explore(None, program);
    let parts = (0..of).map(|part| explore(Some(Shard { part, of }), program));
    let parts: Vec<(Seen, Summary)> = parts.collect();
    let counts = parts.iter().map(|(seen, _)| seen.count()).collect();
    let wasted: u64 = parts.iter().map(|(_, summary)| summary.wasted).sum();
    assert_eq!(wasted, summary.wasted, "{of} parts");
    let dealt = parts[0].1.dealt;
    assert!(dealt.is_some() && parts.iter().all(|(_, summary)| summary.dealt == dealt));
    let mut all = Seen::default();
    for (code, times) in parts.into_iter().flat_map(|(seen, _)| seen.codes) {
        *all.codes.entry(code).or_default() += times;
    }
    assert!(all.codes == whole.codes, "{of} parts");
    counts
}

#[test]
fn small_programs_add_up() {
    let programs: [&dyn Fn(); 6] = [
        &|| ticket(3, 1),
        &|| mutex(3, 1),
        &|| exchange_loop(3),
        &|| treiber(2, 1),
        &|| condvar(2),
        &|| reader_writer_lock(2),
    ];
    for program in programs {
        for of in [1, 2, 3, 8] {
            add_up(of, program);
        }
    }
}

#[test]
fn eight_parts_of_a_large_program_add_up_and_none_is_much_larger_than_the_others() {
    let programs: [&dyn Fn(); 2] = [&|| mcs(3, 2), &|| queue(3, 2)];
    for program in programs {
        let counts = add_up(8, program);
        let (whole, most) = (counts.iter().sum::<u64>(), counts.iter().max());
        let most = *most.expect("there are eight");
        assert!(whole > 10_000, "{counts:?}");
        // At most 1.6 times the mean.
        assert!(most * 8 * 10 <= whole * 16, "{counts:?}");
    }
}
