//! Judges `store_buffering.rs`: both painters come at once.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "store_buffering.rs"
);

fn both_come() -> String {
    let ladder = Arc::new(yours::Ladder::default());
    let second_painter = start("second painter", {
        let ladder = Arc::clone(&ladder);
        move || ladder.take(1)
    });
    let first = ladder.take(0);
    match (first, second_painter.join().unwrap()) {
        (true, false) => "main paints",
        (false, true) => "the second painter paints",
        (false, false) => "both stand back",
        (true, true) => "both on the ladder",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("main paints", "the second painter saw main's cap"),
        Outcome::acceptable("the second painter paints", "main saw the other cap"),
        Outcome::interesting("both stand back", "both caps hung before either looked"),
        Outcome::forbidden(
            "both on the ladder",
            "each looked before the other's cap had become visible",
        ),
    ],
    cases: &[
        Case::holds("both_come", both_come).reaches(&["main paints", "the second painter paints"])
    ],
});
