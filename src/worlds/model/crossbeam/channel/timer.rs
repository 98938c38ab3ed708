//! Channels that the clock sends into. In a check the clock is a separate thread, which may be as fast or
//! as slow as any other.

use super::ends::{Receiver, Sender};
use crate::thread;
use heisenbug_engine::steps;
use std::time::{Duration, Instant};

/// How often a ticker ticks in a check. A wait for another tick counts as waiting with a time-out that
/// has come too often.
const TICKS: usize = 2;

/// The receiver of one message, which is sent after that time.
#[track_caller]
pub fn after(duration: Duration) -> Receiver<Instant> {
    let (to, from) = super::bounded(1);
    start(move || {
        thread::sleep(duration);
        let _ = to.send(Instant::now());
        // The channel never disconnects.
        std::mem::forget(to);
    });
    from
}

/// As [`after`], with the time at which to send the message.
#[track_caller]
pub fn at(when: Instant) -> Receiver<Instant> {
    after(when.saturating_duration_since(Instant::now()))
}

/// The receiver of a message at each interval of that time. Ticks that are not received in time are
/// skipped.
#[track_caller]
pub fn tick(duration: Duration) -> Receiver<Instant> {
    let (to, from) = super::bounded(1);
    start(move || ticks(&to, duration));
    from
}

fn ticks(to: &Sender<Instant>, duration: Duration) {
    let mut times = 0;
    while !steps::running() || times < TICKS {
        thread::sleep(duration);
        if to.send(Instant::now()).is_err() {
            return;
        }
        times += 1;
    }
    to.queue().await_end();
}

#[track_caller]
fn start(run: impl FnOnce() + Send + 'static) {
    let builder = thread::Builder::new().name("timer".to_owned());
    builder
        .spawn(run)
        .expect("the system has room for a thread");
}
