//! The mechanism behind `select!`: an offer to several channels, one of which takes it.
//!
//! First each channel is tried. Which one comes first is a choice, so that each of several ready channels
//! is taken in some execution. If none is ready, a [`Signal`] is registered with each of them, and
//! the first thread that makes one of them ready gives the signal.

use super::RecvError;
use super::SendError;
use super::ends::{Receiver, Sender};
use super::queue::Patience;
use crate::session::{Call, Shared};
use crate::unordered::Unordered;
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Rmw, Until, Why};
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Wakes a thread that waits for several channels, once.
#[derive(Clone)]
pub struct Signal(Arc<Unordered<Word>>);

struct Word {
    /// 0 until the signal is given, then the number of the arm plus one; or `TOO_LATE`. Relaxed: the
    /// channel's lock orders what is handed over.
    word: Shared,
    outside: (Mutex<u64>, Condvar),
}

/// The waiting thread has stopped waiting.
const TOO_LATE: u64 = u64::MAX;

/// What a channel signals when it becomes ready.
pub struct Watcher {
    signal: Signal,
    arm: u64,
}

impl Signal {
    fn new(at: Place) -> Signal {
        Signal(Arc::new(Unordered::new(Word {
            word: Shared::made_at("select", at),
            outside: Default::default(),
        })))
    }

    /// Waits for the signal. Returns the arm it was given for, or `None` on a time-out.
    fn wait(&self, patience: Patience, deadline: Option<Instant>, at: Place) -> Option<usize> {
        let Some(call) = Call::begin("select", at) else {
            return self.wait_outside(deadline);
        };
        call.waits_for(&self.0.word);
        let object = self.0.word.object();
        let timed = matches!(patience, Patience::For(_));
        let mut given = 0;
        if timed && steps::choose(2, Why::TimeOut, at) == 1 {
            // If the signal came just before, it has not timed out.
            let gone = Rmw::exchange(0, TOO_LATE);
            given = steps::rmw(object, 0, gone, Relaxed, Relaxed, at).read;
        } else {
            let until = Until::IsNot(0);
            given = given.max(steps::await_load(object, 0, until, Relaxed, timed, at));
        }
        call.silent();
        Some(given.checked_sub(1)? as usize)
    }

    fn wait_outside(&self, deadline: Option<Instant>) -> Option<usize> {
        let (given, changed) = &self.0.outside;
        let given = given.lock().unwrap_or_else(PoisonError::into_inner);
        let given = match deadline {
            None => changed.wait_while(given, |given| *given == 0),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let waited = changed.wait_timeout_while(given, left, |given| *given == 0);
                Ok(waited.unwrap_or_else(PoisonError::into_inner).0)
            }
        };
        let given = *given.unwrap_or_else(PoisonError::into_inner);
        Some(given.checked_sub(1)? as usize)
    }
}

impl Watcher {
    /// A watcher that signals for that arm.
    pub fn new(signal: &Signal, arm: usize) -> Watcher {
        Watcher {
            signal: signal.clone(),
            arm: arm as u64,
        }
    }

    /// Gives the signal, unless it was given before.
    #[track_caller]
    pub fn tell(&self) {
        let Some(call) = Call::begin("select", Location::caller()) else {
            let (given, changed) = &self.signal.0.outside;
            let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
            if *given == 0 {
                *given = self.arm + 1;
            }
            return changed.notify_one();
        };
        let give = Rmw::exchange(0, self.arm + 1);
        let object = self.signal.0.word.object();
        steps::rmw(object, 0, give, Relaxed, Relaxed, call.at());
        call.silent();
    }

    /// Whether the watcher has that signal.
    pub fn has(&self, signal: &Signal) -> bool {
        Arc::ptr_eq(&self.signal.0, &signal.0)
    }
}

/// One of several things to wait for.
pub trait Arm {
    /// Performs the operation, if it needs no waiting. Returns whether it did.
    #[track_caller]
    fn attempt(&mut self) -> bool;

    /// As [`attempt`](Self::attempt). If it needs waiting, registers a watcher.
    #[track_caller]
    fn offer(&mut self, signal: &Signal, arm: usize) -> bool;

    /// Removes the watcher, and performs the operation if asked to and possible. Returns whether it did.
    #[track_caller]
    fn withdraw(&mut self, signal: &Signal, attempt: bool) -> bool;

    /// Whether this arm is the one that was performed.
    fn is_done(&self) -> bool;
}

/// An arm that receives.
pub struct Receiving<'a, T> {
    from: &'a Receiver<T>,
    got: Option<Result<T, RecvError>>,
}

impl<'a, T> Receiving<'a, T> {
    /// An arm that has not received anything yet.
    pub fn new(from: &'a Receiver<T>) -> Receiving<'a, T> {
        Receiving { from, got: None }
    }

    /// Returns what was received.
    pub fn finish(&mut self) -> Result<T, RecvError> {
        self.got.take().expect("it was this one")
    }
}

impl<T> Arm for Receiving<'_, T> {
    fn attempt(&mut self) -> bool {
        self.got = self.from.queue().take();
        self.got.is_some()
    }

