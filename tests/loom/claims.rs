//! loom's verdicts on the catalogue's programs: `cargo test --test loom lost_update`.
//!
//! Where loom is wrong, the test asserts its wrong answer, and says why. A test that fails there
//! because loom got better is good news.
//!
//! No model here is bounded: the largest takes a quarter of a second.

use heisenbug_catalogue::{Bug, Class, Variant};
use heisenbug_check::Verdict;
use heisenbug_loom as loom;
use heisenbug_loom::ask::{Answer, Limits, answer, ask, explore, find};
use heisenbug_worlds as worlds;
use std::process::Command;
use std::time::Duration;

/// loom's verdict on a program.
#[derive(Clone, Copy, Debug)]
enum Claim {
    /// It holds, and should.
    Holds,
    /// It fails, in the way that the catalogue says.
    Fails,
    /// It fails in another way than the catalogue says, which is also correct.
    FailsWith(Class),
    /// It fails, although it is correct: a false alarm.
    CriesWolf(Class),
    /// loom cannot be asked.
    NotAsked,
}
use Claim::{CriesWolf, Fails, FailsWith, Holds, NotAsked};

/// A test for each program, in a module for each bug, and the list of them all.
macro_rules! claims {
    ($($bug:ident { $($variant:ident: $claim:expr),* $(,)? })*) => {
        $(mod $bug {
            use super::*;

            $(#[test]
            fn $variant() {
                assert_claim(stringify!($bug), stringify!($variant), $claim);
            })*
        })*

        const CLAIMED: &[(&str, &str)] = &[$($((stringify!($bug), stringify!($variant))),*),*];
    };
}

claims! {
    lost_update {
        buggy: Fails,
        trap_seq_cst: Fails,
        fixed_fetch_add: Holds,
        fixed_mutex: Holds,
    }
    overdraft {
        buggy: Fails,
        trap_two_locks: Fails,
        fixed_mutex: Holds,
        fixed_compare_exchange: Holds,
    }
    torn_read {
        buggy: Fails,
        trap_acquire_load: Fails,
        fixed_seqlock: Holds,
        fixed_one_word: Holds,
        fixed_mutex: Holds,
    }
    unsafe_publication {
        buggy: Fails,
        trap_release_only: Fails,
        fixed_release_acquire: Holds,
        fixed_fences: Holds,
        fixed_once_lock: NotAsked,
    }
    store_buffering {
        buggy: Fails,
        trap_release_acquire: Fails,
        fixed_fences: Holds,
        // loom treats SeqCst accesses as AcqRel, and those may be reordered. Only its SeqCst
        // fences work as they should.
        fixed_seq_cst: CriesWolf(Class::Assertion),
    }
    ab_ba_deadlock {
        buggy: Fails,
        trap_richer_first: Fails,
        fixed_lock_order: Holds,
        fixed_one_lock: Holds,
    }
    double_lock {
        buggy: Fails,
        trap_named_guard: Fails,
        fixed_let: Holds,
        fixed_one_guard: Holds,
    }
    lost_wakeup {
        buggy: Fails,
        trap_flag_outside: Fails,
        fixed_predicate: Holds,
        fixed_empty_section: Holds,
    }
    aba {
        buggy: Fails,
        trap_look_again: Fails,
        fixed_version: Holds,
        fixed_mutex: Holds,
    }
    publish_after_wake {
        buggy: Fails,
        trap_one_look: Fails,
        fixed_publish_first: Holds,
        fixed_one_lock: Holds,
    }
    double_checked_init {
        buggy: Fails,
        trap_single_check: Fails,
        fixed_release_acquire: Holds,
        fixed_once_lock: NotAsked,
        fixed_mutex: Holds,
    }
    test_and_set {
        // In loom a store may come between what a swap reads and what it writes. So the holder's
        // `false` can end up before the `true` of a swap that failed, and then no thread ever sees it:
        // the waiting thread spins on a lock that is free.
        two_threads: CriesWolf(Class::Livelock),
        three_threads: CriesWolf(Class::Livelock),
        trap_load_then_store: Fails,
    }
    backoff {
        // As with `test_and_set`.
        two_threads: CriesWolf(Class::Livelock),
        three_threads: CriesWolf(Class::Livelock),
        a_panic: NotAsked,
        trap_acquire_on_look: Fails,
    }
    ticket {
        two_threads: Holds,
        three_threads: NotAsked,
        a_panic: NotAsked,
        trap_relaxed_turn: Fails,
    }
    mcs {
        two_threads: Holds,
        three_threads: NotAsked,
        trap_leave_early: Fails,
    }
    clh {
        two_threads: Holds,
        three_threads: Holds,
        trap_own_node: Fails,
    }
    flat_combining {
        // As with `test_and_set`: its lock is taken by a swap.
        two_threads: CriesWolf(Class::Livelock),
        three_threads: CriesWolf(Class::Livelock),
        a_panic: NotAsked,
        trap_only_asks: Fails,
    }
    phase_fair {
        writer_and_reader: Holds,
        two_writers: Holds,
        three_threads: Holds,
        trap_no_phase: Fails,
        trap_look_first: Fails,
    }
    sharded_lock {
        writer_and_reader: Holds,
        two_writers: Holds,
        two_readers: Holds,
        trap_own_shard_first: Fails,
    }
    seqlock {
        writer_and_reader: Holds,
        two_writers: Holds,
        three_threads: NotAsked,
        trap_no_fence: Fails,
        trap_plain_data: Fails,
    }
    snapshot {
        writer_and_reader: Holds,
        three_threads: Holds,
        trap_no_wait: Fails,
        trap_one_wait: Fails,
        trap_look_by_load: Fails,
    }
    sharded_counter {
        three_threads: Holds,
        total_meanwhile: Holds,
        trap_load_then_store: Fails,
    }
    spsc_ring {
        one_slot: Holds,
        two_slots: Holds,
        dropped: Holds,
        trap_index_before_data: Fails,
        trap_relaxed_head: Fails,
    }
    mpmc_queue {
        one_slot: Holds,
        two_slots: Holds,
        two_push: Holds,
        three_threads: Holds,
        dropped: Holds,
        // An element is overwritten: loom already reports the two writes.
        trap_no_lap: FailsWith(Class::DataRace),
        trap_stamp_before_data: Fails,
    }
}

