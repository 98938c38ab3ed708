// The early alarm clock
//
// Whoever waits for the train leaves a name with the guard and lies down. When the train comes, the
// guard wakes the sleeper. Lately people wake up, see no train, and lie down again, for good.

use heisenbug::sync::Mutex;
use heisenbug::thread::{self, Thread};

#[derive(Default)]
pub struct Platform {
    train: Mutex<Option<u32>>,
    sleeper: Mutex<Option<Thread>>,
}

impl Platform {
    /// A train comes in.
    pub fn arrive(&self, train: u32) {
        // Whoever leaves a name after this line sees the train before lying down.
        *self.train.lock().unwrap() = Some(train);
        let sleeper = self.sleeper.lock().unwrap().take();
        if let Some(sleeper) = sleeper {
            sleeper.unpark();
        }
    }

    /// Sleeps until a train is there. For one passenger only.
    pub fn wait(&self) -> u32 {
        *self.sleeper.lock().unwrap() = Some(thread::current());
        loop {
            let train = *self.train.lock().unwrap();
            match train {
                Some(train) => return train,
                // May also return without a call (a spurious wakeup), hence the loop.
                None => thread::park(),
            }
        }
    }
}
