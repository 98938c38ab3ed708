//! # Overdraft
//!
//! A joint account holds 50. Both owners stand at a cash machine, and each asks for 50. When both
//! machines check the balance before either pays out, both find enough, and the account ends below
//! zero.
//!
//! **Where it happened.** In 2015 a researcher moved money between two Starbucks gift cards in two
//! requests at once: both saw the full balance, and the money doubled. Two years later the ACIDRain
//! study found such bugs in twelve web shops.
//!
//! **Why.** The answer to "is there enough?" is true at the moment of the check. Making the payment
//! itself indivisible does not keep it true: check and act must be one step.
//!
//! **Who sees it.** Any tool that tries interleavings: one preemption between check and payment is
//! enough. ThreadSanitizer and Miri see no data race, since every access is atomic or locked.

use super::sync::Arc;
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// An account that must never go below zero.
pub trait Account: Send + Sync + 'static {
    /// An account that holds `balance`.
    fn holding(balance: i64) -> Self;
    /// Pays out `amount` if the account holds that much, and says whether it did.
    fn withdraw(&self, amount: i64) -> bool;
    /// What the account holds.
    fn balance(&self) -> i64;
}

pub mod buggy {
    use super::super::sync::atomic::{AtomicI64, Ordering::Relaxed};

    pub struct Account {
        balance: AtomicI64,
    }

    impl super::Account for Account {
        fn holding(balance: i64) -> Self {
            Account {
                balance: AtomicI64::new(balance),
            }
        }

        fn withdraw(&self, amount: i64) -> bool {
            if self.balance.load(Relaxed) < amount {
                return false;
            }
            // Indivisible, so nothing gets lost; but the check may be out of date.
            self.balance.fetch_sub(amount, Relaxed);
            true
        }

        fn balance(&self) -> i64 {
            self.balance.load(Relaxed)
        }
    }
}

pub mod trap_two_locks {
    use super::super::sync::Mutex;

    pub struct Account {
        balance: Mutex<i64>,
    }

    impl super::Account for Account {
        fn holding(balance: i64) -> Self {
            Account {
                balance: Mutex::new(balance),
            }
        }

        fn withdraw(&self, amount: i64) -> bool {
            // `balance` unlocks before it returns, and the payment locks again.
            if self.balance() < amount {
                return false;
            }
            *self.balance.lock().unwrap() -= amount;
            true
        }

        fn balance(&self) -> i64 {
            *self.balance.lock().unwrap()
        }
    }
}

pub mod fixed_mutex {
    use super::super::sync::Mutex;

    pub struct Account {
        balance: Mutex<i64>,
    }

    impl super::Account for Account {
        fn holding(balance: i64) -> Self {
            Account {
                balance: Mutex::new(balance),
            }
        }

        fn withdraw(&self, amount: i64) -> bool {
            // One critical section from the check to the payment.
            let mut balance = self.balance.lock().unwrap();
            if *balance < amount {
                return false;
            }
            *balance -= amount;
            true
        }

        fn balance(&self) -> i64 {
            *self.balance.lock().unwrap()
        }
    }
}

pub mod fixed_compare_exchange {
    use super::super::sync::atomic::{AtomicI64, Ordering::Relaxed};

    pub struct Account {
        balance: AtomicI64,
    }

    impl super::Account for Account {
        fn holding(balance: i64) -> Self {
            Account {
                balance: AtomicI64::new(balance),
            }
        }

        fn withdraw(&self, amount: i64) -> bool {
            let mut seen = self.balance.load(Relaxed);
            while seen >= amount {
                // Pays only if the balance is still the one that was checked. Relaxed is enough:
                // nothing else is published through the balance.
                match self
                    .balance
                    .compare_exchange(seen, seen - amount, Relaxed, Relaxed)
                {
                    Ok(_) => return true,
                    Err(newer) => seen = newer,
                }
            }
            false
        }

        fn balance(&self) -> i64 {
            self.balance.load(Relaxed)
        }
    }
}

/// Both owners ask for the whole balance.
fn scenario<A: Account>() -> String {
    let account = Arc::new(A::holding(50));
    let second_owner = thread::Builder::new()
        .name("second owner".into())
        .spawn({
            let account = Arc::clone(&account);
            move || account.withdraw(50)
        })
        .unwrap();
    let first_paid = account.withdraw(50);
    let second_paid = second_owner.join().unwrap();
    let paid = usize::from(first_paid) + usize::from(second_paid);
    format!("{paid} paid, balance {}", account.balance())
}

/// All threads withdraw from one account, which holds enough for every withdrawal: each step is a
/// check and a payment.
fn workload<A: Account>() -> Workload {
    const PLENTY: i64 = i64::MAX;
    Workload::new(
        A::holding(PLENTY),
        |account, _| assert!(account.withdraw(1)),
        |account, payments| assert_eq!(account.balance(), PLENTY - payments as i64),
    )
}

pub const BUG: Bug = Bug {
    name: "overdraft",
    shape: Shape::CheckThenAct,
    scale: Scale::Threads,
    summary: "two owners check the same balance, both find enough, and both are paid",
    file: file!(),
    source: include_str!("overdraft.rs"),
    references: &[
        "E. Homakov, Hacking Starbucks for unlimited coffee (2015): \
         https://sakurity.com/blog/2015/05/21/starbucks.html",
        "T. Warszawski and P. Bailis, ACIDRain: Concurrency-Related Attacks on Database-Backed Web \
         Applications (SIGMOD 2017)",
    ],
    outcomes: &[
        Outcome::acceptable("1 paid, balance 0", "the second to ask was turned away"),
        Outcome::forbidden(
            "2 paid, balance -50",
            "both owners checked before either was paid, so both found enough",
        ),
    ],
    schedule: "Main finds 50, which is enough. The second owner finds 50 too and withdraws it. Main \
               withdraws 50 that is no longer there.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("2 paid, balance -50"),
            "a check, then an indivisible payment",
            scenario::<buggy::Account>,
        )
        .workload(workload::<buggy::Account>),
        Variant::trap(
            "trap_two_locks",
            Expected::outcome("2 paid, balance -50"),
            "check and payment each hold the lock, but release it in between",
            scenario::<trap_two_locks::Account>,
        )
        .workload(workload::<trap_two_locks::Account>),
        Variant::fixed(
            "fixed_mutex",
            "one critical section around check and payment",
            scenario::<fixed_mutex::Account>,
        )
        .workload(workload::<fixed_mutex::Account>),
        Variant::fixed(
            "fixed_compare_exchange",
            "the payment fails if the balance is no longer the one that was checked",
            scenario::<fixed_compare_exchange::Account>,
        )
        .workload(workload::<fixed_compare_exchange::Account>),
    ],
};
