//! Summarises the results of the processes.
//!
//! The figure of a point is the median over processes, and its range goes from the fastest process
//! to the slowest. Two figures differ only if their ranges are apart, with a margin: if an order is
//! claimed, another run should find the same order. With fewer than three processes, or with noisy
//! ones among them, no order is claimed.

use super::child::{Sample, Turns};
use super::entrant::Entrant;
use super::fairness;
use super::rounds::Process;
use super::task::{Point, Sweep};
use serde::Serialize;
use std::time::Duration;

/// A lock collapses if its operations take this many times as long when it is measured longer.
const COLLAPSE: f64 = 1.5;

/// How far apart two ranges must be to differ, as a factor.
const MARGIN: f64 = 1.05;

/// How many processes are needed to claim an order.
const ENOUGH: usize = 3;

/// The figures of all processes for one subject at one point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The family, or the bug.
    pub group: String,
    /// The contestant, or the variant.
    pub name: String,
    /// Where it comes from, or its role.
    pub origin: &'static str,
    /// How it waits, if known.
    pub waiting: Option<&'static str>,
    /// Whether it is a floor to compare with.
    pub is_baseline: bool,
    /// The point.
    pub point: Point,
    /// Nanoseconds per operation of all threads together, measured for the longer time. `None` if
    /// nothing could be measured: see `problem`.
    pub nanos: Option<Spread>,
    /// The same, measured for the shorter time.
    pub nanos_short: Option<Spread>,
    /// The longer time's figure, as a multiple of the shorter one's.
    pub growth: Option<f64>,
    /// Whether it grows so much that the figure only shows the growth.
    pub collapses: bool,
    /// Its figure, as a multiple of the baseline's.
    pub ratio: Option<f64>,
    /// The name of the baseline that it is compared with.
    pub baseline: Option<String>,
    /// Its place among all at this point, without baselines.
    pub rank: Option<Rank>,
    /// Jain's index of the operations per thread.
    pub jain: Option<f64>,
    /// The operations of the thread with the fewest, as a share of those of the thread with the most.
    pub min_max: Option<f64>,
    /// The longest wait of any thread in any process, from a separate run.
    pub longest_wait: Option<Duration>,
    /// The lock working set size.
    pub working_set: Option<f64>,
    /// The median distance between two holds of the same thread, in acquisitions.
    pub reacquire: Option<f64>,
    /// The transactions that were refused for the sake of another one, for each that committed: the median
    /// over processes.
    pub aborts: Option<f64>,
    /// Whether each thread had its own core.
    pub pinned: bool,
    /// The number of processes that count.
    pub processes: usize,
    /// How many of them were noisy. If there are any, there were not enough clean ones.
    pub noisy: usize,
    /// How many noisy ones were left out.
    pub left_out: usize,
    /// What went wrong, if anything.
    pub problem: Option<String>,
}

/// The spread of some processes' figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The figure of the fastest process.
    pub min: f64,
    /// The figure of the slowest process.
    pub max: f64,
}

impl Spread {
    /// The spread of these figures. `None` if there are none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (&min, &max) = (figures.first()?, figures.last()?);
        let median = (figures[(figures.len() - 1) / 2] + figures[figures.len() / 2]) / 2.0;
        Some(Spread { median, min, max })
    }

    /// The width of the range, in per cent of the median.
    pub fn percent(self) -> f64 {
        100.0 * (self.max - self.min) / self.median
    }

    /// Whether all of it is below the other, with a margin.
    fn clearly_below(self, other: Spread) -> bool {
        self.max * MARGIN < other.min
    }
}

fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    Spread::of(figures).map(|spread| spread.median)
}

/// A place, which others may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rank {
    /// One more than the number of those that are clearly faster.
    pub place: usize,
    /// Whether another one has the same place.
    pub shared: bool,
}

/// All cells, in the order of the entrants and of their points, compared with each other.
pub fn cells(entrants: &[Entrant], processes: &[Process], rounds: usize) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for (place, entrant) in entrants.iter().enumerate() {
        let all: Vec<&Process> = processes.iter().filter(|one| one.task == place).collect();
        if all.is_empty() {
            continue;
        }
        let used = usable(&all, rounds);
        let of = |&point: &Point| cell(entrant, point, &used, all.len() - used.len());
        cells.extend(entrant.task.points.iter().map(of));
    }
    compare(&mut cells);
    cells
}

