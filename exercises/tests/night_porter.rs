//! Judges `night_porter.rs`: breakfast that becomes later or earlier while a guest asks.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept};
use heisenbug::net::{Machine, System};
use std::time::Duration;
use yours::Message::{Ask, At, Forget};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "night_porter.rs"
);

fn porter(me: &Machine) {
    let mut porter = yours::Porter::default();
    loop {
        let (from, message) = me.remember(&porter).receive();
        yours::hear(me, &mut porter, from, message);
    }
}

/// Says when breakfast is, and tells whenever the porter asks. The cook may change the hour.
fn kitchen(me: &Machine, mut hour: u32) {
    loop {
        match me.remember(&hour).receive() {
            ("cook", At(new)) => {
                hour = new;
                me.send("porter", Forget);
            }
            (who, Ask) => {
                me.tell("asked");
                me.send(who, At(hour));
            }
            (who, message) => panic!("{who} tells the kitchen {message:?}"),
        }
    }
}

fn ask(me: &Machine) -> u32 {
    me.send("porter", Ask);
    match me.receive() {
        (_, At(hour)) => hour,
        (_, message) => panic!("{message:?} is no hour"),
    }
}

/// A hotel, and how often its kitchen was asked.
fn hotel(hour: u32) -> System<usize> {
    System::new()
        .watch(0, |asked, _, _: &&str| {
            *asked += 1;
            Ok(())
        })
        .machine("porter", porter)
        .machine("kitchen", move |me| kitchen(me, hour))
}

/// The hour changes while a guest asks. Another guest asks when all that is over.
fn change(old: u32, new: u32) -> String {
    hotel(old)
        .machine("cook", move |me| me.send("kitchen", At(new)))
        .machine("guest", ask)
        .machine("late guest", |me| {
            me.sleep(Duration::from_secs(3600));
            [ask(me), ask(me)]
        })
        .outcome(move |end| {
            let late = end.returned("late guest");
            let is_told = |hour: u32| late == Some(format!("{:?}", [hour, hour]));
            match end.returned("guest") {
                None => "a guest is told nothing",
                Some(_) if is_told(old) => "the old hour",
                // Once for the first guest, and once for the late one.
                Some(_) if is_told(new) && *end.seen() <= 2 => "the new hour",
                Some(_) if is_told(new) => "the kitchen is asked every time",
                Some(_) => "a guest is told nothing",
            }
            .to_owned()
        })
}

fn one_after_the_other() -> String {
    hotel(7)
        .machine("guest", |me| [ask(me), ask(me), ask(me)])
        .outcome(|end| {
            kept(end.returned("guest").as_deref() == Some("[7, 7, 7]") && *end.seen() == 1)
        })
}

fn two_at_once() -> String {
    hotel(7)
        .machine("ann", ask)
        .machine("bob", ask)
        .outcome(|end| {
            let told = ["ann", "bob"].map(|who| end.returned(who).as_deref() == Some("7"));
            kept(told == [true; 2] && *end.seen() == 1)
        })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("the new hour", "the porter has forgotten the old one"),
        Outcome::forbidden(
            "the old hour",
            "the porter was told to forget it, and heard it once more afterwards"
        ),
        Outcome::forbidden(
            "the kitchen is asked every time",
            "the porter no longer remembers anything"
        ),
        Outcome::forbidden("a guest is told nothing", "the porter does not answer"),
    ],
    contract: &[
        Case::promises(
            "the porter asks the kitchen once, and remembers the hour",
            one_after_the_other
        ),
        Case::promises("guests who ask at once are all told the hour", two_at_once),
    ],
    cases: &[
        Case::holds("later", || change(7, 8)),
        Case::holds("earlier", || change(8, 7)),
    ],
});
