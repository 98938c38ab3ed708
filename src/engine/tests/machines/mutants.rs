//! The exploration with one of its rules broken: something must notice.
//!
//! The unbroken exploration, which agrees with brute force on the same programs, is what the broken one is
//! compared with, including the lengths of paths.

use crate::brute::{ends_of, explored};
use crate::directed;
use crate::support::machine::quiet_machines;
use crate::support::random::script;
use heisenbug_engine::machines::{Found, Options, Sabotage};

/// The maximal number of programs that are tried.
const PROGRAMS: u64 = 1_000;

/// The number of states after which an exploration is stopped.
const MOST: u64 = 20_000;

macro_rules! noticed {
    ($($name:ident: $sabotage:ident;)*) => {
        $(
            #[test]
            fn $name() {
                quiet_machines();
                let noticed = (0..PROGRAMS).any(|number| notices(Sabotage::$sabotage, number));
                assert!(noticed, "{:?} goes unnoticed", Sabotage::$sabotage);
            }
        )*
    };
}

noticed! {
    no_split: NoSplit;
    no_split_of_writes: NoSplitOfWrites;
    whole_reads: WholeReads;
    boots_observe: BootsObserve;
    no_stop_within: NoStopWithin;
    no_crash_within: NoCrashWithin;
    eager_observes: EagerObserves;
    eager_without_faults: EagerWithoutFaults;
    crash_returns_message: CrashReturnsMessage;
    no_crash_with_duplicate: NoCrashWithDuplicate;
    no_torn_writes: NoTornWrites;
    depth_ignored: DepthIgnored;
    one_loss_at_a_time: OneLossAtATime;
}

#[test]
fn eager_circles() {
    let broken = with(Sabotage::EagerCircles);
    assert!(!directed::sees_the_other_machine(&broken));
}

#[test]
fn any_faults_cover() {
    let broken = with(Sabotage::AnyFaultsCover);
    assert!(!directed::loses_after_an_early_timer(&broken));
}

fn with(sabotage: Sabotage) -> Options {
    Options {
        sabotage: Some(sabotage),
        max_states: MOST,
        ..Options::default()
    }
}

fn notices(sabotage: Sabotage, number: u64) -> bool {
    let script = script(number);
    let options = Options {
        max_states: MOST,
        ..Options::default()
    };
    let expected = explored(&script, &options);
    let found = explored(&script, &with(sabotage));
    let lengths = |found: &Found| -> usize { found.ends.iter().map(|end| end.path.len()).sum() };
    expected.complete == Ok(())
        && (ends_of(&expected) != ends_of(&found) || lengths(&expected) != lengths(&found))
}
