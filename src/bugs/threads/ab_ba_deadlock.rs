//! # AB-BA deadlock
//!
//! A bank locks both accounts of a transfer: first the one that pays, then the one that is paid.
//! Main moves money from Ann to Bob, a second teller from Bob to Ann. Each locks the paying
//! account, and waits forever for the other.
//!
//! **Where it happened.** Everywhere there are two locks. Of the 31 deadlocks that Lu and others found
//! in MySQL, Apache, Mozilla and OpenOffice, 97 % needed two threads and at most two resources. Of the
//! 59 blocking bugs in Rust programs that Qin and others collected, 7 take locks in conflicting order.
//!
//! **Why.** A cycle of "holds this, waits for that". It cannot close if all threads take locks in one
//! order, and that takes a key that no two locks share and that never changes. "The richer account
//! first" is neither: when both hold the same, the order is again the order of the arguments.
//!
//! **Who sees it.** Any tool that tries interleavings, with one preemption between the two locks. In
//! the trap only with equal balances: a checker explores schedules, not inputs. A lock-order watcher
//! such as ThreadSanitizer's warns even about runs that went well.

use super::sync::Arc;
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// Two accounts, each of which holds 100 at first.
pub trait Bank: Default + Send + Sync + 'static {
    /// Moves money between two different accounts.
    fn transfer(&self, from: usize, to: usize, amount: u64);
    /// What the two accounts hold.
    fn balances(&self) -> (u64, u64);
}

pub mod buggy {
    use super::super::sync::Mutex;

    pub struct Bank {
        accounts: [Mutex<u64>; 2],
    }

    impl Default for Bank {
        fn default() -> Self {
            Bank {
                accounts: [Mutex::new(100), Mutex::new(100)],
            }
        }
    }

    impl super::Bank for Bank {
        fn transfer(&self, from: usize, to: usize, amount: u64) {
            // The caller decides which lock comes first.
            let mut from = self.accounts[from].lock().unwrap();
            let mut to = self.accounts[to].lock().unwrap();
            *from -= amount;
            *to += amount;
        }

        fn balances(&self) -> (u64, u64) {
            let [ann, bob] = &self.accounts;
            (*ann.lock().unwrap(), *bob.lock().unwrap())
        }
    }
}

pub mod trap_richer_first {
    use super::super::sync::Mutex;

    pub struct Bank {
        accounts: [Mutex<u64>; 2],
    }

    impl Default for Bank {
        fn default() -> Self {
            Bank {
                accounts: [Mutex::new(100), Mutex::new(100)],
            }
        }
    }

    impl super::Bank for Bank {
        fn transfer(&self, from: usize, to: usize, amount: u64) {
            let holds = |account: usize| *self.accounts[account].lock().unwrap();
            // With equal balances this is `from` first, whoever calls.
            if holds(from) >= holds(to) {
                let mut from = self.accounts[from].lock().unwrap();
                let mut to = self.accounts[to].lock().unwrap();
                *from -= amount;
                *to += amount;
            } else {
                let mut to = self.accounts[to].lock().unwrap();
                let mut from = self.accounts[from].lock().unwrap();
                *from -= amount;
                *to += amount;
            }
        }

        fn balances(&self) -> (u64, u64) {
            let [ann, bob] = &self.accounts;
            (*ann.lock().unwrap(), *bob.lock().unwrap())
        }
    }
}

pub mod fixed_lock_order {
    use super::super::sync::Mutex;

    pub struct Bank {
        accounts: [Mutex<u64>; 2],
    }

    impl Default for Bank {
        fn default() -> Self {
            Bank {
                accounts: [Mutex::new(100), Mutex::new(100)],
            }
        }
    }

