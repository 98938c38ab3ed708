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
        // Under the lock: either before a car looks, or after it has fallen asleep.
        *self.green.lock().unwrap() = true;
        self.changed.notify_all();
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
