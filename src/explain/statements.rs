//! Statements of a database: which of them explain a failure, and which one a transaction took its lock or
//! its snapshot with.

use super::cells::{and, sql};
use super::difference::short;
use super::report::Report;
use super::sentence::capitalised;
use heisenbug_trace::{Event, Op};

/// How many statements of an actor are told.
const MOST: usize = 3;

/// The statement's first word, in lower case.
pub fn kind(event: &Event) -> String {
    let is_of_word = |c: &char| c.is_ascii_alphabetic();
    let first: String = sql(event)
        .trim_start()
        .chars()
        .take_while(is_of_word)
        .collect();
    match first.is_empty() {
        true => event.call.clone(),
        false => first.to_ascii_lowercase(),
    }
}

/// Whether a statement changes rows, or would if it found any.
fn is_change(event: &Event) -> bool {
    event.op == Op::Statement
        && match &*kind(event) {
            "insert" | "update" | "delete" | "replace" => true,
            "with" => event.call == "execute",
            _ => false,
        }
}

fn has_changed_rows(event: &Event) -> bool {
    is_change(event) && event.read.as_deref() != Some("no row")
}

/// Whether a statement found rows, or looked for them.
fn is_look(event: &Event) -> bool {
    event.op == Op::Statement
        && event.call == "query"
        && matches!(&*kind(event), "select" | "with" | "values")
}

/// The statements that explain best what some operations did: those that changed rows, and what another
/// actor then saw; otherwise the one that was refused; otherwise those that found nothing to change, or
/// something old; otherwise the one that began to wait.
pub fn telling<'a>(events: &[&'a Event]) -> Vec<&'a Event> {
    let changed = events.iter().any(|event| has_changed_rows(event));
    if !changed && let Some(refused) = { events.iter() }.find(|it| it.op == Op::StatementFails) {
        return vec![refused];
    }
    let changes_too = |event: &Event| {
        let mut own = events.iter().filter(|other| other.actor == event.actor);
        own.any(|other| has_changed_rows(other))
    };
    let is_told = |event: &&Event| is_change(event) || is_look(event) && !changes_too(event);
    let told: Vec<&Event> = events.iter().copied().filter(is_told).collect();
    match { events.iter() }.find(|event| event.op == Op::StatementWaits) {
        Some(waits) if told.is_empty() => vec![waits],
        _ => told,
    }
}

/// What some statements did: "bob ran `update …`".
pub fn told(statements: &[&Event]) -> String {
    if let [event] = statements {
        match event.op {
            Op::StatementFails => return refused(event),
            Op::StatementWaits => {
                return format!("{} began to wait in `{}`", event.actor, sql(event));
            }
            _ => {}
        }
    }
    let mut actors: Vec<&str> = Vec::new();
    for event in statements {
        if !actors.contains(&&*event.actor) {
            actors.push(&event.actor);
        }
    }
    let all = actors.into_iter().map(|actor| {
        let own = statements.iter().filter(|event| event.actor == actor);
        ran(actor, own.copied())
    });
    all.collect::<Vec<_>>().join(", and ")
}

fn refused(event: &Event) -> String {
    let code = event.read.as_deref().unwrap_or("an error");
    let Event { actor, line, .. } = event;
    format!(
        "{actor}'s {} in line {line} failed with {code}",
        kind(event)
    )
}

/// What the statements of one actor did, each of them once.
fn ran<'a>(actor: &str, statements: impl Iterator<Item = &'a Event>) -> String {
    let mut all: Vec<String> = Vec::new();
    for event in statements {
        let quoted = format!("`{}`{}", sql(event), result(event));
        if !all.contains(&quoted) {
            all.push(quoted);
        }
    }
    let others = match all.len() > MOST {
        true => ", among others",
        false => "",
    };
    all.truncate(MOST);
    format!("{actor} ran {}{others}", listed(&all))
}

/// What a statement found, unless it has changed rows: then the statement says it.
fn result(event: &Event) -> String {
    match event.read.as_deref() {
        Some(found) if is_look(event) => format!(", which found {}", short(found)),
        Some("no row") => ", which changed no row".to_owned(),
        _ => String::new(),
    }
}

/// "a and b"; "a, which found 1, and b".
fn listed(all: &[String]) -> String {
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    match &all[..] {
        [first @ .., last] if first.iter().any(|part| part.contains(", which ")) => {
            format!("{}, and {last}", first.join(", "))
        }
        all => and(all),
    }
}