/// The clean processes if they are the majority of those planned, otherwise all.
fn usable<'a>(all: &[&'a Process], rounds: usize) -> Vec<&'a Process> {
    let clean: Vec<&Process> = all
        .iter()
        .copied()
        .filter(|process| !process.noise.is_noisy())
        .collect();
    if clean.len() > rounds / 2 {
        clean
    } else {
        all.to_vec()
    }
}

fn cell(entrant: &Entrant, point: Point, processes: &[&Process], left_out: usize) -> Cell {
    let times = entrant.task.times.of(point);
    let at = |time: Duration| {
        let samples = processes.iter().flat_map(|process| &process.samples);
        samples.filter(move |sample| sample.point == point && sample.time == time)
    };
    let (first, last) = (times[0], times[times.len() - 1]);
    let nanos = |time| Spread::of(at(time).filter_map(Sample::nanos));
    let shares = |share: fn(&[u64]) -> Option<f64>| {
        median(at(last).filter_map(|sample| share(&sample.per_thread)))
    };
    let turns = || {
        let turns = processes.iter().flat_map(|process| &process.turns);
        turns.filter(|turns: &&Turns| turns.point == point)
    };
    let growth = growth(processes, point, first, last);
    let noisy = { processes.iter() }
        .filter(|one| one.noise.is_noisy())
        .count();
    // A single thread never waits, and in noise everything grows: then the lock is not the cause.
    let can_collapse = point.threads > 1 && noisy == 0;
    Cell {
        group: entrant.task.subject.group().to_owned(),
        name: entrant.task.subject.name().to_owned(),
        origin: entrant.origin,
        waiting: entrant.waiting,
        is_baseline: entrant.baseline,
        point,
        nanos: nanos(last),
        nanos_short: nanos(first).filter(|_| first != last),
        growth,
        collapses: can_collapse && growth.is_some_and(|growth| growth > COLLAPSE),
        ratio: None,
        baseline: None,
        rank: None,
        jain: shares(fairness::jain),
        min_max: shares(fairness::evenness),
        longest_wait: turns().flat_map(|turns| &turns.waits).max().copied(),
        working_set: median(turns().filter_map(|turns| turns.working_set)),
        reacquire: median(turns().filter_map(|turns| Some(turns.reacquire? as f64))),
        aborts: median(at(last).filter_map(|sample| sample.aborts)),
        pinned: at(last).all(|sample| sample.pinned),
        processes: processes.len(),
        noisy,
        left_out,
        problem: problem(processes, point),
    }
}

/// The longer time's figure as a multiple of the shorter one's: the median over processes.
fn growth(processes: &[&Process], point: Point, first: Duration, last: Duration) -> Option<f64> {
    if point.sweep != Sweep::Threads {
        return None;
    }
    let of = |process: &&Process| {
        let at = |time| {
            let samples = &mut process.samples.iter();
            samples
                .find(|sample| sample.point == point && sample.time == time)?
                .nanos()
        };
        Some(at(last)? / at(first)?)
    };
    median(processes.iter().filter_map(of))
}

/// What went wrong at the point, if anything: a panic, or a process that never got there.
fn problem(processes: &[&Process], point: Point) -> Option<String> {
    processes.iter().find_map(|process| {
        let mut here = process
            .samples
            .iter()
            .filter(|sample| sample.point == point);
        match here.clone().next() {
            None => process
                .broken
                .as_ref()
                .map(|how| format!("its process {how}")),
            Some(_) => here.find_map(|sample| sample.panic.clone()),
        }
    })
}

/// Fills in ratios and ranks, group by group and point by point.
fn compare(cells: &mut [Cell]) {
    let mut places: Vec<(String, Point)> = cells
        .iter()
        .map(|cell| (cell.group.clone(), cell.point))
        .collect();
    places.sort_unstable();
    places.dedup();
    for (group, point) in places {
        let mut here: Vec<&mut Cell> = cells
            .iter_mut()
            .filter(|cell| cell.group == group && cell.point == point)
            .collect();
        add_ratios(&mut here);
        add_ranks(&mut here);
    }
}

/// Compares all with the first baseline that was measured here, or else with the best.
fn add_ratios(cells: &mut [&mut Cell]) {
    let median = |cell: &Cell| cell.nanos.map(|nanos| nanos.median);
    let named = |cell: &Cell| Some((cell.name.clone(), median(cell)?));
    let floor = { cells.iter() }.filter(|cell| cell.is_baseline);
    let floor = { floor }.find_map(|cell| named(cell));
    let all = cells.iter().filter_map(|cell| named(cell));
    let best = all.min_by(|a, b| a.1.total_cmp(&b.1));
    let Some((name, base)) = floor.or(best) else {
        return;
    };
    for cell in cells {
        cell.ratio = median(cell).map(|nanos| nanos / base);
        cell.baseline = Some(name.clone());
    }
}

