//! `--svg`, `--html` and `--trace`: the report on one program, written to a file.

use super::args::Picture;
use anyhow::{Result, bail};
use heisenbug_check::Report;
use heisenbug_explain::picture;
use heisenbug_files as files;

/// Refuses to write of several programs, before they are checked in vain.
///
/// # Errors
///
/// If a file is wanted.
pub fn only_of_one(args: &Picture, which: &str) -> Result<()> {
    match args.is_wanted() {
        true => bail!("{} shows one program: {which}", args.option()),
        false => Ok(()),
    }
}

/// Writes the files that are wanted. An existing file is replaced as a whole.
///
/// # Errors
///
/// With the file's name, if it cannot be written.
pub fn write(args: &Picture, report: &Report, command: &str) -> Result<()> {
    if let Some(file) = &args.svg {
        let svg = match args.animate {
            true => picture::animation(report, command),
            false => picture::svg(report),
        };
        files::write(file, svg.as_bytes())?;
    }
    if let Some(file) = &args.html {
        files::write(file, picture::html(report).as_bytes())?;
    }
    if let Some(trace) = &args.trace {
        trace.write(report)?;
    }
    Ok(())
}
