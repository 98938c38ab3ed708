//! Judges `visitors_book.rs`: one visitor and two, after somebody of the same name.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge};
use heisenbug::net::{Machine, System};
use yours::Message::{Page, Read, Sign, Signed};

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "visitors_book.rs"
);

/// Writes down names, and sends the page to the copy. Nobody may read it.
fn book(me: &Machine) {
    let mut names = vec!["ann"];
    loop {
        match me.remember(&names).receive() {
            (who, Sign(name)) => {
                names.push(name);
                me.send("copy", Page(names.clone()));
                me.send(who, Signed(names.len()));
            }
            (who, message) => panic!("the book lies under glass, and {who} tells it {message:?}"),
        }
    }
}

/// Shows the newest page that it has got.
fn copy(me: &Machine) {
    let mut names = vec!["ann"];
    loop {
        match me.remember(&names).receive() {
            ("book", Page(page)) if page.len() > names.len() => names = page,
            ("book", _) => {}
            (who, Read) => me.send(who, Page(names.clone())),
            (who, message) => panic!("{who} tells the copy {message:?}"),
        }
    }
}

fn museum() -> System {
    System::new().machine("book", book).machine("copy", copy)
}

/// Whether a visitor has found a page on which that name is so many times.
fn found(page: Option<String>, name: &str, times: usize) -> Option<bool> {
    Some(page?.matches(name).count() == times)
}

fn one_visitor() -> String {
    museum()
        .machine("ann", |me| yours::visit(me, "ann"))
        .early_timers(1)
        .outcome(|end| {
            match found(end.returned("ann"), "ann", 2) {
                Some(true) => "all find themselves",
                Some(false) => "a line is missing",
                None => "waits for ever",
            }
            .to_owned()
        })
}

fn two_visitors() -> String {
    museum()
        .machine("ann", |me| yours::visit(me, "ann"))
        .machine("bob", |me| yours::visit(me, "bob"))
        .outcome(|end| {
            let ann = found(end.returned("ann"), "ann", 2);
            let bob = found(end.returned("bob"), "bob", 1);
            match (ann, bob) {
                (Some(true), Some(true)) => "all find themselves",
                (Some(_), Some(_)) => "a line is missing",
                _ => "waits for ever",
            }
            .to_owned()
        })
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable(
            "all find themselves",
            "each page has the line that was written for it"
        ),
        Outcome::forbidden("a line is missing", "the copy had not got the new page yet"),
        Outcome::forbidden("waits for ever", "the copy gets the page in the end"),
    ],
    contract: &[],
    cases: &[
        Case::holds("one_visitor", one_visitor),
        Case::holds("two_visitors", two_visitors),
    ],
});
