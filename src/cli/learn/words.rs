//! A judgement in words.

use super::background;
use heisenbug_check::Report;
use heisenbug_course::Judgement;
use heisenbug_course::manifest::Exercise;
use heisenbug_explain::style::{Paint, paint};
use heisenbug_explain::{self as explain, visible, wrap};
use std::borrow::Cow;

/// The judgement for a learner, wrapped to that width.
pub fn judgement(exercise: &Exercise, judgement: &Judgement, width: usize) -> String {
    match judgement {
        Judgement::Passed { reports, notes } => passed(exercise, reports, notes, width),
        Judgement::Failed(report) | Judgement::Unknown(report) => explain::report(report, width),
        Judgement::NotConcurrent { report, missing } => {
            let why = not_concurrent(missing);
            format!(
                "{}\n{}\n\n{}",
                refused(exercise),
                wrap(&why, width, "  "),
                explain::report(report, width)
            )
        }
        Judgement::Broken { what, report } => {
            let why = format!(
                "{}\n{}",
                refused(exercise),
                wrap(&broken(what, report), width, "  ")
            );
            // Without a failure, the report has nothing to show.
            match report.fails() {
                true => format!("{why}\n\n{}", explain::report(report, width)),
                false => why,
            }
        }
        Judgement::NotExposed(report) => {
            format!(
                "{}\n{}\n\n{}",
                refused(exercise),
                wrap(&format!("{NOT_EXPOSED}:"), width, "  "),
                explain::report(report, width)
            )
        }
        Judgement::NotCompiled(message) => {
            format!("{}\n\n{}", refused(exercise), message.trim_end())
        }
        Judgement::Unreadable(why) => {
            format!(
                "{}\n{}",
                refused(exercise),
                wrap(&visible(why), width, "  ")
            )
        }
    }
}

/// Why an exercise is refused, where its report does not say so: the report does not fail, or fails for
/// another reason. `None` for the others.
pub fn why(judgement: &Judgement) -> Option<Cow<'_, str>> {
    match judgement {
        Judgement::NotConcurrent { missing, .. } => Some(not_concurrent(missing).into()),
        Judgement::Broken { what, report } => Some(broken(what, report).into()),
        Judgement::NotExposed(_) => Some(NOT_EXPOSED.into()),
        Judgement::NotCompiled(why) | Judgement::Unreadable(why) => Some(why.into()),
        Judgement::Passed { .. } | Judgement::Failed(_) | Judgement::Unknown(_) => None,
    }
}

const NOT_EXPOSED: &str = "This scenario must show the bug, but none of its schedules does";

fn not_concurrent(missing: &[String]) -> String {
    let missing: Vec<String> = missing.iter().map(|label| format!("\"{label}\"")).collect();
    format!(
        "Nothing fails any more, but the concurrency is gone: {} can no longer happen, but must stay \
         possible.",
        missing.join(" and ")
    )
}

fn broken(what: &str, report: &Report) -> String {
    let alone = match report.network {
        Some(_) => "if nothing goes wrong",
        None => "without other threads",
    };
    format!("It no longer does what it should, even {alone}: {what}.")
}

/// How it failed, in a few words.
pub fn failure(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Passed { .. } => "proven".to_owned(),
        Judgement::Failed(report) => {
            let class = report.class.map_or("failure", |class| class.words());
            match &report.outcome {
                Some(outcome) if outcome != class => format!("{class}, \"{}\"", visible(outcome)),
                _ => class.to_owned(),
            }
        }
        Judgement::Broken { what, .. } => format!("it no longer does this: {what}"),
        Judgement::NotConcurrent { .. } => "the concurrency is gone".to_owned(),
        Judgement::NotExposed(_) => "the scenario does not show the bug".to_owned(),
        Judgement::Unknown(report) => {
            { report.stopped.clone() }.unwrap_or_else(|| "unknown".to_owned())
        }
        Judgement::NotCompiled(_) => "does not compile".to_owned(),
        Judgement::Unreadable(why) => visible(why).into_owned(),
    }
}

fn refused(exercise: &Exercise) -> String {
    let refused = paint(Paint::Bad, "NOT YET");
    format!("{} {refused}", paint(Paint::Bold, &exercise.name))
}

fn passed(exercise: &Exercise, reports: &[Report], notes: &[String], width: usize) -> String {
    // There may also be a note that not every ordering was tried.
    let too_strong = match notes.iter().any(|note| note.starts_with("line ")) {
        true => ", and stronger than it needs to be:",
        false => "",
    };
    let mut parts = vec![format!(
        "{} {}{too_strong}",
        paint(Paint::Bold, &exercise.name),
        paint(Paint::Good, "PROVEN")
    )];
    // What could be better comes first: a learner whose code passes may not read any further.
    for note in notes {
        parts.push(wrap(&format!("Note: {note}."), width, "  "));
    }
    parts.push(wrap(&stamp(reports), width, "  "));
    parts.push(wrap(&exercise.concept, width, "  "));
    for note in reports.iter().flat_map(|report| &report.notes) {
        parts.push(wrap(&format!("Note: {note}."), width, "  "));
    }
    if let Some(more) = background::of(exercise, width) {
        parts.push(format!("\n{more}"));
    }
    parts.join("\n")
}

/// What was proven.
fn stamp(reports: &[Report]) -> String {
    let explored: u64 = reports.iter().map(Report::explored).sum();
    let all = explain::thousands(explored);
    if reports.iter().any(|report| report.network.is_some()) {
        return format!(
            "It holds in all {all} states, in whatever order messages arrive, and whatever goes wrong."
        );
    }
    let bound = match reports.iter().filter_map(|report| report.passes).max() {
        Some(passes) => format!(", with loops of up to {passes} passes"),
        None => String::new(),
    };
    format!("It holds in all {all} executions that the orderings allow{bound}.")
}
