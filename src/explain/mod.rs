//! Reports in words: verdict, outcome table, timeline.
//!
//! All text is made here, for every scale. It carries ANSI styles; the code that prints it strips them
//! if there is no terminal ([`plain`]).

mod cells;
mod constants;
mod decisive;
mod difference;
mod folding;
pub mod formats;
mod interruption;
mod layout;
mod leak;
mod outcomes;
pub mod picture;
mod repeats;
mod report;
mod sentence;
mod shard;
mod stale;
mod statements;
mod story;
pub mod style;
mod table;
mod timeline;
#[cfg(feature = "serde")]
pub mod traces;
mod visible;
mod xml;

use heisenbug_catalogue::Grade;
use heisenbug_trace::one_line;
use sentence::Time;
use std::borrow::Cow;
use style::{Paint, paint};

pub use layout::{cut, width, wrap};
pub use report::{
    Access, CLOCKS, Clash, Engine, Executions, INTERRUPT, Leaked, Line, Network, OutcomeCount,
    REPLAYED, RETURNED, Report, Stronger, Verdict,
};
pub use shard::{Part, Shard};
pub use style::plain;
pub use table::{Table, thousands};
pub use visible::{json, visible, visible_but_styles};

/// The widest running text, and the widest report if the width of the output is unknown, in columns.
/// Wider lines are harder to read.
pub const MAX_WIDTH: usize = 80;

/// The widest timeline: it needs room for the source and a column for each actor.
pub const MAX_TIMELINE: usize = 160;

/// The narrowest output: with fewer columns, the timeline does not fit.
pub const MIN_WIDTH: usize = 40;

/// The whole report: verdict, outcomes, timeline, how it was reached. A long timeline is cut to the rows that
/// explain the failure.
pub fn report(report: &Report, width: usize) -> String {
    told(report, width, Time::Told, false)
}

/// The whole report, with a row for each operation.
pub fn full_report(report: &Report, width: usize) -> String {
    told(report, width, Time::Told, true)
}

/// The counterexample in sentences. `None` if there is none, or it is too long for that.
pub fn story(report: &Report) -> Option<String> {
    story::story(&readable(report))
}

/// The report for readers: without characters that a terminal obeys, and with names for known numbers.
fn readable(report: &Report) -> Report {
    constants::named(&visible::report(report))
}

fn told(report: &Report, width: usize, time: Time, full: bool) -> String {
    let room = width.clamp(MIN_WIDTH, MAX_TIMELINE);
    let width = room.min(MAX_WIDTH);
    let report = &readable(report);
    let mut blocks = vec![headline(report, width)];
    if has_outcomes(report) {
        blocks.push(outcomes(report, width));
    }
    let mut closing = layout::wrap(&sentence::stamp(report, time), width, "  ");
    if has_counterexample(report) {
        let how = layout::wrap(&sentence::how(report), width, "  ");
        let parts = [
            timeline::render(report, room, full),
            how,
            std::mem::take(&mut closing),
        ];
        blocks.push(
            parts
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("\n"),
        );
    }
    blocks.push(closing);
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n")
}

impl std::fmt::Display for Report {
    /// The whole report as plain text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&plain(&self::report(self, MAX_WIDTH)))
    }
}

impl Report {
    /// Panics with the whole report, timeline included, unless the program holds.
    ///
    /// # Panics
    ///
    /// If the verdict is *fails* or *unknown*, or the program was shown to hold only with loops of a
    /// bounded number of passes.
    #[track_caller]
    pub fn assert_holds(&self) {
        assert!(self.holds(), "\n{self}\n");
    }

    /// Panics with the whole report, timeline included, unless the program holds, possibly only with
    /// loops of a bounded number of passes.
    ///
    /// # Panics
    ///
    /// If the verdict is *fails* or *unknown*.
    #[track_caller]
    pub fn assert_holds_bounded(&self) {
        assert!(self.holds_bounded(), "\n{self}\n");
    }
}

/// Whether the outcomes add something to the verdict.
fn has_outcomes(report: &Report) -> bool {
    let tells = report.outcomes.len() > 1 || !report.holds_bounded();
    tells && !report.outcomes.is_empty()
}

fn has_counterexample(report: &Report) -> bool {
    report.verdict == Verdict::Fails || !report.counterexample.is_empty()
}

/// The verdict in one line, and what happened in one sentence.
fn headline(report: &Report, width: usize) -> String {
    let name = name(report);
    let (verdict, more) = verdict(report);
    let verdict = paint(Paint::of_verdict(report.verdict), verdict);
    let program = format!("{}{verdict}", paint(Paint::Bold, &name));
    let title = match layout::width(&program) + layout::width(&more) <= width {
        true => format!("{program}{more}"),
        false => format!(
            "{program}:\n{}",
            layout::wrap(more.trim_start_matches([':', ' ']), width, "  ")
        ),
    };
    match message(report) {
        Some(message) => format!("{title}\n{}", layout::wrap(&message, width, "  ")),
        None => title,
    }
}

