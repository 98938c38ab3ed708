//! All figures as CSV, for other programs.

use super::child::Sample;
use super::report::Report;
use super::rounds::Process;
use super::summary::{Cell, Spread};
use anyhow::Result;
use std::io::Write;

/// The columns. Names carry their units. Columns are added over time, never renamed or removed.
pub const COLUMNS: [&str; 33] = [
    "group",
    "name",
    "origin",
    "waiting",
    "sweep",
    "threads",
    "critical_steps",
    "think_steps",
    "reads_percent",
    "pinned",
    "processes",
    "noisy_processes",
    "noisy_left_out",
    "ns_per_op",
    "ns_min",
    "ns_max",
    "spread_percent",
    "ns_per_op_short",
    "growth",
    "collapses",
    "baseline",
    "ratio",
    "rank",
    "rank_shared",
    "jain",
    "min_max",
    "longest_wait_ns",
    "lwss",
    "mttr",
    "aborts_per_commit",
    "problem",
    "machine",
    "date",
];

/// Writes all cells, after a line with the columns' names. Unknown values are empty.
///
/// # Errors
///
/// If it cannot be written.
pub fn write(report: &Report, out: impl Write) -> Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for cell in &report.cells {
        let mut record = record(cell).to_vec();
        record.push(report.machine.name());
        record.push(report.machine.date.clone());
        csv.write_record(record)?;
    }
    Ok(csv.flush()?)
}

/// The columns of the table of processes.
pub const PROCESS_COLUMNS: [&str; 16] = [
    "group",
    "name",
    "round",
    "sweep",
    "threads",
    "critical_steps",
    "think_steps",
    "reads_percent",
    "asked_ns",
    "elapsed_ns",
    "ns_per_op",
    "per_thread",
    "others_share",
    "stolen_share",
    "load",
    "panic",
];

/// Writes the figures of each process, after a line with the columns' names: one line for each
/// duration that a point was measured for.
///
/// # Errors
///
/// If it cannot be written.
pub fn write_processes(report: &Report, out: impl Write) -> Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(PROCESS_COLUMNS)?;
    for process in &report.processes {
        for sample in &process.samples {
            csv.write_record(process_record(process, sample))?;
        }
    }
    Ok(csv.flush()?)
}

fn process_record(process: &Process, sample: &Sample) -> [String; PROCESS_COLUMNS.len()] {
    let counts: Vec<String> = sample.per_thread.iter().map(u64::to_string).collect();
    [
        process.subject.group().to_owned(),
        process.subject.name().to_owned(),
        process.round.to_string(),
        sample.point.sweep.name().to_owned(),
        sample.point.threads.to_string(),
        sample.point.critical.to_string(),
        sample.point.think.to_string(),
        sample.point.reads.to_string(),
        sample.time.as_nanos().to_string(),
        sample.elapsed.as_nanos().to_string(),
        number(sample.nanos()),
        counts.join(" "),
        number(process.noise.others),
        number(process.noise.stolen),
        number(process.noise.load),
        sample.panic.clone().unwrap_or_default(),
    ]
}

fn number(number: Option<f64>) -> String {
    number.map_or(String::new(), |number| format!("{number:.4}"))
}

fn record(cell: &Cell) -> [String; COLUMNS.len() - 2] {
    let of = |part: fn(Spread) -> f64| number(cell.nanos.map(part));
    [
        cell.group.clone(),
        cell.name.clone(),
        cell.origin.to_owned(),
        cell.waiting.unwrap_or_default().to_owned(),
        cell.point.sweep.name().to_owned(),
        cell.point.threads.to_string(),
        cell.point.critical.to_string(),
        cell.point.think.to_string(),
        cell.point.reads.to_string(),
        cell.pinned.to_string(),
        cell.processes.to_string(),
        cell.noisy.to_string(),
        cell.left_out.to_string(),
        of(|spread| spread.median),
        of(|spread| spread.min),
        of(|spread| spread.max),
        of(Spread::percent),
        number(cell.nanos_short.map(|spread| spread.median)),
        number(cell.growth),
        cell.collapses.to_string(),
        cell.baseline.clone().unwrap_or_default(),
        number(cell.ratio),
        cell.rank
            .map_or(String::new(), |rank| rank.place.to_string()),
        cell.rank
            .map_or(String::new(), |rank| rank.shared.to_string()),
        number(cell.jain),
        number(cell.min_max),
        cell.longest_wait
            .map_or(String::new(), |wait| wait.as_nanos().to_string()),
        number(cell.working_set),
        number(cell.reacquire),
        number(cell.aborts),
        cell.problem.clone().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn every_cell_and_every_sample_is_a_line_below_the_columns_names() {
        let report = report();
        let mut cells = Vec::new();
        write(&report, &mut cells).unwrap();
        let mut samples = Vec::new();
        write_processes(&report, &mut samples).unwrap();
        for (text, columns, lines) in [
            (cells, &COLUMNS[..], report.cells.len()),
            (samples, &PROCESS_COLUMNS[..], 4 * report.processes.len()),
        ] {
            let text = String::from_utf8(text).unwrap();
            assert_eq!(text.lines().next().unwrap(), columns.join(","));
            assert_eq!(text.lines().count(), 1 + lines, "{text}");
        }
    }
}
