//! One operation in a few words: the text of a cell in its actor's column.

use super::difference::{short, since};
use heisenbug_trace::{Event, Op, source};

/// What the operation did, for a narrow column, and its result: `object ➜ answer`. `waiting` names
/// the threads that wait on its condition variable or futex, for a trace that does not say which of
/// them a notification wakes.
pub fn cell(event: &Event, waiting: &[&str]) -> String {
    let object = event.object.as_deref().unwrap_or("?");
    let read = told(&event.read)
        .map(|value| format!(" ➜ {}", short(value)))
        .unwrap_or_default();
    let value = told(&event.value)
        .map(|value| format!(" = {}", left_behind(event, value)))
        .unwrap_or_default();
    let plain = told(&event.value).unwrap_or_default();
    match event.op {
        Op::Load => format!("{object}{read}{}", stale(event)),
        Op::Store => format!("{object}{value}"),
        Op::Rmw | Op::CasOk => match (read.is_empty(), value.is_empty()) {
            (false, false) => format!("{object}{read},{value}"),
            _ => format!("{object}{read}{value}"),
        },
        Op::CasFail => format!("{object}{read}, kept{}", stale(event)),
        Op::CasFailForNoReason => format!("{object}{read}, failed for no reason{}", stale(event)),
        Op::Fence => format!("fence {}", event.ordering.as_deref().unwrap_or_default()),
        Op::Lock => format!("locks {object}{read}"),
        Op::TryFail => format!("{object} ➜ taken"),
        Op::TryTimedOut | Op::RecvTimedOut => format!("{object} ➜ timed out"),
        Op::Unlock => format!("frees {object}{value}{}", changed(event)),
        Op::ReadLock => format!("read-locks {object}{read}"),
        Op::ReadUnlock => format!("read-frees {object}"),
        Op::WriteLock => format!("write-locks {object}{read}"),
        Op::WriteUnlock => format!("write-frees {object}{value}{}", changed(event)),
        Op::Wait => format!("waits on {object}"),
        Op::Woken => format!("awake, locks {object}{read}"),
        Op::WokenForNoReason => format!("woke for no reason, locks {object}{read}"),
        Op::WokenTimedOut => format!("timed out, locks {object}{read}"),
        Op::Sleep => format!("sleeps on {object}"),
        Op::Awake => "awake".to_owned(),
        Op::AwakeForNoReason | Op::ParkForNoReason => "woke for no reason".to_owned(),
        Op::ParkTimedOut => "timed out".to_owned(),
        Op::NotifyOne | Op::NotifyAll => notification(event, object, waiting),
        Op::Spawn => format!("starts {object}"),
        Op::Join => format!("joins {object}"),
        Op::Park => "unparked".to_owned(),
        Op::Unpark => format!("unparks {object}"),
        Op::Yield => "yields".to_owned(),
        Op::CellRead => format!("reads {object}{read}"),
        Op::CellWrite => format!("writes {object}{value}"),
        Op::Send => format!("sends to {object}{value}{}", inside(event)),
        Op::SendFull => format!("{object} ➜ full"),
        Op::SendClosed | Op::RecvClosed => format!("{object} ➜ closed"),
        Op::Recv => format!("receives from {object}{read}{}", inside(event)),
        Op::RecvEmpty => format!("{object} ➜ nothing there"),
        Op::Barrier => format!("passes {object}"),
        Op::OnceRun => format!("begins {object}"),
        Op::OnceDone => format!("finds {object} done"),
        Op::OnceNotYet if event.call == "get" => format!("{object} ➜ nothing there"),
        Op::OnceNotYet => format!("finds {object} not done"),
        Op::Statement => format!("{}{read}{}", sql(event), dropped(event)),
        Op::StatementFails => format!("{}{read}, fails", sql(event)),
        Op::StatementWaits => format!("{}: waits for {}", sql(event), holders(event)),
        Op::Post => format!("{} to {object}", message(event)),
        Op::Deliver => format!("{} from {object}", message(event)),
        Op::DeliverAgain => format!("{} from {object}, again", message(event)),
        Op::Lose => format!("{} from {object} is lost", message(event)),
        Op::TimerFires => "timer fires".to_owned(),
        Op::TimerFiresEarly => "timer fires early".to_owned(),
        Op::Choose => format!("chooses {plain}"),
        Op::Tell => format!("says {plain}"),
        Op::StreamWrite => format!("writes {plain} to {object}"),
        Op::StreamRead => match &event.note {
            Some(left) => format!("reads {plain} from {object}, leaves {left}"),
            None => format!("reads {plain} from {object}"),
        },
        Op::StreamEnds => format!("{object} ➜ ended"),
        Op::DiskWrite => format!("writes {object}{value}"),
        Op::DiskAppend => format!("appends to {object}{value}"),
        Op::DiskSync => format!("syncs {object}"),
        Op::DiskSyncFails => format!("sync of {object} fails"),
        Op::DiskRename => format!("renames {object} to {plain}"),
        Op::DiskRemove => format!("removes {object}"),
        Op::Clock => format!("clock ➜ {plain}"),
        Op::Crash => "CRASHES".to_owned(),
        Op::Restart => match &event.note {
            Some(files) => format!("restarts with {files}"),
            None => "restarts with nothing".to_owned(),
        },
        Op::Stop => "STOPS for good".to_owned(),
        Op::Return => format!("returns {plain}"),
        Op::ArcNew => format!("makes {object}"),
        Op::Panic => "panics".to_owned(),
    }
}

