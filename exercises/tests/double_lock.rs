//! Judges `double_lock.rs`: one seat, two who want it.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "double_lock.rs"
);

fn one_passenger() -> String {
    let boat = yours::Boat::new(1);
    let boarded = boat.board("Ann");
    match (boarded, boat.is_full(), &boat.passengers()[..]) {
        (true, true, ["Ann"]) => "Ann is aboard",
        _ => "Ann stays behind",
    }
    .into()
}

fn one_seat_for_two() -> String {
    let boat = Arc::new(yours::Boat::new(1));
    let bob = start("Bob", {
        let boat = Arc::clone(&boat);
        move || boat.board("Bob")
    });
    let ann_boarded = boat.board("Ann");
    let bob_boarded = bob.join().unwrap();
    match (ann_boarded, bob_boarded, &boat.passengers()[..]) {
        (true, false, ["Ann"]) => "Ann is aboard",
        (false, true, ["Bob"]) => "Bob is aboard",
        (_, _, [_, _]) => "two on one seat",
        _ => "the list is wrong",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("Ann is aboard", "Ann got the seat"),
        Outcome::acceptable("Bob is aboard", "Bob got the seat"),
        Outcome::forbidden(
            "Ann stays behind",
            "the boat is empty, and Ann may not board"
        ),
        Outcome::forbidden("two on one seat", "both asked before either had boarded"),
        Outcome::forbidden(
            "the list is wrong",
            "who was told to board is not who is on the list"
        ),
        Outcome::forbidden("deadlock", "who holds the lock asks for it again"),
    ],
    cases: &[
        Case::holds("one_passenger", one_passenger),
        Case::holds("one_seat_for_two", one_seat_for_two)
            .reaches(&["Ann is aboard", "Bob is aboard"]),
    ],
});
