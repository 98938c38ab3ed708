//! `heisenbug merge`: adds up the reports of the parts of a check.

use super::args::{Format, Merge};
use super::check::{self, Program};
use super::part::{self, Deals, Whole};
use super::{Exit, lookup, stress};
use anyhow::{Context, Result, anyhow, bail};
use heisenbug_check::{Report, add_up};
use heisenbug_explain::Shard;
use heisenbug_stress::StressReport;
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A part's report, as a file.
struct Part {
    file: PathBuf,
    shard: Shard,
    whole: Whole,
    results: Results,
}

/// What a part has found.
enum Results {
    /// On its share of the programs.
    Programs(Dealt),
    /// On its share of one program's executions.
    Executions(Box<Report>),
    /// In its share of one program's runs.
    Runs(StressReport),
}

/// What a part says of several programs.
#[derive(Deserialize)]
struct Dealt {
    skipped: Vec<String>,
    reports: Vec<Report>,
}

/// Adds up the parts. The exit code is that of a check of the whole.
pub fn run(args: &Merge) -> Result<Exit> {
    let parts = args.files.iter().map(|file| Part::read(file));
    let parts = together(parts.collect::<Result<_>>()?)?;
    let format = Format::of(args.format, args.json);
    let programs = programs(&parts[0].whole)?;
    match parts[0].whole.deals {
        Deals::Programs => {
            let (reports, skipped) = in_order(&parts, programs.len());
            check::conclude(&programs, &reports, &skipped, format)
        }
        Deals::Executions => {
            let report = add_up(&of_one_dealing(&parts)?);
            check::conclude_one(programs[0], &report, format, args.full)
        }
        Deals::Runs => {
            if format.of_a_tool().is_some() {
                bail!("runs have no timeline: use --format text or --format json");
            }
            let report = heisenbug_stress::add_up(&of_runs(parts));
            stress::conclude(programs[0], &report, format == Format::Json)
        }
    }
}

fn of_runs(parts: Vec<Part>) -> Vec<StressReport> {
    let reports = parts.into_iter().filter_map(|part| match part.results {
        Results::Runs(report) => Some(report),
        _ => None,
    });
    reports.collect()
}

/// The reports on all programs, in their order, and why some programs are in no part.
fn in_order(parts: &[Part], programs: usize) -> (Vec<Report>, Vec<String>) {
    let mut reports: Vec<Option<Report>> = vec![None; programs];
    let mut all_skipped: Vec<String> = Vec::new();
    for part in parts {
        let Results::Programs(Dealt {
            skipped,
            reports: found,
        }) = &part.results
        else {
            continue;
        };
        let own = (0..programs).filter(|&position| part.shard.has(position));
        for (position, report) in own.zip(found) {
            reports[position] = Some(report.clone());
        }
        let new = skipped.iter().filter(|why| !all_skipped.contains(why));
        let new: Vec<String> = new.cloned().collect();
        all_skipped.extend(new);
    }
    (reports.into_iter().flatten().collect(), all_skipped)
}

/// The reports on the parts of one program.
///
/// # Errors
///
/// If not all have dealt out the same: then some executions could be in two parts, and others in none.
fn of_one_dealing(parts: &[Part]) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    let mut first: Option<(&str, &Path)> = None;
    for part in parts {
        let Results::Executions(report) = &part.results else {
            continue;
        };
        reports.push((**report).clone());
        let dealt = report.shard.as_ref().and_then(|part| part.dealt.as_deref());
        let Some(dealt) = dealt else {
            continue;
        };
        let (known, file) = *first.get_or_insert((dealt, &part.file));
        if known != dealt {
            let (this, file) = (part.file.display(), file.display());
            bail!(
                "{this} has dealt out other executions than {file}: another build, or one of them has met a \
                 loop or a query that the other part has not. Check in another number of parts, or in one piece"
            );
        }
    }
    Ok(reports)
}

/// The parts in order, if they are all parts of one check, and each is there once.
fn together(mut parts: Vec<Part>) -> Result<Vec<Part>> {
    parts.sort_by_key(|part| part.shard.part);
    let (first, others) = parts.split_first().context("there is no part")?;
    for other in others {
        let (this, file) = (other.file.display(), first.file.display());
        if let Some(what) = first.whole.differs(&other.whole) {
            bail!("{this} is of another check than {file}: {what}");
        }
        if other.shard.of != first.shard.of {
            bail!("{this} is {}, and {file} is {}", other.shard, first.shard);
        }
    }
    for pair in parts.windows(2) {
        let (one, other) = (&pair[0], &pair[1]);
        if one.shard == other.shard {
            let (one, file) = (one.file.display(), other.file.display());
            bail!("{file} is {}, and so is {one}", other.shard);
        }
    }
    let shard = parts[0].shard;
    let is_there = |nth: &u32| parts.iter().any(|part| part.shard.part == *nth);
    let missing: Vec<u32> = (1..=shard.of).filter(|nth| !is_there(nth)).collect();
    if !missing.is_empty() {
        bail!("{}", absent(&missing, &parts));
    }
    Ok(parts)
}

