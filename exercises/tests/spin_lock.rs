//! Judges `spin_lock.rs`: two threads, and a value that is read and written in two steps.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!("spin_lock.rs");

/// Adds a name to the list, and says at which place.
fn sign(list: &yours::SpinLock<Vec<&'static str>>, name: &'static str) -> usize {
    let mut list = list.lock();
    let place = list.with(|list| list.len());
    list.with(|list| list.push(name));
    place
}

fn two_names() -> String {
    let list = Arc::new(yours::SpinLock::new(Vec::new()));
    let bob = start("Bob", {
        let list = Arc::clone(&list);
        move || sign(&list, "Bob")
    });
    let anns = sign(&list, "Ann");
    let bobs = bob.join().unwrap();
    let names = list.lock().with(|list| list.clone());
    match (anns, bobs, &names[..]) {
        (0, 1, ["Ann", "Bob"]) => "Ann, Bob",
        (1, 0, ["Bob", "Ann"]) => "Bob, Ann",
        _ => "the list is wrong",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("Ann, Bob", "Ann had the lock first"),
        Outcome::acceptable("Bob, Ann", "Bob had the lock first"),
        Outcome::forbidden("the list is wrong", "both had the lock"),
        Outcome::forbidden(
            "data race",
            "both reach the value, and nothing orders the two"
        ),
        Outcome::forbidden("livelock", "the lock is never free again"),
    ],
    cases: &[Case::holds("two_names", two_names).reaches(&["Ann, Bob", "Bob, Ann"])],
});
