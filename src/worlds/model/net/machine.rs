//! What a machine does.

use super::contents::{self, Content};
use super::disk::Disk;
use super::handed::{reached, with_names};
use super::stream::Stream;
use heisenbug_engine::machines::steps;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::panic::Location;
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
        with_names(|names| names[steps::me()])
    }

    /// Sends a message, which arrives at any later time.
    ///
    /// # Panics
    ///
    /// If there is no machine of that name.
    #[track_caller]
    pub fn send(&self, to: &str, message: impl Content) {
        let number = with_names(|names| names.iter().position(|name| *name == to));
        let Some(to) = number else {
            let all = with_names(|names| names.join(", "));
            panic!("there is no machine {to}: there are {all}");
        };
        let (content, shown) = contents::number(&message);
        steps::send(to, &content, &shown, Location::caller());
    }

    /// Waits for a message. Returns the sender, too.
    ///
    /// # Panics
    ///
    /// If the message is of another type.
    #[track_caller]
    pub fn receive<M: Content>(&self) -> (&'static str, M) {
        opened(steps::receive(Location::caller()))
    }

    /// Waits for a message, but not for ever: `None` if the timer fires first.
    ///
    /// # Panics
    ///
    /// If the message is of another type.
    #[track_caller]
    pub fn receive_timeout<M: Content>(&self, timeout: Duration) -> Option<(&'static str, M)> {
        steps::receive_timeout(timeout, Location::caller()).map(opened)
    }

    /// Waits until a timer fires.
    #[track_caller]
    pub fn sleep(&self, duration: Duration) {
        steps::sleep(duration, Location::caller());
    }

    /// One of `ways` numbers, beginning with 0. A check tries all.
    ///
    /// # Panics
    ///
    /// If there are none.
    #[track_caller]
    pub fn choose(&self, ways: u8) -> u8 {
        steps::choose(ways, Location::caller())
    }

    /// Reads its clock, in milliseconds. Every look at any clock is 10 ms after the one before it;
    /// [`System::skew`](super::System::skew) says which clocks are wrong, and by how much.
    #[track_caller]
    pub fn now(&self) -> u64 {
        steps::now(Location::caller())
    }

    /// Its end of a [stream](super::System::stream).
    ///
    /// # Panics
    ///
    /// If there is no stream of that name.
    #[track_caller]
    pub fn stream(&self, name: &str) -> Stream {
        Stream::named(name)
    }

    /// Its disk.
    pub fn disk(&self) -> Disk {
        Disk::new()
    }

    /// Tells whoever [watches](super::System::watch) the system. No machine can hear it.
    #[track_caller]
    pub fn tell(&self, what: impl Content) {
        let (what, shown) = contents::number(&what);
        steps::observe(&what, &shown, Location::caller());
    }

    /// Says that it has come to something that [must happen](super::System::reaches) in some run.
    pub fn reach(&self, what: &str) {
        if !std::thread::panicking() && !steps::is_over() {
            reached(what);
        }
    }

    /// Says that where it waits next, all that matters of its past is `state`, and what is on its disk. So all
    /// pasts that agree in that are one to a check. It can be left out, but a server that loops for ever needs it,
    /// or a check of it has no end. If something else matters after all, a check overlooks it.
    #[track_caller]
    pub fn remember(&self, state: &(impl Hash + ?Sized)) -> &Machine {
        // The keys of this hasher are always the same.
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        steps::remember(hasher.finish(), Location::caller());
        self
    }
}

#[track_caller]
fn opened<M: Content>(message: steps::Message) -> (&'static str, M) {
    let from = with_names(|names| names[message.from]);
    match contents::value(&message.content) {
        Some(value) => (from, value),
        None => panic!(
            "the message from {from} is no {}",
            contents::type_name::<M>()
        ),
    }
}