/// A lock and an unlock that [are one](are_one), as the single step that other threads see:
/// `object ➜ answer`, and the value left behind if it is a different one.
pub fn in_one(locks: &Event, frees: &Event) -> String {
    let object = locks.object.as_deref().unwrap_or("?");
    match (told(&locks.read), told(&frees.value)) {
        (Some(read), Some(value)) if read != value => {
            format!("{object} ➜ {}, = {}", short(read), since(read, value))
        }
        (Some(value), _) | (None, Some(value)) => format!("{object} ➜ {}", short(value)),
        (None, None) if frees.changed == Some(true) => format!("uses {object} (&mut)"),
        (None, None) if frees.changed.is_some() => format!("reads {object}"),
        (None, None) => format!("uses {object}"),
    }
}

/// Whether a lock is taken and released in the same line.
pub fn are_one(locks: &Event, frees: &Event) -> bool {
    let of_one_kind = matches!(
        (locks.op, frees.op),
        (Op::Lock, Op::Unlock) | (Op::ReadLock, Op::ReadUnlock) | (Op::WriteLock, Op::WriteUnlock)
    );
    of_one_kind
        && locks.line != 0
        && (&locks.actor, &locks.object) == (&frees.actor, &frees.object)
        && (&locks.file, locks.line) == (&frees.file, frees.line)
}

/// Which threads a notification wakes.
fn notification(event: &Event, object: &str, waiting: &[&str]) -> String {
    let known: Option<Vec<&str>> =
        { event.wakes.as_ref() }.map(|woken| woken.iter().map(String::as_str).collect());
    let is_known = known.is_some();
    match known.as_deref().unwrap_or(waiting) {
        [] => format!("nobody waits on {object}"),
        [_, ..] if !is_known && event.op == Op::NotifyOne && waiting.len() > 1 => {
            format!("wakes one of {} on {object}", waiting.len())
        }
        all => format!("wakes {} on {object}", and(all)),
    }
}

/// The number of a message, and what is in it.
fn message(event: &Event) -> String {
    let number = event.note.as_deref().unwrap_or("#?");
    match told(&event.value) {
        Some(value) => format!("{number} {}", short(value)),
        None => number.to_owned(),
    }
}

/// The statement, as it was sent.
pub fn sql(event: &Event) -> &str {
    event.note.as_deref().unwrap_or(&event.call)
}

/// Says that nobody wrote this rollback: a connection that is dropped undoes its transaction, and does so where
/// it was made, as a drop has no place of its own.
fn dropped(event: &Event) -> &'static str {
    let is_made_here = || {
        let text = source::text(&event.file)?;
        let line = text.lines().nth((event.line as usize).checked_sub(1)?)?;
        let call = line.chars().skip((event.column as usize).saturating_sub(1));
        Some(call.collect::<String>().starts_with("connect"))
    };
    match sql(event) == "rollback" && is_made_here() == Some(true) {
        true => " (dropped)",
        false => "",
    }
}

/// Whom a statement waits for.
fn holders(event: &Event) -> String {
    let names: Vec<&str> = event.held_by.iter().map(String::as_str).collect();
    match names.is_empty() {
        true => "the database".to_owned(),
        false => and(&names),
    }
}

