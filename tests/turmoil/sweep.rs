//! Many seeds of each program, beside what a search finds of it.

use crate::network::Lead;
use crate::{double_charge, lapsed_lease, late_reply, lost_name, stale_fill};
use heisenbug::Checker;
use heisenbug::catalogue::{Bug, Grade};
use std::fmt::Write;

/// How many seeds are tried.
pub const SEEDS: u64 = 200;

/// A bug as a tokio program.
pub struct Program {
    /// Its name in the catalogue.
    pub bug: &'static str,
    /// The name of its fix in the catalogue.
    fix: &'static str,
    /// What chance may do to it.
    chance: &'static str,
    /// How it ends: as an outcome in the catalogue.
    pub run: fn(bool, Lead) -> &'static str,
}

pub const PROGRAMS: [Program; 5] = [
    Program {
        bug: "double-charge",
        fix: "fixed_key_with_charge",
        chance: "slow, lost",
        run: double_charge::run,
    },
    Program {
        bug: "lapsed-lease",
        fix: "fixed_fencing_token",
        chance: "slow",
        run: lapsed_lease::run,
    },
    Program {
        bug: "stale-fill",
        fix: "fixed_token",
        chance: "slow",
        run: stale_fill::run,
    },
    Program {
        bug: "late-reply",
        fix: "fixed_numbers",
        chance: "slow",
        run: late_reply::run,
    },
    Program {
        bug: "lost-name",
        fix: "fixed_sync_both",
        chance: "slow, a crash",
        run: lost_name::run,
    },
];

impl Program {
    fn bug(&self) -> &'static Bug {
        let mut bugs = heisenbug_worlds::bugs();
        let bug = bugs.find(|bug| bug.name == self.bug);
        bug.expect("it is in the catalogue")
    }

    /// Whether the buggy program fails with this seed.
    pub fn fails(&self, seed: u64) -> bool {
        self.ends_badly(false, seed)
    }

    fn ends_badly(&self, fixed: bool, seed: u64) -> bool {
        let label = (self.run)(fixed, Lead::Seed(seed));
        let outcome = self.bug().outcome(label).expect("it is in the catalogue");
        outcome.grade == Grade::Forbidden
    }

    fn row(&self, fixed: bool) -> String {
        let failing = (0..SEEDS).filter(|&seed| self.ends_badly(fixed, seed));
        let failing: Vec<u64> = failing.collect();
        let first = failing.first().map(u64::to_string).unwrap_or_default();
        let name = if fixed { self.fix } else { "buggy" };
        format!(
            "{:13} {name:21} {:13} {SEEDS:5} {:7} {first:>5}  {}",
            self.bug,
            self.chance,
            failing.len(),
            self.search(name)
        )
    }

    /// What a search finds of the same program in the catalogue.
    fn search(&self, variant: &str) -> String {
        let bug = self.bug();
        let variant = bug.variant(variant).expect("it is in the catalogue");
        let report = Checker::new().check_variant(bug, variant);
        assert!(report.complete, "{report}");
        let network = report.network.as_ref().expect("it is about machines");
        let verdict = match &network.needed {
            Some(needed) if needed.is_empty() => "fails without faults".to_owned(),
            Some(needed) => format!("fails with {}", needed.join(", ")),
            None if network.allowed.is_empty() => "holds without faults".to_owned(),
            None => format!("holds with up to {}", network.allowed.join(", ")),
        };
        format!("{:6}  {verdict}", network.states)
    }
}

pub fn report() -> String {
    let mut text = String::from(ABOUT);
    for program in &PROGRAMS {
        for fixed in [false, true] {
            writeln!(text, "{}", program.row(fixed)).expect("memory");
        }
    }
    text
}

const ABOUT: &str = "\
Bugs among machines: a sweep of seeds, and a search.

Sweep: a tokio program on turmoil, which runs once with each seed. \"slow\": a message takes 1 to 100 ms, 20 on
average. \"lost\": one in 20 is, with all that is under way between the two machines. \"failing\": with how many of
the seeds it ends as it must not; \"first\" is the lowest of them. That says how often the bug turns up under these
odds. 0 says that it did not, and not that it cannot.

Search: the program of the catalogue, with messages in every order and with every fault within its bounds. \"states\":
how many there are, whether or not it fails. The verdict is about all of them: it fails, and takes so many faults
to do so; or it holds, with up to so many. Some faults are known here only (turmoil duplicates no message), and some
have other names: where a message is slow there, a timer is early here.

                                    sweep                              search
bug           program               chance        seeds failing first  states  verdict
";
