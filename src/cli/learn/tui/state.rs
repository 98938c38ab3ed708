//! The state of the course's terminal, and how it changes. Nothing in here draws, waits or touches
//! a file: the work to do is returned as [`Effect`]s, and its results come back as calls.

use super::view::{List, Scroll, Solution, Sweep, Swept, View};
use crate::learn::words;
use heisenbug_course::workplace::Workplace;
use heisenbug_course::{Exercise, Judgement};
use heisenbug_explain as explain;
use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

/// Work to be done outside of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Judge an exercise, instead of whatever is being judged.
    Judge { run: u64, exercise: usize },
    /// Stop judging.
    Stop,
    /// Note that an exercise was proven.
    Finish(usize),
    /// Note that an exercise is to be done again.
    Reopen(usize),
    /// Note which exercise the learner works on.
    GoTo(usize),
    /// Restore an exercise.
    Reset(usize),
    /// Read the solution of an exercise, and the learner's file.
    ReadSolution(usize),
    /// Quit the course.
    Quit,
}

/// The tools that every file is compiled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tools {
    /// Being built since then.
    Building(Duration),
    /// Built.
    Ready,
    /// Not to be built, and why.
    Broken(String),
}

/// A judgement under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its number: news of other runs is ignored.
    pub run: u64,
    /// The exercise, by its number in the course.
    pub exercise: usize,
    /// Executions so far; none while compiling.
    pub executions: u64,
    /// When it began.
    pub began: Duration,
}

/// The last judgement on the current exercise.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The judgement, or why there is none.
    pub judgement: Result<Judgement, String>,
    /// How long it took.
    pub took: Duration,
    /// The judgement in words, and for how many columns. Made when it is first drawn: the words
    /// quote source lines, which later saves change.
    pub words: Option<(u16, String)>,
}

/// A hint that is open, or was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The last level that the learner has asked for: 0 if none.
    pub level: usize,
    /// Whether it is shown.
    pub open: bool,
}

/// The state of the course's screen.
#[derive(Debug)]
pub struct State {
    /// The course, the learner's folder and progress.
    pub place: Workplace,
    /// The exercise worked on.
    pub current: usize,
    /// The tools that every file is compiled with.
    pub tools: Tools,
    /// The judgement in progress.
    pub running: Option<Running>,
    /// The last verdict on the current exercise.
    pub verdict: Option<Verdict>,
    /// Where its words are scrolled to.
    pub scroll: Scroll,
    /// The hint of the current exercise.
    pub hint: Hint,
    /// The current view.
    pub view: View,
    /// A notice, shown until the next key.
    pub notice: Option<String>,
    /// The time since the start.
    pub now: Duration,
    /// Whether to use colours.
    pub colour: bool,
    runs: u64,
    /// Whether the current exercise was saved while something else was judged.
    saved: bool,
}

impl State {
    /// The first state: at the exercise where the learner left off, while the tools are being built.
    pub fn new(place: Workplace, colour: bool) -> State {
        let next = { place.next() }.and_then(|next| position(&place, &next.name));
        State {
            current: next.unwrap_or_default(),
            view: match next {
                Some(_) => View::Work,
                None => View::Closing,
            },
            notice: place.warning.clone(),
            place,
            tools: Tools::Building(Duration::ZERO),
            running: None,
            verdict: None,
            scroll: Scroll::default(),
            hint: Hint::default(),
            now: Duration::ZERO,
            colour,
            runs: 0,
            saved: false,
        }
    }

