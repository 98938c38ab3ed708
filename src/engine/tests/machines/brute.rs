//! The exploration against brute force, on random programs: the same ends, with the fewest faults that each
//! of them takes. More programs:
//!
//! ```sh
//! HEISENBUG_FUZZ=20000 cargo test --release -p heisenbug-engine --test machines brute
//! ```

use crate::support::machine::{quiet_machines, text};
use crate::support::oracle::{self, Ends};
use crate::support::random::{Script, script};
use heisenbug_engine::machines::{Found, Options, Path, explore, record};

/// How many programs are tried.
const PROGRAMS: u64 = 300;

/// The maximal number of states of a program that is tried, by brute force.
pub const SMALL: usize = 20_000;

/// Explores a program with these options.
pub fn explored(script: &Script, options: &Options) -> Found {
    explore(&script.program(), options, &mut |_| true)
}

/// The ends that were found.
pub fn ends_of(found: &Found) -> Ends {
    let ends = found.ends.iter();
    ends.map(|end| (text(&end.label), end.faults.total()))
        .collect()
}

fn check_paths(script: &Script, found: &Found) {
    for end in &found.ends {
        let path: Path = end.path.to_string().parse().expect("a path");
        assert_eq!(path, end.path);
        record(&script.program(), &path);
    }
}

#[test]
fn the_ends_are_those_of_brute_force() {
    quiet_machines();
    let asked = std::env::var("HEISENBUG_FUZZ")
        .ok()
        .and_then(|text| text.parse().ok());
    let (mut compared, mut ends) = (0, 0);
    for number in 0..asked.unwrap_or(PROGRAMS) {
        let script = script(number);
        let Some(expected) = oracle::enumerate(&script, SMALL) else {
            continue;
        };
        let found = explored(&script, &Options::default());
        assert_eq!(found.complete, Ok(()), "{number}: {script:?}");
        assert_eq!(ends_of(&found), expected, "{number}: {script:?}");
        check_paths(&script, &found);
        compared += 1;
        ends += expected.len();
    }
    println!("{compared} programs, {ends} ends");
    assert!(compared > 0 && ends > compared);
}
