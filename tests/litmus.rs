//! Litmus tests: the sets of outcomes that the engine shows, against what RC11 allows.
//!
//! Each test is a handful of accesses with exactly one *weak* outcome: one that no interleaving
//! explains. Under sequential consistency the outcomes are those of the interleavings, whatever the
//! orderings. Under weak memory the weak outcome must appear exactly where the tables say so, and
//! nothing else may. The whole sets are compared, so a missing outcome is as much a
//! failure as one that should not be there.
//!
//! The names are those of the literature (Alglave, Maranget and Tautschnig, *Herding Cats*, TOPLAS
//! 2014); what is allowed is what RC11 says, which C++20 follows (Lahav and others, *Repairing
//! sequential consistency in C/C++11*, PLDI 2017), except for load buffering, which C++20 allows and
//! RC11 does not.

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use heisenbug::catalogue::Class;
use heisenbug::check::{Checker, Engine, Engines, Report, check};
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicU32, Ordering, fence};
use heisenbug::thread::{self, JoinHandle};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// How strong the accesses of a test are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    /// Relaxed accesses.
    Rlx,
    /// Release stores and acquire loads.
    RelAcq,
    /// `SeqCst` accesses.
    Sc,
    /// Relaxed accesses, with a `SeqCst` fence between any two of a thread.
    ScFence,
}
use Strength::{RelAcq, Rlx, Sc, ScFence};

impl Strength {
    fn store(self, variable: &AtomicU32, value: u32) {
        variable.store(
            value,
            match self {
                Rlx | ScFence => Relaxed,
                RelAcq => Release,
                Sc => SeqCst,
            },
        );
    }

    fn load(self, variable: &AtomicU32) -> u32 {
        variable.load(match self {
            Rlx | ScFence => Relaxed,
            RelAcq => Acquire,
            Sc => SeqCst,
        })
    }

    /// What is placed between two accesses of a thread.
    fn between(self) {
        if self == ScFence {
            fence(SeqCst);
        }
    }
}

/// The two variables of a test, both zero.
#[derive(Clone)]
struct Two {
    x: Arc<AtomicU32>,
    y: Arc<AtomicU32>,
}

impl Two {
    fn zero() -> Two {
        Two {
            x: Arc::new(AtomicU32::new(0)),
            y: Arc::new(AtomicU32::new(0)),
        }
    }

    fn spawn<R: Send + 'static>(
        &self,
        part: impl FnOnce(&AtomicU32, &AtomicU32) -> R + Send + 'static,
    ) -> JoinHandle<R> {
        let Two { x, y } = self.clone();
        thread::spawn(move || part(&x, &y))
    }

    /// What the variables hold once every thread has been joined: the last of the stores.
    fn last(&self, strength: Strength) -> (u32, u32) {
        (strength.load(&self.x), strength.load(&self.y))
    }
}

/// One litmus test.
struct Litmus {
    /// Runs the test once, at the given strength, and returns its outcome.
    run: fn(Strength) -> String,
    /// The outcomes of the interleavings.
    sc: &'static [&'static str],
    /// The outcome that no interleaving explains.
    weak: &'static str,
}

fn outcome(registers: impl Debug) -> String {
    format!("{registers:?}")
}

/// SB, store buffering: `x=1; a=y || y=1; b=x`, outcome (a, b). Dekker's entry protocol.
const SB: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let other = v.spawn(move |x, y| {
            s.store(y, 1);
            s.between();
            s.load(x)
        });
        s.store(&v.x, 1);
        s.between();
        let a = s.load(&v.y);
        outcome((a, other.join().unwrap()))
    },
    sc: &["(0, 1)", "(1, 0)", "(1, 1)"],
    weak: "(0, 0)",
};

/// MP, message passing: `x=1; y=1 || a=y; b=x`, outcome (a, b). Data, then the flag.
const MP: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let reader = v.spawn(move |x, y| {
            let a = s.load(y);
            s.between();
            (a, s.load(x))
        });
        s.store(&v.x, 1);
        s.between();
        s.store(&v.y, 1);
        outcome(reader.join().unwrap())
    },
    sc: &["(0, 0)", "(0, 1)", "(1, 1)"],
    weak: "(1, 0)",
};

