// The fire alarm
//
// A house is on fire, and calls the switchboard, which writes it down in its book, and tells the brigade. The
// switchboard may crash, and starts again with its book. Sometimes a house is in the book, and nobody comes.

use heisenbug::net::Machine;

/// To the fire brigade: this house is on fire.
#[derive(Clone, Debug)]
pub struct Fire(pub u8);

/// To the caller: they are coming.
#[derive(Clone, Debug)]
pub struct Coming;

/// What the switchboard does when it starts, before it takes calls. Its book is there from the beginning.
pub fn start(_me: &Machine) {}

/// What the switchboard does with a call. A house has one digit, and calls only once.
pub fn alarm(me: &Machine, caller: &'static str, house: u8) {
    // TODO: make sure that the brigade comes to every house in the book, and to no other.
    me.disk().append("book", house.to_string());
    me.disk().sync("book").unwrap();
    me.send("brigade", Fire(house));
    me.send(caller, Coming);
}

/// What the brigade does when it is told of a fire. It never crashes.
pub fn drive(me: &Machine, fire: Fire) {
    let Fire(house) = fire;
    me.disk().append("drives", house.to_string());
}
