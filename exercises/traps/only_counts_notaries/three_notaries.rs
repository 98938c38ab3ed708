// The three notaries
//
// A deed is kept by three notaries, so that one of them may fall ill. Whoever changes it waits for two of them.
// Whoever reads it asks all three, and takes the first answer, which is sometimes an old one.

use heisenbug::net::Machine;
use std::collections::BTreeSet;

const NOTARIES: [&str; 3] = ["ann", "bob", "cleo"];

/// How many of them have to answer.
const TO_WRITE: usize = 2;
const TO_READ: usize = 1;

/// To and from a notary. A deed is known by its number, and the highest one counts.
#[derive(Clone, Debug)]
pub enum Message {
    Write(u32),
    Written,
    Read,
    Deed(u32),
}

/// Tells it to all notaries.
fn tell_all(me: &Machine, message: &Message) {
    for notary in NOTARIES {
        me.send(notary, message.clone());
    }
}

/// Gives a deed to the notaries. It is in force when this returns.
pub fn write(me: &Machine, deed: u32) {
    tell_all(me, &Message::Write(deed));
    let mut from = BTreeSet::new();
    while from.len() < TO_WRITE {
        if let (notary, Message::Written) = me.receive() {
            from.insert(notary);
        }
    }
}

/// The newest deed that is in force. A notary may answer twice.
pub fn read(me: &Machine) -> u32 {
    tell_all(me, &Message::Read);
    let mut from = BTreeSet::new();
    let mut newest = 0;
    while from.len() < TO_READ {
        if let (notary, Message::Deed(deed)) = me.receive() {
            from.insert(notary);
            newest = newest.max(deed);
        }
    }
    newest
}
