//! Litmus tests by name: a few accesses each, and the outcomes that RC11 allows.
//!
//! A line gives the program (the notation is that of `support/text.rs`), the number of outcomes of the
//! interleavings, and the outcomes that RC11 adds to them: exactly these. So both a missing outcome and
//! an extra one are failures, and an outcome that is not listed under a test's name is one that the
//! orderings in it forbid. Brute force and the engine must both agree with the table.
//!
//! The names are those of the literature (Alglave, Maranget and Tautschnig, *Herding Cats*, TOPLAS
//! 2014; Lahav and others, *Repairing sequential consistency in C/C++11*, PLDI 2017). RC11 has no load
//! buffering, which C++20 allows.

use crate::support::graph::Graph;
use crate::support::oracle;
use crate::support::run;
use crate::support::text::{self, Litmus};
use heisenbug_engine::search::{Config, Model};
use std::collections::BTreeSet;

fn outcomes<'a>(litmus: &Litmus, graphs: impl IntoIterator<Item = &'a Graph>) -> BTreeSet<String> {
    graphs
        .into_iter()
        .map(|graph| litmus.outcome(graph))
        .collect()
}

fn by_brute_force(litmus: &Litmus, model: Model) -> BTreeSet<String> {
    let executions = oracle::enumerate(&litmus.program, model, u8::MAX, usize::MAX);
    let executions = executions.expect("there is no limit");
    outcomes(litmus, &executions.complete)
}

fn by_the_engine(litmus: &Litmus, model: Model) -> BTreeSet<String> {
    let config = Config {
        model,
        spurious: u8::MAX,
        ..Config::default()
    };
    let found = run::run(&litmus.program, &config, 1_000_000);
    assert!(found.summary.complete, "{:?}", found.summary);
    assert_eq!(found.odd, [], "no other ending");
    assert_eq!(found.duplicates, 0, "no execution twice");
    outcomes(litmus, &found.complete)
}

fn check(text: &str, interleaved: usize, weak: &[&str]) {
    let litmus = text::parse(text);
    for (who, find) in [
        (
            "brute force",
            by_brute_force as fn(&Litmus, Model) -> BTreeSet<String>,
        ),
        ("the engine", by_the_engine),
    ] {
        let (sc, rc11) = (find(&litmus, Model::Sc), find(&litmus, Model::Rc11));
        assert!(sc.is_subset(&rc11), "{who}: {sc:?} {rc11:?}");
        let added: Vec<&String> = rc11.difference(&sc).collect();
        assert_eq!(added, weak, "{who}: beyond {sc:?}");
        assert_eq!(sc.len(), interleaved, "{who}: {sc:?}");
    }
}

macro_rules! litmus {
    ($($name:ident: $program:literal, $sc:literal + [$($weak:literal),*];)*) => {
        $(
            #[test]
            fn $name() {
                check($program, $sc, &[$($weak),*]);
            }
        )*
    };
}

/// Store buffering: both threads miss each other's store.
mod sb {
    use super::check;

    litmus! {
        relaxed: "W x 1; R y | W y 1; R x", 3 + ["0 0"];
        release_acquire: "W.rel x 1; R.acq y | W.rel y 1; R.acq x", 3 + ["0 0"];
        seq_cst: "W.sc x 1; R.sc y | W.sc y 1; R.sc x", 3 + [];
        sc_stores_alone: "W.sc x 1; R y | W.sc y 1; R x", 3 + ["0 0"];
        sc_loads_alone: "W x 1; R.sc y | W y 1; R.sc x", 3 + ["0 0"];
        one_side_sc: "W.sc x 1; R.sc y | W.rel y 1; R.acq x", 3 + ["0 0"];
        sc_fences: "W x 1; F.sc; R y | W y 1; F.sc; R x", 3 + [];
        one_sc_fence: "W x 1; F.sc; R y | W y 1; R x", 3 + ["0 0"];
        sc_fence_against_sc_accesses: "W x 1; F.sc; R y | W.sc y 1; R.sc x", 3 + [];
        sc_fence_against_acq_rel_fence: "W x 1; F.sc; R y | W y 1; F.ar; R x", 3 + ["0 0"];
        acq_rel_fences: "W x 1; F.ar; R y | W y 1; F.ar; R x", 3 + ["0 0"];
        sc_swaps: "X.sc x 1; R.sc y | X.sc y 1; R.sc x", 3 + [];
        acq_rel_swaps: "X.ar x 1; R.acq y | X.ar y 1; R.acq x", 3 + ["0 0 0 0"];
        update_instead_of_load: "W x 1; A.ar y 0 | W y 1; A.ar x 0", 3 + ["0 0"];
        sc_update_instead_of_load: "W.sc x 1; A.sc y 0 | W.sc y 1; A.sc x 0", 3 + [];
        update_of_one_location_between: "W x 1; A.ar z 0; R y | W y 1; A.ar z 0; R x", 3 + [];
        relaxed_update_between: "W x 1; A z 0; R y | W y 1; A z 0; R x", 3 + ["0 0 0 0"];
        own_store_is_seen: "W x 1; R x; R y | W y 1; R y; R x", 3 + ["1 0 1 0"];
        three_relaxed: "W x 1; R y | W y 1; R z | W z 1; R x", 7 + ["0 0 0"];
        three_seq_cst: "W.sc x 1; R.sc y | W.sc y 1; R.sc z | W.sc z 1; R.sc x", 7 + [];
        three_sc_fences:
            "W x 1; F.sc; R y | W y 1; F.sc; R z | W z 1; F.sc; R x", 7 + [];
        three_with_two_sc_fences:
            "W x 1; F.sc; R y | W y 1; F.sc; R z | W z 1; R x", 7 + ["0 0 0"];
        one_mutex: "W x 1; L m; U m; R y | W y 1; L m; U m; R x", 3 + [];
        two_mutexes: "W x 1; L m; U m; R y | W y 1; L n; U n; R x", 3 + ["0 0"];
    }
}

