//! Random programs, by kind. The same number always makes the same program.

use super::ast::{Change, Condition, Location, Program, Register, Statement, Value};
use heisenbug_engine::steps::Why;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

/// What a program contains besides loads and stores. Mixed programs alone are not enough: they
/// rarely have the two or three events in the right places that, say, a wrong rule for SC fences needs
/// to be exposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Loads and stores with all orderings.
    Accesses,
    /// Read-modify-writes, and exchanges with failure orderings.
    Changes,
    /// Updates by a closure, which gives up at some values.
    Updates,
    /// Messages through chains of read-modify-writes.
    Chains,
    /// Nearly all SC.
    SeqCst,
    /// Fences among accesses of all sorts.
    Fences,
    /// Messages through fences, with hardly any other orderings.
    FencedMessages,
    /// Fences and read-modify-writes.
    FencesAndChanges,
    /// Mutexes, nested or never released.
    Mutexes,
    /// Condition variables, built from the same steps as in the façade.
    Condvars,
    /// The same, with spurious wake-ups.
    SpuriousWakes,
    /// Choices.
    Choices,
    /// Weak exchanges, which may fail spuriously.
    WeakExchanges,
    /// Plain data.
    PlainData,
    /// Loads that wait.
    Awaits,
    /// Read-modify-writes that wait.
    AwaitChanges,
    /// Loads that wait, written as loops.
    Spins,
    /// Locks without a queue: read-modify-writes in loops.
    Retries,
    /// Four threads of all sorts.
    FourThreads,
    /// Reader-writer locks.
    ReaderWriterLocks,
    /// All of these at once.
    Everything,
}

/// The program with this number.
pub fn program(kind: Kind, number: u64) -> Program {
    let seed = number.wrapping_mul(64) + kind as u64;
    let mut generator = Generator::new(kind, Random(seed));
    generator.program()
}

/// Steele, Lea and Flood's splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % limit
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

const LOADS: [Ordering; 3] = [Relaxed, Acquire, SeqCst];
const STORES: [Ordering; 3] = [Relaxed, Release, SeqCst];
const CHANGES: [Ordering; 5] = [Relaxed, Acquire, Release, AcqRel, SeqCst];
const FENCES: [Ordering; 4] = [Acquire, Release, AcqRel, SeqCst];

/// The register in which a waiter of a condition variable keeps whether it has woken spuriously.
const WOKEN: Register = 3;

struct Generator {
    kind: Kind,
    random: Random,
    threads: u8,
    /// Atomics are the first locations, ...
    atomics: u8,
    /// ... then come the locks, ...
    locks: u8,
    /// ... and two places of plain data. Condition variables come last.
    locations: u8,
}

impl Generator {
    fn new(kind: Kind, mut random: Random) -> Generator {
        let threads = match kind {
            Kind::FourThreads => 4,
            _ => 2 + random.below(2) as u8,
        };
        let atomics = match kind {
            Kind::SeqCst | Kind::Chains | Kind::FencedMessages => 2,
            Kind::Condvars | Kind::SpuriousWakes => 1,
            _ => 1 + random.below(3) as u8,
        };
        let locks = match kind {
            Kind::Mutexes | Kind::ReaderWriterLocks => 1 + random.below(2) as u8,
            Kind::Condvars | Kind::SpuriousWakes => 1,
            Kind::FourThreads | Kind::Everything => random.below(2) as u8,
            _ => 0,
        };
        Generator {
            kind,
            random,
            threads,
            atomics,
            locks,
            locations: atomics + locks + 2,
        }
    }

    fn program(&mut self) -> Program {
        let threads = (0..self.threads).map(|me| self.thread(me)).collect();
        // After the others: the set of a condition variable's waiters, and a token for each.
        let condvar = match self.kind {
            Kind::Condvars | Kind::SpuriousWakes => 1 + self.threads,
            _ => 0,
        };
        Program {
            threads,
            locations: (self.locations + condvar).into(),
        }
    }

    fn thread(&mut self, me: u8) -> Vec<Statement> {
        if matches!(self.kind, Kind::Condvars | Kind::SpuriousWakes) {
            return self.waiter_or_notifier(me);
        }
        let length = match (self.threads, self.kind) {
            (2, _) => 2 + self.random.below(4),
            (4, _) => 1 + self.random.below(2),
            (_, Kind::SeqCst | Kind::Chains) => 2 + self.random.below(2),
            (_, Kind::FencedMessages) => 3,
            _ => 1 + self.random.below(3),
        };
        let mut statements = (0..length).map(|_| self.statement(0)).collect();
        if self.locks > 0 && !(self.kind == Kind::FourThreads && self.random.one_in(2)) {
            self.add_sections(&mut statements);
        }
        statements
    }

