//! A shop that asks a bank to charge, and asks again when there is no answer.

use crate::support::machine::*;
use heisenbug_engine::machines::{Faults, Program, Timers};
use std::collections::BTreeSet;

const BANK: usize = 0;

/// Where the bank keeps the keys of the orders that it has charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Nowhere,
    Memory,
    /// With the charge.
    Ledger,
    /// In another file, after the charge.
    Afterwards,
}

/// Several shops with one order each.
pub fn program(shops: usize, key: Key, faults: Faults, timers: Timers) -> Program {
    let attempts = match timers {
        Timers::Last => 1 + faults.losses + faults.crashes + faults.early,
        Timers::Any => 2,
    };
    let mut bank = machine("bank", move || bank(key));
    bank.crashes = true;
    bank.files = files(&[("ledger", b""), ("keys", b"")]);
    let mut machines = vec![bank];
    machines.extend((0..shops).map(|_| machine("shop", move || shop(attempts))));
    let first = (BTreeSet::new(), 0);
    let mut program =
        super::super::machine::program(machines, first, |(charged, paid), _, what| {
            match *what {
                [0, order] if !charged.insert(order) => return Err("charged twice".to_owned()),
                [0, _] => {}
                _ => *paid += 1,
            }
            Ok(())
        });
    (program.faults, program.timers) = (faults, timers);
    if timers == Timers::Last {
        program.judge = Box::new(move |end| {
            // Every state of the monitor with all payments is an end of its own: the shops say it simpler.
            let paid = end.machines[1..].iter();
            let all = paid
                .filter(|shop| shop.visible.contains_key("paid"))
                .count()
                == shops;
            if all { "paid" } else { "not answered" }.to_owned()
        });
    }
    program
}

fn bank(key: Key) {
    let mut seen: BTreeSet<u8> = BTreeSet::new();
    if key == Key::Afterwards {
        seen.extend(read("keys"));
    }
    loop {
        remember(&seen);
        let (shop, content) = receive();
        let order = content[0];
        let known = match key {
            Key::Nowhere => false,
            Key::Memory | Key::Afterwards => !seen.insert(order),
            Key::Ledger => read("ledger").contains(&order),
        };
        if !known {
            append("ledger", &[order]);
            sync("ledger");
            observe(&[0, order]);
        }
        if key == Key::Afterwards && !known {
            append("keys", &[order]);
            sync("keys");
        }
        send(shop, &[order]);
    }
}

fn shop(attempts: u8) {
    let order = heisenbug_engine::machines::steps::me() as u8;
    for attempt in 0..attempts {
        send(BANK, &[order]);
        remember(attempt);
        if receive_timeout().is_some() {
            write("paid", &[]);
            observe(&[1, order]);
            return;
        }
    }
}
