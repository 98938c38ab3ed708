//! Objects that are not there yet, that were freed, or that are dropped while others still use them.

use crate::judged::{Plain, fails, frees_too_early, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
};
use heisenbug::sync::{Arc, Mutex, mpsc};
use heisenbug::thread;
use std::ptr;
use std::sync::atomic::Ordering;

/// Main replaces a counter and frees the old one, which the other thread may be about to use.
#[test]
fn freeing_what_another_has_a_pointer_to_fails() {
    let program = || {
        let boxed = || Box::into_raw(Box::new(AtomicUsize::new(0)));
        let shared = Arc::new(AtomicPtr::new(boxed()));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let counter = shared.load(SeqCst);
                // SAFETY: false. Main may have freed it since.
                unsafe { (*counter).fetch_add(1, SeqCst) }
            }
        });
        let old = shared.swap(boxed(), SeqCst);
        // SAFETY: false. It was boxed, but the other thread may still use it.
        drop(unsafe { Box::from_raw(old) });
        other.join().unwrap();
        // SAFETY: it was boxed, and the other thread has ended.
        drop(unsafe { Box::from_raw(shared.load(SeqCst)) });
    };
    let report = fails(program, Class::UseAfterFree, "used after it was freed");
    let clash = report.clash.as_ref().expect("it says who and where");
    assert!(clash.first.file.ends_with("memory.rs"), "{clash:?}");
    assert!(clash.second.file.ends_with("memory.rs"), "{clash:?}");
}

#[test]
fn freeing_after_the_join_holds() {
    holds(|| {
        let shared = Arc::new(AtomicPtr::new(Box::into_raw(Box::new(AtomicUsize::new(0)))));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            // SAFETY: main frees it after this thread has ended.
            move || unsafe { (*shared.load(SeqCst)).fetch_add(1, SeqCst) }
        });
        other.join().unwrap();
        // SAFETY: it was boxed, and no other thread is left.
        let counter = unsafe { Box::from_raw(shared.load(SeqCst)) };
        assert_eq!(counter.into_inner(), 1);
    });
}

/// A value that is freed by the last owner that lets go of it.
struct Counted {
    owners: AtomicUsize,
    value: Plain<u64>,
}

/// An owner, and whether it looks at the value after it has let go.
struct Owner(*const Counted);

// SAFETY: the value is shared through atomics, and freed only by the last owner.
unsafe impl Send for Owner {}

impl Owner {
    fn two() -> (Owner, Owner) {
        let counted = Box::into_raw(Box::new(Counted {
            owners: AtomicUsize::new(2),
            value: Plain::new(7),
        }));
        (Owner(counted), Owner(counted))
    }

    fn value(&self) -> u64 {
        // SAFETY: true for an owner; false for a thread that has let go.
        unsafe { (*self.0).value.get() }
    }

    /// Frees the value if this was the last owner.
    fn let_go(&self) {
        // SAFETY: this owner is counted until here.
        if unsafe { (*self.0).owners.fetch_sub(1, AcqRel) } == 1 {
            // SAFETY: it was boxed, and has no other owner.
            drop(unsafe { Box::from_raw(self.0.cast_mut()) });
        }
    }
}

#[test]
fn looking_before_letting_go_holds() {
    holds(|| {
        let (mine, yours) = Owner::two();
        let looks = |owner: Owner| {
            let value = owner.value();
            owner.let_go();
            value
        };
        let other = thread::spawn(move || looks(yours));
        assert_eq!(looks(mine) + other.join().unwrap(), 14);
    });
}

#[test]
fn looking_after_letting_go_fails() {
    let program = || {
        let (mine, yours) = Owner::two();
        let other = thread::spawn(move || {
            yours.let_go();
            yours.value()
        });
        mine.let_go();
        other.join().unwrap();
    };
    frees_too_early(program);
}

/// Reads itself when it is dropped.
struct Looked(Plain<u32>);

impl Drop for Looked {
    fn drop(&mut self) {
        assert!(self.0.get() < 2);
    }
}

/// The destructor runs while the race is being reported, and would race again.
#[test]
fn a_race_with_a_destructor_on_the_way_fails_as_a_race() {
    let program = || {
        let shared = Arc::new(Looked(Plain::new(0)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.0.set(1)
        });
        let again = Arc::clone(&shared);
        drop(shared);
        again.0.get();
        drop(again);
        other.join().unwrap();
    };
    let report = fails(program, Class::DataRace, "nothing orders them");
    let clash = report.clash.as_ref().expect("it says who and where");
    assert_ne!(clash.first.line, clash.second.line);
    let mut actors = [&*clash.first.actor, &*clash.second.actor];
    actors.sort_unstable();
    assert_eq!(actors, ["main", "thread 1"]);
}