/// LB, load buffering: `a=x; y=1 || b=y; x=1`, outcome (a, b). Both read what is written later.
const LB: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let other = v.spawn(move |x, y| {
            let b = s.load(y);
            s.between();
            s.store(x, 1);
            b
        });
        let a = s.load(&v.x);
        s.between();
        s.store(&v.y, 1);
        outcome((a, other.join().unwrap()))
    },
    sc: &["(0, 0)", "(0, 1)", "(1, 0)"],
    weak: "(1, 1)",
};

/// S: `x=2; y=1 || a=y; x=1`, outcome (a, x in the end). A store that is seen, and still loses.
const S: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let other = v.spawn(move |x, y| {
            let a = s.load(y);
            s.between();
            s.store(x, 1);
            a
        });
        s.store(&v.x, 2);
        s.between();
        s.store(&v.y, 1);
        let a = other.join().unwrap();
        outcome((a, v.last(s).0))
    },
    sc: &["(0, 1)", "(0, 2)", "(1, 1)"],
    weak: "(1, 2)",
};

/// R: `x=1; y=1 || y=2; a=x`, outcome (y in the end, a). The later of two writers reads an old value.
const R: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let other = v.spawn(move |x, y| {
            s.store(y, 2);
            s.between();
            s.load(x)
        });
        s.store(&v.x, 1);
        s.between();
        s.store(&v.y, 1);
        let a = other.join().unwrap();
        outcome((v.last(s).1, a))
    },
    sc: &["(1, 0)", "(1, 1)", "(2, 1)"],
    weak: "(2, 0)",
};

/// 2+2W: `x=1; y=2 || y=1; x=2`, outcome (x, y) in the end. Both first stores come last.
const W22: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let other = v.spawn(move |x, y| {
            s.store(y, 1);
            s.between();
            s.store(x, 2);
        });
        s.store(&v.x, 1);
        s.between();
        s.store(&v.y, 2);
        other.join().unwrap();
        outcome(v.last(s))
    },
    sc: &["(1, 2)", "(2, 1)", "(2, 2)"],
    weak: "(1, 1)",
};

/// WRC, write to read causality: `x=1 || a=x; y=1 || b=y; c=x`, outcome (a, b, c).
const WRC: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let relay = v.spawn(move |x, y| {
            let a = s.load(x);
            s.between();
            s.store(y, 1);
            a
        });
        let reader = v.spawn(move |x, y| {
            let b = s.load(y);
            s.between();
            (b, s.load(x))
        });
        s.store(&v.x, 1);
        let a = relay.join().unwrap();
        let (b, c) = reader.join().unwrap();
        outcome((a, b, c))
    },
    sc: &[
        "(0, 0, 0)",
        "(0, 0, 1)",
        "(0, 1, 0)",
        "(0, 1, 1)",
        "(1, 0, 0)",
        "(1, 0, 1)",
        "(1, 1, 1)",
    ],
    weak: "(1, 1, 0)",
};

/// IRIW, independent reads of independent writes: `a=x; b=y || x=1 || y=1 || c=y; d=x`, outcome
/// (a, b, c, d). Two readers see two stores in two orders.
const IRIW: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let first = v.spawn(move |x, _| s.store(x, 1));
        let second = v.spawn(move |_, y| s.store(y, 1));
        let reader = v.spawn(move |x, y| {
            let c = s.load(y);
            s.between();
            (c, s.load(x))
        });
        let a = s.load(&v.x);
        s.between();
        let b = s.load(&v.y);
        first.join().unwrap();
        second.join().unwrap();
        let (c, d) = reader.join().unwrap();
        outcome((a, b, c, d))
    },
    sc: &[
        "(0, 0, 0, 0)",
        "(0, 0, 0, 1)",
        "(0, 0, 1, 0)",
        "(0, 0, 1, 1)",
        "(0, 1, 0, 0)",
        "(0, 1, 0, 1)",
        "(0, 1, 1, 0)",
        "(0, 1, 1, 1)",
        "(1, 0, 0, 0)",
        "(1, 0, 0, 1)",
        "(1, 0, 1, 1)",
        "(1, 1, 0, 0)",
        "(1, 1, 0, 1)",
        "(1, 1, 1, 0)",
        "(1, 1, 1, 1)",
    ],
    weak: "(1, 0, 1, 0)",
};

