//! Figures in words and tables, for the terminal.

use super::field::Family;
use super::machine::Machine;
use super::report::Report;
use super::summary::{Cell, Rank};
use super::task::{FAMILIES, Point, Sweep, family_name};
use heisenbug_explain::style::{Paint, paint};
use heisenbug_explain::{self as explain, Table};
use std::time::Duration;

/// A number of nanoseconds, with its significant digits only: thousands end in `k`, millions in
/// `M`.
pub fn nanos(nanos: f64) -> String {
    match nanos {
        nanos if nanos >= 99_950_000.0 => format!("{:.0}M", nanos / 1e6),
        nanos if nanos >= 999_500.0 => format!("{:.1}M", nanos / 1e6),
        nanos if nanos >= 9_995.0 => format!("{:.0}k", nanos / 1e3),
        nanos if nanos < 9.995 => format!("{nanos:.2}"),
        nanos if nanos < 99.95 => format!("{nanos:.1}"),
        nanos => explain::thousands(nanos.round() as u64),
    }
}

/// A time with its unit.
pub fn time(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let (value, unit) = match nanos {
        nanos if nanos < 1e3 => (nanos, "ns"),
        nanos if nanos < 1e6 => (nanos / 1e3, "µs"),
        nanos if nanos < 1e9 => (nanos / 1e6, "ms"),
        nanos => (nanos / 1e9, "s"),
    };
    match value {
        value if value < 9.95 => format!("{value:.1} {unit}"),
        value => format!("{value:.0} {unit}"),
    }
}

fn nanos_with_unit(nanos: f64) -> String {
    time(Duration::from_nanos(nanos.max(0.0).round() as u64))
}

/// The machine in a few lines.
pub fn machine(machine: &Machine, width: usize) -> String {
    let mut about = vec![machine.system.clone()];
    about.extend(
        machine
            .governor
            .iter()
            .map(|name| format!("governor {name}")),
    );
    about.extend(machine.load.map(|load| format!("load {load:.2}")));
    about.extend(
        machine
            .stolen
            .map(|share| format!("{:.0}% stolen", 100.0 * share)),
    );
    about.push(machine.date.clone());
    let costs = [
        machine
            .round_trip
            .map(|nanos| format!("cache line there and back {nanos:.0} ns")),
        Some(format!("pause {} ns", nanos(machine.pause))),
        Some(format!(
            "wake-up there and back {}",
            nanos_with_unit(machine.wake_up)
        )),
        Some(format!("Instant::now {:.0} ns", machine.clock)),
        Some(format!("yield {}", nanos_with_unit(machine.yielding))),
        Some(format!("spawn and join {}", nanos_with_unit(machine.spawn))),
    ];
    let costs: Vec<String> = costs.into_iter().flatten().collect();
    let mut lines = vec![
        paint(Paint::Bold, &machine.name()),
        explain::wrap(&about.join(", "), width, "  "),
        explain::wrap(&costs.join(", "), width, "  "),
    ];
    if let Some(ratio) = machine.both_busy {
        let like = match ratio {
            ratio if ratio < 1.2 => "separate cores",
            _ => "siblings that share a core, or a busy machine",
        };
        let text = format!("arithmetic on two at once takes {ratio:.2} × as long: {like}");
        lines.push(explain::wrap(&text, width, "  "));
    }
    if machine.debug_build {
        lines.push(paint(
            Paint::Bad,
            "  debug build: do not quote these figures",
        ));
    }
    lines.join("\n")
}

