//! Runs one execution again to show it: the counterexample of an exploration, or the one of a token.

use super::explore::{Exploration, Scenario, Task};
use super::outcome::Came;
use super::panics;
use super::tally::{Judge, Tally};
use heisenbug_engine::search::{self, Conflict, Ending, Leaf, Observer, Schedule, Summary};
use heisenbug_engine::steps::ThreadId;
use heisenbug_engine::token::Token;
use heisenbug_engine::{Place, orderings};
use heisenbug_explain::{Access, Clash, Leaked, REPLAYED, Stronger};
use heisenbug_model::session::{self, FACTS, Options, Site};
use heisenbug_trace::{Trace, source};
use std::sync::atomic::Ordering;

/// One execution, step by step.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Its operations.
    pub trace: Trace,
    /// The two accesses that clash, if it ended with a data race or a use after free.
    pub clash: Option<Clash>,
    /// What was never freed, and what of that it holds itself.
    pub leaked: Vec<Leaked>,
    /// The orderings that would forbid it.
    pub forbidden_by: Vec<Stronger>,
}

/// Runs an execution again, to show it.
pub fn replay(scenario: &Scenario, task: &Task, schedule: &Schedule) -> Result<Replayed, String> {
    recorded(task, None, |recording| {
        let program = || session::run(&**scenario);
        search::replay(&task.config, &program, schedule, recording);
        recording.replayed.forbidden_by = recording.forbidding(schedule);
    })
    .map(|recording| recording.replayed)
}

/// Runs the one execution that a token describes.
pub fn follow(scenario: &Scenario, task: &Task, token: &Token) -> Result<Exploration, String> {
    let recording = recorded(task, Some(task.judge), |recording| {
        let program = || session::run(&**scenario);
        search::follow(&task.config, &FACTS, &program, token, recording);
        let worst = recording.tally.worst.as_ref();
        let forbidden_by = worst.map(|worst| recording.forbidding(&worst.schedule));
        recording.replayed.forbidden_by = forbidden_by.unwrap_or_default();
    })?;
    Ok(Exploration {
        tally: recording.tally,
        summary: Summary::default(),
        stopped: Some(REPLAYED.to_owned()),
        models: true,
        replayed: recording.replayed,
        token: Some(token.clone()),
        sites: recording.sites,
        machines: None,
    })
}

/// Runs something in a session that records, and counts its result if there is a judge.
fn recorded(
    task: &Task,
    judge: Option<Judge>,
    run: impl FnOnce(&mut Recording),
) -> Result<Recording, String> {
    panics::watch(|| {
        let session = session::enter(Options {
            mutation: task.mutation,
            collect_sites: true,
            ..Options::default()
        });
        session.set_recording(true);
        let mut recording = Recording::new(judge);
        run(&mut recording);
        recording
    })
}

/// Records the operations and the result of an execution that runs again.
struct Recording {
    /// How to judge the result, unless it is known.
    judge: Option<Judge>,
    tally: Tally,
    replayed: Replayed,
    race: Option<Conflict>,
    sites: Vec<(Site, Ordering)>,
}

impl Recording {
    fn new(judge: Option<Judge>) -> Recording {
        Recording {
            judge,
            tally: Tally::default(),
            replayed: Replayed::default(),
            race: None,
            sites: Vec::new(),
        }
    }

    /// The orderings that would forbid the execution, if any can.
    fn forbidding(&self, schedule: &Schedule) -> Vec<Stronger> {
        if schedule.stale == 0 && self.race.is_none() {
            return Vec::new();
        }
        let is_named = |at: Place, slot| self.sites.iter().any(|(site, _)| site.is_at(at, slot));
        let forbidding = schedule.forbidden_by(self.race.as_ref(), &is_named);
        forbidding.iter().map(stronger).collect()
    }
}

impl Observer for Recording {
    fn begin(&mut self) {
        session::begin_execution();
    }

    fn ended(&mut self, leaf: &Leaf<'_>) {
        let facts = session::end_execution();
        if let Some(judge) = self.judge {
            let came = Came::read(leaf.ending, &facts);
            self.tally.count(judge, came, leaf);
        }
        self.sites = session::sites();
        let mut trace = session::trace();
        if !matches!(leaf.ending, Ending::Deadlock | Ending::Livelock) {
            // Some threads wait, but not forever: the execution ended before their turn.
            trace.blocked.clear();
        }
        let clash = match leaf.ending {
            Ending::Race(conflict) | Ending::Freed(conflict) => Some(Clash {
                first: access(conflict.first),
                second: access(conflict.second),
            }),
            _ => None,
        };
        if let Ending::Race(conflict) = leaf.ending {
            self.race = Some(conflict.clone());
        }
        self.replayed = Replayed {
            trace,
            clash,
            leaked: leaked(leaf),
            forbidden_by: Vec::new(),
        };
    }

    fn restart(&mut self) {}

    fn go_on(&mut self, _runs: u64) -> bool {
        false
    }
}

/// What was never freed, and what of that each one holds, as far as memory shows.
fn leaked(leaf: &Leaf<'_>) -> Vec<Leaked> {
    if *leaf.ending != Ending::Complete {
        return Vec::new();
    }
    let left = session::left();
    let targets: Vec<usize> = left.iter().map(|left| left.address).collect();
    // A pointer to one of the others may be a weak one.
    let name = |address| { left.iter() }.find(|left| left.address == address && !left.has_weak);
    { left.iter() }
        .map(|holder| {
            let held = leaf.leads_to(holder.address, &targets).into_iter();
            Leaked {
                name: holder.name.clone(),
                holds: held
                    .filter_map(name)
                    .map(|held| held.name.clone())
                    .collect(),
            }
        })
        .collect()
}

fn stronger(stronger: &orderings::Stronger) -> Stronger {
    let (file, line, column) = source::place(stronger.at);
    Stronger {
        file,
        line,
        column,
        on_failure: stronger.on_failure,
        is: format!("{:?}", stronger.is),
        needed: format!("{:?}", stronger.needed),
    }
}

fn access((thread, place): (ThreadId, Place)) -> Access {
    let (file, line, column) = source::place(place);
    Access {
        actor: session::name_of(thread),
        file,
        line,
        column,
    }
}