/// CoRR, coherence of two reads: `x=1 || a=x; b=x`, outcome (a, b). No thread sees a value go back.
const CORR: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let reader = v.spawn(move |x, _| {
            let a = s.load(x);
            s.between();
            (a, s.load(x))
        });
        s.store(&v.x, 1);
        outcome(reader.join().unwrap())
    },
    sc: &["(0, 0)", "(0, 1)", "(1, 1)"],
    weak: "(1, 0)",
};

/// CoWW, coherence of two writes: `x=1; x=2`, observed by `a=x; b=x`, outcome (a, b, x in the end).
const COWW: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let reader = v.spawn(move |x, _| {
            let a = s.load(x);
            s.between();
            (a, s.load(x))
        });
        s.store(&v.x, 1);
        s.between();
        s.store(&v.x, 2);
        let (a, b) = reader.join().unwrap();
        outcome((a, b, v.last(s).0))
    },
    sc: &[
        "(0, 0, 2)",
        "(0, 1, 2)",
        "(0, 2, 2)",
        "(1, 1, 2)",
        "(1, 2, 2)",
        "(2, 2, 2)",
    ],
    weak: "(2, 1, 2)",
};

/// CoRW, coherence of a read and a write: `a=x; x=1 || x=2`, outcome (a, x in the end). A thread that
/// reads another's store writes after it.
const CORW: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let other = v.spawn(move |x, _| {
            let a = s.load(x);
            s.between();
            s.store(x, 1);
            a
        });
        s.store(&v.x, 2);
        let a = other.join().unwrap();
        outcome((a, v.last(s).0))
    },
    sc: &["(0, 1)", "(0, 2)", "(2, 1)"],
    weak: "(2, 2)",
};

/// CoWR, coherence of a write and a read: `x=1; a=x || x=2`, outcome (a, x in the end). A thread that
/// reads another's store after its own write has had that write overwritten.
const COWR: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let other = v.spawn(move |x, _| {
            s.store(x, 1);
            s.between();
            s.load(x)
        });
        s.store(&v.x, 2);
        let a = other.join().unwrap();
        outcome((a, v.last(s).0))
    },
    sc: &["(1, 1)", "(1, 2)", "(2, 2)"],
    weak: "(2, 1)",
};

/// CoIRIW, one order of the writes for all: `x=1; a=x; b=x || x=2 || c=x; d=x`, outcome
/// (a, b, c, d). No thread sees the two stores in the opposite order to another thread.
const COIRIW: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let writer = v.spawn(move |x, _| s.store(x, 2));
        let reader = v.spawn(move |x, _| (s.load(x), s.load(x)));
        s.store(&v.x, 1);
        let (a, b) = (s.load(&v.x), s.load(&v.x));
        writer.join().unwrap();
        let (c, d) = reader.join().unwrap();
        outcome((a, b, c, d))
    },
    sc: &[
        "(1, 1, 0, 0)",
        "(1, 1, 0, 1)",
        "(1, 1, 0, 2)",
        "(1, 1, 1, 1)",
        "(1, 1, 1, 2)",
        "(1, 1, 2, 1)",
        "(1, 1, 2, 2)",
        "(1, 2, 0, 0)",
        "(1, 2, 0, 1)",
        "(1, 2, 0, 2)",
        "(1, 2, 1, 1)",
        "(1, 2, 1, 2)",
        "(1, 2, 2, 2)",
        "(2, 2, 0, 0)",
        "(2, 2, 0, 1)",
        "(2, 2, 0, 2)",
        "(2, 2, 1, 1)",
        "(2, 2, 1, 2)",
        "(2, 2, 2, 2)",
    ],
    weak: "(1, 2, 2, 1)",
};

/// Two unordered stores, and two reads at the end: `x=1 || x=2`, then `a=x; b=x`, outcome (a, b).
/// Once all threads are joined there is one last store, however often it is read.
const LAST: Litmus = Litmus {
    run: |s| {
        let v = Two::zero();
        let writer = v.spawn(move |x, _| s.store(x, 2));
        s.store(&v.x, 1);
        writer.join().unwrap();
        outcome((s.load(&v.x), s.load(&v.x)))
    },
    sc: &["(1, 1)", "(2, 2)"],
    weak: "(1, 2)",
};

