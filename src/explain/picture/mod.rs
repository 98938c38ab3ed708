//! One report as a picture or a page: for an issue, a lecture, a README.
//!
//! Both are self-contained: no script, no font, no request. Neither includes the duration of the check,
//! so the same program always gives the same file.

mod html;
mod palette;
mod styled;
mod svg;

pub use html::html;
pub use svg::{animation, svg};

use super::{Report, name, plain, verdict};

/// The maximum width of a picture in columns, which fits on a page of text.
const WIDTH: usize = 100;

/// The verdict in one line.
fn title(report: &Report) -> String {
    let (verdict, more) = verdict(report);
    plain(&format!("{}{verdict}{more}", name(report)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OutcomeCount, Verdict};
    use heisenbug_catalogue::{Class, Grade};

    /// A failure whose texts all contain special characters of XML.
    fn hostile() -> Report {
        let bad = "<&\"'>\u{1b}]]>";
        let event = serde_json::json!({
            "actor": bad, "op": "load", "call": "load", "object": bad, "read": bad, "value": null,
            "newest": bad, "ordering": "Relaxed", "file": "bad.rs", "line": 1, "column": 1, "note": null,
        });
        heisenbug_trace::source::replace("bad.rs", "assert!(a < b && c > \"d\"); 'x: loop {}\n");
        let mut report = Report::named(bad, bad);
        report.verdict = Verdict::Fails;
        report.class = Some(Class::Assertion);
        report.message = Some(bad.to_owned());
        report.actors = vec![bad.to_owned()];
        report.notes = vec![bad.to_owned()];
        report.outcomes = vec![OutcomeCount {
            label: bad.to_owned(),
            grade: Grade::Forbidden,
            class: Some(Class::Assertion),
            count: 1,
            place: None,
        }];
        report.counterexample = vec![serde_json::from_value(event).unwrap()];
        report
    }

    /// Panics unless all elements are closed in the right order, and all text is escaped.
    fn assert_well_formed(document: &str, void: &[&str]) {
        let mut open = Vec::new();
        let mut rest = document;
        while let Some(begin) = rest.find('<') {
            assert!(!rest[..begin].contains('>'), "{rest}");
            assert_escaped(&rest[..begin]);
            let end = begin + rest[begin..].find('>').expect("a tag ends");
            let tag = &rest[begin + 1..end];
            rest = &rest[end + 1..];
            let name = tag.split([' ', '/']).next().unwrap();
            match tag {
                _ if tag.starts_with(['!', '?']) => {}
                _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(&tag[1..]), "{tag}"),
                _ if tag.ends_with('/') || void.contains(&name) => {}
                _ => open.push(name),
            }
            assert!(tag.matches('"').count().is_multiple_of(2), "{tag}");
            assert!(!tag.contains('<'), "{tag}");
            assert_escaped(tag);
        }
        assert_eq!(open, Vec::<&str>::new());
        assert!(!document.chars().any(|c| c.is_control() && c != '\n'));
    }

    fn assert_escaped(text: &str) {
        for (at, _) in text.match_indices('&') {
            let known = ["&amp;", "&lt;", "&gt;", "&quot;"];
            assert!(known.iter().any(|it| text[at..].starts_with(it)), "{text}");
        }
    }

    #[test]
    fn a_picture_is_xml_whatever_the_program_says() {
        let report = hostile();
        for text in [svg(&report), animation(&report, "heisenbug try '<&\">.rs'")] {
            assert_well_formed(&text, &[]);
            assert!(text.contains("assert!(a &lt; b &amp;&amp; c"), "{text}");
            assert!(text.contains("\\u{1b}]]&gt;"), "{text}");
        }
    }

    #[test]
    fn a_page_is_html_whatever_the_program_says() {
        let text = html(&hostile());
        assert_well_formed(&text, &["meta"]);
        assert!(text.contains("assert!(a &lt; b &amp;&amp; c"), "{text}");
    }

    #[test]
    fn neither_asks_for_anything_or_runs_anything() {
        let report = hostile();
        for text in [svg(&report), animation(&report, "x"), html(&report)] {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for word in ["http", "url(", "<script", "@import", "src=", "href="] {
                assert!(!text.contains(word), "{word}: {text}");
            }
        }
    }

    #[test]
    fn how_long_it_took_changes_nothing() {
        let mut report = hostile();
        let before = (svg(&report), html(&report));
        report.millis = 1234;
        assert_eq!((svg(&report), html(&report)), before);
    }

    #[test]
    fn where_nothing_fails_there_is_no_timeline() {
        let mut report = Report::named("mine", "scenario");
        report.verdict = Verdict::Holds;
        report.complete = true;
        report.executions.weak = Some(3);
        for text in [svg(&report), html(&report)] {
            assert!(text.contains("HOLDS") && text.contains("Exhaustive: 3 executions."));
            assert!(
                !text.contains("Timeline") && !text.contains("line  "),
                "{text}"
            );
        }
    }
}
