//! Judges `wedding_cake.rs`: one order while messages get lost, and several orders while none does.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept};
use heisenbug::net::{Machine, System};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "wedding_cake.rs"
);

fn bakery(me: &Machine) {
    loop {
        let (customer, order) = me.remember(&()).receive();
        yours::bake(me, customer, order);
    }
}

fn cakes(shelf: Option<String>) -> Vec<String> {
    let shelf = shelf.unwrap_or_default();
    shelf.split_whitespace().map(str::to_owned).collect()
}

fn one_order() -> String {
    System::new()
        .machine("bakery", bakery)
        .machine("customer", |me| yours::order(me, 7, "cherry"))
        .losses(1)
        .outcome(|end| {
            let answered = end.returned("customer").as_deref() == Some("true");
            match cakes(end.file("bakery", "shelf")).len() {
                _ if !answered => "no answer",
                0 => "no cake",
                1 => "one cake",
                _ => "two cakes",
            }
            .to_owned()
        })
}

fn three_orders() -> String {
    System::new()
        .machine("bakery", bakery)
        .machine("ann", |me| {
            yours::order(me, 17, "cherry") && yours::order(me, 7, "cherry")
        })
        .machine("bob", |me| yours::order(me, 1, "lemon"))
        .outcome(|end| {
            let mut cakes = cakes(end.file("bakery", "shelf"));
            cakes.sort();
            let answered = ["ann", "bob"].map(|who| end.returned(who).as_deref() == Some("true"));
            kept(cakes == ["cherry", "cherry", "lemon"] && answered == [true; 2])
        })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("one cake", "whatever was lost, there is one"),
        Outcome::forbidden("two cakes", "one order came twice, and was taken for two"),
        Outcome::forbidden("no cake", "the customer waits for a cake that nobody bakes"),
        Outcome::forbidden("no answer", "the customer never hears of the cake"),
    ],
    contract: &[Case::promises(
        "`order` brings the cake, and another form another one, even of the same kind",
        three_orders
    ),],
    cases: &[Case::holds("one_order", one_order)],
});
