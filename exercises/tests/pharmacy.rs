//! Judges `pharmacy.rs`: a nurse who hangs up, and one who does not.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept};
use heisenbug::net::{Machine, System};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "pharmacy.rs"
);

fn pharmacy(me: &Machine) {
    loop {
        let (from, question) = me.remember(&()).receive();
        yours::answer(me, from, question);
    }
}

/// Asks about the drops once, and then about the pills until there is an answer.
fn hangs_up() -> String {
    System::new()
        .machine("pharmacy", pharmacy)
        .machine("nurse", |me| {
            let mut nurse = yours::Nurse::default();
            let drops = yours::ask(me, &mut nurse, "drops");
            let pills = (0..3).find_map(|_| yours::ask(me, &mut nurse, "pills"));
            (drops.unwrap_or(20), pills)
        })
        .early_timers(2)
        .outcome(|end| {
            match end.returned("nurse").as_deref() {
                Some("(20, Some(2))") => "the right dose",
                Some("(20, None)") | None => "no dose",
                Some(_) => "the wrong dose",
            }
            .to_owned()
        })
}

fn in_turn() -> String {
    System::new()
        .machine("pharmacy", pharmacy)
        .machine("nurse", |me| {
            let mut nurse = yours::Nurse::default();
            ["pills", "drops", "pills"].map(|medicine| yours::ask(me, &mut nurse, medicine))
        })
        .outcome(|end| {
            let doses = [Some(2), Some(20), Some(2)];
            kept(end.returned("nurse") == Some(format!("{doses:?}")))
        })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable(
            "the right dose",
            "the answer is one to the question about the pills"
        ),
        Outcome::forbidden("the wrong dose", "the answer is one to an earlier question"),
        Outcome::forbidden(
            "no dose",
            "the pharmacy has answered, and the nurse did not hear it"
        ),
    ],
    contract: &[Case::promises(
        "`ask` says the dose of what was asked for",
        in_turn
    )],
    cases: &[Case::holds("hangs_up", hangs_up)],
});
