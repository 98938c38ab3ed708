//! Colours and weights, by meaning.

use super::report::Verdict;
use anstyle::{AnsiColor, Style};
use anstyle_parse::{DefaultCharAccumulator, Parser, Perform};
use heisenbug_catalogue::Grade;

/// What a piece of text is, as far as its looks are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Headings and names.
    Bold,
    /// Line numbers, rules, what one may skip.
    Dim,
    /// Wrong.
    Bad,
    /// Right.
    Good,
    /// Look here.
    Notice,
    /// The actor of that number.
    Actor(usize),
}

impl Paint {
    /// The looks of a verdict.
    pub fn of_verdict(verdict: Verdict) -> Paint {
        match verdict {
            Verdict::Holds | Verdict::Bounded => Paint::Good,
            Verdict::Fails => Paint::Bad,
            Verdict::Unknown => Paint::Notice,
        }
    }

    /// The looks of a grade.
    pub fn of_grade(grade: Grade) -> Paint {
        match grade {
            Grade::Acceptable => Paint::Good,
            Grade::Interesting => Paint::Notice,
            Grade::Forbidden => Paint::Bad,
        }
    }

    fn style(self) -> Style {
        let coloured = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        match self {
            Paint::Bold => Style::new().bold(),
            Paint::Dim => Style::new().dimmed(),
            Paint::Bad => coloured(AnsiColor::Red).bold(),
            Paint::Good => coloured(AnsiColor::Green),
            Paint::Notice => coloured(AnsiColor::Yellow),
            Paint::Actor(number) => {
                let colours = [
                    AnsiColor::Cyan,
                    AnsiColor::Magenta,
                    AnsiColor::Yellow,
                    AnsiColor::Blue,
                ];
                coloured(colours[number % colours.len()])
            }
        }
    }
}

/// The text with its looks.
pub fn paint(paint: Paint, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let style = paint.style();
    format!("{style}{text}{style:#}")
}

/// The text without its looks.
pub fn plain(text: &str) -> String {
    let mut plain = Plain(String::with_capacity(text.len()));
    let mut parser = Parser::<DefaultCharAccumulator>::new();
    for byte in text.bytes() {
        parser.advance(&mut plain, byte);
    }
    plain.0
}

struct Plain(String);

impl Perform for Plain {
    fn print(&mut self, c: char) {
        self.0.push(c);
    }

    fn execute(&mut self, byte: u8) {
        if byte.is_ascii_whitespace() {
            self.0.push(char::from(byte));
        }
    }
}
