// The visitors' book
//
// The visitors' book lies under glass. Whoever wants to be in it tells the clerk, who writes the name on the next
// line. A copy hangs in the hall, for everybody to read, and it gets the new page a little later. Some
// visitors look there, and cannot find themselves.

use heisenbug::net::Machine;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// To and from the book and its copy.
#[derive(Clone, Debug)]
pub enum Message {
    /// To the book: write down this name.
    Sign(&'static str),
    /// It is there, and the page has so many lines now.
    Signed(usize),
    /// To the copy: what is on the page?
    Read,
    /// These names.
    Page(Vec<&'static str>),
}

/// The page, as it hangs in the hall.
fn read(me: &Machine) -> Vec<&'static str> {
    me.send("copy", Message::Read);
    match me.receive() {
        (_, Message::Page(names)) => names,
        (_, other) => panic!("{other:?} is no page"),
    }
}

/// Signs the book. Returns a page of the copy, which has the new line.
pub fn visit(me: &Machine, name: &'static str) -> Vec<&'static str> {
    me.send("book", Message::Sign(name));
    let lines = match me.receive() {
        (_, Message::Signed(lines)) => lines,
        (_, other) => panic!("{other:?} is no answer"),
    };
    loop {
        let page = read(me);
        if page.len() >= lines {
            return page;
        }
        // Gives the copy time, and then looks whether it was enough.
        me.sleep(MINUTE);
    }
}
