//! [Workflow commands](https://docs.github.com/actions/reference/workflow-commands-for-github-actions) of
//! GitHub Actions: one line each, which becomes an annotation at the failing line.

use super::{Case, Judged};

pub fn render(cases: &[Case]) -> String {
    cases.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

fn line(case: &Case) -> Option<String> {
    let (level, how) = match case.judged {
        Judged::Passed => return None,
        Judged::Failed => ("error", "fails"),
        Judged::Unknown => ("warning", "is unknown"),
    };
    let place = case.place().map(|place| {
        let file = property(place.file);
        format!("file={file},line={},col={},", place.line, place.column)
    });
    let title = property(&format!("{} {how}", case.name()));
    let message = data(&format!("{}\n\n{}", case.message(), case.text()));
    Some(format!(
        "::{level} {}title={title}::{message}",
        place.unwrap_or_default()
    ))
}

/// The text after the last `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, which a comma or a colon would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
