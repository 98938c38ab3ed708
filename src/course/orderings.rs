//! Orderings that are stronger than they need to be.
//!
//! Once a program holds, each of its orderings is weakened, one at a time, and the program is checked
//! again. The judge's own process does that for all of them.

use super::tool;
use crate::catalogue::{Bug, Role, Variant};
use crate::check::isolated::Onlooker;
use crate::check::{Checker, Mutation, Site, weaker};
use crate::trace::source;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The argument that makes a judge look for orderings that may be weaker. A file's name follows.
pub const COMMAND: &str = "__orderings";

/// When a process that does not come back is ended. What it does is bounded by executions.
const MAX_TIME: Duration = Duration::from_secs(600);

/// How many executions of one program with one weaker ordering may be explored.
const MAX_EXECUTIONS_EACH: u64 = 50_000;

/// An ordering that may be weaker.
#[derive(Debug, Serialize, Deserialize)]
struct Weaker {
    line: u32,
    column: u32,
    /// Whether it is that of a failed exchange.
    on_failure: bool,
    is: String,
    may_be: String,
}

/// Says of each ordering in a file whether it is stronger than the judge's cases need, and what it
/// costs. For a program that holds.
///
/// # Errors
///
/// If the judge cannot be started.
pub fn too_strong(executable: &Path, file: &Path, onlooker: &dyn Onlooker) -> Result<Vec<String>> {
    let mut judge = Command::new(executable);
    judge.arg(COMMAND).arg(file);
    let heard = tool::output(&mut judge, MAX_TIME, onlooker).context("cannot start the judge")?;
    let ended = heard.ended.is_none() && heard.output.status.success();
    let found = String::from_utf8_lossy(&heard.output.stdout);
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut notes: Vec<String> = { found.lines() }
        .filter_map(|line| serde_json::from_str::<Weaker>(line).ok())
        .map(|weaker| weaker.note(&text))
        .collect();
    if !ended {
        notes.push("not every ordering was tried for whether it may be weaker".to_owned());
    }
    Ok(notes)
}

/// What the judge does: prints a line for each ordering of the file that may be weaker.
///
/// # Errors
///
/// If nothing can be printed.
pub fn tell_weaker(file: &str, bug: &'static Bug) -> Result<()> {
    let file = source::tidy(file);
    let mut out = std::io::stdout();
    for (site, ordering) in sites(bug) {
        if source::tidy(site.file) != file {
            continue;
        }
        let may_be = { weaker(ordering).iter() }.find(|&&weaker| {
            let ordering = weaker;
            all_hold(bug, &checker().mutation(Some(Mutation { site, ordering })))
        });
        if let Some(may_be) = may_be {
            let weaker = Weaker {
                line: site.line,
                column: site.column,
                on_failure: site.slot == 1,
                is: format!("{ordering:?}"),
                may_be: format!("{may_be:?}"),
            };
            writeln!(out, "{}", serde_json::to_string(&weaker)?)?;
        }
    }
    Ok(())
}

fn checker() -> Checker {
    Checker::new().max_executions(MAX_EXECUTIONS_EACH)
}

fn sound(bug: &'static Bug) -> impl Iterator<Item = &'static Variant> {
    let is_sound = |variant: &&Variant| variant.role == Role::Sound;
    bug.variants.iter().filter(is_sound)
}

/// Every ordering that is named in a case that must hold.
fn sites(bug: &'static Bug) -> Vec<(Site, Ordering)> {
    let mut sites: Vec<_> = sound(bug)
        .flat_map(|variant| checker().sites(variant.scenario))
        .collect();
    sites.sort_by_key(|&(site, ordering)| (site, weaker(ordering).len()));
    sites.dedup();
    sites
}

fn all_hold(bug: &'static Bug, checker: &Checker) -> bool {
    sound(bug).all(|variant| checker.check_variant(bug, variant).holds_bounded())
}

impl Weaker {
    fn note(&self, text: &str) -> String {
        let Weaker {
            line, is, may_be, ..
        } = self;
        let which = match self.on_failure {
            true => "the failure ordering ",
            false => "",
        };
        let mut note = format!("line {line}: {which}{is} may be {may_be}");
        if let Some(price) = self.operation(text).and_then(|of| self.price(of)) {
            note.push_str(&format!("; {price}"));
        }
        note
    }

    /// What kind of operation it is, by its name in the source.
    fn operation(&self, text: &str) -> Option<Operation> {
        let line = text.lines().nth(self.line as usize - 1)?;
        let from = line
            .char_indices()
            .nth(self.column as usize - 1)
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

    /// What the stronger ordering costs on the processor that this was built for. Only what its
    /// instruction set says; how long an instruction takes is another matter.
    fn price(&self, operation: Operation) -> Option<&'static str> {
        let is_seq_cst = self.is == "SeqCst";
        if cfg!(target_arch = "x86_64") {
            return Some(match operation {
                Operation::Store | Operation::Fence if is_seq_cst => {
                    "on x86-64 it costs an instruction that waits until all earlier stores are \
                     visible, a few nanoseconds, and the weaker one does not"
                }
                Operation::Fence => "on x86-64 neither is an instruction",
                _ => {
                    "on x86-64 both are the same instruction, and what is stronger binds the \
                     compiler alone"
                }
            });
        }
        if cfg!(target_arch = "aarch64") {
            return match (operation, &*self.may_be) {
                (Operation::Store, "Release") => Some("on ARM both are the same instruction"),
                (_, "Relaxed") => {
                    Some("on ARM the stronger one is an instruction that orders others around it")
                }
                _ => None,
            };
        }
        None
    }
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
        assert_eq!(weaker(7).operation(text), Some(Operation::Store));
        assert_eq!(weaker(25).operation(text), Some(Operation::Fence));
        assert_eq!(weaker(5).operation(text), None);
        assert_eq!(weaker(99).operation(text), None);
        assert!(
            weaker(7)
                .note(text)
                .starts_with("line 2: SeqCst may be Release")
        );
    }
}
