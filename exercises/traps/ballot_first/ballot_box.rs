// The ballot box
//
// A voter sends a ballot, which has a number, until the box has counted it. The box draws a stroke for every
// vote, and notes which ballots it knows. It may crash at any point, and starts again with what is on its
// disk. Sometimes one ballot makes two votes.

use heisenbug::net::Machine;

/// To the voter.
#[derive(Clone, Debug)]
pub struct Counted;

/// What the box does with a ballot, whose number is one digit. Both files are there from the beginning.
pub fn count(me: &Machine, voter: &'static str, ballot: u8) {
    let disk = me.disk();
    let known = disk.read("ballots").unwrap_or_default();
    if !known.contains(&ballot.to_string()) {
        // A crash between the two leaves a ballot that is known, and was never counted.
        disk.append("ballots", ballot.to_string());
        disk.sync("ballots").unwrap();
        disk.append("strokes", "|");
        disk.sync("strokes").unwrap();
    }
    me.send(voter, Counted);
}

/// How many votes there are.
pub fn votes(me: &Machine) -> usize {
    me.disk().read("strokes").unwrap_or_default().len()
}
