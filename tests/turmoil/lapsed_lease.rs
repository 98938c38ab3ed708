//! `lapsed-lease`: a lease lapses while the write of its holder is on its way.

use crate::network::{Chance, Lead, Network, Socket, number};
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a lease is good for.
const LEASE: Duration = Duration::from_millis(150);

/// Enough attempts to outlast what chance does to them.
const ATTEMPTS: u32 = 10;

/// Gives leases, one at a time.
async fn leases() {
    let socket = Socket::open().await;
    let mut queue: VecDeque<String> = VecDeque::new();
    let mut last = 0;
    // When the lease lapses that somebody has.
    let mut held: Option<Instant> = None;
    loop {
        if held.is_none()
            && let Some(next) = queue.pop_front()
        {
            last += 1;
            held = Some(Instant::now() + LEASE);
            socket.send(&next, format!("granted {last}")).await;
        }
        let message = match held {
            Some(lapses) => timeout_at(lapses, socket.receive()).await.ok(),
            None => Some(socket.receive().await),
        };
        match message {
            Some((who, message)) if message[0] == "ask" => queue.push_back(who),
            Some((_, message)) if number(&message[1]) == last => held = None,
            Some(_) => {}
            None => held = None,
        }
    }
}

async fn store(fixed: bool, value: Rc<Cell<u32>>) {
    let socket = Socket::open().await;
    let mut newest = 0;
    loop {
        let (who, order) = socket.receive().await;
        let lease = number(&order[1]);
        // The fix: from the first look of the next holder on, no older lease counts.
        if fixed && lease < newest {
            socket.send(&who, "refused").await;
            continue;
        }
        newest = newest.max(lease);
        if order[0] == "read" {
            socket.send(&who, format!("value {}", value.get())).await;
        } else {
            value.set(number(&order[2]));
            socket.send(&who, "written").await;
        }
    }
}

/// Counts itself in the store. Tries again with another lease if the store refuses this one.
async fn count(counted: Rc<Cell<u32>>) {
    let socket = Socket::open().await;
    for _ in 0..ATTEMPTS {
        let granted = socket.ask("leases", "ask").await;
        let lease = &granted[1];
        let read = socket.ask("store", format!("read {lease}")).await;
        if read[0] != "value" {
            continue;
        }
        let value = number(&read[1]) + 1;
        let written = socket.ask("store", format!("write {lease} {value}")).await;
        if written[0] == "written" {
            socket.send("leases", format!("release {lease}")).await;
            return counted.set(counted.get() + 1);
        }
    }
}

pub fn run(fixed: bool, lead: Lead) -> &'static str {
    let (value, counted) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let mut network = Network::new(lead, Chance::Slow);
    network.server("leases", leases);
    network.server("store", {
        let value = Rc::clone(&value);
        move || store(fixed, Rc::clone(&value))
    });
    network.client("ann", count(Rc::clone(&counted)));
    network.client("bob", count(Rc::clone(&counted)));
    if lead == Lead::ByHand {
        network.until("ann", "store", "write 1 1");
        network.sim.hold("ann", "store");
        network.until("store", "bob", "value 0");
        network.sim.release("ann", "store");
    }
    network.finish();
    match (counted.get(), value.get()) {
        (2, 2) => "both are counted",
        (2, _) => "one is not counted",
        _ => "somebody has not counted",
    }
}

#[test]
fn a_write_that_outlasts_its_lease_undoes_the_next_one_unless_the_store_looks_at_leases() {
    assert_eq!(run(false, Lead::ByHand), "one is not counted");
    assert_eq!(run(true, Lead::ByHand), "both are counted");
}
