//! `double-charge`: a shop that got no receipt asks again.

use crate::network::{Chance, Lead, Network, Socket};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// How long the shop waits for a receipt.
const PATIENCE: Duration = Duration::from_millis(100);

/// Enough attempts to outlast what chance does to them.
const ATTEMPTS: u32 = 10;

async fn bank(fixed: bool, ledger: Rc<RefCell<Vec<String>>>) {
    let socket = Socket::open().await;
    loop {
        let (shop, order) = socket.receive().await;
        let key = &order[1];
        // The fix: a charge has its key.
        let known = fixed && ledger.borrow().contains(key);
        if !known {
            ledger.borrow_mut().push(key.clone());
        }
        socket.send(&shop, "receipt").await;
    }
}

async fn shop(paid: Rc<Cell<bool>>) {
    let socket = Socket::open().await;
    for _ in 0..ATTEMPTS {
        socket.send("bank", "charge 7").await;
        if socket.receive_within(PATIENCE).await.is_some() {
            return paid.set(true);
        }
    }
}

pub fn run(fixed: bool, lead: Lead) -> &'static str {
    let (ledger, paid) = (Rc::default(), Rc::new(Cell::new(false)));
    let mut network = Network::new(lead, Chance::Loss);
    network.server("bank", {
        let ledger = Rc::clone(&ledger);
        move || bank(fixed, Rc::clone(&ledger))
    });
    network.client("shop", shop(Rc::clone(&paid)));
    if lead == Lead::ByHand {
        network.until("bank", "shop", "receipt");
        network.sim.partition("bank", "shop");
        network.sim.repair("bank", "shop");
    }
    network.finish();
    match (paid.get(), ledger.borrow().len()) {
        (true, 1) => "charged once",
        (true, 0) => "paid and not charged",
        (_, 0 | 1) => "never answered",
        _ => "charged twice",
    }
}

#[test]
fn a_lost_receipt_makes_a_bank_charge_twice_unless_it_knows_the_key() {
    assert_eq!(run(false, Lead::ByHand), "charged twice");
    assert_eq!(run(true, Lead::ByHand), "charged once");
}
