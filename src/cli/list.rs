//! `heisenbug list`.

use super::args::List;
use super::{Exit, called, output};
use anyhow::Result;
use heisenbug_catalogue::{Bug, Feature, Needs};
use heisenbug_explain::Table;
use heisenbug_explain::style::{Paint, paint};
use heisenbug_worlds as worlds;
use serde::Serialize;

/// A bug, as `list --json` prints it.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    shape: &'static str,
    scale: &'static str,
    summary: &'static str,
    variants: Vec<EntryVariant>,
}

#[derive(Serialize)]
struct EntryVariant {
    name: &'static str,
    role: &'static str,
    summary: &'static str,
    /// The server that it runs on, if it needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<&'static str>,
}

/// Prints the catalogue, or a part of it.
pub fn run(args: &List) -> Result<Exit> {
    let all: Vec<&'static Bug> = match args.locks {
        true => worlds::locks().collect(),
        false => worlds::bugs().collect(),
    };
    let bugs: Vec<&Bug> = { all.into_iter() }
        .filter(|bug| {
            args.shape
                .as_deref()
                .is_none_or(|shape| bug.shape.name() == shape)
        })
        .filter(|bug| {
            args.scale
                .as_deref()
                .is_none_or(|scale| bug.scale.name() == scale)
        })
        .collect();
    if args.json {
        output::json(&bugs.iter().map(|bug| entry(bug)).collect::<Vec<_>>())?;
    } else if bugs.is_empty() {
        output::print("No bug of that kind yet.")?;
    } else {
        output::print(&text(&bugs, args.locks, output::width()))?;
    }
    Ok(Exit::Good)
}

fn entry(bug: &Bug) -> Entry {
    let variants = bug.variants.iter().map(|variant| EntryVariant {
        name: variant.name,
        role: variant.role.name(),
        summary: variant.summary,
        needs: { variant.needs.map(Needs::name) }.or(variant.feature.map(Feature::name)),
    });
    Entry {
        name: bug.name,
        shape: bug.shape.name(),
        scale: bug.scale.name(),
        summary: bug.summary,
        variants: variants.collect(),
    }
}

fn text(bugs: &[&Bug], locks: bool, width: usize) -> String {
    let mut lines = Vec::new();
    let mut table = match locks {
        true => Table::new(&["lock", "prevents", "scale"]),
        false => Table::new(&["bug", "shape", "scale"]),
    };
    for bug in bugs {
        table.row([
            paint(Paint::Bold, bug.name),
            bug.shape.to_string(),
            bug.scale.to_string(),
        ]);
    }
    // Each row of the table, with the bug's summary below it.
    let table = table.render_cut(width);
    let mut rows = table.lines();
    lines.extend(rows.next().map(str::to_owned));
    for (row, bug) in rows.zip(bugs) {
        lines.push(row.to_owned());
        lines.push(heisenbug_explain::wrap(bug.summary, width, "  "));
    }
    lines.push(String::new());
    let called = called::name();
    let next = match locks {
        true => format!("{called} show LOCK shows how it works, {called} check LOCK proves it."),
        false => format!(
            "{called} show BUG tells the story, {called} check BUG breaks it. {called} list --locks \
             shows the lock strategies."
        ),
    };
    lines.push(heisenbug_explain::wrap(&next, width, ""));
    lines.join("\n")
}
