//! Runs without an end, in which nothing goes wrong.
//!
//! A set of states that can be reached from one another (a strongly connected component: Tarjan, *Depth-First
//! Search and Linear Graph Algorithms*, 1972) is such a run, if it is *fair*: no message that could be received
//! throughout is ignored for ever, nor a timer that could fire throughout, nor a machine that could go on.

use super::found::Stopped;
use super::locals::Input;
use super::store::{NONE, StateId, VisitId, Visits};
use super::world::{Act, State, World};
use rustc_hash::{FxHashMap, FxHashSet};

/// The step of a machine with an input, from one state to another.
type Edge = (StateId, (u8, Input));

/// The first fair cycle, by a visit to one of its states.
pub fn find(world: &mut World<'_>, visits: &Visits) -> Result<Option<VisitId>, Stopped> {
    let edges = edges(world, visits)?;
    let components = components(&edges);
    let fair = components.iter().filter(|states| is_fair(states, &edges));
    // The way there should be short.
    let reached = fair.flatten().map(|&state| visits.of(state));
    let shortest = reached.min_by_key(|&visit| {
        let visit = &visits.all[visit as usize];
        (visit.used.total(), visit.depth)
    });
    Ok(shortest)
}

/// The steps in which nothing goes wrong, by the state where they begin.
fn edges(world: &mut World<'_>, visits: &Visits) -> Result<Vec<Vec<Edge>>, Stopped> {
    let nothing_left = world.program.faults;
    let mut all = Vec::new();
    let mut acts = Vec::new();
    for id in 0..visits.states.len() as StateId {
        let state = State::of(visits.states.get(id));
        acts.clear();
        if state.end().is_none() {
            world.acts(&state, &nothing_left, &mut acts)?;
        }
        let mut edges = Vec::new();
        for &act in acts.iter().filter(|act| act.is_ordinary()) {
            let Act::Take {
                machine,
                input: Some(input),
                ..
            } = act
            else {
                continue;
            };
            let (next, _) = world.take(&state, nothing_left, act)?;
            // A state that was never visited is covered: it does not occur here.
            if let Some(to) = visits.states.known(next.words()) {
                edges.push((to, (machine, input)));
            }
        }
        all.push(edges);
    }
    Ok(all)
}

/// A state on the way of the search.
#[derive(Clone, Copy)]
struct Frame {
    state: StateId,
    next: usize,
}

/// The strongly connected components with at least one edge in them.
fn components(edges: &[Vec<Edge>]) -> Vec<Vec<StateId>> {
    let mut index = vec![NONE; edges.len()];
    let mut low = vec![NONE; edges.len()];
    let mut on_stack = vec![false; edges.len()];
    let (mut stack, mut found, mut count) = (Vec::new(), Vec::new(), 0);
    for root in 0..edges.len() as StateId {
        let mut way = Vec::new();
        if index[root as usize] == NONE {
            way.push(Frame {
                state: root,
                next: 0,
            });
        }
        while let Some(frame) = way.last_mut() {
            let at = frame.state as usize;
            if frame.next == 0 && index[at] == NONE {
                (index[at], low[at], on_stack[at]) = (count, count, true);
                count += 1;
                stack.push(frame.state);
            }
            if let Some(&(to, _)) = edges[at].get(frame.next) {
                frame.next += 1;
                let to_at = to as usize;
                if index[to_at] == NONE {
                    way.push(Frame { state: to, next: 0 });
                } else if on_stack[to_at] {
                    low[at] = low[at].min(index[to_at]);
                }
                continue;
            }
            way.pop();
            if let Some(parent) = way.last() {
                let parent = parent.state as usize;
                low[parent] = low[parent].min(low[at]);
            }
            if low[at] == index[at] {
                let start = stack.iter().rposition(|&state| state as usize == at);
                let states = stack.split_off(start.expect("it is on the stack"));
                states
                    .iter()
                    .for_each(|&state| on_stack[state as usize] = false);
                if states.len() > 1 || edges[at].iter().any(|&(to, _)| to as usize == at) {
                    found.push(states);
                }
            }
        }
    }
    found
}

/// Whether each step that is possible in all of these states is taken between two of them.
fn is_fair(states: &[StateId], edges: &[Vec<Edge>]) -> bool {
    let inside: FxHashSet<StateId> = states.iter().copied().collect();
    let mut possible: FxHashMap<(u8, Input), (usize, bool)> = FxHashMap::default();
    for &state in states {
        for &(to, step) in &edges[state as usize] {
            let entry = possible.entry(step).or_default();
            entry.0 += 1;
            entry.1 |= inside.contains(&to);
        }
    }
    let ignored = |&(count, taken): &(usize, bool)| count == states.len() && !taken;
    !possible.values().any(|step| ignored(step))
}