/// The statement that took the lock which a stuck actor waits for, if a transaction of that holder has it.
pub fn locked_with<'a>(report: &'a Report, stuck: &str, holder: &str) -> Option<&'a Event> {
    lock_of(&report.counterexample, stuck, holder)
}

/// The same, after those operations.
pub fn lock_of<'a>(events: &'a [Event], stuck: &str, holder: &str) -> Option<&'a Event> {
    let waiting = |actor: &str| {
        let last = events.iter().rev().find(|event| event.actor == actor);
        last.filter(|event| event.op == Op::StatementWaits)
    };
    let wanted = waiting(stuck)?;
    let commits = waiting(holder).filter(|event| matches!(&*kind(event), "commit" | "end"));
    if kind(wanted) == "select" && commits.is_some() {
        // A commit that waits for those who read lets nobody begin to.
        return commits;
    }
    let own = transaction(events, holder)?.into_iter();
    let mut own = own.filter(|event| event.object == wanted.object);
    let begun = own.clone().find(|event| kind(event) != "begin");
    own.find(|event| may_write(event)).or(begun)
}

/// Whether a statement makes its transaction one that writes.
fn may_write(event: &Event) -> bool {
    let how = sql(event).split_whitespace().nth(1).unwrap_or_default();
    match &*kind(event) {
        "begin" => ["immediate", "exclusive"].contains(&&*how.to_ascii_lowercase()),
        "create" | "drop" | "alter" => true,
        _ => is_change(event),
    }
}

/// Says that a select found what was there when its transaction began to read, if another client has changed
/// something since.
pub fn old_snapshot(report: &Report) -> Option<String> {
    let events = &report.counterexample;
    let (look, first, since) = (0..events.len()).find_map(|at| {
        let look = Some(&events[at]).filter(|event| is_look(event))?;
        let (first, since) = changed_since_first_look(&events[..at], &look.actor)?;
        Some((look, first, since))
    })?;
    Some(format!(
        "{}'s {}{} found what was there at the first {} of its transaction{}; in between {}.",
        capitalised(&look.actor),
        kind(look),
        in_line(look.line),
        kind(first),
        in_line(first.line),
        told(&since)
    ))
}

fn in_line(line: u32) -> String {
    match line {
        0 => String::new(),
        line => format!(" in line {line}"),
    }
}

/// The first look of an actor's open transaction, and what others have changed and committed since.
fn changed_since_first_look<'a>(
    events: &'a [Event],
    actor: &str,
) -> Option<(&'a Event, Vec<&'a Event>)> {
    let own = transaction(events, actor)?;
    // Only a table has a snapshot.
    let of_table = |event: &&&Event| is_look(event) && sql(event).to_lowercase().contains("from");
    let first = *own.iter().find(of_table)?;
    let begin = events.iter().position(|event| std::ptr::eq(event, first))?;
    let since = (begin..events.len()).filter(|&nth| {
        let event = &events[nth];
        event.actor != actor && has_changed_rows(event) && is_committed(events, nth)
    });
    let since: Vec<&Event> = since.map(|nth| &events[nth]).collect();
    (!since.is_empty()).then_some((first, since))
}

/// Whether what a statement changed is for everybody to see after those operations.
fn is_committed(events: &[Event], nth: usize) -> bool {
    let actor = &*events[nth].actor;
    let Some(before) = transaction(&events[..nth], actor) else {
        return false;
    };
    let mut rest = events[nth..].iter().filter(|event| event.actor == actor);
    let end = rest.find_map(ends_transaction);
    before.is_empty() || end == Some(End::Committed)
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Committed,
    Undone,
}

/// Whether a statement ends a transaction, and how.
fn ends_transaction(event: &Event) -> Option<End> {
    let to_savepoint = || {
        let mut words = sql(event).split_whitespace();
        words.any(|word| word.eq_ignore_ascii_case("to"))
    };
    match &*kind(event) {
        _ if event.op != Op::Statement => None,
        "commit" | "end" => Some(End::Committed),
        "rollback" if !to_savepoint() => Some(End::Undone),
        _ => None,
    }
}

