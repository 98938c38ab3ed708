//! Lines that fit.

use super::styled;
use heisenbug_explain::style::{Paint, paint};
use heisenbug_explain::{cut, visible, visible_but_styles};
use heisenbug_explain::{plain, wrap};
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text with ANSI styles as lines of at most that width; longer lines are broken.
pub fn fit(text: &str, width: usize) -> Vec<Line<'static>> {
    // Tabs would not be drawn.
    let text = visible_but_styles(text).replace('\t', "    ");
    styled::lines(&text)
        .into_iter()
        .flat_map(|line| broken(line, width.max(1)))
        .collect()
}

/// One line, broken where it reaches the width.
fn broken(line: Line<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let (mut spans, mut used) = (Vec::new(), 0);
    for span in line.spans {
        let mut part = String::new();
        for c in span.content.chars().filter(|c| !c.is_control()) {
            let columns = c.width().unwrap_or(0);
            if used + columns > width && used > 0 {
                spans.push(Span::styled(std::mem::take(&mut part), span.style));
                lines.push(Line::from(std::mem::take(&mut spans)));
                used = 0;
            }
            part.push(c);
            used += columns;
        }
        spans.push(Span::styled(part, span.style));
    }
    lines.push(Line::from(spans));
    lines
}

/// A line of code, wrapped to at most that width; each piece keeps the line's indentation.
pub fn pieces(code: &str, width: usize) -> Vec<String> {
    let code = visible(code).replace('\t', "    ");
    let indent = " ".repeat(code.len() - code.trim_start().len());
    let wrapped = wrap(code.trim(), width, &indent);
    match wrapped.is_empty() {
        true => vec![String::new()],
        false => fit(&wrapped, width).iter().map(Line::to_string).collect(),
    }
}

/// Two texts, one at each end of the line.
pub fn ends(left: &str, right: &str, width: usize) -> String {
    let used = plain(left).width() + plain(right).width();
    let gap = width.saturating_sub(used).max(1);
    format!("{left}{}{right}", " ".repeat(gap))
}

/// A rule, with a word at its end.
pub fn rule(word: &str, width: usize) -> String {
    let word = match word {
        "" => String::new(),
        word => format!(" {} ─", cut(word, width.saturating_sub(3))),
    };
    let line = "─".repeat(width.saturating_sub(word.width()));
    paint(Paint::Dim, &format!("{line}{word}"))
}

/// A progress bar.
pub fn bar(done: usize, all: usize, width: usize) -> String {
    let full = (done * width).checked_div(all).unwrap_or(0).min(width);
    format!(
        "{}{}",
        paint(Paint::Good, &"━".repeat(full)),
        paint(Paint::Dim, &"╌".repeat(width - full))
    )
}

/// The end of a text, with an ellipsis in place of the rest.
pub fn cut_left(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = Vec::new();
    let mut used = 1;
    for c in text.chars().rev() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    std::iter::once('…').chain(kept.into_iter().rev()).collect()
}
