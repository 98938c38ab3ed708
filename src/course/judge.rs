//! The judge's ruling on a learner's file.

use super::compile::{Compiled, Library, Source, may_wait};
use super::manifest::{Course, Exercise, Failure, Refusal};
use super::unseen::{unseen, vouched};
use super::{orderings, rules, tool};
use anyhow::{Context, Result, bail};
use heisenbug_check::{Checker, Report};
use heisenbug_files as files;
use heisenbug_isolated::{self as isolated, Observer};
use heisenbug_judge::contract::{BROKEN, Wrong};
use heisenbug_judge::{self as program, CaseInfo};
use heisenbug_trace::source;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The limits for each case of a judge. By default only executions are limited, so that no answer
/// depends on the speed or the load of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of executions.
    pub max_executions: u64,
    /// The time limit, if there is one.
    pub max_time: Option<Duration>,
    /// The memory limit in MiB, if it is not the default of a check.
    pub max_memory: Option<u64>,
}

impl Limits {
    /// Ten times what a case of a correct answer may need.
    pub const MAX_EXECUTIONS: u64 = 50_000;

    fn checker(self) -> Checker {
        let mut checker = Checker::new().max_executions(self.max_executions);
        checker.max_memory = self.max_memory;
        match self.max_time {
            Some(time) => checker.max_time(time),
            None => checker,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_executions: Limits::MAX_EXECUTIONS,
            max_time: None,
            max_memory: None,
        }
    }
}

/// The time limit for a judge to list its cases. Normally that takes milliseconds.
const MAX_TIME_TO_TELL: Duration = Duration::from_secs(60);

/// The result of judging a learner's file.
#[derive(Clone, Debug)]
pub enum Judgement {
    /// Every case does what it must, over all schedules.
    Passed {
        /// The report of each case.
        reports: Vec<Report>,
        /// Possible improvements: orderings that are stronger than they need to be.
        notes: Vec<String>,
    },
    /// Even without concurrency, it does not do what the exercise says.
    Broken {
        /// What it does not do, as a sentence without a full stop.
        what: String,
        /// The report of the case.
        report: Box<Report>,
    },
    /// A case that must hold fails.
    Failed(Box<Report>),
    /// A case holds, but outcomes that must stay possible are not.
    NotConcurrent {
        /// The report of the case.
        report: Box<Report>,
        /// The outcomes that are missing.
        missing: Vec<String>,
    },
    /// A case that must show a bug does not show it, or shows a different one.
    NotExposed(Box<Report>),
    /// A limit was reached first.
    Unknown(Box<Report>),
    /// The compiler's errors, or a violation of the rules in the same format.
    NotCompiled(String),
    /// Why the file cannot be read.
    Unreadable(String),
}

impl Judgement {
    /// Whether the exercise is done.
    pub fn passed(&self) -> bool {
        matches!(self, Judgement::Passed { .. })
    }

    /// How it failed, unless it passed.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Judgement::Passed { .. } => None,
            // A deadlock is a deadlock, with other threads or without.
            Judgement::Broken { report, .. } => {
                let fault = report.outcome.as_ref().filter(|outcome| *outcome != BROKEN);
                Some(match report.class.filter(|_| fault.is_some()) {
                    Some(class) => Failure::Class(class),
                    None => Failure::Other(Refusal::BrokenPromise),
                })
            }
            Judgement::Failed(report) => Some(match report.class {
                Some(class) => Failure::Class(class),
                None => Failure::Other(Refusal::Unknown),
            }),
            Judgement::NotConcurrent { .. } => Some(Failure::Other(Refusal::NotConcurrent)),
            Judgement::NotExposed(_) => Some(Failure::Other(Refusal::NotExposed)),
            Judgement::Unknown(_) => Some(Failure::Other(Refusal::Unknown)),
            Judgement::NotCompiled(_) | Judgement::Unreadable(_) => {
                Some(Failure::Other(Refusal::NotCompiled))
            }
        }
    }
}

