// A message, or none
//
// A channel for one message. The receiver waits for it, or learns that none will come because the
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

// SAFETY: The sender writes the message before it is sent, the receiver takes it afterwards.
unsafe impl<T: Send> Sync for Channel<T> {}
// SAFETY: The message may move to another thread, and nothing else here is bound to a thread.
unsafe impl<T: Send> Send for Channel<T> {}

pub struct Sender<T> {
    channel: Arc<Channel<T>>,
}

pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
}

/// Makes a channel for one message, and returns its two ends.
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
        // SAFETY: There is one sender, and the receiver does not look before the message is sent.
        (self.channel.message).with_mut(|place| unsafe { *place = Some(message) });
        // Only now. Pairs with the load in `receive`.
        self.channel.state.store(SENT, Release);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Also runs at the end of `send`. Only the sender changes the state, so a load is enough.
        if self.channel.state.load(Relaxed) == EMPTY {
            self.channel.state.store(GONE, Release);
        }
    }
}

impl<T: Send> Receiver<T> {
    /// Waits for the message. `None` if the sender is gone without having sent one.
    pub fn receive(self) -> Option<T> {
        loop {
            match self.channel.state.load(Acquire) {
                // SAFETY: The message was sent, so the sender no longer touches it.
                SENT => return (self.channel.message).with_mut(|place| unsafe { (*place).take() }),
                GONE => return None,
                _ => hint::spin_loop(),
            }
        }
    }
}
