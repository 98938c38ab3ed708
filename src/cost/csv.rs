//! All figures as a table for other programs.

use super::report::Report;
use super::summary::{Cell, Spread};
use anyhow::Result;
use std::io::Write;

/// The columns. Names carry their units. Columns are added over time, never renamed or removed.
pub const COLUMNS: [&str; 32] = [
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
    "problem",
    "machine",
    "date",
];

/// Writes all cells, after a line with the columns' names. What is not known is empty.
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

fn record(cell: &Cell) -> [String; COLUMNS.len() - 2] {
    let number = |number: Option<f64>| number.map_or(String::new(), |n| format!("{n:.4}"));
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
        cell.problem.clone().unwrap_or_default(),
    ]
}