/// `lost-update/buggy `, if the program has a name.
fn name(report: &Report) -> String {
    match (&report.bug, &report.variant) {
        (Some(bug), Some(variant)) => format!("{bug}/{variant} "),
        _ => String::new(),
    }
}

/// The failure in one line.
fn message(report: &Report) -> Option<String> {
    let message = report.message.as_ref().filter(|_| report.fails())?;
    // The catalogue's reasons are sentences; a panic's message is shown as its author wrote it.
    let message = match report.bug {
        Some(_) => sentence::capitalised(&one_line(message)),
        None => one_line(message),
    };
    Some(assertion(&message).into_owned())
}

/// The verdict in capitals, with additions.
fn verdict(report: &Report) -> (&'static str, String) {
    match (report.verdict, report.passes) {
        (Verdict::Fails, _) => ("FAILS", failure(report)),
        (Verdict::Unknown, _) => ("UNKNOWN", String::new()),
        (Verdict::Holds | Verdict::Bounded, Some(passes)) => {
            ("HOLDS", format!(" with loops of up to {passes} passes"))
        }
        (Verdict::Holds | Verdict::Bounded, None) if report.executions.weak.is_none() => {
            ("HOLDS", ": under sequential consistency".to_owned())
        }
        (Verdict::Holds | Verdict::Bounded, None) => ("HOLDS", String::new()),
    }
}

/// How the program fails: in every execution, or by what kind of bug.
fn failure(report: &Report) -> String {
    if let Some(needed) = report
        .network
        .as_ref()
        .and_then(|network| network.needed.as_ref())
    {
        return format!(": {}", with_faults(needed));
    }
    let failure = match in_every_execution(report) {
        Some(in_every) => format!(" {in_every}"),
        None => format!(": {}", kind(report)),
    };
    match report.preemptions {
        Some(0) => format!("{failure}, without any preemption"),
        Some(1) => format!("{failure}, 1 preemption"),
        Some(many) => format!("{failure}, {many} preemptions"),
        None => failure,
    }
}

/// "with 1 loss and 1 crash".
fn with_faults(faults: &[String]) -> String {
    let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
    match faults.is_empty() {
        true => "without any fault".to_owned(),
        false => format!("with {}", cells::and(&faults)),
    }
}

/// Says that a panic happens in every execution: then neither an interleaving nor an ordering causes it.
fn in_every_execution(report: &Report) -> Option<String> {
    use heisenbug_catalogue::Class::{Assertion, Panic};
    let failed = |outcome: &OutcomeCount| outcome.grade == Grade::Forbidden;
    let is_replay = report.stopped.as_deref() == Some(REPLAYED);
    let always = !is_replay && !report.outcomes.is_empty() && report.outcomes.iter().all(failed);
    let panics = matches!(report.class, Some(Assertion | Panic));
    let threads = report.actors.len() > 1 || report.explored() > 1;
    (panics && always && threads).then(|| match (report.complete, counted(report)) {
        (true, _) => "in every execution".to_owned(),
        // The unexplored executions may differ.
        (false, 1) => "in the one execution that came to an end".to_owned(),
        (false, many) => format!("in each of {} executions", table::thousands(many)),
    })
}

/// In how many executions an outcome was seen.
fn counted(report: &Report) -> u64 {
    report.outcomes.iter().map(|outcome| outcome.count).sum()
}

/// The kind of bug, in the terms of the field.
fn kind(report: &Report) -> String {
    use heisenbug_catalogue::Class::{Assertion, Panic};
    let class = report.class.map_or("failure", |class| class.words());
    let message = report.message.as_deref().unwrap_or_default();
    match (report.found_by, report.class) {
        (_, Some(Assertion)) if report.actors.len() < 2 => "a failed assertion".to_owned(),
        (_, Some(Panic)) if report.actors.len() < 2 && message.starts_with(RETURNED) => {
            "a returned error".to_owned()
        }
        (_, Some(Panic)) if report.actors.len() < 2 => "a panic".to_owned(),
        (Some(Engine::Sc), Some(Assertion | Panic)) => "an interleaving bug".to_owned(),
        (Some(Engine::Weak), Some(Assertion | Panic)) => "a memory-ordering bug".to_owned(),
        (Some(Engine::Weak), _) => format!("a {class} under weak memory"),
        _ => format!("a {class}"),
    }
}

/// Label, grade, count and share of every outcome.
fn outcomes(report: &Report, width: usize) -> String {
    let total = total(report);
    let rows = { outcomes::rows(report).into_iter() }
        .map(|row| (row.label, row.grade, row.count, share(row.count, total)));
    let counted = match report.network {
        Some(_) => "ends",
        None => "executions",
    };
    outcome_table(counted, total, rows, width)
}

