//! Judges `semaphore.rs`: one permit for two threads, two permits for two, and two that come back
//! while two threads wait.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicUsize, Ordering::SeqCst};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "semaphore.rs"
);

/// A pool, and the number of threads in it.
struct Pool {
    semaphore: yours::Semaphore,
    inside: AtomicUsize,
}

impl Pool {
    fn new(permits: usize) -> Arc<Pool> {
        Arc::new(Pool {
            semaphore: yours::Semaphore::new(permits),
            inside: AtomicUsize::new(0),
        })
    }

    /// Goes in and out, and returns how many were inside then.
    fn visit(&self) -> usize {
        self.semaphore.acquire();
        let inside = self.inside.fetch_add(1, SeqCst) + 1;
        self.inside.fetch_sub(1, SeqCst);
        self.semaphore.release();
        inside
    }
}

fn one_permit() -> String {
    let pool = Pool::new(1);
    pool.semaphore.acquire();
    let other = start("other", {
        let pool = Arc::clone(&pool);
        move || pool.visit()
    });
    pool.semaphore.release();
    let most = pool.visit().max(other.join().unwrap());
    format!("{most} of 1 inside")
}

fn two_permits() -> String {
    let pool = Pool::new(2);
    let other = start("other", {
        let pool = Arc::clone(&pool);
        move || pool.visit()
    });
    let most = pool.visit().max(other.join().unwrap());
    format!("{most} of 2 inside")
}

/// Main and the other may both be asleep when the permits come.
fn two_sleepers() -> String {
    let semaphore = Arc::new(yours::Semaphore::new(0));
    let other = start("other", {
        let semaphore = Arc::clone(&semaphore);
        move || semaphore.acquire()
    });
    let giver = start("giver", {
        let semaphore = Arc::clone(&semaphore);
        move || {
            semaphore.release();
            semaphore.release();
        }
    });
    semaphore.acquire();
    other.join().unwrap();
    giver.join().unwrap();
    "both were woken".into()
}

fn as_many_as_there_are() -> String {
    let semaphore = yours::Semaphore::new(2);
    semaphore.acquire();
    semaphore.acquire();
    semaphore.release();
    semaphore.acquire();
    let closed = yours::Semaphore::new(0);
    closed.release();
    closed.release();
    closed.acquire();
    closed.acquire();
    kept(true)
}

fn none_at_all() -> String {
    yours::Semaphore::new(0).acquire();
    "a permit out of none".into()
}

fn one_too_many() -> String {
    let semaphore = yours::Semaphore::new(1);
    semaphore.acquire();
    semaphore.release();
    semaphore.acquire();
    semaphore.acquire();
    "a permit out of none".into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("1 of 1 inside", "never more than one"),
        Outcome::forbidden("2 of 1 inside", "there was one permit, and two were inside"),
        Outcome::acceptable("1 of 2 inside", "one after the other, by chance"),
        Outcome::acceptable("2 of 2 inside", "two permits, two inside"),
        Outcome::acceptable("both were woken", "two permits for two threads"),
        Outcome::forbidden("deadlock", "there is a permit, and a thread sleeps"),
    ],
    contract: &[
        Case::promises(
            "there are as many permits as at first, plus those given back",
            as_many_as_there_are
        ),
        Case::sleeps("`acquire` sleeps if there is no permit", none_at_all),
        Case::sleeps("every permit is given out once", one_too_many),
    ],
    cases: &[
        Case::holds("one_permit", one_permit),
        Case::holds("two_permits", two_permits).reaches(&["1 of 2 inside", "2 of 2 inside"]),
        Case::holds("two_sleepers", two_sleepers),
    ],
});
