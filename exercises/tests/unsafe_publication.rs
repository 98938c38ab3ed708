//! Judges `unsafe_publication.rs`: a reporter looks while main announces the score.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!("unsafe_publication.rs");

fn the_final_whistle() -> String {
    let board = Arc::new(yours::Board::default());
    let reporter = start("reporter", {
        let board = Arc::clone(&board);
        move || board.read()
    });
    // SAFETY: Once for this board.
    unsafe { board.announce(3, 1) };
    match reporter.join().unwrap() {
        None => "no score yet",
        Some((3, 1)) => "3:1",
        Some(_) => "another score",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("no score yet", "the lamp was off"),
        Outcome::acceptable("3:1", "the lamp was on, and the score was there"),
        Outcome::forbidden(
            "another score",
            "the lamp was on, and the score was not there"
        ),
        Outcome::forbidden(
            "data race",
            "the reporter reads the score, and nothing orders that after main's writing",
        ),
    ],
    cases: &[Case::holds("the_final_whistle", the_final_whistle).reaches(&["no score yet", "3:1"])],
});