/// The statements of an actor's open transaction after those operations, from its `begin` on: none if no
/// transaction is open. `None` if the actor has several at once, on several connections.
pub fn transaction<'a>(events: &'a [Event], actor: &str) -> Option<Vec<&'a Event>> {
    let mut open: Vec<&Event> = Vec::new();
    let own = events.iter().filter(|event| event.actor == actor);
    for event in own.filter(|event| event.op == Op::Statement) {
        match (&*kind(event), open.is_empty()) {
            ("begin", false) => return None,
            _ if ends_transaction(event).is_some() => open.clear(),
            ("begin", true) | (_, false) => open.push(event),
            (_, true) => {}
        }
    }
    Some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each actor sent, and what came of it.
    fn events(all: &[(&str, &str, &str)]) -> Vec<Event> {
        let event = |&(actor, sql, read): &(&str, &str, &str)| {
            let call = if sql.starts_with("select") {
                "query"
            } else {
                "execute"
            };
            let op = if read.starts_with("SQLITE_") {
                "statement-fails"
            } else {
                "statement"
            };
            let event = serde_json::json!({
                "actor": actor, "op": op, "call": call, "object": "database", "read": read,
                "value": null, "newest": null, "ordering": null, "file": "a.rs", "line": 7,
                "column": 1, "note": sql,
            });
            serde_json::from_value(event).expect("an event")
        };
        all.iter().map(event).collect()
    }

    fn said(all: &[(&str, &str, &str)]) -> String {
        let events = events(all);
        told(&telling(&events.iter().collect::<Vec<_>>()))
    }

    #[test]
    fn what_changed_rows_is_told_and_otherwise_what_was_found() {
        let look = ("bob", "select a from t", "1");
        let claim = ("bob", "update t set a = 2 where a = 1", "no row");
        let change = ("bob", "delete from t", "3 rows");
        assert_eq!(said(&[look]), "bob ran `select a from t`, which found 1");
        assert_eq!(said(&[look, change]), "bob ran `delete from t`");
        assert_eq!(
            said(&[look, look, claim]),
            "bob ran `select a from t`, which found 1, and `update t set a = 2 where a = 1`, which \
             changed no row"
        );
        let refused = ("ann", "update t set a = 3", "SQLITE_BUSY");
        let failed = "ann's update in line 7 failed with SQLITE_BUSY";
        assert_eq!(said(&[look, refused]), failed);
        let seen = ("ann", "select b from t", "no row");
        assert_eq!(
            said(&[change, seen]),
            "bob ran `delete from t`, and ann ran `select b from t`, which found no row"
        );
    }

    #[test]
    fn a_lock_was_taken_by_the_first_statement_that_needed_it() {
        let taken = |holder: &[(&str, &str, &str)], wanted: &str| {
            let mut report = Report::empty();
            report.counterexample = events(holder);
            let waits = events(&[("bob", wanted, "")]).remove(0);
            report.counterexample.push(Event {
                op: Op::StatementWaits,
                ..waits
            });
            let taken = locked_with(&report, "bob", "ann").map(sql);
            taken.map(str::to_owned)
        };
        let (begin, end) = (("ann", "begin", ""), ("ann", "commit", ""));
        let look = ("ann", "select a from t", "1");
        let change = ("ann", "update t set a = 2", "no row");
        let writes = [begin, look, change, ("ann", "delete from t", "1 row")];
        assert_eq!(taken(&writes, "begin immediate").as_deref(), Some(change.1));
        assert_eq!(
            taken(&[begin, look, look], "commit").as_deref(),
            Some(look.1)
        );
        let whole = ("ann", "BEGIN EXCLUSIVE", "");
        assert_eq!(
            taken(&[whole, change], "select a from t").as_deref(),
            Some(whole.1)
        );
        assert_eq!(taken(&[whole, change, end], "select a from t"), None);
        // Two transactions at once are on two connections: which one is meant is not known.
        assert_eq!(taken(&[begin, look, begin, look], "commit"), None);
    }

    #[test]
    fn a_snapshot_is_old_once_somebody_else_has_committed() {
        let is_old = |between: &[(&str, &str, &str)]| {
            let mut all = vec![("ann", "begin", ""), ("ann", "select a from t", "1")];
            all.extend(between);
            all.push(("ann", "select b from t", "1"));
            let mut report = Report::empty();
            report.counterexample = events(&all);
            old_snapshot(&report).is_some()
        };
        let (begin, change) = (("bob", "begin", ""), ("bob", "update t set b = 2", "1 row"));
        assert!(is_old(&[change]));
        assert!(is_old(&[begin, change, ("bob", "commit", "")]));
        assert!(!is_old(&[begin, change]));
        assert!(!is_old(&[begin, change, ("bob", "rollback", "")]));
        assert!(!is_old(&[("bob", "update t set b = 2", "no row")]));
        assert!(!is_old(&[change, ("ann", "commit", "")]));
        // Two transactions at once are on two connections: which one reads is not known.
        assert!(!is_old(&[change, ("ann", "begin", "")]));
    }
}