    fn atomic(&mut self) -> Location {
        self.random.below(self.atomics.into()) as Location
    }

    fn register(&mut self) -> Register {
        self.random.below(3) as Register
    }

    fn statement(&mut self, depth: u32) -> Statement {
        let kind = match self.kind {
            Kind::Everything | Kind::FourThreads => self.random.one_of(&[
                Kind::Accesses,
                Kind::FencesAndChanges,
                Kind::WeakExchanges,
                Kind::Updates,
                Kind::Awaits,
                Kind::AwaitChanges,
                Kind::Choices,
                Kind::SeqCst,
            ]),
            kind => kind,
        };
        let often = |random: &mut Random| random.one_in(3);
        match kind {
            Kind::SeqCst => self.nearly_all_sc(),
            Kind::Chains => self.chain(),
            Kind::FencedMessages => self.fenced_message(),
            Kind::PlainData if often(&mut self.random) => self.plain_access(),
            Kind::Choices if self.random.one_in(4) => Statement::Choose {
                into: self.register(),
                of: 2 + self.random.below(2) as u8,
                why: Why::Program,
            },
            Kind::Awaits | Kind::Spins if self.random.one_in(4) => self.wait_for_value(kind),
            Kind::AwaitChanges if self.random.one_in(4) => self.wait_and_change(),
            Kind::WeakExchanges if often(&mut self.random) => self.exchange(true),
            Kind::Changes | Kind::AwaitChanges if often(&mut self.random) => self.change(),
            Kind::Retries if self.random.one_in(3) => self.retry(),
            Kind::Retries => self.load_or_store_of_a_bit(),
            Kind::Updates if often(&mut self.random) => self.update(),
            Kind::Updates if self.random.one_in(6) => self.change(),
            Kind::Fences | Kind::PlainData if self.random.one_in(4) => self.fence(),
            Kind::FencesAndChanges if often(&mut self.random) => self.change(),
            Kind::FencesAndChanges if self.random.one_in(3) => self.fence(),
            Kind::Mutexes if self.random.one_in(6) => self.change(),
            Kind::Mutexes if self.random.one_in(8) => self.fence(),
            _ if depth == 0 && self.random.one_in(8) => {
                let register = self.register();
                let condition = Condition::Is(register, self.random.below(2));
                Statement::If(condition, Box::new(self.statement(1)))
            }
            _ => self.load_or_store(),
        }
    }

    fn load_or_store(&mut self) -> Statement {
        let at = self.atomic();
        if self.random.one_in(2) {
            let into = self.register();
            let order = self.random.one_of(&LOADS);
            return Statement::Load {
                into,
                from: at,
                order,
            };
        }
        let value = if self.random.one_in(3) {
            Value::OneMoreThan(self.register())
        } else {
            Value::Constant(1 + self.random.below(2))
        };
        let order = self.random.one_of(&STORES);
        Statement::Store {
            to: at,
            value,
            order,
        }
    }

    fn change(&mut self) -> Statement {
        let by = match self.random.below(8) {
            0 | 1 => return self.exchange(false),
            2 => Change::Set(1 + self.random.below(2)),
            3 => Change::Or(2),
            _ => Change::Add(1),
        };
        Statement::Change {
            into: self.register(),
            at: self.atomic(),
            by,
            success: self.random.one_of(&CHANGES),
            failure: self.random.one_of(&LOADS),
        }
    }

    fn update(&mut self) -> Statement {
        Statement::Change {
            into: self.register(),
            at: self.atomic(),
            by: Change::AddBelow(1 + self.random.below(2)),
            success: self.random.one_of(&CHANGES),
            failure: self.random.one_of(&LOADS),
        }
    }

    fn exchange(&mut self, weak: bool) -> Statement {
        let (expected, new) = (self.random.below(2), 1 + self.random.below(3));
        let by = if weak {
            Change::WeakExchange { expected, new }
        } else {
            Change::Exchange { expected, new }
        };
        Statement::Change {
            into: self.register(),
            at: self.atomic(),
            by,
            success: self.random.one_of(&CHANGES),
            failure: self.random.one_of(&LOADS),
        }
    }

