//! Compiles a learner's file to an executable, without going through cargo.
//!
//! What a judge is linked with is built once, by cargo. After that each save costs a single call of
//! rustc, the least that a one-line change can cost.

use super::complaints::{self, Message};
use super::home;
use super::tokens::tokens;
use super::tool::{self, Ended};
use anyhow::{Context, Result, bail};
use heisenbug_catalogue::Needs;
use heisenbug_isolated::Observer;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long rustc may take. A file of an exercise takes half a second; macros can take forever.
const MAX_TIME: Duration = Duration::from_secs(60);

/// This library as cargo built it, and what it depends on.
#[derive(Clone, Debug)]
pub struct Library {
    package: PathBuf,
    rlib: PathBuf,
    dependencies: PathBuf,
}

/// What to compile.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// The file with `main`.
    pub main: &'a Path,
    /// The folder of the learner's files, as `env!("EXERCISES")`.
    pub exercises: &'a Path,
    /// Whether to colour the compiler's messages.
    pub colour: bool,
    /// Whether a loop in it may wait for other threads. Then it is optimised: what an unoptimised pass
    /// leaves on its stack would look like progress, so that the pass would be explored once more.
    pub waits: bool,
}

/// Whether a loop in a file may wait: the file has a loop, and reads what others write.
pub fn may_wait(text: &str) -> bool {
    let tokens = tokens(text);
    let has = |words: &[&str]| tokens.iter().any(|token| words.contains(&&*token.text));
    has(&["loop", "while"])
        && has(&[
            "compare_exchange",
            "compare_exchange_weak",
            "load",
            "spin_loop",
            "swap",
            "yield_now",
        ])
}

/// The clients of servers take long to build: they are there if a server has been named. So does the snapshot
/// engine: it is there if this build has it.
fn features() -> String {
    let is_named = |server: &Needs| std::env::var_os(server.variable()).is_some();
    let servers = Needs::ALL.iter().any(is_named).then_some("servers");
    let snapshot = cfg!(feature = "snapshot").then_some("snapshot");
    let all: Vec<&str> = servers.into_iter().chain(snapshot).collect();
    format!("--features={}", all.join(","))
}

