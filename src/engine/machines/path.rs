//! One run as a list of choices, and as a short text.
//!
//! ```text
//! A B C B0 A1* Cc1 - Bt A2!3.1 B~2
//!
//! A B C    each goes on: starts, or does what it has to do alone
//! B0       receives message 0: messages are counted in the order in which they are sent
//! A1*      receives message 1, which will come once more
//! Cc1      chooses 1
//! -        all that could be received now is lost
//! Bt       its timer fires
//! A2!3.1   receives message 2, and crashes after 3 effects, which leaves its disk in state 1 of those that
//!          are possible
//! B~2      goes on, and stops for good after 2 effects
//! ```
//!
//! Without spaces. The other inputs are `n-`, `n0` and `n+`: the clock is read, and is slow, right, or
//! fast; `b3`: three bytes of a stream are read; `s` and `f`: a sync succeeds, or fails. `r`: the machine does nothing, and crashes or stops at rest.

use super::program::MAX_MACHINES;
use std::fmt::{self, Write};
use std::str::FromStr;

/// A longer text is not read.
const MAX_STEPS: usize = 10_000;

/// One run. Fits a program as long as the machines take the same steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    pub(super) steps: Vec<PathStep>,
}

impl Path {
    /// The number of steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// The first steps of it.
    pub fn first(&self, steps: usize) -> Path {
        let steps = self.steps.iter().take(steps).copied();
        Path {
            steps: steps.collect(),
        }
    }

    /// Whether it has no steps.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum PathStep {
    /// All messages that could be received are lost.
    Lose,
    /// A machine takes something in, and does something.
    Take {
        machine: u8,
        taken: Taken,
        cut: Option<Cut>,
    },
}

/// What a machine takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Taken {
    /// Nothing: it crashes or stops where it waits.
    Rest,
    Go,
    Message {
        number: u32,
        again: bool,
    },
    TimeOut,
    Choice(u8),
    Time {
        skew: i8,
    },
    /// So many bytes are read from a stream.
    Bytes(u32),
    Synced(bool),
}

/// How a machine breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cut {
    /// It crashes after so many effects, with one of the possible results for the disk.
    Crash { after: u16, disk: u16 },
    /// It stops for good after so many effects.
    Stop { after: u16 },
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (machine, taken, cut) = match *self {
            PathStep::Lose => return f.write_char('-'),
            PathStep::Take {
                machine,
                taken,
                cut,
            } => (machine, taken, cut),
        };
        f.write_char(char::from(b'A' + machine))?;
        match taken {
            Taken::Rest => f.write_char('r'),
            Taken::Go => Ok(()),
            Taken::Message { number, again } => {
                write!(f, "{number}{}", if again { "*" } else { "" })
            }
            Taken::TimeOut => f.write_char('t'),
            Taken::Choice(choice) => write!(f, "c{choice}"),
            Taken::Time { skew: 0 } => f.write_str("n0"),
            Taken::Time { skew } => f.write_str(if skew < 0 { "n-" } else { "n+" }),
            Taken::Bytes(bytes) => write!(f, "b{bytes}"),
            Taken::Synced(ok) => f.write_char(if ok { 's' } else { 'f' }),
        }?;
        match cut {
            None => Ok(()),
            Some(Cut::Crash { after, disk }) => write!(f, "!{after}.{disk}"),
            Some(Cut::Stop { after }) => write!(f, "~{after}"),
        }
    }
}

impl FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Path, String> {
        let mut reader = Reader { text, rest: text };
        let mut steps = Vec::new();
        while !reader.rest.is_empty() {
            if steps.len() == MAX_STEPS {
                return Err(format!("it has more than {MAX_STEPS} steps"));
            }
            steps.push(reader.step()?);
        }
        Ok(Path { steps })
    }
}

/// Reads a path from left to right.
struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn step(&mut self) -> Result<PathStep, String> {
        if self.takes('-') {
            return Ok(PathStep::Lose);
        }
        let first = self.rest.chars().next();
        let letter = first.filter(|letter| ('A'..='P').contains(letter));
        let letter = letter.ok_or_else(|| self.no("a machine (A to P)"))?;
        self.rest = &self.rest[1..];
        let machine = letter as u8 - b'A';
        debug_assert!(usize::from(machine) < MAX_MACHINES);
        let taken = self.taken()?;
        let cut = self.cut()?;
        if taken == Taken::Rest && cut.is_none() {
            return Err(self.no("a crash or a stop"));
        }
        Ok(PathStep::Take {
            machine,
            taken,
            cut,
        })
    }

    fn taken(&mut self) -> Result<Taken, String> {
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            let number = self.number()?;
            let again = self.takes('*');
            return Ok(Taken::Message { number, again });
        }
        if self.takes('c') {
            return Ok(Taken::Choice(self.number()?));
        }
        if self.takes('b') {
            return Ok(Taken::Bytes(self.number()?));
        }
        let fixed = [
            ("r", Taken::Rest),
            ("t", Taken::TimeOut),
            ("n-", Taken::Time { skew: -1 }),
            ("n0", Taken::Time { skew: 0 }),
            ("n+", Taken::Time { skew: 1 }),
            ("s", Taken::Synced(true)),
            ("f", Taken::Synced(false)),
        ];
        for (text, taken) in fixed {
            if let Some(rest) = self.rest.strip_prefix(text) {
                self.rest = rest;
                return Ok(taken);
            }
        }
        Ok(Taken::Go)
    }

    fn cut(&mut self) -> Result<Option<Cut>, String> {
        if self.takes('~') {
            let after = self.number()?;
            return Ok(Some(Cut::Stop { after }));
        }
        if !self.takes('!') {
            return Ok(None);
        }
        let after = self.number()?;
        if !self.takes('.') {
            return Err(self.no("a point"));
        }
        let disk = self.number()?;
        Ok(Some(Cut::Crash { after, disk }))
    }

    fn takes(&mut self, letter: char) -> bool {
        let rest = self.rest.strip_prefix(letter);
        rest.map(|rest| self.rest = rest).is_some()
    }

    fn number<N: FromStr>(&mut self) -> Result<N, String> {
        let is_digit = |c: char| c.is_ascii_digit();
        let digits = self.rest.len() - self.rest.trim_start_matches(is_digit).len();
        let number = self.rest[..digits].parse();
        let number = number.map_err(|_| self.no("a number, or not such a large one"))?;
        self.rest = &self.rest[digits..];
        Ok(number)
    }

    fn no(&self, what: &str) -> String {
        let at = self.text.len() - self.rest.len() + 1;
        format!("at character {at}, there must be {what}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_it_is_written() {
        for text in ["", "ABCB0A1*Cc1-BtA2!3.1B~2", "An-Bn0Cn+Ab12AsAfPr~0Ar!0.3"] {
            let path: Path = text.parse().expect("a path");
            assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["a", "Q", "é", "A B", "Ac", "Ac256", "Ar", "A!3", "A~", "3"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }
}