/// What is expected of a weak outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weak {
    /// Allowed, and shown.
    Shown,
    /// Forbidden, and not shown.
    Forbidden,
}
use Weak::{Forbidden, Shown};

fn set<'a>(labels: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    labels.into_iter().map(str::to_owned).collect()
}

fn labels(report: &Report) -> BTreeSet<String> {
    set(report.outcomes.iter().map(|outcome| &*outcome.label))
}

/// All outcomes of a program.
fn outcomes_of(
    engines: Engines,
    program: impl Fn() -> String + Send + Sync + 'static,
) -> BTreeSet<String> {
    let report = Checker::new().engines(engines).check(program);
    assert!(report.complete, "{:?}", report.stopped);
    assert_eq!(report.class, None, "{:?}", report.message);
    labels(&report)
}

impl Litmus {
    /// Under sequential consistency orderings do not matter: it shows the interleavings, at any strength.
    fn expect_interleavings(&self, strength: Strength) {
        let run = self.run;
        assert_eq!(
            outcomes_of(Engines::Sc, move || run(strength)),
            set(self.sc.iter().copied()),
            "{strength:?}"
        );
    }

    /// Weak memory shows the interleavings, and the weak outcome if that is expected.
    fn expect(&self, strength: Strength, weak: Weak) {
        let run = self.run;
        let mut expected = set(self.sc.iter().copied());
        if weak == Shown {
            expected.insert(self.weak.to_owned());
        }
        assert_eq!(
            outcomes_of(Engines::Weak, move || run(strength)),
            expected,
            "the weak outcome is {}",
            self.weak
        );
    }
}

/// Under sequential consistency: one test per line, at these strengths.
macro_rules! interleavings {
    ($($name:ident: $litmus:ident $($strength:ident)*;)*) => {
        $(
            #[test]
            fn $name() {
                $($litmus.expect_interleavings($strength);)*
            }
        )*
    };
}

interleavings! {
    store_buffering_has_three_interleaved_outcomes:         SB     Rlx RelAcq Sc ScFence;
    message_passing_has_three_interleaved_outcomes:         MP     Rlx RelAcq Sc ScFence;
    load_buffering_has_three_interleaved_outcomes:          LB     Rlx RelAcq Sc ScFence;
    s_has_three_interleaved_outcomes:                       S      Rlx RelAcq Sc ScFence;
    r_has_three_interleaved_outcomes:                       R      Rlx RelAcq Sc ScFence;
    two_plus_two_writes_has_three_interleaved_outcomes:     W22    Rlx RelAcq Sc ScFence;
    write_to_read_causality_has_seven_interleaved_outcomes: WRC    Rlx RelAcq Sc ScFence;
    // The largest program here; its interleavings are the same at every strength.
    iriw_has_fifteen_interleaved_outcomes:                  IRIW   Rlx;
    corr_has_three_interleaved_outcomes:                    CORR   Rlx RelAcq Sc ScFence;
    coww_has_six_interleaved_outcomes:                      COWW   Rlx RelAcq Sc ScFence;
    corw_has_three_interleaved_outcomes:                    CORW   Rlx RelAcq Sc ScFence;
    cowr_has_three_interleaved_outcomes:                    COWR   Rlx RelAcq Sc ScFence;
    coiriw_has_nineteen_interleaved_outcomes:               COIRIW Rlx RelAcq Sc;
    the_last_store_is_either_one_interleaved:               LAST   Rlx RelAcq Sc;
}

/// Under weak memory: one test per line.
macro_rules! weak_memory {
    ($($name:ident: $litmus:ident $strength:ident $weak:ident;)*) => {
        $(
            #[test]
            fn $name() {
                $litmus.expect($strength, $weak);
            }
        )*
    };
}

