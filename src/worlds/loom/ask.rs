//! loom's verdict on a program: a second opinion, from a checker that is not ours.
//!
//! loom runs the program as it is mounted in [`crate`], and stops at the first execution that
//! panics. Its verdict is passed on, right or wrong; nothing is overruled. Where it is known to be
//! wrong, the tests beside that world say so.
//!
//! A deadlock ends the process, not only the model: while loom unwinds, its `Arc`s ask which thread is
//! running, and there is none. So [`ask`] asks in a child process, which writes its answer to a file
//! as soon as something panics.

use anyhow::{Context, Result, bail};
use heisenbug_catalogue::{Bug, Class, Grade, Variant};
use heisenbug_check::Verdict;
use heisenbug_trace::one_line;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

/// The hidden command that a child is started with.
pub const COMMAND: &str = "__loom";

/// Limits for loom's exploration.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Stop after this many executions.
    pub max_executions: u64,
    /// Stop after this time. Checked between executions.
    pub max_time: Duration,
    /// Only executions with at most this many preemptions: the first bound that loom's users set when
    /// the whole model takes too long.
    pub preemptions: Option<usize>,
}

impl Limits {
    /// The default time limit: many of its models never end.
    pub const MAX_TIME: Duration = Duration::from_secs(60);
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_executions: heisenbug_check::Checker::MAX_EXECUTIONS,
            max_time: Limits::MAX_TIME,
            preemptions: None,
        }
    }
}

/// loom's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The bug's name.
    pub bug: String,
    /// The variant's name.
    pub variant: String,
    /// *Holds* if loom went through all executions, *fails* if one of them panicked.
    pub verdict: Verdict,
    /// What kind of failure it was.
    pub class: Option<Class>,
    /// The forbidden outcome, or the panic's message, in one line.
    pub message: Option<String>,
    /// How many executions loom began.
    pub executions: u64,
    /// Why it ended early or was not asked at all, if so.
    pub stopped: Option<String>,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// Finds the program among those mounted in loom's world, by the names of the bug and the variant.
///
/// # Errors
///
/// If loom cannot be asked about it: the error says what loom lacks.
pub fn find(bug: &str, variant: &str) -> Result<(&'static Bug, &'static Variant), &'static str> {
    let mounted = crate::all().find(|mounted| mounted.name == bug);
    let mounted =
        mounted.ok_or("loom does not support what this program uses; its story says what")?;
    let program = mounted.variant(variant).ok_or("loom has no such program")?;
    match crate::lacks(mounted, program) {
        Some(what) => Err(what),
        None => Ok((mounted, program)),
    }
}

/// Asks loom about a program that is mounted in its world, in a child process.
///
/// `child` starts one: it must hand the arguments to [`answer`].
///
/// # Errors
///
/// If no child can be started, or if it ends without an answer.
pub fn ask(
    bug: &Bug,
    variant: &Variant,
    limits: Limits,
    child: impl FnOnce(&[String]) -> Command,
) -> Result<Answer> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let task = Task {
        program: format!("{}/{}", bug.name, variant.name),
        limits,
        answer: folder.path().join("answer.json"),
    };
    let mut command = child(&task.to_args());
    // loom reads its settings from the environment, and panics on invalid ones.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LOOM_") {
            command.env_remove(name);
        }
    }
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cannot start a child process")?;
    // It does not matter if the child then died: see above.
    let answer = std::fs::read(&task.answer).ok();
    let answer = answer.and_then(|json| serde_json::from_slice(&json).ok());
    answer.with_context(|| format!("loom ended without an answer ({status})"))
}

/// Runs the child, given the arguments that its parent made.
///
/// # Errors
///
/// If the arguments are not a parent's, or the answer cannot be written.
pub fn answer(args: &[String]) -> Result<()> {
    let task = Task::from_args(args)?;
    let (bug, variant) = task.program.split_once('/').context("no such program")?;
    let (bug, variant) = find(bug, variant).map_err(anyhow::Error::msg)?;
    let file = task.answer.clone();
    let answer = explore(bug, variant, task.limits, move |answer| {
        // If this cannot be written, the parent reports that there is no answer.
        let _ = write(&file, &answer);
    });
    write(&task.answer, &answer)
}

fn write(file: &Path, answer: &Answer) -> Result<()> {
    std::fs::write(file, serde_json::to_vec(answer)?).context("cannot write the answer")
}

/// The child's task.
struct Task {
    program: String,
    limits: Limits,
    answer: PathBuf,
}

impl Task {
    fn to_args(&self) -> Vec<String> {
        let preemptions = self.limits.preemptions;
        vec![
            self.program.clone(),
            self.limits.max_executions.to_string(),
            self.limits.max_time.as_millis().to_string(),
            preemptions.map_or("-".to_owned(), |bound| bound.to_string()),
            self.answer.display().to_string(),
        ]
    }

    fn from_args(args: &[String]) -> Result<Task> {
        let [program, executions, millis, preemptions, answer] = args else {
            bail!("`{COMMAND}` is an internal command");
        };
        Ok(Task {
            program: program.clone(),
            limits: Limits {
                max_executions: executions.parse()?,
                max_time: Duration::from_millis(millis.parse()?),
                preemptions: preemptions.parse().ok(),
            },
            answer: answer.into(),
        })
    }
}