/// A race: for each family, a table per number of threads, and one for each other sweep.
pub fn race(report: &Report, width: usize) -> String {
    let mut blocks: Vec<String> = Vec::new();
    for family in FAMILIES {
        let name = family_name(family);
        let cells = report.sweep(name, Sweep::Threads);
        let mut threads: Vec<usize> = cells.iter().map(|cell| cell.point.threads).collect();
        threads.sort_unstable();
        threads.dedup();
        for threads in threads {
            let here = cells.iter().copied();
            let here: Vec<&Cell> = here.filter(|cell| cell.point.threads == threads).collect();
            blocks.push(at_threads(family, threads, &here, width));
        }
        for sweep in [Sweep::Work, Sweep::Reads] {
            let cells = report.sweep(name, sweep);
            if !cells.is_empty() {
                blocks.push(swept(&cells, sweep, width));
            }
        }
    }
    blocks.push(problems(report, width));
    blocks.push(race_legend(report, width));
    blocks.push(noise(report, width));
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n")
}

/// The title of a family.
pub(super) fn title(family: Family) -> &'static str {
    match family {
        Family::Exclusive => "Mutual exclusion",
        Family::ReadMostly => "Many readers, few writers",
        Family::Counter => "Counters",
        Family::Spsc => "Queues, one sender and one receiver",
        Family::Mpmc => "Queues, many senders and many receivers",
    }
}

fn count_threads(threads: usize) -> String {
    match threads {
        1 => "1 thread".to_owned(),
        threads => format!("{threads} threads"),
    }
}

fn at_threads(family: Family, threads: usize, cells: &[&Cell], width: usize) -> String {
    let mut heading = format!("{}, {}", title(family), count_threads(threads));
    if cells.iter().any(|cell| !cell.pinned) {
        heading.push_str(", not pinned");
    }
    let baseline = cells.iter().find_map(|cell| cell.baseline.as_deref());
    let ratio = format!("× {}", baseline.unwrap_or("best"));
    let columns: &[Column] = match threads {
        1 => &Column::ALONE,
        _ => &Column::ALL,
    };
    let table = fitting(columns.len(), width, |count| {
        let columns = &columns[..count];
        let titles: Vec<&str> = columns.iter().map(|column| column.title(&ratio)).collect();
        let heading = [&["strategy"], &titles[..]].concat();
        let right: Vec<usize> = (1..heading.len()).collect();
        let mut table = Table::new(&heading).right(&right);
        for cell in cells {
            let name = std::iter::once(cell.name.clone());
            table.row(name.chain(columns.iter().map(|column| column.text(cell))));
        }
        table
    });
    format!("{}\n{table}", paint(Paint::Bold, &heading))
}

/// The table with as many columns as fit.
fn fitting(columns: usize, width: usize, table: impl Fn(usize) -> Table) -> String {
    let mut text = String::new();
    for count in (1..=columns).rev() {
        text = table(count).render_cut(width);
        if text.lines().all(|line| explain::width(line) <= width) {
            break;
        }
    }
    text
}

/// A column of a race's table, except the first. If there is no room, the last ones are left out.
#[derive(Clone, Copy)]
enum Column {
    Rank,
    Nanos,
    Ratio,
    Range,
    Jain,
    Wait,
    Holders,
}

impl Column {
    const ALONE: [Column; 4] = [Column::Rank, Column::Nanos, Column::Ratio, Column::Range];
    const ALL: [Column; 7] = [
        Column::Rank,
        Column::Nanos,
        Column::Ratio,
        Column::Range,
        Column::Jain,
        Column::Wait,
        Column::Holders,
    ];

    fn title(self, ratio: &str) -> &str {
        match self {
            Column::Rank => "rank",
            Column::Nanos => "ns/op",
            Column::Ratio => ratio,
            Column::Range => "range",
            Column::Jain => "Jain",
            Column::Wait => "wait",
            Column::Holders => "LWSS",
        }
    }

