//! Judges `double_checked_init.rs`: two guests ask for the soup, which was never asked for before.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicU64, Ordering::Relaxed};

heisenbug::exercise!("double_checked_init.rs");

/// A menu, and how often the cook was asked.
#[derive(Default)]
struct Inn {
    menu: yours::Menu,
    cooked: AtomicU64,
}

impl Inn {
    fn soup(&self) -> u64 {
        self.menu.soup(|| {
            self.cooked.fetch_add(1, Relaxed);
            7
        })
    }
}

fn two_guests() -> String {
    let inn = Arc::new(Inn::default());
    let guest = start("guest", {
        let inn = Arc::clone(&inn);
        move || inn.soup()
    });
    let mine = inn.soup();
    match (mine, guest.join().unwrap(), inn.cooked.load(Relaxed)) {
        (7, 7, 1) => "one soup for both",
        (7, 7, _) => "cooked twice",
        _ => "a soup that nobody cooked",
    }
    .into()
}

fn cooked_once(soup: u64) -> String {
    let inn = yours::Menu::default();
    let first = inn.soup(|| soup);
    let mut asked_again = false;
    let second = inn.soup(|| {
        asked_again = true;
        soup + 1
    });
    kept(first == soup && second == soup && !asked_again)
}

fn a_soup() -> String {
    cooked_once(7)
}

fn soup_number_0() -> String {
    cooked_once(0)
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable(
            "one soup for both",
            "whoever asked second found it on the slate"
        ),
        Outcome::forbidden(
            "cooked twice",
            "both went to the kitchen, and neither looked again there"
        ),
        Outcome::forbidden(
            "a soup that nobody cooked",
            "the slate was full before the pot was"
        ),
        Outcome::forbidden(
            "data race",
            "the fast path reads the soup, and nothing orders that after the write",
        ),
    ],
    contract: &[
        Case::promises(
            "the first guest has the soup cooked, and the second gets the same",
            a_soup
        ),
        Case::promises("a soup may have any number, also 0", soup_number_0),
    ],
    cases: &[Case::holds("two_guests", two_guests)],
});
