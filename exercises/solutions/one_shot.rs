// A message, or none
//
// A channel for one message. Whoever receives waits for it, or learns that none will come, for the
// sender is gone. There are two bugs in it, one for each half of that sentence.

use heisenbug::cell::UnsafeCell;
use heisenbug::hint;
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{
    AtomicU8,
    Ordering::{Acquire, Relaxed, Release},
};

const EMPTY: u8 = 0;
const SENT: u8 = 1;
const GONE: u8 = 2;

struct Channel<T> {
    state: AtomicU8,
    message: UnsafeCell<Option<T>>,
}

// SAFETY: The sender writes the message before it is sent, the receiver takes it after.
unsafe impl<T: Send> Sync for Channel<T> {}
// SAFETY: The message may move to another thread, and nothing here is bound to one.
unsafe impl<T: Send> Send for Channel<T> {}

pub struct Sender<T> {
    channel: Arc<Channel<T>>,
}

pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
}

/// Two ends of a channel for one message.
pub fn one_shot<T: Send>() -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel {
        state: AtomicU8::new(EMPTY),
        message: UnsafeCell::new(None),
    });
    let sender = Sender {
        channel: Arc::clone(&channel),
    };
    (sender, Receiver { channel })
}

impl<T: Send> Sender<T> {
    /// Sends the message.
    pub fn send(self, message: T) {
        // SAFETY: There is one sender, and the receiver does not look before it is sent.
        (self.channel.message).with_mut(|place| unsafe { *place = Some(message) });
        // Only now. Pairs with the load in `receive`.
        self.channel.state.store(SENT, Release);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Also comes at the end of `send`. Only the sender changes the state, so it may just look.
        if self.channel.state.load(Relaxed) == EMPTY {
            self.channel.state.store(GONE, Release);
        }
    }
}

impl<T: Send> Receiver<T> {
    /// Waits for the message. `None` if the sender is gone and has sent none.
    pub fn receive(self) -> Option<T> {
        loop {
            match self.channel.state.load(Acquire) {
                // SAFETY: It was sent, so the sender does not touch it any more.
                SENT => return (self.channel.message).with_mut(|place| unsafe { (*place).take() }),
                GONE => return None,
                _ => hint::spin_loop(),
            }
        }
    }
}
