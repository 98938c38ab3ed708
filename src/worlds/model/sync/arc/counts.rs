//! The numbers of pointers: plain numbers, and steps once they matter.

use super::block::Block;
use crate::session::Call;
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Object, Rmw};
use heisenbug_trace::{Op, Value};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

/// The fact that the program looks at the number of strong pointers.
pub(crate) const ARC_COUNTS: &str = "arc counts";

/// The fact that the program looks at the number of weak pointers.
pub(crate) const WEAK_COUNTS: &str = "weak counts";

/// Two counts, each also a location.
pub(super) struct Counts {
    strong: Count,
    /// Does not include the one that std counts for all strong pointers together.
    weak: Count,
}

struct Count {
    number: AtomicUsize,
    object: Object,
}

impl Counts {
    pub(super) fn new() -> Counts {
        let count = |number| Count {
            number: AtomicUsize::new(number),
            object: Object::new(),
        };
        Counts {
            strong: count(1),
            weak: count(0),
        }
    }
}

/// Whether strong counts are steps, as far as the engine knows.
pub(super) fn matter() -> bool {
    steps::knows(ARC_COUNTS)
}

/// Tells the engine that the strong counts matter.
pub(super) fn observed() {
    if steps::running() {
        steps::learn(ARC_COUNTS);
    }
}

fn observed_weak() {
    if steps::running() {
        steps::learn(ARC_COUNTS);
        steps::learn(WEAK_COUNTS);
    }
}

/// Begins a step on a count, if counts are steps.
fn begin(name: &'static str, at: Place) -> Option<Call> {
    if steps::running() && matter() {
        Call::begin(name, at)
    } else {
        None
    }
}

fn begin_weak(name: &'static str, at: Place) -> Option<Call> {
    if steps::running() && steps::knows(WEAK_COUNTS) {
        Call::begin(name, at)
    } else {
        None
    }
}

impl Count {
    /// The value before the first step: in a check the number itself is changed after each step.
    fn before(&self) -> u64 {
        self.number.load(Relaxed) as u64
    }

    fn change(&self, change: Rmw, order: Ordering, at: Place) -> u64 {
        steps::rmw(&self.object, self.before(), change, order, Relaxed, at).read
    }

    fn load(&self, order: Ordering, at: Place) -> u64 {
        steps::load(&self.object, self.before(), order, at)
    }
}

impl<T: ?Sized> Block<T> {
    /// Records that a value was made.
    pub(super) fn announce(&self, at: Place) {
        if let Some(call) = Call::begin("new", at) {
            call.done(Op::ArcNew, &self.head.known);
            let block = std::ptr::from_ref(self).cast::<()>();
            self.head.known.lies_at(block.addr());
        }
    }

    fn strong(&self) -> &Count {
        &self.head.counts.strong
    }

    fn weak(&self) -> &Count {
        &self.head.counts.weak
    }

    /// Closes a change of the strong count.
    fn changed(&self, call: Call, read: u64, wrote: u64, order: Ordering) {
        let (read, wrote) = (Value::Unsigned(read), Value::Unsigned(wrote));
        call.changed(Op::Rmw, &self.head.known, read, wrote, order);
    }

    /// Counts one more strong pointer.
    pub(super) fn add_strong(&self, name: &'static str, at: Place) {
        if let Some(call) = begin(name, at) {
            let read = self.strong().change(Rmw::add(1), Relaxed, at);
            self.changed(call, read, read + 1, Relaxed);
        }
        self.strong().number.fetch_add(1, Relaxed);
        self.head.add_pointer();
    }

    /// Counts one strong pointer less. Returns whether it was the last. Does not end the pointer.
    pub(super) fn drop_strong(&self, name: &'static str, at: Place) -> bool {
        let Some(call) = begin(name, at) else {
            return self.strong().number.fetch_sub(1, AcqRel) == 1;
        };
        let read = self.strong().change(Rmw::sub(1), Release, at);
        self.changed(call, read, read.wrapping_sub(1), Release);
        self.strong().number.fetch_sub(1, Relaxed);
        if read == 1 {
            steps::fence(Acquire, at);
        }
        read == 1
    }

    /// Lets go, if this is the only strong pointer. Returns whether it was.
    pub(super) fn take_from_one(&self, name: &'static str, at: Place) -> bool {
        observed();
        let Some(call) = begin(name, at) else {
            let strong = &self.strong().number;
            return strong.compare_exchange(1, 0, AcqRel, Relaxed).is_ok() && self.taken();
        };
        let exchange = Rmw::exchange(1, 0);
        let count = self.strong();
        let change = steps::rmw(
            &count.object,
            count.before(),
            exchange,
            Release,
            Relaxed,
            at,
        );
        if change.wrote.is_none() {
            let found = Value::Unsigned(change.read);
            call.changed(
                Op::CasFail,
                &self.head.known,
                found,
                Value::Nothing,
                Relaxed,
            );
            return false;
        }
        self.changed(call, 1, 0, Release);
        count.number.fetch_sub(1, Relaxed);
        steps::fence(Acquire, at);
        self.taken()
    }

