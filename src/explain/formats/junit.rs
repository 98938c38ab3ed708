//! JUnit's XML, which most build servers read: a test case for each program.

use super::super::xml::escaped;
use super::{Case, Judged};
use std::fmt::Write;

pub fn render(cases: &[Case]) -> String {
    let count = |judged| cases.iter().filter(|case| case.judged == judged).count();
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"heisenbug\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        cases.len(),
        count(Judged::Failed),
        count(Judged::Unknown)
    );
    for case in cases {
        add(&mut xml, case);
    }
    xml.push_str("  </testsuite>\n</testsuites>");
    xml
}

fn add(xml: &mut String, case: &Case) {
    let part = |part: &Option<String>| escaped(part.as_deref().unwrap_or_default());
    let report = case.report;
    let head = format!(
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
        part(&report.bug),
        part(&report.variant),
        report.millis as f64 / 1000.0
    );
    let element = match case.judged {
        Judged::Passed => {
            let _ = writeln!(xml, "{head}/>");
            return;
        }
        Judged::Failed => "failure",
        Judged::Unknown => "error",
    };
    let class = report.class.map_or("unknown", |class| class.words());
    let _ = writeln!(
        xml,
        "{head}>\n      <{element} message=\"{}\" type=\"{}\">{}</{element}>\n    </testcase>",
        escaped(&case.message()),
        escaped(class),
        escaped(&case.text())
    );
}