/// Message passing: the flag is seen, the data is not.
mod mp {
    use super::check;

    litmus! {
        relaxed: "W x 1; W y 1 | R y; R x", 3 + ["1 0"];
        release_relaxed: "W x 1; W.rel y 1 | R y; R x", 3 + ["1 0"];
        relaxed_acquire: "W x 1; W y 1 | R.acq y; R x", 3 + ["1 0"];
        release_acquire: "W x 1; W.rel y 1 | R.acq y; R x", 3 + [];
        sc_flag: "W x 1; W.sc y 1 | R.sc y; R x", 3 + [];
        sc_data: "W.sc x 1; W y 1 | R y; R.sc x", 3 + ["1 0"];
        fences: "W x 1; F.rel; W y 1 | R y; F.acq; R x", 3 + [];
        release_fence_acquire_load: "W x 1; F.rel; W y 1 | R.acq y; R x", 3 + [];
        release_store_acquire_fence: "W x 1; W.rel y 1 | R y; F.acq; R x", 3 + [];
        acq_rel_fences: "W x 1; F.ar; W y 1 | R y; F.ar; R x", 3 + [];
        sc_fences: "W x 1; F.sc; W y 1 | R y; F.sc; R x", 3 + [];
        release_fence_alone: "W x 1; F.rel; W y 1 | R y; R x", 3 + ["1 0"];
        acquire_fence_alone: "W x 1; W y 1 | R y; F.acq; R x", 3 + ["1 0"];
        acquire_fence_to_release: "W x 1; F.acq; W y 1 | R y; F.acq; R x", 3 + ["1 0"];
        release_fence_to_acquire: "W x 1; F.rel; W y 1 | R y; F.rel; R x", 3 + ["1 0"];
        release_fence_too_early: "F.rel; W x 1; W y 1 | R.acq y; R x", 3 + ["1 0"];
        release_fence_too_late: "W x 1; W y 1; F.rel | R.acq y; R x", 3 + ["1 0"];
        acquire_fence_too_early: "W x 1; W.rel y 1 | F.acq; R y; R x", 3 + ["1 0"];
        acquire_fence_too_late: "W x 1; W.rel y 1 | R y; R x; F.acq", 3 + ["1 0"];
        fence_covers_two_flags:
            "W x 1; F.rel; W y 1; W z 1 | R.acq z; R x", 3 + [];
        acquire_of_the_other_flag:
            "W x 1; W.rel y 1; W z 1 | R.acq z; R x", 3 + ["1 0"];
        control_dependency: "W x 1; W.rel y 1 | R y; if 1 R x", 2 + ["1 0"];
        control_dependency_and_acquire: "W x 1; W.rel y 1 | R.acq y; if 1 R x", 2 + [];
        release_update: "W x 1; A.rel y 1 | R.acq y; R x", 3 + [];
        acquire_update_is_no_release: "W x 1; A.acq y 1 | R.acq y; R x", 3 + ["0 1 0"];
        read_by_acquire_update: "W x 1; W.rel y 1 | A.acq y 0; R x", 3 + [];
        read_by_release_update: "W x 1; W.rel y 1 | A.rel y 0; R x", 3 + ["1 0"];
        mutex: "L m; W x 1; W y 1; U m | L m; R y; R x; U m", 2 + [];
        mutex_on_one_side: "W x 1; W y 1 | L m; R y; R x; U m", 3 + ["1 0"];
        half_in_the_mutex: "W x 1; L m; W y 1; U m | R y; L m; U m; R x", 3 + [];
    }
}

