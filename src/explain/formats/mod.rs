//! Reports for other tools: annotations, test results, static analysis.

mod compiler;
mod github;
mod junit;
#[cfg(feature = "serde")]
mod sarif;
mod short;

use super::{Report, plain, report};
use heisenbug_trace::Op;

/// A format that another tool reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
    /// The XML of JUnit: a test case for each program.
    Junit,
    /// SARIF 2.1.0: a result for each failure, with the timeline as its thread flow.
    #[cfg(feature = "serde")]
    Sarif,
    /// A line for each failure, as compilers write it: `file:line:column: error: …`.
    Short,
}

/// One program, with its result.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The result of its check.
    pub report: &'a Report,
    /// How to judge it: a bug of the catalogue is expected to fail.
    pub judged: Judged,
    /// A message in place of the report's own failure: a judge's or the compiler's.
    pub says: Option<&'a str>,
}

/// How a program is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It does what it should.
    Passed,
    /// It does not do what it should.
    Failed,
    /// The result is unknown.
    Unknown,
}

/// All cases in that format, without a line feed at the end.
pub fn render(format: Format, cases: &[Case]) -> String {
    match format {
        Format::Github => github::render(cases),
        Format::Junit => junit::render(cases),
        #[cfg(feature = "serde")]
        Format::Sarif => sarif::render(cases),
        Format::Short => short::render(cases),
    }
}

/// A place in the program: file, line and column.
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
}

impl<'a> Case<'a> {
    /// A program whose report needs no other message.
    pub fn of(report: &'a Report, judged: Judged) -> Case<'a> {
        Case {
            report,
            judged,
            says: None,
        }
    }

    /// `lost-update/buggy`.
    fn name(&self) -> String {
        let parts = [&self.report.bug, &self.report.variant];
        let parts = { parts.into_iter().flatten() }.filter(|part| !part.is_empty());
        parts.map(String::as_str).collect::<Vec<_>>().join("/")
    }

    /// The failure, or why the result is unknown, in one line.
    fn message(&self) -> String {
        if let Some(says) = self.says {
            return super::one_line(compiler::first(says));
        }
        let said = self
            .report
            .message
            .as_ref()
            .or(self.report.stopped.as_ref());
        let said = said.map_or("it holds, and was declared to fail", String::as_str);
        super::sentence::capitalised(&super::assertion(&super::one_line(said)))
    }

    /// The whole report, as plain text.
    fn text(&self) -> String {
        let report = plain(&report(self.report, super::MAX_WIDTH));
        match self.says {
            None => report,
            Some(says) if self.report.explored() == 0 => says.to_owned(),
            Some(says) => format!("{says}\n\n{report}"),
        }
    }

    /// Where it fails: at the compiler's first error, a panic, the second of two conflicting accesses, a
    /// blocked thread, or the last operation.
    fn place(&self) -> Option<Place<'_>> {
        if let Some(first) = { compiler::complaints(self.says.unwrap_or_default()).into_iter() }
            .find(|complaint| complaint.level == "error")
        {
            return Some(first.place);
        }
        let report = self.report;
        let events = report
            .counterexample
            .iter()
            .rev()
            .filter(|event| event.line > 0);
        let panic = events.clone().find(|event| event.op == Op::Panic);
        if let Some(event) = panic {
            return Some(Place::new(&event.file, event.line, event.column));
        }
        if let Some(clash) = &report.clash {
            return Some(Place::new(
                &clash.second.file,
                clash.second.line,
                clash.second.column,
            ));
        }
        if let Some(blocked) = report.blocked.iter().find(|blocked| blocked.line > 0) {
            return Some(Place::new(&blocked.file, blocked.line, blocked.column));
        }
        let mut events = events;
        let last = events.next()?;
        Some(Place::new(&last.file, last.line, last.column))
    }
}

