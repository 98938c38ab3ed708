//! Runs without an end, in which nothing goes wrong.
//!
//! A set of states that can be reached from one another (a strongly connected component: Tarjan, *Depth-First
//! Search and Linear Graph Algorithms*, 1972) is such a run, if it is *fair*: what is possible again and again
//! happens again and again, be it a message that could be received, a timer that could fire, or a machine that
//! could go on. Only what a machine chooses is its own business. Where something is ignored, the states in
//! which it is possible are taken away, and the rest is looked at again (Emerson and Lei, *Modalities for Model
//! Checking*, 1987).

use super::found::Stopped;
use super::local::Input;
use super::store::{NONE, StateId, VisitId, Visits};
use super::world::{Act, State, World};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// The step of a machine with an input, from one state to another.
type Edge = (StateId, (u8, Input));

/// The fair cycle that is reached first: a visit to one of its states, and the steps from there and back. There may be
/// longer ways around, too.
pub fn find(
    world: &mut World<'_>,
    visits: &Visits,
) -> Result<Option<(VisitId, Vec<Act>)>, Stopped> {
    let edges = edges(world, visits)?;
    let all = vec![true; edges.len()];
    let mut left = components(&edges, &all);
    let mut fair = Vec::new();
    while let Some(states) = left.pop() {
        let ignored = ignored(&states, &edges);
        if ignored.is_empty() {
            fair.push(states);
            continue;
        }
        let mut rest = vec![false; edges.len()];
        for &state in &states {
            let mut steps = edges[state as usize].iter();
            rest[state as usize] = !steps.any(|(_, step)| ignored.contains(step));
        }
        left.extend(components(&edges, &rest));
    }
    // The way there should be short.
    let reached = fair
        .iter()
        .flat_map(|states| states.iter().map(move |&state| (visits.of(state), states)));
    let shortest = reached.min_by_key(|&(visit, _)| {
        let visit = &visits.all[visit as usize];
        (visit.used.total(), visit.depth)
    });
    let Some((visit, states)) = shortest else {
        return Ok(None);
    };
    let around = around(world, visits, states, visits.all[visit as usize].state)?;
    Ok(Some((visit, around)))
}

/// The shortest way from a state back to it, among these.
fn around(
    world: &mut World<'_>,
    visits: &Visits,
    among: &[StateId],
    start: StateId,
) -> Result<Vec<Act>, Stopped> {
    let among: FxHashSet<StateId> = among.iter().copied().collect();
    let mut came: FxHashMap<StateId, (StateId, Act)> = FxHashMap::default();
    let mut left = VecDeque::from([start]);
    while let Some(at) = left.pop_front() {
        for (act, to) in ordinary(world, visits, at)? {
            if !among.contains(&to) || came.contains_key(&to) {
                continue;
            }
            came.insert(to, (at, act));
            left.push_back(to);
        }
        if came.contains_key(&start) {
            break;
        }
    }
    let mut acts = Vec::new();
    let mut at = start;
    while let Some(&(from, act)) = came.get(&at) {
        acts.push(act);
        at = from;
        if at == start {
            break;
        }
    }
    acts.reverse();
    Ok(acts)
}

/// The steps from a state in which nothing goes wrong, and where they lead.
fn ordinary(
    world: &mut World<'_>,
    visits: &Visits,
    id: StateId,
) -> Result<Vec<(Act, StateId)>, Stopped> {
    let nothing_left = world.program.faults;
    let state = State::of(visits.states.get(id));
    let mut acts = Vec::new();
    if state.end().is_none() {
        world.acts(&state, &nothing_left, &mut acts)?;
    }
    let mut steps = Vec::new();
    for act in acts.into_iter().filter(Act::is_ordinary) {
        let (next, _) = world.take(&state, nothing_left, act)?;
        // A state that was never visited is covered: it does not occur here.
        steps.extend(visits.states.known(next.words()).map(|to| (act, to)));
    }
    Ok(steps)
}

/// The steps in which nothing goes wrong, by the state where they begin.
fn edges(world: &mut World<'_>, visits: &Visits) -> Result<Vec<Vec<Edge>>, Stopped> {
    let states = 0..visits.states.len() as StateId;
    let edges = states.map(|state| {
        let steps = ordinary(world, visits, state)?.into_iter();
        Ok(steps.filter_map(edge).collect())
    });
    edges.collect()
}

fn edge((act, to): (Act, StateId)) -> Option<Edge> {
    let Act::Take {
        machine,
        input: Some(input),
        ..
    } = act
    else {
        return None;
    };
    Some((to, (machine, kind_of(input))))
}

/// An input, whatever the machine chooses.
fn kind_of(input: Input) -> Input {
    match input {
        Input::Choice(_) => Input::Choice(0),
        Input::Time { .. } => Input::Time { ticks: 0, skew: 0 },
        // How much is read, too, is not what must happen again and again.
        Input::Bytes(_) => Input::Bytes(0),
        _ => input,
    }
}

/// A state on the way of the search.
#[derive(Clone, Copy)]
struct Frame {
    state: StateId,
    next: usize,
}

/// The strongly connected components among these states, with at least one edge in them.
fn components(edges: &[Vec<Edge>], among: &[bool]) -> Vec<Vec<StateId>> {
    let mut index = vec![NONE; edges.len()];
    let mut low = vec![NONE; edges.len()];
    let mut on_stack = vec![false; edges.len()];
    let (mut stack, mut found, mut count) = (Vec::new(), Vec::new(), 0);
    for root in 0..edges.len() as StateId {
        let mut way = Vec::new();
        if among[root as usize] && index[root as usize] == NONE {
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
                if !among[to_at] {
                    continue;
                }
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

/// The steps that are possible in some of these states, but never taken between two of them.
fn ignored(states: &[StateId], edges: &[Vec<Edge>]) -> FxHashSet<(u8, Input)> {
    let inside: FxHashSet<StateId> = states.iter().copied().collect();
    let all = || states.iter().flat_map(|&state| &edges[state as usize]);
    let taken = all().filter(|(to, _)| inside.contains(to));
    let taken: FxHashSet<_> = taken.map(|&(_, step)| step).collect();
    let possible = all().map(|&(_, step)| step);
    possible.filter(|step| !taken.contains(step)).collect()
}
