//! Checks that a course keeps its promises: every exercise fails as declared, every solution passes,
//! every trap is refused as declared, every mutant of a solution is refused too, and no file is missing
//! or left over.

use super::compile::Library;
use super::judge::{Judgement, Limits, judge};
use super::manifest::{Course, Exercise, Failure};
use super::mutants::mutants;
use anyhow::{Context, Result};
use heisenbug_check::Report;
use heisenbug_files as files;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;

/// One promise of a course.
#[derive(Clone, Debug)]
pub struct Promise {
    /// Whose promise it is: an exercise's, or the course's own.
    pub of: String,
    /// What is promised, such as `the solution passes`.
    pub what: String,
    /// What is wrong, if the promise is broken.
    pub broken: Option<String>,
}

/// The most executions that a solution may need, over all its cases: a learner should get an answer at
/// once.
const MAX_EXECUTIONS_OF_SOLUTION: u64 = 5_000;

/// The most executions of a mutant's case. A mutant that needs many more than a solution is refused.
const MAX_EXECUTIONS_OF_MUTANT: u64 = 2 * MAX_EXECUTIONS_OF_SOLUTION;

/// What to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything except the mutants: half a minute for twenty exercises on two cores.
    Declared,
    /// The mutants, too: two minutes.
    Mutants,
}

