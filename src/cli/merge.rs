//! `heisenbug merge`: adds up the reports of the parts of a check.

use super::args::{Format, Merge};
use super::check::{self, Program};
use super::part::{self, Whole};
use super::{Exit, lookup};
use anyhow::{Context, Result, anyhow, bail};
use heisenbug_check::Report;
use heisenbug_explain::Shard;
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A part's report, as a file.
struct Part {
    file: PathBuf,
    shard: Shard,
    whole: Whole,
    results: Dealt,
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
    let mut reports: Vec<Option<Report>> = vec![None; programs.len()];
    for part in &parts {
        let own = (0..programs.len()).filter(|&position| part.shard.has(position));
        for (position, report) in own.zip(&part.results.reports) {
            reports[position] = Some(report.clone());
        }
    }
    let reports: Option<Vec<Report>> = reports.into_iter().collect();
    let reports = reports.expect("each part has all of its programs");
    check::conclude(&programs, &reports, &parts[0].results.skipped, format)
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
        let (shard, whole) = (json["shard"].take(), json["whole"].take());
        let shard: Shard = serde_json::from_value(shard)?;
        // Of a number that was edited, parts would be expected that nobody can have made.
        let shard = format!("{}/{}", shard.part, shard.of).parse();
        Ok(Part {
            file: file.to_owned(),
            shard: shard.map_err(|why: String| anyhow!("its part {why}"))?,
            whole: serde_json::from_value(whole)?,
            results: serde_json::from_value(json)?,
        })
    }

    /// # Errors
    ///
    /// If it does not have exactly its programs, or was interrupted.
    fn is_finished(&self) -> Result<()> {
        let (file, shard) = (self.file.display(), self.shard);
        let numbered = self.whole.programs.iter().enumerate();
        let dealt = numbered.filter(|(position, _)| shard.has(*position));
        let dealt: Vec<&str> = dealt.map(|(_, name)| name.as_str()).collect();
        let reports = &self.results.reports;
        let has: Vec<String> = reports.iter().map(name).collect();
        let is_short = has.len() < dealt.len() && has == dealt[..has.len()];
        if is_short || reports.iter().any(Report::was_interrupted) {
            bail!("{file} was interrupted: check {shard} again");
        }
        if has != dealt {
            bail!("{file} is {shard}, and has other programs than that part");
        }
        Ok(())
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
