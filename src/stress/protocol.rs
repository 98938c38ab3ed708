//! How parent and child communicate: arguments one way, lines of JSON the other.

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
    /// The child has read its arguments.
    Started,
    /// Runs that have ended since the last such line. Also written when there are none: the child
    /// notices by writing that its parent is gone, and the parent that a silent child is stuck.
    Ended {
        /// How many runs had each outcome.
        outcomes: BTreeMap<String, u64>,
        /// From the start of the first run to the end of the last one, so far.
        micros: u64,
    },
    /// The current run will not end. Nothing follows.
    Stuck {
        /// Whether threads wait for each other's locks.
        deadlock: bool,
        /// The threads that wait.
        threads: Vec<Blocked>,
    },
    /// A limit was reached. Nothing follows.
    Done,
}

impl Line {
    /// The line as it is written: on a line of its own, even if the program under stress has
    /// begun to print one.
    pub fn write(&self) -> String {
        let text = serde_json::to_string(self).expect("a line has string keys only");
        format!("\n{text}\n")
    }

    /// Reads a line. `None` for other lines: the program under stress may print as well.
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
