//! `std::sync::atomic`.

use super::Labelled;
use crate::trace::recorder::{self, Call, Engine, ObjectId};
use crate::trace::{Op, Value};
use crate::worlds::model::raw;
use crate::worlds::model::thread::yield_to_engine;
use std::fmt;
use std::panic::Location;

pub use std::sync::atomic::Ordering;

/// A memory fence.
#[track_caller]
pub fn fence(order: Ordering) {
    let call = Call::new("fence", Location::caller());
    let order = call.fence_ordering(order);
    match recorder::engine() {
        _ if recorder::dead() => {}
        // A fence may be weakened away altogether, which has no ordering in std's terms.
        _ if order == Ordering::Relaxed && call.recording() => {}
        Engine::None => std::sync::atomic::fence(order),
        Engine::Loom => loom::sync::atomic::fence(order),
        Engine::Shuttle => shuttle::sync::atomic::fence(order),
    }
    call.fence(order);
}

/// The same atomic in each world.
#[derive(Debug)]
enum Inner<S, L, H> {
    Std(S),
    Loom(L),
    Shuttle(H),
}

/// Calls the engine, unless it is dead: then `$dead` stands for what it would have said.
macro_rules! dispatch {
    ($inner:expr, $dead:expr, $atomic:ident => $body:expr) => {
        match $inner {
            Inner::Std($atomic) => $body,
            _ if recorder::dead() => $dead,
            Inner::Loom($atomic) if std::thread::panicking() => {
                raw::call_in_panic(|| $body).unwrap_or_else(|| $dead)
            }
            Inner::Loom($atomic) => $body,
            Inner::Shuttle($atomic) => $body,
        }
    };
}

/// Makes every two accesses to an atomic depend on each other, in loom's eyes.
///
/// loom's search remembers only the last access to an atomic, so that a thread's own load can hide
/// another thread's, and with it a whole family of executions. An operation of which any two
/// conflict, just before each access, shows them: notifying a condition variable on which nobody
/// waits orders nothing in the memory model. It costs executions, so it is used only where a
/// program was seen to need it.
#[derive(Debug)]
struct Conflict {
    notice: Option<loom::sync::Condvar>,
    /// Whether a plain store has reached the atomic in this execution.
    stored: std::sync::atomic::AtomicBool,
}

impl Conflict {
    fn new() -> Conflict {
        let needed = recorder::engine() == Engine::Loom && recorder::loads_conflict();
        let notice = (needed && !recorder::dead()).then(loom::sync::Condvar::new);
        Conflict {
            notice,
            stored: false.into(),
        }
    }

    /// Announces an access to the search.
    #[inline]
    fn announce(&self) {
        if let Some(condvar) = &self.notice
            && !recorder::dead()
        {
            condvar.notify_one();
        }
    }

    /// Announces a store.
    #[inline]
    fn around_store(&self, store: impl FnOnce()) {
        self.stored.store(true, Ordering::Relaxed);
        self.announced_only(store);
    }

    /// Announces a read-modify-write. As long as there were no plain stores, it can read the one
    /// value at the end of the chain; after them, which one it reads is a choice to be explored.
    #[inline]
    fn around_rmw<R>(&self, rmw: impl FnOnce() -> R) -> R {
        if self.stored.load(Ordering::Relaxed) {
            self.announce();
            return rmw();
        }
        self.announced_only(rmw)
    }

    /// Announces a write, and keeps the search from trying the orders of the write itself as well:
    /// they are the orders of the announcements.
    #[inline]
    fn announced_only<R>(&self, write: impl FnOnce() -> R) -> R {
        if self.notice.is_none() || recorder::dead() {
            return write();
        }
        self.announce();
        loom::stop_exploring();
        let result = write();
        loom::explore();
        result
    }
}

/// A type an atomic can hold: how to show it, and how to get it back.
trait Plain: Copy + Into<Value> {
    fn from_value(value: Value) -> Self;