fn add_ranks(cells: &mut [&mut Cell]) {
    let in_order = |cell: &Cell| {
        let fit = !cell.is_baseline && cell.noisy == 0 && cell.processes >= ENOUGH;
        cell.nanos.filter(|_| fit && cell.problem.is_none())
    };
    let figures: Vec<Spread> = cells.iter().filter_map(|cell| in_order(cell)).collect();
    let place = |figure: Spread| {
        let faster = figures.iter().filter(|other| other.clearly_below(figure));
        1 + faster.count()
    };
    let places: Vec<usize> = figures.iter().map(|&figure| place(figure)).collect();
    for cell in cells {
        cell.rank = in_order(cell).map(place).map(|place| Rank {
            place,
            shared: places.iter().filter(|&&other| other == place).count() > 1,
        });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::idle::Noise;
    use crate::task::{Subject, Task, Times};

    /// A point of the sweep of threads.
    pub fn threads(threads: usize) -> Point {
        Point {
            sweep: Sweep::Threads,
            threads,
            critical: 0,
            think: 0,
            reads: 0,
        }
    }

    /// An entrant of the race of mutual exclusion, at some numbers of threads.
    pub fn entrant(name: &str, baseline: bool, points: &[Point]) -> Entrant {
        let subject = Subject::Contestant {
            family: "exclusive".to_owned(),
            name: name.to_owned(),
        };
        Entrant {
            task: Task {
                subject,
                points: points.to_vec(),
                times: Times::new(Duration::from_micros(500)),
            },
            origin: if baseline { "baseline" } else { "ours" },
            waiting: Some("spins"),
            baseline,
        }
    }

    /// A process in which each of `point`'s threads took `short` or `long` nanoseconds for each of its
    /// 100 operations, in the short time and in the long one.
    pub fn process(task: usize, point: Point, short: u64, long: u64) -> Process {
        let sample = |time: u64, nanos: u64| Sample {
            point,
            time: Duration::from_micros(time),
            elapsed: Duration::from_nanos(nanos * 100 * point.threads as u64),
            per_thread: vec![100; point.threads],
            all_ran: true,
            pinned: true,
            aborts: None,
            panic: None,
        };
        Process {
            task,
            subject: entrant("a", false, &[]).task.subject,
            round: 1,
            samples: vec![sample(100, short), sample(500, long)],
            turns: Vec::new(),
            noise: Noise::default(),
            broken: None,
        }
    }

    fn noisy(mut process: Process) -> Process {
        process.noise.others = Some(0.9);
        process
    }

    fn race(figures: &[(&str, bool, &[u64])]) -> Vec<Cell> {
        let point = threads(2);
        let entrants: Vec<Entrant> = figures
            .iter()
            .map(|(name, baseline, _)| entrant(name, *baseline, &[point]))
            .collect();
        let processes: Vec<Process> = { figures.iter().enumerate() }
            .flat_map(|(task, (_, _, figures))| {
                { figures.iter() }.map(move |&nanos| process(task, point, nanos, nanos))
            })
            .collect();
        cells(&entrants, &processes, 3)
    }

    fn ranks(cells: &[Cell]) -> Vec<Option<(usize, bool)>> {
        cells
            .iter()
            .map(|cell| cell.rank.map(|rank| (rank.place, rank.shared)))
            .collect()
    }

    #[test]
    fn a_spread_has_the_median_and_both_ends() {
        let odd = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 3.0));
        assert_eq!(odd.percent(), 100.0);
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ranges_that_touch_or_are_close_share_a_place() {
        let cells = race(&[
            ("a", false, &[10, 11, 12]),
            ("b", false, &[12, 13, 14]),
            ("c", false, &[100, 110, 120]),
            ("d", false, &[121, 130, 140]),
        ]);
        assert_eq!(
            ranks(&cells),
            [
                Some((1, true)),
                Some((1, true)),
                Some((3, true)),
                Some((3, true))
            ]
        );
    }

    #[test]
    fn ranges_that_are_apart_rank_in_order_whatever_comes_first() {
        let cells = race(&[
            ("slow", false, &[100, 101, 102]),
            ("fast", false, &[10, 11, 12]),
        ]);
        assert_eq!(ranks(&cells), [Some((2, false)), Some((1, false))]);
    }

    #[test]
    fn a_baseline_has_no_rank_and_all_are_compared_with_the_first() {
        let cells = race(&[
            ("lock", false, &[10, 10, 10]),
            ("floor", true, &[5, 5, 5]),
            ("second floor", true, &[1, 1, 1]),
        ]);
        assert_eq!(ranks(&cells), [Some((1, false)), None, None]);
        assert_eq!(cells[0].ratio, Some(2.0));
        assert_eq!(cells[2].ratio, Some(0.2));
        assert!(
            cells
                .iter()
                .all(|cell| cell.baseline.as_deref() == Some("floor"))
        );
    }

    #[test]
    fn without_a_baseline_all_are_compared_with_the_best() {
        let cells = race(&[
            ("slow", false, &[30, 30, 30]),
            ("fast", false, &[10, 10, 10]),
        ]);
        assert_eq!(cells[0].ratio, Some(3.0));
        assert_eq!(cells[0].baseline.as_deref(), Some("fast"));
    }

    #[test]
    fn too_few_processes_claim_no_order() {
        let cells = race(&[("a", false, &[10, 10]), ("b", false, &[100, 100])]);
        assert_eq!(ranks(&cells), [None, None]);
    }

    #[test]
    fn noisy_processes_are_left_out_if_enough_are_clean_and_flagged_if_not() {
        let point = threads(2);
        let entrants = [entrant("a", false, &[point])];
        let clean = |nanos| process(0, point, nanos, nanos);
        let mut processes = vec![clean(10), clean(12), noisy(clean(99))];
        let cell = &cells(&entrants, &processes, 3)[0];
        assert_eq!((cell.processes, cell.noisy, cell.left_out), (2, 0, 1));
        assert_eq!(cell.nanos.unwrap().max, 12.0);
        processes[1] = noisy(clean(12));
        let cell = &cells(&entrants, &processes, 3)[0];
        assert_eq!((cell.processes, cell.noisy, cell.left_out), (3, 2, 0));
        assert_eq!((cell.nanos.unwrap().max, cell.rank), (99.0, None));
    }

    #[test]
    fn what_takes_longer_the_longer_it_runs_collapses() {
        let point = threads(4);
        let entrants = [entrant("a", false, &[point]), entrant("b", false, &[point])];
        let processes = [process(0, point, 100, 151), process(1, point, 100, 149)];
        let cells = cells(&entrants, &processes, 1);
        assert!(cells[0].collapses && !cells[1].collapses);
        let growing = noisy(process(0, point, 100, 900));
        let disturbed = &super::cells(&entrants, &[growing], 1)[0];
        assert_eq!((disturbed.growth, disturbed.collapses), (Some(9.0), false));
        assert_eq!(cells[0].growth, Some(1.51));
        assert_eq!(cells[0].nanos_short.unwrap().median, 100.0);
    }

    #[test]
    fn a_panic_or_a_killed_process_is_a_problem_and_no_figure() {
        let points = [threads(1), threads(2)];
        let entrants = [entrant("a", false, &points)];
        let mut broken = process(0, points[0], 10, 10);
        broken.samples[1].panic = Some("wrong sum".to_owned());
        broken.broken = Some("died".to_owned());
        let cells = cells(&entrants, &[broken], 1);
        assert_eq!(cells[0].problem.as_deref(), Some("wrong sum"));
        assert_eq!(cells[0].nanos, None);
        assert_eq!(cells[1].problem.as_deref(), Some("its process died"));
    }

    #[test]
    fn the_longest_wait_is_that_of_any_thread_in_any_process() {
        let point = threads(2);
        let entrants = [entrant("a", false, &[point])];
        let waiting = |waits: [u64; 2]| {
            let mut process = process(0, point, 10, 10);
            process.turns.push(Turns {
                point,
                waits: waits.map(Duration::from_nanos).to_vec(),
                working_set: Some(waits[0] as f64),
                reacquire: Some(waits[1]),
            });
            process
        };
        let processes = [waiting([1, 2]), waiting([7, 3]), waiting([3, 4])];
        let cell = &cells(&entrants, &processes, 3)[0];
        assert_eq!(cell.longest_wait, Some(Duration::from_nanos(7)));
        assert_eq!((cell.working_set, cell.reacquire), (Some(3.0), Some(3.0)));
        assert_eq!((cell.jain, cell.min_max), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn who_was_never_measured_has_no_cell() {
        let entrants = [
            entrant("a", false, &[threads(1)]),
            entrant("b", false, &[threads(1)]),
        ];
        let cells = cells(&entrants, &[process(0, threads(1), 1, 1)], 1);
        assert_eq!(cells.len(), 1);
    }
}
