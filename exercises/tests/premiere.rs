//! Judges `premiere.rs`: a film in two archives, and a message that may come twice.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge};
use heisenbug::net::{Machine, System};
use yours::Message::{Fetch, Found, Keep, Kept, Ready};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "premiere.rs"
);

fn archive(me: &Machine) {
    let mut has = false;
    loop {
        match me.remember(&has).receive() {
            (who, Keep) => {
                has = true;
                me.send(who, Kept);
            }
            (who, Fetch) => me.send(who, Found(has)),
            (who, message) => panic!("{who} tells an archive {message:?}"),
        }
    }
}

/// Fetches both parts, and says whether both were there.
fn cinema(me: &Machine) -> bool {
    while !matches!(me.receive(), (_, Ready)) {}
    ["pictures", "sound"].iter().all(|part| {
        me.send(part, Fetch);
        loop {
            // A message that comes twice may come now.
            if let (from, Found(there)) = me.receive()
                && from == *part
            {
                return there;
            }
        }
    })
}

fn studio(duplicates: u8) -> String {
    System::new()
        .machine("pictures", archive)
        .machine("sound", archive)
        .machine("studio", yours::publish)
        .machine("cinema", cinema)
        .duplicates(duplicates)
        .outcome(|end| {
            match end.returned("cinema").as_deref() {
                Some("true") => "pictures and sound",
                Some(_) => "a part is missing",
                None => "no premiere",
            }
            .to_owned()
        })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable(
            "pictures and sound",
            "both were there before they were announced"
        ),
        Outcome::forbidden(
            "a part is missing",
            "the cinema was told before an archive had its part"
        ),
        Outcome::forbidden("no premiere", "the cinema is told nothing"),
    ],
    contract: &[],
    cases: &[
        Case::holds("one_film", || studio(0)),
        Case::holds("an_answer_comes_twice", || studio(1)),
    ],
});
