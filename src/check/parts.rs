//! Adds up the reports on the parts of one check.

use super::checker::NO_EXECUTION;
use heisenbug_explain::{Executions, OutcomeCount, Report, Verdict};

/// The report on the whole, from the reports on all of its parts. They must be parts of one check, and each
/// must be there once: nothing here could tell. The time is that of all parts together.
///
/// # Panics
///
/// If there are none.
pub fn add_up(parts: &[Report]) -> Report {
    let failing = parts.iter().filter(|part| part.fails());
    let easiest = failing.min_by_key(|part| rank(part));
    let unfinished = parts.iter().find(|part| !is_explored(part));
    let mut whole = Report {
        shard: None,
        executions: executions(parts),
        wasted: parts.iter().map(|part| part.wasted).sum(),
        passes: parts.iter().filter_map(|part| part.passes).max(),
        outcomes: outcomes(parts),
        // Each estimates the whole from what it has seen, and overestimates: the smallest is the closest.
        estimate: parts.iter().filter_map(|part| part.estimate).min(),
        stopped: unfinished.and_then(|part| part.stopped.clone()),
        millis: parts.iter().map(|part| part.millis).sum(),
        ..easiest.unwrap_or(&parts[0]).clone()
    };
    if easiest.is_none() {
        whole.notes = notes(parts);
        let nothing = whole.explored() == 0 && whole.passes.is_none();
        if nothing && whole.stopped.is_none() {
            whole.stopped = Some(NO_EXECUTION.to_owned());
        }
        whole.verdict = match (&whole.stopped, whole.passes) {
            (Some(_), _) => Verdict::Unknown,
            (None, Some(_)) => Verdict::Bounded,
            (None, None) => Verdict::Holds,
        };
    }
    whole.complete = whole.stopped.is_none() && whole.passes.is_none();
    whole
}

/// A crash has no rank, and comes first: it is all that a check in one piece would tell of.
fn rank(report: &Report) -> Option<&str> {
    report.shard.as_ref()?.rank.as_deref()
}

fn is_explored(report: &Report) -> bool {
    report.shard.as_ref().is_some_and(|part| part.explored)
}

fn executions(parts: &[Report]) -> Executions {
    let sum = |of: fn(&Executions) -> Option<u64>| {
        let known = parts.iter().filter_map(|part| of(&part.executions));
        known.reduce(|one, other| one + other)
    };
    Executions {
        sc: sum(|executions| executions.sc),
        weak: sum(|executions| executions.weak),
    }
}

/// The outcomes of all parts, the most frequent first.
fn outcomes(parts: &[Report]) -> Vec<OutcomeCount> {
    let mut all: Vec<OutcomeCount> = Vec::new();
    for outcome in parts.iter().flat_map(|part| &part.outcomes) {
        let same = |known: &&mut OutcomeCount| {
            let count = known.count;
            OutcomeCount {
                count,
                ..outcome.clone()
            } == **known
        };
        match all.iter_mut().find(same) {
            Some(known) => known.count += outcome.count,
            None => all.push(outcome.clone()),
        }
    }
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    all
}

/// The notes of all parts, each once.
fn notes(parts: &[Report]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for note in parts.iter().flat_map(|part| &part.notes) {
        if !all.contains(note) {
            all.push(note.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checker, Shard};
    use heisenbug_model::sync::Arc;
    use heisenbug_model::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use heisenbug_model::thread;

    /// Three threads count, in one step each or in two.
    fn count(in_one_step: bool) -> impl Fn() -> u32 + Send + Sync + 'static {
        move || {
            let count = Arc::new(AtomicU32::new(0));
            let others = [(); 3].map(|()| {
                let count = Arc::clone(&count);
                thread::spawn(move || match in_one_step {
                    true => _ = count.fetch_add(1, Relaxed),
                    false => count.store(count.load(Relaxed) + 1, Relaxed),
                })
            });
            for other in others {
                other.join().unwrap();
            }
            let counted = count.load(Relaxed);
            assert!(counted > 1 || in_one_step);
            counted
        }
    }

    fn whole(checker: &Checker, in_one_step: bool) -> Report {
        Report {
            millis: 0,
            ..checker.check(count(in_one_step))
        }
    }

    fn parts(checker: &Checker, of: u32, in_one_step: bool) -> Vec<Report> {
        let shards = (1..=of).map(|part| Shard { part, of });
        shards
            .map(|shard| whole(&checker.clone().shard(Some(shard)), in_one_step))
            .collect()
    }

    #[test]
    fn the_parts_are_the_whole_with_its_counterexample() {
        for in_one_step in [true, false] {
            let whole = whole(&Checker::new(), in_one_step);
            for of in [1, 2, 8, 100] {
                let parts = parts(&Checker::new(), of, in_one_step);
                assert!(parts.iter().all(|part| !part.holds() && !part.complete));
                assert_eq!(add_up(&parts), whole, "{of} parts");
            }
        }
    }

    #[test]
    fn a_part_without_a_failure_says_so_and_no_more() {
        let parts = parts(&Checker::new(), 2, true);
        let stopped = parts[1].stopped.as_deref();
        assert_eq!(stopped, Some("part 2 of 2: no failure here"));
        assert_eq!(parts[1].verdict, Verdict::Unknown);
        assert!(parts[1].is_part_without_failure());
        assert!(
            parts[1]
                .to_string()
                .contains("part 2 of 2: no failure here (3 executions")
        );
    }

    #[test]
    fn where_a_part_was_stopped_the_whole_is_unknown() {
        let mut parts = parts(&Checker::new(), 2, true);
        let stopped = self::parts(&Checker::new().max_executions(1), 2, true);
        assert!(!stopped[1].is_part_without_failure());
        parts[1] = stopped[1].clone();
        let whole = add_up(&parts);
        assert_eq!(whole.verdict, Verdict::Unknown);
        let why = whole.stopped.as_deref();
        assert_eq!(
            (why, whole.complete),
            (Some("stopped at 1 executions"), false)
        );
    }
}
