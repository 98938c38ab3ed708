//! One execution under a debugger: it runs in one process, once, and stops before each step.

use super::Task;
use anyhow::{Context, Result, bail};
use heisenbug_check::Checker;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The debuggers that are looked for, in this order.
const KNOWN: [&str; 4] = ["rust-gdb", "gdb", "rust-lldb", "lldb"];

/// The function that the engine calls before each step.
const STOP: &str = "heisenbug_step";

/// A debugger.
#[derive(Clone, Debug)]
pub struct Debugger(PathBuf);

impl Debugger {
    /// The debugger with that name, or the first one that is installed.
    ///
    /// # Errors
    ///
    /// If it is not found.
    pub fn find(name: Option<&str>) -> Result<Debugger> {
        let names = name.map_or(KNOWN.to_vec(), |name| vec![name]);
        let Some(found) = names.iter().find_map(|name| in_path(Path::new(name))) else {
            match name {
                Some(name) => bail!("there is no program {name}: name a debugger, such as gdb"),
                None => bail!(
                    "no debugger was found, of {}; --debugger=PROGRAM names another one",
                    KNOWN.join(", ")
                ),
            }
        };
        Ok(Debugger(found))
    }

    /// Runs the execution that the checker replays in this debugger, which stops before each step.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn run(&self, executable: &Path, program: &str, checker: &Checker) -> Result<ExitStatus> {
        let task = Task {
            program: program.to_owned(),
            checker: checker.clone(),
            parent: 0,
            counter: PathBuf::new(),
            journal: None,
        };
        let mut command = Command::new(&self.0);
        if self.is_lldb() {
            command.args(["-o", &format!("breakpoint set --name {STOP}")]);
            command
                .args(["-o", "run", "-o", "bt -c 12", "--"])
                .arg(executable);
        } else {
            command.args(["-q", "-ex", &format!("break {STOP}"), "-ex", "run"]);
            command.args(["-ex", "bt 12", "--args"]).arg(executable);
        }
        let name = self.0.display();
        let status = command.args(task.to_args()?).status();
        status.with_context(|| format!("cannot start {name}"))
    }

    fn is_lldb(&self) -> bool {
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        name.contains("lldb")
    }
}

/// The path of a program, by a name as a shell takes it.
fn in_path(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 {
        return name.is_file().then(|| name.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    let all = std::env::split_paths(&path).map(|folder| folder.join(name));
    all.into_iter().find(|file| file.is_file())
}

/// Whether a debugger is attached to this process.
pub fn is_attached() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
