//! Makes text from the program under check safe to show on a terminal.
//!
//! A label, a panic's message, a thread's or a file's name may hold characters that a terminal obeys
//! instead of showing them: they move its cursor, change its title, hide or reverse the following text.
//! They are shown as Rust escapes them, as in `\u{1b}`. Line ends and tabs stay as they are.

use super::report::{Access, Clash, Leaked, Line, OutcomeCount, Report, Stronger};
use heisenbug_trace::{Blocked, Event};
use std::borrow::Cow;

/// The text, with the characters that a terminal would obey escaped.
pub fn visible(text: &str) -> Cow<'_, str> {
    match text.chars().any(is_obeyed) {
        true => Cow::Owned(written_out(text)),
        false => Cow::Borrowed(text),
    }
}

/// A text for printing, with everything escaped that a terminal would obey except styles such as `ESC[1m`.
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

/// The end of a style in the text after its escape character.
fn style(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix('[')?;
    let end = numbers.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':')))?;
    numbers[end..].starts_with('m').then_some(end + 2)
}

/// JSON with the same characters escaped in JSON's way, so that a reader gets them back.
pub fn json(text: &str) -> String {
    // The characters that JSON does not escape by itself. They occur in strings only.
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
pub(super) fn report(report: &Report) -> Report {
    let mut report = report.clone();
    for text in texts(&mut report) {
        if let Cow::Owned(shown) = visible(text) {
            *text = shown;
        }
    }
    report
}

/// All texts of a report. The patterns name every field, so that a new one is not forgotten.
fn texts(report: &mut Report) -> Vec<&mut String> {
    let Report {
        bug,
        variant,
        verdict: _,
        class: _,
        outcome,
        message,
        found_by: _,
        complete: _,
        executions: _,
        wasted: _,
        estimate: _,
        passes: _,
        preemptions: _,
        stopped,
        notes,
        outcomes,
        actors,
        counterexample,
        blocked,
        clash,
        forbidden_by,
        leaked,
        token,
        network: _,
        shard: _,
        millis: _,
    } = report;
    let mut texts: Vec<&mut String> = Vec::new();
    texts.extend(
        [bug, variant, outcome, message, stopped, token]
            .into_iter()
            .flatten(),
    );
    texts.extend(notes.iter_mut().chain(actors));
    for OutcomeCount {
        label,
        grade: _,
        class: _,
        count: _,
        place,
    } in outcomes
    {
        texts.push(label);
        texts.extend(place.as_mut().map(|Line { file, line: _ }| file));
    }
    counterexample
        .iter_mut()
        .for_each(|event| texts_of(event, &mut texts));
    for Blocked {
        actor,
        call,
        object,
        held_by,
        file,
        line: _,
        column: _,
    } in blocked
    {
        texts.extend([actor, call, file]);
        texts.extend(object.iter_mut().chain(held_by));
    }
    if let Some(Clash { first, second }) = clash {
        for Access {
            actor,
            file,
            line: _,
            column: _,
        } in [first, second]
        {
            texts.extend([actor, file]);
        }
    }
    for Stronger {
        file,
        line: _,
        column: _,
        on_failure: _,
        is,
        needed,
    } in forbidden_by
    {
        texts.extend([file, is, needed]);
    }
    for Leaked { name, holds } in leaked {
        texts.push(name);
        texts.extend(holds);
    }
    texts
}

fn texts_of<'a>(event: &'a mut Event, texts: &mut Vec<&'a mut String>) {
    let Event {
        actor,
        op: _,
        call,
        object,
        read,
        value,
        newest,
        ordering,
        file,
        line: _,
        column: _,
        note,
        wakes,
        held_by,
        inside: _,
        contents,
        changed: _,
    } = event;
    texts.extend([actor, call, file]);
    let some = [object, read, value, newest, ordering, note];
    texts.extend(some.into_iter().flatten());
    texts.extend([wakes, contents].into_iter().flatten().flatten());
    texts.extend(held_by);
}

fn written_out(text: &str) -> String {
    // A line end on some systems.
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

/// Whether a terminal obeys a character instead of showing it.
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
