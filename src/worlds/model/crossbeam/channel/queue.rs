//! The queue that the ends of a channel share.

use super::RecvError;
use super::select::{Signal, Watcher};
use crate::parking_lot::{Condvar, Mutex, MutexGuard};
use crate::session::{self, Call, Shared};
use heisenbug_engine::steps;
use heisenbug_trace::Op;
use std::collections::VecDeque;
use std::panic::Location;
use std::time::Duration;

/// A queue with two ends, each of which may have several owners.
pub struct Queue<T> {
    /// What timelines show: the lock and the condition variable are its insides.
    shared: Shared,
    state: Mutex<State<T>>,
    /// Signalled on every change.
    changed: Condvar,
    /// `None` for an unbounded channel.
    capacity: Option<usize>,
}

struct State<T> {
    values: VecDeque<T>,
    senders: usize,
    receivers: usize,
    /// The number of receivers that wait now: only then can a rendezvous proceed without waiting.
    waiting: usize,
    /// The numbers of values sent and received: in a rendezvous the sender waits for its own value.
    sent: u64,
    received: u64,
    /// How many `select!`s have been promised room and have not sent yet.
    promised: usize,
    /// The `select!`s that wait for a value of this channel, among others.
    watchers: Vec<Watcher>,
    /// The same for room.
    room_watchers: Vec<Watcher>,
}

/// How long a thread is willing to wait.
#[derive(Clone, Copy)]
pub enum Patience {
    /// Not at all.
    None,
    /// For this time.
    For(Duration),
    /// For as long as it takes.
    Endless,
}

/// Why nothing was sent.
pub enum Unsent<T> {
    Full(T),
    Disconnected(T),
}

/// Why nothing was received.
pub enum Unreceived {
    Empty,
    Disconnected,
}

impl<T> State<T> {
    /// How many places are taken.
    fn taken(&self) -> usize {
        self.values.len() + self.promised
    }
}

type Guard<'a, T> = MutexGuard<'a, State<T>>;

impl<T> Queue<T> {
    #[track_caller]
    pub fn new(capacity: Option<usize>) -> Queue<T> {
        Queue {
            shared: Shared::new("channel"),
            state: Mutex::inner(State {
                values: VecDeque::new(),
                senders: 1,
                receivers: 1,
                waiting: 0,
                sent: 0,
                received: 0,
                promised: 0,
                watchers: Vec::new(),
                room_watchers: Vec::new(),
            }),
            changed: Condvar::inner(),
            capacity,
        }
    }

    /// Waits for a change. Returns whether there is time for another look.
    #[track_caller]
    fn wait(&self, state: &mut Guard<'_, T>, patience: Patience) -> bool {
        match patience {
            Patience::None => false,
            Patience::For(timeout) => !self.changed.wait_for(state, timeout).timed_out(),
            Patience::Endless => {
                self.changed.wait(state);
                true
            }
        }
    }

    #[track_caller]
    pub fn send(&self, value: T, patience: Patience) -> Result<(), Unsent<T>> {
        let name = match patience {
            Patience::None => "try_send",
            Patience::For(_) => "send_timeout",
            Patience::Endless => "send",
        };
        self.may_wait_in(name);
        let mut state = self.state.lock();
        loop {
            if state.receivers == 0 {
                self.says(Op::SendClosed, name);
                return Err(Unsent::Disconnected(value));
            }
            if self.has_room(&state, patience) {
                break;
            }
            if !self.wait(&mut state, patience) {
                self.says(Op::SendFull, name);
                return Err(Unsent::Full(value));
            }
        }
        let mine = self.put(&mut state, value);
        if self.capacity == Some(0) && !matches!(patience, Patience::None) {
            return self.hand_over(state, mine, patience);
        }
        Ok(())
    }

    /// Adds a value. Returns its number.
    #[track_caller]
    fn put(&self, state: &mut State<T>, value: T) -> u64 {
        if let Some(call) = Call::begin("send", Location::caller()) {
            call.puts_in(&self.shared, session::shown(&value));
            call.silent();
        }
        state.values.push_back(value);
        state.sent += 1;
        self.changed.notify_all();
        state.watchers.iter().for_each(Watcher::tell);
        state.sent
    }

    /// Notes that the running thread may wait for this channel.
    #[track_caller]
    fn may_wait_in(&self, name: &'static str) {
        if let Some(call) = Call::begin(name, Location::caller()) {
            call.waits_for(&self.shared);
        }
    }

