//! # Double lock A shop remembers the prices it has looked up. It
//! looks up the price of a pear, finds none, works it out, and
//! locks the list to add it. The list is still locked: by the
//! lookup.
//!
//! **Where it happened.** It is the most common way to block a Rust program: 30 of the 59 blocking
//! bugs that Qin and others collected lock what the thread holds already, 6 of them in the head of
//! a `match` and 5 in that of an `if`. Most were fixed by dropping the guard earlier.
//!
//! **Why.** The guard in the head of a `match` is a temporary, and lives until the `match` ends,
//! even if it was only used to copy a number. (An `if let` was no better until the 2024 edition,
//! which drops it before the `else`.) A guard with a name lives to the end of its block: borrows
//! end at their last use, but drops do not.
//!
//! **Who sees it.** Every run that takes the branch, in every tool, on one thread. All it needs is
//! a test for that branch; Clippy's `significant_drop_in_scrutinee` finds the `match` without one.

use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// A price list that fills itself.
pub trait Prices: Default + Send + Sync + 'static {
    /// The price of that fruit, worked out if it is not on the list yet.
    fn price(&self, fruit: &'static str) -> usize;
}

/// Stands for something slow.
fn work_out(fruit: &str) -> usize {
    fruit.len()
}

pub mod buggy {
    use super::super::sync::Mutex;
    use super::work_out;
    use std::collections::BTreeMap;

    #[derive(Default)]
    pub struct Prices {
        list: Mutex<BTreeMap<&'static str, usize>>,
    }

    impl super::Prices for Prices {
        fn price(&self, fruit: &'static str) -> usize {
            match self.list.lock().unwrap().get(fruit).copied() {
                Some(price) => price,
                None => {
                    let price = work_out(fruit);
                    // The guard in the head of the match is still there.
                    self.list.lock().unwrap().insert(fruit, price);
                    price
                }
            }
        }
    }
}

pub mod trap_named_guard {
    use super::super::sync::Mutex;
    use super::work_out;
    use std::collections::BTreeMap;

    #[derive(Default)]
    pub struct Prices {
        list: Mutex<BTreeMap<&'static str, usize>>,
    }

    impl super::Prices for Prices {
        fn price(&self, fruit: &'static str) -> usize {
            let list = self.list.lock().unwrap();
            // The last use of the guard, but not its end.
            let known = list.get(fruit).copied();
            match known {
                Some(price) => price,
                None => {
                    let price = work_out(fruit);
                    self.list.lock().unwrap().insert(fruit, price);
                    price
                }
            }
        }
    }
}

pub mod fixed_let {
    use super::super::sync::Mutex;
    use super::work_out;
    use std::collections::BTreeMap;

    #[derive(Default)]
    pub struct Prices {
        list: Mutex<BTreeMap<&'static str, usize>>,
    }

    impl super::Prices for Prices {
        fn price(&self, fruit: &'static str) -> usize {
            // The guard is a temporary of this statement and ends with it. Two threads may now work
            // out the same price, which costs time and does no harm.
            let known = self.list.lock().unwrap().get(fruit).copied();
            match known {
                Some(price) => price,
                None => {
                    let price = work_out(fruit);
                    self.list.lock().unwrap().insert(fruit, price);
                    price
                }
            }
        }
    }
}

pub mod fixed_one_guard {
    use super::super::sync::Mutex;
    use super::work_out;
    use std::collections::BTreeMap;

    #[derive(Default)]
    pub struct Prices {
        list: Mutex<BTreeMap<&'static str, usize>>,
    }

    impl super::Prices for Prices {
        fn price(&self, fruit: &'static str) -> usize {
            // One guard for lookup and insert. Each price is worked out once, and meanwhile every
            // thread waits, even for prices that are on the list.
            let mut list = self.list.lock().unwrap();
            *list.entry(fruit).or_insert_with(|| work_out(fruit))
        }
    }
}

/// The first customer asks for a pear.
fn scenario<P: Prices>() -> String {
    let prices = P::default();
    format!("a pear costs {}", prices.price("pear"))
}

/// Asks for a pear in an old shop, where all threads ask and the price is known by now, and in a
/// new shop of the thread's own, where it has to be worked out.
fn workload<P: Prices>() -> Workload {
    Workload::new(
        P::default(),
        |old_shop, _| {
            assert_eq!(old_shop.price("pear"), 4);
            let new_shop = P::default();
            assert_eq!(new_shop.price("pear"), 4);
        },
        |old_shop, _| assert_eq!(old_shop.price("pear"), 4),
    )
}

pub const BUG: Bug = Bug {
    name: "double-lock",
    shape: Shape::Deadlock,
    scale: Scale::Threads,
    summary: "a guard in the head of a match outlives it, and an arm locks again",
    file: file!(),
    source: include_str!("double_lock.rs"),
    references: &[
        "B. Qin et al., Understanding Memory and Thread Safety Practices and Issues in Real-World Rust \
         Programs (PLDI 2020)",
        "The Rust Reference, Destructors: temporary scopes, \
         https://doc.rust-lang.org/reference/destructors.html#temporary-scopes",
        "Clippy: significant_drop_in_scrutinee",
    ],
    outcomes: &[
        Outcome::acceptable("a pear costs 4", "worked out and noted"),
        Outcome::forbidden(
            "deadlock",
            "main waits for the list, which the guard of its own lookup still locks",
        ),
    ],
    schedule: "Main locks the list and finds no pear. Main locks the list once more, and waits for \
               itself.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::DEADLOCK,
            "the temporary in the head of a match lives until the match ends",
            scenario::<buggy::Prices>,
        ),
        Variant::trap(
            "trap_named_guard",
            Expected::DEADLOCK,
            "a guard lives to the end of its block, not to its last use",
            scenario::<trap_named_guard::Prices>,
        ),
        Variant::fixed(
            "fixed_let",
            "the lookup is a separate statement, and the guard ends with it",
            scenario::<fixed_let::Prices>,
        )
        .workload(workload::<fixed_let::Prices>),
        Variant::fixed(
            "fixed_one_guard",
            "one guard for lookup and insert",
            scenario::<fixed_one_guard::Prices>,
        )
        .workload(workload::<fixed_one_guard::Prices>),
    ],
};