    fn text(self, cell: &Cell) -> String {
        let text = match self {
            Column::Rank if cell.is_baseline => None,
            Column::Rank => Some(cell.rank.map_or("?".to_owned(), rank)),
            Column::Nanos => cell.nanos.map(|spread| {
                let mark = if cell.collapses { "↑" } else { "" };
                format!("{}{mark}", nanos(spread.median))
            }),
            Column::Ratio => cell.ratio.map(nanos),
            Column::Range => cell
                .nanos
                .map(|spread| format!("{}–{}", nanos(spread.min), nanos(spread.max))),
            Column::Jain => cell.jain.map(|jain| format!("{jain:.2}")),
            Column::Wait => cell.longest_wait.map(time),
            Column::Holders => cell.working_set.map(|size| format!("{size:.1}")),
        };
        let text = text.unwrap_or_else(|| "-".to_owned());
        match self {
            Column::Nanos if cell.collapses || cell.nanos.is_none() => paint(Paint::Bad, &text),
            Column::Rank if text == "1" => paint(Paint::Good, &text),
            _ => text,
        }
    }
}

fn rank(rank: Rank) -> String {
    let shared = if rank.shared { "=" } else { "" };
    format!("{}{shared}", rank.place)
}

/// A sweep at two threads: one column per point, which only contain nanoseconds.
fn swept(cells: &[&Cell], sweep: Sweep, width: usize) -> String {
    let mut points: Vec<Point> = cells.iter().map(|cell| cell.point).collect();
    points.sort_unstable();
    points.dedup();
    // The point without any work is in the table of two threads already.
    points.retain(|point| sweep != Sweep::Work || point.critical + point.think > 0);
    let mut names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
    names.dedup();
    let title = |point: &Point| match sweep {
        Sweep::Reads => format!("{}%", point.reads),
        _ => format!("{}/{}", point.critical, point.think),
    };
    let table = fitting(points.len(), width, |count| {
        let titles: Vec<String> = points[..count].iter().map(title).collect();
        let mut heading = vec!["strategy"];
        heading.extend(titles.iter().map(String::as_str));
        let right: Vec<usize> = (1..heading.len()).collect();
        let mut table = Table::new(&heading).right(&right);
        for name in &names {
            let of = |point: &Point| {
                let mut cells = cells.iter();
                let cell = cells.find(|cell| cell.name == *name && cell.point == *point);
                let spread = cell.and_then(|cell| cell.nanos);
                spread.map_or("-".to_owned(), |spread| nanos(spread.median))
            };
            let name = std::iter::once((*name).to_owned());
            table.row(name.chain(points[..count].iter().map(of)));
        }
        table
    });
    let heading = match sweep {
        Sweep::Reads => "The same with 2 threads, ns/op by share of reads",
        _ => "The same with 2 threads, ns/op by steps of work inside/outside the lock",
    };
    format!(
        "{}\n{table}",
        paint(Paint::Bold, &explain::wrap(heading, width, ""))
    )
}

fn problems(report: &Report, width: usize) -> String {
    let of = |cell: &Cell| {
        let problem = cell.problem.as_ref()?;
        let (group, name) = (&cell.group, &cell.name);
        let at = count_threads(cell.point.threads);
        let text = format!("{group}/{name}, {at}: {problem}");
        Some(paint(Paint::Bad, &explain::wrap(&text, width, "")))
    };
    let mut lines: Vec<String> = report.cells.iter().filter_map(of).collect();
    lines.dedup();
    lines.join("\n")
}

fn race_legend(report: &Report, width: usize) -> String {
    let mut lines = vec![
        "ns/op: from one operation to the next, over all threads; the median over processes, and \
         their range. Ranks differ only if ranges do; = shares its place, ? is not ranked: too few \
         clean processes.",
    ];
    lines.extend(collapse(report));
    let mut samples = { report.processes.iter() }.flat_map(|process| &process.samples);
    if samples.any(|sample| sample.is_stuck()) {
        lines.push(
            "In some process no operation ended during the time of a point: that time is used \
             instead, and the true figure is larger.",
        );
    }
    if report.cells.iter().any(|cell| cell.point.threads > 1) {
        lines.push(
            "Jain: 1 if all threads got the same, 1/n if one got all. wait: the longest of any \
             thread, unfinished ones included. LWSS: threads that held the lock among 1,000 \
             acquisitions. Both come from separate runs.",
        );
    }
    paint_all(Paint::Dim, &explain::wrap(&lines.join("\n"), width, ""))
}