weak_memory! {
    store_buffering_relaxed_shows_both_zero:                     SB     Rlx     Shown;
    store_buffering_release_acquire_shows_both_zero:             SB     RelAcq  Shown;
    store_buffering_seq_cst_forbids_both_zero:                   SB     Sc      Forbidden;
    store_buffering_seq_cst_fences_forbid_both_zero:             SB     ScFence Forbidden;

    message_passing_relaxed_shows_the_flag_without_its_data:     MP     Rlx     Shown;
    message_passing_release_acquire_forbids_stale_data:          MP     RelAcq  Forbidden;
    message_passing_seq_cst_forbids_stale_data:                  MP     Sc      Forbidden;
    message_passing_seq_cst_fences_forbid_stale_data:            MP     ScFence Forbidden;

    r_relaxed_shows_the_later_writer_seeing_the_past:            R      Rlx     Shown;
    r_release_acquire_shows_the_later_writer_seeing_the_past:    R      RelAcq  Shown;
    r_seq_cst_forbids_seeing_the_past:                           R      Sc      Forbidden;
    r_seq_cst_fences_forbid_seeing_the_past:                     R      ScFence Forbidden;

    s_relaxed_shows_the_seen_store_winning:                      S      Rlx     Shown;
    s_release_acquire_forbids_the_seen_store_to_win:             S      RelAcq  Forbidden;
    s_seq_cst_forbids_the_seen_store_to_win:                     S      Sc      Forbidden;
    s_seq_cst_fences_forbid_the_seen_store_to_win:               S      ScFence Forbidden;

    two_plus_two_writes_relaxed_shows_both_first_stores_last:    W22    Rlx     Shown;
    two_plus_two_writes_release_shows_both_first_stores_last:    W22    RelAcq  Shown;
    two_plus_two_writes_seq_cst_forbids_it:                      W22    Sc      Forbidden;
    two_plus_two_writes_seq_cst_fences_forbid_it:                W22    ScFence Forbidden;

    write_to_read_causality_relaxed_shows_an_effect_without_its_cause: WRC Rlx  Shown;
    write_to_read_causality_release_acquire_keeps_the_cause:     WRC    RelAcq  Forbidden;
    write_to_read_causality_seq_cst_keeps_the_cause:             WRC    Sc      Forbidden;
    write_to_read_causality_seq_cst_fences_keep_the_cause:       WRC    ScFence Forbidden;

    iriw_relaxed_shows_two_orders_of_two_stores:                 IRIW   Rlx     Shown;
    iriw_release_acquire_shows_two_orders_of_two_stores:         IRIW   RelAcq  Shown;
    iriw_seq_cst_forbids_two_orders_of_two_stores:               IRIW   Sc      Forbidden;
    iriw_seq_cst_fences_between_the_reads_forbid_two_orders:     IRIW   ScFence Forbidden;

    // C++20 allows it and ARM hardware shows it; RC11 forbids it, and the report says so.
    load_buffering_relaxed_is_not_shown:                         LB     Rlx     Forbidden;
    load_buffering_release_acquire_is_forbidden:                 LB     RelAcq  Forbidden;
    load_buffering_seq_cst_is_forbidden:                         LB     Sc      Forbidden;
    load_buffering_seq_cst_fences_forbid_it:                     LB     ScFence Forbidden;

    corr_relaxed_never_reads_a_value_going_back:                 CORR   Rlx     Forbidden;
    corr_release_acquire_never_reads_a_value_going_back:         CORR   RelAcq  Forbidden;
    corr_seq_cst_never_reads_a_value_going_back:                 CORR   Sc      Forbidden;
    corr_seq_cst_fences_never_read_a_value_going_back:           CORR   ScFence Forbidden;

    coww_relaxed_keeps_the_stores_of_a_thread_in_order:          COWW   Rlx     Forbidden;
    coww_release_acquire_keeps_the_stores_of_a_thread_in_order:  COWW   RelAcq  Forbidden;
    coww_seq_cst_keeps_the_stores_of_a_thread_in_order:          COWW   Sc      Forbidden;
    coww_seq_cst_fences_keep_the_stores_of_a_thread_in_order:    COWW   ScFence Forbidden;

    corw_relaxed_writes_after_the_store_it_read:                 CORW   Rlx     Forbidden;
    corw_release_acquire_writes_after_the_store_it_read:         CORW   RelAcq  Forbidden;
    corw_seq_cst_writes_after_the_store_it_read:                 CORW   Sc      Forbidden;
    corw_seq_cst_fences_write_after_the_store_they_read:         CORW   ScFence Forbidden;

    cowr_relaxed_reads_no_store_before_its_own:                  COWR   Rlx     Forbidden;
    cowr_release_acquire_reads_no_store_before_its_own:          COWR   RelAcq  Forbidden;
    cowr_seq_cst_reads_no_store_before_its_own:                  COWR   Sc      Forbidden;
    cowr_seq_cst_fences_read_no_store_before_their_own:          COWR   ScFence Forbidden;

    coiriw_relaxed_has_one_order_of_the_stores_for_all:          COIRIW Rlx     Forbidden;
    coiriw_release_acquire_has_one_order_of_the_stores_for_all:  COIRIW RelAcq  Forbidden;
    coiriw_seq_cst_has_one_order_of_the_stores_for_all:          COIRIW Sc      Forbidden;

    the_last_store_stays_the_last_relaxed:                       LAST   Rlx     Forbidden;
    the_last_store_stays_the_last_release_acquire:               LAST   RelAcq  Forbidden;
    the_last_store_stays_the_last_seq_cst:                       LAST   Sc      Forbidden;
}

