//! Adds up the reports of several stresses of one program, each of which did its share of the runs.

use super::report::{StressOutcome, StressReport, Stuck};

/// The report on all runs. The time is that of all parts together.
///
/// # Panics
///
/// If there is no part.
pub fn add_up(parts: &[StressReport]) -> StressReport {
    let runs = parts.iter().map(|part| part.runs).sum();
    let all = |of: fn(&StressReport) -> &[Stuck]| together(parts.iter().flat_map(of));
    StressReport {
        runs,
        millis: parts.iter().map(|part| part.millis).sum(),
        runs_per_second: rate(parts),
        outcomes: outcomes(parts, runs),
        deadlocks: all(|part| &part.deadlocks),
        hangs: all(|part| &part.hangs),
        stopped: parts.iter().find_map(|part| part.stopped.clone()),
        interrupted: parts.iter().any(|part| part.interrupted),
        ..parts[0].clone()
    }
}

/// How many runs a second one of the machines does.
fn rate(parts: &[StressReport]) -> f64 {
    let counted = parts.iter().filter(|part| part.runs_per_second > 0.0);
    let (runs, seconds) = counted.fold((0.0, 0.0), |(runs, seconds), part| {
        let more = part.runs as f64;
        (runs + more, seconds + more / part.runs_per_second)
    });
    if seconds > 0.0 { runs / seconds } else { 0.0 }
}

fn outcomes(parts: &[StressReport], runs: u64) -> Vec<StressOutcome> {
    let mut all: Vec<StressOutcome> = Vec::new();
    for outcome in parts.iter().flat_map(|part| &part.outcomes) {
        match all.iter_mut().find(|known| known.label == outcome.label) {
            Some(known) => known.count += outcome.count,
            None => all.push(outcome.clone()),
        }
    }
    for outcome in &mut all {
        outcome.share = outcome.count as f64 / runs.max(1) as f64;
    }
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    all
}

/// Ways to get stuck, each once.
fn together<'a>(stuck: impl Iterator<Item = &'a Stuck>) -> Vec<Stuck> {
    let mut all: Vec<Stuck> = Vec::new();
    for way in stuck {
        match all.iter_mut().find(|known| known.threads == way.threads) {
            Some(known) => known.count += way.count,
            None => all.push(way.clone()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use heisenbug_catalogue::Grade;

    fn part(counts: &[(&str, u64)], runs_per_second: f64) -> StressReport {
        let runs = counts.iter().map(|(_, count)| count).sum();
        let outcome = |(label, count): &(&str, u64)| StressOutcome {
            label: (*label).to_owned(),
            grade: Grade::Acceptable,
            reason: None,
            count: *count,
            share: *count as f64 / runs as f64,
        };
        StressReport {
            bug: "some".to_owned(),
            variant: "buggy".to_owned(),
            runs,
            millis: 10,
            runs_per_second,
            outcomes: counts.iter().map(outcome).collect(),
            deadlocks: vec![Stuck {
                count: 1,
                threads: Vec::new(),
            }],
            hangs: Vec::new(),
            stopped: None,
            interrupted: false,
        }
    }

    #[test]
    fn counts_are_added_and_rates_are_weighed() {
        let one = part(&[("1 counted", 3), ("2 counted", 1)], 4.0);
        let other = part(&[("2 counted", 4)], 1.0);
        let none = part(&[], 0.0);
        let all = add_up(&[one, other, none]);
        assert_eq!((all.runs, all.millis, all.runs_per_second), (8, 30, 1.6));
        let seen: Vec<_> = { all.outcomes.iter() }
            .map(|outcome| (outcome.label.as_str(), outcome.count, outcome.share))
            .collect();
        assert_eq!(seen, [("2 counted", 5, 0.625), ("1 counted", 3, 0.375)]);
        assert_eq!((all.deadlocks.len(), all.deadlocks[0].count), (1, 3));
    }
}
