//! `std::thread`.

mod builder;
mod handle;
mod local;
mod scoped;

pub use builder::{Builder, JoinHandle, spawn};
pub use handle::{Thread, ThreadId};
pub use local::{AccessError, LocalKey};
pub use scoped::{Scope, ScopedJoinHandle, scope};
pub use std::thread::Result;

use super::session::{self, Call};
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Rmw, Until, Why};
use heisenbug_trace::Op;
use std::io;
use std::num::NonZero;
use std::panic::Location;
use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

/// Whether the current thread is unwinding.
pub fn panicking() -> bool {
    session::panicking()
}

/// The current thread.
pub fn current() -> Thread {
    if steps::running() {
        Thread::of_model(session::current())
    } else {
        Thread::of_std(std::thread::current())
    }
}

/// How many threads can run at once. In a check two: the smallest number that makes a difference.
///
/// # Errors
///
/// Outside of a check, as std's; in a check, never.
pub fn available_parallelism() -> io::Result<NonZero<usize>> {
    if steps::running() {
        Ok(NonZero::<usize>::MIN.saturating_add(1))
    } else {
        std::thread::available_parallelism()
    }
}

/// Waits until another thread calls [`Thread::unpark`], unless one already has. May return
/// spuriously.
#[track_caller]
pub fn park() {
    let Some(call) = Call::begin("park", Location::caller()) else {
        return std::thread::park();
    };
    call.waits_for(&());
    let mut op = Op::ParkForNoReason;
    if steps::choose(2, Why::SpuriousUnpark, call.at()) == 0 {
        await_unpark(false, call.at());
        op = Op::Park;
    }
    call.done(op, &());
}

/// As [`park`], for no longer than `duration`.
#[track_caller]
pub fn park_timeout(duration: Duration) {
    let Some(call) = Call::begin("park_timeout", Location::caller()) else {
        return std::thread::park_timeout(duration);
    };
    call.waits_for(&());
    let mut op = Op::Park;
    if steps::choose(2, Why::TimeOut, call.at()) == 0 {
        await_unpark(true, call.at());
    } else {
        op = Op::ParkTimedOut;
        // An unpark that comes just now is consumed all the same.
        let parked = &session::current().parked;
        steps::rmw(parked, 0, Rmw::set(0), Acquire, Acquire, call.at());
    }
    call.done(op, &());
}

fn await_unpark(timed: bool, at: Place) {
    let parked = &session::current().parked;
    steps::await_rmw(parked, 0, Until::Is(1), Rmw::set(0), Acquire, timed, at);
}

/// Tells the engine that the caller has nothing to do now. Promises nothing about which thread runs next.
#[track_caller]
#[inline(always)]
pub fn yield_now() {
    steps::comes();
    yields(Location::caller());
}

#[inline(never)]
fn yields(at: Place) {
    if !passes("yield_now", at) {
        std::thread::yield_now();
    }
}

/// Pauses, outside of a check. In a check, where there is no time, others may or may not run meanwhile.
#[track_caller]
#[inline(always)]
pub fn sleep(duration: Duration) {
    steps::comes();
    sleeps(duration, Location::caller());
}

#[inline(never)]
fn sleeps(duration: Duration, at: Place) {
    if !passes("sleep", at) {
        std::thread::sleep(duration);
    }
}

/// As [`sleep`], in milliseconds.
#[track_caller]
pub fn sleep_ms(ms: u32) {
    if !passes("sleep_ms", Location::caller()) {
        std::thread::sleep(Duration::from_millis(u64::from(ms)));
    }
}

/// Tells the engine, if there is one, that the caller waits. Returns whether there is an engine.
pub(super) fn passes(name: &'static str, at: Place) -> bool {
    if let Some(call) = Call::begin(name, at) {
        steps::pass(at);
        call.done(Op::Yield, &());
        return true;
    }
    false
}