/// A variation on a theme: outcomes of the interleavings, and a weak one.
fn expect_both(program: fn() -> String, sc: &[&str], weak: Weak, label: &str) {
    let mut expected = set(sc.iter().copied());
    assert_eq!(outcomes_of(Engines::Sc, program), expected, "interleavings");
    if weak == Shown {
        expected.insert(label.to_owned());
    }
    assert_eq!(outcomes_of(Engines::Weak, program), expected, "weak memory");
}

// ---- message passing, one half at a time ------------------------------------------------------

/// MP with the given orderings of the flag, and fences inside of it where they are not `Relaxed`.
fn message_passing(store: Ordering, load: Ordering, before: Ordering, after: Ordering) -> String {
    let fence_unless_relaxed = |order| {
        if order != Relaxed {
            fence(order);
        }
    };
    let v = Two::zero();
    let reader = v.spawn(move |x, y| {
        let a = y.load(load);
        fence_unless_relaxed(after);
        (a, x.load(Relaxed))
    });
    v.x.store(1, Relaxed);
    fence_unless_relaxed(before);
    v.y.store(1, store);
    outcome(reader.join().unwrap())
}

/// Which halves of a release/acquire pair are there, and whether stale data can be seen.
#[test]
fn message_passing_needs_both_halves_as_orderings_or_as_fences() {
    let table: [(fn() -> String, Weak); 8] = [
        //                  store    load     fence before it, fence after it
        (
            || message_passing(Release, Acquire, Relaxed, Relaxed),
            Forbidden,
        ),
        (
            || message_passing(Release, Relaxed, Relaxed, Relaxed),
            Shown,
        ),
        (
            || message_passing(Relaxed, Acquire, Relaxed, Relaxed),
            Shown,
        ),
        (
            || message_passing(Relaxed, Relaxed, Release, Acquire),
            Forbidden,
        ),
        (
            || message_passing(Relaxed, Relaxed, Release, Relaxed),
            Shown,
        ),
        (
            || message_passing(Relaxed, Relaxed, Relaxed, Acquire),
            Shown,
        ),
        (
            || message_passing(Release, Relaxed, Relaxed, Acquire),
            Forbidden,
        ),
        (
            || message_passing(Relaxed, Acquire, Release, Relaxed),
            Forbidden,
        ),
    ];
    for (program, weak) in table {
        expect_both(program, MP.sc, weak, MP.weak);
    }
}

#[test]
fn a_read_modify_write_of_another_thread_continues_a_release_sequence() {
    let program = || {
        let v = Two::zero();
        let relay = v.spawn(|_, y| y.fetch_add(1, Relaxed));
        let reader = v.spawn(|x, y| (y.load(Acquire), x.load(Relaxed)));
        v.x.store(1, Relaxed);
        v.y.store(1, Release);
        relay.join().unwrap();
        outcome(reader.join().unwrap())
    };
    // A flag of 2 comes after both stores, so the data is there. A flag of 1 may be the relay's.
    let sc = ["(0, 0)", "(0, 1)", "(1, 0)", "(1, 1)", "(2, 1)"];
    expect_both(program, &sc, Forbidden, "(2, 0)");
}

