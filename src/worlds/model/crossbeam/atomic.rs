//! `crossbeam::atomic`: a cell that threads may load, store and swap.

use crate::session::{self, Call, Shared};
use heisenbug_engine::steps::{self, Rmw};
use heisenbug_trace::{Op, Value};
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{BitAnd, BitOr, BitXor};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use crate::hint::spin_loop as spin_loop_hint;

/// A value that is loaded with `Acquire` and stored with `Release`, whatever its type.
///
/// In a check the location holds an id of the value instead, made from the thread that stored it, so any type works.
pub struct AtomicCell<T> {
    shared: Shared,
    values: Mutex<Values<T>>,
}

/// The values that were stored and not yet taken out again.
struct Values<T> {
    /// The initial value; outside of a check the only one.
    first: Option<T>,
    /// The execution in which the others were stored.
    execution: u32,
    others: Vec<(u64, Option<T>)>,
}

// SAFETY: as crossbeam's. Values are handed over, never lent.
unsafe impl<T: Send> Sync for AtomicCell<T> {}
impl<T> UnwindSafe for AtomicCell<T> {}
impl<T> RefUnwindSafe for AtomicCell<T> {}

/// The id of the initial value.
const FIRST: u64 = 0;

impl<T> Values<T> {
    fn slot(&mut self, number: u64) -> &mut Option<T> {
        if number == FIRST {
            return &mut self.first;
        }
        let other = self.others.iter_mut().find(|(other, _)| *other == number);
        &mut other.expect("whoever stores a number stores a value").1
    }

    fn take(&mut self, number: u64) -> T {
        let value = self.slot(number).take();
        value.expect("nobody else has taken it out")
    }

    /// The id of the next value that the running thread stores: the thread and its count of stores, so that it
    /// is the same wherever the thread does the same.
    fn next(&mut self) -> u64 {
        let (execution, thread) = session::current().key();
        if self.execution != execution {
            self.execution = execution;
            // The values own things of an execution that is over.
            self.others.drain(..).for_each(std::mem::forget);
        }
        let mine = |number: u64| number >> 32 == u64::from(thread) + 1;
        let before = self.others.iter().filter(|(other, _)| mine(*other)).count();
        (u64::from(thread) + 1) << 32 | before as u64
    }
}

impl<T> AtomicCell<T> {
    /// A cell with that value.
    #[track_caller]
    pub const fn new(value: T) -> AtomicCell<T> {
        AtomicCell {
            shared: Shared::new("AtomicCell"),
            values: Mutex::new(Values {
                first: Some(value),
                execution: 0,
                others: Vec::new(),
            }),
        }
    }

    /// Consumes the cell and returns the value.
    #[track_caller]
    pub fn into_inner(self) -> T {
        session::used();
        let cell = ManuallyDrop::new(self);
        // SAFETY: the cell is not used again, and its parts are dropped separately.
        let mut cell = unsafe { std::ptr::read(&raw const *cell) };
        let value = cell.take_out();
        let AtomicCell { shared, values } = &mut *ManuallyDrop::new(cell);
        // SAFETY: as above: each part is dropped once.
        unsafe {
            std::ptr::drop_in_place(shared);
            std::ptr::drop_in_place(values);
        }
        value
    }

    /// Whether it works without a lock outside of a check.
    pub const fn is_lock_free() -> bool {
        matches!(size_of::<T>(), 0 | 1 | 2 | 4 | 8) && align_of::<T>() <= 8
    }

    /// Stores a value.
    #[track_caller]
    pub fn store(&self, value: T) {
        if std::mem::needs_drop::<T>() {
            return drop(self.swap(value));
        }
        let Some(call) = Call::begin("store", Location::caller()) else {
            self.values().first = Some(value);
            return;
        };
        let shown = Value::peek(&value);
        let number = self.put(value);
        steps::store(self.shared.object(), FIRST, number, Release, call.at());
        call.write(
            Op::Store,
            &self.shared,
            Value::Nothing,
            shown,
            Some(Release),
        );
    }

    /// Stores a value, and returns the previous one.
    #[track_caller]
    pub fn swap(&self, value: T) -> T {
        let Some(call) = Call::begin("swap", Location::caller()) else {
            let before = self.values().first.replace(value);
            return before.expect("nobody else has taken it out");
        };
        let shown = Value::peek(&value);
        let set = Rmw::set(self.put(value));
        let object = self.shared.object();
        let read = steps::rmw(object, FIRST, set, AcqRel, Acquire, call.at()).read;
        let before = self.values().take(read);
        let was = Value::peek(&before);
        call.write(Op::Rmw, &self.shared, was, shown, Some(AcqRel));
        before
    }

    /// Takes the value out, and leaves the default.
    #[track_caller]
    pub fn take(&self) -> T
    where
        T: Default,
    {
        self.swap(T::default())
    }

    fn values(&self) -> MutexGuard<'_, Values<T>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a value for the threads that will read its id.
    fn put(&self, value: T) -> u64 {
        let mut values = self.values();
        let number = values.next();
        values.others.push((number, Some(value)));
        number
    }

    /// Takes the value out, for its owner.
    #[track_caller]
    fn take_out(&mut self) -> T {
        let at = Location::caller();
        let number = steps::take_atomic(self.shared.object(), FIRST, at);
        self.values().take(number)
    }
}

