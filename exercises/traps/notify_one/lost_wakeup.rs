// Waiting for the green light
//
// Cars wait at a traffic light, asleep, until it is green. Some sleep on in front of a green light:
// they had just looked, and it was red.

use heisenbug::sync::{Condvar, Mutex};

#[derive(Default)]
pub struct Light {
    green: Mutex<bool>,
    changed: Condvar,
}

impl Light {
    /// Turns the light green.
    pub fn turn_green(&self) {
        *self.green.lock().unwrap() = true;
        // Wakes one car, but there may be more.
        self.changed.notify_one();
    }

    /// Sleeps until the light is green.
    pub fn wait(&self) {
        let mut green = self.green.lock().unwrap();
        // Looks while it holds the lock, which `wait` releases only once the car sleeps.
        while !*green {
            green = self.changed.wait(green).unwrap();
        }
    }

    /// Whether the light is green.
    pub fn is_green(&self) -> bool {
        *self.green.lock().unwrap()
    }
}
