//! `heisenbug race-locks`.

use super::args::RaceLocks;
use super::lookup::did_you_mean;
use super::{Exit, measuring, output};
use anyhow::{Result, bail};
use heisenbug_cost::field::Family;
use heisenbug_cost::{self as cost, Entrant, FAMILIES, family_name};

/// Races one family, or all.
pub fn run(args: &RaceLocks) -> Result<Exit> {
    let families = match &args.family {
        Some(name) => vec![find(name)?],
        None => FAMILIES.to_vec(),
    };
    let times = args.measuring.times();
    let mut threads = args.threads.clone();
    threads.sort_unstable();
    threads.dedup();
    let entrants: Vec<Entrant> = { families.iter() }
        .flat_map(|&family| cost::contestants(family, &threads, times))
        .filter(|entrant| !entrant.task.points.is_empty())
        .collect();
    if entrants.is_empty() {
        bail!("no strategy in this family supports that many threads");
    }
    let command = match &args.family {
        Some(_) => format!("race-locks {}", family_name(families[0])),
        None => "race-locks".to_owned(),
    };
    let report = measuring::run(&command, &entrants, &args.measuring)?;
    if args.measuring.json {
        output::json(&report)?;
    } else {
        output::print(&cost::table::race(&report, output::text_width()))?;
    }
    Ok(measuring::exit(&report))
}

fn find(name: &str) -> Result<Family> {
    let dashed = name.to_lowercase().replace('_', "-");
    if let Some(family) = FAMILIES
        .into_iter()
        .find(|&family| family_name(family) == dashed)
    {
        return Ok(family);
    }
    let names = FAMILIES.map(family_name);
    bail!(
        "there is no family \"{name}\"{}\n\nthe families: {}",
        did_you_mean(name, &names, ""),
        names.join(", ")
    );
}
