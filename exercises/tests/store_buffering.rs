//! Judges `store_buffering.rs`: both painters come at once.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
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

fn one_after_the_other(first: usize) -> String {
    let ladder = yours::Ladder::default();
    let taken = ladder.take(first);
    kept(taken && !ladder.take(1 - first))
}

fn painter_0_first() -> String {
    one_after_the_other(0)
}

fn painter_1_first() -> String {
    one_after_the_other(1)
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
    contract: &[
        Case::promises(
            "painter 0 takes the ladder if he is alone, and then painter 1 may not",
            painter_0_first
        ),
        Case::promises(
            "painter 1 takes the ladder if he is alone, and then painter 0 may not",
            painter_1_first
        ),
    ],
    cases: &[
        Case::holds("both_come", both_come).reaches(&["main paints", "the second painter paints"])
    ],
});
