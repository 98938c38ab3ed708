//! One execution as a short text, to run it again: which thread takes the next step, and in which way.
//!
//! ```text
//! 0aab1aB3c0.1      0    the facts known about the program, as bits
//!  aa               two steps of the first thread, in the ordinary way
//!    b1             one of the second thread, on the second newest write
//!      a B3         one of the first, and three of the second, all ordinary
//!          c0.1     one of the third on the newest write, in the second of the possible ways
//! ```
//!
//! Threads have letters in order of spawning. The number after a letter is the number of writes
//! that are newer than the one that is read, or than the step's own write; for a choice it is the number
//! that is chosen. A text fits a program as long as that takes the same steps: lines may move, and values
//! may change.

use crate::clock::MAX_THREADS;
use crate::event::{Event, Kind};
use crate::search::Schedule;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

/// A longer execution has no token: it would be too long to copy.
const MAX_STEPS: usize = 1_000;

/// One execution, as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The known facts about the program: a bit for each fact of the list that the token was made with.
    pub(crate) facts: u32,
    pub(crate) steps: VecDeque<Told>,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The thread: threads are counted in order of spawning.
    pub thread: usize,
    /// The number of writes newer than the one it reads or writes; or the choice.
    pub newer: usize,
    /// Which of the operation's possible ways it takes.
    pub variant: u8,
}

impl Schedule {
    /// The execution as a text. `None` if that would be too long.
    pub fn token(&self, facts: &[&str]) -> Option<Token> {
        let mut threads = vec![0];
        let mut steps = VecDeque::new();
        for (nth, &pos) in self.order.iter().enumerate() {
            let event = self.graph.event(pos);
            if event.kind == Kind::Spawn && !threads.contains(&(event.value as usize)) {
                threads.push(event.value as usize);
            }
            if event.kind == Kind::Write && event.rmw {
                // Included in the step of its read.
                continue;
            }
            let slot = pos.thread as usize;
            steps.push_back(Told {
                thread: threads.iter().position(|&other| other == slot)?,
                newer: self.number(nth, event),
                variant: event.variant,
            });
        }
        let known = { facts.iter().enumerate() }.filter(|(_, fact)| self.learnt.knows(fact));
        let facts = known.fold(0, |bits, (nth, _)| bits | 1 << nth);
        (steps.len() <= MAX_STEPS).then_some(Token { facts, steps })
    }

    /// The number to write for the `nth` event.
    fn number(&self, nth: usize, event: &Event) -> usize {
        let rank = match event.kind {
            Kind::Read => self.graph.rank(event.rf),
            Kind::Write => event.mo as usize + 1,
            Kind::Choice => return event.value as usize,
            _ => return 0,
        };
        let before = self.order[..nth].iter();
        let newer = before.filter(|&&pos| {
            let other = self.graph.event(pos);
            other.kind == Kind::Write && other.loc == event.loc && self.graph.rank(pos) > rank
        });
        newer.count()
    }
}

impl Told {
    fn is_ordinary(&self) -> bool {
        (self.newer, self.variant) == (0, 0)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.facts)?;
        let mut steps = self.steps.iter().peekable();
        while let Some(step) = steps.next() {
            let letter = char::from(b'a' + step.thread as u8);
            if !step.is_ordinary() {
                write!(f, "{letter}{}", step.newer)?;
                if step.variant > 0 {
                    write!(f, ".{}", step.variant)?;
                }
                continue;
            }
            let mut times = 1;
            while steps.next_if_eq(&step).is_some() {
                times += 1;
            }
            match times {
                1 => write!(f, "{letter}")?,
                2 => write!(f, "{letter}{letter}")?,
                _ => write!(f, "{}{times}", letter.to_ascii_uppercase())?,
            }
        }
        Ok(())
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(text: &str) -> Result<Token, String> {
        let mut rest = text;
        let facts = number(&mut rest).ok_or("it must begin with a number")? as u32;
        let mut steps = VecDeque::new();
        while let Some(letter) = rest.chars().next() {
            let at = text.len() - rest.len() + 1;
            let thread = (letter.to_ascii_lowercase() as usize).wrapping_sub('a' as usize);
            if thread >= MAX_THREADS {
                return Err(format!(
                    "at character {at}, {letter:?} is not a thread (a to p)"
                ));
            }
            rest = &rest[1..];
            let number_behind = number(&mut rest);
            let mut step = Told {
                thread,
                newer: 0,
                variant: 0,
            };
            let mut times = 1;
            if letter.is_ascii_uppercase() {
                times =
                    number_behind.ok_or(format!("at character {at}, {letter} needs a number"))?;
            } else {
                step.newer = number_behind.unwrap_or(0);
                if let Some(behind) = rest.strip_prefix('.') {
                    rest = behind;
                    step.variant = number(&mut rest).unwrap_or(0) as u8;
                }
            }
            if steps.len() + times > MAX_STEPS {
                return Err(format!("it has more than {MAX_STEPS} steps"));
            }
            steps.extend(std::iter::repeat_n(step, times));
        }
        Ok(Token { facts, steps })
    }
}

/// Removes the number at the beginning of the text, and returns it.
fn number(text: &mut &str) -> Option<usize> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = text.split_at(digits);
    *text = rest;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_as_it_is_written() {
        for text in ["0", "0a", "0aab1aB3c0.1", "17A12p3.2", "0a0.1b"] {
            let token: Token = text.parse().expect("a token");
            assert_eq!(token.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "a", "0q", "0é", "0A", "0A1001", "0 a"] {
            assert!(text.parse::<Token>().is_err(), "{text}");
        }
    }
}