    fn fence(&mut self) -> Statement {
        Statement::Fence(self.random.one_of(&FENCES))
    }

    fn plain_access(&mut self) -> Statement {
        let at = self.atomics + self.locks + self.random.below(2) as Location;
        if self.random.one_in(2) {
            Statement::PlainRead(at)
        } else {
            Statement::PlainWrite(at)
        }
    }

    fn wait_for_value(&mut self, kind: Kind) -> Statement {
        let (into, from) = (self.register(), self.atomic());
        let value = self.random.below(2);
        let order = self.random.one_of(&LOADS);
        if kind == Kind::Spins {
            Statement::Spin {
                into,
                from,
                value,
                order,
            }
        } else {
            Statement::Await {
                into,
                from,
                value,
                order,
            }
        }
    }

    fn wait_and_change(&mut self) -> Statement {
        Statement::AwaitChange {
            at: self.atomic(),
            value: self.random.below(2),
            by: Change::Set(self.random.below(3)),
            order: self.random.one_of(&CHANGES),
        }
    }

    fn retry(&mut self) -> Statement {
        let new = 1;
        Statement::Retry {
            into: self.register(),
            at: self.atomic(),
            by: self
                .random
                .one_of(&[Change::Set(new), Change::Exchange { expected: 0, new }]),
            until: 0,
            order: self.random.one_of(&CHANGES),
        }
    }

    fn load_or_store_of_a_bit(&mut self) -> Statement {
        match self.load_or_store() {
            Statement::Store { to, order, .. } => Statement::Store {
                to,
                value: Value::Constant(self.random.below(2)),
                order,
            },
            load => load,
        }
    }

    fn nearly_all_sc(&mut self) -> Statement {
        let (into, at) = (self.register(), self.atomic());
        let is_sc = !self.random.one_in(5);
        let order = |weaker: [Ordering; 2], random: &mut Random| {
            if is_sc {
                SeqCst
            } else {
                random.one_of(&weaker)
            }
        };
        match self.random.below(7) {
            0..=2 => Statement::Load {
                into,
                from: at,
                order: order([Relaxed, Acquire], &mut self.random),
            },
            3..=5 => Statement::Store {
                to: at,
                value: Value::Constant(1 + self.random.below(2)),
                order: order([Relaxed, Release], &mut self.random),
            },
            _ => Statement::Fence(SeqCst),
        }
    }

    fn chain(&mut self) -> Statement {
        let into = self.register();
        match self.random.below(6) {
            0 => Statement::Store {
                to: 0,
                value: Value::Constant(1),
                order: Relaxed,
            },
            1 => Statement::Load {
                into,
                from: 0,
                order: Relaxed,
            },
            2 => Statement::Store {
                to: 1,
                value: Value::Constant(1 + self.random.below(2)),
                order: self.random.one_of(&STORES[..2]),
            },
            3 | 4 => Statement::Change {
                into,
                at: 1,
                by: Change::Add(1),
                success: self.random.one_of(&CHANGES[..4]),
                failure: Relaxed,
            },
            _ if self.random.one_in(3) => Statement::Fence(self.random.one_of(&FENCES[..3])),
            _ => Statement::Load {
                into,
                from: 1,
                order: self.random.one_of(&LOADS[..2]),
            },
        }
    }

    fn fenced_message(&mut self) -> Statement {
        let into = self.register();
        match self.random.below(6) {
            0 => Statement::Store {
                to: 0,
                value: Value::Constant(1),
                order: Relaxed,
            },
            1 => Statement::Load {
                into,
                from: 0,
                order: Relaxed,
            },
            2 => Statement::Store {
                to: 1,
                value: Value::Constant(1 + self.random.below(2)),
                order: self.random.one_of(&STORES[..2]),
            },
            3 => Statement::Load {
                into,
                from: 1,
                order: self.random.one_of(&LOADS[..2]),
            },
            _ => self.fence(),
        }
    }

