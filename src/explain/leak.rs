//! Leaks: which values hold each other, so that no count drops to 0.

use super::cells::and;
use super::report::{Leaked, Report};
use super::sentence::capitalised;

/// Which values hold each other, and whether that is a cycle.
pub fn leak(report: &Report) -> String {
    let leaked = &report.leaked;
    let holds: Vec<String> = leaked.iter().filter_map(holding).collect();
    let holds: Vec<&str> = holds.iter().map(String::as_str).collect();
    if holds.is_empty() {
        return String::new();
    }
    let told = capitalised(&and(&holds));
    match leaked.iter().any(|one| leads_to(leaked, one, &one.name)) {
        true => format!("{told}: a cycle, so no count in it gets to 0."),
        false => format!("{told}."),
    }
}

fn holding(leaked: &Leaked) -> Option<String> {
    let Leaked { name, holds } = leaked;
    let held: Vec<&str> = holds
        .iter()
        .map(|held| if held == name { "itself" } else { held })
        .collect();
    (!held.is_empty()).then(|| format!("{name} holds {}", and(&held)))
}

/// Whether a value holds another one, directly or indirectly.
fn leads_to(all: &[Leaked], from: &Leaked, name: &str) -> bool {
    let mut reached: Vec<&str> = from.holds.iter().map(String::as_str).collect();
    let mut at = 0;
    while let Some(&next) = reached.get(at) {
        at += 1;
        let holds = { all.iter() }.filter(|one| one.name == next);
        for held in holds.flat_map(|one| &one.holds) {
            if !reached.contains(&held.as_str()) {
                reached.push(held);
            }
        }
    }
    reached.contains(&name)
}