    impl super::Bank for Bank {
        fn transfer(&self, from: usize, to: usize, amount: u64) {
            // The lower account number first: no two accounts share one, and it never changes.
            if from < to {
                let mut from = self.accounts[from].lock().unwrap();
                let mut to = self.accounts[to].lock().unwrap();
                *from -= amount;
                *to += amount;
            } else {
                let mut to = self.accounts[to].lock().unwrap();
                let mut from = self.accounts[from].lock().unwrap();
                *from -= amount;
                *to += amount;
            }
        }

        fn balances(&self) -> (u64, u64) {
            let [ann, bob] = &self.accounts;
            (*ann.lock().unwrap(), *bob.lock().unwrap())
        }
    }
}

pub mod fixed_one_lock {
    use super::super::sync::Mutex;

    pub struct Bank {
        accounts: Mutex<[u64; 2]>,
    }

    impl Default for Bank {
        fn default() -> Self {
            Bank {
                accounts: Mutex::new([100, 100]),
            }
        }
    }

    impl super::Bank for Bank {
        fn transfer(&self, from: usize, to: usize, amount: u64) {
            // One lock has one order. Transfers between other accounts wait too.
            let mut accounts = self.accounts.lock().unwrap();
            accounts[from] -= amount;
            accounts[to] += amount;
        }

        fn balances(&self) -> (u64, u64) {
            let [ann, bob] = *self.accounts.lock().unwrap();
            (ann, bob)
        }
    }
}

const ANN: usize = 0;
const BOB: usize = 1;

/// Ann pays Bob 10 while Bob pays Ann 20.
fn scenario<B: Bank>() -> String {
    let bank = Arc::new(B::default());
    let teller = thread::Builder::new()
        .name("second teller".into())
        .spawn({
            let bank = Arc::clone(&bank);
            move || bank.transfer(BOB, ANN, 20)
        })
        .unwrap();
    bank.transfer(ANN, BOB, 10);
    teller.join().unwrap();
    let (ann, bob) = bank.balances();
    format!("Ann {ann}, Bob {bob}")
}

/// Every thread is a teller of one bank, and moves a coin back and forth.
fn workload<B: Bank>() -> Workload {
    Workload::new(
        B::default(),
        |bank, _| {
            bank.transfer(ANN, BOB, 1);
            bank.transfer(BOB, ANN, 1);
        },
        |bank, _| assert_eq!(bank.balances(), (100, 100)),
    )
}

pub const BUG: Bug = Bug {
    name: "ab-ba-deadlock",
    shape: Shape::Deadlock,
    scale: Scale::Threads,
    summary: "two transfers lock the same two accounts in opposite order",
    file: file!(),
    source: include_str!("ab_ba_deadlock.rs"),
    references: &[
        "S. Lu et al., Learning from Mistakes (ASPLOS 2008)",
        "B. Qin et al., Understanding Memory and Thread Safety Practices and Issues in Real-World Rust \
         Programs (PLDI 2020)",
    ],
    outcomes: &[
        Outcome::acceptable("Ann 110, Bob 90", "both transfers were carried out"),
        Outcome::forbidden(
            "deadlock",
            "each teller holds the paying account and waits for the other one",
        ),
    ],
    schedule: "Main locks Ann's account. The second teller locks Bob's and waits for Ann's. Main waits \
               for Bob's.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::DEADLOCK,
            "the paying account is locked first",
            scenario::<buggy::Bank>,
        )
        .workload(workload::<buggy::Bank>),
        Variant::trap(
            "trap_richer_first",
            Expected::DEADLOCK,
            "ordering by balance gives no order when both hold the same",
            scenario::<trap_richer_first::Bank>,
        )
        .workload(workload::<trap_richer_first::Bank>),
        Variant::fixed(
            "fixed_lock_order",
            "always the lower account number first",
            scenario::<fixed_lock_order::Bank>,
        )
        .workload(workload::<fixed_lock_order::Bank>),
        Variant::fixed(
            "fixed_one_lock",
            "one lock for the whole bank",
            scenario::<fixed_one_lock::Bank>,
        )
        .workload(workload::<fixed_one_lock::Bank>),
    ],
};
