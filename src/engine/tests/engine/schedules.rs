//! The order in which an execution is shown: a possible one, and without stale reads if there is such
//! an order.

use crate::support::ast::Program;
use crate::support::compare;
use crate::support::generate::{self, Kind};
use crate::support::graph::{self as node, Graph, Node, Position};
use crate::support::{oracle, run};
use heisenbug_engine::search::Model;
use std::collections::HashMap;

/// How many programs of each kind are tried.
const PROGRAMS: u64 = 100;

/// The maximal number of partial executions of a program that is tried.
const SMALL: usize = 500;

#[test]
fn an_execution_has_no_stale_reads_where_it_is_sequentially_consistent() {
    for (program, kind) in programs() {
        let config = compare::config(Model::Rc11, kind);
        let interleaved = oracle::enumerate(&program, Model::Sc, config.spurious, usize::MAX);
        let interleaved = interleaved.expect("there is no limit").complete;
        for (graph, schedule, _) in run::run_and_replay(&program, &config) {
            let is_interleaved = interleaved.contains(&graph);
            assert_eq!(schedule.stale == 0, is_interleaved, "{program:?} {graph:?}");
        }
    }
}

#[test]
fn an_execution_can_be_run_again_in_its_order() {
    for (program, kind) in programs() {
        for model in [Model::Rc11, Model::Sc] {
            let config = compare::config(model, kind);
            for (graph, _, again) in run::run_and_replay(&program, &config) {
                assert_eq!(graph, again, "{program:?}");
            }
        }
    }
}

#[test]
fn the_fewest_preemptions_are_found() {
    for (program, kind) in programs() {
        let config = compare::config(Model::Sc, kind);
        for (graph, schedule, _) in run::run_and_replay(&program, &config) {
            let fewest = fewest_preemptions(&graph);
            assert_eq!(schedule.preemptions, fewest, "{program:?} {graph:?}");
        }
    }
}

/// Programs in which no thread ever waits: a thread with something left to do can do it.
fn programs() -> impl Iterator<Item = (Program, Kind)> {
    let kinds = [
        Kind::Accesses,
        Kind::Changes,
        Kind::SeqCst,
        Kind::Chains,
        Kind::WeakExchanges,
        Kind::Choices,
    ];
    kinds.into_iter().flat_map(|kind| {
        let programs = (0..).map(move |number| generate::program(kind, number));
        let small = programs
            .filter(|program| oracle::enumerate(program, Model::Rc11, u8::MAX, SMALL).is_some());
        small
            .map(move |program| (program, kind))
            .take(PROGRAMS as usize)
    })
}

/// By brute force over all orders in which every read gets the newest value.
fn fewest_preemptions(graph: &Graph) -> u32 {
    let mut orders = Orders {
        graph,
        known: HashMap::new(),
    };
    let beginning = vec![0; graph.threads.len()];
    let fewest = (0..graph.threads.len()).filter_map(|first| orders.fewest(&beginning, first));
    fewest.min().expect("it is sequentially consistent")
}

/// The orders of one execution.
struct Orders<'a> {
    graph: &'a Graph,
    /// The fewest preemptions of the rest, by the threads' positions and the running thread. `None` if the
    /// rest cannot be put in order.
    known: HashMap<(Vec<usize>, usize), Option<u32>>,
}

impl Orders<'_> {
    /// The fewest preemptions from here on, when that thread is the next to run.
    fn fewest(&mut self, done: &[usize], running: usize) -> Option<u32> {
        if done
            .iter()
            .zip(&self.graph.threads)
            .all(|(&done, events)| done == events.len())
        {
            return Some(0);
        }
        let key = (done.to_vec(), running);
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let fewest = self.fewest_after_one_more(done, running);
        self.known.insert(key, fewest);
        fewest
    }

    fn fewest_after_one_more(&mut self, done: &[usize], running: usize) -> Option<u32> {
        let node = self.graph.threads[running].get(done[running])?;
        if !self.can_be_next(done, running, node) {
            return None;
        }
        let mut done = done.to_vec();
        done[running] += 1;
        let is_preempted = done[running] < self.graph.threads[running].len();
        let all = 0..done.len();
        let options = all.filter_map(|next| {
            let cost = u32::from(is_preempted && next != running);
            Some(self.fewest(&done, next)? + cost)
        });
        options.min()
    }

    /// Whether it reads the newest of the writes that have been done, or is the next to be written.
    fn can_be_next(&self, done: &[usize], thread: usize, node: &Node) -> bool {
        let order = &self.graph.order[node.location as usize];
        let is_done = |&&(thread, index): &&Position| usize::from(index) < done[thread as usize];
        let newest = order.iter().rev().find(is_done).copied();
        match node.kind {
            node::Kind::Read | node::Kind::Update => newest == node.from,
            node::Kind::Write => {
                let me = (thread as u8, done[thread] as u16);
                order.iter().position(|&write| write == me)
                    == Some(order.iter().filter(is_done).count())
            }
            _ => true,
        }
    }
}
