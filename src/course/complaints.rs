//! The compiler's messages about a file, with advice that rustc cannot give: what to use from this library.

use super::instead;
use anyhow::Result;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A message of rustc.
#[derive(Deserialize)]
pub struct Message {
    pub(super) message: String,
    code: Option<Code>,
    rendered: String,
    spans: Vec<Span>,
    pub(super) children: Vec<Note>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
pub(super) struct Note {
    message: String,
    spans: Vec<Span>,
}

impl Message {
    /// Reads a message from one line of rustc's output, if the line is one.
    pub fn read(line: &str) -> Option<Message> {
        serde_json::from_str(line).ok()
    }

    /// The lines that the message is about.
    pub fn lines(&self) -> Vec<usize> {
        let about = self.spans.iter().filter(|span| span.is_primary);
        about.map(|span| span.line_start).collect()
    }

    /// The crate that it reports as not linked, if any.
    pub(super) fn unlinked(&self) -> Option<&str> {
        let mut labels = self.spans.iter().filter_map(|span| span.label.as_deref());
        labels.find_map(|label| {
            let (_, name) = label.split_once("unlinked crate `")?;
            name.split('`').next()
        })
    }

    /// The replacements that it suggests.
    pub(super) fn suggestions(&self) -> impl Iterator<Item = &str> {
        let spans = self.children.iter().flat_map(|note| &note.spans);
        spans.filter_map(|span| span.suggested_replacement.as_deref())
    }

    /// The message as rustc renders it, with advice added where this library needs something else.
    fn told(&self, has: &BTreeSet<String>) -> String {
        match self.about_arc().or_else(|| instead::advice(self, has)) {
            Some(advice) => format!("{}\n  = help: {advice}\n\n", self.rendered.trim_end()),
            None => self.rendered.clone(),
        }
    }

    /// What to write where our `Arc` cannot do what std's can.
    fn about_arc(&self) -> Option<String> {
        const ARC: &str = "heisenbug::sync::Arc<";
        let code = self.code.as_ref()?.code.as_str();
        match code {
            "E0307" | "E0658" if self.message.contains(ARC) && self.message.contains("`self`") => {
                let by = if self.message.contains(&format!("&{ARC}")) {
                    "&"
                } else {
                    ""
                };
                Some(format!(
                    "`self` cannot be heisenbug's `Arc`: write `this: {by}Arc<Self>`, and call it as \
                     `Type::function({by}pointer)`"
                ))
            }
            "E0308" | "E0605" => {
                let (_, into) = { [&self.message].into_iter() }
                    .chain(self.children.iter().map(|note| &note.message))
                    .find_map(|text| {
                        let text = text.rsplit_once("` as `").map_or(&**text, |(_, into)| into);
                        // What is expected comes first.
                        text.split_once(ARC)
                    })?;
                let into = unsized_type(into)?;
                Some(match into.starts_with('[') {
                    true => format!(
                        "heisenbug's `Arc` does not turn into `Arc<{into}>` by itself: write \
                         `Arc::from(vec![…])`"
                    ),
                    false => format!(
                        "heisenbug's `Arc` does not turn into `Arc<{into}>` by itself: write \
                         `Arc::from(Box::new(…) as Box<{into}>)` where it is made"
                    ),
                })
            }
            _ => None,
        }
    }
}

/// The type at the beginning of the text after `Arc<`, if it is unsized.
fn unsized_type(text: &str) -> Option<String> {
    let (mut depth, mut before) = (1, ' ');
    let end = text.find(|c| {
        match c {
            '<' | '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        before = c;
        depth == 0
    })?;
    let whole = &text[..end];
    let bare = {
        whole
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
    }
    .unwrap_or(whole);
    let is_slice = bare.starts_with('[') && !bare.contains(';');
    let short = ["yours::", "std::marker::", "std::ops::", " + 'static"];
    let bare = { short.iter() }.fold(bare.to_owned(), |bare, part| bare.replace(part, ""));
    (bare.starts_with("dyn ") || is_slice).then_some(bare)
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    column_start: usize,
    is_primary: bool,
    label: Option<String>,
    suggested_replacement: Option<String>,
}

/// Returns which of some paths exist in this library.
pub type Has<'a> = dyn Fn(&BTreeSet<String>) -> Result<BTreeSet<String>> + 'a;

/// The errors, each once. The learner's file is compiled twice, for the engines and for std, so each
/// of its errors occurs twice.
///
/// # Errors
///
/// If rustc cannot be asked what this library has.
pub fn rendered(said: &str, has: &Has<'_>) -> Result<String> {
    let messages: Vec<(&str, Option<Message>)> = { said.lines() }
        .map(|line| (line, Message::read(line)))
        .collect();
    let own = messages.iter().filter_map(|(_, message)| message.as_ref());
    let wanted: BTreeSet<String> = own.flat_map(instead::wanted).collect();
    let there = if wanted.is_empty() {
        wanted
    } else {
        has(&wanted)?
    };
    let mut said = BTreeSet::new();
    let mut text = String::new();
    for (line, message) in messages {
        let Some(message) = message else {
            // Not from rustc itself, but for example from the linker.
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let at = { message.spans.iter() }.find(|span| span.is_primary);
        // A message without a place only counts the errors or tells how to learn more about them.
        let Some(at) = at else {
            if said.is_empty() {
                text.push_str(&message.rendered);
            }
            continue;
        };
        let what = message.message.replace("native::", "yours::");
        if said.insert((at.file_name.clone(), at.line_start, at.column_start, what)) {
            text.push_str(&message.told(&there));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(code: &str, message: &str, note: &str) -> Option<String> {
        let message = Message {
            message: message.to_owned(),
            code: Some(Code {
                code: code.to_owned(),
            }),
            rendered: String::new(),
            spans: Vec::new(),
            children: vec![Note {
                message: note.to_owned(),
                spans: Vec::new(),
            }],
        };
        message.about_arc()
    }

    #[test]
    fn an_error_about_our_pointers_says_what_to_write_instead() {
        let receiver = "`&heisenbug::sync::Arc<Pool>` cannot be used as the type of `self` without";
        let said = advice("E0658", receiver, "").unwrap();
        assert!(said.contains("write `this: &Arc<Self>`"), "{said}");
        for (code, message, note, written) in [
            (
                "E0308",
                "mismatched types",
                "expected struct `heisenbug::sync::Arc<(dyn yours::Shape + 'static)>`\n   found \
                 struct `heisenbug::sync::Arc<Q>`",
                "Box<dyn Shape>",
            ),
            (
                "E0308",
                "mismatched types",
                "expected struct `heisenbug::sync::Arc<dyn Fn() -> u8 + std::marker::Send>`",
                "Box<dyn Fn() -> u8 + Send>",
            ),
            (
                "E0605",
                "non-primitive cast: `heisenbug::sync::Arc<Q>` as `heisenbug::sync::Arc<dyn yours::S>`",
                "",
                "Box<dyn S>",
            ),
            (
                "E0308",
                "mismatched types",
                "expected struct `heisenbug::sync::Arc<[u8]>`",
                "Arc::from(vec![…])",
            ),
        ] {
            let said = advice(code, message, note).unwrap();
            assert!(said.contains(written), "{said}");
        }
    }

    #[test]
    fn other_errors_are_the_compilers() {
        let sized = "expected struct `heisenbug::sync::Arc<u8>`";
        assert_eq!(advice("E0308", "mismatched types", sized), None);
        assert_eq!(
            advice("E0308", "mismatched types", "expected `Box<dyn T>`"),
            None
        );
        assert_eq!(advice("E0599", "no method named `f`", ""), None);
    }
}