    /// Shows an answer that moves no value.
    #[track_caller]
    fn says(&self, op: Op, name: &'static str) {
        if let Some(call) = Call::begin(name, Location::caller()) {
            call.done(op, &self.shared);
        }
    }

    fn has_room(&self, state: &State<T>, patience: Patience) -> bool {
        match (self.capacity, patience) {
            (None, _) => true,
            (Some(0), Patience::None) if state.taken() < state.waiting => true,
            (Some(0), Patience::None) => {
                if !state.watchers.is_empty() && steps::running() {
                    steps::give_up("a `try_send` of a rendezvous meets a `select!`");
                }
                false
            }
            // The one value that is being handed over.
            (Some(0), _) => state.taken() == 0,
            (Some(capacity), _) => state.taken() < capacity,
        }
    }

    /// Waits until the value of that number was received.
    #[track_caller]
    fn hand_over(
        &self,
        mut state: Guard<'_, T>,
        mine: u64,
        patience: Patience,
    ) -> Result<(), Unsent<T>> {
        self.may_wait_in("send");
        while state.received < mine {
            let waits = state.receivers > 0 && self.wait(&mut state, patience);
            if !waits
                && state.received < mine
                && let Some(value) = state.values.pop_back()
            {
                // It was not received, and never will be.
                state.sent -= 1;
                self.changed.notify_all();
                let is_closed = state.receivers == 0;
                if let Some(call) = Call::begin("send", Location::caller()) {
                    let op = if is_closed {
                        Op::SendClosed
                    } else {
                        Op::SendFull
                    };
                    call.takes_back(op, &self.shared);
                }
                return Err(match is_closed {
                    true => Unsent::Disconnected(value),
                    false => Unsent::Full(value),
                });
            }
        }
        if let Some(call) = Call::begin("send", Location::caller()) {
            call.silent();
        }
        Ok(())
    }

    #[track_caller]
    pub fn receive(&self, patience: Patience) -> Result<T, Unreceived> {
        self.may_wait_in("recv");
        let mut state = self.state.lock();
        loop {
            match self.take_from(&mut state) {
                Some(Ok(value)) => return Ok(value),
                Some(Err(RecvError)) => return Err(Unreceived::Disconnected),
                None => {}
            }
            state.waiting += 1;
            if self.capacity == Some(0) {
                state.room_watchers.iter().for_each(Watcher::tell);
            }
            let mut again = self.wait(&mut state, patience);
            while self.capacity == Some(0) && state.promised > 0 && state.values.is_empty() {
                // A value is on its way to a waiting receiver.
                again = self.wait(&mut state, Patience::Endless);
            }
            state.waiting -= 1;
            if !again && state.values.is_empty() {
                match patience {
                    Patience::None => self.says(Op::RecvEmpty, "try_recv"),
                    _ => self.says(Op::RecvTimedOut, "recv_timeout"),
                }
                return Err(Unreceived::Empty);
            }
        }
    }

    /// The result of a receive, if it needs no waiting.
    #[track_caller]
    fn take_from(&self, state: &mut State<T>) -> Option<Result<T, RecvError>> {
        let at = Location::caller();
        if let Some(value) = state.values.pop_front() {
            if let Some(call) = Call::begin("recv", at) {
                call.takes_out(&self.shared, session::shown(&value));
            }
            state.received += 1;
            self.changed.notify_all();
            state.room_watchers.iter().for_each(Watcher::tell);
            return Some(Ok(value));
        }
        if state.senders > 0 {
            return None;
        }
        self.says(Op::RecvClosed, "recv");
        Some(Err(RecvError))
    }

    /// As [`receive`](Self::receive), if that needs no waiting.
    #[track_caller]
    pub fn take(&self) -> Option<Result<T, RecvError>> {
        self.take_from(&mut self.state.lock())
    }

    /// As [`take`](Self::take). If it needs waiting, the watcher is signalled when there is a value.
    #[track_caller]
    pub fn take_or_watch(&self, watcher: Watcher) -> Option<Result<T, RecvError>> {
        let mut state = self.state.lock();
        let taken = self.take_from(&mut state);
        if taken.is_none() {
            state.watchers.push(watcher);
        }
        taken
    }

    /// Removes the watcher of that signal. Receives, if asked to and possible.
    #[track_caller]
    pub fn unwatch(&self, signal: &Signal, take: bool) -> Option<Result<T, RecvError>> {
        let mut state = self.state.lock();
        state.watchers.retain(|watcher| !watcher.has(signal));
        if take {
            self.take_from(&mut state)
        } else {
            None
        }
    }

