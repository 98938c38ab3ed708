//! A primary with a replica: it acknowledges a value before the replica has it, or after.

use crate::support::machine::*;
use heisenbug_engine::machines::{Faults, Program, Timers, steps::me};
use std::collections::VecDeque;

const PRIMARY: usize = 0;
const REPLICA: usize = 1;

const PUT: u8 = 0;
const REPLICATE: u8 = 1;
const REPLICATED: u8 = 2;
const OK: u8 = 3;
const GET: u8 = 4;
const VALUES: u8 = 5;

pub fn program(clients: usize, early: bool, faults: Faults, timers: Timers) -> Program {
    let mut primary = machine("primary", move || serve(early));
    primary.stops = true;
    let mut machines = vec![primary, machine("replica", replicate)];
    machines.extend((0..clients).map(|_| machine("client", client)));
    let mut program = super::super::machine::program(machines, (), |_, _, what| match what[0] {
        1 => Ok(()),
        _ => Err("an acknowledged value is gone".to_owned()),
    });
    (program.faults, program.timers) = (faults, timers);
    program
}

fn serve(early: bool) {
    let mut log = vec![VALUES];
    let mut waiting = VecDeque::new();
    loop {
        remember((&log, &waiting));
        let (who, content) = receive();
        match content[..] {
            [PUT, value] => {
                log.push(value);
                send(REPLICA, &[REPLICATE, log.len() as u8, value]);
                if early {
                    send(who, &[OK, value]);
                } else {
                    waiting.push_back((who, value));
                }
            }
            [REPLICATED, _] if !early => {
                if let Some((who, value)) = waiting.pop_front() {
                    send(who, &[OK, value]);
                }
            }
            [GET] => send(who, &log),
            _ => {}
        }
    }
}

fn replicate() {
    let mut log = vec![VALUES];
    loop {
        remember(&log);
        let (who, content) = receive();
        match content[..] {
            [REPLICATE, at, value] if usize::from(at) == log.len() + 1 => {
                log.push(value);
                send(who, &[REPLICATED, at]);
            }
            [GET] => send(who, &log),
            _ => {}
        }
    }
}

fn client() {
    let mine = me() as u8;
    send(PRIMARY, &[PUT, mine]);
    if receive_timeout().is_none_or(|(_, content)| content[0] != OK) {
        return;
    }
    send(PRIMARY, &[GET]);
    let content = match receive_timeout() {
        Some((_, content)) if content[0] == VALUES => content,
        _ => {
            send(REPLICA, &[GET]);
            receive().1
        }
    };
    if content[0] == VALUES {
        observe(&[u8::from(content[1..].contains(&mine))]);
    }
}
