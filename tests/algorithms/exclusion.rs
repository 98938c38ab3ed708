//! Mutual exclusion: Peterson, Dekker, Lamport's bakery, ticket lock, MCS.

use crate::judged::{Plain, fails, frees_too_early, holds};
use crate::two;
use heisenbug::catalogue::Class;
use heisenbug::hint;
use heisenbug::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicUsize,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
};
use std::ptr::null_mut;

/// The orderings of stores and of loads.
type Orderings = (Ordering, Ordering);
const STRONG: Orderings = (SeqCst, SeqCst);
/// Enough to hand something over, but too weak to see each other's flags: both may read the old ones.
const HAND_OVER: Orderings = (Release, Acquire);

struct Flags {
    orderings: Orderings,
    raised: [AtomicBool; 2],
    turn: AtomicUsize,
    data: Plain<u32>,
}

impl Flags {
    fn new(orderings: Orderings) -> Flags {
        Flags {
            orderings,
            raised: [AtomicBool::new(false), AtomicBool::new(false)],
            turn: AtomicUsize::new(0),
            data: Plain::new(0),
        }
    }

    fn raise(&self, me: usize) {
        self.raised[me].store(true, self.orderings.0);
    }

    /// Pairs with `sees`: the next thread reads the lowered flag.
    fn lower(&self, me: usize) {
        self.raised[me].store(false, Release);
    }

    fn sees(&self, other: usize) -> bool {
        self.raised[other].load(self.orderings.1)
    }

    fn gives_turn_to(&self, other: usize) {
        self.turn.store(other, self.orderings.0);
    }

    fn turn_of(&self, who: usize) -> bool {
        self.turn.load(self.orderings.1) == who
    }

    fn count(&self) {
        self.data.change(|count| *count += 1);
    }
}

fn peterson(flags: &Flags, me: usize) {
    let other = 1 - me;
    flags.raise(me);
    flags.gives_turn_to(other);
    while flags.sees(other) && flags.turn_of(other) {
        hint::spin_loop();
    }
    flags.count();
    flags.lower(me);
}

fn both_peterson(orderings: Orderings) {
    let (_, _, flags) = two(
        Flags::new(orderings),
        |it| peterson(it, 0),
        |it| peterson(it, 1),
    );
    assert_eq!(flags.data.get(), 2);
}

#[test]
fn peterson_holds() {
    holds(|| both_peterson(STRONG));
}

#[test]
fn peterson_without_seq_cst_fails() {
    fails(
        || both_peterson(HAND_OVER),
        Class::DataRace,
        "nothing orders them",
    );
}

#[test]
fn peterson_that_takes_the_turn_itself_fails() {
    let program = || {
        let enter = |flags: &Flags, me: usize| {
            flags.raise(me);
            // Should give the turn to the other thread: this way both may go first.
            flags.gives_turn_to(me);
            while flags.sees(1 - me) && flags.turn_of(1 - me) {
                hint::spin_loop();
            }
            flags.count();
            flags.lower(me);
        };
        let flags = heisenbug::sync::Arc::new(Flags::new(STRONG));
        let other = heisenbug::thread::spawn({
            let flags = heisenbug::sync::Arc::clone(&flags);
            move || enter(&flags, 1)
        });
        enter(&flags, 0);
        other.join().unwrap();
    };
    fails(program, Class::DataRace, "nothing orders them");
}

fn dekker(flags: &Flags, me: usize) {
    let other = 1 - me;
    flags.raise(me);
    while flags.sees(other) {
        if flags.turn_of(other) {
            // Gives way, and retries when it is its turn.
            flags.lower(me);
            while flags.turn_of(other) {
                hint::spin_loop();
            }
            flags.raise(me);
        }
    }
    flags.count();
    flags.gives_turn_to(other);
    flags.lower(me);
}

fn both_dekker(orderings: Orderings) {
    let (_, _, flags) = two(
        Flags::new(orderings),
        |it| dekker(it, 0),
        |it| dekker(it, 1),
    );
    assert_eq!(flags.data.get(), 2);
}

#[test]
fn dekker_holds() {
    holds(|| both_dekker(STRONG));
}

#[test]
fn dekker_without_seq_cst_fails() {
    fails(
        || both_dekker(HAND_OVER),
        Class::DataRace,
        "nothing orders them",
    );
}

struct Bakery {
    orderings: Orderings,
    /// Whether a thread announces that it is about to draw a number; the broken twin does not.
    says_it_draws: bool,
    draws: [AtomicBool; 2],
    number: [AtomicU32; 2],
    data: Plain<u32>,
}

impl Bakery {
    fn new(orderings: Orderings, says_it_draws: bool) -> Bakery {
        Bakery {
            orderings,
            says_it_draws,
            draws: [AtomicBool::new(false), AtomicBool::new(false)],
            number: [AtomicU32::new(0), AtomicU32::new(0)],
            data: Plain::new(0),
        }
    }

    fn serve(&self, me: usize) {
        let ((store, load), other) = (self.orderings, 1 - me);
        if self.says_it_draws {
            self.draws[me].store(true, store);
        }
        let mine = self.number[other].load(load) + 1;
        self.number[me].store(mine, store);
        if self.says_it_draws {
            self.draws[me].store(false, store);
        }
        // A thread that is about to draw may draw the same number, and then the lower index goes first.
        while self.draws[other].load(load) {
            hint::spin_loop();
        }
        loop {
            let others = self.number[other].load(load);
            if others == 0 || (mine, me) < (others, other) {
                break;
            }
            hint::spin_loop();
        }
        self.data.change(|count| *count += 1);
        // Pairs with the load of the number.
        self.number[me].store(0, Release);
    }
}

