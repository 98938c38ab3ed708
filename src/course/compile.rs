//! From a learner's file to an executable, without going through cargo.
//!
//! What a judge is linked with is built once, by cargo. After that each save costs one call of
//! rustc, which is what a one-line change costs at least.

use super::tool;
use crate::check::isolated::Onlooker;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// This library as cargo built it, and what it depends on.
#[derive(Clone, Debug)]
pub struct Library {
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
    /// Whether to colour what the compiler says.
    pub colour: bool,
}

/// Where this library's own package lies.
fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

impl Library {
    /// Builds the library, or finds that it is up to date.
    ///
    /// # Errors
    ///
    /// If its sources are gone, cargo fails, or the onlooker leaves.
    pub fn build(onlooker: &dyn Onlooker) -> Result<Library> {
        let manifest = package().join("Cargo.toml");
        if !manifest.is_file() {
            bail!(
                "exercises are compiled against heisenbug's own sources, which were at {} when \
                 this program was built and are not there any more",
                package().display()
            );
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args(["build", "--lib", "--message-format=json-render-diagnostics"])
            .arg("--manifest-path")
            .arg(&manifest);
        let output = tool::output(&mut command, onlooker)
            .context("cannot start cargo, which exercises are compiled with")?
            .context("interrupted")?;
        if !output.status.success() {
            bail!(
                "cargo cannot build heisenbug:\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let rlib = { messages.lines() }
            .find_map(rlib_of)
            .context("cargo built heisenbug and did not say where it put it")?;
        let dependencies = { rlib.parent() }
            .map(|folder| folder.join("deps"))
            .context("the built library lies in no folder")?;
        Ok(Library { rlib, dependencies })
    }

    /// Compiles a judge and the learner's file in it.
    ///
    /// # Errors
    ///
    /// If rustc cannot be started, or the onlooker leaves.
    pub fn compile(
        &self,
        source: &Source,
        executable: &Path,
        onlooker: &dyn Onlooker,
    ) -> Result<Compiled> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command
            .args(["--edition", "2024", "--crate-name", "judge"])
            .args(["-C", "opt-level=0", "-C", "debuginfo=0", "-A", "warnings"])
            .args(["--color", if source.colour { "always" } else { "never" }])
            .arg("--extern")
            .arg(with_value("heisenbug=", &self.rlib))
            .arg("-L")
            .arg(with_value("dependency=", &self.dependencies))
            .arg("-o")
            .arg(executable)
            .arg(source.main)
            .env("EXERCISES", source.exercises)
            // The toolchain that built the library, whatever the learner's folder asks for.
            .current_dir(package());
        let output = tool::output(&mut command, onlooker)
            .context("cannot start rustc, which exercises are compiled with")?
            .context("interrupted")?;
        match output.status.success() {
            true => Ok(Compiled::Yes),
            false => Ok(Compiled::No(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            )),
        }
    }
}

/// Whether it compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiled {
    /// The executable is there.
    Yes,
    /// What the compiler says.
    No(String),
}

fn with_value(name: &str, value: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(name);
    argument.push(value);
    argument
}

/// The library's file, if that is what this message of cargo's is about.
fn rlib_of(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_ours =
        message["reason"] == "compiler-artifact" && message["target"]["name"] == "heisenbug";
    let files = message["filenames"].as_array().filter(|_| is_ours)?;
    { files.iter().filter_map(|file| file.as_str()) }
        .find(|file| file.ends_with(".rlib"))
        .map(PathBuf::from)
}
