//! A lock that expires, and a store that its holders write to: with or without a fencing token.

use crate::support::machine::*;
use heisenbug_engine::machines::Program;
use std::collections::VecDeque;

const LOCKS: usize = 0;
const STORE: usize = 1;

const ACQUIRE: u8 = 0;
const GRANTED: u8 = 1;
const WRITE: u8 = 2;

/// Several clients, each of which writes once.
pub fn program(clients: usize, fenced: bool) -> Program {
    let mut machines = vec![
        machine("locks", locks),
        machine("store", move || store(fenced)),
    ];
    machines.extend((0..clients).map(|_| machine("client", client)));
    super::super::machine::program(machines, 0, |newest, _, what| {
        let stale = what[0] < *newest;
        *newest = what[0];
        match stale {
            true => Err("a stale write".to_owned()),
            false => Ok(()),
        }
    })
}

fn locks() {
    let mut token = 0;
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            remember((token, 0));
            waiting.push_back(receive().0);
        }
        token += 1;
        let next = waiting.pop_front().expect("somebody waits");
        send(next, &[GRANTED, token]);
        loop {
            remember((token, &waiting));
            match receive_timeout() {
                Some((who, _)) => waiting.push_back(who),
                None => break,
            }
        }
    }
}

fn store(fenced: bool) {
    let mut newest = 0;
    loop {
        remember(newest);
        let (_, content) = receive();
        let token = content[1];
        if fenced && token < newest {
            continue;
        }
        newest = newest.max(token);
        observe(&[token]);
    }
}

fn client() {
    send(LOCKS, &[ACQUIRE]);
    let (_, content) = receive();
    assert_eq!(content[0], GRANTED);
    sleep();
    send(STORE, &[WRITE, content[1]]);
}
