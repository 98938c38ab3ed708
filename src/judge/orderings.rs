//! Orderings that are stronger than they need to be.
//!
//! Once a program holds, each of its orderings is weakened, one at a time, and the program is checked
//! again. The judge's own process does that for all of them; the course puts its results into words.

use anyhow::Result;
use heisenbug_catalogue::{Bug, Role, Variant};
use heisenbug_check::{Checker, Mutation, Site, weaker};
use heisenbug_trace::source;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::sync::atomic::Ordering;

/// The argument that makes a judge look for orderings that may be weaker. The next argument is a file.
pub const COMMAND: &str = "__orderings";

/// The most executions of one program with one weaker ordering.
const MAX_EXECUTIONS_EACH: u64 = 50_000;

/// An ordering that may be weaker.
#[derive(Debug, Serialize, Deserialize)]
pub struct Weaker {
    /// The line in the file.
    pub line: u32,
    /// The column in that line.
    pub column: u32,
    /// Whether it is the failure ordering of an exchange.
    pub on_failure: bool,
    /// The ordering that is written there.
    pub is: String,
    /// The weakest ordering with which all cases still hold.
    pub may_be: String,
}

/// Prints a line for each ordering of the file that may be weaker.
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

/// Every ordering that a case that must hold uses, with its place.
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
