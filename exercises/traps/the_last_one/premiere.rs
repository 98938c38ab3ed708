// The premiere
//
// A film has pictures and sound, and an archive for each. When both are there, the studio tells the cinema, which
// fetches them at once. Sometimes an archive has not got its part yet, and the cinema is dark, or silent.

use heisenbug::net::Machine;

/// To and from the archives and the cinema.
#[derive(Clone, Debug)]
pub enum Message {
    /// To an archive: here is your part.
    Keep,
    /// From it: I have it.
    Kept,
    /// To the cinema: the film is there.
    Ready,
    /// From the cinema to an archive: do you have your part?
    Fetch,
    /// From it: yes, or no.
    Found(bool),
}

/// Brings a film to the archives, and then announces it. An archive may say more than once that it has its part.
pub fn publish(me: &Machine) {
    me.send("pictures", Message::Keep);
    me.send("sound", Message::Keep);
    // What was sent last need not arrive last.
    while let ("pictures", Message::Kept) = me.receive() {}
    me.send("cinema", Message::Ready);
}
