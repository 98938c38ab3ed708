//! Numbers for what is compared often: messages, observations, labels.

use super::found::Label;
use rustc_hash::FxHashMap;
use std::hash::Hash;
use std::rc::Rc;

/// The number of a message. Messages with the same sender, addressee and content are one.
pub type MessageId = u32;

/// A table of values, each once.
pub struct Table<T> {
    numbers: FxHashMap<T, u32>,
    all: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table {
            numbers: FxHashMap::default(),
            all: Vec::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    pub fn number(&mut self, value: T) -> u32 {
        let next = self.all.len() as u32;
        let number = *self.numbers.entry(value.clone()).or_insert(next);
        if number == next {
            self.all.push(value);
        }
        number
    }

    pub fn get(&self, number: u32) -> &T {
        &self.all[number as usize]
    }
}

/// All tables.
#[derive(Default)]
pub struct Names {
    messages: Table<(u8, u8, Rc<[u8]>)>,
    /// The messages in words.
    shown: Vec<Rc<str>>,
    observations: Table<Rc<[u8]>>,
    labels: Table<Label>,
}

impl Names {
    pub fn message(&mut self, from: u8, to: u8, content: &Rc<[u8]>, shown: &Rc<str>) -> MessageId {
        let number = self.messages.number((from, to, Rc::clone(content)));
        if number as usize == self.shown.len() {
            self.shown.push(Rc::clone(shown));
        }
        number
    }

    pub fn addressee(&self, message: MessageId) -> u8 {
        self.messages.get(message).1
    }

    pub fn sender_and_content(&self, message: MessageId) -> (u8, Rc<[u8]>) {
        let (from, _, content) = self.messages.get(message);
        (*from, Rc::clone(content))
    }

    pub fn shown(&self, message: MessageId) -> &str {
        &self.shown[message as usize]
    }

    pub fn observation(&mut self, what: &Rc<[u8]>) -> u32 {
        self.observations.number(Rc::clone(what))
    }

    pub fn observed(&self, observation: u32) -> Rc<[u8]> {
        Rc::clone(self.observations.get(observation))
    }

    pub fn label(&mut self, label: Label) -> u32 {
        self.labels.number(label)
    }

    pub fn label_of(&self, number: u32) -> &Label {
        self.labels.get(number)
    }
}
