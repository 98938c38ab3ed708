// The night porter
//
// Guests ask the porter when breakfast is. He remembers the hour, and asks the kitchen only if he does not know
// it. When the hour changes, the kitchen tells him to forget it. Sometimes he goes on saying the old one,
// morning after morning.

use heisenbug::net::Machine;
use std::mem;

/// To and from the porter.
#[derive(Clone, Debug)]
pub enum Message {
    /// When is breakfast?
    Ask,
    /// At this hour.
    At(u32),
    /// No longer at the hour that you know.
    Forget,
}

/// What the porter remembers.
#[derive(Clone, Debug, Default, Hash)]
pub struct Porter {
    hour: Option<u32>,
    /// They have asked, and wait while the kitchen is asked.
    waiting: Vec<&'static str>,
}

/// What the porter does with a message.
pub fn hear(me: &Machine, porter: &mut Porter, from: &'static str, message: Message) {
    match message {
        Message::Ask => match porter.hour {
            Some(hour) => me.send(from, Message::At(hour)),
            None => {
                if porter.waiting.is_empty() {
                    me.send("kitchen", Message::Ask);
                }
                porter.waiting.push(from);
            }
        },
        Message::At(hour) => {
            // TODO: make sure that no hour is remembered that he was told to forget.
            porter.hour = Some(hour);
            for guest in mem::take(&mut porter.waiting) {
                me.send(guest, Message::At(hour));
            }
        }
        Message::Forget => porter.hour = None,
    }
}
