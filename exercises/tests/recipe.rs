//! Judges `recipe.rs`: a text that is corrected, two that are written at once, and messages that come again.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept};
use heisenbug::net::{Machine, System};
use yours::Note;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "recipe.rs"
);

const SALT: &str = "salt";
const SUGAR: &str = "sugar";

/// Hears from the other phone, for ever. Tells what the note says.
fn listen(me: &Machine, mut note: Note) {
    loop {
        me.tell(note.text);
        let (_, other): (_, Note) = me.remember(&note).receive();
        yours::merge(&mut note, other);
    }
}

fn write(me: &Machine, note: &mut Note, text: &'static str, to: &str) {
    yours::edit(me, note, text);
    me.send(to, note.clone());
}

/// What the phones of Ann and Bob say.
type Says = [&'static str; 2];

/// The phones of Ann and Bob, whose clock may be wrong.
fn phones(ann: fn(&Machine), bob: fn(&Machine)) -> System<Says> {
    System::new()
        .watch([""; 2], |says: &mut Says, who, text: &&'static str| {
            says[usize::from(who == "bob")] = text;
            Ok(())
        })
        .machine("ann", ann)
        .machine("bob", bob)
        .skew("bob", 20)
}

fn a_correction() -> String {
    let ann = |me: &Machine| {
        let mut note = Note::default();
        write(me, &mut note, SALT, "bob");
        listen(me, note);
    };
    let bob = |me: &Machine| {
        let mut note = Note::default();
        yours::merge(&mut note, me.receive().1);
        write(me, &mut note, SUGAR, "ann");
        listen(me, note);
    };
    phones(ann, bob).duplicates(1).outcome(|end| {
        match *end.seen() {
            [SUGAR, SUGAR] => "the correction",
            [SALT, SALT] => "the mistake",
            _ => "two recipes",
        }
        .to_owned()
    })
}

fn two_at_once() -> String {
    let ann = |me: &Machine| {
        let mut note = Note::default();
        write(me, &mut note, SALT, "bob");
        listen(me, note);
    };
    let bob = |me: &Machine| {
        let mut note = Note::default();
        write(me, &mut note, SUGAR, "ann");
        listen(me, note);
    };
    phones(ann, bob).outcome(|end| {
        match *end.seen() {
            [SALT, SALT] | [SUGAR, SUGAR] => "one of both",
            _ => "two recipes",
        }
        .to_owned()
    })
}

fn alone() -> String {
    let ann = |me: &Machine| {
        let mut note = Note::default();
        yours::edit(me, &mut note, SALT);
        yours::edit(me, &mut note, SUGAR);
        listen(me, note);
    };
    phones(ann, |_| ()).outcome(|end| kept(end.seen()[0] == SUGAR))
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable(
            "the correction",
            "it was written by somebody who had seen the mistake"
        ),
        Outcome::acceptable(
            "one of both",
            "neither has seen the other's, and both phones keep the same"
        ),
        Outcome::forbidden("the mistake", "it came again, and replaced the correction"),
        Outcome::forbidden("two recipes", "each phone keeps another text"),
    ],
    contract: &[Case::promises(
        "a phone keeps the last text of its owner",
        alone
    )],
    cases: &[
        Case::holds("a_correction", a_correction),
        Case::holds("two_at_once", two_at_once),
    ],
});
