//! `late-reply`: the reply to a cancelled request is taken for that to the next one.

use crate::network::{Chance, Lead, Network, Socket};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a request may take.
const PATIENCE: Duration = Duration::from_millis(100);

/// Enough attempts to outlast what chance does to them.
const ATTEMPTS: u32 = 10;

async fn store() {
    let socket = Socket::open().await;
    loop {
        let (server, get) = socket.receive().await;
        let page = format!("page {} {}", get[1], get[2]);
        socket.send(&server, page).await;
    }
}

/// Whose page a request brings, unless it takes too long.
async fn get(fixed: bool, socket: &Socket, user: &str, request: u32) -> Option<String> {
    let cancelled = Instant::now() + PATIENCE;
    socket.send("store", format!("get {user} {request}")).await;
    loop {
        let (_, page) = timeout_at(cancelled, socket.receive()).await.ok()?;
        // The fix: a reply has the number of its request.
        if !fixed || page[2] == request.to_string() {
            return Some(page[1].clone());
        }
    }
}

/// Serves Ann, who may leave, and then Bob.
async fn server(fixed: bool, seen: Rc<Cell<&'static str>>) {
    let socket = Socket::open().await;
    let _ = get(fixed, &socket, "ann", 0).await;
    for request in 1..=ATTEMPTS {
        match get(fixed, &socket, "bob", request).await.as_deref() {
            Some("bob") => return seen.set("Bob sees his page"),
            Some(_) => return seen.set("Bob sees Ann's page"),
            None => {}
        }
    }
}

pub fn run(fixed: bool, lead: Lead) -> &'static str {
    let seen = Rc::new(Cell::new("Bob sees nothing"));
    let mut network = Network::new(lead, Chance::Slow);
    network.server("store", store);
    network.client("server", server(fixed, Rc::clone(&seen)));
    if lead == Lead::ByHand {
        network.until("store", "server", "page ann 0");
        network.sim.hold("store", "server");
        network.until("server", "store", "get bob 1");
        network.sim.release("store", "server");
    }
    network.finish();
    seen.get()
}

#[test]
fn a_reply_to_a_cancelled_request_shows_the_wrong_page_unless_requests_are_numbered() {
    assert_eq!(run(false, Lead::ByHand), "Bob sees Ann's page");
    assert_eq!(run(true, Lead::ByHand), "Bob sees his page");
}
