//! Judges `reference_cycle.rs`: two musicians are hired at once, and everybody goes home.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "reference_cycle.rs"
);

fn a_concert() -> String {
    let orchestra = Arc::new(yours::Orchestra::default());
    let agent = start("agent", {
        let orchestra = Arc::clone(&orchestra);
        move || drop(yours::hire(&orchestra))
    });
    let violin = yours::hire(&orchestra);
    let early = violin.colleagues();
    agent.join().unwrap();
    match (early, violin.colleagues(), orchestra.size()) {
        (1, 2, 2) => "a violin, then a duo",
        (2, 2, 2) => "a duo at once",
        _ => "somebody is missing",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("a violin, then a duo", "the violin was hired first"),
        Outcome::acceptable("a duo at once", "the violin was hired last"),
        Outcome::forbidden("somebody is missing", "two were hired, and fewer play"),
        Outcome::forbidden(
            "leak",
            "the orchestra and its musicians still hold each other"
        ),
    ],
    cases: &[
        Case::holds("a_concert", a_concert).reaches(&["a violin, then a duo", "a duo at once"])
    ],
});
