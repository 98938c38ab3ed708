//! `stale-fill`: a cache is filled with a value that was replaced and deleted meanwhile.

use crate::network::{Chance, Lead, Network, Socket, number};
use std::cell::Cell;
use std::rc::Rc;

const OLD: u32 = 1;
const NEW: u32 = 2;

/// Enough attempts to outlast a deletion.
const ATTEMPTS: u32 = 4;

async fn database() {
    let socket = Socket::open().await;
    let mut value = OLD;
    loop {
        let (who, order) = socket.receive().await;
        if order[0] == "write" {
            value = number(&order[1]);
            socket.send(&who, "written").await;
        } else {
            socket.send(&who, format!("found {value}")).await;
        }
    }
}

async fn cache(fixed: bool, cached: Rc<Cell<Option<u32>>>) {
    let socket = Socket::open().await;
    let mut deleted = 0;
    loop {
        let (who, order) = socket.receive().await;
        let answer = match (order[0].as_str(), cached.get()) {
            ("get", Some(value)) => format!("hit {value}"),
            ("get", None) => format!("miss {deleted}"),
            ("delete", _) => {
                cached.set(None);
                deleted += 1;
                "done".to_owned()
            }
            _ => {
                // The fix: a deletion voids the tokens of all misses before it.
                let is_void = number(&order[2]) < deleted;
                if !(fixed && is_void) {
                    cached.set(Some(number(&order[1])));
                }
                "done".to_owned()
            }
        };
        socket.send(&who, answer).await;
    }
}

/// Asks until the cache has the value, and fills the cache whenever it has not.
async fn reader(found: Rc<Cell<bool>>) {
    let socket = Socket::open().await;
    for _ in 0..ATTEMPTS {
        let answer = socket.ask("cache", "get").await;
        if answer[0] == "hit" {
            return found.set(true);
        }
        let (token, value) = (&answer[1], socket.ask("database", "read").await);
        let fill = format!("fill {} {token}", value[1]);
        socket.ask("cache", fill).await;
    }
}

async fn writer() {
    let socket = Socket::open().await;
    socket.ask("database", format!("write {NEW}")).await;
    socket.ask("cache", "delete").await;
}

pub fn run(fixed: bool, lead: Lead) -> &'static str {
    let (cached, found) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(false)));
    let mut network = Network::new(lead, Chance::Slow);
    network.server("database", database);
    network.server("cache", {
        let cached = Rc::clone(&cached);
        move || cache(fixed, Rc::clone(&cached))
    });
    network.client("reader", reader(Rc::clone(&found)));
    network.client("writer", writer());
    if lead == Lead::ByHand {
        network.sim.hold("writer", "database");
        network.until("database", "reader", "found 1");
        network.sim.hold("database", "reader");
        network.sim.release("writer", "database");
        network.until("cache", "writer", "done");
        network.sim.release("database", "reader");
    }
    network.finish();
    match (found.get(), cached.get()) {
        (false, _) => "the cache was never filled",
        (_, Some(OLD)) => "the cache has the old value",
        (_, Some(_)) => "the cache has the new value",
        (_, None) => "the cache is empty",
    }
}

#[test]
fn a_fill_after_the_deletion_leaves_the_old_value_unless_it_needs_a_token() {
    assert_eq!(run(false, Lead::ByHand), "the cache has the old value");
    assert_eq!(run(true, Lead::ByHand), "the cache has the new value");
}
