//! Judges `lost_update.rs`: two doors, one visitor each.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge};
use heisenbug::sync::Arc;
use heisenbug::thread;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "lost_update.rs"
);

fn two_doors() -> String {
    let counter = Arc::new(yours::Counter::default());
    let side_door = thread::Builder::new()
        .name("side door".into())
        .spawn({
            let counter = Arc::clone(&counter);
            move || counter.increment()
        })
        .unwrap();
    counter.increment();
    side_door.join().unwrap();
    format!("{} counted", counter.total())
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("2 counted", "both visitors were counted"),
        Outcome::forbidden("1 counted", "one of the two visitors was lost"),
    ],
    cases: &[Case::holds("two_doors", two_doors)],
});
