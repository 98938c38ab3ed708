//! Judges `barrier.rs`: two rowers, two strokes; three rowers, one stroke.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicUsize, Ordering::Relaxed};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "barrier.rs"
);

struct Boat {
    barrier: yours::Barrier,
    /// How many strokes main has ended. Relaxed is enough: it is for the barrier to order them.
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
            // One who looks is enough.
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

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("in step", "each waited for the other at every stroke"),
        Outcome::forbidden(
            "out of step",
            "one went on before the other had ended the stroke"
        ),
        Outcome::forbidden("deadlock", "all have arrived, and somebody sleeps"),
    ],
    cases: &[
        Case::holds("two_strokes", two_strokes),
        Case::holds("three_rowers", three_rowers),
    ],
});
