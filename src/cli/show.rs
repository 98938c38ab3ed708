//! `heisenbug show`: the story of a bug and the code of its variants, from the bug's own file.

use super::args::Show;
use super::prices::{self, Price, Prices};
use super::uses::{Item, uses};
use super::{Exit, called, lookup, output, pager};
use anyhow::Result;
use heisenbug_catalogue::{Bug, Role, Variant};
use heisenbug_explain::style::{Paint, paint};
use heisenbug_explain::{self as explain, Table};
use heisenbug_trace::source;
use serde::Serialize;

/// A bug, as `show --json` prints it.
#[derive(Serialize)]
struct Shown {
    name: &'static str,
    shape: &'static str,
    scale: &'static str,
    summary: &'static str,
    story: String,
    schedule: &'static str,
    references: &'static [&'static str],
    file: String,
    outcomes: Vec<ShownOutcome>,
    variants: Vec<ShownVariant>,
}

#[derive(Serialize)]
struct ShownOutcome {
    label: &'static str,
    grade: heisenbug_catalogue::Grade,
    reason: &'static str,
}

#[derive(Serialize)]
struct ShownVariant {
    name: &'static str,
    role: &'static str,
    summary: &'static str,
    undefined: Option<&'static str>,
    line: usize,
    code: String,
    /// What it uses of the file.
    uses: Vec<ShownItem>,
    /// The last price that was measured, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
}

#[derive(Serialize)]
struct ShownItem {
    name: String,
    line: usize,
    code: String,
}

/// Prints a bug or one of its variants.
pub fn run(args: &Show) -> Result<Exit> {
    let found = lookup::find(&args.name)?;
    let (bug, variants) = (found.bug, found.variants());
    let prices = prices::load();
    if args.json {
        output::json(&shown(bug, &variants, &prices))?;
    } else {
        let story = found.variant.is_none();
        let width = output::width().min(explain::MAX_WIDTH);
        let text = text(bug, &variants, &prices, story, width);
        match args.no_pager {
            true => output::print(&text)?,
            false => pager::print(&text)?,
        }
    }
    Ok(Exit::Good)
}

