//! The course without a terminal: one command, one answer.

use super::super::args::Format;
use super::super::output::Progress;
use super::super::{Exit, called, output, playground};
use super::{cases, words};
use anyhow::{Result, bail};
use heisenbug_check::{Report, interrupted};
use heisenbug_course::compile::Library;
use heisenbug_course::judge::{Limits, judge};
use heisenbug_course::manifest::Failure;
use heisenbug_course::verify::{self, Depth};
use heisenbug_course::workplace::Workplace;
use heisenbug_course::{Course, Exercise, Judgement};
use heisenbug_explain::style::{Paint, paint};
use heisenbug_explain::{self as explain, Table, wrap};
use heisenbug_files as files;
use serde::Serialize;
use std::io::IsTerminal;
use std::path::Path;

/// Makes a working copy.
pub fn init(course: &Course, folder: &Path) -> Result<Exit> {
    Workplace::init(course, folder)?;
    let (called, word) = (called::name(), called::quoted(folder));
    // `cargo run` works in the checkout only.
    let next = match called.starts_with("cargo ") {
        true => format!("{called} learn --dir {word}"),
        false => format!("cd {word} && {called} learn"),
    };
    output::print(&format!(
        "{} exercises are in {}.\n\n{next}",
        course.exercises.len(),
        folder.display()
    ))?;
    Ok(Exit::Good)
}

/// An exercise, as `learn list --json` prints it.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    concept: &'a str,
    bug: Option<&'a str>,
    file: String,
    done: bool,
    next: bool,
}

/// Lists the exercises.
pub fn list(place: &Workplace, text: Option<&str>, json: bool) -> Result<Exit> {
    let next = place.next().map(|exercise| exercise.name.as_str());
    let wanted = text.unwrap_or_default().to_lowercase();
    let mentions = |exercise: &&Exercise| {
        [&exercise.name, &exercise.title, &exercise.concept]
            .iter()
            .any(|text| text.to_lowercase().contains(&wanted))
    };
    let shown: Vec<&Exercise> = place.course.exercises.iter().filter(mentions).collect();
    if json {
        let listed = shown.iter().map(|exercise| Listed {
            name: &exercise.name,
            title: &exercise.title,
            concept: &exercise.concept,
            bug: exercise.bug.as_deref(),
            file: place.file(exercise).display().to_string(),
            done: place.progress.is_done(&exercise.name),
            next: next == Some(&exercise.name),
        });
        output::json(&listed.collect::<Vec<_>>())?;
        return Ok(Exit::Good);
    }
    let mut table = Table::new(&["", "exercise", "title"]);
    for exercise in &shown {
        let mark = match () {
            () if place.progress.is_done(&exercise.name) => paint(Paint::Good, "✓"),
            () if next == Some(&exercise.name) => paint(Paint::Notice, "▶"),
            () => String::new(),
        };
        table.row([mark, exercise.name.clone(), exercise.title.clone()]);
    }
    let done = place.progress.done.len();
    output::print(&format!(
        "{}\n\n{done} of {} done",
        table.render_cut(output::width()),
        place.course.exercises.len()
    ))?;
    Ok(Exit::Good)
}

/// Tells which exercise is next.
pub fn next(place: &Workplace, again: &str) -> Result<Exit> {
    let text = match place.next() {
        Some(exercise) => format!(
            "{}: {}\n{}\n\n{again} run {name} judges it, {again} hint {name} helps.",
            paint(Paint::Bold, &exercise.name),
            exercise.title,
            place.file(exercise).display(),
            name = exercise.name,
        ),
        None => "Every exercise is done.".to_owned(),
    };
    output::print(&text)?;
    Ok(Exit::Good)
}

/// A judgement, as `learn run --json` prints it.
#[derive(Serialize)]
struct Judged<'a> {
    exercise: &'a str,
    passed: bool,
    failure: Option<Failure>,
    /// Outcomes that must stay possible, and are not.
    missing: &'a [String],
    /// What it no longer does, what the compiler says, or why the file cannot be read.
    message: Option<&'a str>,
    /// What could be better in a solution that passes.
    notes: &'a [String],
    reports: Vec<&'a Report>,
}

fn judged<'a>(exercise: &'a Exercise, judgement: &'a Judgement) -> Judged<'a> {
    let (missing, message, reports): (&[String], _, _) = match judgement {
        Judgement::Passed { reports, .. } => (&[], None, reports.iter().collect()),
        Judgement::Failed(report) | Judgement::NotExposed(report) | Judgement::Unknown(report) => {
            (&[], None, vec![&**report])
        }
        Judgement::Broken { what, report } => (&[], Some(what.as_str()), vec![&**report]),
        Judgement::NotConcurrent { report, missing } => (missing, None, vec![&**report]),
        Judgement::NotCompiled(message) | Judgement::Unreadable(message) => {
            (&[], Some(message.as_str()), Vec::new())
        }
    };
    Judged {
        exercise: &exercise.name,
        passed: judgement.passed(),
        failure: judgement.failure(),
        missing,
        message,
        notes: match judgement {
            Judgement::Passed { notes, .. } => notes,
            _ => &[],
        },
        reports,
    }
}

