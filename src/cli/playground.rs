//! `heisenbug new` and `heisenbug try`: your own files.

use super::args::{Engine, Format, New, Try};
use super::output::Progress;
use super::{Exit, called, check, output, picture};
use anyhow::{Result, anyhow, bail};
use heisenbug_check::{Report, Verdict, interrupted};
use heisenbug_course::compile::Library;
use heisenbug_course::playground::{self, Replay, Tried};
use heisenbug_course::watch::Watch;
use heisenbug_explain::formats::{self, Case, Judged};
use heisenbug_explain::style::{Paint, paint};
use heisenbug_files as files;
use heisenbug_isolated::Observer;
use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writes the template, unless there is a file already.
pub fn new(args: &New) -> Result<Exit> {
    let file = with_extension(&args.file)?;
    let name = file.display();
    files::write_new(&file, playground::TEMPLATE.as_bytes()).map_err(|error| match error
        .downcast_ref::<std::io::Error>(
    ) {
        Some(error) if error.kind() == ErrorKind::AlreadyExists => {
            anyhow!("{name} already exists, and was not changed: choose another name")
        }
        _ => error,
    })?;
    output::print(&format!(
        "Created {name}: two threads, and a count that does not add up.\n\n{} try {} shows why.",
        called::name(),
        called::quoted(&file)
    ))?;
    Ok(Exit::Good)
}

/// The file to write: a name without an extension gets `.rs`.
fn with_extension(file: &Path) -> Result<PathBuf> {
    let is_folder =
        file.as_os_str().as_encoded_bytes().ends_with(b"/") || file.file_name().is_none();
    if is_folder {
        bail!(
            "{} names a folder: name a file in it, such as race.rs",
            file.display()
        );
    }
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!(
            "cannot write {}: there is no folder {}",
            file.display(),
            folder.display()
        );
    }
    Ok(match file.extension() {
        Some(_) => file.to_owned(),
        None => file.with_extension("rs"),
    })
}

/// Checks a file, once or on every save.
pub fn try_file(args: &Try) -> Result<Exit> {
    if args.engine == Engine::Loom {
        bail!("loom knows the catalogue only: your file is linked with heisenbug's types");
    }
    // A file that cannot be read is reported before anything is built.
    let scenarios = playground::scenario_names(&args.file)?;
    if scenarios.len() > 1 {
        let which = format!(
            "{} has {} scenarios: write `pub` before only one of them",
            args.file.display(),
            scenarios.len()
        );
        picture::only_of_one(&args.picture, &which)?;
    }
    let library = library()?;
    if args.watch {
        return watch(args, &library);
    }
    let tried = attempt(args, &library)?;
    let format = Format::of(args.format, args.json);
    match (&tried, format.of_a_tool()) {
        (Tried::Checked(reports), Some(format)) => {
            let cases: Vec<Case> = reports.iter().map(check::judged).collect();
            output::print(&formats::render(format, &cases))?;
        }
        (Tried::NotCompiled(message), Some(format)) => {
            let report = Report::named(&args.file.to_string_lossy(), "");
            let case = refused(&report, message);
            output::print(&formats::render(format, &[case]))?;
        }
        (Tried::Checked(reports), None) if format == Format::Json => output::json(reports)?,
        _ => {
            show(&tried, args.full)?;
            tell_again(args, &tried)?;
        }
    }
    if let Tried::Checked(reports) = &tried
        && let [report] = &reports[..]
    {
        let command = format!("{} try {}", called::name(), called::quoted(&args.file));
        picture::write(&args.picture, report, &command)?;
    }
    Ok(exit(&tried))
}

/// The case of a program that was refused, and why.
pub fn refused<'a>(report: &'a Report, why: &'a str) -> Case<'a> {
    Case {
        report,
        judged: Judged::Failed,
        says: Some(why),
    }
}

/// Builds the library that files are linked with, and says so if that takes a while.
pub fn library() -> Result<Library> {
    let progress = Progress::new();
    progress.show("building the library that your file is linked with (once)");
    Library::build(&Building)
}

/// Says what the build of the library waits for.
struct Building;

impl Observer for Building {
    fn see(&self, _executions: u64) {}

    fn waits(&self, for_whom: &str) {
        output::remark(for_whom);
    }
}

fn attempt(args: &Try, library: &Library) -> Result<Tried> {
    let checker = check::checker(&args.limits, args.engine)?.jobs(args.limits.cores());
    let progress = Progress::new();
    let show = |scenario: &str, executions: u64| {
        progress.show(&format!("{scenario}: {executions} executions"));
    };
    let is_text = Format::of(args.format, args.json) == Format::Text;
    let colour = is_text && std::io::stdout().is_terminal();
    let replay = Replay {
        scenario: args.limits.scenario(),
        debugger: args.limits.debugger()?,
    };
    playground::try_file(library, &args.file, &checker, &replay, colour, &show)
}

fn watch(args: &Try, library: &Library) -> Result<Exit> {
    let folder = match args.file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let watch = Watch::on(folder)?;
    loop {
        match attempt(args, library) {
            Ok(tried) => show(&tried, args.full)?,
            // While a file is being edited, it may be missing or have no scenario for a moment.
            Err(error) => output::complain(&format!("{error:#}")),
        }
        if interrupted() {
            return Ok(Exit::Interrupted);
        }
        let waiting = format!("\nWaiting for {name} to be saved. Ctrl-C ends it.\n");
        output::print(&paint(Paint::Dim, &waiting))?;
        while !watch
            .saved(Duration::from_millis(200))
            .iter()
            .any(|saved| *saved == name)
        {
            if interrupted() {
                return Ok(Exit::Interrupted);
            }
        }
    }
}

fn show(tried: &Tried, full: bool) -> Result<()> {
    match tried {
        Tried::Checked(reports) => {
            let texts = { reports.iter() }.map(|report| output::report(report, full));
            output::print(&texts.collect::<Vec<_>>().join("\n\n"))
        }
        Tried::NotCompiled(message) => output::print(message.trim_end()),
    }
}

/// Prints how to replay a failing execution.
fn tell_again(args: &Try, tried: &Tried) -> Result<()> {
    let Tried::Checked(reports) = tried else {
        return Ok(());
    };
    let failing = reports.iter().find(|report| report.fails());
    let Some(failing) = failing.filter(|_| args.limits.replay.is_none()) else {
        return Ok(());
    };
    let scenario = match (&failing.variant, reports.len()) {
        (Some(scenario), 2..) => format!("{scenario}:"),
        _ => String::new(),
    };
    check::tell_again(failing, &scenario)
}

fn exit(tried: &Tried) -> Exit {
    let Tried::Checked(reports) = tried else {
        return Exit::Bad;
    };
    let any = |verdict| {
        reports
            .iter()
            .any(|report: &Report| report.verdict == verdict)
    };
    match () {
        () if interrupted() => Exit::Interrupted,
        () if any(Verdict::Fails) => Exit::Bad,
        () if any(Verdict::Unknown) => Exit::Unknown,
        () if any(Verdict::Bounded) => Exit::Bounded,
        () => Exit::Good,
    }
}