/// Exchanges: which of the two orderings counts.
mod exchange {
    use super::check;

    litmus! {
        success_acquires: "W x 1; W.rel y 1 | C.acq.rlx y 1 2; R x", 3 + [];
        success_is_relaxed: "W x 1; W.rel y 1 | C.rlx.rlx y 1 2; R x", 3 + ["1 0"];
        failure_is_relaxed: "W x 1; W.rel y 1 | C.acq.rlx y 5 6; R x", 3 + ["1 0"];
        failure_of_acq_rel_is_relaxed: "W x 1; W.rel y 1 | C.ar.rlx y 5 6; R x", 3 + ["1 0"];
        failure_of_sc_is_relaxed: "W x 1; W.rel y 1 | C.sc.rlx y 5 6; R x", 3 + ["1 0"];
        failure_acquires: "W x 1; W.rel y 1 | C.rlx.acq y 5 6; R x", 3 + [];
        failure_is_sc: "W x 1; W.rel y 1 | C.rlx.sc y 5 6; R x", 3 + [];
        failure_writes_nothing: "C y 5 6 | R y => y", 1 + [];
        success_releases: "W x 1; C.rel.rlx y 0 1 | R.acq y; R x", 3 + [];
        failure_in_store_buffering:
            "W.sc x 1; C.sc.rlx y 5 6 | W.sc y 1; C.sc.rlx x 5 6", 3 + ["0 0"];
        sc_failure_in_store_buffering:
            "W.sc x 1; C.rlx.sc y 5 6 | W.sc y 1; C.rlx.sc x 5 6", 3 + [];
        one_of_two_succeeds: "C x 0 1 | C x 0 2 => x", 2 + [];
        one_of_three_succeeds: "C x 0 1 | C x 0 2 | C x 0 3 => x", 3 + [];
        weak_may_fail: "K x 0 1 => x", 2 + [];
        weak_may_fail_twice: "K x 0 1; K x 0 2 => x", 3 + [];
        weak_failure_is_relaxed: "W x 1; W.rel y 1 | K.acq.rlx y 1 2; R x", 3 + ["1 0"];
        weak_failure_acquires: "W x 1; W.rel y 1 | K.acq.acq y 1 2; R x", 3 + [];
        lock_by_exchange:
            "C.acq.rlx l 0 1; if 0 W x 1; if 0 W.rel l 0 | C.acq.rlx l 0 1; if 0 R x", 3 + [];
    }
}

/// Release sequences as in C++20: they continue through read-modify-writes of any thread and ordering,
/// and through nothing else.
mod release_sequence {
    use super::check;

    litmus! {
        through_a_relaxed_update: "W x 1; W.rel y 1 | A y 1 | R.acq y; R x", 8 + [];
        through_two: "W x 1; W.rel y 1 | A y 1 | A y 1 | R.acq y; R x", 22 + [];
        through_a_swap: "W x 1; W.rel y 1 | X y 7 | R.acq y; R x", 9 + [];
        through_an_exchange: "W x 1; W.rel y 1 | C y 1 2 | R.acq y; R x", 7 + [];
        through_an_update_of_its_own: "W x 1; W.rel y 1; A y 1 | R.acq y; R x", 4 + [];
        to_an_acquire_fence: "W x 1; W.rel y 1 | A y 1 | R y; F.acq; R x", 8 + [];
        from_a_release_fence: "W x 1; F.rel; W y 1 | A y 1 | R.acq y; R x", 8 + [];
        from_a_relaxed_store: "W x 1; W y 1 | A y 1 | R.acq y; R x", 8 + ["1 1 0", "1 2 0"];
        broken_by_an_own_store: "W x 1; W.rel y 1; W y 2 | R.acq y; R x", 4 + ["2 0"];
        broken_by_another_store: "W x 1; W.rel y 1 | W y 2 | R.acq y; R x => y", 9 + ["2 0 / 2"];
        broken_by_load_and_store:
            "W x 1; W.rel y 1 | R y; W y +1 | R.acq y; R x => y", 8 + ["1 2 0 / 2"];
        release_update_joins_both:
            "W x 1; W.rel y 1 | W z 1; A.rel y 1 | R.acq y; R x; R z", 13 + ["0 1 1 0"];
    }
}

