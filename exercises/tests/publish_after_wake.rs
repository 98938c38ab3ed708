//! Judges `publish_after_wake.rs`: a passenger waits while main brings in the train.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "publish_after_wake.rs"
);

fn one_passenger() -> String {
    let platform = Arc::new(yours::Platform::default());
    let passenger = start("passenger", {
        let platform = Arc::clone(&platform);
        move || platform.wait()
    });
    platform.arrive(7);
    format!("takes train {}", passenger.join().unwrap())
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("takes train 7", "the passenger found the train"),
        Outcome::forbidden("deadlock", "the train is there, and the passenger sleeps"),
    ],
    cases: &[Case::holds("one_passenger", one_passenger)],
});
