//! Judges `barrier.rs`: two rowers, two strokes; three rowers, one stroke.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicUsize, Ordering::Relaxed};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "barrier.rs"
);

struct Boat {
    barrier: yours::Barrier,
    /// The number of strokes main has ended. Relaxed is enough: ordering them is the barrier's task.
    strokes: AtomicUsize,
}

fn two_strokes() -> String {
    let boat = Arc::new(Boat {
        barrier: yours::Barrier::new(2),
        strokes: AtomicUsize::new(0),
    });
    let rower = start("rower", {
        let boat = Arc::clone(&boat);
        move || {
            boat.barrier.wait();
            boat.barrier.wait();
            boat.strokes.load(Relaxed)
        }
    });
    for stroke in 1..=2 {
        boat.strokes.store(stroke, Relaxed);
        boat.barrier.wait();
    }
    match rower.join().unwrap() {
        2 => "in step".into(),
        _ => "out of step".into(),
    }
}

fn three_rowers() -> String {
    let boat = Arc::new(Boat {
        barrier: yours::Barrier::new(3),
        strokes: AtomicUsize::new(0),
    });
    let [first, second] = [("rower", true), ("third rower", false)].map(|(name, looks)| {
        let boat = Arc::clone(&boat);
        start(name, move || {
            boat.barrier.wait();
            // One thread that looks is enough.
            match looks {
                true => boat.strokes.load(Relaxed),
                false => 1,
            }
        })
    });
    boat.strokes.store(1, Relaxed);
    boat.barrier.wait();
    match (first.join().unwrap(), second.join().unwrap()) {
        (1, 1) => "in step".into(),
        _ => "out of step".into(),
    }
}

fn alone() -> String {
    let barrier = yours::Barrier::new(1);
    barrier.wait();
    barrier.wait();
    kept(true)
}

fn one_of_two() -> String {
    yours::Barrier::new(2).wait();
    "out of step".into()
}

/// The other way round: main looks at what the rower has done.
fn two_strokes_from_main() -> String {
    let boat = Arc::new(Boat {
        barrier: yours::Barrier::new(2),
        strokes: AtomicUsize::new(0),
    });
    let rower = start("rower", {
        let boat = Arc::clone(&boat);
        move || {
            for stroke in 1..=2 {
                boat.strokes.store(stroke, Relaxed);
                boat.barrier.wait();
            }
        }
    });
    boat.barrier.wait();
    let first = boat.strokes.load(Relaxed);
    boat.barrier.wait();
    let second = boat.strokes.load(Relaxed);
    rower.join().unwrap();
    match (first, second) {
        (1 | 2, 2) => "in step".into(),
        _ => "out of step".into(),
    }
}

/// Main begins a second stroke that the rower does not.
fn a_second_stroke_alone() -> String {
    let barrier = Arc::new(yours::Barrier::new(2));
    let rower = start("rower", {
        let barrier = Arc::clone(&barrier);
        move || barrier.wait()
    });
    barrier.wait();
    rower.join().unwrap();
    barrier.wait();
    "out of step".into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("in step", "each waited for the other at every stroke"),
        Outcome::forbidden(
            "out of step",
            "one went on before the other had ended the stroke"
        ),
        Outcome::forbidden("deadlock", "all have arrived, and a thread still sleeps"),
    ],
    contract: &[
        Case::promises("a lone rower waits for no one", alone),
        Case::sleeps("`wait` sleeps until all have arrived", one_of_two),
        Case::sleeps(
            "`wait` sleeps in the second round as in the first",
            a_second_stroke_alone
        ),
    ],
    cases: &[
        Case::holds("two_strokes", two_strokes),
        Case::holds("two_strokes_from_main", two_strokes_from_main),
        Case::holds("three_rowers", three_rowers),
    ],
});
