//! The shapes that concurrency bugs come in, and the scales they come at.

use std::fmt;

/// A family of failures. The same shapes appear among threads, transactions and machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Read, then write what was computed from it: an update in between vanishes.
    LostUpdate,
    /// A condition is checked, and no longer true when it is acted upon.
    CheckThenAct,
    /// Two halves of a value are read from two different moments.
    TornRead,
    /// Two steps happen in the wrong order.
    OrderViolation,
    /// A read returns something that is no longer, or not yet, true.
    StaleVisibility,
    /// The same name refers to something else by now.
    IdentityReuse,
    /// The signal came before anyone waited for it.
    LostWakeup,
    /// All actors wait for each other.
    Deadlock,
    /// All actors are busy, but none makes progress.
    Livelock,
    /// Something is never released.
    Leak,
    /// Correct, but slow, because all actors compete for the same thing.
    Contention,
}

impl Shape {
    /// Every shape, in teaching order.
    pub const ALL: [Shape; 11] = [
        Shape::LostUpdate,
        Shape::CheckThenAct,
        Shape::TornRead,
        Shape::OrderViolation,
        Shape::StaleVisibility,
        Shape::IdentityReuse,
        Shape::LostWakeup,
        Shape::Deadlock,
        Shape::Livelock,
        Shape::Leak,
        Shape::Contention,
    ];

    /// What all bugs of this shape have in common, at whatever scale, in one sentence.
    pub fn idea(self) -> &'static str {
        match self {
            Shape::LostUpdate => {
                "A value is read, and what was computed from it is written back; an update in between vanishes."
            }
            Shape::CheckThenAct => {
                "A condition is checked, and no longer true when the program acts on it."
            }
            Shape::TornRead => "Two halves of a value are read, from two different moments.",
            Shape::OrderViolation => {
                "Something is announced before it is there: nothing orders the two steps."
            }
            Shape::StaleVisibility => {
                "The newest value is there, and a reader may still see an older one: nothing makes it look anew."
            }
            Shape::IdentityReuse => {
                "A comparison finds the same value, which stands for something else by now."
            }
            Shape::LostWakeup => {
                "A signal comes between the look and the wait, when there is no one to hear it."
            }
            Shape::Deadlock => {
                "Each holds what another one needs, and waits for what that one holds."
            }
            Shape::Livelock => "All are busy, and none of them makes progress.",
            Shape::Leak => {
                "Something is never given back, since each part is held by another part."
            }
            Shape::Contention => "It is correct, and slow, because all want the same thing.",
        }
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Shape::LostUpdate => "lost-update",
            Shape::CheckThenAct => "check-then-act",
            Shape::TornRead => "torn-read",
            Shape::OrderViolation => "order-violation",
            Shape::StaleVisibility => "stale-visibility",
            Shape::IdentityReuse => "identity-reuse",
            Shape::LostWakeup => "lost-wakeup",
            Shape::Deadlock => "deadlock",
            Shape::Livelock => "livelock",
            Shape::Leak => "leak",
            Shape::Contention => "contention",
        }
    }
}

/// Where the actors of a bug live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Threads that share memory.
    Threads,
    /// Transactions of a database.
    Transactions,
    /// Machines on a network.
    Machines,
}

impl Scale {
    /// Every scale, from small to large.
    pub const ALL: [Scale; 3] = [Scale::Threads, Scale::Transactions, Scale::Machines];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scale::Threads => "threads",
            Scale::Transactions => "transactions",
            Scale::Machines => "machines",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
