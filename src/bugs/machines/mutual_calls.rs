//! # Mutual calls
//!
//! Two services, each with a pool of one worker. To answer an order, the first one asks the second for the stock;
//! to answer a delivery, the second one asks the first for the open orders. When both come at once, each worker
//! waits for an answer that only the other worker could give.
//!
//! It is the *deadlock* of two locks in two orders: a worker is held while another one is waited for.
//!
//! **Where it happened.** Any two services with bounded pools and calls in both directions. Google's advice on
//! cascading failures names cycles of calls among the causes, since a retry anywhere then makes all wait.
//!
//! **Why.** The call from the other service waits in the same queue as the work that called it.
//!
//! **Who sees it.** A check, without any fault: two requests that come at once are enough. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a worker waits for the other service, if it does not wait for ever.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Hash, Serialize, Deserialize)]
pub enum Message {
    /// From a client: its answer takes a call of the other service.
    Request,
    /// From the other service: its answer takes nothing.
    Call,
    Answer,
    /// There is no answer.
    Failed,
}

/// What waits for the worker of a service, each with the one who asks.
pub type Queue = VecDeque<(&'static str, Message)>;

/// What the worker of a service does for a request. Returns the answer.
type Work = fn(&Machine, &str, &mut Queue) -> Message;

/// Serves one after another, requests and calls in one queue.
fn serve(me: &Machine, other: &str, work: Work) {
    let mut queue = Queue::new();
    loop {
        let (who, message) = match queue.pop_front() {
            Some(next) => next,
            None => me.remember(&queue).receive(),
        };
        let answer = match message {
            Message::Request => work(me, other, &mut queue),
            Message::Call => Message::Answer,
            // An answer that nobody waits for any longer.
            Message::Answer | Message::Failed => continue,
        };
        me.send(who, answer);
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Message, Queue};

    pub fn work(me: &Machine, other: &str, queue: &mut Queue) -> Message {
        me.send(other, Message::Call);
        loop {
            match me.remember(&queue).receive() {
                (_, answer @ (Message::Answer | Message::Failed)) => return answer,
                // The only worker is busy.
                asked => queue.push_back(asked),
            }
        }
    }
}

pub mod trap_time_out {
    use super::super::net::Machine;
    use super::{Message, PATIENCE, Queue};

    pub fn work(me: &Machine, other: &str, queue: &mut Queue) -> Message {
        me.send(other, Message::Call);
        loop {
            match me.remember(&queue).receive_timeout(PATIENCE) {
                Some((_, answer @ (Message::Answer | Message::Failed))) => return answer,
                Some(asked) => queue.push_back(asked),
                // The deadlock is over, and so is the request.
                None => return Message::Failed,
            }
        }
    }
}

pub mod fixed_calls_have_their_own_worker {
    use super::super::net::Machine;
    use super::{Message, Queue};

    pub fn work(me: &Machine, other: &str, queue: &mut Queue) -> Message {
        me.send(other, Message::Call);
        loop {
            match me.remember(&queue).receive() {
                (_, answer @ (Message::Answer | Message::Failed)) => return answer,
                // Needs nobody else, so it never waits.
                (who, Message::Call) => me.send(who, Message::Answer),
                request => queue.push_back(request),
            }
        }
    }
}

/// Asks a service once.
fn client(me: &Machine, service: &str) -> &'static str {
    me.send(service, Message::Request);
    match me.receive() {
        (_, Message::Answer) => "answered",
        _ => "failed",
    }
}

/// Two services, each with a client.
fn scenario(work: Work) -> String {
    System::new()
        .machine("orders", move |me| serve(me, "stock", work))
        .machine("stock", move |me| serve(me, "orders", work))
        .machine("ann", |me| client(me, "orders"))
        .machine("bob", |me| client(me, "stock"))
        .outcome(|end| {
            let answered = ["ann", "bob"].map(|who| end.returned(who));
            match answered.each_ref().map(Option::as_deref) {
                [Some("answered"), Some("answered")] => "both are answered",
                [None, None] => "both wait for ever",
                _ => "somebody has no answer",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "mutual-calls",
    shape: Shape::Deadlock,
    scale: Scale::Machines,
    summary: "two services call each other, and the only worker of each waits for the other",
    file: file!(),
    source: include_str!("mutual_calls.rs"),
    references: &[
        "B. Beyer et al., Site Reliability Engineering (2016), chapter 22: Addressing Cascading Failures",
    ],
    outcomes: &[
        Outcome::acceptable("both are answered", "each request has its answer"),
        Outcome::forbidden("both wait for ever", "each worker waits for the other one"),
        Outcome::forbidden(
            "somebody has no answer",
            "a request failed though nothing had gone wrong",
        ),
    ],
    schedule: "Both services take a request. Each calls the other one, whose only worker is busy.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("both wait for ever"),
            "calls from the other service wait for the worker that called it",
            || scenario(buggy::work),
        ),
        Variant::trap(
            "trap_time_out",
            Expected::outcome("somebody has no answer"),
            "gives up after a while: the services go on, and their clients have nothing",
            || scenario(trap_time_out::work),
        ),
        Variant::fixed(
            "fixed_calls_have_their_own_worker",
            "what needs no further call is answered at once",
            || scenario(fixed_calls_have_their_own_worker::work),
        ),
    ],
};