/// The number of executions that shares refer to: it includes those that were cut, and those whose outcomes
/// are not listed.
fn total(report: &Report) -> u64 {
    match report.network {
        Some(_) => counted(report),
        None => report.explored().max(counted(report)),
    }
}

/// A share in percent. Only nothing is shown as 0 %, and only everything as 100 %.
pub fn share(part: u64, whole: u64) -> String {
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    match () {
        () if part > 0 && percent < 0.05 => "<0.1%".to_owned(),
        () if part < whole && percent >= 99.95 => ">99.9%".to_owned(),
        () => format!("{percent:.1}%"),
    }
}

/// The three lines of an `assert_eq!` message, in one readable line.
fn assertion(text: &str) -> Cow<'_, str> {
    let parts = text
        .strip_prefix("assertion `left ")
        .or_else(|| text.strip_prefix("Assertion `left "));
    let sides = parts.and_then(|_| {
        let (head, sides) = text.split_once(" left: ")?;
        let (left, right) = sides.rsplit_once(" right: ")?;
        Some(format!("{head} (left: {left}, right: {right})"))
    });
    sides.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The table of outcomes: label, grade, count and share of each. `counted` names what was counted.
pub fn outcome_table<'a>(
    counted: &str,
    total: u64,
    outcomes: impl Iterator<Item = (Cow<'a, str>, Grade, u64, String)>,
    width: usize,
) -> String {
    let share = format!("of {}", table::thousands(total));
    let mut table = Table::new(&["outcome", "grade", counted, &share]).right(&[2, 3]);
    for (label, grade, count, share) in outcomes {
        table.row([
            label.into_owned(),
            paint(Paint::of_grade(grade), &grade.to_string()),
            table::thousands(count),
            share,
        ]);
    }
    table.render(width, "  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nothing_is_no_share_and_only_everything_is_all_of_it() {
        assert_eq!(share(0, 9), "0.0%");
        assert_eq!(share(1, 100_000), "<0.1%");
        assert_eq!(share(99_999, 100_000), ">99.9%");
        assert_eq!(share(9, 9), "100.0%");
    }

    #[test]
    fn what_fails_whatever_the_threads_do_is_no_interleaving_bug() {
        use heisenbug_catalogue::Class::{Assertion, DataRace};
        let failing = |class, explored, complete| {
            let mut report = Report::empty();
            report.verdict = Verdict::Fails;
            (report.class, report.found_by) = (Some(class), Some(Engine::Sc));
            report.actors = vec!["main".to_owned(), "thread 1".to_owned()];
            report.executions.weak = Some(explored);
            report.complete = complete;
            report.outcomes = vec![OutcomeCount {
                label: "lost".to_owned(),
                grade: Grade::Forbidden,
                class: Some(class),
                count: explored,
                place: None,
            }];
            report
        };
        let said = |report: &Report| plain(&headline(report, 80));
        let mut report = failing(Assertion, 2, true);
        assert_eq!(said(&report), "FAILS in every execution");
        report.outcomes[0].count = 1;
        let fine = OutcomeCount {
            grade: Grade::Acceptable,
            ..report.outcomes[0].clone()
        };
        report.outcomes.push(fine);
        assert_eq!(said(&report), "FAILS: an interleaving bug");
        let report = failing(Assertion, 1, true);
        assert_eq!(said(&report), "FAILS in every execution");
        let report = failing(Assertion, 1_000, false);
        assert_eq!(said(&report), "FAILS in each of 1,000 executions");
        let report = failing(DataRace, 2, true);
        assert_eq!(said(&report), "FAILS: a data race");
    }

    #[test]
    fn an_error_that_a_scenario_returns_is_not_told_as_a_panic() {
        let mut report = Report::empty();
        report.verdict = Verdict::Fails;
        report.class = Some(heisenbug_catalogue::Class::Panic);
        report.message = Some(format!("{RETURNED}Err(\"gone\")"));
        assert_eq!(
            plain(&headline(&report, 80)),
            "FAILS: a returned error\n  the scenario returned Err(\"gone\")"
        );
    }

    #[test]
    fn a_share_says_of_what_it_is_one() {
        let mut report = Report::empty();
        report.executions.weak = Some(10);
        report.outcomes = vec![OutcomeCount {
            label: "whole".to_owned(),
            grade: Grade::Acceptable,
            class: None,
            count: 9,
            place: None,
        }];
        // The tenth was cut, and has no outcome.
        let table = plain(&outcomes(&report, 80));
        assert!(
            table.contains("of 10") && table.contains("90.0%"),
            "{table}"
        );
    }

    #[test]
    fn both_sides_of_an_assertion_stand_apart_from_its_message() {
        let said = "assertion `left == right` failed: lost left: 1 right: 2";
        assert_eq!(
            assertion(said),
            "assertion `left == right` failed: lost (left: 1, right: 2)"
        );
        assert_eq!(assertion("we left: 1 right: 2"), "we left: 1 right: 2");
    }
}
