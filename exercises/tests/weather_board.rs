//! Judges `weather_board.rs`: a permit that lapses, and forecasts that come one after the other.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept};
use heisenbug::net::{Machine, System};
use std::time::Duration;
use yours::Answer::{Refused, Written};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "weather_board.rs"
);

/// To a forecaster.
#[derive(Clone, Debug)]
struct Permit(u32);

/// To the office: the forecast is on the board, or refused.
#[derive(Clone, Debug)]
struct Done;

fn board(me: &Machine) {
    loop {
        let (forecaster, forecast) = me.remember(&()).receive();
        yours::write(me, forecaster, forecast);
    }
}

/// Gives a permit to Ann, and the next one to Bob.
fn office(me: &Machine) {
    me.send("ann", Permit(1));
    // When nothing comes for an hour, Ann's permit has lapsed.
    let _: Option<(_, Done)> = me.receive_timeout(Duration::from_secs(3600));
    me.send("bob", Permit(2));
}

fn forecast(me: &Machine, permit: u32, text: &'static str) -> yours::Answer {
    me.send("board", yours::Forecast(permit, text));
    me.receive().1
}

/// Waits for a permit, and writes the weather on the board.
fn forecaster(me: &Machine, text: &'static str) -> yours::Answer {
    let (office, Permit(permit)) = me.receive();
    let answer = forecast(me, permit, text);
    me.send(office, Done);
    answer
}

fn two_forecasters() -> String {
    System::new()
        .machine("office", office)
        .machine("board", board)
        .machine("ann", |me| forecaster(me, "sun"))
        .machine("bob", |me| forecaster(me, "rain"))
        .early_timers(1)
        .outcome(|end| {
            let [ann, bob] = ["ann", "bob"].map(|who| end.returned(who));
            match (
                ann.as_deref(),
                bob.as_deref(),
                end.file("board", "board").as_deref(),
            ) {
                (Some("Written"), Some("Written"), Some("rain")) => "one after the other",
                (Some("Refused"), Some("Written"), Some("rain")) => "the late one is refused",
                (Some(_), Some("Written"), Some("sun")) => "old weather",
                (Some(_), Some("Refused"), _) => "the newest one is refused",
                _ => "no answer",
            }
            .to_owned()
        })
}

/// Sends these forecasts one after the other. Says what it was answered.
fn in_turn(forecasts: &'static [(u32, &'static str)]) -> System {
    System::new().machine("board", board).machine("ann", |me| {
        let answers = forecasts.iter();
        answers
            .map(|&(permit, text)| forecast(me, permit, text))
            .collect::<Vec<_>>()
    })
}

fn one_after_the_other() -> String {
    in_turn(&[(1, "sun"), (1, "wind"), (2, "hail"), (2, "rain")]).outcome(|end| {
        let all = format!("{:?}", [Written, Written, Written, Written]);
        let board = end.file("board", "board");
        kept(end.returned("ann") == Some(all) && board.as_deref() == Some("rain"))
    })
}

fn late_forecasts() -> String {
    in_turn(&[(2, "hail"), (10, "rain"), (9, "sun"), (9, "sun")]).outcome(|end| {
        let right = format!("{:?}", [Written, Written, Refused, Refused]);
        let answers = end.returned("ann");
        match end.file("board", "board").as_deref() {
            Some("rain") if answers == Some(right) => "the late one is refused",
            Some("rain") => "another answer",
            _ => "old weather",
        }
        .to_owned()
    })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable(
            "one after the other",
            "the permit did not lapse before its forecast was there"
        ),
        Outcome::acceptable(
            "the late one is refused",
            "a later permit had been used before"
        ),
        Outcome::forbidden(
            "old weather",
            "a forecast came after its permit, and replaced a newer one"
        ),
        Outcome::forbidden(
            "the newest one is refused",
            "its permit was the highest one"
        ),
        Outcome::forbidden("another answer", "what is said is not what was done"),
        Outcome::forbidden("no answer", "a forecaster waits for ever"),
    ],
    contract: &[Case::promises(
        "whoever has the newest permit may write, also more than once",
        one_after_the_other
    ),],
    cases: &[
        Case::holds("two_forecasters", two_forecasters)
            .reaches(&["one after the other", "the late one is refused"]),
        Case::holds("late_forecasts", late_forecasts),
    ],
});
