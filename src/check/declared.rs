//! Whether a variant does what the catalogue declares.

use heisenbug_catalogue::Role;
use heisenbug_explain::{Report, Verdict};

/// How a report compares with what the variant declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// It fails or holds as declared.
    Yes,
    /// It does something else.
    No(String),
    /// Unknown: the check was stopped.
    Unknown,
}

impl Declared {
    /// Whether it is as declared, if that is known.
    pub fn known(&self) -> Option<bool> {
        match self {
            Declared::Yes => Some(true),
            Declared::No(_) => Some(false),
            Declared::Unknown => None,
        }
    }
}

/// Compares a report with the variant's role: buggy variants and traps must fail with the declared
/// class and outcome, fixed ones must hold.
pub fn as_declared(role: Role, report: &Report) -> Declared {
    match (role.expected(), report.verdict) {
        (_, Verdict::Unknown) => Declared::Unknown,
        // The report states the bound; there is no better proof for a loop that only ends by luck.
        (None, Verdict::Holds | Verdict::Bounded) => Declared::Yes,
        (None, Verdict::Fails) => Declared::No(format!("must hold, but {}", failure(report))),
        // What sequential consistency does not show, weak memory may.
        (Some(_), Verdict::Holds | Verdict::Bounded) if report.executions.weak.is_none() => {
            Declared::Unknown
        }
        (Some(_), Verdict::Holds) => Declared::No("must fail, but holds".to_owned()),
        (Some(_), Verdict::Bounded) => {
            Declared::No("must fail, but holds with loops of a bounded number of passes".to_owned())
        }
        (Some(expected), Verdict::Fails) => {
            let same_class = report.class == Some(expected.class);
            let same_outcome = report.outcome.as_deref() == Some(expected.outcome);
            if same_class && same_outcome {
                Declared::Yes
            } else {
                Declared::No(format!(
                    "must fail with \"{}\" ({}), but {}",
                    expected.outcome,
                    expected.class,
                    failure(report)
                ))
            }
        }
    }
}

fn failure(report: &Report) -> String {
    let outcome = report.outcome.as_deref().unwrap_or("unknown");
    match report.class {
        Some(class) => format!("fails with \"{outcome}\" ({class})"),
        None => format!("fails with \"{outcome}\""),
    }
}
