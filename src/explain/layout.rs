//! Widths of texts: measuring, wrapping and cutting.

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

/// The text, cut to the column, with an ellipsis where it was cut. For text without styles.
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

/// The part of a text around a place, given in characters: it shows the text at the place, and as much as
/// possible of the text before it. For text without styles.
pub fn excerpt(text: &str, place: usize, columns: usize) -> String {
    /// How much of the text at the place is shown at least, if it is a long call.
    const SEEN: usize = 24;
    let call = { text.chars().skip(place) }.position(|c| c == ')');
    let seen = call.map_or(SEEN, |end| end + 2).min(SEEN).min(columns / 2);
    let before = text.chars().take(place).collect::<String>();
    let end = { text.chars().skip(place) }
        .take(seen)
        .filter_map(UnicodeWidthChar::width);
    if width(text) <= columns || width(&before) + end.sum::<usize>() < columns {
        return cut(text, columns);
    }
    // One column is for the ellipsis in front.
    let room = columns.saturating_sub(seen + 1);
    let mut from = place;
    let mut taken = 0;
    for c in before.chars().rev() {
        taken += c.width().unwrap_or(0);
        if taken > room {
            break;
        }
        from -= 1;
    }
    let rest: String = text.chars().skip(from).collect();
    format!("…{}", cut(&rest, columns.saturating_sub(1)))
}

/// The part of a text from a place on, and as much text before it as fits.
pub fn excerpt_from(text: &str, place: usize, columns: usize) -> String {
    let rest: String = text.chars().skip(place).collect();
    match width(&rest) + 1 < columns {
        // The whole end fits: add as much as possible of the text before it.
        true => {
            let spare = columns - 1 - width(&rest);
            let from = place.saturating_sub(spare);
            let end: String = text.chars().skip(from).collect();
            format!("…{}", cut(&end, columns - 1))
        }
        false => format!("…{}", cut(&rest, columns.saturating_sub(1))),
    }
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

    #[test]
    fn an_excerpt_from_a_place_shows_what_comes_behind_it() {
        let (one, other) = (
            "assert_eq!(a.load(Relaxed), 1);",
            "assert_eq!(a.load(Relaxed), 2);",
        );
        let cut = |text| excerpt(text, 13, 24);
        assert_eq!(cut(one), cut(other));
        assert_eq!(excerpt_from(one, 13, 24), "…q!(a.load(Relaxed), 1);");
        assert_ne!(excerpt_from(one, 13, 24), excerpt_from(other, 13, 24));
    }

    #[test]
    fn an_excerpt_shows_what_stands_at_the_place() {
        let text = "let first = lock.lock().unwrap().len(); let second = other.load(Relaxed);";
        assert_eq!(excerpt(text, 17, 30), "let first = lock.lock().unwra…");
        let cut = excerpt(text, 59, 30);
        assert_eq!(cut, "…second = other.load(Relaxed);");
        assert_eq!(excerpt("x.load(SeqCst)", 2, 30), "x.load(SeqCst)");
    }
}
