//! What parent and child tell each other: arguments one way, lines of JSON the other.

use heisenbug_trace::Blocked;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The hidden command that makes this program a child.
pub const CHILD_COMMAND: &str = "__stress";

/// The arguments that make this program run a variant as a child:
/// `__stress BUG/VARIANT [--runs N] [--millis M]`.
pub fn child_args(
    bug: &str,
    variant: &str,
    runs: Option<u64>,
    time: Option<Duration>,
) -> Vec<String> {
    let mut args = vec![CHILD_COMMAND.to_owned(), format!("{bug}/{variant}")];
    if let Some(runs) = runs {
        args.extend(["--runs".to_owned(), runs.to_string()]);
    }
    if let Some(time) = time {
        args.extend(["--millis".to_owned(), time.as_millis().to_string()]);
    }
    args
}

/// One line that a child writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// The child has understood what it is to do.
    Started,
    /// Runs that have ended since the last such line. Also written when there are none: a parent
    /// that is gone is noticed by writing to it, and a child that is silent is stuck as a whole.
    Ended {
        /// How many had which outcome.
        outcomes: BTreeMap<String, u64>,
        /// From the start of the first run to the end of the last one, so far.
        micros: u64,
    },
    /// The run that was under way will not end. Nothing follows.
    Stuck {
        /// Whether threads wait for each other's locks.
        deadlock: bool,
        /// Who waits.
        threads: Vec<Blocked>,
    },
    /// A limit was reached. Nothing follows.
    Done,
}

impl Line {
    /// The line as it is written: with its end, and with the end of whatever the program under
    /// stress may have begun to print.
    pub fn write(&self) -> String {
        let text = serde_json::to_string(self).expect("a line has string keys only");
        format!("\n{text}\n")
    }

    /// Reads a line. `None` if it is none of ours: the program under stress may print, too.
    pub fn read(text: &str) -> Option<Line> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_only_the_limits_there_are() {
        let time = Some(Duration::from_millis(1500));
        assert_eq!(
            child_args("aba", "buggy", Some(7), time),
            ["__stress", "aba/buggy", "--runs", "7", "--millis", "1500"]
        );
        assert_eq!(
            child_args("aba", "buggy", None, None),
            ["__stress", "aba/buggy"]
        );
    }

    #[test]
    fn a_line_stands_alone_and_can_be_read_back() {
        let lines = [
            Line::Started,
            Line::Ended {
                outcomes: BTreeMap::from([("panic: \"a\nb\"".to_owned(), 3)]),
                micros: 12,
            },
            Line::Stuck {
                deadlock: true,
                threads: Vec::new(),
            },
            Line::Done,
        ];
        for line in lines {
            let text = line.write();
            let read: Vec<Line> = format!("begun{text}")
                .lines()
                .filter_map(Line::read)
                .collect();
            assert_eq!(read, [line], "{text}");
        }
    }

    #[test]
    fn what_others_print_is_no_line() {
        assert_eq!(Line::read("running 1 test"), None);
        assert_eq!(Line::read("{\"line\":\"sta"), None);
        assert_eq!(Line::read(""), None);
    }
}