/// Says which parts are missing, and what is there.
fn absent(missing: &[u32], parts: &[Part]) -> String {
    let numbers = missing.iter().map(|part| part.to_string());
    let numbers = numbers.collect::<Vec<_>>().join(", ");
    let of = parts[0].shard.of;
    let there = parts.iter().map(|part| {
        let (file, part) = (part.file.display(), part.shard.part);
        format!("\n{file} is part {part}")
    });
    let there: String = there.collect();
    let again = format!("`check --shard {}/{of} --json`", missing[0]);
    match missing.len() {
        1 => format!("part {numbers} of {of} is missing: {again} makes it{there}"),
        _ => {
            format!("parts {numbers} of {of} are missing: {again} makes the first of them{there}")
        }
    }
}

impl Part {
    /// # Errors
    ///
    /// If the file is not the whole report of a part, with its name.
    fn read(file: &Path) -> Result<Part> {
        let name = file.display();
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let json: Value = serde_json::from_str(&text).map_err(|error| {
            anyhow!("{name} is not a whole report: {error}; check that part again, with --json")
        })?;
        if json.get("shard").is_none_or(Value::is_null) {
            bail!("{name} is not the report of a part: `check --shard K/N --json` makes one");
        }
        let part = Part::of(file, json);
        let part = part.with_context(|| format!("{name} is not the report of a part"))?;
        part.is_finished()?;
        Ok(part)
    }

    fn of(file: &Path, mut json: Value) -> Result<Part> {
        let whole: Whole = serde_json::from_value(json["whole"].take())?;
        let shard: Shard = serde_json::from_value(json["shard"].clone())?;
        // Of a number that was edited, parts would be expected that nobody can have made.
        let shard = format!("{}/{}", shard.part, shard.of).parse();
        Ok(Part {
            file: file.to_owned(),
            shard: shard.map_err(|why: String| anyhow!("its part {why}"))?,
            results: match whole.deals {
                Deals::Programs => Results::Programs(serde_json::from_value(json)?),
                Deals::Executions => Results::Executions(serde_json::from_value(json)?),
                Deals::Runs => Results::Runs(serde_json::from_value(json)?),
            },
            whole,
        })
    }

    /// # Errors
    ///
    /// If it does not have exactly its programs, or was interrupted.
    fn is_finished(&self) -> Result<()> {
        let (file, shard) = (self.file.display(), self.shard);
        let dealt = self.dealt();
        let has = self.results.programs();
        let is_short = has.len() < dealt.len() && has == dealt[..has.len()];
        if is_short || self.results.was_interrupted() {
            bail!("{file} was interrupted: check {shard} again");
        }
        if has != dealt {
            bail!("{file} is {shard}, and has other programs than that part");
        }
        Ok(())
    }

    /// The programs that the part must have.
    fn dealt(&self) -> Vec<&str> {
        let all = self.whole.programs.iter().map(String::as_str).enumerate();
        let is_own = |position| match self.whole.deals {
            Deals::Programs => self.shard.has(position),
            Deals::Executions | Deals::Runs => position == 0,
        };
        all.filter(|(position, _)| is_own(*position))
            .map(|(_, name)| name)
            .collect()
    }
}

impl Results {
    /// The programs that they are about.
    fn programs(&self) -> Vec<String> {
        match self {
            Results::Programs(dealt) => dealt.reports.iter().map(name).collect(),
            Results::Executions(report) => vec![name(report)],
            Results::Runs(report) => vec![format!("{}/{}", report.bug, report.variant)],
        }
    }

    fn was_interrupted(&self) -> bool {
        match self {
            Results::Programs(dealt) => dealt.reports.iter().any(Report::was_interrupted),
            Results::Executions(report) => report.was_interrupted(),
            Results::Runs(report) => report.interrupted,
        }
    }
}

/// The name of a report's program.
fn name(report: &Report) -> String {
    let or_none = |name: &Option<String>| name.clone().unwrap_or_default();
    format!("{}/{}", or_none(&report.bug), or_none(&report.variant))
}

/// The programs of a check, in this catalogue.
fn programs(whole: &Whole) -> Result<Vec<Program>> {
    let found = whole.programs.iter().map(|name| {
        let found = lookup::find(name)?;
        let [variant] = found.variants()[..] else {
            bail!("{name} is not one program");
        };
        let program = (found.bug, variant);
        debug_assert_eq!(part::name(&program), *name);
        Ok(program)
    });
    found.collect()
}
