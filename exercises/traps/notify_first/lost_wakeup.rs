// Waiting for the green light
//
// Cars wait at a traffic light, asleep, until it is green. Some sleep on in front of a green light:
// they had just looked, and it was red.

use heisenbug::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use heisenbug::sync::{Condvar, Mutex};

#[derive(Default)]
pub struct Light {
    green: AtomicBool,
    lane: Mutex<()>,
    changed: Condvar,
}

impl Light {
    /// Turns the light green.
    pub fn turn_green(&self) {
        // With the lock, but too early.
        let lane = self.lane.lock().unwrap();
        self.changed.notify_all();
        drop(lane);
        self.green.store(true, Release);
    }

    /// Sleeps until the light is green.
    pub fn wait(&self) {
        let mut lane = self.lane.lock().unwrap();
        while !self.green.load(Acquire) {
            lane = self.changed.wait(lane).unwrap();
        }
    }

    /// Whether the light is green.
    pub fn is_green(&self) -> bool {
        self.green.load(Acquire)
    }
}
