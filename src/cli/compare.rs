//! `heisenbug compare`: one shape of bug at each scale it exists at.

use super::args::Compare;
use super::{Exit, check, lookup, output, servers};
use anyhow::{Result, bail};
use heisenbug_catalogue::{Bug, Scale, Shape, Variant};
use heisenbug_check::{Report, Verdict, interrupted};
use heisenbug_explain as explain;
use heisenbug_explain::style::{Paint, paint};
use heisenbug_worlds as worlds;
use serde::Serialize;

/// What `compare --json` prints.
#[derive(Serialize)]
struct Compared {
    shape: &'static str,
    /// What is the same at each scale.
    idea: &'static str,
    scales: Vec<AtScale>,
}

/// The first bug of the shape at one scale.
#[derive(Serialize)]
struct AtScale {
    scale: &'static str,
    summary: &'static str,
    /// The schedule that breaks it, in words.
    schedule: &'static str,
    report: Report,
}

/// Checks the buggy variant of one bug per scale, and prints them one under the other.
pub fn run(args: &Compare) -> Result<Exit> {
    let shape = shape(&args.name)?;
    let programs: Vec<(&Bug, &Variant)> = { Scale::ALL.into_iter() }
        .filter_map(|scale| example(shape, scale, &args.name))
        .collect();
    let checker = check::checker(&args.limits, args.engine)?.jobs(args.limits.cores());
    if checker.is_replay() {
        bail!("--replay runs one program: heisenbug check BUG/VARIANT --replay TOKEN");
    }
    if !args.json {
        output::print(&heading(shape))?;
    }
    let mut scales = Vec::new();
    let mut exit = Exit::Good;
    for (bug, variant) in programs {
        let report = check::check(bug, variant, &checker)?;
        match report.verdict {
            _ if interrupted() => return Ok(Exit::Interrupted),
            Verdict::Fails => {}
            Verdict::Unknown => exit = Exit::Unknown,
            // It is a bug: if it does not fail, something is broken.
            Verdict::Holds | Verdict::Bounded => exit = Exit::Bad,
        }
        if !args.json {
            output::print(&section(bug, &report))?;
        }
        scales.push(AtScale {
            scale: bug.scale.name(),
            summary: bug.summary,
            schedule: bug.schedule,
            report,
        });
    }
    if args.json {
        output::json(&Compared {
            shape: shape.name(),
            idea: shape.idea(),
            scales,
        })?;
    } else {
        output::print(&missing(shape, &scales))?;
    }
    Ok(exit)
}

/// The shape of that name, or of the bug of that name.
fn shape(name: &str) -> Result<Shape> {
    let dashed = name.replace('_', "-");
    if let Some(bug) = worlds::bugs().find(|bug| bug.name == dashed) {
        return Ok(bug.shape);
    }
    let mut shapes = Shape::ALL.into_iter();
    if let Some(shape) = shapes.find(|shape| shape.name() == dashed) {
        if !worlds::bugs().any(|bug| bug.shape == shape) {
            bail!("no bug has the shape {shape} yet; `heisenbug list` shows those there are");
        }
        return Ok(shape);
    }
    let shapes = Shape::ALL.map(Shape::name);
    let bugs = worlds::bugs().map(|bug| bug.name);
    // One of the bugs may be named like its shape.
    let names: Vec<&str> = { shapes.into_iter() }
        .chain(bugs.filter(|bug| !shapes.contains(bug)))
        .collect();
    bail!(
        "no shape and no bug is named \"{name}\"{}\n\nthe shapes: {}",
        lookup::did_you_mean(name, &names, ""),
        shapes.join(", ")
    );
}

/// A bug of the shape at that scale, and how it is buggy: the one that was named, or else the first.
fn example(shape: Shape, scale: Scale, named: &str) -> Option<(&'static Bug, &'static Variant)> {
    let named = named.replace('_', "-");
    let mut bugs: Vec<&'static Bug> = worlds::bugs()
        .filter(|bug| bug.shape == shape && bug.scale == scale)
        .collect();
    bugs.sort_by_key(|bug| bug.name != named);
    bugs.into_iter().find_map(|bug| {
        let fails = |variant: &&Variant| variant.role.expected().is_some();
        let can_run = |variant: &&Variant| servers::missing(variant).is_none();
        let buggy = { bug.variants.iter() }.find(|variant| fails(variant) && can_run(variant))?;
        Some((bug, buggy))
    })
}

fn heading(shape: Shape) -> String {
    let idea = explain::wrap(shape.idea(), output::text_width(), "");
    format!("{}\n{idea}", paint(Paint::Bold, shape.name()))
}

/// One scale: its bug, the counterexample, and the same in words.
fn section(bug: &Bug, report: &Report) -> String {
    let title = paint(Paint::Bold, &format!("Among {}", bug.scale));
    let summary = explain::wrap(
        &format!("{}: {}", bug.name, bug.summary),
        output::text_width(),
        "",
    );
    let timeline = output::report(report, false);
    let schedule = explain::wrap(bug.schedule, output::text_width(), "");
    format!("\n{title}\n{summary}\n\n{timeline}\n\nIn words:\n{schedule}")
}

/// The scales at which there is no such bug in the catalogue.
fn missing(shape: Shape, found: &[AtScale]) -> String {
    let missing: Vec<&str> = { Scale::ALL.into_iter() }
        .map(Scale::name)
        .filter(|scale| found.iter().all(|found| found.scale != *scale))
        .collect();
    match missing.is_empty() {
        true => String::new(),
        false => format!("\nNo {shape} among {} yet.", missing.join(" or ")),
    }
}
