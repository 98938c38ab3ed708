//! Judges `fire_alarm.rs`: a call and a crash, and two calls without one.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept};
use heisenbug::net::{Machine, System};
use std::time::Duration;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "fire_alarm.rs"
);

fn switchboard(me: &Machine) {
    yours::start(me);
    loop {
        let (caller, house) = me.remember(&()).receive();
        yours::alarm(me, caller, house);
    }
}

fn brigade(me: &Machine) {
    loop {
        let (_, fire) = me.remember(&()).receive();
        yours::drive(me, fire);
    }
}

/// Calls once for each of these houses. Says of how many it was told that the brigade is coming.
fn town(houses: &'static [u8]) -> System {
    System::new()
        .machine("switchboard", switchboard)
        .machine("brigade", brigade)
        .machine("caller", |me| {
            let answered = houses.iter().filter(|&&house| {
                me.send("switchboard", house);
                me.receive_timeout::<yours::Coming>(Duration::from_secs(1))
                    .is_some()
            });
            answered.count()
        })
        .file("switchboard", "book", "")
}

fn a_crash() -> String {
    town(&[7]).crashes(1, &["switchboard"]).outcome(|end| {
        let book = end.file("switchboard", "book").unwrap_or_default();
        let drives = end.file("brigade", "drives").unwrap_or_default();
        let answered = end.returned("caller").as_deref() == Some("1");
        match (&*book, &*drives) {
            ("7", "7") => "the brigade comes",
            ("", "") if !answered => "the call is lost",
            (_, "") => "nobody comes",
            ("", "7") => "a false alarm",
            _ => "they come twice",
        }
        .to_owned()
    })
}

fn two_calls() -> String {
    town(&[3, 1]).outcome(|end| {
        let both = Some("31".to_owned());
        let drives: Option<String> = end.file("brigade", "drives").map(|houses| {
            // The messages to the brigade may overtake each other.
            let mut houses: Vec<char> = houses.chars().collect();
            houses.sort_unstable_by(|a, b| b.cmp(a));
            houses.into_iter().collect()
        });
        let answered = end.returned("caller").as_deref() == Some("2");
        kept(answered && drives == both && end.file("switchboard", "book") == both)
    })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable(
            "the brigade comes",
            "the house is in the book, and they have come"
        ),
        Outcome::acceptable(
            "the call is lost",
            "the switchboard crashed before it knew of anything, and has promised nothing"
        ),
        Outcome::forbidden(
            "nobody comes",
            "the switchboard knows of the fire, and the brigade does not"
        ),
        Outcome::forbidden(
            "a false alarm",
            "they have come to a house that the switchboard does not know"
        ),
        Outcome::forbidden(
            "they come twice",
            "the brigade was told twice, and took it for two fires"
        ),
    ],
    contract: &[Case::promises(
        "every house that calls is in the book, and the brigade comes",
        two_calls
    )],
    cases: &[Case::holds("a_crash", a_crash).reaches(&["the brigade comes"])],
});
