//! Numbers for what is compared often: messages, observations, labels.

use super::found::Label;
use rustc_hash::FxHashMap;
use std::hash::Hash;
use std::rc::Rc;

/// The number of a message. Messages with the same sender, addressee and content are one.
pub type MessageId = u32;

/// The number of a piece of a stream.
pub type BytesId = u32;

/// The number of what is under way in a stream: pieces, as they were written. 0: nothing.
pub type QueueId = u32;

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
pub struct Names {
    messages: Table<(u8, u8, Rc<[u8]>)>,
    /// The messages in words.
    shown: Vec<Rc<str>>,
    bytes: Table<Rc<[u8]>>,
    queues: Table<Vec<Rc<[u8]>>>,
    observations: Table<Rc<[u8]>>,
    labels: Table<Label>,
}

impl Default for Names {
    fn default() -> Names {
        let mut queues = Table::default();
        let nothing = queues.number(Vec::new());
        debug_assert_eq!(nothing, 0);
        Names {
            messages: Table::default(),
            shown: Vec::new(),
            bytes: Table::default(),
            queues,
            observations: Table::default(),
            labels: Table::default(),
        }
    }
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

    pub fn number_of_bytes(&mut self, bytes: &Rc<[u8]>) -> BytesId {
        self.bytes.number(Rc::clone(bytes))
    }

    pub fn bytes(&self, number: BytesId) -> Rc<[u8]> {
        Rc::clone(self.bytes.get(number))
    }

    /// The pieces in a queue.
    pub fn pieces(&self, queue: QueueId) -> &[Rc<[u8]>] {
        self.queues.get(queue)
    }

    /// A queue with one more piece.
    pub fn longer(&mut self, queue: QueueId, bytes: BytesId) -> QueueId {
        let mut pieces = self.queues.get(queue).clone();
        pieces.push(self.bytes(bytes));
        self.queues.number(pieces)
    }

    /// A queue without its first bytes.
    pub fn shorter(&mut self, queue: QueueId, mut bytes: usize) -> QueueId {
        let mut left = Vec::new();
        for piece in self.queues.get(queue) {
            let from_it = bytes.min(piece.len());
            bytes -= from_it;
            if from_it < piece.len() {
                left.push(piece[from_it..].into());
            }
        }
        self.queues.number(left)
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
