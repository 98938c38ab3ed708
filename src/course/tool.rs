//! Runs compilers and judges, and stops them once the observer has left.

use heisenbug_check::interrupted;
use heisenbug_child::{self as child, Output};
use heisenbug_isolated::Observer;
use std::process::Command;
use std::time::Duration;

pub use child::Ended;

/// Runs a command, for at most `limit`.
///
/// # Errors
///
/// If it cannot be started, or waited for.
pub fn output(
    command: &mut Command,
    limit: Duration,
    observer: &dyn Observer,
) -> std::io::Result<Output> {
    child::output(command, limit, &|| observer.has_left() || interrupted())
}

/// Runs a command, for at most `limit`, and passes on each line of its stderr as soon as it is written.
///
/// # Errors
///
/// As for [`output`].
pub fn heard(
    command: &mut Command,
    limit: Duration,
    observer: &dyn Observer,
    hear: &dyn Fn(&str),
) -> std::io::Result<Output> {
    let unwanted = || observer.has_left() || interrupted();
    child::heard(command, limit, &unwanted, hear)
}