/// What the arrow means, if there is one.
fn collapse(report: &Report) -> Option<&'static str> {
    report.cells.iter().any(|cell| cell.collapses).then_some(
        "↑ costs more than 1.5 times as much per operation when it is measured five times as long: \
         it collapses, and its figure only shows that.",
    )
}

fn paint_all(style: Paint, text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| paint(style, line)).collect();
    lines.join("\n")
}

/// How many processes there were, and how many of them were noisy.
fn noise(report: &Report, width: usize) -> String {
    let processes = match report.processes.len() {
        1 => "1 process".to_owned(),
        many => format!("{} processes", explain::thousands(many as u64)),
    };
    let mut text = match report.noisy {
        0 => format!("{processes}, none of them noisy."),
        noisy => format!(
            "{processes}, {noisy} of them noisy: others took more than 5% of the cores meanwhile."
        ),
    };
    let kept = report.cells.iter().filter(|cell| cell.noisy > 0).count();
    if kept > 0 {
        let all = report.cells.len();
        text.push_str(&format!(
            " {kept} of {all} figures had too few clean ones and include noisy ones."
        ));
    } else if report.noisy > 0 {
        text.push_str(" They were left out.");
    }
    if report.interrupted {
        text.push_str(" Interrupted: these are the results so far.");
    }
    if report.machine.debug_build {
        text.push_str(" Debug build: do not quote these figures.");
    }
    let paint = if report.noisy > 0 {
        Paint::Notice
    } else {
        Paint::Dim
    };
    paint_all(paint, &explain::wrap(&text, width, ""))
}

/// The prices of fixes, bug by bug.
pub fn fixes(report: &Report, width: usize) -> String {
    let mut threads: Vec<usize> = report.cells.iter().map(|cell| cell.point.threads).collect();
    threads.sort_unstable();
    threads.dedup();
    let text = fitting(2 * threads.len(), width, |columns| {
        prices(report, &threads, columns)
    });
    let mut rows = text.lines();
    let mut lines: Vec<String> = rows.next().map(str::to_owned).into_iter().collect();
    for group in report.groups() {
        lines.push(paint(Paint::Bold, group));
        let names = names(report, group).len();
        lines.extend(rows.by_ref().take(names).map(str::to_owned));
    }
    let legend = "ns per operation of all threads together, the median over processes. × bug: as a \
                  multiple of the buggy program, or of the cheapest fix if that cannot be run. × \
                  best: of the cheapest fix. = no clear difference from the cheapest, ? not enough \
                  clean processes.";
    let legend = [Some(legend), collapse(report)];
    let legend: Vec<&str> = legend.into_iter().flatten().collect();
    let legend = paint_all(Paint::Dim, &explain::wrap(&legend.join("\n"), width, ""));
    let mut blocks = vec![
        lines.join("\n"),
        aborts(report, width),
        problems(report, width),
        legend,
        noise(report, width),
    ];
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n")
}

/// Where the database refused transactions, how many for each that committed.
fn aborts(report: &Report, width: usize) -> String {
    let refused = { report.cells.iter() }.filter_map(|cell| {
        let aborts = cell.aborts.filter(|aborts| *aborts >= 0.005)?;
        let threads = count_threads(cell.point.threads);
        Some(format!("{} on {threads} {aborts:.2}", cell.name))
    });
    let refused: Vec<String> = refused.collect();
    match refused.is_empty() {
        true => String::new(),
        false => {
            let text = format!(
                "Refused and tried again, for each commit: {}.",
                refused.join(", ")
            );
            explain::wrap(&text, width, "")
        }
    }
}

/// The programs of a bug, in order.
fn names<'a>(report: &'a Report, bug: &str) -> Vec<&'a str> {
    let cells = report.cells.iter().filter(|cell| cell.group == bug);
    let mut names: Vec<&str> = cells.map(|cell| cell.name.as_str()).collect();
    names.dedup();
    names
}

