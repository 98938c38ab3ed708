//! Orderings that are stronger than they need to be, in words.

use super::tool;
use anyhow::{Context, Result};
use heisenbug_isolated::Observer;
use heisenbug_judge::orderings::{COMMAND, Weaker};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// After this time the process is ended. Normally the limit on executions ends it earlier.
const MAX_TIME: Duration = Duration::from_secs(600);

/// Notes for each ordering in a file that is stronger than the judge's cases need, with its
/// cost. For a program that holds.
///
/// # Errors
///
/// If the judge cannot be started.
pub fn too_strong(executable: &Path, file: &Path, observer: &dyn Observer) -> Result<Vec<String>> {
    let mut judge = Command::new(executable);
    judge.arg(COMMAND).arg(file);
    let heard = tool::output(&mut judge, MAX_TIME, observer).context("cannot start the judge")?;
    let ended = heard.ended.is_none() && heard.output.status.success();
    let found = String::from_utf8_lossy(&heard.output.stdout);
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut notes: Vec<String> = { found.lines() }
        .filter_map(|line| serde_json::from_str::<Weaker>(line).ok())
        .map(|weaker| note(&weaker, &text))
        .collect();
    if !ended {
        notes.push("not every ordering was checked for a weaker alternative".to_owned());
    }
    Ok(notes)
}

fn note(weaker: &Weaker, text: &str) -> String {
    let Weaker {
        line, is, may_be, ..
    } = weaker;
    let which = match weaker.on_failure {
        true => "the failure ordering ",
        false => "",
    };
    let mut note = format!("line {line}: {which}{is} may be {may_be}");
    if let Some(price) = operation(weaker, text).and_then(|of| price(weaker, of)) {
        note.push_str(&format!("; {price}"));
    }
    note
}

/// What kind of operation it is, by its name in the source.
fn operation(weaker: &Weaker, text: &str) -> Option<Operation> {
    let line = text.lines().nth(weaker.line as usize - 1)?;
    let from = line
        .char_indices()
        .nth(weaker.column as usize - 1)
        .map(|(at, _)| at)?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let name = line[from..].split(|c| !is_word(c)).next()?;
    match name {
        "load" => Some(Operation::Load),
        "store" => Some(Operation::Store),
        "fence" => Some(Operation::Fence),
        "swap" | "compare_exchange" | "compare_exchange_weak" => Some(Operation::Exchange),
        _ => name.starts_with("fetch_").then_some(Operation::Exchange),
    }
}

/// The cost of the stronger ordering on the processor that this was built for. It tells only which
/// instructions are needed, not how long they take.
fn price(weaker: &Weaker, operation: Operation) -> Option<&'static str> {
    let is_seq_cst = weaker.is == "SeqCst";
    if cfg!(target_arch = "x86_64") {
        return Some(match operation {
            Operation::Store | Operation::Fence if is_seq_cst => {
                "on x86-64 it costs an instruction that waits until all earlier stores are \
                 visible (a few nanoseconds), which the weaker one does not need"
            }
            Operation::Fence => "on x86-64 neither is an instruction",
            _ => {
                "on x86-64 both compile to the same instruction; the stronger one only \
                 constrains the compiler"
            }
        });
    }
    if cfg!(target_arch = "aarch64") {
        return match (operation, &*weaker.may_be) {
            (Operation::Store, "Release") => Some("on ARM both are the same instruction"),
            (_, "Relaxed") => Some(
                "on ARM the stronger one needs an instruction that also orders accesses around it",
            ),
            _ => None,
        };
    }
    None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Load,
    Store,
    Exchange,
    Fence,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_knows_the_operation_by_its_name() {
        let weaker = |column| Weaker {
            line: 2,
            column,
            on_failure: false,
            is: "SeqCst".to_owned(),
            may_be: "Release".to_owned(),
        };
        let text = "\n    x.store(é, SeqCst); fence(SeqCst);\n";
        assert_eq!(operation(&weaker(7), text), Some(Operation::Store));
        assert_eq!(operation(&weaker(25), text), Some(Operation::Fence));
        assert_eq!(operation(&weaker(5), text), None);
        assert_eq!(operation(&weaker(99), text), None);
        assert!(note(&weaker(7), text).starts_with("line 2: SeqCst may be Release"));
    }
}
