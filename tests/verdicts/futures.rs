//! Hand-written executors: tasks that are woken through a channel, and wakers that do too little.

use crate::judged::{deadlocks, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::future::{Wake, block_on};
use heisenbug::sync::atomic::{AtomicBool, Ordering::SeqCst};
use heisenbug::sync::mpsc::{Sender, channel};
use heisenbug::sync::{Arc, Mutex};
use heisenbug::thread::{self, Thread};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// A flag with a waker, which a future waits for.
#[derive(Default)]
struct Gate {
    open: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Gate {
    fn open(&self) {
        self.open.store(true, SeqCst);
        if let Some(waker) = self.waker.lock().unwrap().take() {
            waker.wake();
        }
    }

    /// Registers the waker first, then looks.
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        *self.waker.lock().unwrap() = Some(context.waker().clone());
        match self.open.load(SeqCst) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    async fn pass(&self) {
        poll_fn(|context| self.poll(context)).await;
    }
}

/// Wakes the thread that runs a future.
struct Unparks {
    thread: Thread,
    woken: AtomicBool,
    /// How the waker wakes the thread.
    wakes: fn(&Unparks),
}

impl Wake for Unparks {
    fn wake(this: Arc<Self>) {
        (this.wakes)(&this);
    }
}

/// Runs a future like a simple executor: poll, and sleep until woken.
fn run<F: Future>(future: F, wakes: fn(&Unparks)) -> F::Output {
    let unparks = Arc::new(Unparks {
        thread: thread::current(),
        woken: AtomicBool::new(false),
        wakes,
    });
    let waker = Waker::from(Arc::clone(&unparks));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !unparks.woken.swap(false, SeqCst) {
            thread::park();
        }
    }
}

/// Main runs a future that another thread opens.
fn opened(wakes: fn(&Unparks)) -> impl Fn() + Send + Sync + 'static {
    move || {
        let gate = Arc::new(Gate::default());
        let other = thread::spawn({
            let gate = Arc::clone(&gate);
            move || gate.open()
        });
        run(gate.pass(), wakes);
        other.join().unwrap();
    }
}

#[test]
fn a_waker_that_says_so_and_then_unparks_holds() {
    holds(opened(|unparks| {
        unparks.woken.store(true, SeqCst);
        unparks.thread.unpark();
    }));
}

/// The executor may look between the two, and go on sleeping.
#[test]
fn a_waker_that_unparks_before_it_says_so_fails() {
    deadlocks(opened(|unparks| {
        unparks.thread.unpark();
        unparks.woken.store(true, SeqCst);
    }));
}

#[test]
fn a_waker_that_unparks_nobody_fails() {
    deadlocks(opened(|unparks| unparks.woken.store(true, SeqCst)));
}

/// A task of an executor: its future, and the channel to send it to when it is woken.
struct Task {
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    ready: Mutex<Sender<Arc<Task>>>,
    /// Whether it is in the channel; for wakers that send it only once.
    queued: AtomicBool,
    wakes: fn(Arc<Task>),
}

impl Wake for Task {
    fn wake(this: Arc<Self>) {
        (this.wakes)(this);
    }
}

fn send(task: Arc<Task>) {
    let ready = task.ready.lock().unwrap().clone();
    // If the executor is gone, the task need not run any more.
    let _ = ready.send(task);
}

/// Sends it, unless it is in the channel already.
fn send_once(task: Arc<Task>) {
    if !task.queued.swap(true, SeqCst) {
        send(task);
    }
}

/// Runs one task until it is done, and marks it as out of the channel before or after the poll.
fn execute(future: impl Future<Output = ()> + Send + 'static, wakes: fn(Arc<Task>), early: bool) {
    let (to, ready) = channel();
    let task = Arc::new(Task {
        future: Mutex::new(Some(Box::pin(future))),
        ready: Mutex::new(to),
        queued: AtomicBool::new(true),
        wakes,
    });
    let mut next = task;
    loop {
        if early {
            next.queued.store(false, SeqCst);
        }
        let waker = Waker::from(Arc::clone(&next));
        let mut future = next.future.lock().unwrap();
        let running = future.as_mut().expect("it is not done");
        let poll = running.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_ready() {
            *future = None;
            return;
        }
        drop(future);
        if !early {
            next.queued.store(false, SeqCst);
        }
        next = ready.recv().expect("the task has a sender");
    }
}

fn executed(wakes: fn(Arc<Task>), early: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let gate = Arc::new(Gate::default());
        let other = thread::spawn({
            let gate = Arc::clone(&gate);
            move || gate.open()
        });
        let passes = {
            let gate = Arc::clone(&gate);
            async move { gate.pass().await }
        };
        execute(passes, wakes, early);
        // A waker that is left behind keeps its task alive.
        gate.waker.lock().unwrap().take();
        other.join().unwrap();
    }
}

#[test]
fn an_executor_with_a_channel_of_tasks_holds() {
    holds(executed(send, true));
    holds(executed(send_once, true));
}

/// A wake-up during the poll still finds the task marked as in the channel, and is lost.
#[test]
fn a_task_taken_out_of_the_channel_after_its_poll_fails() {
    deadlocks(executed(send_once, false));
}

#[test]
fn a_task_that_is_not_sent_when_woken_fails() {
    deadlocks(executed(drop, true));
}

#[test]
fn a_future_that_is_blocked_on_ends_holds() {
    holds(|| {
        let gate = Arc::new(Gate::default());
        let other = thread::spawn({
            let gate = Arc::clone(&gate);
            move || block_on(gate.pass())
        });
        gate.open();
        other.join().unwrap();
    });
}

/// Both share one place for their wakers: the second future replaces the waker of the first.
#[test]
fn two_futures_with_one_place_for_a_waker_fail() {
    deadlocks(|| {
        let gate = Arc::new(Gate::default());
        let others = [(); 2].map(|()| {
            let gate = Arc::clone(&gate);
            thread::spawn(move || block_on(gate.pass()))
        });
        gate.open();
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn counting_on_the_first_poll_fails() {
    let program = || {
        let gate = Arc::new(Gate::default());
        let other = thread::spawn({
            let gate = Arc::clone(&gate);
            move || gate.open()
        });
        let mut polls = 0;
        block_on(poll_fn(|context| {
            polls += 1;
            gate.poll(context)
        }));
        other.join().unwrap();
        assert_eq!(polls, 1, "it was not open yet");
    };
    fails(program, Class::Assertion, "it was not open yet");
}
