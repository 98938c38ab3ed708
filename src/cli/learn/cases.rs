//! A judgement in another tool's format: a case for each program that was checked.

use super::super::{check, playground};
use super::words;
use heisenbug_check::Report;
use heisenbug_course::judge::rename;
use heisenbug_course::workplace::Workplace;
use heisenbug_course::{Exercise, Judgement};
use heisenbug_explain::formats::{self, Format};
use std::path::{Path, PathBuf};

/// The judgement in that format, with file names relative to the current folder.
pub fn rendered(
    place: &Workplace,
    exercise: &Exercise,
    judgement: &Judgement,
    format: Format,
) -> String {
    // The files' names for the learner and the compiler, and their paths.
    let names = [
        (exercise.file(), place.file(exercise)),
        (
            format!("judge/{}", exercise.file()),
            place.course.judge(exercise),
        ),
    ];
    let names = names.map(|(name, path)| (name, from_here(path)));
    let mut reports = reports(judgement);
    if reports.is_empty() {
        reports.push(Report::named(&names[0].1, ""));
    }
    for (name, path) in &names {
        for report in &mut reports {
            rename(report, Path::new(name), path);
        }
    }
    let why = words::why(judgement).map(|why| {
        let arrow = |text: String, (name, path): &(String, String)| {
            text.replace(&format!("--> {name}:"), &format!("--> {path}:"))
        };
        names.iter().fold(why.into_owned(), arrow)
    });
    let case = |report| match &why {
        Some(why) => playground::refused(report, why),
        None => check::judged(report),
    };
    formats::render(format, &reports.iter().map(case).collect::<Vec<_>>())
}

/// The reports on the programs that the judgement is about.
fn reports(judgement: &Judgement) -> Vec<Report> {
    match judgement {
        Judgement::Passed { reports, .. } => reports.clone(),
        Judgement::Failed(report)
        | Judgement::NotExposed(report)
        | Judgement::Unknown(report)
        | Judgement::Broken { report, .. }
        | Judgement::NotConcurrent { report, .. } => vec![(**report).clone()],
        Judgement::NotCompiled(_) | Judgement::Unreadable(_) => Vec::new(),
    }
}

/// A path, made relative to the current folder if it is in there.
fn from_here(path: PathBuf) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let below = { here.ok() }.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or(path).display().to_string()
}