    fn offer(&mut self, signal: &Signal, arm: usize) -> bool {
        let watcher = Watcher::new(signal, arm);
        self.got = self.from.queue().take_or_watch(watcher);
        self.got.is_some()
    }

    fn withdraw(&mut self, signal: &Signal, attempt: bool) -> bool {
        let got = self.from.queue().unwatch(signal, attempt);
        let done = got.is_some();
        self.got = self.got.take().or(got);
        done
    }

    fn is_done(&self) -> bool {
        self.got.is_some()
    }
}

/// An arm that sends, once it is known that there is room.
pub struct Sending<'a, T> {
    to: &'a Sender<T>,
    promised: Option<Result<(), RecvError>>,
}

impl<'a, T> Sending<'a, T> {
    /// An arm that has not been promised room yet.
    pub fn new(to: &'a Sender<T>) -> Sending<'a, T> {
        Sending { to, promised: None }
    }

    /// Sends the value. An error if all receivers are gone.
    #[track_caller]
    pub fn finish(&mut self, value: T) -> Result<(), SendError<T>> {
        match self.promised.take() {
            Some(Ok(())) => self.to.queue().send_promised(value).map_err(SendError),
            _ => Err(SendError(value)),
        }
    }
}

impl<T> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        if let Some(Ok(())) = self.promised {
            self.to.queue().break_promise();
        }
    }
}

impl<T> Arm for Sending<'_, T> {
    fn attempt(&mut self) -> bool {
        self.promised = self.to.queue().promise();
        self.promised.is_some()
    }

    fn offer(&mut self, signal: &Signal, arm: usize) -> bool {
        let watcher = Watcher::new(signal, arm);
        self.promised = self.to.queue().promise_or_watch(watcher);
        self.promised.is_some()
    }

    fn withdraw(&mut self, signal: &Signal, attempt: bool) -> bool {
        let promised = self.to.queue().unwatch_room(signal, attempt);
        let done = promised.is_some();
        self.promised = self.promised.take().or(promised);
        done
    }

    fn is_done(&self) -> bool {
        self.promised.is_some()
    }
}

/// Performs one of the arms, waiting as long as `patience` says. Returns whether one was performed.
#[track_caller]
pub fn select(arms: &mut [&mut dyn Arm], patience: Patience) -> bool {
    let at = Location::caller();
    let deadline = match patience {
        Patience::For(timeout) => Instant::now().checked_add(timeout),
        _ => None,
    };
    loop {
        if attempt_any(arms, patience, at) {
            return true;
        }
        if matches!(patience, Patience::None) {
            return false;
        }
        if let Some(done) = wait_for_any(arms, patience, deadline, at) {
            return done;
        }
    }
}

/// Tries each arm. The first one is a choice, and so is each later one if the caller will not try again:
/// then the program can observe in which order they were found empty.
#[track_caller]
fn attempt_any(arms: &mut [&mut dyn Arm], patience: Patience, at: Place) -> bool {
    let mut left: Vec<usize> = (0..arms.len()).collect();
    while !left.is_empty() {
        let is_open = left.len() == arms.len() || matches!(patience, Patience::None);
        let next = if is_open { any_of(left.len(), at) } else { 0 };
        if arms[left.remove(next)].attempt() {
            return true;
        }
    }
    false
}

/// A choice of one of this many.
fn any_of(number: usize, at: Place) -> usize {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    if !steps::running() {
        return TURN.fetch_add(1, Relaxed) % number;
    }
    match u8::try_from(number) {
        Ok(0 | 1) => 0,
        Ok(number) => steps::choose(number, Why::Program, at).into(),
        Err(_) => steps::give_up("a `select!` over more than 255 receivers"),
    }
}

/// Waits until an arm can be performed, and performs it. Returns whether it did; `None` if it lost a race.
#[track_caller]
fn wait_for_any(
    arms: &mut [&mut dyn Arm],
    patience: Patience,
    deadline: Option<Instant>,
    at: Place,
) -> Option<bool> {
    let signal = Signal::new(at);
    let mut told = 0;
    let mut done = false;
    while told < arms.len() && !done {
        done = arms[told].offer(&signal, told);
        told += usize::from(!done);
    }
    let mut time_is_up = false;
    if !done {
        let given = signal.wait(patience, deadline, at);
        time_is_up = given.is_none();
        if let Some(arm) = given {
            done = arms[arm].withdraw(&signal, true);
            arms.swap(0, arm);
            told -= 1;
            for other in &mut arms[1..=told] {
                other.withdraw(&signal, false);
            }
            arms.swap(0, arm);
            return done.then_some(true);
        }
    }
    for other in &mut arms[..told] {
        other.withdraw(&signal, false);
    }
    if time_is_up {
        return Some(false);
    }
    done.then_some(true)
}
