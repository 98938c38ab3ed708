//! Widths: how many columns a text takes, wrapping and cutting it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns the text takes, styles not counted.
pub fn width(text: &str) -> usize {
    super::plain(text).width()
}

/// The text, followed by as many spaces as the column needs.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text, after as many spaces as the column needs.
pub fn pad_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text, cut to the column, with a mark where it was cut. For text without styles.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut taken = 0;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken >= columns {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// The text in lines no longer than `columns`. For text without styles.
pub fn lines(text: &str, columns: usize) -> Vec<String> {
    textwrap::wrap(text, columns.max(1))
        .into_iter()
        .map(|line| line.into_owned())
        .collect()
}

/// The text in lines of that width, each behind an indent.
pub fn wrap(text: &str, columns: usize, indent: &str) -> String {
    let options = textwrap::Options::new(columns)
        .initial_indent(indent)
        .subsequent_indent(indent);
    let paragraphs = text
        .lines()
        .map(|paragraph| textwrap::fill(paragraph, &options));
    paragraphs.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_fits_and_says_that_it_was_cut() {
        assert_eq!(cut("self.visitors.load(Relaxed)", 10), "self.visi…");
        assert_eq!(cut("short", 10), "short");
        assert_eq!(width(&cut("日本語日本語", 7)), 7);
    }
}
