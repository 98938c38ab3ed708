//! Shows a text that is longer than the screen one page at a time.

use super::output;
use anyhow::Result;
use heisenbug_explain::{plain, visible_but_styles};
use std::io::{IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use unicode_width::UnicodeWidthStr;

/// Prints a text, through a pager if it does not fit on the screen.
///
/// # Errors
///
/// As for [`output::print`].
pub fn print(text: &str) -> Result<()> {
    match started_for(text) {
        Some(pager) => {
            hand(pager, text);
            Ok(())
        }
        None => output::print(text),
    }
}

/// A pager, if this text needs one and there is one.
fn started_for(text: &str) -> Option<Child> {
    let size = terminal_size::terminal_size().filter(|_| std::io::stdout().is_terminal());
    let (columns, rows) = size?;
    // The shell's prompt needs a row as well.
    if rows_of(text, columns.0) < usize::from(rows.0) {
        return None;
    }
    let wanted = std::env::var("PAGER").ok();
    let said = wanted.as_deref().unwrap_or("less -R");
    let mut words = said.split_whitespace();
    // An empty PAGER means that no pager is wanted.
    let mut command = Command::new(words.next()?);
    command.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Without it, less shows colour codes as text.
        command.env("LESS", "R");
    }
    match command.spawn() {
        Ok(pager) => Some(pager),
        Err(error) => {
            if wanted.is_some() {
                output::complain(&format!("cannot start the pager \"{said}\": {error}"));
            }
            None
        }
    }
}

/// How many rows a text takes, counting the rows of wrapped lines.
fn rows_of(text: &str, columns: u16) -> usize {
    let columns = usize::from(columns).max(1);
    let rows = |line: &str| line.width().div_ceil(columns).max(1);
    plain(text).lines().map(rows).sum()
}

/// Hands a text to the pager. A failed write is not an error: the reader may quit before the end.
fn hand(mut pager: Child, text: &str) {
    let text = visible_but_styles(text);
    let colours = anstream::AutoStream::choice(&std::io::stdout());
    let text = match colours {
        anstream::ColorChoice::Never => plain(&text),
        _ => text.to_string(),
    };
    if let Some(mut input) = pager.stdin.take() {
        let _ = writeln!(input, "{text}");
    }
    let _ = pager.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_goes_on_takes_more_than_one_row() {
        assert_eq!(rows_of("one\n\nthree", 80), 3);
        assert_eq!(rows_of("\x1b[1m12345\x1b[0m\n123456", 5), 3);
        assert_eq!(rows_of("x", 0), 1);
    }
}
