// The wedding cake
//
// A cake is ordered by telegraph, on a form that has a number. If no answer comes in time, the customer sends
// the order again: it may be lost. Sometimes only the answer was lost, and then two cakes are on the shelf.

use heisenbug::net::Machine;
use std::time::Duration;

/// How long a customer waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a customer sends an order: enough for what can get lost.
const ATTEMPTS: u32 = 4;

/// To the bakery.
#[derive(Clone, Debug)]
pub struct Order {
    pub form: u32,
    pub cake: &'static str,
}

/// To the customer: the cake is on the shelf.
#[derive(Clone, Debug)]
pub struct Baked;

/// Orders a cake, and says whether it is baked. No two forms have the same number.
pub fn order(me: &Machine, form: u32, cake: &'static str) -> bool {
    for attempt in 0..ATTEMPTS {
        // Every message has a number of its own.
        let form = form * 10 + attempt;
        me.send("bakery", Order { form, cake });
        if me.receive_timeout::<Baked>(PATIENCE).is_some() {
            return true;
        }
    }
    false
}

/// What the bakery does with an order. Its disk never fails here, and keeps whatever you want to note.
pub fn bake(me: &Machine, customer: &'static str, order: Order) {
    let forms = me.disk().read("forms").unwrap_or_default();
    let form = order.form.to_string();
    if !forms.split_whitespace().any(|known| known == form) {
        me.disk().append("shelf", format!("{} ", order.cake));
        me.disk().append("forms", format!("{form} "));
    }
    // An order that comes again is answered again: the first answer may be lost.
    me.send(customer, Baked);
}
