//! Judges `ballot_box.rs`: one ballot and a crash, and several ballots without one.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept};
use heisenbug::net::{Machine, System};
use std::time::Duration;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "ballot_box.rs"
);

/// Says after each ballot, and after each start, how many votes there are.
fn ballot_box(me: &Machine) {
    loop {
        me.tell(yours::votes(me));
        let (voter, ballot) = me.remember(&()).receive();
        yours::count(me, voter, ballot);
    }
}

/// Sends these ballots, each until it is counted. Says whether all are.
fn voter(me: &Machine, ballots: &[u8]) -> bool {
    ballots.iter().all(|&ballot| {
        (0..3).any(|_| {
            me.send("box", ballot);
            me.receive_timeout::<yours::Counted>(Duration::from_secs(1))
                .is_some()
        })
    })
}

fn system(ballots: &'static [u8]) -> System<usize> {
    System::new()
        .watch(0, |votes, _, now: &usize| {
            *votes = *now;
            Ok(())
        })
        .machine("box", ballot_box)
        .machine("voter", |me| voter(me, ballots))
        .file("box", "ballots", "")
        .file("box", "strokes", "")
}

fn one_ballot() -> String {
    system(&[4]).crashes(1, &["box"]).outcome(|end| {
        match (end.returned("voter").as_deref(), end.seen()) {
            (_, 2..) => "counted twice",
            (Some("true"), 1) => "counted once",
            (Some("true"), _) => "counted, and lost",
            _ => "never counted",
        }
        .to_owned()
    })
}

fn three_ballots() -> String {
    system(&[3, 1, 3]).outcome(|end| {
        let answered = end.returned("voter").as_deref() == Some("true");
        kept(answered && *end.seen() == 2)
    })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable(
            "counted once",
            "whenever the box crashes, there is one vote"
        ),
        Outcome::forbidden(
            "counted twice",
            "the vote was on the disk, and that its ballot is known was not"
        ),
        Outcome::forbidden(
            "counted, and lost",
            "the voter was told that the vote is counted, and it is not"
        ),
        Outcome::forbidden(
            "never counted",
            "the voter gave up, though the box crashes only once"
        ),
    ],
    contract: &[Case::promises(
        "each ballot is one vote, however often it comes",
        three_ballots
    ),],
    cases: &[Case::holds("one_ballot", one_ballot)],
});
