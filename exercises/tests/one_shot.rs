//! Judges `one_shot.rs`: a sender that sends, one that does not, and a receiver that does not wait.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
use heisenbug::sync::Arc;

heisenbug::exercise!("one_shot.rs");

fn a_message() -> String {
    let (sender, receiver) = yours::one_shot();
    let sender = start("sender", move || sender.send("hello"));
    let received = receiver.receive();
    sender.join().unwrap();
    match received {
        Some("hello") => "hello".into(),
        Some(_) => "another message".into(),
        None => "the message is lost".into(),
    }
}

fn no_message() -> String {
    let (sender, receiver) = yours::one_shot::<&str>();
    let sender = start("sender", move || drop(sender));
    let received = receiver.receive();
    sender.join().unwrap();
    match received {
        None => "no message".into(),
        Some(_) => "another message".into(),
    }
}

/// The message is freed with the channel, if nobody receives it.
fn nobody_listens() -> String {
    let (sender, receiver) = yours::one_shot();
    let sender = start("sender", move || sender.send(Arc::new(1)));
    drop(receiver);
    sender.join().unwrap();
    "freed".into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("hello", "the message arrived"),
        Outcome::acceptable("no message", "the receiver learned that the sender is gone"),
        Outcome::acceptable("freed", "nothing is left of a message that nobody received"),
        Outcome::forbidden(
            "the message is lost",
            "it was sent, and the receiver saw only the end"
        ),
        Outcome::forbidden("another message", "it was received, and nobody had sent it"),
        Outcome::forbidden("data race", "the message is taken while it is written"),
        Outcome::forbidden("livelock", "the receiver waits for a sender that is gone"),
        Outcome::forbidden("deadlock", "the receiver sleeps, and the sender is gone"),
        Outcome::forbidden("leak", "the message was not received, and not freed either"),
    ],
    cases: &[
        Case::holds("a_message", a_message),
        Case::holds("no_message", no_message),
        Case::holds("nobody_listens", nobody_listens),
    ],
});
