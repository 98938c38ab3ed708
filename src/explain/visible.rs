//! Text that the program under check has made, as a terminal may show it.
//!
//! A label, a panic's message, a thread's or a file's name may hold characters that a terminal obeys
//! instead of showing them: that move its cursor, change its title, hide what follows or turn it round.
//! They are shown as Rust writes them, as in `\u{1b}`. Lines and tabs stay what they are.

use super::report::Report;
use serde_json::Value;
use std::borrow::Cow;

/// The text, with what a terminal would obey written out.
pub fn visible(text: &str) -> Cow<'_, str> {
    match text.chars().any(is_obeyed) {
        true => Cow::Owned(written_out(text)),
        false => Cow::Borrowed(text),
    }
}

/// A text that was made to be printed, in which nothing but its styles, such as `ESC[1m`, is obeyed.
pub fn visible_but_styles(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('\u{1b}');
    let mut shown = written_out(parts.next().unwrap_or_default());
    for part in parts {
        let (escape, rest) = match style(part) {
            Some(end) => ("\u{1b}", part.split_at(end)),
            None => ("\\u{1b}", ("", part)),
        };
        shown.push_str(escape);
        shown.push_str(rest.0);
        shown.push_str(&written_out(rest.1));
    }
    Cow::Owned(shown)
}

/// Where the style ends whose escape character stands before the text.
fn style(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix('[')?;
    let end = numbers.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':')))?;
    numbers[end..].starts_with('m').then_some(end + 2)
}

/// JSON, in which the same characters are written as JSON writes them: whoever reads it gets them back.
pub fn json(text: &str) -> String {
    // What JSON does not write out by itself. They stand in strings alone.
    let written = |c: char| match is_obeyed(c) {
        true => format!("\\u{:04x}", c as u32),
        false => c.to_string(),
    };
    match text.chars().any(is_obeyed) {
        true => text.chars().map(written).collect(),
        false => text.to_owned(),
    }
}

/// A report, all of whose texts are [`visible`].
pub(super) fn report(report: &Report) -> Cow<'_, Report> {
    let mut value = serde_json::to_value(report).unwrap_or_default();
    if !write_out(&mut value) {
        return Cow::Borrowed(report);
    }
    serde_json::from_value(value).map_or(Cow::Borrowed(report), Cow::Owned)
}

/// Whether there was something to write out.
fn write_out(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let Cow::Owned(shown) = visible(text) else {
                return false;
            };
            *text = shown;
            true
        }
        Value::Array(values) => values
            .iter_mut()
            .fold(false, |any, value| write_out(value) | any),
        Value::Object(fields) => {
            { fields.values_mut() }.fold(false, |any, value| write_out(value) | any)
        }
        _ => false,
    }
}

fn written_out(text: &str) -> String {
    // The end of a line, as some systems have it.
    let text = text.replace("\r\n", "\n");
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_obeyed(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// Whether a terminal does something else with a character than to show it.
fn is_obeyed(c: char) -> bool {
    let turns_text_round = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns_text_round || (c.is_control() && !matches!(c, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        for (text, shown) in [
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("over\rwritten\u{8}", "over\\rwritten\\u{8}"),
            ("\u{7f}\u{9b}2J", "\\u{7f}\\u{9b}2J"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
            ("lines\r\nand\n\ttabs stay", "lines\nand\n\ttabs stay"),
            ("é ➜ 日本", "é ➜ 日本"),
        ] {
            assert_eq!(visible(text), shown);
            assert!(!visible_but_styles(text).contains('\u{1b}'), "{text:?}");
        }
    }

    #[test]
    fn styles_are_obeyed_and_nothing_else() {
        let styled = "\u{1b}[1mbold\u{1b}[0m \u{1b}[38;5;1mred\u{1b}[m";
        assert_eq!(visible_but_styles(styled), styled);
        for (text, shown) in [
            ("\u{1b}[1mbold\u{1b}[2J", "\u{1b}[1mbold\\u{1b}[2J"),
            ("\u{1b}[", "\\u{1b}["),
            ("\u{1b}\u{1b}[1m", "\\u{1b}\u{1b}[1m"),
            ("\u{1b}[1\u{7}m", "\\u{1b}[1\\u{7}m"),
        ] {
            assert_eq!(visible_but_styles(text), shown);
        }
    }

    #[test]
    fn json_gives_every_character_back() {
        let text = "\u{1b}\u{7}\r\n\t\u{7f}\u{9b}\u{202e}\u{2069}é\"\\";
        let written = json(&serde_json::to_string_pretty(&[text]).unwrap());
        assert!(!written.contains(is_obeyed), "{written}");
        let read: Vec<String> = serde_json::from_str(&written).unwrap();
        assert_eq!(read, [text]);
    }

    #[test]
    fn a_report_in_words_is_obeyed_nowhere() {
        let bad = "\u{1b}[2J\u{202e}";
        let event = serde_json::json!({
            "actor": bad, "op": "panic", "call": "", "object": bad, "read": bad, "value": bad,
            "newest": null, "ordering": null, "file": bad, "line": 1, "column": 1, "note": bad,
        });
        let mut report = Report::empty();
        report.bug = Some(bad.to_owned());
        report.variant = Some(bad.to_owned());
        report.verdict = super::super::Verdict::Fails;
        report.message = Some(bad.to_owned());
        report.outcome = Some(bad.to_owned());
        report.notes = vec![bad.to_owned()];
        report.stopped = Some(bad.to_owned());
        report.actors = vec![bad.to_owned()];
        report.counterexample = vec![serde_json::from_value(event).unwrap()];
        let words = report.to_string();
        assert!(words.contains("\\u{1b}[2J\\u{202e}"), "{words}");
        assert!(!words.contains(is_obeyed), "{words}");
    }
}
