//! Judges `reference_cycle.rs`: two musicians are hired at once, and everybody goes home.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
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
        _ => "a musician is missing",
    }
    .into()
}

fn a_quartet() -> String {
    let orchestra = Arc::new(yours::Orchestra::default());
    let other = Arc::new(yours::Orchestra::default());
    let mut right = orchestra.size() == 0;
    let violin = yours::hire(&orchestra);
    right &= violin.colleagues() == 1;
    for size in 2..=4 {
        // The orchestra keeps the musicians that nothing else keeps.
        let colleagues = yours::hire(&orchestra).colleagues();
        right &= colleagues == size && orchestra.size() == size && violin.colleagues() == size;
    }
    kept(right && other.size() == 0)
}

fn after_the_orchestra() -> String {
    let orchestra = Arc::new(yours::Orchestra::default());
    let violin = yours::hire(&orchestra);
    drop(orchestra);
    kept(violin.colleagues() == 0)
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("a violin, then a duo", "the violin was hired first"),
        Outcome::acceptable("a duo at once", "the violin was hired last"),
        Outcome::forbidden("a musician is missing", "two were hired, and fewer play"),
        Outcome::forbidden(
            "leak",
            "the orchestra and its musicians still hold each other"
        ),
    ],
    contract: &[
        Case::promises(
            "an orchestra has the musicians that it has hired, and they know how many they are",
            a_quartet
        ),
        Case::promises(
            "a musician whose orchestra is gone has no colleagues",
            after_the_orchestra
        ),
    ],
    cases: &[
        Case::holds("a_concert", a_concert).reaches(&["a violin, then a duo", "a duo at once"])
    ],
});
