//! Judges `torn_read.rs`: main raises the price while a customer reads it.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "torn_read.rs"
);

fn the_price_rises() -> String {
    let price = Arc::new(yours::Price::new(1, 99));
    let customer = start("customer", {
        let price = Arc::clone(&price);
        move || price.read()
    });
    price.set(2, 0);
    match customer.join().unwrap() {
        (1, 99) | (2, 0) if price.read() != (2, 0) => "the price is lost",
        (1, 99) => "the old price",
        (2, 0) => "the new price",
        _ => "neither the old price nor the new",
    }
    .into()
}

/// Two changes: a fix that is right only for a single change is caught.
fn the_price_rises_twice() -> String {
    let price = Arc::new(yours::Price::new(1, 99));
    let customer = start("customer", {
        let price = Arc::clone(&price);
        move || price.read()
    });
    price.set(2, 0);
    price.set(3, 1);
    match customer.join().unwrap() {
        (1, 99) => "the old price",
        (2, 0) | (3, 1) if price.read() == (3, 1) => "the new price",
        (2, 0) | (3, 1) => "the price is lost",
        _ => "neither the old price nor the new",
    }
    .into()
}

/// Two customers read the price, one of them twice.
fn two_customers() -> String {
    let price = Arc::new(yours::Price::new(1, 99));
    let customer = start("customer", {
        let price = Arc::clone(&price);
        move || price.read()
    });
    let mine = [price.read(), price.read()];
    match (mine, customer.join().unwrap()) {
        ([(1, 99), (1, 99)], (1, 99)) => "the old price",
        _ => "neither the old price nor the new",
    }
    .into()
}

fn one_after_the_other() -> String {
    let price = yours::Price::new(1, 99);
    let mut right = price.read() == (1, 99);
    for (euros, cents) in [(2, 0), (0, 5), (0, 0), (u32::MAX, 99), (7, 7)] {
        price.set(euros, cents);
        right &= price.read() == (euros, cents) && price.read() == (euros, cents);
    }
    kept(right)
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("the old price", "the customer was earlier"),
        Outcome::acceptable("the new price", "the customer was later"),
        Outcome::forbidden(
            "the price is lost",
            "the old price is back after a new one was set"
        ),
        Outcome::forbidden(
            "neither the old price nor the new",
            "the customer read one number before it was set, and the other after",
        ),
    ],
    contract: &[Case::promises(
        "`read` returns the price that was set last, small or large",
        one_after_the_other
    ),],
    cases: &[
        Case::holds("the_price_rises", the_price_rises)
            .reaches(&["the old price", "the new price"]),
        Case::holds("the_price_rises_twice", the_price_rises_twice),
        Case::holds("two_customers", two_customers),
    ],
});