    /// Promises room for one value, if there is any. An error if all receivers are gone.
    #[track_caller]
    fn promise_in(&self, state: &mut State<T>) -> Option<Result<(), RecvError>> {
        if state.receivers == 0 {
            return Some(Err(RecvError));
        }
        if self.has_room(state, Patience::None) {
            state.promised += 1;
            return Some(Ok(()));
        }
        None
    }

    /// The same, for a `select!`.
    #[track_caller]
    pub fn promise(&self) -> Option<Result<(), RecvError>> {
        self.promise_in(&mut self.state.lock())
    }

    /// As [`promise`](Self::promise). If it needs waiting, the watcher is signalled when there is room.
    #[track_caller]
    pub fn promise_or_watch(&self, watcher: Watcher) -> Option<Result<(), RecvError>> {
        let mut state = self.state.lock();
        let promised = self.promise_in(&mut state);
        if promised.is_none() {
            state.room_watchers.push(watcher);
        }
        promised
    }

    /// Removes the watcher of that signal. Promises room, if asked to and possible.
    #[track_caller]
    pub fn unwatch_room(&self, signal: &Signal, promise: bool) -> Option<Result<(), RecvError>> {
        let mut state = self.state.lock();
        state.room_watchers.retain(|watcher| !watcher.has(signal));
        if promise {
            self.promise_in(&mut state)
        } else {
            None
        }
    }

    /// Sends a value for which room was promised. An error, with the value, if all receivers are gone.
    #[track_caller]
    pub fn send_promised(&self, value: T) -> Result<(), T> {
        let mut state = self.state.lock();
        state.promised -= 1;
        if state.receivers == 0 {
            self.says(Op::SendClosed, "send");
            return Err(value);
        }
        self.put(&mut state, value);
        Ok(())
    }

    /// Gives back the promised room.
    #[track_caller]
    pub fn break_promise(&self) {
        let mut state = self.state.lock();
        state.promised -= 1;
        self.changed.notify_all();
        state.room_watchers.iter().for_each(Watcher::tell);
    }

    /// Whether a send or a receive needs no waiting. If it does, the watcher is signalled when it no longer
    /// does.
    #[track_caller]
    pub fn is_ready(&self, sends: bool, watcher: Option<Watcher>) -> bool {
        let mut state = self.state.lock();
        let ready = match sends {
            true => state.receivers == 0 || self.has_room(&state, Patience::None),
            false => !state.values.is_empty() || state.senders == 0,
        };
        if let Some(watcher) = watcher.filter(|_| !ready) {
            let watchers = match sends {
                true => &mut state.room_watchers,
                false => &mut state.watchers,
            };
            watchers.push(watcher);
        }
        ready
    }

    /// Waits until all receivers are gone: for a ticker that has ticked often enough for a check.
    #[track_caller]
    pub fn await_end(&self) {
        let mut state = self.state.lock();
        while state.receivers > 0 {
            self.wait(&mut state, Patience::For(Duration::from_secs(1)));
        }
    }

    #[track_caller]
    pub fn len(&self) -> usize {
        let len = self.state.lock().values.len();
        if let Some(call) = Call::begin("len", Location::caller()) {
            call.received(Op::Load, &self.shared, len.into());
        }
        len
    }

    pub fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    #[track_caller]
    pub fn add_sender(&self) {
        self.state.lock().senders += 1;
    }

    #[track_caller]
    pub fn add_receiver(&self) {
        self.state.lock().receivers += 1;
    }

    pub fn remove_sender(&self) {
        let mut state = self.state.lock();
        state.senders -= 1;
        if state.senders == 0 {
            self.changed.notify_all();
            state.watchers.iter().for_each(Watcher::tell);
        }
    }

    pub fn remove_receiver(&self) {
        let mut state = self.state.lock();
        state.receivers -= 1;
        let mut unread = VecDeque::new();
        if state.receivers == 0 {
            // A sender in a rendezvous gets its value back.
            if self.capacity != Some(0) {
                unread = std::mem::take(&mut state.values);
            }
            self.changed.notify_all();
            state.room_watchers.iter().for_each(Watcher::tell);
        }
        drop(state);
        // Not under the lock: a value may have a destructor that sends.
        drop(unread);
    }
}
