//! The rows of the outcome table. Panics in one line that differ only in their messages share a row.

use super::assertion;
use super::report::{OutcomeCount, Report};
use heisenbug_catalogue::Grade;
use std::borrow::Cow;

/// Up to this many messages of one line are shown one by one.
const MOST: usize = 3;

/// A row of the table.
pub struct Row<'a> {
    pub label: Cow<'a, str>,
    pub grade: Grade,
    pub count: u64,
}

/// The rows, in the order of the report.
pub fn rows(report: &Report) -> Vec<Row<'_>> {
    let outcomes = &report.outcomes;
    let mut rows = Vec::new();
    for (nth, outcome) in outcomes.iter().enumerate() {
        let same = |other: &&OutcomeCount| other.place == outcome.place;
        let texts: Vec<&OutcomeCount> = outcomes.iter().filter(same).collect();
        if outcome.place.is_none() || texts.len() <= MOST {
            rows.push(row(outcome));
        } else if !outcomes[..nth].iter().any(|other| same(&other)) {
            rows.push(together(report, &texts));
        }
    }
    rows
}

fn row(outcome: &OutcomeCount) -> Row<'_> {
    Row {
        label: assertion(&outcome.label),
        grade: outcome.grade,
        count: outcome.count,
    }
}

/// One row for all messages of one line. It shows the message of the timeline's execution.
fn together<'a>(report: &'a Report, texts: &[&'a OutcomeCount]) -> Row<'a> {
    let is_shown = |outcome: &&&OutcomeCount| Some(&outcome.label) == report.outcome.as_ref();
    let shown = { texts.iter() }.find(is_shown).unwrap_or(&texts[0]);
    let line = shown.place.as_ref().map_or(0, |place| place.line);
    let others = texts.len() - 1;
    Row {
        label: format!(
            "{}, and {others} other texts of line {line}",
            assertion(&shown.label)
        )
        .into(),
        grade: shown.grade,
        count: texts.iter().map(|outcome| outcome.count).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Line;
    use super::*;
    use heisenbug_catalogue::Class;

    fn panic(text: &str, line: u32) -> OutcomeCount {
        let file = "a.rs".to_owned();
        OutcomeCount {
            label: text.to_owned(),
            grade: Grade::Forbidden,
            class: Some(Class::Assertion),
            count: 2,
            place: Some(Line { file, line }),
        }
    }

    fn shown(outcomes: Vec<OutcomeCount>, shown: &str) -> Vec<(String, u64)> {
        let mut report = Report::empty();
        (report.outcomes, report.outcome) = (outcomes, Some(shown.to_owned()));
        let rows = rows(&report).into_iter();
        rows.map(|row| (row.label.into_owned(), row.count))
            .collect()
    }

    #[test]
    fn many_texts_of_one_line_are_one_outcome() {
        let mut outcomes: Vec<OutcomeCount> = (0..14)
            .map(|left| panic(&format!("left: {left}"), 7))
            .collect();
        outcomes.push(panic("another", 8));
        let text = "left: 3, and 13 other texts of line 7".to_owned();
        let rows = [(text, 28), ("another".to_owned(), 2)];
        assert_eq!(shown(outcomes, "left: 3"), rows);
    }

    #[test]
    fn three_texts_of_one_line_are_shown_one_by_one() {
        let outcomes = ["a", "b", "c"].map(|text| panic(text, 7)).to_vec();
        assert_eq!(shown(outcomes, "a").len(), 3);
    }
}