fn shown(bug: &Bug, variants: &[&'static Variant], prices: &Prices) -> Shown {
    let outcomes = bug.outcomes.iter().map(|outcome| ShownOutcome {
        label: outcome.label,
        grade: outcome.grade,
        reason: outcome.reason,
    });
    let variants = variants.iter().map(|variant| {
        let (line, code) = code(bug.source, variant.name).unwrap_or_default();
        ShownVariant {
            name: variant.name,
            role: variant.role.name(),
            summary: variant.summary,
            undefined: variant.undefined,
            line,
            code,
            uses: shown_uses(bug, variant),
            price: prices::of(prices, bug, variant).cloned(),
        }
    });
    Shown {
        name: bug.name,
        shape: bug.shape.name(),
        scale: bug.scale.name(),
        summary: bug.summary,
        story: story(bug.source),
        schedule: bug.schedule,
        references: bug.references,
        file: source::tidy(bug.file),
        outcomes: outcomes.collect(),
        variants: variants.collect(),
    }
}

fn shown_uses(bug: &Bug, variant: &Variant) -> Vec<ShownItem> {
    let used = uses(bug.source, &[variant.name]);
    let items = used.items.into_iter().map(|item| ShownItem {
        name: item.name.to_owned(),
        line: item.line,
        code: item.code,
    });
    let variants = used.variants.into_iter().filter_map(|name| {
        let (line, code) = code(bug.source, name)?;
        let name = name.to_owned();
        Some(ShownItem { name, line, code })
    });
    items.chain(variants).collect()
}

fn text(
    bug: &Bug,
    variants: &[&'static Variant],
    prices: &Prices,
    with_story: bool,
    width: usize,
) -> String {
    let mut parts = vec![format!(
        "{}  {}",
        paint(Paint::Bold, bug.name),
        paint(Paint::Dim, &format!("{}, among {}", bug.shape, bug.scale))
    )];
    if with_story {
        parts.push(explain::wrap(&story(bug.source), width, ""));
        if !bug.schedule.is_empty() {
            let schedule = format!("The schedule that breaks it. {}", bug.schedule);
            parts.push(explain::wrap(&schedule, width, ""));
        }
        parts.push(outcomes(bug, width));
    }
    let names: Vec<&str> = variants.iter().map(|variant| variant.name).collect();
    let used = uses(bug.source, &names);
    match (with_story, is_lock(bug)) {
        (true, true) => parts.push(lock(bug)),
        (true, false) => parts.extend(items("What the variants share", bug, &used.items)),
        (false, _) => {}
    }
    for variant in variants {
        parts.push(program(bug, variant, width));
        if let Some(price) = prices::of(prices, bug, variant) {
            let line = format!("Price: {}.", price.line());
            parts.push(explain::wrap(&line, width, ""));
        }
    }
    if !with_story {
        parts.extend(items("What it uses", bug, &used.items));
        let others = { bug.variants.iter() }.filter(|other| used.variants.contains(&other.name));
        parts.extend(others.map(|other| program(bug, other, width)));
    }
    if with_story {
        let references: Vec<String> = bug
            .references
            .iter()
            .map(|text| explain::wrap(text, width, "  "))
            .collect();
        parts.push(format!(
            "{}\n{}",
            paint(Paint::Bold, "References"),
            references.join("\n")
        ));
    }
    let next = match is_lock(bug) {
        true => "proves it",
        false => "shows how it fails",
    };
    parts.push(format!("{} check {} {next}.", called::name(), bug.name));
    parts.join("\n\n")
}

fn outcomes(bug: &Bug, width: usize) -> String {
    let mut table = Table::new(&["outcome", "grade"]);
    for outcome in bug.outcomes {
        let grade = paint(Paint::of_grade(outcome.grade), &outcome.grade.to_string());
        table.row([outcome.label.to_owned(), grade]);
    }
    let table = table.render_cut(width);
    let mut rows = table.lines();
    let mut lines: Vec<String> = rows.next().map(str::to_owned).into_iter().collect();
    for (row, outcome) in rows.zip(bug.outcomes) {
        lines.push(row.to_owned());
        lines.push(explain::wrap(outcome.reason, width, "  "));
    }
    lines.join("\n")
}

fn program(bug: &Bug, variant: &Variant, width: usize) -> String {
    let role = variant.role.name();
    let title = match variant.name == role {
        true => format!("{role}: {}", variant.summary),
        false => format!("{} ({role}): {}", variant.name, variant.summary),
    };
    let mut part = paint(Paint::Bold, &explain::wrap(&title, width, ""));
    if let Some((line, code)) = code(bug.source, variant.name) {
        part.push_str(&format!(
            "\n{}\n{code}",
            paint(Paint::Dim, &format!("{}:{line}", source::tidy(bug.file)))
        ));
    }
    if let Some(why) = variant.undefined {
        let why = format!("Not to be run on real threads: {why}.");
        part.push_str(&format!("\n{}", explain::wrap(&why, width, "")));
    }
    part
}

/// Items of a bug's file, if there are any.
fn items(title: &str, bug: &Bug, items: &[Item<'_>]) -> Option<String> {
    let shown = items.iter().map(|item| {
        let place = format!("{}:{}", source::tidy(bug.file), item.line);
        format!("{}\n{}", paint(Paint::Dim, &place), item.code)
    });
    let shown: Vec<String> = shown.collect();
    (!shown.is_empty()).then(|| format!("{}\n{}", paint(Paint::Bold, title), shown.join("\n\n")))
}

/// The story of a bug: its file's module documentation, without Markdown's markup.
fn story(source: &str) -> String {
    let text: Vec<&str> = source
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .map(|line| {
            line.trim_start_matches("//!")
                .strip_prefix(' ')
                .unwrap_or_default()
        })
        .skip_while(|line| line.starts_with('#') || line.is_empty())
        .collect();
    // The lines of a paragraph are joined, to be wrapped again.
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open = false;
    for line in text {
        match (line.is_empty(), open) {
            (true, _) => {
                paragraphs.push(String::new());
                open = false;
            }
            (false, true) if !is_item(line) => {
                let last = paragraphs.last_mut().expect("a paragraph is open");
                last.push(' ');
                last.push_str(line);
            }
            (false, _) => {
                paragraphs.push(line.to_owned());
                open = true;
            }
        }
    }
    paragraphs
        .join("\n")
        .replace("**", "")
        .replace('`', "")
        .trim()
        .to_owned()
}

/// Whether a line of documentation begins or continues a list item.
fn is_item(line: &str) -> bool {
    let number = line.split_once(". ").map(|(number, _)| number);
    line.starts_with(['-', ' ', '|']) || number.is_some_and(|number| number.parse::<u8>().is_ok())
}

/// Whether this is a lock strategy: those have sound programs, which never were buggy.
fn is_lock(bug: &Bug) -> bool {
    bug.variants
        .iter()
        .any(|variant| variant.role == Role::Sound)
}

/// The code of a lock itself: the part of the file between its imports and its traps and proof.
fn lock(bug: &Bug) -> String {
    let mut in_import = false;
    let is_before = |line: &&str| {
        let begins = line.starts_with("use ") || in_import;
        // An import may span several lines, up to the one with the semicolon.
        in_import = begins && !line.ends_with(';');
        begins || line.is_empty() || line.starts_with("//!")
    };
    let start = bug.source.lines().take_while(is_before).count();
    let end = { bug.source.lines() }
        .position(|line| line.starts_with("pub mod trap_") || line.starts_with("pub const PROOF"))
        .unwrap_or(usize::MAX);
    let code: Vec<&str> = { bug.source.lines() }.take(end).skip(start).collect();
    // The documentation of the next item does not belong to the lock.
    let own = { code.iter().rev() }
        .skip_while(|line| line.starts_with("///") || line.is_empty())
        .count();
    let place = format!("{}:{}", source::tidy(bug.file), start + 1);
    format!("{}\n{}", paint(Paint::Dim, &place), code[..own].join("\n"))
}

/// The code of `pub mod NAME`, and the line it begins at. The file is formatted by rustfmt, so the
/// module ends at the first brace in the first column.
fn code(source: &str, name: &str) -> Option<(usize, String)> {
    let head = format!("pub mod {name} {{");
    let start = source.lines().position(|line| line == head)?;
    let body: Vec<&str> = source
        .lines()
        .skip(start + 1)
        .take_while(|line| *line != "}")
        .collect();
    let code: Vec<&str> = body
        .iter()
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect();
    Some((start + 1, code.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_lock_begins_after_its_imports() {
        for found in heisenbug_worlds::locks() {
            let code = explain::plain(&lock(found));
            let first = code.lines().nth(1).unwrap_or_default();
            let begins = |with: &str| first.starts_with(with);
            assert!(
                begins("///") || begins("pub ") || begins("#[") || begins("const "),
                "{}: {first}",
                found.name
            );
        }
    }

    #[test]
    fn every_variant_has_code_to_show() {
        for bug in heisenbug_worlds::bugs() {
            for variant in bug.variants {
                let (_, code) = code(bug.source, variant.name).unwrap_or_default();
                assert!(!code.is_empty(), "{}/{}", bug.name, variant.name);
            }
        }
    }
}
