//! The judge's ruling on a learner's file.

use super::compile::{Compiled, Library, Source, may_wait};
use super::manifest::{Course, Exercise, Failure, Refusal};
use super::unseen::{unseen, vouched};
use super::{orderings, rules, tool};
use anyhow::{Context, Result, bail};
use heisenbug_check::{Checker, Report};
use heisenbug_files as files;
use heisenbug_isolated::{self as isolated, Onlooker};
use heisenbug_judge::contract::{BROKEN, Wrong};
use heisenbug_judge::{self as program, Told};
use heisenbug_trace::source;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How much each case of a judge may cost. By default that is counted in executions alone, so that no
/// answer depends on how fast the machine is, and what else it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// At most so many executions.
    pub max_executions: u64,
    /// At most so long, if that is limited.
    pub max_time: Option<Duration>,
    /// At most so many MiB of memory, if not as many as a check has by default.
    pub max_memory: Option<u64>,
}

impl Limits {
    /// Ten times what a case of a right answer may need.
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

/// When a judge that does not tell its cases is ended. It takes milliseconds.
const MAX_TIME_TO_TELL: Duration = Duration::from_secs(60);

/// The result of judging a learner's file.
#[derive(Clone, Debug)]
pub enum Judgement {
    /// Every case does what it must, over all schedules.
    Passed {
        /// What was explored, case by case.
        reports: Vec<Report>,
        /// What could be better: orderings that are stronger than they need to be.
        notes: Vec<String>,
    },
    /// Without any concurrency, it does not do what the exercise says.
    Broken {
        /// What it does not do, as a sentence without a full stop.
        what: String,
        /// What was explored.
        report: Box<Report>,
    },
    /// A case fails that must hold.
    Failed(Box<Report>),
    /// A case holds, yet outcomes that must stay possible are not.
    NotConcurrent {
        /// What was explored.
        report: Box<Report>,
        /// The outcomes that are missing.
        missing: Vec<String>,
    },
    /// A case that must show a bug does not show it, or shows another.
    NotExposed(Box<Report>),
    /// A limit was reached first.
    Unknown(Box<Report>),
    /// What the compiler says, or in its manner what the rules say.
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
            // A deadlock is one with other threads or without.
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
    onlooker: &dyn Onlooker,
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
    // As the compiler will name them.
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
    let compiled = library.compile(&source, &executable, onlooker)?;
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
    for case in cases(&executable, onlooker)? {
        let program = (program::NAME, case.name.as_str());
        let checker = case.must.checker(limits.checker());
        let mut report = isolated::check_in(&executable, program, &checker, onlooker)?;
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
        true => orderings::too_strong(&executable, &file, onlooker)?,
        false => Vec::new(),
    };
    Ok(Judgement::Passed { reports, notes })
}

/// What the compiler says, about files by their short names. Where it complains about the judge, the
/// learner has taken something away that the judge needs.
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
            "note: the exercise is tried through {} of {name}: it must be there, with the functions \
             it had at first\n",
            required.join(", "),
        ));
    }
    message
}

/// What a judge has to look at: something, or whatever the learner writes would pass.
fn cases(executable: &Path, onlooker: &dyn Onlooker) -> Result<Vec<Told>> {
    let mut judge = Command::new(executable);
    judge.arg(program::CASES);
    let heard =
        tool::output(&mut judge, MAX_TIME_TO_TELL, onlooker).context("cannot start the judge")?;
    let cases: Vec<Told> = serde_json::from_slice(&heard.output.stdout)
        .context("the judge does not tell its cases")?;
    if cases.iter().all(|case| case.must.is_promise()) {
        bail!("the judge has no cases: nothing would be proven");
    }
    Ok(cases)
}

fn ruling(case: &Told, report: Report) -> Result<Report, Judgement> {
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

/// Calls a file by another name: by its short one, as the learner does, or by one that leads to it.
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
