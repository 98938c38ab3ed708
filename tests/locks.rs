//! The locks on real threads: every visit is counted, and a panic frees the lock.

use heisenbug_cost::mounted::locks::exclusive::Exclusive;
use heisenbug_cost::mounted::locks::{
    backoff, clh, flat_combining, futex, mcs, spin_then_park, test_and_set, ticket,
};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

const TIMES: u64 = 1_000;

/// At most one thread per core, or the fair locks take forever.
const THREADS: u64 = 2;

fn counts_everybody<L: Exclusive<u64>>() {
    let visitors = Arc::new(L::new(0));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let visitors = Arc::clone(&visitors);
            thread::spawn(move || (0..TIMES).for_each(|_| visitors.with(|count| *count += 1)))
        })
        .collect();
    for thread in threads {
        thread.join().expect("it does not panic");
    }
    let visitors = Arc::into_inner(visitors).expect("the others have let go of it");
    assert_eq!(visitors.into_inner(), THREADS * TIMES);
}

/// Every other visit ends in a panic, which reaches only the thread whose visit it was.
fn a_panic_reaches_its_owner_and_frees_the_lock<L: Exclusive<u64>>() {
    let visitors = Arc::new(L::new(0));
    let threads: Vec<_> = (0..THREADS)
        .map(|me| {
            let visitors = Arc::clone(&visitors);
            thread::spawn(move || {
                for visit in 0..TIMES / 10 {
                    let mine = me * TIMES + visit;
                    let critical = |count: &mut u64| {
                        *count += 1;
                        if visit % 2 == 0 {
                            resume_unwind(Box::new(mine));
                        }
                        mine
                    };
                    let result = catch_unwind(AssertUnwindSafe(|| visitors.with(critical)));
                    match result {
                        Ok(returned) => assert_eq!((returned, visit % 2), (mine, 1)),
                        Err(panic) => assert_eq!(panic.downcast_ref(), Some(&mine)),
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("it caught its own panics");
    }
    let visitors = Arc::into_inner(visitors).expect("the others have let go of it");
    assert_eq!(visitors.into_inner(), THREADS * (TIMES / 10));
}

macro_rules! locks {
    ($($name:ident: $lock:ty,)*) => {
        $(
            mod $name {
                use super::*;

                #[test]
                fn counts_everybody() {
                    super::counts_everybody::<$lock>();
                }

                #[test]
                fn a_panic_reaches_its_owner_and_frees_the_lock() {
                    super::a_panic_reaches_its_owner_and_frees_the_lock::<$lock>();
                }
            }
        )*
    };
}

locks! {
    test_and_set_lock: test_and_set::TestAndSet<u64>,
    backoff_lock: backoff::Backoff<u64>,
    ticket_lock: ticket::Ticket<u64>,
    mcs_lock: mcs::Mcs<u64>,
    clh_lock: clh::Clh<u64>,
    futex_mutex: futex::FutexMutex<u64>,
    spin_then_park_lock: spin_then_park::SpinThenPark<u64>,
    flat_combining_lock: flat_combining::FlatCombining<u64>,
}
