//! Colours and weights, by meaning.

use super::report::Verdict;
use anstyle::{AnsiColor, Style};
use anstyle_parse::{DefaultCharAccumulator, Params, Parser, Perform};
use heisenbug_catalogue::Grade;

/// The meaning of a piece of text, which decides its style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Headings and names.
    Bold,
    /// Line numbers, rules, and other details.
    Dim,
    /// Failures.
    Bad,
    /// Successes.
    Good,
    /// Warnings, and other things to look at.
    Notice,
    /// The actor with that number.
    Actor(usize),
}

impl Paint {
    /// The paint of a verdict.
    pub fn of_verdict(verdict: Verdict) -> Paint {
        match verdict {
            Verdict::Holds | Verdict::Bounded => Paint::Good,
            Verdict::Fails => Paint::Bad,
            Verdict::Unknown => Paint::Notice,
        }
    }

    /// The paint of a grade.
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

/// The text with the style of a paint.
pub fn paint(paint: Paint, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let style = paint.style();
    format!("{style}{text}{style:#}")
}

/// The text without styles.
pub fn plain(text: &str) -> String {
    let mut plain = Plain(String::with_capacity(text.len()));
    read(text, &mut plain);
    plain.0
}

struct Plain(String);

impl Page for Plain {
    fn print(&mut self, c: char) {
        self.0.push(c);
    }

    fn end_line(&mut self) {
        self.0.push('\n');
    }

    fn style(&mut self, _: impl Iterator<Item = u16>) {}
}

/// Receives a text with ANSI styles, piece by piece.
pub trait Page {
    /// A character of the text, including white space other than line ends.
    fn print(&mut self, c: char);

    /// A line ends.
    fn end_line(&mut self);

    /// The style changes, as these numbers say. No number means 0.
    fn style(&mut self, codes: impl Iterator<Item = u16>);
}

/// Reads a text with ANSI styles.
pub fn read(text: &str, page: &mut impl Page) {
    let mut parser = Parser::<DefaultCharAccumulator>::new();
    let mut reader = Reader(page);
    for byte in text.bytes() {
        parser.advance(&mut reader, byte);
    }
}

struct Reader<'a, P>(&'a mut P);

impl<P: Page> Perform for Reader<'_, P> {
    fn print(&mut self, c: char) {
        self.0.print(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => self.0.end_line(),
            _ if byte.is_ascii_whitespace() => self.0.print(char::from(byte)),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, _: &[u8], _: bool, action: u8) {
        if action == b'm' {
            self.0.style(params.iter().flatten().copied());
        }
    }
}