fn prices(report: &Report, threads: &[usize], columns: usize) -> Table {
    let titles: Vec<String> = { threads.iter() }
        .flat_map(|&count| {
            let ratio = if count == 1 { "× bug" } else { "× best" };
            [count_threads(count), ratio.to_owned()]
        })
        .take(columns)
        .collect();
    let mut heading = vec!["program"];
    heading.extend(titles.iter().map(String::as_str));
    let right: Vec<usize> = (1..heading.len()).collect();
    let mut table = Table::new(&heading).right(&right);
    for bug in report.groups() {
        for name in names(report, bug) {
            let cells = threads.iter().flat_map(|&count| {
                let mut cells = report.cells.iter();
                price(cells.find(|cell| {
                    cell.group == bug && cell.name == name && cell.point.threads == count
                }))
            });
            let name = std::iter::once(format!("  {name}"));
            table.row(name.chain(cells.take(columns)));
        }
    }
    table
}

fn price(cell: Option<&Cell>) -> [String; 2] {
    let none = || "-".to_owned();
    let Some(cell) = cell else {
        return [none(), none()];
    };
    let mark = match cell.rank {
        _ if cell.is_baseline => "",
        None => "?",
        Some(Rank {
            place: 1,
            shared: true,
        }) => "=",
        Some(_) => "",
    };
    let figure = cell.nanos.map_or_else(none, |spread| {
        let collapses = if cell.collapses { "↑" } else { "" };
        format!("{}{collapses}", nanos(spread.median))
    });
    // The baseline may be missing: a bug whose buggy program is undefined has none.
    let ratio = cell
        .ratio
        .map_or_else(none, |ratio| format!("{}{mark}", nanos(ratio)));
    [figure, ratio]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn a_race_says_who_is_first_and_what_collapses_in_any_width() {
        let text = explain::plain(&race(&report(), 80));
        let row = |name: &str| {
            let mut rows = text.lines().filter(|line| line.starts_with(name));
            rows.next_back().unwrap_or_default().to_owned()
        };
        assert!(text.contains("Mutual exclusion, 2 threads"), "{text}");
        assert!(row("good").contains(" 1 "), "{text}");
        assert!(
            row("bad").contains(" 2 ") && row("bad").contains('↑'),
            "{text}"
        );
        assert!(text.contains("9 processes, none of them noisy"), "{text}");
        for width in [40, 60, 80] {
            let text = explain::plain(&race(&report(), width));
            assert!(
                text.lines().all(|line| explain::width(line) <= width),
                "{text}"
            );
        }
    }

    #[test]
    fn prices_are_grouped_by_bug() {
        let text = explain::plain(&fixes(&report(), 80));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "exclusive");
        assert!(
            lines[2].starts_with("  floor") && lines[4].starts_with("  bad"),
            "{text}"
        );
        for width in [40, 80] {
            let text = explain::plain(&fixes(&report(), width));
            assert!(
                text.lines().all(|line| explain::width(line) <= width),
                "{text}"
            );
        }
    }

    #[test]
    fn figures_have_as_many_digits_as_mean_something() {
        assert_eq!(nanos(0.3), "0.30");
        assert_eq!(nanos(9.999), "10.0");
        assert_eq!(nanos(27.31), "27.3");
        assert_eq!(nanos(99.97), "100");
        assert_eq!(nanos(1_390.4), "1,390");
        assert_eq!(nanos(139_000.4), "139k");
        assert_eq!(nanos(2_510_000.0), "2.5M");
    }

    #[test]
    fn times_have_the_unit_that_keeps_them_short() {
        assert_eq!(time(Duration::from_nanos(80)), "80 ns");
        assert_eq!(time(Duration::from_nanos(4_400)), "4.4 µs");
        assert_eq!(time(Duration::from_millis(12)), "12 ms");
        assert_eq!(time(Duration::from_millis(1_500)), "1.5 s");
    }
}