/// Judges the file of an exercise in a folder: the learner's, that of the solutions, or a trap's.
///
/// # Errors
///
/// If the judge itself cannot do its work. Whatever is wrong with the file is a [`Judgement`].
pub fn judge(
    library: &Library,
    course: &Course,
    exercise: &Exercise,
    folder: &Path,
    limits: Limits,
    colour: bool,
    observer: &dyn Observer,
) -> Result<Judgement> {
    let file = folder.join(exercise.file());
    let text = match files::utf8(&file).and_then(|_| files::text(&file)) {
        Ok(text) => text,
        Err(error) => return Ok(Judgement::Unreadable(format!("{error:#}"))),
    };
    if let Some(message) = rules::broken(&exercise.file(), &text) {
        return Ok(Judgement::NotCompiled(message));
    }
    let unseen = unseen(&text, &[]);
    let main = course.judge(exercise);
    // Path, short name and text of each. The compiler reports the path.
    let files = [(&file, exercise.file(), text), {
        let text = files::text(&main).context("the course lacks a judge")?;
        (&main, format!("judge/{}", exercise.file()), text)
    }];
    let build = tempfile::tempdir().context("cannot make a temporary folder")?;
    let executable = build.path().join("judge");
    let source = Source {
        main: &main,
        exercises: folder,
        colour,
        waits: files.iter().any(|(_, _, text)| may_wait(text)),
    };
    let compiled = library.compile(&source, &executable, observer)?;
    if let Err(error) = files::unchanged(&file, &files[0].2) {
        return Ok(Judgement::Unreadable(format!("{error:#}")));
    }
    if let Compiled::No(message) = compiled {
        let [(_, name, _), judge] = &files;
        return Ok(Judgement::NotCompiled(explained(
            &message, &file, name, judge,
        )));
    }
    for (_, name, text) in &files {
        source::replace(name, text);
    }
    let mut reports = Vec::new();
    for case in cases(&executable, observer)? {
        let program = (program::NAME, case.name.as_str());
        let checker = case.must.checker(limits.checker());
        let mut report = isolated::check_in(&executable, program, &checker, observer)?;
        report.bug = Some(exercise.name.clone());
        report.variant = None;
        for (path, name, _) in &files {
            rename(&mut report, path, name);
        }
        match ruling(&case, vouched(report, &unseen)) {
            Ok(_) if case.must.is_promise() => {}
            Ok(report) => reports.push(report),
            Err(judgement) => return Ok(judgement),
        }
    }
    let notes = match exercise.weakest_orderings {
        true => orderings::too_strong(&executable, &file, observer)?,
        false => Vec::new(),
    };
    Ok(Judgement::Passed { reports, notes })
}

/// The compiler's messages, with the short names of files. If they are about the judge, the learner
/// has removed something that the judge needs.
fn explained(
    message: &str,
    file: &Path,
    name: &str,
    (judge, judges_name, text): &(&PathBuf, String, String),
) -> String {
    let judge = judge.to_string_lossy();
    let complains_of_judge = message.contains(&*judge);
    let mut message = message
        .replace(&*file.to_string_lossy(), name)
        .replace(&*judge, judges_name);
    if complains_of_judge {
        let required: Vec<String> = { rules::required(text).into_iter() }
            .map(|name| format!("`{name}`"))
            .collect();
        message.push_str(&format!(
            "note: the exercise is tried through {} of {name}: it must be there, with its original \
             functions\n",
            required.join(", "),
        ));
    }
    message
}

/// The cases of a judge. An error if there are none: then any answer would pass.
fn cases(executable: &Path, observer: &dyn Observer) -> Result<Vec<CaseInfo>> {
    let mut judge = Command::new(executable);
    judge.arg(program::CASES);
    let heard =
        tool::output(&mut judge, MAX_TIME_TO_TELL, observer).context("cannot start the judge")?;
    let cases: Vec<CaseInfo> = serde_json::from_slice(&heard.output.stdout)
        .context("the judge does not list its cases")?;
    if cases.iter().all(|case| case.must.is_promise()) {
        bail!("the judge has no cases: nothing would be proven");
    }
    Ok(cases)
}

fn ruling(case: &CaseInfo, report: Report) -> Result<Report, Judgement> {
    let wrong = case.must.wrong(case, &report);
    let report = Box::new(report);
    Err(match wrong {
        None => return Ok(*report),
        Some(Wrong::Unknown) => Judgement::Unknown(report),
        Some(Wrong::Fails) => Judgement::Failed(report),
        Some(Wrong::NotExposed) => Judgement::NotExposed(report),
        Some(Wrong::NotConcurrent(missing)) => Judgement::NotConcurrent { report, missing },
        Some(Wrong::Broken(how)) => Judgement::Broken {
            what: format!("{}{how}", case.name),
            report,
        },
    })
}

/// Replaces the path of a file in a report with another name, as the user knows it.
pub fn rename(report: &mut Report, path: &Path, name: &str) {
    let path = source::tidy(&path.to_string_lossy());
    let rename = |file: &mut String| {
        if source::tidy(file) == path {
            *file = name.to_owned();
        }
    };
    report
        .counterexample
        .iter_mut()
        .map(|event| &mut event.file)
        .for_each(rename);
    report
        .blocked
        .iter_mut()
        .map(|blocked| &mut blocked.file)
        .for_each(rename);
    { report.clash.iter_mut() }
        .flat_map(|clash| [&mut clash.first.file, &mut clash.second.file])
        .for_each(rename);
}
