//! The ordering of reference-counted pointers: a drop comes before whatever the last owner does after it.

use crate::judged::{Plain, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicU32, Ordering::Relaxed};
use heisenbug::{hint, thread};

/// Reads its parts when it is dropped.
struct Parts {
    one: Plain<u32>,
    two: Plain<u32>,
}

impl Drop for Parts {
    fn drop(&mut self) {
        assert_eq!(self.one.get() + self.two.get(), 2);
    }
}

#[test]
fn the_destructor_reads_what_all_owners_wrote_holds() {
    holds(|| {
        let mine = Arc::new(Parts {
            one: Plain::new(0),
            two: Plain::new(0),
        });
        let yours = Arc::clone(&mine);
        // Not joined: only the pointer orders it.
        thread::spawn(move || yours.one.set(1));
        mine.two.set(1);
    });
}

struct Counters(AtomicU32, AtomicU32);

impl Drop for Counters {
    fn drop(&mut self) {
        assert_eq!(self.0.load(Relaxed) + self.1.load(Relaxed), 2);
    }
}

#[test]
fn the_destructor_reads_the_newest_of_relaxed_atomics_holds() {
    holds(|| {
        let mine = Arc::new(Counters(AtomicU32::new(0), AtomicU32::new(0)));
        let yours = Arc::clone(&mine);
        thread::spawn(move || yours.0.store(1, Relaxed));
        mine.1.store(1, Relaxed);
    });
}

/// A relaxed flag says that the other's pointer is gone, and orders nothing; the pointer itself does.
#[test]
fn the_last_drop_after_a_relaxed_sign_holds() {
    holds(|| {
        let mine = Arc::new(Parts {
            one: Plain::new(0),
            two: Plain::new(1),
        });
        let gone = Arc::new(AtomicU32::new(0));
        let (yours, sign) = (Arc::clone(&mine), Arc::clone(&gone));
        thread::spawn(move || {
            yours.one.set(1);
            drop(yours);
            sign.store(1, Relaxed);
        });
        while gone.load(Relaxed) == 0 {
            hint::spin_loop();
        }
        drop(mine);
    });
}

#[test]
fn reading_after_a_relaxed_sign_fails() {
    let program = || {
        let mine = Arc::new(Plain::new(0));
        let gone = Arc::new(AtomicU32::new(0));
        let (yours, sign) = (Arc::clone(&mine), Arc::clone(&gone));
        let other = thread::spawn(move || {
            yours.set(1);
            drop(yours);
            sign.store(1, Relaxed);
        });
        while gone.load(Relaxed) == 0 {
            hint::spin_loop();
        }
        // Neither the last drop, nor after it.
        mine.get();
        other.join().unwrap();
    };
    fails(program, Class::DataRace, "nothing orders them");
}

#[test]
fn a_pointer_that_can_be_changed_comes_after_the_others_holds() {
    holds(|| {
        let mut mine = Arc::new(Plain::new(0));
        let yours = Arc::clone(&mine);
        thread::spawn(move || yours.set(1));
        if let Some(alone) = Arc::get_mut(&mut mine) {
            alone.change(|value| *value += 1);
            assert_eq!(alone.get(), 2);
        }
    });
}
