//! Converts a text with ANSI styles for ratatui: the styles that our own texts and rustc's messages use.

use heisenbug_explain::style::{self, Page as _, read};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

/// The lines of a text.
pub fn lines(text: &str) -> Vec<Line<'static>> {
    let mut page = Page::default();
    read(text, &mut page);
    page.end_line();
    // A line feed ends a line, but does not begin one.
    if text.ends_with('\n') || text.is_empty() {
        page.lines.pop();
    }
    page.lines
}

#[derive(Default)]
struct Page {
    lines: Vec<Line<'static>>,
    spans: Vec<Span<'static>>,
    text: String,
    style: Style,
}

impl Page {
    fn end_span(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.spans.push(Span::styled(text, self.style));
        }
    }
}

impl style::Page for Page {
    fn print(&mut self, c: char) {
        if !matches!(c, '\r' | '\u{c}') {
            self.text.push(c);
        }
    }

    fn end_line(&mut self) {
        self.end_span();
        self.lines.push(Line::from(std::mem::take(&mut self.spans)));
    }

    fn style(&mut self, mut codes: impl Iterator<Item = u16>) {
        self.end_span();
        // A missing number means zero.
        let mut next = Some(codes.next().unwrap_or(0));
        while let Some(code) = next {
            self.style = changed(self.style, code, &mut codes);
            next = codes.next();
        }
    }
}

/// The style after one code, which may take more numbers.
fn changed(style: Style, code: u16, more: &mut impl Iterator<Item = u16>) -> Style {
    match code {
        0 => Style::default(),
        1 => style.add_modifier(Modifier::BOLD),
        2 => style.add_modifier(Modifier::DIM),
        3 => style.add_modifier(Modifier::ITALIC),
        4 => style.add_modifier(Modifier::UNDERLINED),
        7 => style.add_modifier(Modifier::REVERSED),
        22 => style.remove_modifier(Modifier::BOLD | Modifier::DIM),
        30..=37 => style.fg(Color::Indexed((code - 30) as u8)),
        90..=97 => style.fg(Color::Indexed((code - 90 + 8) as u8)),
        38 => match (more.next(), more.next()) {
            (Some(5), Some(colour)) => style.fg(Color::Indexed(colour as u8)),
            (Some(2), Some(red)) => {
                let (green, blue) = (more.next().unwrap_or(0), more.next().unwrap_or(0));
                style.fg(Color::Rgb(red as u8, green as u8, blue as u8))
            }
            _ => style,
        },
        39 => style.fg(Color::Reset),
        _ => style,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_begin_and_end_where_they_are_said_to() {
        let red = Style::default().fg(Color::Indexed(1));
        let found = lines("a \u{1b}[31mb\u{1b}[1m c\n\u{1b}[0md\u{1b}[m\n");
        let expected = [
            Line::from(vec![
                Span::raw("a "),
                Span::styled("b", red),
                Span::styled(" c", red.add_modifier(Modifier::BOLD)),
            ]),
            Line::from("d"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn colours_of_rustc_are_known() {
        let found = lines("\u{1b}[38;5;9mé\u{1b}[38;2;1;2;3mx\u{1b}[94my");
        let colours: Vec<_> = found[0].spans.iter().map(|span| span.style.fg).collect();
        let expected = [Color::Indexed(9), Color::Rgb(1, 2, 3), Color::Indexed(12)];
        assert_eq!(colours, expected.map(Some));
        assert_eq!(found[0].to_string(), "éxy");
    }

    #[test]
    fn an_empty_line_is_a_line() {
        assert_eq!(lines("a\n\nb").len(), 3);
        assert_eq!(lines("").len(), 0);
    }
}
