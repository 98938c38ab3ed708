//! A part of a check: which programs it gets, and what it prints for `merge`.

use super::args::{Check, Engine};
use super::check::{Checked, Program};
use heisenbug_explain::Shard;
use heisenbug_stress::StressReport;
use serde::{Deserialize, Serialize};

/// What a part of several programs prints as JSON.
#[derive(Serialize)]
pub struct Dealt {
    /// Which part it is.
    pub shard: Shard,
    /// What it is a part of.
    pub whole: Whole,
    /// Why some programs are in no part.
    pub skipped: Vec<String>,
    /// The reports on its programs.
    pub reports: Vec<Checked>,
}

/// What a part of one program prints as JSON.
#[derive(Serialize)]
pub struct One {
    /// The report on the part, which says which part it is.
    #[serde(flatten)]
    pub checked: Checked,
    /// What it is a part of.
    pub whole: Whole,
}

/// What is dealt out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deals {
    /// Whole programs.
    Programs,
    /// The executions of one program.
    Executions,
    /// The runs of a stress.
    Runs,
}

/// What a check of all parts is about. Reports that differ in it do not belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whole {
    /// The version of heisenbug.
    version: String,
    /// What is dealt out.
    pub deals: Deals,
    /// The programs, as `bug/variant`, in the order in which they are dealt out.
    pub programs: Vec<String>,
    /// A number made from their source files.
    sources: String,
    options: Options,
}

/// What a part of a stress prints as JSON.
#[derive(Serialize)]
pub struct Stressed<'a> {
    /// Which part it is.
    pub shard: Shard,
    /// What it is a part of.
    pub whole: Whole,
    /// What it has seen.
    #[serde(flatten)]
    pub report: &'a StressReport,
}

/// The options that decide what is explored, or how often it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Options {
    Check(Limits),
    Stress { runs: u64 },
}

/// The options that decide what is explored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Limits {
    engine: String,
    spurious: u8,
    max_executions: u64,
    max_seconds: Option<f64>,
    max_memory: Option<u64>,
}

/// The programs that a shard gets.
pub fn dealt(programs: &[Program], shard: Shard) -> Vec<Program> {
    let numbered = programs.iter().enumerate();
    let own = numbered.filter(|(position, _)| shard.has(*position));
    own.map(|(_, program)| *program).collect()
}

/// A program's name.
pub fn name((bug, variant): &Program) -> String {
    format!("{}/{}", bug.name, variant.name)
}

impl Whole {
    /// The check of these programs that the command line asks for.
    pub fn of(deals: Deals, programs: &[Program], args: &Check) -> Whole {
        let limits = &args.limits;
        let engine = match args.engine {
            Engine::Sc => "sc",
            Engine::Weak => "weak",
            Engine::Loom => "loom",
        };
        let options = Options::Check(Limits {
            engine: engine.to_owned(),
            spurious: limits.spurious,
            max_executions: limits.max_executions,
            max_seconds: limits.max_time.map(|time| time.as_secs_f64()),
            max_memory: limits.max_memory,
        });
        Whole::with(deals, programs, options)
    }

    /// That many runs of a program.
    pub fn of_runs(program: Program, runs: u64) -> Whole {
        Whole::with(Deals::Runs, &[program], Options::Stress { runs })
    }

    fn with(deals: Deals, programs: &[Program], options: Options) -> Whole {
        let mut files: Vec<&str> = programs.iter().map(|(bug, _)| bug.source).collect();
        files.dedup();
        Whole {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            deals,
            programs: programs.iter().map(name).collect(),
            sources: format!("{:016x}", sum(&files)),
            options,
        }
    }

    /// In what another check differs from this one, if it is not the same.
    pub fn differs(&self, other: &Whole) -> Option<&'static str> {
        match other {
            _ if self.version != other.version => Some("another version of heisenbug"),
            _ if self.programs != other.programs => Some("other programs"),
            _ if self.deals != other.deals => Some("something else is dealt out"),
            _ if self.sources != other.sources => Some("other sources of the same programs"),
            _ if self.options != other.options => Some("other options"),
            _ => None,
        }
    }
}

/// The FNV-1a sum of texts, as each of them ends with a byte that no text has. It is the same on all
/// machines, which the standard library's does not promise.
fn sum(texts: &[&str]) -> u64 {
    let ends = texts.iter().flat_map(|text| text.bytes().chain([0xff]));
    ends.fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
