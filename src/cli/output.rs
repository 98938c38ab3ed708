//! Writing to the terminal, or to the pipe or file in its place.

use anyhow::Context;
use heisenbug_explain::{self as explain, MAX_WIDTH, Report, visible, visible_but_styles};
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};

/// Prints a text with its styles, which are stripped if the output is not a terminal. All other control
/// characters are made visible, so the terminal does not obey them.
///
/// A closed pipe is not an error: the reader has read enough.
///
/// # Errors
///
/// If the output cannot be written for another reason.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match writeln!(out, "{}", visible_but_styles(text)).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write the output"),
    }
}

/// If at least this many rows are hidden, the report says how to see them.
const MANY: usize = 8;

/// A report for this terminal, with a row for each operation if it is to be `full`.
pub fn report(report: &Report, full: bool) -> String {
    let all = explain::full_report(report, width());
    if full {
        return all;
    }
    let folded = explain::report(report, width());
    // A lock that was used in one row hides nothing.
    let hidden = all.lines().count().saturating_sub(folded.lines().count());
    match hidden < MANY {
        true => folded,
        false => format!("{folded}\n\n--full shows all rows."),
    }
}

/// Prints a value as JSON.
///
/// # Errors
///
/// As for [`print`].
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&explain::json(&serde_json::to_string_pretty(value)?))
}

/// Prints an error.
pub fn complain(error: &str) {
    let red = anstyle::Style::new()
        .fg_color(Some(anstyle::AnsiColor::Red.into()))
        .bold();
    let error = visible(error);
    let _ = writeln!(anstream::stderr(), "{red}error{red:#}: {error}");
}

/// Prints a remark on standard error.
pub fn remark(what: &str) {
    let _ = writeln!(std::io::stderr(), "{}", visible(what));
}

/// How wide the output may be.
pub fn width() -> usize {
    terminal_size::terminal_size().map_or(MAX_WIDTH, |(columns, _)| usize::from(columns.0))
}

/// How wide tables and running text may be.
pub fn text_width() -> usize {
    width().clamp(explain::MIN_WIDTH, explain::MAX_WIDTH)
}

/// A line on the terminal that shows the progress of a long check, and is erased at the end.
pub struct Progress {
    shown: bool,
    began: std::time::Instant,
}

impl Progress {
    /// Nothing is shown at first: most checks end before anyone could read it.
    pub fn new() -> Progress {
        Progress {
            shown: std::io::stderr().is_terminal(),
            began: std::time::Instant::now(),
        }
    }

    /// Shows the current work.
    pub fn show(&self, what: &str) {
        let seconds = self.began.elapsed().as_secs();
        if self.shown && seconds > 0 {
            // A line that wraps could not be erased.
            let line = format!("{what}, {seconds} s");
            let line = explain::cut(&visible(&line), width().saturating_sub(1));
            let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown && self.began.elapsed().as_secs() > 0 {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
