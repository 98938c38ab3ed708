//! # Short read
//!
//! A shop writes its orders to a connection, and the bank reads them. Ten euros and a hundred begin alike:
//! when `pay 100` comes in two pieces, the bank reads `pay 10`, and that is what it pays. And when two orders come in
//! one piece, it understands neither.
//!
//! It is the *torn read* of two words among threads: the reader takes a part for the whole.
//!
//! **Where it happened.** In nearly every first program with a socket, where it works for years: on one computer,
//! short messages come in one piece. TCP promises a stream of bytes, and says nothing about messages.
//!
//! **Why.** A read returns what has arrived: a part of a message, or the end of one and the beginning of the next.
//!
//! **Who sees it.** A check without any fault. loom has no machines.

use super::net::{Machine, Stream, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

/// The amount of an order.
fn amount(order: &str) -> u32 {
    let amount = order.trim_end().strip_prefix("pay ");
    amount.and_then(|amount| amount.parse().ok()).unwrap_or(0)
}

pub mod buggy {
    use super::super::net::Stream;
    use super::amount;

    /// What the orders come to.
    pub fn total(mut orders: Stream) -> u32 {
        let mut total = 0;
        let mut buffer = [0; 64];
        loop {
            match orders.read(&mut buffer) {
                Ok(0) | Err(_) => return total,
                Ok(read) => total += amount(&String::from_utf8_lossy(&buffer[..read])),
            }
        }
    }
}

pub mod trap_whole_line {
    use super::super::net::Stream;
    use super::amount;

    /// Reads until there is a line. What came behind it is forgotten.
    fn line(orders: &mut Stream) -> Option<String> {
        let mut line = String::new();
        let mut buffer = [0; 64];
        while !line.contains('\n') {
            match orders.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(read) => line += &String::from_utf8_lossy(&buffer[..read]),
            }
        }
        line.lines().next().map(str::to_owned)
    }

    pub fn total(mut orders: Stream) -> u32 {
        let lines = std::iter::from_fn(|| line(&mut orders));
        lines.map(|line| amount(&line)).sum()
    }
}

pub mod fixed_lines {
    use super::super::net::Stream;
    use super::amount;
    use std::io::{BufRead, BufReader};

    /// One reader for all lines: it keeps what came behind the first.
    pub fn total(orders: Stream) -> u32 {
        let lines = BufReader::new(orders).lines().map_while(Result::ok);
        lines.map(|line| amount(&line)).sum()
    }
}

pub mod fixed_size {
    use super::super::net::Stream;
    use super::{SIZE, amount};

    /// Every order has the same size.
    pub fn total(mut orders: Stream) -> u32 {
        let mut total = 0;
        let mut order = [0; SIZE];
        while orders.read_exact(&mut order).is_ok() {
            total += amount(&String::from_utf8_lossy(&order));
        }
        total
    }
}

/// The size of an order.
const SIZE: usize = 8;

/// Two orders.
fn shop(me: &Machine) {
    let mut orders = me.stream("orders");
    let _ = orders.write_all("pay 100\n");
    let _ = orders.write_all("pay 100\n");
}

fn scenario(total: fn(Stream) -> u32) -> String {
    System::new()
        .machine("shop", shop)
        .machine("bank", move |me| total(me.stream("orders")))
        .stream("orders", &["shop"], "bank")
        .outcome(|end| {
            match end.returned("bank").as_deref() {
                Some("200") => "both orders are paid",
                _ => "something else is paid",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "short-read",
    shape: Shape::TornRead,
    scale: Scale::Machines,
    summary: "a part of a message is taken for all of it",
    file: file!(),
    source: include_str!("short_read.rs"),
    references: &[
        "RFC 9293, Transmission Control Protocol (2022): a stream of bytes, without a notion of messages",
        "Rust, Documentation: std::io::Read::read, on how many bytes it returns",
    ],
    outcomes: &[
        Outcome::acceptable("both orders are paid", "200 euros"),
        Outcome::forbidden(
            "something else is paid",
            "an order was read in parts, or two at once",
        ),
    ],
    schedule: "The shop writes two orders. The bank reads both at once, or a part of one.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("something else is paid"),
            "takes what one read returns for an order",
            || scenario(buggy::total),
        ),
        Variant::trap(
            "trap_whole_line",
            Expected::outcome("something else is paid"),
            "reads until the line is whole, and forgets what came with it",
            || scenario(trap_whole_line::total),
        ),
        Variant::fixed("fixed_lines", "one buffered reader for all lines", || {
            scenario(fixed_lines::total)
        }),
        Variant::fixed(
            "fixed_size",
            "every order has the same size, and is read until it is whole",
            || scenario(fixed_size::total),
        ),
    ],
};
