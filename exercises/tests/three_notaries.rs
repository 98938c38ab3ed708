//! Judges `three_notaries.rs`: a deed is written and read, while a notary says everything twice, or falls ill.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge};
use heisenbug::net::{Machine, System};
use yours::Message::{Deed, Read, Write, Written};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "three_notaries.rs"
);

/// A notary, who says everything so many times.
fn notary(me: &Machine, times: u8) {
    let mut deed = 1;
    loop {
        match me.remember(&deed).receive() {
            (who, Write(new)) => {
                deed = new;
                (0..times).for_each(|_| me.send(who, Written));
            }
            (who, Read) => (0..times).for_each(|_| me.send(who, Deed(deed))),
            (_, Written | Deed(_)) => {}
        }
    }
}

/// A mayor and three notaries. The first of them says everything so many times.
fn town(times: u8) -> System {
    System::new()
        .machine("mayor", |me| {
            yours::write(me, 2);
            yours::read(me)
        })
        .machine("ann", move |me| notary(me, times))
        .machine("bob", |me| notary(me, 1))
        .machine("cleo", |me| notary(me, 1))
}

fn result(system: System) -> String {
    system.outcome(|end| {
        match end.returned("mayor").as_deref() {
            Some("2") => "the new deed",
            Some("1") => "the old deed",
            Some(_) => "a deed that nobody has",
            None => "waits for ever",
        }
        .to_owned()
    })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("the new deed", "one of those who were asked has it"),
        Outcome::forbidden(
            "the old deed",
            "none of those who were asked has got the new one"
        ),
        Outcome::forbidden("a deed that nobody has", "it was never written"),
        Outcome::forbidden(
            "waits for ever",
            "one notary is ill, and the others are not enough"
        ),
    ],
    contract: &[],
    cases: &[
        Case::holds("one_deed", || result(town(1))),
        Case::holds("an_answer_comes_twice", || result(town(2))),
        Case::holds("a_notary_falls_ill", || result(town(1).stops(1, &["cleo"]))),
    ],
});