/// Asks loom on this thread, which must not be used for another model if this one fails: loom leaves
/// its state behind. `early` gets the answer as soon as something panics.
///
/// Does not return from most deadlocks.
pub fn explore(
    bug: &'static Bug,
    variant: &'static Variant,
    limits: Limits,
    early: impl FnOnce(Answer) + 'static,
) -> Answer {
    let began = Instant::now();
    let executions = Arc::new(AtomicU64::new(0));
    let answer = {
        let executions = Arc::clone(&executions);
        move |ending: Ending| Answer {
            bug: bug.name.to_owned(),
            variant: variant.name.to_owned(),
            verdict: ending.verdict,
            class: ending.class,
            message: ending.message,
            executions: executions.load(Relaxed),
            stopped: ending.stopped,
            millis: began.elapsed().as_millis() as u64,
        }
    };
    let model = move || {
        let so_far = executions.fetch_add(1, Relaxed);
        if so_far == limits.max_executions || began.elapsed() > limits.max_time {
            // No other thread has begun, so the panic unwinds undisturbed.
            executions.fetch_sub(1, Relaxed);
            resume_unwind(Box::new(OutOfBudget));
        }
        let label = (variant.scenario)();
        if is_forbidden(bug, &label) {
            resume_unwind(Box::new(Forbidden(label)));
        }
    };
    be_quiet();
    let when_it_panics = {
        let (answer, early) = (answer.clone(), Cell::new(Some(early)));
        move |payload: &(dyn Any + Send)| {
            // Any later panic happens while this one unwinds.
            if let Some(early) = early.take() {
                early(answer(Ending::of_panic(payload)));
            }
        }
    };
    IN_A_MODEL.set(Some(Box::new(when_it_panics)));
    let result = catch_unwind(AssertUnwindSafe(|| builder(limits).check(model)));
    IN_A_MODEL.set(None);
    answer(match result {
        Ok(()) => Ending::new(Verdict::Holds),
        Err(payload) => Ending::of_panic(&*payload),
    })
}

/// loom's settings, none of them taken from the environment.
fn builder(limits: Limits) -> ::loom::model::Builder {
    let mut builder = ::loom::model::Builder::new();
    builder.max_threads = MAX_THREADS;
    builder.max_branches = MAX_STEPS;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = limits.preemptions;
    builder.checkpoint_file = None;
    builder.checkpoint_interval = usize::MAX;
    builder.expect_explicit_explore = false;
    builder.location = false;
    builder.log = false;
    builder
}

/// As many threads as loom supports, including the main thread.
const MAX_THREADS: usize = 5;

/// Steps of one execution before loom considers it endless. loom's own default.
const MAX_STEPS: usize = 1_000;

/// An outcome that is not on the bug's list is forbidden too.
fn is_forbidden(bug: &Bug, label: &str) -> bool {
    let declared = bug.outcome(label);
    declared.is_none_or(|outcome| outcome.grade == Grade::Forbidden)
}

/// Ends loom's run at the beginning of an execution.
struct OutOfBudget;

/// Ends loom's run when a program's outcome is a forbidden one.
struct Forbidden(String);

/// The result of loom's run.
struct Ending {
    verdict: Verdict,
    class: Option<Class>,
    message: Option<String>,
    stopped: Option<String>,
}

impl Ending {
    fn of_panic(payload: &(dyn Any + Send)) -> Ending {
        if payload.is::<OutOfBudget>() {
            return Ending::stopped("a limit was reached");
        }
        if let Some(Forbidden(label)) = payload.downcast_ref() {
            return Ending::fails(Class::Assertion, label);
        }
        let text = text(payload);
        match class(text) {
            Some(class) => Ending::fails(class, text),
            None => Ending::stopped(text),
        }
    }

    fn new(verdict: Verdict) -> Ending {
        Ending {
            verdict,
            class: None,
            message: None,
            stopped: None,
        }
    }

    fn fails(class: Class, message: &str) -> Ending {
        Ending {
            class: Some(class),
            message: Some(one_line(message)),
            ..Ending::new(Verdict::Fails)
        }
    }

    fn stopped(why: &str) -> Ending {
        Ending {
            stopped: Some(one_line(why)),
            ..Ending::new(Verdict::Unknown)
        }
    }
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    let formatted = payload.downcast_ref::<String>().map(String::as_str);
    literal.or(formatted).unwrap_or("a panic without a message")
}

/// loom reports what it found only in the text of its panic. `None` if it is about loom's own limits.
fn class(text: &str) -> Option<Class> {
    const RACES: [&str; 3] = [
        "Causality violation",
        "currently writing to cell",
        "currently reading from cell",
    ];
    if text.contains("threads.len() < self.max()") {
        return None;
    }
    Some(if text.starts_with("deadlock") {
        Class::Deadlock
    } else if text.starts_with("Model exceeded maximum number of branches") {
        Class::Livelock
    } else if RACES.iter().any(|race| text.starts_with(race)) {
        Class::DataRace
    } else if text.contains("leaked") {
        Class::Leak
    } else if text.starts_with("assertion") {
        Class::Assertion
    } else {
        Class::Panic
    })
}

thread_local! {
    /// What to do with panics of the model that this thread runs, if it runs one.
    static IN_A_MODEL: RefCell<Option<Box<OnPanic>>> = const { RefCell::new(None) };
}

type OnPanic = dyn Fn(&(dyn Any + Send));

/// Keeps the panics of models off the terminal. Other panics go to the previous hook.
fn be_quiet() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let of_a_model = IN_A_MODEL.with(|model| match model.try_borrow().as_deref() {
                Ok(Some(on_panic)) => {
                    on_panic(info.payload());
                    true
                }
                Ok(None) => false,
                // A second panic while the first is being handled.
                Err(_) => true,
            });
            if !of_a_model {
                before(info);
            }
        }));
    });
}
