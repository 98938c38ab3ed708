//! The user's own file: its scenarios are checked like the programs of the catalogue.

use super::compile::{Compiled, Library, Source, may_wait};
use super::parts::{Part, Parts, parts};
use super::scenarios::{Scenarios, scenarios};
use super::unseen::{unseen, vouched};
use anyhow::{Context, Result, bail};
use heisenbug_check::{Checker, Report};
use heisenbug_files as files;
use heisenbug_isolated as isolated;
use heisenbug_judge as program;
use heisenbug_trace::source;
use std::path::{Path, PathBuf};

/// What `heisenbug new` writes.
pub const TEMPLATE: &str = include_str!("playground/template.rs");

/// The result of checking a file.
#[derive(Clone, Debug)]
pub enum Tried {
    /// One report for each scenario, in the order of the file.
    Checked(Vec<Report>),
    /// What the compiler says.
    NotCompiled(String),
}

/// Which scenario to run, and in which debugger: for a single execution instead of all.
#[derive(Clone, Debug, Default)]
pub struct Replay<'a> {
    /// The only scenario to run.
    pub scenario: Option<&'a str>,
    /// The debugger to run it in.
    pub debugger: Option<isolated::Debugger>,
}

/// Compiles a file and checks each of its scenarios.
///
/// A scenario is a public function at the top of the file, without arguments, whose name begins with
/// `scenario`. It asserts what must hold; what it returns is shown in the table of outcomes.
///
/// # Errors
///
/// If the file cannot be read or has no scenario, or the compiler cannot be started.
pub fn try_file(
    library: &Library,
    file: &Path,
    checker: &Checker,
    replay: &Replay<'_>,
    colour: bool,
    progress: &dyn Fn(&str, u64),
) -> Result<Tried> {
    let name = file.to_string_lossy().into_owned();
    let (path, text) = read(file)?;
    let Parts {
        read: others,
        unread,
    } = parts(&path, &name, &text);
    let Scenarios {
        names: scenarios,
        left_out,
    } = scenarios_of(&text, &others);
    let build = tempfile::tempdir().context("cannot make a temporary folder")?;
    let (main, executable) = (build.path().join("main.rs"), build.path().join("judge"));
    std::fs::write(&main, main_of(&path, &scenarios)).context("cannot write a temporary file")?;
    let source = Source {
        main: &main,
        exercises: build.path(),
        colour,
        waits: may_wait(&text) || others.iter().any(|other| may_wait(&other.text)),
    };
    let compiled = library.compile(&source, &executable, &|_: u64| {})?;
    files::unchanged(&path, &text)?;
    for other in &others {
        files::unchanged(&other.path, &other.text)?;
    }
    if let Compiled::No(message) = compiled {
        // The compiler was given the absolute path; the user knows the file by another name.
        return Ok(Tried::NotCompiled(
            message.replace(&*path.to_string_lossy(), &name),
        ));
    }
    if scenarios.is_empty() {
        // Checked only now: a file that does not compile may well have a scenario.
        bail!("{name} {}", no_scenario(&left_out));
    }
    let scenarios = only(scenarios, replay.scenario)?;
    source::replace(&name, &text);
    for other in &others {
        source::replace(&other.name, &other.text);
    }
    let mut unseen = unseen(&text, &others);
    unseen.extend(unread);
    let mut reports = Vec::new();
    for scenario in &scenarios {
        let case = (program::NAME, scenario.as_str());
        let show = |executions: u64| progress(scenario, executions);
        let mut report = isolated::check_in(&executable, case, checker, &show)?;
        if let Some(debugger) = &replay.debugger {
            let program = format!("{}/{scenario}", program::NAME);
            debugger.run(&executable, &program, checker)?;
        }
        report.bug = Some(name.clone());
        super::judge::rename(&mut report, &path, &name);
        for other in &others {
            super::judge::rename(&mut report, &other.path, &other.name);
        }
        report = vouched(report, &unseen);
        let not_checked = left_out.iter().map(|why| format!("not checked: {why}"));
        report.notes.extend(not_checked);
        reports.push(report);
    }
    Ok(Tried::Checked(reports))
}

/// The scenarios to run: only `asked`, if it is given.
fn only(scenarios: Vec<String>, asked: Option<&str>) -> Result<Vec<String>> {
    match asked {
        None => Ok(scenarios),
        Some(asked) if scenarios.iter().any(|name| name == asked) => Ok(vec![asked.to_owned()]),
        Some(asked) => bail!(
            "there is no `{asked}`: there is `{}`",
            scenarios.join("`, `")
        ),
    }
}

/// The scenarios of a file and of the files that it includes at its top level. Those in other files are
/// left out, with the reason.
fn scenarios_of(text: &str, others: &[Part]) -> Scenarios {
    let mut all = scenarios(text);
    for other in others {
        let found = scenarios(&other.text);
        let name = &other.name;
        let left_out = found.left_out.iter().map(|why| format!("{why}, in {name}"));
        if other.at_top {
            all.left_out.extend(left_out);
            all.names.extend(found.names);
        } else {
            let elsewhere = found.names.iter();
            all.left_out
                .extend(elsewhere.map(|it| format!("`{it}` is in another file, {name}")));
        }
    }
    all
}

/// The names of the scenarios that a file has, without compiling it.
///
/// # Errors
///
/// As for [`read`].
pub fn scenario_names(file: &Path) -> Result<Vec<String>> {
    let (path, text) = read(file)?;
    let others = parts(&path, &file.to_string_lossy(), &text).read;
    Ok(scenarios_of(&text, &others).names)
}

/// The absolute path of a file, and its text.
///
/// # Errors
///
/// If it cannot be read, or rustc could not read it. The error names the file.
pub fn read(file: &Path) -> Result<(PathBuf, String)> {
    let text = files::text(file)?;
    let path =
        { file.canonicalize() }.with_context(|| format!("cannot find {}", file.display()))?;
    files::utf8(&path)?;
    Ok((path, text))
}

/// What is missing in a file without scenarios.
fn no_scenario(left_out: &[String]) -> String {
    if left_out.is_empty() {
        return "has no scenario: it needs a function `pub fn scenario()` that starts the threads and \
                asserts what must hold; `heisenbug new FILE` writes an example"
            .to_owned();
    }
    format!(
        "has no scenario that can be checked: {}; write `pub fn scenario()`",
        left_out.join("; ")
    )
}

/// The source of the program that includes a file.
fn main_of(file: &Path, scenarios: &[String]) -> String {
    let mut main = format!("#[path = {:?}]\nmod yours;\n", file.to_string_lossy());
    let mut cases = String::new();
    for name in scenarios {
        main.push_str(&format!(
            "fn {name}() -> String {{ heisenbug::check::returned(&yours::{name}()) }}\n"
        ));
        cases.push_str(&format!("heisenbug::judge::Case::holds({name:?}, {name}),"));
    }
    main.push_str(&format!(
        "heisenbug::judge!(heisenbug::judge::Judge {{ outcomes: &[], contract: &[], cases: &[{cases}] }});\n"
    ));
    main
}
