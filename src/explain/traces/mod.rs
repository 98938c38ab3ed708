//! Counterexamples for viewers of traces: one file shows one execution, of threads, of transactions or of
//! machines.
//!
//! A file contains no timings, so the same program always gives the same file.

mod chrome;
mod clients;
mod itf;
mod machines;
mod shared;
mod steps;
#[cfg(test)]
mod tests;
mod ties;

use super::{Report, constants, json};
use serde_json::Value;
use std::path::Path;

/// A format that viewers of traces read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The [Informal Trace Format](https://apalache-mc.org/docs/adr/015adr-trace.html) of Apalache and Quint:
    /// what is known of each variable, after each step.
    Itf,
    /// The [trace events](https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU)
    /// of Chrome, which Perfetto reads, too: a track for each actor, and arrows between them.
    Chrome,
}

impl Format {
    /// The format that a file's name asks for: `*.itf.json`, as is usual for that format, or any other `*.json`.
    pub fn of(file: &Path) -> Option<Format> {
        let name = file.file_name()?.to_string_lossy().to_ascii_lowercase();
        match name.strip_suffix(".json")? {
            "" => None,
            itf if itf.ends_with(".itf") => Some(Format::Itf),
            _ => Some(Format::Chrome),
        }
    }

    /// Where such a file is opened.
    pub fn opened(self) -> &'static str {
        match self {
            Format::Itf => "in VS Code, with the extension ITF Trace Viewer",
            Format::Chrome => "at https://ui.perfetto.dev, or in chrome://tracing",
        }
    }
}

/// The counterexample in that format. `None` if there is none.
pub fn render(format: Format, report: &Report) -> Option<String> {
    let report = &constants::named(report);
    let steps = steps::steps(report);
    let written = match format {
        _ if steps.is_empty() => return None,
        Format::Itf => itf::render(report, &steps),
        Format::Chrome => chrome::render(report, &steps),
    };
    Some(json(&written))
}

/// A JSON object whose last field is a list, with a line for each item.
fn with_lines(fields: &[(&str, Value)], last: &str, items: &[Value]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value},\n"));
    let items: Vec<String> = items.iter().map(Value::to_string).collect();
    format!(
        "{{\n{}\"{last}\": [\n{}\n]\n}}\n",
        fields.collect::<String>(),
        items.join(",\n")
    )
}