/// Load buffering: never, since RC11 has no cycles of program order and reads-from.
mod lb {
    use super::check;

    litmus! {
        relaxed: "R x; W y 1 | R y; W x 1", 3 + [];
        release_acquire: "R.acq x; W.rel y 1 | R.acq y; W.rel x 1", 3 + [];
        three: "R x; W y 1 | R y; W z 1 | R z; W x 1", 7 + [];
        updates: "A x 0; W y 1 | A y 0; W x 1", 3 + [];
        out_of_thin_air: "R x; W y +1 | R y; W x +1", 3 + [];
    }
}

/// Coherence: accesses to one location are sequentially consistent, whatever their ordering.
mod coherence {
    use super::check;

    litmus! {
        corr: "W x 1 | R x; R x", 3 + [];
        corr_across_threads: "W x 1 | R x; W.rel y 1 | R.acq y; R x", 7 + [];
        corr_of_two_writers: "W x 1; W x 2 | R x; R x", 6 + [];
        readers_agree: "W x 1 | W x 2 | R x; R x | R x; R x", 47 + [];
        coww: "W x 1; W x 2 => x", 1 + [];
        coww_across_threads: "W x 1; W.rel y 1 | R.acq y; W x 2 => x", 3 + [];
        cowr: "W x 1; R x | W x 2 => x", 3 + [];
        corw_one_thread: "R x; W x 1 => x", 1 + [];
        corw_two_threads: "R x; W x 1 | W x 2 => x", 3 + [];
        load_and_store_twice: "R x; W x +1 | R x; W x +1 => x", 3 + [];
    }
}

/// Read-modify-writes: nothing comes between.
mod atomicity {
    use super::check;

    litmus! {
        two_updates: "A x 1 | A x 1 => x", 2 + [];
        three_updates: "A x 1 | A x 1 | A x 1 => x", 6 + [];
        update_and_store: "A x 1 | W x 5 => x", 2 + [];
        update_and_load_and_store: "A x 1 | R x; W x 5 => x", 3 + [];
        two_swaps: "X x 1 | X x 2 => x", 2 + [];
        swap_and_two_stores: "X x 1 | W x 2; W x 3 => x", 3 + [];
    }
}

/// Independent reads of independent writes: two readers disagree which write came first.
mod iriw {
    use super::check;

    litmus! {
        relaxed: "W x 1 | W y 1 | R x; R y | R y; R x", 15 + ["1 0 1 0"];
        release_acquire:
            "W.rel x 1 | W.rel y 1 | R.acq x; R.acq y | R.acq y; R.acq x", 15 + ["1 0 1 0"];
        seq_cst: "W.sc x 1 | W.sc y 1 | R.sc x; R.sc y | R.sc y; R.sc x", 15 + [];
        sc_writes_alone:
            "W.sc x 1 | W.sc y 1 | R.acq x; R.acq y | R.acq y; R.acq x", 15 + ["1 0 1 0"];
        sc_reads_alone: "W x 1 | W y 1 | R.sc x; R.sc y | R.sc y; R.sc x", 15 + ["1 0 1 0"];
        first_reads_acquire:
            "W.sc x 1 | W.sc y 1 | R.acq x; R.sc y | R.acq y; R.sc x", 15 + ["1 0 1 0"];
        sc_fences: "W x 1 | W y 1 | R x; F.sc; R y | R y; F.sc; R x", 15 + [];
        one_sc_fence: "W x 1 | W y 1 | R x; F.sc; R y | R.acq y; R x", 15 + ["1 0 1 0"];
    }
}

/// Three and more threads: does what one thread has seen also hold for those it tells?
mod causality {
    use super::check;

