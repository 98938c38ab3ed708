//! `heisenbug cost`.

use super::args::Cost;
use super::{Exit, lookup, measuring, output, servers};
use anyhow::{Result, bail};
use heisenbug_catalogue::Variant;
use heisenbug_cost::mounted;
use heisenbug_cost::store::{self, Saved, Store};
use heisenbug_cost::{self as cost, Entrant, Report};
use heisenbug_worlds as worlds;
use serde::Serialize;
use std::path::PathBuf;

/// A report, as `cost --json` prints it.
#[derive(Serialize)]
struct Priced<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// Where the prices were stored, if they were.
    stored: Option<PathBuf>,
}

/// Measures the fixes of one bug, or of all.
pub fn run(args: &Cost) -> Result<Exit> {
    let times = args.measuring.times();
    let mut threads = args.threads.clone();
    threads.sort_unstable();
    threads.dedup();
    let can_run = |variant: &Variant| servers::missing(variant).is_none();
    let entrants: Vec<Entrant> = match &args.name {
        None => mounted::bugs()
            .flat_map(|bug| cost::programs(bug, &can_run, &threads, times))
            .collect(),
        Some(name) => {
            let found = lookup::find(name)?;
            let found_name = found.bug.name;
            if worlds::locks().any(|lock| lock.name == found_name) {
                bail!("{found_name} is a lock strategy: `heisenbug race-locks` measures those");
            }
            if let Some(variant) = found.variant {
                bail!("`cost` compares all fixes of a bug: name {found_name}, without /{variant}");
            }
            let bug = mounted::bugs().find(|bug| bug.name == found_name);
            bug.map_or_else(Vec::new, |bug| {
                cost::programs(bug, &can_run, &threads, times)
            })
        }
    };
    if entrants.is_empty() {
        bail!("it has no fix that can be measured");
    }
    let command = match &args.name {
        Some(name) => format!("cost {name}"),
        None => "cost".to_owned(),
    };
    let report = measuring::run(&command, &entrants, &args.measuring)?;
    if !args.measuring.json {
        output::print(&cost::table::fixes(&report, output::text_width()))?;
    }
    let stored = keep(&report, args.measuring.json)?;
    if args.measuring.json {
        output::json(&Priced {
            report: &report,
            stored,
        })?;
    }
    Ok(measuring::exit(&report))
}

/// Stores the prices for `show` and `check`, and says where. Failing to store them is not an error:
/// they have been measured, and were shown.
fn keep(report: &Report, quiet: bool) -> Result<Option<PathBuf>> {
    let prices = store::prices(report);
    let Some(store) = Store::of_user().filter(|_| !prices.is_empty()) else {
        return Ok(None);
    };
    match store.save(prices) {
        Ok(Saved {
            file,
            set_aside,
            kept,
        }) => {
            if let Some(old) = set_aside {
                let old = old.display();
                output::complain(&format!(
                    "the file of stored prices was damaged; it was moved to {old}"
                ));
            }
            if !quiet {
                let earlier = match kept {
                    0 => "",
                    _ => "; more reliable earlier prices were kept",
                };
                output::print(&format!(
                    "\nStored for `show` and `check` in {}{earlier}",
                    file.display()
                ))?;
            }
            Ok(Some(file))
        }
        Err(error) => {
            output::complain(&format!("the prices were not stored: {error:#}"));
            Ok(None)
        }
    }
}