    /// Puts one or two sections around some statements, nested or not, or one that never ends.
    fn add_sections(&mut self, statements: &mut Vec<Statement>) {
        let outer = self.lock();
        let begin = self.place(statements, 0);
        statements.insert(begin, self.taken(outer));
        let inner = self.lock();
        if inner.0 != outer.0 && self.random.one_in(2) {
            let begin = self.place(statements, begin + 1);
            statements.insert(begin, self.taken(inner));
            let end = self.place(statements, begin + 1);
            statements.insert(end, self.given_back(inner));
            statements.push(self.given_back(outer));
        } else if !self.random.one_in(12) {
            let end = self.place(statements, begin + 1);
            statements.insert(end, self.given_back(outer));
            if self.random.one_in(3) {
                let again = self.lock();
                statements.push(self.taken(again));
                statements.push(self.given_back(again));
            }
        }
    }

    fn place(&mut self, statements: &[Statement], from: usize) -> usize {
        from + self.random.below((statements.len() - from) as u64 + 1) as usize
    }

    /// A lock, and whether it is to be taken for reading.
    fn lock(&mut self) -> (Location, bool) {
        let lock = self.atomics + self.random.below(self.locks.into()) as Location;
        (lock, !self.random.one_in(3))
    }

    fn taken(&self, (lock, reading): (Location, bool)) -> Statement {
        match (self.kind, reading) {
            (Kind::ReaderWriterLocks, true) => Statement::ReadLock(lock),
            (Kind::ReaderWriterLocks, false) => Statement::WriteLock(lock),
            _ => Statement::Lock(lock),
        }
    }

    fn given_back(&self, (lock, reading): (Location, bool)) -> Statement {
        match (self.kind, reading) {
            (Kind::ReaderWriterLocks, true) => Statement::ReadUnlock(lock),
            (Kind::ReaderWriterLocks, false) => Statement::WriteUnlock(lock),
            _ => Statement::Unlock(lock),
        }
    }

    /// A thread that waits on the condition variable, or notifies it, with or without the mutex.
    fn waiter_or_notifier(&mut self, me: u8) -> Vec<Statement> {
        let mutex = self.atomics;
        let mut statements = Vec::new();
        let waits = me == 0 || self.random.one_in(2);
        let locks = waits || !self.random.one_in(3);
        if locks {
            statements.push(Statement::Lock(mutex));
        }
        if self.random.one_in(2) {
            statements.push(self.load_or_store());
        }
        if waits {
            let is_conditional = self.random.one_in(2);
            let wait = self.wait(me, mutex);
            statements.extend(wait.into_iter().map(|statement| {
                if is_conditional {
                    Statement::If(Condition::Is(0, 0), Box::new(statement))
                } else {
                    statement
                }
            }));
        } else {
            statements.extend(self.notify());
        }
        if locks {
            statements.push(Statement::Unlock(mutex));
        }
        if !waits && self.random.one_in(3) {
            statements.extend(self.notify());
        }
        statements
    }

    /// The location of the set of waiters. It is followed by the token of each.
    fn waiters(&self) -> Location {
        self.locations
    }

    fn wait(&mut self, me: u8, mutex: Location) -> Vec<Statement> {
        // Registers 0 and 1 belong to conditions.
        let announce = relaxed(2, self.waiters(), Change::Or(1 << me));
        let sleep = Statement::AwaitChange {
            at: self.waiters() + 1 + me,
            value: 1,
            by: Change::Set(0),
            order: Relaxed,
        };
        let mut statements = vec![announce, Statement::Unlock(mutex)];
        if self.kind == Kind::SpuriousWakes {
            statements.push(Statement::Choose {
                into: WOKEN,
                of: 2,
                why: Why::SpuriousWake,
            });
        }
        let is_asleep = Condition::Is(WOKEN, 0);
        statements.push(Statement::If(is_asleep, Box::new(sleep)));
        statements.push(Statement::Lock(mutex));
        statements
    }

    /// Wakes one waiter, or all.
    fn notify(&mut self) -> Vec<Statement> {
        let by = if self.random.one_in(2) {
            Change::TakeBit
        } else {
            Change::Set(0)
        };
        let mut statements = vec![relaxed(1, self.waiters(), by)];
        statements.extend((0..self.threads).map(|thread| {
            let wake = Statement::Store {
                to: self.waiters() + 1 + thread,
                value: Value::Constant(1),
                order: Relaxed,
            };
            Statement::If(Condition::HasBit(1, 1 << thread), Box::new(wake))
        }));
        statements
    }
}

fn relaxed(into: Register, at: Location, by: Change) -> Statement {
    Statement::Change {
        into,
        at,
        by,
        success: Relaxed,
        failure: Relaxed,
    }
}