    /// Any value but this one.
    fn another(self) -> Self;
}

macro_rules! plain_integers {
    ($($int:ty),*) => {
        $(impl Plain for $int {
            fn from_value(value: Value) -> Self {
                match value {
                    Value::Signed(value) => value as $int,
                    Value::Unsigned(value) => value as $int,
                    _ => 0,
                }
            }

            fn another(self) -> Self {
                !self
            }
        })*
    };
}

plain_integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl Plain for bool {
    fn from_value(value: Value) -> Self {
        value == Value::Bool(true)
    }

    fn another(self) -> Self {
        !self
    }
}

impl<T> Plain for *mut T {
    fn from_value(value: Value) -> Self {
        match value {
            Value::Pointer(address) => address as *mut T,
            _ => std::ptr::null_mut(),
        }
    }

    fn another(self) -> Self {
        if self.is_null() {
            std::ptr::dangling_mut()
        } else {
            std::ptr::null_mut()
        }
    }
}

/// What every atomic has.
macro_rules! atomic {
    ($(#[$doc:meta])* $name:ident $(<$param:ident>)?, $plain:ty) => {
        $(#[$doc])*
        pub struct $name $(<$param>)? {
            object: ObjectId,
            conflict: Conflict,
            inner: Inner<
                std::sync::atomic::$name $(<$param>)?,
                loom::sync::atomic::$name $(<$param>)?,
                shuttle::sync::atomic::$name $(<$param>)?,
            >,
        }

        impl $(<$param>)? $name $(<$param>)? {
            /// An atomic that holds `value`.
            #[track_caller]
            pub fn new(value: $plain) -> Self {
                let object = ObjectId::new(stringify!($name), value.into(), Location::caller());
                let inner = match recorder::engine() {
                    _ if recorder::dead() => Inner::Std(std::sync::atomic::$name::new(value)),
                    Engine::None => Inner::Std(std::sync::atomic::$name::new(value)),
                    Engine::Loom => Inner::Loom(loom::sync::atomic::$name::new(value)),
                    Engine::Shuttle => Inner::Shuttle(shuttle::sync::atomic::$name::new(value)),
                };
                Self { object, conflict: Conflict::new(), inner }
            }

            /// Loads the value.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $plain {
                let call = Call::on(self.object, "load", Location::caller());
                self.load_in(call, call.ordering(0, order))
            }

            fn load_in(&self, call: Call, order: Ordering) -> $plain {
                self.conflict.announce();
                let value = dispatch!(&self.inner, self.newest(), atomic => atomic.load(order));
                if call.read(Op::Load, self.object, value.into(), Some(order)) {
                    yield_to_engine();
                    call.silent();
                }
                value
            }

            /// Stores a value.
            #[track_caller]
            pub fn store(&self, value: $plain, order: Ordering) {
                let call = Call::on(self.object, "store", Location::caller());
                let order = call.ordering(0, order);
                self.conflict.around_store(
                    || dispatch!(&self.inner, (), atomic => atomic.store(value, order)),
                );
                call.write(Op::Store, self.object, Value::Nothing, value.into(), Some(order));
            }

            /// Stores a value, and returns the one before it.
            #[track_caller]
            pub fn swap(&self, value: $plain, order: Ordering) -> $plain {
                let call = Call::on(self.object, "swap", Location::caller());
                let order = call.ordering(0, order);
                let before = match self.write_if_changed(call, order, |_| value) {
                    Some(before) => before,
                    None => self.conflict.around_rmw(
                        || dispatch!(&self.inner, self.newest(), atomic => atomic.swap(value, order)),
                    ),
                };
                if call.read_modify_write(self.object, before.into(), value.into(), order) {
                    yield_to_engine();
                    call.silent();
                }
                before
            }

            /// A read-modify-write in loom that writes only if it changes the value, if that makes
            /// no difference but to loom.
            ///
            /// loom does not know that nothing comes between the read and the write, so a store
            /// that nobody needs could stand against the one that the thread spins for, and be
            /// read for ever. Without a release there is no difference: whoever would have read
            /// that store reads the one before it, which says the same and hands over the same.
            fn write_if_changed(
                &self,
                call: Call,
                order: Ordering,
                new: impl Fn($plain) -> $plain,
            ) -> Option<$plain> {
                let Inner::Loom(atomic) = &self.inner else { return None };
                let releases = !matches!(order, Ordering::Relaxed | Ordering::Acquire);
                let newest = self.newest();
                let next = new(newest);
                // What does something else the second time is no flag that one spins on.
                if !call.recording() || releases || new(next) != next || std::thread::panicking() {
                    return None;
                }
                let mut expected = if next == newest { newest.another() } else { newest };
                self.conflict.announce();
                loop {
                    match atomic.compare_exchange(expected, new(expected), order, order) {
                        Ok(before) => return Some(before),
                        Err(found) if new(found) == found => return Some(found),
                        Err(found) => expected = found,
                    }
                }
            }

            /// Stores `new` if the value is `current`.
            ///
            /// # Errors
            ///
            /// The value, if it is another one.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $plain,
                new: $plain,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$plain, $plain> {
                let call = Call::on(self.object, "compare_exchange", Location::caller());
                self.exchange_in(call, current, new, call.ordering(0, success), call.ordering(1, failure))
            }

            /// As [`compare_exchange`](Self::compare_exchange). Std's may fail without a reason;
            /// here it does not.
            ///
            /// # Errors
            ///
            /// The value, if it is another one.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $plain,
                new: $plain,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$plain, $plain> {
                let call = Call::on(self.object, "compare_exchange_weak", Location::caller());
                self.exchange_in(call, current, new, call.ordering(0, success), call.ordering(1, failure))
            }

            fn exchange_in(
                &self,
                call: Call,
                current: $plain,
                new: $plain,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$plain, $plain> {
                let result = self.conflict.around_rmw(|| dispatch!(
                    &self.inner,
                    Ok(current),
                    atomic => atomic.compare_exchange(current, new, success, failure)
                ));
                match result {
                    Ok(before) => {
                        call.write(Op::CasOk, self.object, before.into(), new.into(), Some(success));
                    }
                    Err(found) => {
                        if call.read(Op::CasFail, self.object, found.into(), Some(failure)) {
                            yield_to_engine();
                            call.silent();
                        }
                    }
                }
                result
            }

            /// Loads the value and stores what `f` makes of it, again and again until nobody
            /// interferes, or until `f` gives up.
            ///
            /// # Errors
            ///
            /// The value for which `f` returned `None`.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($plain) -> Option<$plain>,
            ) -> Result<$plain, $plain> {
                let call = Call::on(self.object, "fetch_update", Location::caller());
                let set_order = call.ordering(0, set_order);
                let fetch_order = call.ordering(1, fetch_order);
                let mut seen = self.load_in(call, fetch_order);
                while let Some(next) = f(seen) {
                    match self.exchange_in(call, seen, next, set_order, fetch_order) {
                        Ok(before) => return Ok(before),
                        Err(found) => seen = found,
                    }
                }
                Err(seen)
            }

            /// The value.
            pub fn into_inner(self) -> $plain {
                match self.inner {
                    Inner::Std(atomic) => atomic.into_inner(),
                    _ if recorder::dead() => self.newest(),
                    Inner::Loom(atomic) => atomic.into_inner(),
                    Inner::Shuttle(atomic) => atomic.into_inner(),
                }
            }

            fn newest(&self) -> $plain {
                <$plain>::from_value(self.object.newest())
            }
        }

        impl $(<$param>)? Labelled for $name $(<$param>)? {
            fn labelled(self, label: &str) -> Self {
                self.object.label(label);
                self
            }
        }

        impl $(<$param>)? fmt::Debug for $name $(<$param>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// Read-modify-writes, each with the value it leaves behind.
macro_rules! read_modify_writes {
    ($name:ident, $plain:ty: $($(#[$doc:meta])* $method:ident = |$old:ident, $arg:ident| $new:expr;)*) => {
        impl $name {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $method(&self, $arg: $plain, order: Ordering) -> $plain {
                    let call = Call::on(self.object, stringify!($method), Location::caller());
                    let order = call.ordering(0, order);
                    let $old = match self.write_if_changed(call, order, |$old| $new) {
                        Some(before) => before,
                        None => self.conflict.around_rmw(|| dispatch!(
                            &self.inner,
                            self.newest(),
                            atomic => atomic.$method($arg, order)
                        )),
                    };
                    if call.read_modify_write(self.object, $old.into(), $new.into(), order) {
                        yield_to_engine();
                        call.silent();
                    }
                    $old
                }
            )*
        }
    };
}

macro_rules! atomic_integers {
    ($($name:ident: $plain:ty;)*) => {
        $(
            atomic! {
                #[doc = concat!("An `", stringify!($plain), "` that threads may share.")]
                $name, $plain
            }

            read_modify_writes! {
                $name, $plain:
                /// Adds, wrapping around. Returns the value before.
                fetch_add = |old, value| old.wrapping_add(value);
                /// Subtracts, wrapping around. Returns the value before.
                fetch_sub = |old, value| old.wrapping_sub(value);
                /// Bitwise and. Returns the value before.
                fetch_and = |old, value| old & value;
                /// Bitwise and, negated. Returns the value before.
                fetch_nand = |old, value| !(old & value);
                /// Bitwise or. Returns the value before.
                fetch_or = |old, value| old | value;
                /// Bitwise exclusive or. Returns the value before.
                fetch_xor = |old, value| old ^ value;
                /// The larger of the two. Returns the value before.
                fetch_max = |old, value| old.max(value);
                /// The smaller of the two. Returns the value before.
                fetch_min = |old, value| old.min(value);
            }

            impl Default for $name {
                #[track_caller]
                fn default() -> Self {
                    Self::new(0)
                }
            }

            impl From<$plain> for $name {
                #[track_caller]
                fn from(value: $plain) -> Self {
                    Self::new(value)
                }
            }
        )*
    };
}

atomic_integers! {
    AtomicI8: i8;
    AtomicI16: i16;
    AtomicI32: i32;
    AtomicI64: i64;
    AtomicIsize: isize;
    AtomicU8: u8;
    AtomicU16: u16;
    AtomicU32: u32;
    AtomicU64: u64;
    AtomicUsize: usize;
}

atomic! {
    /// A `bool` that threads may share.
    AtomicBool, bool
}

read_modify_writes! {
    AtomicBool, bool:
    /// Logical and. Returns the value before.
    fetch_and = |old, value| old & value;
    /// Logical and, negated. Returns the value before.
    fetch_nand = |old, value| !(old & value);
    /// Logical or. Returns the value before.
    fetch_or = |old, value| old | value;
    /// Logical exclusive or. Returns the value before.
    fetch_xor = |old, value| old ^ value;
}

impl Default for AtomicBool {
    #[track_caller]
    fn default() -> Self {
        AtomicBool::new(false)
    }
}

atomic! {
    /// A pointer that threads may share.
    AtomicPtr<T>, *mut T
}

impl<T> Default for AtomicPtr<T> {
    #[track_caller]
    fn default() -> Self {
        AtomicPtr::new(std::ptr::null_mut())
    }
}

/// For the futex, which is such an atomic.
impl AtomicU32 {
    /// What the recorder knows the atomic by.
    pub(super) fn object(&self) -> ObjectId {
        self.object
    }

    /// The load that is part of the operation `call`.
    pub(super) fn load_as_part_of(&self, call: Call) -> u32 {
        self.load_in(call, Ordering::Relaxed)
    }
}