#[test]
fn a_relaxed_store_of_the_same_thread_breaks_a_release_sequence() {
    let program = || {
        let v = Two::zero();
        let reader = v.spawn(|x, y| (y.load(Acquire), x.load(Relaxed)));
        v.x.store(1, Relaxed);
        v.y.store(1, Release);
        v.y.store(2, Relaxed);
        outcome(reader.join().unwrap())
    };
    // C++11 forbade it; C++20 took the relaxed stores of the same thread out of the sequence.
    let sc = ["(0, 0)", "(0, 1)", "(1, 1)", "(2, 1)"];
    expect_both(program, &sc, Shown, "(2, 0)");
}

#[test]
fn spawn_and_join_hand_over_what_was_written() {
    let program = || {
        let v = Two::zero();
        v.x.store(1, Relaxed);
        let child = v.spawn(|x, y| {
            y.store(1, Relaxed);
            x.load(Relaxed)
        });
        let seen = child.join().unwrap();
        outcome((seen, v.y.load(Relaxed)))
    };
    expect_both(program, &["(1, 1)"], Forbidden, "(0, 1)");
}

/// Without spurious wake-ups: a park that returns spuriously acquires nothing.
#[test]
fn unpark_hands_over_what_was_written() {
    let program = || {
        let v = Two::zero();
        let sleeper = v.spawn(|x, y| {
            thread::park();
            (y.load(Relaxed), x.load(Relaxed))
        });
        v.x.store(1, Relaxed);
        v.y.store(1, Relaxed);
        sleeper.thread().unpark();
        outcome(sleeper.join().unwrap())
    };
    let report = Checker::new().spurious(0).check(program);
    assert!(report.complete, "{:?}", report.stopped);
    assert_eq!(labels(&report), set(["(1, 1)"]));
}

// ---- read-modify-writes -----------------------------------------------------------------------

#[test]
fn relaxed_read_modify_writes_lose_nothing() {
    let program = || {
        let v = Two::zero();
        let other = v.spawn(|x, _| x.fetch_add(1, Relaxed));
        let a = v.x.fetch_add(1, Relaxed);
        outcome((a, other.join().unwrap(), v.x.load(Relaxed)))
    };
    let sc = ["(0, 1, 2)", "(1, 0, 2)"];
    expect_both(program, &sc, Forbidden, "(0, 0, 1)");
}

#[test]
fn swaps_in_place_of_the_stores_do_not_forbid_store_buffering() {
    let program = || {
        let v = Two::zero();
        let other = v.spawn(|x, y| {
            y.swap(1, AcqRel);
            x.load(Acquire)
        });
        v.x.swap(1, AcqRel);
        let a = v.y.load(Acquire);
        outcome((a, other.join().unwrap()))
    };
    expect_both(program, SB.sc, Shown, SB.weak);
}

#[test]
fn acquire_release_fences_do_not_forbid_store_buffering() {
    let program = || {
        let v = Two::zero();
        let other = v.spawn(|x, y| {
            y.store(1, Relaxed);
            fence(AcqRel);
            x.load(Relaxed)
        });
        v.x.store(1, Relaxed);
        fence(AcqRel);
        let a = v.y.load(Relaxed);
        outcome((a, other.join().unwrap()))
    };
    expect_both(program, SB.sc, Shown, SB.weak);
}

/// Nothing may come between the value that a read-modify-write reads and the one that it writes. It
/// need not read the newest value, though: the other thread's store may well come after both.
#[test]
fn read_modify_writes_in_place_of_the_loads_do_not_forbid_store_buffering() {
    let program = || {
        let v = Two::zero();
        let other = v.spawn(|x, y| {
            y.store(1, Relaxed);
            x.fetch_add(0, Relaxed)
        });
        v.x.store(1, Relaxed);
        let a = v.y.fetch_add(0, Relaxed);
        outcome((a, other.join().unwrap()))
    };
    expect_both(program, SB.sc, Shown, SB.weak);
}

/// A compare-exchange that fails is a load, which may be stale.
#[test]
fn a_compare_exchange_that_fails_may_read_a_stale_value() {
    let program = || {
        let peek = |variable: &AtomicU32| {
            (variable.compare_exchange(7, 8, Relaxed, Relaxed)).expect_err("it is never 7")
        };
        let v = Two::zero();
        let other = v.spawn(move |x, y| {
            y.store(1, Relaxed);
            peek(x)
        });
        v.x.store(1, Relaxed);
        let a = peek(&v.y);
        outcome((a, other.join().unwrap()))
    };
    expect_both(program, SB.sc, Shown, SB.weak);
}