impl Library {
    /// Builds the library, or finds that it is up to date.
    ///
    /// # Errors
    ///
    /// If its sources are [gone](home::package), cargo fails, or the observer leaves.
    pub fn build(observer: &dyn Observer) -> Result<Library> {
        let package = home::package()?;
        let mut command = home::tool("cargo", &package);
        command
            .args(["build", "--lib", "--message-format=json-render-diagnostics"])
            .arg("--target-dir")
            .arg(home::target(&package))
            .arg(features())
            .env("CARGO_TERM_COLOR", "never")
            // Set explicitly, so that no configuration file of cargo's can change it: the same compiler
            // as for the judges, without a wrapper and without flags.
            .env("RUSTC", home::tool("rustc", &package).get_program())
            .env("RUSTC_WRAPPER", "")
            .env("RUSTC_WORKSPACE_WRAPPER", "")
            .env("CARGO_ENCODED_RUSTFLAGS", "");
        // Reported once each: cargo takes some locks several times.
        let told = RefCell::new(BTreeSet::new());
        let hear = |line: &str| {
            if let Some(what) =
                waited_for(line).filter(|&it| told.borrow_mut().insert(it.to_owned()))
            {
                observer.waits(&format!("Waiting for cargo, which is {what}"));
            }
        };
        // No time limit: a first build may take long.
        let heard = tool::heard(&mut command, Duration::MAX, observer, &hear)
            .context("cannot start cargo, which exercises are compiled with")?;
        if heard.ended.is_some() {
            bail!("interrupted");
        }
        let output = heard.output;
        if !output.status.success() {
            bail!(
                "cargo cannot build heisenbug:\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let rlib = { messages.lines() }
            .find_map(rlib_of)
            .context("cargo did not report where it put the library")?;
        let dependencies = { rlib.parent() }
            .map(|folder| folder.join("deps"))
            .context("the built library is in no folder")?;
        Ok(Library {
            package,
            rlib,
            dependencies,
        })
    }

    /// Compiles a judge and the learner's file in it.
    ///
    /// # Errors
    ///
    /// If rustc cannot be started, or the observer leaves.
    pub fn compile(
        &self,
        source: &Source,
        executable: &Path,
        observer: &dyn Observer,
    ) -> Result<Compiled> {
        let optimised = if source.waits {
            "opt-level=1"
        } else {
            "opt-level=0"
        };
        let mut command = self.rustc();
        command
            .args(["--crate-name", "judge", "-C", optimised])
            .args(["-C", "debug-assertions=on", "-C", "debuginfo=0"])
            .args(source.colour.then_some("--json=diagnostic-rendered-ansi"))
            .arg("-o")
            .arg(executable)
            .arg(source.main)
            .env("EXERCISES", source.exercises);
        let heard = tool::output(&mut command, MAX_TIME, observer)
            .context("cannot start rustc, which exercises are compiled with")?;
        match heard.ended {
            Some(Ended::Left) => bail!("interrupted"),
            Some(Ended::TooLate) => Ok(Compiled::No(format!(
                "error: rustc was stopped after {} s: does a macro expand forever?",
                MAX_TIME.as_secs()
            ))),
            None if heard.output.status.success() => Ok(Compiled::Yes),
            None => {
                let messages = String::from_utf8_lossy(&heard.output.stderr);
                let has = |paths: &BTreeSet<String>| self.has(paths, observer);
                Ok(Compiled::No(complaints::rendered(&messages, &has)?))
            }
        }
    }

    /// Which of these paths exist in this library: those that rustc can import.
    fn has(&self, paths: &BTreeSet<String>, observer: &dyn Observer) -> Result<BTreeSet<String>> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let file = folder.path().join("names.rs");
        let imports = paths.iter().map(|path| format!("use {path} as _;\n"));
        std::fs::write(&file, imports.collect::<String>())
            .context("cannot write a temporary file")?;
        let mut command = self.rustc();
        command
            .args(["--crate-type", "lib", "--emit", "metadata", "--out-dir"])
            .arg(folder.path())
            .arg(&file);
        let heard = tool::output(&mut command, MAX_TIME, observer)
            .context("cannot start rustc, which exercises are compiled with")?;
        let said = String::from_utf8_lossy(&heard.output.stderr);
        let messages = said.lines().filter_map(Message::read);
        let missing: BTreeSet<usize> = messages.flat_map(|it| it.lines()).collect();
        let numbered = paths.iter().enumerate();
        let found =
            numbered.filter(|(at, _)| heard.ended.is_none() && !missing.contains(&(at + 1)));
        Ok(found.map(|(_, path)| path.clone()).collect())
    }

    /// The compiler that this library was built with, for a crate that uses the library.
    fn rustc(&self) -> Command {
        let mut command = home::tool("rustc", &self.package);
        command
            .args([
                "--edition",
                "2024",
                "-A",
                "warnings",
                "--error-format",
                "json",
            ])
            .arg("--extern")
            .arg(with_value("heisenbug=", &self.rlib))
            .arg("-L")
            .arg(with_value("dependency=", &self.dependencies));
        command
    }
}

/// What cargo waits for, if this line says so.
fn waited_for(line: &str) -> Option<&str> {
    line.trim().strip_prefix("Blocking ")
}

/// Whether it compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiled {
    /// Yes: the executable is there.
    Yes,
    /// No: what the compiler says.
    No(String),
}

fn with_value(name: &str, value: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(name);
    argument.push(value);
    argument
}

/// The library's file, if this message of cargo's is about it.
fn rlib_of(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_ours =
        message["reason"] == "compiler-artifact" && message["target"]["name"] == "heisenbug";
    let files = message["filenames"].as_array().filter(|_| is_ours)?;
    { files.iter().filter_map(|file| file.as_str()) }
        .find(|file| file.ends_with(".rlib"))
        .map(PathBuf::from)
}
