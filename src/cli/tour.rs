//! `heisenbug` without a command: the first bug, live, and where to go from there.

use super::{Exit, called, check, output};
use anyhow::{Context, Result};
use heisenbug_check::{Checker, Verdict, interrupted};
use heisenbug_explain as explain;
use heisenbug_explain::style::{Paint, paint};
use heisenbug_worlds as worlds;

/// Checks the first bug and one of its fixes before the reader's eyes.
pub fn run() -> Result<Exit> {
    let width = output::width().min(explain::MAX_WIDTH);
    let bug = worlds::bugs().next().context("the catalogue is empty")?;
    let buggy = bug
        .variants
        .first()
        .context("the first bug has no variants")?;
    let fixed = bug
        .variants
        .iter()
        .find(|variant| variant.role.expected().is_none());
    output::print(&format!(
        "{}\n\n{}\n",
        paint(
            Paint::Bold,
            "Two threads count visitors. One visitor gets lost. Watch:"
        ),
        paint(
            Paint::Dim,
            &format!("$ {} check {}/{}", called::name(), bug.name, buggy.name)
        ),
    ))?;
    let report = check::check(bug, buggy, &Checker::new())?;
    output::print(&explain::report(&report, output::width()))?;
    if let Some(fixed) = fixed.filter(|_| !interrupted()) {
        let command = format!("$ {} check {}/{}", called::name(), bug.name, fixed.name);
        output::print(&format!("\n{}\n", paint(Paint::Dim, &command)))?;
        let report = check::check(bug, fixed, &Checker::new())?;
        output::print(&explain::report(&report, output::width()))?;
    }
    output::print(&format!("\n{}", next(bug.name, width)))?;
    Ok(match report.verdict {
        _ if interrupted() => Exit::Interrupted,
        Verdict::Fails => Exit::Good,
        // The tour is about a bug: if it does not fail, something is broken.
        _ => Exit::Bad,
    })
}

fn next(bug: &str, width: usize) -> String {
    let steps = [
        (
            format!("show {bug}"),
            "its story, and the code of each variant",
        ),
        (
            format!("stress {bug}/buggy"),
            "how rarely real threads show it",
        ),
        ("list".to_owned(), "the other bugs"),
        (
            "check".to_owned(),
            "all of them, fixed ones and traps included",
        ),
    ];
    let mut lines = vec![paint(Paint::Bold, "What to try next")];
    let steps = steps.map(|(command, what)| (format!("  {} {command}", called::name()), what));
    let lengths = steps.iter().map(|(command, _)| command.chars().count());
    let column = lengths.max().unwrap_or_default() + 2;
    for (command, what) in steps {
        let line = format!("{command:<column$}{what}");
        match line.chars().count() <= width {
            true => lines.push(line),
            false => lines.push(format!(
                "{command}\n{}",
                explain::wrap(what, width, "      ")
            )),
        }
    }
    lines.join("\n")
}
