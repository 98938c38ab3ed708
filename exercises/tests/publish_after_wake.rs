//! Judges `publish_after_wake.rs`: a passenger waits while main brings in the train.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
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

fn the_train_is_there() -> String {
    let platform = yours::Platform::default();
    platform.arrive(3);
    kept(platform.wait() == 3)
}

fn no_train() -> String {
    format!("takes train {}", yours::Platform::default().wait())
}

fn no_passenger() -> String {
    yours::Platform::default().arrive(3);
    kept(true)
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("takes train 7", "the passenger found the train"),
        Outcome::forbidden("deadlock", "the train is there, and the passenger sleeps"),
    ],
    contract: &[
        Case::promises(
            "a train comes in, whether or not a passenger waits",
            no_passenger
        ),
        Case::promises(
            "`wait` returns the train that has come in",
            the_train_is_there
        ),
        Case::sleeps("`wait` sleeps until a train is there", no_train),
    ],
    cases: &[Case::holds("one_passenger", one_passenger)],
});
