//! A register on three replicas: a write waits for `w` of them, a read for `r`.

use crate::support::machine::*;
use heisenbug_engine::machines::{Program, Timers};
use std::collections::BTreeSet;

const WRITE: u8 = 0;
const WRITTEN: u8 = 1;
const READ: u8 = 2;
const VALUE: u8 = 3;

pub fn program(r: usize, w: usize, readers: usize) -> Program {
    let mut machines: Vec<_> = (0..3).map(|_| machine("replica", replica)).collect();
    machines.push(machine("writer", move || writer(w)));
    machines.extend((0..readers).map(|_| machine("reader", move || reader(r))));
    let first = (0, [0; 4]);
    let mut program =
        super::super::machine::program(machines, first, |(written, began), who, what| {
            match *what {
                [WRITTEN, value] => *written = value,
                [READ, _] => began[who - 4] = *written,
                [_, value] if value < began[who - 4] => return Err("a stale read".to_owned()),
                _ => {}
            }
            Ok(())
        });
    program.timers = Timers::Any;
    program
}

fn replica() {
    let mut value = 0;
    loop {
        remember(value);
        let (who, content) = receive();
        if content[0] == WRITE {
            value = value.max(content[1]);
            send(who, &[WRITTEN]);
        } else {
            send(who, &[VALUE, value]);
        }
    }
}

fn writer(w: usize) {
    (0..3).for_each(|replica| send(replica, &[WRITE, 1]));
    // Replicas, not replies: a reply may come twice.
    let mut have = BTreeSet::new();
    while have.len() < w {
        remember(&have);
        have.insert(receive().0);
    }
    observe(&[WRITTEN, 1]);
}

fn reader(r: usize) {
    observe(&[READ, 0]);
    (0..3).for_each(|replica| send(replica, &[READ]));
    let mut newest = 0;
    let mut have = BTreeSet::new();
    while have.len() < r {
        remember((&have, newest));
        let (from, content) = receive();
        have.insert(from);
        newest = newest.max(content[1]);
    }
    observe(&[VALUE, newest]);
}
