//! The search: states in order of the faults that lead there, and of the length of the way.
//!
//! So the first end with a label is one with as few faults as possible, and of these one with the fewest
//! steps. One queue for each number of faults would not do: what enters it from below comes late, but
//! may be closer. So there is one for each number of faults and each length.

use super::cycles;
use super::found::{Cycle, EndCount, Found, Stopped};
use super::program::{Faults, Options, Program};
use super::record::Tale;
use super::store::{NONE, VisitId, Visits};
use super::world::{Act, State, World};
use super::{audit, path::Path};
use rustc_hash::{FxHashMap, FxHashSet};

/// After how many states the caller is asked whether to go on.
const ASKS_EVERY: u64 = 100;

/// Explores a program. Asks from time to time, with the number of states so far, whether to go on.
pub fn explore(program: &Program, options: &Options, go_on: &mut dyn FnMut(u64) -> bool) -> Found {
    let mut search = Search {
        world: World::new(program, options),
        visits: Visits::new(options.sabotage),
        queues: Vec::new(),
        states: 0,
        transitions: 0,
        layers: Vec::new(),
        ends: Ends::default(),
        max_states: options.max_states,
    };
    let mut complete = search.run(go_on);
    if complete.is_ok() && options.audit {
        let states = search.states;
        complete = audit::audit(&mut search.world.locals, &mut || go_on(states));
    }
    let mut cycle = None;
    if complete.is_ok() && options.cycles {
        match cycles::find(&mut search.world, &search.visits) {
            Ok(found) => {
                cycle = found.map(|(visit, around)| search.cycle(visit, around));
            }
            Err(why) => complete = Err(why),
        }
    }
    search.found(complete, cycle)
}

struct Search<'a> {
    world: World<'a>,
    visits: Visits,
    /// By number of faults, then by length.
    queues: Vec<Vec<Vec<VisitId>>>,
    states: u64,
    transitions: u64,
    layers: Vec<u64>,
    ends: Ends,
    max_states: u64,
}

/// The ends by label.
#[derive(Default)]
struct Ends {
    /// The labels in the order in which they were found, the number of ends, and the first of them.
    all: Vec<(u32, u64, VisitId)>,
    numbers: FxHashMap<u32, usize>,
    /// The ends that were counted: state and label.
    known: FxHashSet<(u32, u32)>,
}

impl Search<'_> {
    fn run(&mut self, go_on: &mut dyn FnMut(u64) -> bool) -> Result<(), Stopped> {
        let first = self.world.first();
        self.reach(&first, Faults::default(), 0, (NONE, Act::Lose));
        let mut acts = Vec::new();
        let mut layer = 0;
        while layer < self.queues.len() {
            let mut depth = 0;
            while depth < self.queues[layer].len() {
                for visit in std::mem::take(&mut self.queues[layer][depth]) {
                    if self.visits.is_covered(visit) {
                        continue;
                    }
                    self.states += 1;
                    self.layers[layer] += 1;
                    if self.states > self.max_states {
                        return Err(Stopped::States);
                    }
                    if self.states.is_multiple_of(ASKS_EVERY) && !go_on(self.states) {
                        return Err(Stopped::Asked);
                    }
                    self.expand(visit, &mut acts)?;
                }
                depth += 1;
            }
            layer += 1;
        }
        Ok(())
    }

    /// Takes all steps from a state.
    fn expand(&mut self, visit: VisitId, acts: &mut Vec<Act>) -> Result<(), Stopped> {
        let here = &self.visits.all[visit as usize];
        let (used, depth) = (here.used, here.depth);
        let state = State::of(self.visits.states.get(here.state));
        acts.clear();
        if state.end().is_none() {
            self.world.acts(&state, &used, acts)?;
        }
        if !acts.iter().any(Act::is_ordinary) {
            let label = self.world.label(&state, used);
            self.ends.note(label, here.state, visit);
        }
        for &act in &*acts {
            self.transitions += 1;
            let (next, used) = self.world.take(&state, used, act)?;
            self.reach(&next, used, depth + 1, (visit, act));
        }
        Ok(())
    }

    fn reach(&mut self, state: &State, used: Faults, depth: u32, from: (VisitId, Act)) {
        let Some(visit) = self.visits.note(state.words(), used, depth, from) else {
            return;
        };
        let layer = used.total();
        if self.queues.len() <= layer {
            self.queues.resize(layer + 1, Vec::new());
            self.layers.resize(layer + 1, 0);
        }
        let queues = &mut self.queues[layer];
        let depth = depth as usize;
        if queues.len() <= depth {
            queues.resize(depth + 1, Vec::new());
        }
        queues[depth].push(visit);
    }

    fn path_to(&mut self, visit: VisitId) -> Path {
        let acts = self.visits.way_to(visit);
        Tale::new(&mut self.world).path_of(&acts)
    }

    fn cycle(&mut self, visit: VisitId, around: Vec<Act>) -> Cycle {
        let mut acts = self.visits.way_to(visit);
        let begins = acts.len();
        acts.extend(around);
        Cycle {
            faults: self.visits.all[visit as usize].used,
            path: Tale::new(&mut self.world).path_of(&acts),
            begins,
        }
    }

    fn found(mut self, complete: Result<(), Stopped>, cycle: Option<Cycle>) -> Found {
        let ends = std::mem::take(&mut self.ends.all).into_iter();
        let ends = ends.map(|(label, count, visit)| EndCount {
            label: self.world.locals.names.label_of(label).clone(),
            count,
            faults: self.visits.all[visit as usize].used,
            path: self.path_to(visit),
        });
        let ends = ends.collect();
        Found {
            states: self.states,
            transitions: self.transitions,
            runs: self.world.locals.runner.runs,
            locals: self.world.locals.all.len() as u64,
            ends,
            complete,
            layers: self.layers,
            cycle,
        }
    }
}

impl Ends {
    fn note(&mut self, label: u32, state: u32, visit: VisitId) {
        if !self.known.insert((state, label)) {
            return;
        }
        let next = self.all.len();
        let nth = *self.numbers.entry(label).or_insert(next);
        if nth == next {
            self.all.push((label, 0, visit));
        }
        self.all[nth].1 += 1;
    }
}
