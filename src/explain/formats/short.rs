//! `file:line:column: error: …`, as compilers write and editors read it: a line for each program that
//! fails, and notes for the other places that made it fail.

use super::super::decisive::notes;
use super::{Case, Judged, Place, compiler};
use std::fmt::Display;

pub fn render(cases: &[Case]) -> String {
    cases.iter().flat_map(lines).collect::<Vec<_>>().join("\n")
}

fn lines(case: &Case) -> Vec<String> {
    let level = match case.judged {
        Judged::Passed => return Vec::new(),
        Judged::Failed => "error",
        Judged::Unknown => "warning",
    };
    // Each of the compiler's errors is one line.
    let complaints: Vec<String> = compiler::complaints(case.says.unwrap_or_default())
        .into_iter()
        .map(|it| line(Some(&it.place), it.level, it.message))
        .collect();
    if !complaints.is_empty() {
        return complaints;
    }
    let said = format!("{}: {}", case.name(), case.message());
    let mut lines = vec![line(case.place().as_ref(), level, said)];
    if case.judged == Judged::Failed && case.report.fails() {
        let notes = notes(case.report);
        lines.extend({ notes.iter() }.map(|note| {
            let place = Place::new(note.file, note.line, note.column);
            line(Some(&place), "note", &note.text)
        }));
    }
    lines
}

fn line(place: Option<&Place>, level: &str, said: impl Display) -> String {
    match place {
        Some(Place { file, line, column }) => format!("{file}:{line}:{column}: {level}: {said}"),
        // A message without a line, as programs print them.
        None => format!("heisenbug: {level}: {said}"),
    }
}
