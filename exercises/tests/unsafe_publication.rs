//! Judges `unsafe_publication.rs`: a reporter looks while main announces the score.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
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

/// What a board shows before a score is announced, and twice after that.
fn shown(home: u32, guests: u32) -> [Option<(u32, u32)>; 3] {
    let board = yours::Board::default();
    let before = board.read();
    // SAFETY: Once for this board.
    unsafe { board.announce(home, guests) };
    [before, board.read(), board.read()]
}

fn one_who_reads() -> String {
    let scores = [(3, 1), (0, 0), (0, 7), (u32::MAX, u32::MAX)];
    let right = |(home, guests)| {
        let score = Some((home, guests));
        shown(home, guests) == [None, score, score]
    };
    kept(scores.into_iter().all(right))
}

/// The lamp stays on, and every reporter can read the score.
fn two_reporters() -> String {
    let board = Arc::new(yours::Board::default());
    let reporter = start("reporter", {
        let board = Arc::clone(&board);
        move || [board.read(), board.read()]
    });
    // SAFETY: Once for this board.
    unsafe { board.announce(3, 1) };
    let mine = board.read();
    match (mine, reporter.join().unwrap()) {
        (Some((3, 1)), [None, None]) => "no score yet",
        (Some((3, 1)), [None | Some((3, 1)), Some((3, 1))]) => "3:1",
        (None, _) | (_, [Some(_), None]) => "the lamp is off again",
        _ => "another score",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("no score yet", "the lamp was off"),
        Outcome::acceptable("3:1", "the lamp was on, and the score was there"),
        Outcome::forbidden(
            "the lamp is off again",
            "the score was announced, and is gone"
        ),
        Outcome::forbidden(
            "another score",
            "the lamp was on, and the score was not there"
        ),
        Outcome::forbidden(
            "data race",
            "the reporter reads the score, and nothing orders that after main's write",
        ),
    ],
    contract: &[Case::promises(
        "`read` returns no score before one is announced, and that score afterwards",
        one_who_reads
    ),],
    cases: &[
        Case::holds("the_final_whistle", the_final_whistle).reaches(&["no score yet", "3:1"]),
        Case::holds("two_reporters", two_reporters),
    ],
});
