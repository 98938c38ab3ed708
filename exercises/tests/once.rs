//! Judges `once.rs`: two threads ask for the value, and one looks whether it is there.

use heisenbug::catalogue::Outcome;
use heisenbug::hint;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use heisenbug::thread;

heisenbug::exercise!("once.rs");

fn two_makers() -> String {
    let cell = Arc::new(yours::Once::default());
    let made = Arc::new(AtomicU32::new(0));
    let make = |value, made: &AtomicU32| {
        made.fetch_add(1, Relaxed);
        value
    };
    let other = start("other", {
        let (cell, made) = (Arc::clone(&cell), Arc::clone(&made));
        move || cell.get_or_init(|| make(2, &made))
    });
    let mine = cell.get_or_init(|| make(1, &made));
    match (mine, other.join().unwrap(), made.load(Relaxed)) {
        (1, 1, 1) => "main made it",
        (2, 2, 1) => "the other made it",
        _ => "made twice",
    }
    .into()
}

fn a_look() -> String {
    let cell = Arc::new(yours::Once::default());
    let maker = start("maker", {
        let cell = Arc::clone(&cell);
        move || cell.get_or_init(|| 2)
    });
    let seen = cell.get();
    match (seen, maker.join().unwrap()) {
        (None, 2) => "nothing yet",
        (Some(2), 2) => "the value",
        _ => "another value",
    }
    .into()
}

fn asked_twice() -> String {
    let cell = yours::Once::default();
    let mut right = cell.get().is_none();
    right &= cell.get_or_init(|| 0) == 0;
    let mut made_again = false;
    let second = cell.get_or_init(|| {
        made_again = true;
        2
    });
    kept(right && second == 0 && !made_again && cell.get() == Some(0) && cell.get() == Some(0))
}

/// The thread that makes the value never finishes.
fn in_the_making() -> String {
    let cell = Arc::new(yours::Once::default());
    let busy = Arc::new(AtomicBool::new(false));
    let _maker = start("maker", {
        let (cell, busy) = (Arc::clone(&cell), Arc::clone(&busy));
        move || {
            cell.get_or_init(|| {
                busy.store(true, Relaxed);
                loop {
                    thread::park();
                }
            })
        }
    });
    while !busy.load(Relaxed) {
        hint::spin_loop();
    }
    let value: u8 = cell.get_or_init(|| 2);
    format!("{value} out of nothing")
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("main made it", "main was first, and both got main's value"),
        Outcome::acceptable(
            "the other made it",
            "the other was first, and both got its value"
        ),
        Outcome::forbidden("made twice", "both found the cell empty"),
        Outcome::acceptable("nothing yet", "main looked before the cell was full"),
        Outcome::acceptable("the value", "main looked when the cell was full"),
        Outcome::forbidden("another value", "main saw a value that was never made"),
        Outcome::forbidden("data race", "the value is read while it is written"),
        Outcome::forbidden("livelock", "a thread waits for a value that is never made"),
    ],
    contract: &[
        Case::promises(
            "the first one to ask makes the value, and it stays",
            asked_twice
        ),
        Case::waits(
            "a thread that asks while the value is made waits for it",
            in_the_making
        ),
    ],
    cases: &[
        Case::holds("two_makers", two_makers).reaches(&["main made it", "the other made it"]),
        Case::holds("a_look", a_look).reaches(&["nothing yet", "the value"]),
    ],
});
