//! `heisenbug check --engine loom`: the verdict of another checker, passed on unchanged.

use super::Exit;
use super::args::Check;
use anyhow::Result;

/// Says how to build the tool with loom.
#[cfg(not(feature = "peers"))]
pub fn run(args: &Check) -> Result<Exit> {
    let name = { args.name.iter() }.map(|name| format!(" {name}"));
    let locks = args.locks.then(|| " --locks".to_owned());
    anyhow::bail!(
        "loom is not part of this build; to use it: cargo run --features peers -- check --engine loom{}",
        name.chain(locks).collect::<String>()
    );
}

#[cfg(feature = "peers")]
pub use asking::{child, run};

#[cfg(feature = "peers")]
mod asking {
    use super::{Check, Exit, Result};
    use crate::args::Format;
    use crate::{lookup, output};
    use anyhow::Context;
    use heisenbug_catalogue::{Bug, Role, Variant};
    use heisenbug_check::{Verdict, interrupted};
    use heisenbug_explain::style::{Paint, paint};
    use heisenbug_explain::{self as explain, thousands};
    use heisenbug_loom::ask::{self as loom, Answer, COMMAND, Limits};
    use heisenbug_worlds as worlds;
    use serde::Serialize;
    use std::process::{Command, ExitCode};

    type Program = (&'static Bug, &'static Variant);

    /// A program's entry in `--json`.
    #[derive(Serialize)]
    struct Asked {
        /// loom's answer. `null` if it cannot be asked.
        #[serde(flatten)]
        answer: Option<Answer>,
        /// `BUG/VARIANT`.
        program: String,
        /// `buggy`, `fixed`, `sound` or `trap`.
        role: &'static str,
        /// Why loom was not asked.
        #[serde(skip_serializing_if = "Option::is_none")]
        lacks: Option<&'static str>,
        /// Whether loom agrees with the catalogue. `null` if it has no verdict.
        as_declared: Option<bool>,
    }

    /// Asks loom about one program, all variants of a bug, or every program that it can run.
    pub fn run(args: &Check) -> Result<Exit> {
        let limits = Limits {
            max_executions: args.limits.max_executions,
            max_time: args.limits.max_time.unwrap_or(Limits::MAX_TIME),
            preemptions: None,
        };
        let mut asked = Vec::new();
        for program in programs(args)? {
            if interrupted() {
                return Ok(Exit::Interrupted);
            }
            asked.push(ask(program, limits)?);
        }
        match Format::of(args.format, args.json) == Format::Json {
            true => output::json(&asked)?,
            false => output::print(&words(&asked))?,
        }
        Ok(exit(&asked))
    }

    fn programs(args: &Check) -> Result<Vec<Program>> {
        let mounted: Vec<&'static Bug> = match (&args.name, args.locks) {
            (Some(name), _) => {
                let found = lookup::find(name)?;
                let bug = found.bug;
                return Ok({ found.variants().into_iter() }
                    .map(|variant| (bug, variant))
                    .collect());
            }
            (None, true) => worlds::locks().collect(),
            (None, false) => worlds::bugs().collect(),
        };
        let programs = mounted.into_iter().flat_map(|bug| {
            let variants = bug.variants.iter();
            variants.map(move |variant| (bug, variant))
        });
        Ok(programs.collect())
    }

    fn ask((bug, variant): Program, limits: Limits) -> Result<Asked> {
        let mut asked = Asked {
            answer: None,
            program: format!("{}/{}", bug.name, variant.name),
            role: variant.role.name(),
            lacks: None,
            as_declared: None,
        };
        match loom::find(bug.name, variant.name) {
            Err(what) => asked.lacks = Some(what),
            Ok((bug, variant)) => {
                let tool =
                    std::env::current_exe().context("cannot find this program's own file")?;
                let answer = loom::ask(bug, variant, limits, |args| {
                    let mut child = Command::new(tool);
                    child.arg(COMMAND).args(args);
                    child
                })?;
                asked.as_declared = as_declared(variant.role, &answer);
                asked.answer = Some(answer);
            }
        }
        Ok(asked)
    }

    fn as_declared(role: Role, answer: &Answer) -> Option<bool> {
        match (role.expected(), answer.verdict) {
            (_, Verdict::Unknown) => None,
            (None, verdict) => Some(verdict == Verdict::Holds),
            (Some(expected), _) => Some(answer.class == Some(expected.class)),
        }
    }

    /// For one program, the exit code is loom's verdict; for several, whether loom agrees with the
    /// catalogue.
    fn exit(asked: &[Asked]) -> Exit {
        let verdicts = match asked {
            [one] => vec![
                { one.answer.as_ref() }.and_then(|answer| match answer.verdict {
                    Verdict::Holds | Verdict::Bounded => Some(true),
                    Verdict::Fails => Some(false),
                    Verdict::Unknown => None,
                }),
            ],
            several => { several.iter().filter(|asked| asked.lacks.is_none()) }
                .map(|asked| asked.as_declared)
                .collect(),
        };
        if verdicts.contains(&Some(false)) {
            Exit::Bad
        } else if verdicts.contains(&None) || verdicts.is_empty() {
            Exit::Unknown
        } else {
            Exit::Good
        }
    }

    fn words(asked: &[Asked]) -> String {
        let width = output::text_width();
        let mut lines = Vec::new();
        for asked in asked {
            let name = paint(Paint::Bold, &asked.program);
            let Some(answer) = &asked.answer else {
                let why = asked.lacks.unwrap_or_default();
                lines.push(format!("{name}: loom was not asked: {why}"));
                continue;
            };
            let verdict = match (answer.verdict, answer.class) {
                (Verdict::Fails, Some(class)) => format!("fails: {class}"),
                (verdict, _) => verdict.to_string(),
            };
            let executions = match answer.executions {
                1 => "1 execution".to_owned(),
                several => format!("{} executions", thousands(several)),
            };
            lines.push(format!(
                "{name}: loom says {}, after {executions} and {} ms",
                paint(Paint::of_verdict(answer.verdict), &verdict),
                answer.millis
            ));
            let more = { answer.message.iter().chain(&answer.stopped) }.map(String::as_str);
            let differs = (asked.as_declared == Some(false))
                .then_some("The catalogue disagrees; the bug's story may say which is right.");
            for text in more.chain(differs) {
                lines.push(explain::wrap(text, width, "  "));
            }
        }
        lines.join("\n")
    }

    /// Runs the child process that asks loom.
    pub fn child(args: &[String]) -> ExitCode {
        match loom::answer(args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                output::complain(&format!("{error:#}"));
                ExitCode::from(Exit::Usage as u8)
            }
        }
    }
}
