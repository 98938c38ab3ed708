//! `heisenbug learn`.

use super::args::{Learn, LearnCommand};
use super::output::Progress;
use super::{Exit, output};
use crate::course::compile::Library;
use crate::course::{Course, Judgement, judge, verify};
use crate::explain;
use crate::explain::style::{Paint, paint};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The course that comes with the program.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/exercises");

/// Runs one of the course's commands.
pub fn run(args: &Learn) -> Result<Exit> {
    let folder = args.course.clone().unwrap_or_else(|| PathBuf::from(OWN));
    match &args.command {
        LearnCommand::Run { name } => judge_one(&Course::read(&folder)?, name),
        LearnCommand::Verify { folder: other } => {
            verify_all(&Course::read(other.as_deref().unwrap_or(&folder))?)
        }
    }
}

fn judge_one(course: &Course, name: &str) -> Result<Exit> {
    let exercise = { course.exercise(name) }.with_context(|| format!("no exercise {name}"))?;
    let library = library()?;
    let folder = absolute(&course.folder)?;
    let progress = Progress::new();
    let show = |executions| progress.show(&format!("{name}: {executions} executions"));
    let judgement = judge::judge(&library, course, exercise, &folder, false, &show)?;
    let text = match &judgement {
        Judgement::Passed(reports) => { reports.iter() }
            .map(|report| explain::report(report, output::width()))
            .collect::<Vec<_>>()
            .join("\n\n"),
        Judgement::Failed(report) | Judgement::NotExposed(report) | Judgement::Unknown(report) => {
            explain::report(report, output::width())
        }
        Judgement::NotConcurrent { missing, .. } => {
            format!("no longer possible: {}", missing.join(", "))
        }
        Judgement::NotCompiled(message) | Judgement::Unreadable(message) => message.clone(),
    };
    output::print(&text)?;
    Ok(match judgement.passed() {
        true => Exit::Good,
        false => Exit::Bad,
    })
}

fn verify_all(course: &Course) -> Result<Exit> {
    let library = library()?;
    let course = Course {
        folder: absolute(&course.folder)?,
        ..course.clone()
    };
    let kept = verify::verify(&course, &library, &mut |promise| {
        let (mark, style) = match promise.broken {
            None => ("ok", Paint::Good),
            Some(_) => ("NO", Paint::Bad),
        };
        let _ = output::print(&format!(
            "{}  {}: {}",
            paint(style, mark),
            promise.of,
            promise.what
        ));
        if let Some(why) = &promise.broken {
            let _ = output::print(why);
        }
    })?;
    Ok(match kept {
        true => Exit::Good,
        false => Exit::Bad,
    })
}

fn library() -> Result<Library> {
    let progress = Progress::new();
    progress.show("building what exercises are linked with");
    Library::build()
}

fn absolute(folder: &Path) -> Result<PathBuf> {
    { folder.canonicalize() }.with_context(|| format!("cannot find {}", folder.display()))
}
