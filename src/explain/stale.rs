//! Stale reads: which reads got an old value, why that is allowed, and which orderings would forbid it.

use super::cells::and;
use super::report::{Engine, Report, Stronger};
use super::sentence::{at, capitalised};
use heisenbug_trace::{Event, Op};

/// Describes each read that got an older value than the newest, and what would forbid that.
pub fn reads(report: &Report) -> String {
    let events = &report.counterexample;
    let stale: Vec<&Event> = events.iter().filter(|event| is_stale(event)).collect();
    let Some(last) = stale.last() else {
        return without_order(report);
    };
    let mut lines: Vec<String> = stale.iter().map(|event| read(event)).collect();
    lines.push(why(report, last));
    lines.join("\n")
}

/// Whether it is a read that got an older value than the newest.
pub fn is_stale(event: &Event) -> bool {
    event.newest.is_some() && event.read.is_some()
}

/// Describes an execution without a single stale read that still has no order of steps which explains it:
/// a store took effect before an earlier one.
fn without_order(report: &Report) -> String {
    match remedy(report) {
        Some(remedy) if report.found_by == Some(Engine::Weak) => format!(
            "No order of these steps gives these values: the threads see the stores in different \
             orders. {remedy} would forbid that."
        ),
        _ => String::new(),
    }
}

fn read(event: &Event) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{} reads {} from {}{}, although the newest value is {}.",
        capitalised(&event.actor),
        text(&event.read),
        event.object.as_deref().unwrap_or("an atomic"),
        at(event.line),
        text(&event.newest)
    )
}

/// Why the read may be stale.
fn why(report: &Report, read: &Event) -> String {
    let ordering = read.ordering.as_deref().unwrap_or("its ordering");
    let Some(remedy) = remedy(report) else {
        return format!("{ordering} allows it.");
    };
    match store_before(report, read) {
        Some(line) if needs_seq_cst(report) && line != 0 => format!(
            "{ordering} does not keep this load behind the store in line {line}. {remedy} would."
        ),
        _ => format!("{ordering} allows it; {remedy} would not."),
    }
}

/// The line of the thread's last store to another location before the read.
fn store_before(report: &Report, read: &Event) -> Option<u32> {
    let events = report.counterexample.iter();
    let before = events.take_while(|event| !std::ptr::eq(*event, read));
    let stores = before.filter(|event| {
        let stores = matches!(event.op, Op::Store | Op::Rmw | Op::CasOk);
        stores && event.actor == read.actor && event.object != read.object
    });
    stores.last().map(|event| event.line)
}

fn needs_seq_cst(report: &Report) -> bool {
    let mut needed = report.forbidden_by.iter();
    needed.any(|stronger| stronger.needed == "SeqCst")
}

/// Whether some read is stale, so that [`reads`] describes the remedy.
pub fn is_told(report: &Report) -> bool {
    report.counterexample.iter().any(is_stale)
}

/// The orderings that would forbid it, with their lines: "Release in line 85 and Acquire in line 94".
pub fn remedy(report: &Report) -> Option<String> {
    let mut by_ordering: Vec<(&str, Vec<u32>)> = Vec::new();
    for Stronger { needed, line, .. } in &report.forbidden_by {
        match by_ordering
            .iter_mut()
            .find(|(ordering, _)| ordering == needed)
        {
            Some((_, lines)) if lines.contains(line) => {}
            Some((_, lines)) => lines.push(*line),
            None => by_ordering.push((needed, vec![*line])),
        }
    }
    let parts = by_ordering.into_iter().map(|(ordering, mut lines)| {
        lines.sort_unstable();
        let numbers: Vec<String> = lines.iter().map(u32::to_string).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let word = if numbers.len() == 1 { "line" } else { "lines" };
        format!("{ordering} in {word} {}", and(&numbers))
    });
    let parts: Vec<String> = parts.collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    (!parts.is_empty()).then(|| and(&parts))
}
