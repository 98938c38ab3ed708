//! The counterexample as sentences, for a hint: what each actor did, in the order of the timeline.

use super::cells::{are_one, cell};
use super::report::Report;
use super::sentence::capitalised;
use heisenbug_trace::{Event, Op};

/// A longer story is harder to read than the timeline.
const MOST: usize = 12;

/// What happened, in sentences. `None` if nothing happened, or too much.
pub fn story(report: &Report) -> Option<String> {
    let mut told: Vec<(&str, Vec<String>)> = Vec::new();
    let mut add = |actor, what: String| match told.last_mut() {
        Some((last, parts)) if *last == actor => parts.push(what),
        _ => told.push((actor, vec![what])),
    };
    let shown = |event: &&Event| !matches!(event.op, Op::ArcNew | Op::Spawn | Op::Join | Op::Yield);
    let mut events = report.counterexample.iter().filter(shown).peekable();
    let mut steps = 0;
    while let Some(event) = events.next() {
        steps += 1;
        let what = match events.next_if(|next| are_one(event, next)) {
            Some(frees) => used(event, frees),
            None => step(event),
        };
        add(&event.actor, what);
    }
    for blocked in &report.blocked {
        let object = blocked.object.as_deref().unwrap_or(&blocked.call);
        add(&blocked.actor, format!("waits for {object}"));
    }
    if told.is_empty() || steps > MOST {
        return None;
    }
    let sentences = told.into_iter().map(|(actor, parts)| {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        format!("{} {}.", capitalised(actor), super::cells::and(&parts))
    });
    Some(sentences.collect::<Vec<_>>().join(" "))
}

/// One step, as what its actor does.
fn step(event: &Event) -> String {
    let object = event.object.as_deref().unwrap_or("it");
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "something".to_owned());
    let (read, wrote) = (value(&event.read), value(&event.value));
    match event.op {
        Op::Load => format!("reads {read} from {object}"),
        Op::Store => format!("sets {object} to {wrote}"),
        Op::Rmw | Op::CasOk => format!("changes {object} from {read} to {wrote}"),
        Op::CasFail => format!("finds {read} in {object} and leaves it"),
        Op::Unlock | Op::ReadUnlock | Op::WriteUnlock => format!("frees {object}"),
        Op::TryFail => format!("finds {object} taken"),
        Op::CellRead => format!("reads {object}"),
        Op::CellWrite => format!("writes {object}"),
        Op::RecvEmpty | Op::OnceNotYet => format!("finds nothing in {object}"),
        Op::SendFull => format!("finds {object} full"),
        Op::Statement | Op::StatementFails => format!("runs {}", cell(event, &[])),
        Op::NotifyOne | Op::NotifyAll => match event.wakes.as_deref() {
            Some([]) => format!("notifies {object}, where nobody waits"),
            _ => cell(event, &[]),
        },
        Op::Lock | Op::ReadLock | Op::WriteLock => match &event.read {
            Some(read) => format!("locks {object} and finds {read}"),
            None => format!("locks {object}"),
        },
        _ => cell(event, &[]),
    }
}

/// What an actor did under a lock that was held for one line only.
fn used(locks: &Event, frees: &Event) -> String {
    let object = locks.object.as_deref().unwrap_or("it");
    match (&locks.read, &frees.value) {
        (Some(read), Some(value)) if read != value => {
            format!("changes {object} from {read} to {value}")
        }
        (Some(read), _) => format!("reads {read} from {object}"),
        _ => format!("uses {object}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(actor: &str, op: Op, read: Option<&str>, value: Option<&str>) -> Event {
        let event = serde_json::json!({
            "actor": actor, "op": op, "call": "call", "object": "visitors", "read": read,
            "value": value, "newest": null, "ordering": null, "file": "a.rs", "line": 1, "column": 1,
            "note": null,
        });
        serde_json::from_value(event).expect("an event")
    }

    #[test]
    fn the_steps_of_one_actor_are_one_sentence() {
        let mut report = Report::empty();
        report.counterexample = vec![
            event("main", Op::Load, Some("0"), None),
            event("side door", Op::Load, Some("0"), None),
            event("side door", Op::Store, None, Some("1")),
            event("main", Op::Store, None, Some("1")),
        ];
        let told = "Main reads 0 from visitors. Side door reads 0 from visitors and sets visitors \
                    to 1. Main sets visitors to 1.";
        assert_eq!(story(&report).as_deref(), Some(told));
    }

    #[test]
    fn a_long_story_is_not_told() {
        let mut report = Report::empty();
        report.counterexample = vec![event("main", Op::Load, Some("0"), None); MOST + 1];
        assert_eq!(story(&report), None);
        assert_eq!(story(&Report::empty()), None);
    }
}
