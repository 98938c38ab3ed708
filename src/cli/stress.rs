//! `heisenbug stress`.

use super::args::Stress;
use super::{Exit, lookup};
use anyhow::Result;
use std::process::ExitCode;

/// The hidden command that a child is started with.
pub const COMMAND: &str = "__stress";

/// Runs a program on real threads.
pub fn run(args: &Stress) -> Result<Exit> {
    let _found = lookup::find(&args.name)?;
    anyhow::bail!("not yet")
}

/// What a child does.
pub fn child(_args: &[String]) -> ExitCode {
    ExitCode::SUCCESS
}
