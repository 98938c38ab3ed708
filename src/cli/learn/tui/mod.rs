//! The course in a terminal: every save is judged, and the verdict stays until the next one.
//!
//! [`state`] holds everything and [`keys`] change it; both are tested without a terminal. [`draw`]
//! shows it, [`worker`] does the slow work.

mod draw;
mod keys;
mod state;
#[cfg(test)]
mod tests;
mod view;
mod worker;

use super::{Exit, output};
use anyhow::{Context, Result, bail};
use heisenbug_check::interrupted;
use heisenbug_course::watch::Watch;
use heisenbug_course::workplace::Workplace;
use heisenbug_files as files;
use ratatui::DefaultTerminal;
use state::{Effect, State};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use worker::{News, Worker};

/// How often the time of the work in progress is updated.
const TICK: Duration = Duration::from_millis(100);

/// Runs the course until the learner quits.
pub fn run(place: Workplace, again: &str) -> Result<Exit> {
    if place.course.exercises.is_empty() {
        bail!("{} has no exercises", place.course.folder.display());
    }
    let watch = Watch::on(&place.folder)?;
    // A panic gives the terminal back as well: `init` sees to that.
    let mut terminal = ratatui::try_init().context("cannot use this terminal")?;
    let left = until_left(place, watch, &mut terminal);
    ratatui::restore();
    let (exit, place) = left?;
    output::print(&farewell(&place, again))?;
    Ok(exit)
}

/// The message that stays on the terminal.
fn farewell(place: &Workplace, again: &str) -> String {
    let all = place.course.exercises.len();
    let done = { place.course.exercises.iter() }
        .filter(|exercise| place.progress.is_done(&exercise.name))
        .count();
    match place.next() {
        Some(next) => format!(
            "{done} of {all} done. `{again}` continues with {}.",
            next.name
        ),
        None => format!("All {all} are done."),
    }
}

/// Runs until the learner quits. Returns how that happened, and the learner's progress.
fn until_left(
    place: Workplace,
    watch: Watch,
    terminal: &mut DefaultTerminal,
) -> Result<(Exit, Workplace)> {
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (sender, news) = channel();
    let worker = Worker::start(
        place.course.clone(),
        place.folder.clone(),
        place.limits,
        colour,
        sender.clone(),
    );
    worker::read_keys(sender.clone());
    worker::watch(watch, sender);
    let mut state = State::new(place, colour);
    let began = Instant::now();
    let mut changed = true;
    loop {
        state.now = began.elapsed();
        if changed {
            terminal
                .draw(|frame| draw::draw(frame, &mut state))
                .context("cannot draw on this terminal")?;
        }
        let mut heard = match news.recv_timeout(TICK) {
            Ok(heard) => Some(heard),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => bail!("all background threads have ended"),
        };
        // A signal from outside: in raw mode, Ctrl-C is a key like any other.
        if interrupted() {
            return Ok((Exit::Interrupted, state.place));
        }
        state.now = began.elapsed();
        changed = heard.is_some() || state.is_busy();
        // Everything that has arrived is handled before the next drawing.
        while let Some(told) = heard {
            let effects = match told {
                News::Key(key) => state.key(key),
                News::Resized => Vec::new(),
                News::Saved(names) => state.saved(&names),
                News::Waits(for_whom) => {
                    state.complain(format!("{for_whom}."));
                    Vec::new()
                }
                News::Built(built) => {
                    // The wait is over.
                    state.notice = state.place.warning.clone();
                    state.tools_are(built)
                }
                News::Progress(run, executions) => {
                    state.progressed(run, executions);
                    Vec::new()
                }
                News::Judged(run, judgement) => state.judged(run, judgement),
                News::Lost(who) => bail!("{who} is gone"),
            };
            if perform(&mut state, &worker, effects) {
                return Ok((Exit::Good, state.place));
            }
            heard = news.try_recv().ok();
        }
    }
}

/// Performs the effects, and those that follow from them. Returns whether to quit.
fn perform(state: &mut State, worker: &Worker, effects: Vec<Effect>) -> bool {
    for effect in effects {
        let exercise = |nth: usize| state.place.course.exercises[nth].clone();
        let (written, more) = match effect {
            Effect::Quit => return true,
            Effect::Judge {
                run,
                exercise: which,
            } => {
                worker.judge(run, exercise(which));
                (Ok(()), Vec::new())
            }
            Effect::Stop => {
                worker.stop();
                (Ok(()), Vec::new())
            }
            Effect::Finish(nth) => (state.place.finish(&exercise(nth).name), Vec::new()),
            Effect::Reopen(nth) => (state.place.reopen(&exercise(nth).name), Vec::new()),
            Effect::GoTo(nth) => (state.place.go_to(&exercise(nth).name), Vec::new()),
            Effect::Reset(nth) => {
                let done = state.place.reset(&exercise(nth));
                (
                    Ok(()),
                    state.reset_is(done.map_err(|error| format!("{error:#}"))),
                )
            }
            Effect::ReadSolution(nth) => {
                let read = solution(&state.place, nth);
                state.solution_is(read.map_err(|error| format!("{error:#}")));
                (Ok(()), Vec::new())
            }
        };
        if let Err(error) = written {
            state.complain(format!("{error:#}"));
        }
        if perform(state, worker, more) {
            return true;
        }
    }
    false
}

/// The learner's file, and the solution.
fn solution(place: &Workplace, nth: usize) -> Result<(String, String)> {
    let exercise = &place.course.exercises[nth];
    Ok((
        files::text(&place.file(exercise))?,
        files::text(&place.course.solutions().join(exercise.file()))?,
    ))
}
