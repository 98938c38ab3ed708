//! Judges `torn_read.rs`: main raises the price while a customer reads it.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
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
        (1, 99) => "the old price",
        (2, 0) => "the new price",
        _ => "neither the old price nor the new",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("the old price", "the customer was earlier"),
        Outcome::acceptable("the new price", "the customer was later"),
        Outcome::forbidden(
            "neither the old price nor the new",
            "the customer read one number before it was set, and the other after",
        ),
    ],
    cases: &[Case::holds("the_price_rises", the_price_rises)
        .reaches(&["the old price", "the new price"])],
});
