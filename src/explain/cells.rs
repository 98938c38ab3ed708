//! One operation in a few words: what stands in its actor's column.

use heisenbug_trace::{Event, Op};

/// What the operation did, for a narrow column. `waiting` names the threads that wait on its
/// condition variable or futex.
pub fn cell(event: &Event, waiting: &[&str]) -> String {
    let object = event.object.as_deref().unwrap_or("?");
    let read = event
        .read
        .as_deref()
        .map(|value| format!(" ➜ {value}"))
        .unwrap_or_default();
    let value = event
        .value
        .as_deref()
        .map(|value| format!(" = {value}"))
        .unwrap_or_default();
    match event.op {
        Op::Load => format!("{object}{read}{}", stale(event)),
        Op::Store => format!("{object}{value}"),
        Op::Rmw | Op::CasOk => match (read.is_empty(), value.is_empty()) {
            (false, false) => format!("{object}{read},{value}"),
            _ => format!("{object}{read}{value}"),
        },
        Op::CasFail => format!("{object}{read}, kept{}", stale(event)),
        Op::Fence => format!("fence {}", event.ordering.as_deref().unwrap_or_default()),
        Op::Lock => format!("locks {object}{read}"),
        Op::TryFail => format!("finds {object} taken"),
        Op::Unlock => format!("frees {object}{value}"),
        Op::ReadLock => format!("read-locks {object}{read}"),
        Op::ReadUnlock => format!("read-frees {object}"),
        Op::WriteLock => format!("write-locks {object}{read}"),
        Op::WriteUnlock => format!("write-frees {object}{value}"),
        Op::Wait => format!("waits on {object}"),
        Op::Woken => format!("awake, locks {object}{read}"),
        Op::WokenForNoReason => format!("wakes for no reason, locks {object}{read}"),
        Op::WokenTimedOut => format!("times out, locks {object}{read}"),
        Op::Sleep => format!("sleeps on {object}"),
        Op::Awake => "awake".to_owned(),
        Op::AwakeForNoReason | Op::ParkForNoReason => "wakes for no reason".to_owned(),
        Op::ParkTimedOut => "times out".to_owned(),
        Op::NotifyOne | Op::NotifyAll => match waiting {
            [] => format!("wakes nobody on {object}"),
            [one] => format!("wakes {one} on {object}"),
            all if event.op == Op::NotifyAll => format!("wakes {} on {object}", and(all)),
            all => format!("wakes one of {} on {object}", all.len()),
        },
        Op::Spawn => format!("starts {object}"),
        Op::Join => format!("joins {object}"),
        Op::Park => "unparked".to_owned(),
        Op::Unpark => format!("unparks {object}"),
        Op::Yield => "yields".to_owned(),
        Op::CellRead => format!("reads {object}{read}"),
        Op::CellWrite => format!("writes {object}{value}"),
        Op::Send => format!("sends to {object}{value}"),
        Op::Recv => format!("receives from {object}{read}"),
        Op::RecvEmpty => format!("finds {object} empty"),
        Op::RecvClosed => format!("finds {object} closed"),
        Op::Barrier => format!("passes {object}"),
        Op::OnceRun => format!("begins {object}"),
        Op::OnceDone => format!("looks at {object}"),
        Op::ArcNew => format!("makes {object}"),
        Op::Panic => "panics".to_owned(),
    }
}

/// What a read missed, if it got an older value than the newest.
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