#[test]
fn every_mounted_program_has_its_claim() {
    let mounted = loom::all().flat_map(|bug| {
        let variants = bug.variants.iter();
        variants.map(|variant| (bug.name.replace('-', "_"), variant.name))
    });
    let claimed = CLAIMED
        .iter()
        .map(|&(bug, variant)| (bug.to_owned(), variant));
    assert_eq!(claimed.collect::<Vec<_>>(), mounted.collect::<Vec<_>>());
}

#[test]
fn whatever_is_not_mounted_says_why_in_its_story() {
    for bug in worlds::all() {
        let mounted = loom::all().find(|mounted| mounted.name == bug.name);
        let whole = mounted.is_some_and(|bug| {
            bug.variants
                .iter()
                .all(|program| loom::lacks(bug, program).is_none())
        });
        let story = { bug.source.lines() }
            .take_while(|line| line.starts_with("//!"))
            .map(|line| line.trim_start_matches("//!").trim_start())
            .collect::<Vec<_>>()
            .join(" ");
        let says_so = story.contains("loom has no ") || story.contains("loom cannot ");
        assert_eq!(says_so, !whole, "{}", bug.file);
    }
}

fn assert_claim(bug: &str, variant: &str, claim: Claim) {
    let found = find(&bug.replace('_', "-"), variant);
    let Ok((bug, program)) = found else {
        assert!(
            matches!(claim, NotAsked),
            "loom was not asked: {}",
            found.unwrap_err()
        );
        return;
    };
    let answer = answer_on(bug, program);
    let expected = program.role.expected();
    let (verdict, class) = match claim {
        Holds => (Verdict::Holds, None),
        Fails => (Verdict::Fails, expected.map(|expected| expected.class)),
        FailsWith(class) | CriesWolf(class) => (Verdict::Fails, Some(class)),
        NotAsked => panic!("loom can be asked"),
    };
    assert_eq!(
        (answer.verdict, answer.class),
        (verdict, class),
        "{answer:?}"
    );
    let is_meant_to_hold = matches!(claim, Holds | CriesWolf(_));
    assert_eq!(is_meant_to_hold, expected.is_none(), "{:?}", program.role);
    if let (Fails, Some(Class::Assertion)) = (claim, class) {
        let outcome = expected.map(|expected| expected.outcome);
        assert_eq!(answer.message.as_deref(), outcome);
    }
}

/// Asks in this process, or in another one if loom would end it.
fn answer_on(bug: &'static Bug, program: &'static Variant) -> Answer {
    // On a busy machine loom takes as long as it takes: what it says depends on executions alone.
    let limits = Limits {
        max_time: Duration::from_millis(u64::MAX),
        ..Limits::default()
    };
    let class = program.role.expected().map(|expected| expected.class);
    if class == Some(Class::Deadlock) {
        return ask(bug, program, limits, this_test).expect("loom answers");
    }
    let model = move || explore(bug, program, limits, |_| ());
    std::thread::spawn(model)
        .join()
        .expect("its panics are caught")
}

/// The child process is this test binary, with one test to run.
fn this_test(args: &[String]) -> Command {
    let program = std::env::current_exe().expect("a test program knows its own file");
    let mut command = Command::new(program);
    command
        .args(["--exact", "claims::a_child_answers_its_parent"])
        .env(TASK, args.join("\n"));
    command
}

const TASK: &str = "HEISENBUG_LOOM_TASK";

#[test]
fn a_child_answers_its_parent() {
    if let Ok(task) = std::env::var(TASK) {
        let args: Vec<String> = task.split('\n').map(str::to_owned).collect();
        answer(&args).expect("the task is its parent's");
    }
}
