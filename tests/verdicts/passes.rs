//! Loops that count their passes in places where no engine would look: each gives up in the end, or finishes.

use crate::judged::{fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use heisenbug::sync::{Arc, Mutex};
use heisenbug::thread;
use std::cell::{Cell, RefCell};

/// A number of looks that a program might wrongly consider enough.
const ENOUGH: u32 = 3;

/// Waits for a flag that another thread sets, as long as `goes_on` says so.
#[track_caller]
fn gives_up(goes_on: fn() -> Box<dyn FnMut() -> bool>) {
    let program = move || {
        let flag = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || flag.store(true, Release)
        });
        let mut goes_on = goes_on();
        while !flag.load(Acquire) {
            assert!(goes_on(), "gave up");
        }
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "gave up");
}

/// A list with the count at its end.
struct Link {
    passes: u32,
    next: Option<Box<Link>>,
}

impl Link {
    #[inline(never)]
    fn count(&mut self) -> bool {
        match &mut self.next {
            Some(next) => next.count(),
            None => {
                self.passes += 1;
                self.passes < ENOUGH
            }
        }
    }
}

#[test]
fn a_count_at_the_end_of_a_list_fails() {
    gives_up(|| {
        let end = Link {
            passes: 0,
            next: None,
        };
        let mut list = Link {
            passes: 0,
            next: Some(Box::new(end)),
        };
        Box::new(move || list.count())
    });
}

#[test]
fn a_count_in_a_thread_local_fails() {
    heisenbug::thread_local! {
        static PASSES: RefCell<Vec<u32>> = RefCell::new(vec![0]);
    }
    #[inline(never)]
    fn count() -> bool {
        PASSES.with_borrow_mut(|passes| passes[0] += 1);
        PASSES.with_borrow(|passes| passes[0] < ENOUGH)
    }
    gives_up(|| Box::new(count));
}

#[inline(never)]
fn count(passes: &mut u32) -> bool {
    *passes += 1;
    *passes < ENOUGH
}

#[test]
fn a_count_in_a_variable_of_the_parent_fails() {
    let program = || {
        let flag = AtomicBool::new(false);
        let mut passes = 0;
        let lent = &mut passes;
        thread::scope(|scope| {
            scope.spawn(|| {
                while !flag.load(Acquire) {
                    assert!(count(lent), "gave up");
                }
            });
            flag.store(true, Release);
        });
    };
    fails(program, Class::Assertion, "gave up");
}

/// The lock's guard is only read through: the change is behind a `Cell`, on the heap.
#[test]
fn a_count_that_a_lock_guards_gets_there() {
    #[inline(never)]
    fn is_enough(passes: &Mutex<Box<Cell<u32>>>) -> bool {
        let passes = passes.lock().unwrap();
        passes.set(passes.get() + 1);
        passes.get() >= ENOUGH
    }
    holds(|| {
        let passes = Arc::new(Mutex::new(Box::new(Cell::new(0))));
        let other = thread::spawn({
            let passes = Arc::clone(&passes);
            move || while !is_enough(&passes) {}
        });
        other.join().unwrap();
        assert_eq!(passes.lock().unwrap().get(), ENOUGH);
    });
}

/// A pass that changes something and restores it makes no progress: it waits.
#[test]
fn a_wait_that_notes_and_forgets_holds() {
    #[inline(never)]
    fn is_set(flag: &AtomicBool, looks: &mut Vec<bool>) -> bool {
        looks.push(flag.load(Acquire));
        looks.pop() == Some(true)
    }
    holds(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || flag.store(true, Release)
        });
        let mut looks = Vec::with_capacity(1);
        while !is_set(&flag, &mut looks) {}
        other.join().unwrap();
    });
}