/// Main makes something in its own memory and publishes it; the other thread uses it as soon as it sees it.
fn published<T: 'static>(
    make: fn() -> T,
    (store, load): (Ordering, Ordering),
    use_it: fn(&T),
) -> impl Fn() + Send + Sync + 'static {
    move || {
        let shared = Arc::new(AtomicPtr::new(ptr::null_mut()));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let there: *mut T = shared.load(load);
                if !there.is_null() {
                    // SAFETY: false if nothing orders its creation before this; freed after the join.
                    use_it(unsafe { &*there });
                }
            }
        });
        let made = Box::into_raw(Box::new(make()));
        shared.store(made, store);
        other.join().unwrap();
        // SAFETY: it was boxed, and the other thread has ended.
        drop(unsafe { Box::from_raw(made) });
    }
}

#[track_caller]
fn unfinished(program: impl Fn() + Send + Sync + 'static) {
    let report = fails(program, Class::DataRace, "nothing orders them");
    let clash = report.clash.as_ref().expect("it says who and where");
    assert!(clash.first.file.ends_with("memory.rs"), "{clash:?}");
    assert_ne!(clash.first.line, clash.second.line, "{clash:?}");
}

fn an_atomic() -> AtomicUsize {
    AtomicUsize::new(7)
}

fn seven(atomic: &AtomicUsize) {
    assert_eq!(atomic.load(Relaxed), 7);
}

/// The address may arrive before the number.
#[test]
fn an_atomic_that_is_published_relaxed_fails() {
    unfinished(published(an_atomic, (Relaxed, Acquire), seven));
    unfinished(published(an_atomic, (Release, Relaxed), seven));
}

#[test]
fn an_atomic_that_is_published_with_release_and_acquire_holds() {
    holds(published(an_atomic, (Release, Acquire), seven));
}

#[test]
fn a_lock_that_is_published_relaxed_fails() {
    let lock = || Mutex::new(7);
    let locks = |lock: &Mutex<u32>| assert_eq!(*lock.lock().unwrap(), 7);
    unfinished(published(lock, (Relaxed, Relaxed), locks));
    holds(published(lock, (Release, Acquire), locks));
}

/// As in queue locks: the node is on the stack of the waiting thread.
fn a_node_on_a_stack(store: Ordering, load: Ordering) -> impl Fn() + Send + Sync + 'static {
    move || {
        let shared = Arc::new(AtomicPtr::new(ptr::null_mut()));
        let waits = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let node = AtomicUsize::new(0);
                shared.store(ptr::from_ref(&node).cast_mut(), store);
                while node.load(Acquire) == 0 {
                    thread::yield_now();
                }
            }
        });
        let node = loop {
            let node = shared.load(load);
            if !node.is_null() {
                break node;
            }
            thread::yield_now();
        };
        // SAFETY: false if nothing orders its creation before this; the node stays there until it is signalled.
        unsafe { (*node).store(1, Release) };
        waits.join().unwrap();
    }
}

#[test]
fn a_node_on_a_stack_that_is_published_relaxed_fails() {
    unfinished(a_node_on_a_stack(Relaxed, Acquire));
}

#[test]
fn a_node_on_a_stack_that_is_published_with_release_and_acquire_holds() {
    holds(a_node_on_a_stack(Release, Acquire));
}

#[test]
fn an_atomic_that_a_channel_a_lock_or_a_spawn_hands_over_holds() {
    holds(|| {
        let (sender, receiver) = mpsc::channel();
        let slot = Arc::new(Mutex::new(None));
        let by_spawn = Box::new(an_atomic());
        let other = thread::spawn({
            let slot = Arc::clone(&slot);
            move || {
                seven(&by_spawn);
                let by_channel: Box<AtomicUsize> = receiver.recv().unwrap();
                seven(&by_channel);
                let by_lock: Option<Box<AtomicUsize>> = slot.lock().unwrap().take();
                by_lock.iter().for_each(|it| seven(it));
            }
        });
        sender.send(Box::new(an_atomic())).unwrap();
        *slot.lock().unwrap() = Some(Box::new(an_atomic()));
        other.join().unwrap();
    });
}