/// If the list of a channel's contents is longer, their number is shown instead.
const MAX_CONTENTS: usize = 16;

/// A value, unless it is `()`.
fn told(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| *value != "()")
}

/// The guard lent the contents mutably, so they may have changed; if this is missing, they have not.
fn changed(event: &Event) -> &'static str {
    match event.changed {
        Some(true) => " (&mut)",
        Some(false) | None => "",
    }
}

/// A value that is left behind. Of a long one, only the part that differs from the value read.
fn left_behind(event: &Event, value: &str) -> String {
    match &event.read {
        Some(read) => since(read, value),
        None => short(value),
    }
}

/// What a send or a receive leaves in the channel.
fn inside(event: &Event) -> String {
    match (&event.contents, event.inside) {
        (Some(all), _) if all.len() == 1 && event.op == Op::Send => String::new(),
        (Some(all), _) if !all.is_empty() && all.join(", ").len() <= MAX_CONTENTS => {
            format!(" (in it: {})", all.join(", "))
        }
        (_, Some(0)) => " (now empty)".to_owned(),
        (_, Some(number)) => format!(" ({number} in it)"),
        (_, None) => String::new(),
    }
}

/// The newest value, if a read got an older one.
fn stale(event: &Event) -> String {
    match &event.newest {
        Some(newest) => format!(" (newest: {newest})"),
        None => String::new(),
    }
}

/// "a", "a and b", "a, b and c".
pub fn and(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation on `it`, called by main.
    fn event(op: Op, call: &str) -> Event {
        let event = serde_json::json!({
            "actor": "main", "op": op, "call": call, "object": "it", "read": null, "value": null,
            "newest": null, "ordering": null, "file": "a.rs", "line": 1, "column": 1, "note": null,
        });
        serde_json::from_value(event).expect("an event")
    }

    #[test]
    fn an_answer_reads_as_what_it_is() {
        for (op, call, said) in [
            (Op::TryFail, "try_lock", "it ➜ taken"),
            (Op::TryTimedOut, "try_lock_for", "it ➜ timed out"),
            (Op::RecvEmpty, "try_recv", "it ➜ nothing there"),
            (Op::RecvClosed, "recv", "it ➜ closed"),
            (Op::RecvTimedOut, "recv_timeout", "it ➜ timed out"),
            (Op::SendFull, "try_send", "it ➜ full"),
            (Op::SendClosed, "send", "it ➜ closed"),
            (Op::OnceNotYet, "get", "it ➜ nothing there"),
            (Op::WokenTimedOut, "wait_timeout", "timed out, locks it"),
            (Op::WokenForNoReason, "wait", "woke for no reason, locks it"),
            (Op::ParkForNoReason, "park", "woke for no reason"),
        ] {
            assert_eq!(cell(&event(op, call), &[]), said);
        }
        let weak = Event {
            read: Some("0".to_owned()),
            ..event(Op::CasFailForNoReason, "compare_exchange_weak")
        };
        assert_eq!(cell(&weak, &[]), "it ➜ 0, failed for no reason");
    }

    #[test]
    fn a_notification_says_whom_it_wakes() {
        let notification = |op, woken: Option<&[&str]>, waiting: &[&str]| {
            let wakes = woken.map(|all| all.iter().map(|&name| name.to_owned()).collect());
            let event = Event {
                wakes,
                ..event(op, "notify")
            };
            cell(&event, waiting)
        };
        let both = ["a", "b"];
        assert_eq!(
            notification(Op::NotifyOne, Some(&["b"]), &both),
            "wakes b on it"
        );
        assert_eq!(
            notification(Op::NotifyOne, Some(&[]), &both),
            "nobody waits on it"
        );
        assert_eq!(
            notification(Op::NotifyAll, Some(&both), &[]),
            "wakes a and b on it"
        );
        assert_eq!(
            notification(Op::NotifyOne, None, &both),
            "wakes one of 2 on it"
        );
    }

    #[test]
    fn a_channel_says_how_many_are_in_it() {
        let sent = Event {
            value: Some("3".to_owned()),
            inside: Some(2),
            ..event(Op::Send, "send")
        };
        assert_eq!(cell(&sent, &[]), "sends to it = 3 (2 in it)");
    }
}
