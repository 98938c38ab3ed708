//! Splits a text with ANSI styles into runs with a place and a class.

use super::palette::class_of_code;
use crate::layout;
use crate::style::{self, Page as _, read};

/// Text of one class without wide gaps.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    /// The column in which it begins.
    pub column: usize,
    /// How many columns it takes.
    pub columns: usize,
    /// The class; empty for plain text.
    pub class: &'static str,
    pub text: String,
}

/// The runs of each line. The text after a gap begins a new run, so that columns are aligned in any
/// font.
pub fn lines(text: &str) -> Vec<Vec<Run>> {
    let mut page = Page::default();
    read(text, &mut page);
    page.end_line();
    page.lines
}

#[derive(Default)]
struct Page {
    lines: Vec<Vec<Run>>,
    runs: Vec<Run>,
    /// Collects the text that is read.
    column: usize,
    text: String,
    class: &'static str,
}

impl Page {
    fn end_run(&mut self) {
        let text = std::mem::take(&mut self.text);
        let columns = layout::width(&text);
        let mut rest = text.as_str();
        while !rest.trim_start().is_empty() {
            let begin = rest.len() - rest.trim_start().len();
            let end = begin + { rest[begin..].find("  ") }.unwrap_or(rest[begin..].len());
            let (run, behind) = (rest[begin..end].trim_end(), &rest[end..]);
            let before = &text[..text.len() - rest.len() + begin];
            self.runs.push(Run {
                column: self.column + layout::width(before),
                columns: layout::width(run),
                class: self.class,
                text: run.to_owned(),
            });
            rest = behind;
        }
        self.column += columns;
    }
}

impl style::Page for Page {
    fn print(&mut self, c: char) {
        match c {
            // As in the terminal's text, it counts as zero columns wide.
            '\t' => self.text.push(' '),
            '\r' | '\u{c}' => {}
            _ => self.text.push(c),
        }
    }

    fn end_line(&mut self) {
        self.end_run();
        self.column = 0;
        self.lines.push(std::mem::take(&mut self.runs));
    }

    fn style(&mut self, codes: impl Iterator<Item = u16>) {
        self.end_run();
        for code in codes {
            match class_of_code(code) {
                // Red text is bold anyway.
                Some("bold") if !self.class.is_empty() => {}
                Some(class) => self.class = class,
                None => self.class = "",
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_gap_has_a_place_of_its_own() {
        let run = |column, columns, class, text: &str| Run {
            column,
            columns,
            class,
            text: text.to_owned(),
        };
        let found = lines("  a b   日本\u{1b}[31m  c\u{1b}[0m d\n\ne");
        let first = vec![
            run(2, 3, "", "a b"),
            run(8, 4, "", "日本"),
            run(14, 1, "red", "c"),
            run(16, 1, "", "d"),
        ];
        assert_eq!(found, [first, Vec::new(), vec![run(0, 1, "", "e")]]);
    }
}
