//! Judges `one_shot.rs`: a sender that sends, one that does not, and a receiver that does not wait.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
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

/// The message is freed with the channel if it is never received.
fn nobody_listens() -> String {
    let (sender, receiver) = yours::one_shot();
    let sender = start("sender", move || sender.send(Arc::new(1)));
    drop(receiver);
    sender.join().unwrap();
    "freed".into()
}

fn sent_and_received() -> String {
    let (sender, receiver) = yours::one_shot();
    let message = Arc::new(5);
    sender.send(Some(Arc::clone(&message)));
    let received = receiver.receive().flatten();
    let (other, nobody) = yours::one_shot::<Option<u8>>();
    other.send(None);
    kept(received.is_some_and(|it| Arc::ptr_eq(&it, &message)) && nobody.receive() == Some(None))
}

fn undecided() -> String {
    let (_sender, receiver) = yours::one_shot::<u8>();
    match receiver.receive() {
        None => "the sender is given up".into(),
        Some(_) => "another message".into(),
    }
}

fn nobody_is_there() -> String {
    let (sender, receiver) = yours::one_shot();
    drop(receiver);
    sender.send(Arc::new(1));
    kept(true)
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("hello", "the message arrived"),
        Outcome::acceptable("no message", "the receiver learned that the sender is gone"),
        Outcome::acceptable(
            "freed",
            "a message that was never received leaves nothing behind"
        ),
        Outcome::forbidden(
            "the message is lost",
            "it was sent, and the receiver saw only the end"
        ),
        Outcome::forbidden("another message", "it was received, but never sent"),
        Outcome::forbidden("data race", "the message is taken while it is written"),
        Outcome::forbidden("livelock", "the receiver waits for a sender that is gone"),
        Outcome::forbidden("deadlock", "the receiver sleeps, and the sender is gone"),
        Outcome::forbidden("leak", "the message was not received, and not freed either"),
    ],
    contract: &[
        Case::promises(
            "a message that was sent is received as it was",
            sent_and_received
        ),
        Case::promises("a message that is never received is freed", nobody_is_there),
        Case::waits("`receive` waits while a message may still come", undecided),
    ],
    cases: &[
        Case::holds("a_message", a_message),
        Case::holds("no_message", no_message),
        Case::holds("nobody_listens", nobody_listens),
    ],
});
