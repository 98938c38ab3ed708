//! Pairs of machines that have nothing to do with each other.

use crate::support::machine::*;
use heisenbug_engine::machines::{Program, Timers};

pub fn program(pairs: usize, rounds: u8) -> Program {
    let machines = (0..pairs).flat_map(|pair| {
        let asks = move || {
            for round in 0..rounds {
                send(2 * pair + 1, &[round]);
                receive();
            }
        };
        let answers = || {
            loop {
                let (who, content) = receive();
                send(who, &content);
            }
        };
        [machine("asks", asks), machine("answers", answers)]
    });
    let mut program = unobserved(machines.collect());
    program.timers = Timers::Any;
    program
}
