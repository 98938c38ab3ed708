//! Judges `last_will.rs`: a new will and a crash, and three wills without one.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept};
use heisenbug::net::{End, Machine, System};
use std::time::Duration;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "last_will.rs"
);

const OLD: &str = "all to Ann";
const NEW: &str = "all to Bob";

/// To the notary.
#[derive(Clone, Debug)]
struct Keep(u32, &'static str);

fn notary(me: &Machine) {
    loop {
        let (client, Keep(number, text)) = me.remember(&()).receive();
        yours::keep(me, client, number, text);
    }
}

/// Makes these wills, one after the other. Says of how many it was told that they are kept.
fn system(wills: &'static [&'static str]) -> System {
    System::new()
        .machine("notary", notary)
        .file("notary", "will-1", OLD)
        .machine("client", |me| {
            let kept = wills.iter().zip(2..).take_while(|&(text, number)| {
                me.send("notary", Keep(number, text));
                me.receive_timeout::<yours::Kept>(Duration::from_secs(1))
                    .is_some()
            });
            kept.count()
        })
}

/// The will that counts.
fn will(end: &End<'_, ()>) -> Option<String> {
    (1..=4)
        .rev()
        .find_map(|number| end.file("notary", &format!("will-{number}")))
}

fn a_crash() -> String {
    system(&[NEW]).crashes(1, &["notary"]).outcome(|end| {
        match (end.returned("client").as_deref(), will(end).as_deref()) {
            (_, None) => "no will",
            (Some("1"), Some(NEW)) => "the new will",
            (Some("1"), Some(OLD)) => "kept, and lost",
            (Some("0"), Some(OLD | NEW)) => "the client was told nothing",
            _ => "a will that nobody made",
        }
        .to_owned()
    })
}

fn three_wills() -> String {
    system(&[NEW, OLD, NEW]).outcome(|end| {
        let files = (1..=4).map(|number| end.file("notary", &format!("will-{number}")).is_some());
        let only_the_last = files.eq([false, false, false, true]);
        let told = end.returned("client").as_deref() == Some("3");
        kept(told && only_the_last && will(end).as_deref() == Some(NEW))
    })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable(
            "the new will",
            "the client was told, and a crash does not undo it"
        ),
        Outcome::acceptable(
            "the client was told nothing",
            "the notary crashed before, and some will is there"
        ),
        Outcome::forbidden(
            "kept, and lost",
            "the client was told that the new will is kept, and the old one is found"
        ),
        Outcome::forbidden(
            "no will",
            "the old one is gone, and the new one is not there"
        ),
        Outcome::forbidden(
            "a will that nobody made",
            "half of it never reached the disk"
        ),
    ],
    contract: &[Case::promises(
        "each will is kept, and the one before is thrown away",
        three_wills
    )],
    cases: &[Case::holds("a_crash", a_crash).reaches(&["the new will"])],
});
