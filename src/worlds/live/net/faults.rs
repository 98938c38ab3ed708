//! What goes wrong, at random, and no more often than the system allows.

use super::system::Faults;
use std::time::Duration;

/// One in so many opportunities is taken.
const RARELY: u8 = 4;

/// How long a message takes, unless it is late.
const TRAVEL: Duration = Duration::from_millis(4);

/// How long a message takes that is later than any time-out should be.
pub const LATE: Duration = Duration::from_millis(150);

/// How long after a message a machine breaks off: long enough to be in the middle of something.
const SHORTLY: Duration = Duration::from_millis(2);

impl Faults {
    pub fn loses(&mut self) -> bool {
        takes(&mut self.losses)
    }

    pub fn doubles(&mut self) -> bool {
        takes(&mut self.duplicates)
    }

    pub fn crashes(&mut self) -> bool {
        takes(&mut self.crashes)
    }

    pub fn stops(&mut self) -> bool {
        takes(&mut self.stops)
    }

    pub fn fails_to_sync(&mut self) -> bool {
        takes(&mut self.disk_errors)
    }

    /// How long a message takes.
    pub fn travel(&mut self) -> Duration {
        let is_late = self.any_time && fastrand::u8(..RARELY) == 0;
        match is_late || takes(&mut self.early) {
            true => LATE,
            false => TRAVEL.mul_f64(fastrand::f64()),
        }
    }

    /// When a machine breaks off.
    pub fn shortly() -> Duration {
        SHORTLY.mul_f64(fastrand::f64())
    }
}

fn takes(left: &mut u8) -> bool {
    let happens = *left > 0 && fastrand::u8(..RARELY) == 0;
    *left -= u8::from(happens);
    happens
}
