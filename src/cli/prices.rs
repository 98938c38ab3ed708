//! The prices that `cost` has stored, for the commands that show a fix.

use heisenbug_catalogue::{Bug, Variant};

#[cfg(feature = "cost")]
pub use heisenbug_cost::store::{Price, Prices};

/// All prices. If there are none, it returns none; if they cannot be read, it prints an error as well.
#[cfg(feature = "cost")]
pub fn load() -> Prices {
    let Some(store) = heisenbug_cost::store::Store::of_user() else {
        return Prices::new();
    };
    store.load().unwrap_or_else(|error| {
        super::output::complain(&format!("{error:#}: `heisenbug cost` makes a new one"));
        Prices::new()
    })
}

/// The price of a variant, if it has one.
pub fn of<'a>(prices: &'a Prices, bug: &Bug, variant: &Variant) -> Option<&'a Price> {
    prices.get(&format!("{}/{}", bug.name, variant.name))
}

/// Without the feature `cost` nothing has a price.
#[cfg(not(feature = "cost"))]
pub use without::{Price, Prices, load};

#[cfg(not(feature = "cost"))]
mod without {
    use std::collections::BTreeMap;

    /// A price. There are none, so this has no values.
    #[derive(Clone, serde::Serialize)]
    pub enum Price {}

    impl Price {
        /// The price in one line.
        pub fn line(&self) -> String {
            match *self {}
        }
    }

    /// Prices, by `bug/variant`.
    pub type Prices = BTreeMap<String, Price>;

    /// All prices.
    pub fn load() -> Prices {
        Prices::new()
    }
}