    /// Lets go, and returns whether this was the last strong pointer.
    pub(super) fn take_last(&self, name: &'static str, at: Place) -> bool {
        observed();
        self.drop_strong(name, at) && self.taken()
    }

    /// Notes that the value is taken out.
    fn taken(&self) -> bool {
        self.head.known.freed();
        self.head.take()
    }

    /// Counts one more strong pointer, unless there is none.
    pub(super) fn upgrade(&self, name: &'static str, at: Place) -> bool {
        observed();
        let count = self.strong();
        let one_more = |number: u64| (number != 0).then_some(number + 1);
        if let Some(call) = begin(name, at) {
            let before = count.before();
            let mut change = one_more;
            let change = steps::update(&count.object, before, Acquire, Relaxed, at, &mut change);
            match change.wrote {
                Some(wrote) => self.changed(call, change.read, wrote, Acquire),
                None => {
                    let none = Value::Unsigned(0);
                    call.changed(Op::Load, &self.head.known, none, Value::Nothing, Relaxed);
                    return false;
                }
            }
            count.number.fetch_add(1, Relaxed);
        } else {
            let one_more = |number| one_more(number as u64).map(|number| number as usize);
            if count
                .number
                .fetch_update(Acquire, Relaxed, one_more)
                .is_err()
            {
                return false;
            }
        }
        self.head.add_pointer();
        true
    }

    /// For a value that is still being made: its one pointer counts as a weak one.
    pub(super) fn wait_for_value(&self) {
        self.head.set_empty(true);
        self.strong().number.store(0, Relaxed);
        self.weak().number.store(1, Relaxed);
    }

    /// The new value is made: from now on its one pointer is a strong one.
    pub(super) fn value_is_there(&self, at: Place) {
        self.head.set_empty(false);
        if let Some(call) = begin("new_cyclic", at) {
            steps::store(&self.strong().object, 0, 1, Release, at);
            call.silent();
        }
        self.strong().number.store(1, Release);
        self.drop_weak("new_cyclic", at);
    }

    /// The number of strong pointers.
    pub(super) fn strong_count(&self, name: &'static str, at: Place) -> usize {
        observed();
        match begin(name, at) {
            Some(call) => self.look(call, self.strong(), Relaxed) as usize,
            None => self.strong().number.load(Relaxed),
        }
    }

    /// The number of weak pointers.
    pub(super) fn weak_count(&self, name: &'static str, at: Place) -> usize {
        observed_weak();
        match begin_weak(name, at) {
            Some(call) => self.look(call, self.weak(), Relaxed) as usize,
            None => self.weak().number.load(Relaxed),
        }
    }

    /// Counts one more weak pointer.
    pub(super) fn add_weak(&self, name: &'static str, at: Place) {
        self.head.known.has_weak();
        if let Some(call) = begin_weak(name, at) {
            self.weak().change(Rmw::add(1), Relaxed, at);
            call.silent();
        }
        self.weak().number.fetch_add(1, Relaxed);
        self.head.add_pointer();
    }

    /// Counts one weak pointer less. Does not end the pointer.
    pub(super) fn drop_weak(&self, name: &'static str, at: Place) {
        if let Some(call) = begin_weak(name, at) {
            self.weak().change(Rmw::sub(1), Release, at);
            call.silent();
        }
        self.weak().number.fetch_sub(1, Release);
    }

    /// Whether this strong pointer is the only pointer of all.
    ///
    /// Looks three times: between the first two a weak pointer may have been upgraded and dropped, which
    /// the third look sees, as the second came after it.
    pub(super) fn is_only(&self, name: &'static str, at: Place) -> bool {
        observed_weak();
        let looks = [(self.strong(), 1), (self.weak(), 0), (self.strong(), 1)];
        looks.into_iter().all(|(count, only)| {
            let number = match begin_weak(name, at) {
                Some(call) => self.look(call, count, Acquire),
                None => count.number.load(Acquire) as u64,
            };
            number == only
        })
    }

    /// Loads a count, and shows it.
    fn look(&self, call: Call, count: &Count, order: Ordering) -> u64 {
        let number = count.load(order, call.at());
        let shown = Value::Unsigned(number);
        call.changed(Op::Load, &self.head.known, shown, Value::Nothing, order);
        number
    }
}