impl<T: Copy> AtomicCell<T> {
    /// Loads the value.
    #[track_caller]
    #[inline(always)]
    pub fn load(&self) -> T {
        steps::comes();
        self.load_at(Location::caller())
    }

    #[inline(never)]
    fn load_at(&self, at: heisenbug_engine::Place) -> T {
        let Some(call) = Call::begin("load", at) else {
            return self.peek(FIRST);
        };
        let number = steps::load(self.shared.object(), FIRST, Acquire, at);
        let value = self.peek(number);
        let (first, shown) = (Value::peek(&self.peek(FIRST)), Value::peek(&value));
        call.read(Op::Load, &self.shared, first, shown, Some(Acquire));
        value
    }

    fn peek(&self, number: u64) -> T {
        let value = *self.values().slot(number);
        value.expect("what can be copied is never taken out")
    }

    /// Changes the value in one step, unless `change` gives up. Returns the previous value.
    fn change(
        &self,
        name: &'static str,
        at: heisenbug_engine::Place,
        mut change: impl FnMut(T) -> Option<T>,
    ) -> Result<T, T> {
        let Some(call) = Call::begin(name, at) else {
            let mut values = self.values();
            let before = *values.slot(FIRST);
            let before = before.expect("what can be copied is never taken out");
            let after = change(before).ok_or(before)?;
            values.first = Some(after);
            return Ok(before);
        };
        let number = self.values().next();
        let mut new = |read| {
            let mut values = self.values();
            let before = *values.slot(read);
            let after = change(before.expect("what can be copied is never taken out"))?;
            values.others.push((number, Some(after)));
            Some(number)
        };
        let object = self.shared.object();
        let changed = steps::update(object, FIRST, AcqRel, Acquire, at, &mut new);
        let before = self.peek(changed.read);
        let was = Value::peek(&before);
        if changed.wrote.is_none() {
            call.write(
                Op::CasFail,
                &self.shared,
                was,
                Value::Nothing,
                Some(Acquire),
            );
            return Err(before);
        }
        let shown = Value::peek(&self.peek(number));
        call.write(Op::Rmw, &self.shared, was, shown, Some(AcqRel));
        Ok(before)
    }

    /// Changes the value by `f`, which is called again if another thread was quicker.
    ///
    /// # Errors
    ///
    /// The value, if `f` returns `None`.
    #[track_caller]
    pub fn fetch_update(&self, mut f: impl FnMut(T) -> Option<T>) -> Result<T, T>
    where
        T: Eq,
    {
        let at = Location::caller();
        let mut before = self.load_at(at);
        while let Some(next) = f(before) {
            match self.change("fetch_update", at, |now| (now == before).then_some(next)) {
                Ok(before) => return Ok(before),
                Err(now) => before = now,
            }
        }
        Err(before)
    }
}

impl<T: Copy + Eq> AtomicCell<T> {
    /// Stores `new` if the value is `current`. Returns the previous value.
    ///
    /// # Errors
    ///
    /// The value, if it is not `current`.
    #[track_caller]
    pub fn compare_exchange(&self, current: T, new: T) -> Result<T, T> {
        let at = Location::caller();
        self.change("compare_exchange", at, |now| {
            (now == current).then_some(new)
        })
    }
}

macro_rules! arithmetic {
    ($($int:ty),*) => {
        $(
            impl AtomicCell<$int> {
                arithmetic!(@ $int,
                    fetch_add: wrapping_add, "Adds, wrapping around.";
                    fetch_sub: wrapping_sub, "Subtracts, wrapping around.";
                    fetch_max: max, "Stores the larger of the two.";
                    fetch_min: min, "Stores the smaller of the two.";
                );
                arithmetic!(@bits $int);
            }
        )*
    };
    (@ $type:ty, $($name:ident: $by:ident, $doc:literal;)*) => {
        $(
            #[doc = $doc]
            /// Returns the previous value.
            #[track_caller]
            pub fn $name(&self, value: $type) -> $type {
                let by = |now: $type| Some(now.$by(value));
                let changed = self.change(stringify!($name), Location::caller(), by);
                changed.unwrap_or_else(|now| now)
            }
        )*
    };
    (@bits $type:ty) => {
        arithmetic!(@ $type,
            fetch_and: bitand, "Bitwise and.";
            fetch_or: bitor, "Bitwise or.";
            fetch_xor: bitxor, "Bitwise exclusive or.";
        );

        /// Bitwise and, negated. Returns the previous value.
        #[track_caller]
        pub fn fetch_nand(&self, value: $type) -> $type {
            let by = |now: $type| Some(!(now & value));
            let changed = self.change("fetch_nand", Location::caller(), by);
            changed.unwrap_or_else(|now| now)
        }
    };
}

arithmetic!(
    u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize
);

impl AtomicCell<bool> {
    arithmetic!(@bits bool);
}

impl<T> Drop for AtomicCell<T> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<T>() {
            drop(self.take_out());
        }
    }
}

impl<T: Default> Default for AtomicCell<T> {
    #[track_caller]
    fn default() -> AtomicCell<T> {
        AtomicCell::new(T::default())
    }
}

impl<T> From<T> for AtomicCell<T> {
    #[track_caller]
    fn from(value: T) -> AtomicCell<T> {
        AtomicCell::new(value)
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for AtomicCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtomicCell")
            .field("value", &self.load())
            .finish()
    }
}