// ---- how far back a load can see --------------------------------------------------------------

/// MP with `stores` stores to the data. Outcome (flag, data).
fn many_stores(stores: u32) -> String {
    let v = Two::zero();
    let reader = v.spawn(|x, y| (y.load(Relaxed), x.load(Relaxed)));
    for value in 1..=stores {
        v.x.store(value, Relaxed);
    }
    v.y.store(1, Relaxed);
    outcome(reader.join().unwrap())
}

#[test]
fn a_relaxed_load_sees_stores_however_often_they_were_overwritten() {
    let all = (0..=9).flat_map(|data| [format!("(0, {data})"), format!("(1, {data})")]);
    assert_eq!(
        outcomes_of(Engines::Weak, || many_stores(9)),
        all.collect::<BTreeSet<_>>()
    );
}

// ---- the verdict ------------------------------------------------------------------------------

/// The scenario asserts that the weak outcome does not happen.
fn asserting(litmus: &'static Litmus, strength: Strength) -> Report {
    check(move || {
        let label = (litmus.run)(strength);
        assert_ne!(label, litmus.weak);
        label
    })
}

/// The failed assertion, in the words of the reports.
fn assertion(litmus: &Litmus) -> String {
    let weak = litmus.weak;
    format!("assertion `left != right` failed left: \"{weak}\" right: \"{weak}\"")
}

/// The program holds, and all executions were explored. Returns the report's notes.
fn assert_holds(litmus: &'static Litmus, strength: Strength) -> Vec<String> {
    let report = asserting(litmus, strength);
    assert!(report.holds(), "{strength:?}: {:?}", report.message);
    assert!(report.complete, "{:?}", report.stopped);
    assert_eq!(labels(&report), set(litmus.sc.iter().copied()));
    report.notes
}

fn assert_fails(litmus: &'static Litmus, strength: Strength) {
    let report = asserting(litmus, strength);
    assert!(report.fails(), "{strength:?}: {}", report.verdict);
    assert_eq!(report.class, Some(Class::Assertion));
    assert_eq!(report.found_by, Some(Engine::Weak));
    assert_eq!(report.outcome, Some(assertion(litmus)));
    let expected = litmus.sc.iter().copied().map(str::to_owned);
    assert_eq!(
        labels(&report),
        expected.chain([assertion(litmus)]).collect::<BTreeSet<_>>()
    );
}

#[test]
fn dekker_holds_with_seq_cst_accesses_and_with_seq_cst_fences() {
    assert_holds(&SB, Sc);
    assert_holds(&SB, ScFence);
}

#[test]
fn dekker_fails_with_release_acquire_and_with_relaxed_accesses() {
    assert_fails(&SB, RelAcq);
    assert_fails(&SB, Rlx);
}

#[test]
fn r_holds_with_seq_cst_accesses_and_fails_with_release_acquire() {
    assert_holds(&R, Sc);
    assert_fails(&R, RelAcq);
}

#[test]
fn two_plus_two_writes_holds_with_seq_cst_accesses_and_fails_with_release() {
    assert_holds(&W22, Sc);
    assert_fails(&W22, RelAcq);
}

#[test]
fn iriw_holds_with_seq_cst_accesses() {
    assert_holds(&IRIW, Sc);
}

#[test]
fn message_passing_holds_with_release_acquire_and_fails_relaxed() {
    assert_holds(&MP, RelAcq);
    assert_fails(&MP, Rlx);
}

/// An outcome that RC11 does not show cannot fail, and the report says so.
#[test]
fn load_buffering_relaxed_holds_with_a_note() {
    let notes = assert_holds(&LB, Rlx);
    assert!(
        notes.iter().any(|note| note.contains("load buffering")),
        "{notes:?}"
    );
    assert_eq!(assert_holds(&LB, RelAcq), [""; 0]);
}

/// A relaxed access elsewhere does not weaken the `SeqCst` ones.
#[test]
fn dekker_holds_beside_a_relaxed_access_elsewhere() {
    let report = check(|| {
        let entries = Arc::new(AtomicU32::new(0));
        let label = (SB.run)(Sc);
        entries.fetch_add(1, Relaxed);
        assert_ne!(label, SB.weak);
    });
    report.assert_holds();
}