/// Judges one exercise.
pub fn run(
    place: &mut Workplace,
    exercise: &Exercise,
    format: Format,
    again: &str,
) -> Result<Exit> {
    let library = playground::library()?;
    let judgement = rule(place, exercise, &library, format)?;
    if judgement.passed() {
        place.finish(&exercise.name)?;
    }
    if let Some(format) = format.of_a_tool() {
        output::print(&cases::rendered(place, exercise, &judgement, format))?;
    } else if format == Format::Json {
        output::json(&judged(exercise, &judgement))?;
    } else {
        output::print(&words::judgement(exercise, &judgement, output::width()))?;
        let next = match judgement.passed() {
            true => format!("{again} next"),
            false => format!("{again} hint {}", exercise.name),
        };
        output::print(&format!("\n{next}"))?;
    }
    Ok(match judgement {
        _ if interrupted() => Exit::Interrupted,
        Judgement::Passed { .. } => Exit::Good,
        Judgement::Unknown(_) => Exit::Unknown,
        Judgement::Unreadable(_) => Exit::Usage,
        _ => Exit::Bad,
    })
}

fn rule(
    place: &Workplace,
    exercise: &Exercise,
    library: &Library,
    format: Format,
) -> Result<Judgement> {
    let progress = Progress::new();
    let show =
        |executions: u64| progress.show(&format!("{}: {executions} executions", exercise.name));
    let colour = format == Format::Text && std::io::stdout().is_terminal();
    judge(
        library,
        &place.course,
        exercise,
        &place.folder,
        place.limits,
        colour,
        &show,
    )
}

/// Gives hints, up to a level.
pub fn hint(exercise: &Exercise, level: u8, again: &str) -> Result<Exit> {
    let width = output::width().min(explain::MAX_WIDTH);
    let hints = { exercise.hints.iter().zip(1..=level) }
        .map(|(hint, nth)| wrap(&format!("{nth}. {hint}"), width, ""));
    let mut text = hints.collect::<Vec<_>>().join("\n");
    if level < 4 {
        let more = format!("{again} hint {} --level {}", exercise.name, level + 1);
        text.push_str(&format!("\n\n{more}"));
    }
    output::print(&text)?;
    Ok(Exit::Good)
}

/// Shows the solution of an exercise that is done.
pub fn solution(place: &Workplace, exercise: &Exercise, again: &str) -> Result<Exit> {
    if !place.progress.is_done(&exercise.name) {
        bail!(
            "{0} is not proven yet, and its solution would spoil it; {again} hint {0} helps",
            exercise.name
        );
    }
    let path = place.course.solutions().join(exercise.file());
    output::print(files::text(&path)?.trim_end())?;
    Ok(Exit::Good)
}

/// Restores exercises.
pub fn reset(place: &mut Workplace, exercises: &[Exercise]) -> Result<Exit> {
    for exercise in exercises {
        let kept = place.reset(exercise)?;
        output::print(&match kept {
            Some(backup) => format!(
                "{} is restored; what you wrote is in {}",
                exercise.name,
                backup.display()
            ),
            None => format!("{} is restored", exercise.name),
        })?;
    }
    Ok(Exit::Good)
}

/// Judges every exercise.
pub fn check_all(place: &mut Workplace, json: bool) -> Result<Exit> {
    let library = playground::library()?;
    let mut judgements = Vec::new();
    for exercise in place.course.exercises.clone() {
        if interrupted() {
            return Ok(Exit::Interrupted);
        }
        let judgement = rule(place, &exercise, &library, Format::of(None, json))?;
        match judgement.passed() {
            true => place.finish(&exercise.name)?,
            false => place.reopen(&exercise.name)?,
        }
        if !json {
            let (mark, paint_as, what) = match &judgement {
                Judgement::Passed { .. } => ("✓", Paint::Good, "proven".to_owned()),
                other => ("✗", Paint::Bad, words::failure(other)),
            };
            output::print(&format!(
                "{} {}: {what}",
                paint(paint_as, mark),
                exercise.name
            ))?;
        }
        judgements.push((exercise, judgement));
    }
    if json {
        let judged = judgements
            .iter()
            .map(|(exercise, judgement)| judged(exercise, judgement));
        output::json(&judged.collect::<Vec<_>>())?;
    }
    Ok(
        match judgements.iter().all(|(_, judgement)| judgement.passed()) {
            true => Exit::Good,
            false => Exit::Bad,
        },
    )
}

/// Verifies a course.
pub fn verify(course: &Course, limits: Limits, depth: Depth) -> Result<Exit> {
    let library = playground::library()?;
    let kept = verify::verify(course, &library, (limits, depth), &mut |promise| {
        let (mark, paint_as) = match promise.broken {
            None => ("✓", Paint::Good),
            Some(_) => ("✗", Paint::Bad),
        };
        let why = match &promise.broken {
            Some(why) => format!("\n{why}"),
            None => String::new(),
        };
        let mark = paint(paint_as, mark);
        // An output that was closed does not stop the verification.
        let _ = output::print(&format!("{mark} {}: {}{why}", promise.of, promise.what));
    })?;
    Ok(match kept {
        true => Exit::Good,
        false => Exit::Bad,
    })
}