    litmus! {
        wrc_relaxed: "W x 1 | R x; W y 1 | R y; R x", 7 + ["1 1 0"];
        wrc_acquire_without_release: "W x 1 | R.acq x; W y 1 | R.acq y; R x", 7 + ["1 1 0"];
        wrc_release_acquire: "W x 1 | R x; W.rel y 1 | R.acq y; R x", 7 + [];
        wrc_fences: "W x 1 | R x; F.ar; W y 1 | R y; F.ar; R x", 7 + [];
        isa2_relaxed: "W x 1; W y 1 | R y; W z 1 | R z; R x", 7 + ["1 1 0"];
        isa2_release_acquire:
            "W x 1; W.rel y 1 | R.acq y; W.rel z 1 | R.acq z; R x", 7 + [];
        isa2_first_link_relaxed: "W x 1; W y 1 | R y; W.rel z 1 | R.acq z; R x", 7 + ["1 1 0"];
        isa2_second_link_relaxed: "W x 1; W.rel y 1 | R.acq y; W z 1 | R z; R x", 7 + ["1 1 0"];
        four_links:
            "W x 1; W.rel y 1 | R.acq y; W.rel z 1 | R.acq z; W.rel w 1 | R.acq w; R x", 15 + [];
        four_links_one_relaxed:
            "W x 1; W.rel y 1 | R.acq y; W z 1 | R.acq z; W.rel w 1 | R.acq w; R x",
            15 + ["1 1 1 0"];
        rwc_relaxed: "W x 1 | R x; R y | W y 1; R x", 7 + ["1 0 0"];
        rwc_release_acquire: "W.rel x 1 | R.acq x; R.acq y | W.rel y 1; R.acq x", 7 + ["1 0 0"];
        rwc_seq_cst: "W.sc x 1 | R.sc x; R.sc y | W.sc y 1; R.sc x", 7 + [];
        rwc_sc_fences: "W x 1 | R x; F.sc; R y | W y 1; F.sc; R x", 7 + [];
        rwc_one_sc_fence: "W x 1 | R x; R y | W y 1; F.sc; R x", 7 + ["1 0 0"];
        w_rwc_release_acquire: "W x 1; W.rel y 1 | R.acq y; R z | W z 1; R x", 7 + ["1 0 0"];
        w_rwc_sc_fences: "W x 1; W.rel y 1 | R.acq y; F.sc; R z | W z 1; F.sc; R x", 7 + [];
    }
}

/// Two threads that also race in the modification order.
mod order {
    use super::check;

    litmus! {
        two_plus_two_w_relaxed: "W x 1; W y 2 | W y 1; W x 2 => x y", 3 + ["/ 1 1"];
        two_plus_two_w_release: "W.rel x 1; W.rel y 2 | W.rel y 1; W.rel x 2 => x y", 3 + ["/ 1 1"];
        two_plus_two_w_seq_cst: "W.sc x 1; W.sc y 2 | W.sc y 1; W.sc x 2 => x y", 3 + [];
        two_plus_two_w_sc_fences: "W x 1; F.sc; W y 2 | W y 1; F.sc; W x 2 => x y", 3 + [];
        two_plus_two_w_one_sc_fence: "W x 1; F.sc; W y 2 | W y 1; W x 2 => x y", 3 + ["/ 1 1"];
        two_plus_two_w_swaps: "X x 1; X y 2 | X y 1; X x 2 => x y", 3 + [];
        r_relaxed: "W x 1; W y 1 | W y 2; R x => y", 3 + ["0 / 2"];
        r_release_acquire: "W.rel x 1; W.rel y 1 | W.rel y 2; R.acq x => y", 3 + ["0 / 2"];
        r_seq_cst: "W.sc x 1; W.sc y 1 | W.sc y 2; R.sc x => y", 3 + [];
        r_sc_fences: "W x 1; F.sc; W y 1 | W y 2; F.sc; R x => y", 3 + [];
        s_relaxed: "W x 2; W y 1 | R y; W x 1 => x", 3 + ["1 / 2"];
        s_release_acquire: "W x 2; W.rel y 1 | R.acq y; W x 1 => x", 3 + [];
        s_fences: "W x 2; F.rel; W y 1 | R y; F.acq; W x 1 => x", 3 + [];
    }
}

/// Where the original C11 and RC11 differ, and other odd cases.
mod odd {
    use super::check;

    litmus! {
        z6_u: "W.sc x 1; W.rel y 1 | A.sc y 1; R y | W.sc y 3; R.sc x", 11 + ["1 3 0"];
        seqlock: "W s 1; F.rel; W x 1; W.rel s 2 | R.acq s; R x; F.acq; R s", 10 + [];
        seqlock_without_fences: "W s 1; W x 1; W s 2 | R s; R x; R s", 10 + ["0 1 0", "2 0 2"];
        dekker_with_one_update: "A.sc x 1; R.sc y | W.sc y 1; R.sc x", 3 + [];
        mutex_keeps_together: "L m; R x; W x +1; U m | L m; R x; W x +1; U m => x", 2 + [];
        half_locked: "L m; R x; W x +1; U m | R x; W x +1 => x", 3 + [];
    }
}
