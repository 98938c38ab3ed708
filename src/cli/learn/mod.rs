//! `heisenbug learn`: the course, with a terminal and without.

mod background;
mod cases;
mod commands;
mod tui;
mod words;

use super::args::{Format, Learn, LearnCommand};
use super::{Exit, called, output};
use anyhow::{Context, Result, bail};
use heisenbug_course::judge::Limits;
use heisenbug_course::verify::Depth;
use heisenbug_course::workplace::Workplace;
use heisenbug_course::{Course, Exercise, home};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Runs one of the course's commands, or the course itself.
pub fn run(args: &Learn) -> Result<Exit> {
    match &args.command {
        Some(LearnCommand::Init { folder }) => return commands::init(&course(args)?, folder),
        Some(LearnCommand::Verify { folder, quick }) => {
            let depth = match quick {
                true => Depth::Declared,
                false => Depth::Mutants,
            };
            let course = match folder {
                Some(folder) => Course::read(&absolute(folder)?)?,
                None => course(args)?,
            };
            return commands::verify(&course, limits(args), depth);
        }
        _ => {}
    }
    if let Some(dir) = &args.dir
        && !Workplace::is_at(dir)
    {
        bail!(
            "there is no copy of the exercises in {}; `heisenbug learn init DIR` makes one",
            dir.display()
        );
    }
    let mut place = Workplace::open(
        args.dir.as_deref().unwrap_or(Path::new(".")),
        args.course.as_deref(),
    )?;
    place.limits = limits(args);
    if let Some(warning) = &place.warning {
        output::complain(warning);
    }
    let again = again(args);
    match &args.command {
        None if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() => {
            bail!(
                "`heisenbug learn` needs a terminal; without one there are `learn list`, `learn \
                 run`, `learn hint` and the others that `learn --help` lists"
            )
        }
        None => tui::run(place, &again),
        Some(LearnCommand::List { text, json }) => commands::list(&place, text.as_deref(), *json),
        Some(LearnCommand::Next) => commands::next(&place, &again),
        Some(LearnCommand::Run { name, json, format }) => {
            let exercise = named_or_next(&place, name.as_deref())?.clone();
            let format = Format::of(*format, *json);
            commands::run(&mut place, &exercise, format, &again)
        }
        Some(LearnCommand::Hint { name, level }) => {
            commands::hint(named_or_next(&place, name.as_deref())?, *level, &again)
        }
        Some(LearnCommand::Solution { name }) => {
            commands::solution(&place, find(&place, name)?, &again)
        }
        Some(LearnCommand::Reset { name, .. }) => {
            let exercises = match name {
                Some(name) => vec![find(&place, name)?.clone()],
                None => place.course.exercises.clone(),
            };
            commands::reset(&mut place, &exercises)
        }
        Some(LearnCommand::CheckAll { json }) => commands::check_all(&mut place, *json),
        Some(LearnCommand::Init { .. } | LearnCommand::Verify { .. }) => unreachable!("done above"),
    }
}

fn limits(args: &Learn) -> Limits {
    Limits {
        max_executions: args.max_executions,
        max_time: args.max_time,
        max_memory: args.max_memory,
    }
}

/// The beginning of the next command, so that it finds the same files.
fn again(args: &Learn) -> String {
    let given = [("--course", &args.course), ("--dir", &args.dir)];
    let given = given.map(|(option, folder)| match folder {
        Some(folder) => format!(" {option} {}", called::quoted(folder)),
        None => String::new(),
    });
    format!("{} learn{}", called::name(), given.concat())
}

/// The course that is named, or the program's own.
fn course(args: &Learn) -> Result<Course> {
    let folder = match &args.course {
        Some(folder) => folder.clone(),
        None => home::course()?,
    };
    Course::read(&absolute(&folder)?)
}

fn absolute(folder: &Path) -> Result<PathBuf> {
    { folder.canonicalize() }.with_context(|| format!("cannot find {}", folder.display()))
}

fn named_or_next<'a>(place: &'a Workplace, name: Option<&str>) -> Result<&'a Exercise> {
    match name {
        Some(name) => find(place, name),
        None => place
            .next()
            .context("every exercise is done: name the one you mean"),
    }
}

/// The exercise with that name or file name.
fn find<'a>(place: &'a Workplace, name: &str) -> Result<&'a Exercise> {
    let plain = name.strip_suffix(".rs").unwrap_or(name).replace('-', "_");
    if let Some(exercise) = place.course.exercise(&plain) {
        return Ok(exercise);
    }
    let names: Vec<&str> = { place.course.exercises.iter() }
        .map(|exercise| exercise.name.as_str())
        .collect();
    bail!(
        "there is no exercise \"{name}\"{}\n\n`heisenbug learn list` shows all {}",
        super::lookup::did_you_mean(&plain, &names, ""),
        names.len()
    )
}
