//! Judges `double_lock.rs`: one seat, two who want it.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
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

fn seats_for_two() -> String {
    let boat = Arc::new(yours::Boat::new(2));
    let bob = start("Bob", {
        let boat = Arc::clone(&boat);
        move || boat.board("Bob")
    });
    // A look in the meantime gets an answer.
    let seen = (boat.is_full(), boat.passengers().len());
    let ann_boarded = boat.board("Ann");
    let both = ann_boarded && bob.join().unwrap() && boat.passengers().len() == 2;
    match (seen, both) {
        ((false, 0 | 1), true) => "both are aboard",
        (_, false) => "left behind in front of a free seat",
        _ => "the list is wrong",
    }
    .into()
}

fn three_for_two_seats() -> String {
    let boat = yours::Boat::new(2);
    let mut right = !boat.is_full() && boat.passengers().is_empty();
    right &= boat.board("Ann") && !boat.is_full() && boat.passengers() == ["Ann"];
    right &= boat.board("Bob") && boat.is_full();
    right &= !boat.board("Cid") && boat.is_full();
    kept(right && boat.passengers() == ["Ann", "Bob"])
}

fn a_raft() -> String {
    let boat = yours::Boat::new(0);
    kept(boat.is_full() && !boat.board("Ann") && boat.passengers().is_empty())
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("Ann is aboard", "Ann got the seat"),
        Outcome::acceptable("Bob is aboard", "Bob got the seat"),
        Outcome::forbidden(
            "Ann stays behind",
            "the boat is empty, and Ann may not board"
        ),
        Outcome::acceptable("both are aboard", "there were two seats"),
        Outcome::forbidden(
            "left behind in front of a free seat",
            "there were seats for both, and one may not board"
        ),
        Outcome::forbidden("two on one seat", "both asked before either had boarded"),
        Outcome::forbidden(
            "the list is wrong",
            "the passengers told to board are not those on the list"
        ),
        Outcome::forbidden(
            "deadlock",
            "the thread that holds the lock asks for it again"
        ),
    ],
    contract: &[
        Case::promises(
            "`board` takes passengers aboard while there are seats, and writes them down in order",
            three_for_two_seats
        ),
        Case::promises("a boat without seats takes nobody aboard", a_raft),
    ],
    cases: &[
        Case::holds("one_passenger", one_passenger),
        Case::holds("one_seat_for_two", one_seat_for_two)
            .reaches(&["Ann is aboard", "Bob is aboard"]),
        Case::holds("seats_for_two", seats_for_two),
    ],
});
