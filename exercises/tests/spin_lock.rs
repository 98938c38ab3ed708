//! Judges `spin_lock.rs`: two threads, and a value that is read and written in two steps.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;

heisenbug::exercise!("spin_lock.rs");

/// Adds a name to the list, and returns its place.
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

fn one_holder_after_another() -> String {
    let lock = yours::SpinLock::new(5);
    let before = lock.lock().with(|value| {
        *value += 1;
        *value - 1
    });
    let mut guard = lock.lock();
    guard.with(|value| *value *= 2);
    guard.with(|value| *value += 1);
    drop(guard);
    kept(before == 5 && lock.lock().with(|value| *value) == 13)
}

fn taken_already() -> String {
    let lock = yours::SpinLock::new(5);
    let _guard = lock.lock();
    let _second = lock.lock();
    "took a lock that was taken".into()
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
    contract: &[
        Case::promises(
            "a lock that was given back can be taken again, and keeps its value",
            one_holder_after_another
        ),
        Case::waits("`lock` waits until the lock is free", taken_already),
    ],
    cases: &[Case::holds("two_names", two_names).reaches(&["Ann, Bob", "Bob, Ann"]),],
});