/// Verifies a whole course, reporting the promises of each exercise, in order, as soon as all of them
/// are checked. As many exercises are checked in parallel as there are processors.
///
/// # Errors
///
/// If the judge itself cannot do its work.
pub fn verify(
    course: &Course,
    library: &Library,
    (limits, depth): (Limits, Depth),
    tell: &mut dyn FnMut(&Promise),
) -> Result<bool> {
    let mut kept = true;
    let mut tell = |promise: Promise| {
        kept &= promise.broken.is_none();
        tell(&promise);
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers.min(course.exercises.len()) {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || {
                while let Some(exercise) = course.exercises.get(next.fetch_add(1, Relaxed)) {
                    let promises =
                        promises(course, exercise, library, limits).and_then(|mut promises| {
                            if depth == Depth::Mutants {
                                promises.extend(killed(course, exercise, library, limits)?);
                            }
                            Ok(promises)
                        });
                    if done.send((&exercise.name, promises)).is_err() {
                        // The receiver has stopped: another exercise met an error.
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut ready = BTreeMap::new();
        let mut waiting = course.exercises.iter().peekable();
        for (name, promises) in results {
            ready.insert(name, promises?);
            while let Some(promises) = { waiting.peek() }.and_then(|next| ready.remove(&next.name))
            {
                promises.into_iter().for_each(&mut tell);
                waiting.next();
            }
        }
        anyhow::Ok(())
    })?;
    let of_course = |what: &str, broken: Option<String>| Promise {
        of: course.title.clone(),
        what: what.to_owned(),
        broken,
    };
    tell(of_course("no stray files", strays(course)?));
    tell(of_course("formatted by rustfmt", unformatted(course)));
    Ok(kept)
}

/// Checks the promises of one exercise.
fn promises(
    course: &Course,
    exercise: &Exercise,
    library: &Library,
    limits: Limits,
) -> Result<Vec<Promise>> {
    let promise = |what: &str, broken| Promise {
        of: exercise.name.clone(),
        what: what.to_owned(),
        broken,
    };
    let rule = |folder: &Path| {
        judge(
            library,
            course,
            exercise,
            folder,
            limits,
            false,
            &|_: u64| {},
        )
    };
    let given = rule(&course.folder)?;
    let solution = rule(&course.solutions())?;
    let least = { exercise.traps.is_empty() }.then(|| "it has no trap".to_owned());
    let mut promises = vec![
        promise("has a TODO", todo(course, exercise)),
        promise(
            "fails as declared",
            fails_as(&given, exercise.fails, exercise.outcome.as_deref()),
        ),
        promise("the solution passes", passes(&solution)),
        promise("the solution is small", is_small(&solution)),
        promise("has a trap", least),
    ];
    for trap in &exercise.traps {
        let ruling = rule(&course.trap(trap))?;
        let what = format!("the trap {} is refused", trap.name);
        promises.push(promise(&what, fails_as(&ruling, trap.fails, None)));
    }
    Ok(promises)
}

/// Checks that the judge refuses every mutant of the solution except those that may pass.
///
/// # Errors
///
/// If the judge itself cannot do its work.
pub fn killed(
    course: &Course,
    exercise: &Exercise,
    library: &Library,
    limits: Limits,
) -> Result<Vec<Promise>> {
    let limits = Limits {
        max_executions: limits.max_executions.min(MAX_EXECUTIONS_OF_MUTANT),
        ..limits
    };
    let path = course.solutions().join(exercise.file());
    let solution = files::text(&path).context("the course lacks a solution")?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let (mut tried, mut passed) = (0, Vec::new());
    for mutant in mutants(&solution) {
        std::fs::write(folder.path().join(exercise.file()), &mutant.text)?;
        let ruling = judge(
            library,
            course,
            exercise,
            folder.path(),
            limits,
            false,
            &|_: u64| {},
        )?;
        tried += 1;
        if ruling.passed() {
            passed.push(mutant.name);
        }
    }
    let may_pass = |name: &String| (exercise.survivors.iter()).any(|it| it.mutant == *name);
    let alive: Vec<&str> = { passed.iter() }
        .filter(|&name| !may_pass(name))
        .map(String::as_str)
        .collect();
    let dead: Vec<&str> = { exercise.survivors.iter() }
        .map(|survivor| survivor.mutant.as_str())
        .filter(|&name| !passed.iter().any(|passed| passed == name))
        .collect();
    let promise = |what: String, names: Vec<&str>| Promise {
        of: exercise.name.clone(),
        what,
        broken: (!names.is_empty()).then(|| names.join("\n")),
    };
    let mut promises = vec![promise(
        format!("{tried} mutants of the solution are refused, or may pass"),
        alive,
    )];
    if !exercise.survivors.is_empty() {
        promises.push(promise("the mutants that may pass do".to_owned(), dead));
    }
    Ok(promises)
}

fn todo(course: &Course, exercise: &Exercise) -> Option<String> {
    let text = std::fs::read_to_string(course.folder.join(exercise.file())).unwrap_or_default();
    (!text.contains("// TODO")).then(|| "it has no `// TODO`".to_owned())
}

fn fails_as(judgement: &Judgement, declared: Failure, outcome: Option<&str>) -> Option<String> {
    let found = match judgement.failure() {
        None => return Some("it passes".to_owned()),
        Some(failure) if failure != declared => {
            return Some(format!("it fails in another way: {}", describe(judgement)));
        }
        Some(_) => match judgement {
            Judgement::Failed(report) | Judgement::Broken { report, .. } => {
                report.outcome.clone().unwrap_or_default()
            }
            _ => return None,
        },
    };
    match outcome {
        Some(outcome) if outcome != found => Some(format!("it fails with \"{found}\"")),
        _ => None,
    }
}

/// A solution must also pass without notes on its orderings.
fn passes(judgement: &Judgement) -> Option<String> {
    match judgement {
        Judgement::Passed { notes, .. } => (!notes.is_empty()).then(|| notes.join("\n")),
        other => Some(describe(other)),
    }
}

/// What is wrong if a solution needs too many executions.
fn is_small(judgement: &Judgement) -> Option<String> {
    let Judgement::Passed { reports, .. } = judgement else {
        return None;
    };
    let executions: u64 = reports.iter().map(Report::explored).sum();
    (executions >= MAX_EXECUTIONS_OF_SOLUTION).then(|| {
        format!(
            "it needs {executions} executions, but may need at most {MAX_EXECUTIONS_OF_SOLUTION}"
        )
    })
}

fn describe(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Passed { .. } => "it passes".to_owned(),
        Judgement::Failed(report) | Judgement::NotExposed(report) | Judgement::Unknown(report) => {
            heisenbug_explain::plain(&heisenbug_explain::report(
                report,
                heisenbug_explain::MAX_WIDTH,
            ))
        }
        Judgement::Broken { what, .. } => format!("it no longer does this: {what}"),
        Judgement::NotConcurrent { missing, .. } => {
            format!("no longer possible: {}", missing.join(", "))
        }
        Judgement::NotCompiled(message) | Judgement::Unreadable(message) => message.clone(),
    }
}

fn strays(course: &Course) -> Result<Option<String>> {
    let expected: BTreeSet<PathBuf> = course.files().collect();
    let mut found = BTreeSet::new();
    for folder in ["", "tests", "solutions", "traps"] {
        collect(&course.folder.join(folder), folder == "traps", &mut found)?;
    }
    // Part of the Rust package, not an exercise.
    found.remove(&course.folder.join("build.rs"));
    let name = |path: &PathBuf| {
        path.strip_prefix(&course.folder)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    let stray: Vec<String> = found.difference(&expected).map(name).collect();
    let missing: Vec<String> = expected.difference(&found).map(name).collect();
    Ok(match (stray.is_empty(), missing.is_empty()) {
        (true, true) => None,
        (false, _) => Some(format!("in no exercise: {}", stray.join(", "))),
        (_, false) => Some(format!("missing: {}", missing.join(", "))),
    })
}

fn collect(folder: &Path, deep: bool, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        // A link is not followed: it may lead back here.
        if entry.file_type()?.is_dir() && deep {
            collect(&path, deep, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
    Ok(())
}

fn unformatted(course: &Course) -> Option<String> {
    let output = Command::new("rustfmt")
        .args(["--edition", "2024", "--check", "-l"])
        .args(course.files())
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(
            String::from_utf8_lossy(&output.stdout)
                .trim()
                .replace('\n', ", "),
        ),
        Err(error) => Some(format!("cannot start rustfmt: {error}")),
    }
}