    /// A hint, counted from 1. The last one is the schedule on the screen in words, if there is one.
    pub fn hint_at(&self, level: usize) -> Option<Cow<'_, str>> {
        let hints = &self.exercise().hints;
        let hint = hints.get(level.checked_sub(1)?)?;
        let shown = match self.verdict.as_ref().map(|verdict| &verdict.judgement) {
            Some(Ok(Judgement::Failed(report))) if level == hints.len() => explain::story(report),
            _ => None,
        };
        Some(shown.map_or(Cow::Borrowed(hint), Cow::Owned))
    }

    /// The exercise worked on.
    pub fn exercise(&self) -> &Exercise {
        &self.place.course.exercises[self.current]
    }

    /// Whether work is in progress whose time is shown.
    pub fn is_busy(&self) -> bool {
        self.running.is_some() || matches!(self.tools, Tools::Building(_))
    }

    /// Whether an exercise was proven.
    pub fn is_done(&self, exercise: usize) -> bool {
        let name = &self.place.course.exercises[exercise].name;
        self.place.progress.is_done(name)
    }

    /// How many exercises were proven.
    pub fn done(&self) -> usize {
        (0..self.place.course.exercises.len())
            .filter(|&exercise| self.is_done(exercise))
            .count()
    }

    /// The tools are built, or cannot be.
    pub fn tools_are(&mut self, built: Result<(), String>) -> Vec<Effect> {
        match built {
            Ok(()) => {
                self.tools = Tools::Ready;
                match self.view {
                    View::Closing => Vec::new(),
                    _ => self.judge(self.current),
                }
            }
            Err(why) => {
                self.tools = Tools::Broken(why);
                Vec::new()
            }
        }
    }

    /// Files were saved.
    pub fn saved(&mut self, names: &[String]) -> Vec<Effect> {
        if !names.contains(&self.exercise().file()) {
            return Vec::new();
        }
        match self.view {
            View::Sweep(_) => {
                self.saved = true;
                Vec::new()
            }
            View::Closing => {
                self.view = View::Work;
                self.judge(self.current)
            }
            _ => self.judge(self.current),
        }
    }

    /// Starts to judge an exercise, if the tools are built.
    pub fn judge(&mut self, exercise: usize) -> Vec<Effect> {
        if self.tools != Tools::Ready {
            return Vec::new();
        }
        self.runs += 1;
        self.running = Some(Running {
            run: self.runs,
            exercise,
            executions: 0,
            began: self.now,
        });
        vec![Effect::Judge {
            run: self.runs,
            exercise,
        }]
    }

    /// A run has made progress.
    pub fn progressed(&mut self, run: u64, executions: u64) {
        if let Some(running) = self.running.as_mut().filter(|running| running.run == run) {
            running.executions = executions;
        }
    }

    /// A run has ended.
    pub fn judged(&mut self, run: u64, judgement: Result<Judgement, String>) -> Vec<Effect> {
        let Some(running) = self.running.filter(|running| running.run == run) else {
            return Vec::new();
        };
        self.running = None;
        if let View::Sweep(_) = self.view {
            return self.swept(running.exercise, judgement);
        }
        if running.exercise != self.current {
            return Vec::new();
        }
        let passed = judgement.as_ref().is_ok_and(Judgement::passed);
        self.verdict = Some(Verdict {
            judgement,
            took: self.now.saturating_sub(running.began),
            words: None,
        });
        self.scroll = Scroll::default();
        match passed {
            true => {
                self.notice = None;
                self.hint.open = false;
                vec![Effect::Finish(self.current)]
            }
            false => Vec::new(),
        }
    }

    /// One more result of checking all.
    fn swept(&mut self, exercise: usize, judgement: Result<Judgement, String>) -> Vec<Effect> {
        let (swept, effect) = match judgement {
            Ok(judgement) if judgement.passed() => (Swept::Proven, Effect::Finish(exercise)),
            Ok(judgement) => (
                Swept::Not(words::failure(&judgement)),
                Effect::Reopen(exercise),
            ),
            Err(why) => (Swept::Not(why), Effect::Reopen(exercise)),
        };
        let count = self.place.course.exercises.len();
        let View::Sweep(sweep) = &mut self.view else {
            return Vec::new();
        };
        sweep.results.push(swept);
        let mut effects = vec![effect];
        if sweep.results.len() < count {
            let next = sweep.results.len();
            effects.extend(self.judge(next));
        }
        effects
    }

    /// Checks all exercises.
    pub fn sweep(&mut self) -> Vec<Effect> {
        if self.tools != Tools::Ready {
            self.notice =
                Some("Not yet: the library that files are linked with is being built.".to_owned());
            return Vec::new();
        }
        // A judgement that is cancelled for this is made afterwards.
        self.saved = self.running.is_some();
        self.view = View::Sweep(Sweep::default());
        self.judge(0)
    }

    /// Stops checking all exercises.
    pub fn stop_sweep(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.running.take().is_some() {
            effects.push(Effect::Stop);
        }
        if let View::Sweep(sweep) = &mut self.view
            && !effects.is_empty()
        {
            sweep.stopped = true;
            return effects;
        }
        self.view = View::Work;
        if std::mem::take(&mut self.saved) || self.verdict.is_none() {
            effects.extend(self.judge(self.current));
        }
        effects
    }

    /// Goes to an exercise.
    pub fn go_to(&mut self, exercise: usize) -> Vec<Effect> {
        self.view = View::Work;
        self.notice = None;
        if exercise == self.current && self.verdict.is_some() {
            return Vec::new();
        }
        if exercise != self.current {
            self.hint = Hint::default();
        }
        self.current = exercise;
        self.verdict = None;
        self.scroll = Scroll::default();
        let mut effects = vec![Effect::GoTo(exercise)];
        effects.extend(self.judge(exercise));
        effects
    }

    /// Goes to the next exercise, if this one is done.
    pub fn next(&mut self) -> Vec<Effect> {
        if !self.is_done(self.current) {
            self.notice = Some(format!(
                "{} is not proven yet: edit {} and save it. h gives a hint, l lists the others.",
                self.exercise().name,
                self.exercise().file()
            ));
            return Vec::new();
        }
        let count = self.place.course.exercises.len();
        let after = (1..count).map(|step| (self.current + step) % count);
        match { after }.find(|&exercise| !self.is_done(exercise)) {
            Some(next) => self.go_to(next),
            None => {
                self.view = View::Closing;
                Vec::new()
            }
        }
    }

    /// Goes to the previous exercise.
    pub fn previous(&mut self) -> Vec<Effect> {
        match self.current.checked_sub(1) {
            Some(previous) => self.go_to(previous),
            None => {
                self.notice = Some("This is the first exercise.".to_owned());
                Vec::new()
            }
        }
    }

    /// Shows the next hint, or reopens the one that was closed.
    pub fn more_hints(&mut self) {
        let levels = self.exercise().hints.len();
        self.hint = Hint {
            level: match self.hint {
                Hint { level: 0, .. } => 1,
                Hint { level, open: false } => level,
                Hint { level, .. } if level < levels => level + 1,
                Hint { .. } => 1,
            },
            open: true,
        };
    }

    /// Opens the list, at the current exercise.
    pub fn open_list(&mut self) {
        self.view = View::List(List::at(self.current));
    }

    /// Asks for the solution, which is shown only to those who do not need it.
    pub fn open_solution(&mut self) -> Vec<Effect> {
        if !self.is_done(self.current) {
            self.notice =
                Some("The solution is shown once yours is proven. h gives a hint.".to_owned());
            return Vec::new();
        }
        vec![Effect::ReadSolution(self.current)]
    }

    /// The solution was read, or cannot be.
    pub fn solution_is(&mut self, read: Result<(String, String), String>) {
        match read {
            Ok((yours, ours)) => self.view = View::Solution(Solution::new(yours, ours)),
            Err(why) => self.notice = Some(why),
        }
    }

    /// The exercise was reset, or cannot be.
    pub fn reset_is(&mut self, done: Result<Option<PathBuf>, String>) -> Vec<Effect> {
        let name = self.exercise().name.clone();
        let (notice, effects) = match done {
            Ok(kept) => {
                self.hint = Hint::default();
                let notice = match kept {
                    Some(backup) => format!(
                        "{name} is restored. What you wrote is in {}",
                        backup.display()
                    ),
                    None => format!("{name} is restored. There was nothing to keep."),
                };
                (notice, self.judge(self.current))
            }
            Err(why) => (why, Vec::new()),
        };
        self.notice = Some(notice);
        effects
    }

    /// Something went wrong that the learner must know.
    pub fn complain(&mut self, why: String) {
        self.notice = Some(why);
    }
}

fn position(place: &Workplace, name: &str) -> Option<usize> {
    { place.course.exercises.iter() }.position(|exercise| exercise.name == name)
}