fn both_served(orderings: Orderings, says_it_draws: bool) {
    let bakery = Bakery::new(orderings, says_it_draws);
    let (_, _, bakery) = two(bakery, |it| it.serve(0), |it| it.serve(1));
    assert_eq!(bakery.data.get(), 2);
}

#[test]
fn bakery_holds() {
    holds(|| both_served(STRONG, true));
}

#[test]
fn bakery_without_seq_cst_fails() {
    fails(
        || both_served(HAND_OVER, true),
        Class::DataRace,
        "nothing orders them",
    );
}

#[test]
fn bakery_that_does_not_say_it_draws_fails() {
    fails(
        || both_served(STRONG, false),
        Class::DataRace,
        "nothing orders them",
    );
}

/// A ticket lock, with the given ways to draw a ticket and to call the next number.
fn ticket(draw: fn(&AtomicU32) -> u32, call: Ordering) -> impl Fn() + Send + Sync + 'static {
    type Lock = (
        AtomicU32,
        AtomicU32,
        Plain<u32>,
        fn(&AtomicU32) -> u32,
        Ordering,
    );
    fn add((next, called, data, draw, call): &Lock) {
        let mine = draw(next);
        // Pairs with the store below.
        while called.load(Acquire) != mine {
            hint::spin_loop();
        }
        data.change(|count| *count += 1);
        called.store(mine + 1, *call);
    }
    move || {
        let lock: Lock = (
            AtomicU32::new(0),
            AtomicU32::new(0),
            Plain::new(0),
            draw,
            call,
        );
        let (_, _, lock) = two(lock, add, add);
        assert_eq!(lock.2.get(), 2);
    }
}

#[test]
fn ticket_holds() {
    holds(ticket(|next| next.fetch_add(1, Relaxed), Release));
}

#[test]
fn ticket_that_calls_without_release_fails() {
    let program = ticket(|next| next.fetch_add(1, Relaxed), Relaxed);
    fails(program, Class::DataRace, "nothing orders them");
}

#[test]
fn ticket_drawn_in_two_steps_fails() {
    let draw = |next: &AtomicU32| {
        let mine = next.load(SeqCst);
        next.store(mine + 1, SeqCst);
        mine
    };
    fails(
        ticket(draw, Release),
        Class::DataRace,
        "nothing orders them",
    );
}

struct Node {
    next: AtomicPtr<Node>,
    waits: AtomicBool,
}

#[derive(Clone, Copy, PartialEq)]
enum Mcs {
    Right,
    /// Wakes the next thread, but releases nothing to it.
    Relaxed,
    /// Leaves if it sees no successor, though one may be about to link itself.
    DoesNotLookTwice,
}

struct McsLock {
    how: Mcs,
    tail: AtomicPtr<Node>,
    data: Plain<u32>,
}

impl McsLock {
    fn add(&self) {
        let node = Node {
            next: AtomicPtr::new(null_mut()),
            waits: AtomicBool::new(true),
        };
        let me = (&raw const node).cast_mut();
        // Releases the node to the successor, acquires that of the predecessor.
        let before = self.tail.swap(me, AcqRel);
        if !before.is_null() {
            // SAFETY: the predecessor does not leave before it has seen this node.
            unsafe { (*before).next.store(me, Release) };
            // Pairs with the predecessor's store.
            while node.waits.load(Acquire) {
                hint::spin_loop();
            }
        }
        self.data.change(|count| *count += 1);
        self.go(&node, me);
    }

    fn go(&self, node: &Node, me: *mut Node) {
        let mut next = node.next.load(Acquire);
        if next.is_null() {
            // Pairs with the successor's swap.
            let alone = self.tail.compare_exchange(me, null_mut(), Release, Relaxed);
            if alone.is_ok() || self.how == Mcs::DoesNotLookTwice {
                return;
            }
            while next.is_null() {
                hint::spin_loop();
                next = node.next.load(Acquire);
            }
        }
        let tap = if self.how == Mcs::Relaxed {
            Relaxed
        } else {
            Release
        };
        // SAFETY: the successor waits for this store.
        unsafe { (*next).waits.store(false, tap) };
    }
}

fn mcs(how: Mcs) -> impl Fn() + Send + Sync + 'static {
    move || {
        let lock = McsLock {
            how,
            tail: AtomicPtr::new(null_mut()),
            data: Plain::new(0),
        };
        let (_, _, lock) = two(lock, McsLock::add, McsLock::add);
        assert_eq!(lock.data.get(), 2);
    }
}

#[test]
fn mcs_holds() {
    holds(mcs(Mcs::Right));
}

#[test]
fn mcs_that_taps_without_release_fails() {
    fails(mcs(Mcs::Relaxed), Class::DataRace, "nothing orders them");
}

/// The node is gone from its stack when the successor accesses it.
#[test]
fn mcs_that_does_not_look_twice_fails() {
    frees_too_early(mcs(Mcs::DoesNotLookTwice));
}