impl<'a> Place<'a> {
    fn new(file: &'a str, line: u32, column: u32) -> Place<'a> {
        let column = column.max(1);
        Place { file, line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use heisenbug_catalogue::Class;

    fn failing() -> Report {
        let event = serde_json::json!({
            "actor": "main", "op": "load", "call": "load", "object": "a", "read": "0", "value": null,
            "newest": null, "ordering": "Relaxed", "file": "src/a,b.rs", "line": 7, "column": 9,
            "note": null,
        });
        let mut report = Report::named("mine", "scenario");
        report.verdict = Verdict::Fails;
        report.class = Some(Class::Assertion);
        report.message = Some("50% <lost>\n  & \"gone\"\u{1}".to_owned());
        report.actors = vec!["main".to_owned()];
        report.counterexample = vec![serde_json::from_value(event).unwrap()];
        report
    }

    fn rendered(format: Format, judged: Judged) -> String {
        let report = failing();
        render(format, &[Case::of(&report, judged)])
    }

    #[test]
    fn an_annotation_is_one_line_that_nothing_in_it_ends() {
        let text = rendered(Format::Github, Judged::Failed);
        let begin =
            "::error file=src/a%2Cb.rs,line=7,col=9,title=mine/scenario fails::50%25 <lost> & ";
        assert!(text.starts_with(begin), "{text}");
        assert_eq!(text.lines().count(), 1);
        assert!(rendered(Format::Github, Judged::Unknown).starts_with("::warning file="));
        assert_eq!(rendered(Format::Github, Judged::Passed), "");
    }

    #[test]
    fn a_short_line_is_what_an_editor_looks_for() {
        let text = rendered(Format::Short, Judged::Failed);
        let line = "src/a,b.rs:7:9: error: mine/scenario: 50% <lost> & \"gone\"";
        assert!(text.starts_with(line), "{text}");
        assert_eq!(text.lines().count(), 1);
        let unknown = rendered(Format::Short, Judged::Unknown);
        assert!(
            unknown.starts_with("src/a,b.rs:7:9: warning: "),
            "{unknown}"
        );
        assert_eq!(rendered(Format::Short, Judged::Passed), "");
    }

    #[test]
    fn what_a_compiler_says_stands_where_it_says_it() {
        let report = Report::named("mine.rs", "");
        let says = "error: no such `x`\n --> mine.rs:3:5\n  |\n\nerror: aborting";
        let case = Case {
            report: &report,
            judged: Judged::Failed,
            says: Some(says),
        };
        let rendered = |format| render(format, &[case]);
        assert_eq!(rendered(Format::Short), "mine.rs:3:5: error: no such `x`");
        let begin = "::error file=mine.rs,line=3,col=5,title=mine.rs fails::no such `x`";
        assert!(rendered(Format::Github).starts_with(begin));
        assert!(rendered(Format::Junit).contains("<failure message=\"no such `x`\""));
        assert!(rendered(Format::Sarif).contains("\"startLine\": 3"));
    }

    #[test]
    fn test_results_are_xml_whatever_the_program_says() {
        let text = rendered(Format::Junit, Judged::Failed);
        assert!(
            text.contains("tests=\"1\" failures=\"1\" errors=\"0\""),
            "{text}"
        );
        assert!(
            text.contains("classname=\"mine\" name=\"scenario\""),
            "{text}"
        );
        assert!(
            text.contains("50% &lt;lost&gt; &amp; &quot;gone&quot;"),
            "{text}"
        );
        assert!(!text.contains('\u{1}'), "{text}");
        assert!(rendered(Format::Junit, Judged::Unknown).contains("<error "));
        assert!(rendered(Format::Junit, Judged::Passed).contains("failures=\"0\""));
    }

    #[test]
    fn a_result_has_its_place_and_its_timeline() {
        let text = rendered(Format::Sarif, Judged::Failed);
        let sarif: serde_json::Value = serde_json::from_str(&text).unwrap();
        let result = &sarif["runs"][0]["results"][0];
        assert_eq!(sarif["version"], "2.1.0");
        assert_eq!(
            (&result["level"], &result["ruleId"]),
            (&"error".into(), &"assertion".into())
        );
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(
            (&region["startLine"], &region["startColumn"]),
            (&7.into(), &9.into())
        );
        let flow = &result["codeFlows"][0]["threadFlows"][0];
        assert_eq!(
            flow["locations"][0]["location"]["message"]["text"],
            "main: a ➜ 0"
        );
    }
}
