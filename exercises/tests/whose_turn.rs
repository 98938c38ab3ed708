//! Judges `whose_turn.rs`: runs the program with that one schedule, and compares.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, start};
use heisenbug::sync::atomic::{AtomicU64, Ordering::Relaxed};
use heisenbug::sync::{Arc, mpsc};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "whose_turn.rs"
);

fn that_run() -> String {
    let number = Arc::new(AtomicU64::new(1));
    let (step_1_done, step_1) = mpsc::channel();
    let (step_3_done, step_3) = mpsc::channel();
    let adder = start("adder", {
        let number = Arc::clone(&number);
        move || {
            let seen = number.load(Relaxed);
            step_1_done.send(()).unwrap();
            step_3.recv().unwrap();
            number.store(seen + 3, Relaxed);
        }
    });
    let doubler = start("doubler", move || {
        step_1.recv().unwrap();
        let seen = number.load(Relaxed);
        number.store(seen * 2, Relaxed);
        step_3_done.send(()).unwrap();
        adder.join().unwrap();
        let seen = number.load(Relaxed);
        // Step 6 is not stored: the timeline would show the answer.
        seen * 2
    });
    match doubler.join().unwrap() == yours::ANSWER {
        true => "the right answer".into(),
        false => format!("you said {}, which is wrong", yours::ANSWER),
    }
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("the right answer", "the number is what you said"),
        Outcome::forbidden(
            "you said 0, which is wrong",
            "the number after the last step is a different one"
        ),
    ],
    contract: &[],
    cases: &[Case::holds("that_run", that_run)],
});
