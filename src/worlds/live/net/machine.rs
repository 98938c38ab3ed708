//! What a machine does.

use super::Content;
use super::disk::Disk;
use super::member::{self, with};
use super::stream::Stream;
use std::hash::Hash;
use std::marker::PhantomData;
use std::time::Duration;

/// A machine, to itself.
#[derive(Debug)]
pub struct Machine(PhantomData<*const ()>);

impl Machine {
    pub(super) fn new() -> Machine {
        Machine(PhantomData)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        with(|member| member.name)
    }

    /// Sends a message, in a datagram. It may be lost, late, or come twice, if the system allows that.
    ///
    /// # Panics
    ///
    /// If there is no machine of that name.
    #[track_caller]
    pub fn send(&self, to: &str, message: impl Content) {
        with(|member| member.send(to, &message));
    }

    /// Waits for a message. Returns the sender, too.
    ///
    /// # Panics
    ///
    /// If the message is of another type.
    #[track_caller]
    pub fn receive<M: Content>(&self) -> (&'static str, M) {
        let received = with(|member| member.receive(None));
        received.expect("there is no time-out").opened()
    }

    /// Waits for a message, but not for ever: `None` if the timer fires first.
    ///
    /// # Panics
    ///
    /// If the message is of another type.
    #[track_caller]
    pub fn receive_timeout<M: Content>(&self, timeout: Duration) -> Option<(&'static str, M)> {
        let received = with(|member| member.receive(Some(timeout)));
        received.map(member::Received::opened)
    }

    /// Waits until a timer fires.
    pub fn sleep(&self, duration: Duration) {
        with(|member| member.sleep(duration));
    }

    /// One of `ways` numbers, beginning with 0, at random.
    ///
    /// # Panics
    ///
    /// If there are none.
    #[track_caller]
    pub fn choose(&self, ways: u8) -> u8 {
        assert!(ways > 0, "there is nothing to choose from");
        fastrand::u8(..ways)
    }

    /// Reads its clock, in milliseconds.
    pub fn now(&self) -> u64 {
        with(|member| member.now())
    }

    /// Its disk.
    pub fn disk(&self) -> Disk {
        Disk::new()
    }

    /// Its end of a [stream](super::System::stream): a TCP connection.
    ///
    /// # Panics
    ///
    /// If there is no stream of that name, or none for this machine.
    #[track_caller]
    pub fn stream(&self, name: &str) -> Stream {
        with(|member| member.stream(name))
    }

    /// Tells whoever [watches](super::System::watch) the system, and waits until it was heard.
    pub fn tell(&self, what: impl Content) {
        with(|member| member.tell(&what));
    }

    /// For a check only: here it does nothing.
    pub fn reach(&self, what: &str) {
        let _ = what;
    }

    /// For a check only: here it does nothing.
    pub fn remember(&self, state: &(impl Hash + ?Sized)) -> &Machine {
        let _ = state;
        self
    }
}
