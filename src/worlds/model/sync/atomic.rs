//! `std::sync::atomic`.
//!
//! Everything that std has, except `as_ptr` and `from_ptr`: in a check the engine keeps the value, and
//! the memory of the atomic holds only its initial value.

use super::Labelled;
use crate::missing::HasAnAddress;
use crate::session::{Call, Shared};
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Rmw, RmwOp};
use heisenbug_trace::{Op, Value};
use std::fmt;
use std::panic::Location;

pub use std::sync::atomic::{Ordering, compiler_fence};

/// A memory fence.
#[track_caller]
pub fn fence(order: Ordering) {
    let Some(call) = Call::begin("fence", Location::caller()) else {
        return std::sync::atomic::fence(order);
    };
    assert!(
        order != Ordering::Relaxed,
        "there is no such thing as a relaxed fence"
    );
    let order = call.ordering(0, order);
    // A fence may be weakened away altogether, which has no ordering in std's terms.
    if order != Ordering::Relaxed {
        steps::fence(order, call.at());
    }
    call.fence(order);
}

/// A type that an atomic can hold, as the engine sees it.
trait Plain: Copy + Into<Value> {
    /// Its width in bits.
    const BITS: u8;

    /// Whether it is a signed type.
    const SIGNED: bool = false;

    fn to_bits(self) -> u64;

    fn from_bits(bits: u64) -> Self;
}

macro_rules! plain_integers {
    ($($int:ty),*) => {
        $(impl Plain for $int {
            const BITS: u8 = <$int>::BITS as u8;
            #[allow(unused_comparisons, reason = "for the unsigned ones")]
            const SIGNED: bool = <$int>::MIN < 0;

            #[inline]
            fn to_bits(self) -> u64 {
                self as u64
            }

            #[inline]
            fn from_bits(bits: u64) -> Self {
                bits as $int
            }
        })*
    };
}

plain_integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl Plain for bool {
    const BITS: u8 = 8;

    #[inline]
    fn to_bits(self) -> u64 {
        u64::from(self)
    }

    #[inline]
    fn from_bits(bits: u64) -> Self {
        bits & 0xff != 0
    }
}

impl<T> Plain for *mut T {
    const BITS: u8 = usize::BITS as u8;

    #[inline]
    fn to_bits(self) -> u64 {
        self.expose_provenance() as u64
    }

    #[inline]
    fn from_bits(bits: u64) -> Self {
        std::ptr::with_exposed_provenance_mut(bits as usize)
    }
}

/// Panics as std does for an ordering that a load cannot have.
#[track_caller]
#[inline]
fn assert_loads(order: Ordering) {
    match order {
        Ordering::Release => panic!("there is no such thing as a release load"),
        Ordering::AcqRel => panic!("there is no such thing as an acquire-release load"),
        _ => {}
    }
}

/// Panics as std does for an ordering that a store cannot have.
#[track_caller]
#[inline]
fn assert_stores(order: Ordering) {
    match order {
        Ordering::Acquire => panic!("there is no such thing as an acquire store"),
        Ordering::AcqRel => panic!("there is no such thing as an acquire-release store"),
        _ => {}
    }
}

/// A read-modify-write of a `T`.
fn rmw<T: Plain>(op: RmwOp, operand: u64) -> Rmw {
    Rmw {
        op,
        operand,
        expected: 0,
        bits: T::BITS,
        signed: T::SIGNED,
    }
}

/// The methods of every atomic.
macro_rules! atomic {
    ($(#[$doc:meta])* $name:ident $(<$param:ident>)?, $plain:ty, $shared:ident) => {
        $(#[$doc])*
        pub struct $name $(<$param>)? {
            shared: Shared,
            /// The value outside of a check; in a check, the value before the first step.
            value: std::sync::atomic::$name $(<$param>)?,
        }

        impl $(<$param>)? $name $(<$param>)? {
            /// An atomic that holds `value`.
            #[track_caller]
            pub const fn new(value: $plain) -> Self {
                Self {
                    shared: Shared::$shared(stringify!($name)),
                    value: std::sync::atomic::$name::new(value),
                }
            }

            /// Not available: only there for the compiler's error to say what to write instead.
            #[doc(hidden)]
            pub fn as_ptr(&self) -> *mut $plain
            where
                for<'never> &'never (): HasAnAddress,
            {
                unreachable!("nothing implements what this needs")
            }

            /// Not available, like [`as_ptr`](Self::as_ptr).
            ///
            /// # Safety
            ///
            /// It cannot be called.
            #[doc(hidden)]
            pub unsafe fn from_ptr<'a>(_: *mut $plain) -> &'a Self
            where
                for<'never> &'never (): HasAnAddress,
            {
                unreachable!("nothing implements what this needs")
            }

            /// Loads the value.
            #[track_caller]
            #[inline(always)]
            pub fn load(&self, order: Ordering) -> $plain {
                steps::comes();
                self.load_at(order, Location::caller())
            }

            #[inline(never)]
            fn load_at(&self, order: Ordering, at: Place) -> $plain {
                let Some(call) = Call::begin("load", at) else {
                    return self.value.load(order);
                };
                assert_loads(order);
                let order = call.ordering(0, order);
                self.load_in(call, order)
            }

            #[inline]
            fn load_in(&self, call: Call, order: Ordering) -> $plain {
                let before = self.before();
                let bits = steps::load(self.shared.object(), before.to_bits(), order, call.at());
                let value = <$plain>::from_bits(bits);
                call.read(Op::Load, &self.shared, before.into(), value.into(), Some(order));
                value
            }

            /// Stores a value.
            #[track_caller]
            #[inline]
            pub fn store(&self, value: $plain, order: Ordering) {
                let Some(call) = Call::begin("store", Location::caller()) else {
                    return self.value.store(value, order);
                };
                assert_stores(order);
                let order = call.ordering(0, order);
                let before = self.before().to_bits();
                steps::store(self.shared.object(), before, value.to_bits(), order, call.at());
                call.write(Op::Store, &self.shared, Value::Nothing, value.into(), Some(order));
            }

            /// Stores a value, and returns the previous one.
            #[track_caller]
            #[inline(always)]
            pub fn swap(&self, value: $plain, order: Ordering) -> $plain {
                steps::comes();
                self.swap_at(value, order, Location::caller())
            }

            #[inline(never)]
            fn swap_at(&self, value: $plain, order: Ordering, at: Place) -> $plain {
                match Call::begin("swap", at) {
                    Some(call) => self.change_in(call, RmwOp::Set, value.to_bits(), order),
                    None => self.value.swap(value, order),
                }
            }

            /// A read-modify-write that cannot fail.
            #[inline]
            fn change_in(&self, call: Call, op: RmwOp, operand: u64, order: Ordering) -> $plain {
                let order = call.ordering(0, order);
                let change = steps::rmw(
                    self.shared.object(),
                    self.before().to_bits(),
                    rmw::<$plain>(op, operand),
                    order,
                    Ordering::Relaxed,
                    call.at(),
                );
                let read = <$plain>::from_bits(change.read);
                let wrote = <$plain>::from_bits(change.wrote.unwrap_or(change.read));
                call.write(Op::Rmw, &self.shared, read.into(), wrote.into(), Some(order));
                read
            }

            /// Stores `new` if the value is `current`.
            ///
            /// # Errors
            ///
            /// The value, if it is not `current`.
            #[track_caller]
            #[inline(always)]
            pub fn compare_exchange(
                &self,
                current: $plain,
                new: $plain,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$plain, $plain> {
                steps::comes();
                self.compare_exchange_at([current, new], [success, failure], Location::caller())
            }

            #[inline(never)]
            fn compare_exchange_at(
                &self,
                [current, new]: [$plain; 2],
                [success, failure]: [Ordering; 2],
                at: Place,
            ) -> Result<$plain, $plain> {
                match Call::begin("compare_exchange", at) {
                    Some(call) => {
                        let op = RmwOp::Exchange;
                        self.exchange_in(call, op, [current, new], [success, failure])
                    }
                    None => self.value.compare_exchange(current, new, success, failure),
                }
            }

            /// As [`compare_exchange`](Self::compare_exchange), but may fail spuriously.
            ///
            /// # Errors
            ///
            /// The value, which may even be `current`.
            #[track_caller]
            #[inline(always)]
            pub fn compare_exchange_weak(
                &self,
                current: $plain,
                new: $plain,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$plain, $plain> {
                steps::comes();
                self.compare_exchange_weak_at([current, new], [success, failure], Location::caller())
            }

            #[inline(never)]
            fn compare_exchange_weak_at(
                &self,
                [current, new]: [$plain; 2],
                [success, failure]: [Ordering; 2],
                at: Place,
            ) -> Result<$plain, $plain> {
                match Call::begin("compare_exchange_weak", at) {
                    Some(call) => {
                        let op = RmwOp::ExchangeWeak;
                        self.exchange_in(call, op, [current, new], [success, failure])
                    }
                    None => self.value.compare_exchange_weak(current, new, success, failure),
                }
            }

            #[track_caller]
            fn exchange_in(
                &self,
                call: Call,
                op: RmwOp,
                [current, new]: [$plain; 2],
                [success, failure]: [Ordering; 2],
            ) -> Result<$plain, $plain> {
                assert_loads(failure);
                let success = call.ordering(0, success);
                let failure = call.ordering(1, failure);
                let before = self.before();
                let exchange = Rmw {
                    expected: current.to_bits(),
                    ..rmw::<$plain>(op, new.to_bits())
                };
                let object = self.shared.object();
                let bits = before.to_bits();
                let change = steps::rmw(object, bits, exchange, success, failure, call.at());
                let read = <$plain>::from_bits(change.read);
                if change.wrote.is_some() {
                    call.write(Op::CasOk, &self.shared, read.into(), new.into(), Some(success));
                    Ok(read)
                } else {
                    let found = read.into();
                    let op = match read == current {
                        true => Op::CasFailForNoReason,
                        false => Op::CasFail,
                    };
                    call.read(op, &self.shared, before.into(), found, Some(failure));
                    Err(read)
                }
            }

            /// Loads the value and stores what `f` makes of it, and repeats that until no other thread
            /// interferes, or until `f` gives up. In a check that is one step, and `f` must not take any.
            ///
            /// # Errors
            ///
            /// The value for which `f` returned `None`.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                f: impl FnMut($plain) -> Option<$plain>,
            ) -> Result<$plain, $plain> {
                match Call::begin("fetch_update", Location::caller()) {
                    Some(call) => self.update_in(call, [set_order, fetch_order], f),
                    None => self.value.fetch_update(set_order, fetch_order, f),
                }
            }

            /// As [`fetch_update`](Self::fetch_update).
            ///
            /// # Errors
            ///
            /// The value for which `f` returned `None`.
            #[track_caller]
            pub fn try_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                f: impl FnMut($plain) -> Option<$plain>,
            ) -> Result<$plain, $plain> {
                match Call::begin("try_update", Location::caller()) {
                    Some(call) => self.update_in(call, [set_order, fetch_order], f),
                    None => self.value.fetch_update(set_order, fetch_order, f),
                }
            }

            /// As [`fetch_update`](Self::fetch_update), with an `f` that never gives up.
            #[track_caller]
            pub fn update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($plain) -> $plain,
            ) -> $plain {
                let f = |value| Some(f(value));
                let result = match Call::begin("update", Location::caller()) {
                    Some(call) => self.update_in(call, [set_order, fetch_order], f),
                    None => self.value.fetch_update(set_order, fetch_order, f),
                };
                result.unwrap_or_else(|value| value)
            }

            #[track_caller]
            fn update_in(
                &self,
                call: Call,
                [set_order, fetch_order]: [Ordering; 2],
                mut f: impl FnMut($plain) -> Option<$plain>,
            ) -> Result<$plain, $plain> {
                assert_loads(fetch_order);
                let set_order = call.ordering(0, set_order);
                let fetch_order = call.ordering(1, fetch_order);
                let before = self.before();
                let change = steps::update(
                    self.shared.object(),
                    before.to_bits(),
                    set_order,
                    fetch_order,
                    call.at(),
                    &mut |bits| f(<$plain>::from_bits(bits)).map(<$plain>::to_bits),
                );
                let read = <$plain>::from_bits(change.read);
                if let Some(wrote) = change.wrote {
                    let wrote = <$plain>::from_bits(wrote).into();
                    call.write(Op::Rmw, &self.shared, read.into(), wrote, Some(set_order));
                    Ok(read)
                } else {
                    let found = read.into();
                    call.read(Op::Load, &self.shared, before.into(), found, Some(fetch_order));
                    Err(read)
                }
            }

            /// Returns a mutable reference; `&mut self` guarantees exclusive access.
            #[track_caller]
            pub fn get_mut(&mut self) -> &mut $plain {
                self.take("get_mut", Location::caller());
                self.value.get_mut()
            }

            /// Consumes the atomic and returns the value.
            #[track_caller]
            pub fn into_inner(mut self) -> $plain {
                self.take("into_inner", Location::caller());
                *self.value.get_mut()
            }

            /// Moves the value from the engine back to the memory of the atomic.
            fn take(&mut self, name: &'static str, at: &'static Location<'static>) {
                if let Some(call) = Call::begin(name, at) {
                    let before = self.before().to_bits();
                    let bits = steps::take_atomic(self.shared.object(), before, at);
                    *self.value.get_mut() = <$plain>::from_bits(bits);
                    call.takes(&self.shared);
                }
            }

            /// The value before the first step.
            #[inline]
            fn before(&self) -> $plain {
                self.value.load(Ordering::Relaxed)
            }
        }

        impl $(<$param>)? Labelled for $name $(<$param>)? {
            fn labelled(mut self, label: &str) -> Self {
                self.shared.label(label);
                self
            }
        }

        impl $(<$param>)? fmt::Debug for $name $(<$param>)? {
            /// Shows the value, outside of a check. In a check, looking at it would be a step of its own.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if !steps::running() {
                    self.value.fmt(f)
                } else {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        }

        impl $(<$param>)? From<$plain> for $name $(<$param>)? {
            #[track_caller]
            fn from(value: $plain) -> Self {
                Self::new(value)
            }
        }
    };
}

/// Read-modify-writes, each with std's name and the engine's.
macro_rules! read_modify_writes {
    ($name:ident, $plain:ty: $($(#[$doc:meta])* $method:ident = $op:expr;)*) => {
        impl $name {
            $(
                $(#[$doc])*
                #[track_caller]
                #[inline]
                pub fn $method(&self, value: $plain, order: Ordering) -> $plain {
                    match Call::begin(stringify!($method), Location::caller()) {
                        Some(call) => self.change_in(call, $op, value.to_bits(), order),
                        None => self.value.$method(value, order),
                    }
                }
            )*
        }
    };
}

macro_rules! atomic_integers {
    ($($name:ident: $plain:ty, $max:ident, $min:ident;)*) => {
        $(
            atomic! {
                #[doc = concat!("An `", stringify!($plain), "` that threads may share.")]
                $name, $plain, new
            }

            read_modify_writes! {
                $name, $plain:
                /// Adds, wrapping around. Returns the previous value.
                fetch_add = RmwOp::Add;
                /// Subtracts, wrapping around. Returns the previous value.
                fetch_sub = RmwOp::Sub;
                /// Bitwise and. Returns the previous value.
                fetch_and = RmwOp::And;
                /// Bitwise and, negated. Returns the previous value.
                fetch_nand = RmwOp::Nand;
                /// Bitwise or. Returns the previous value.
                fetch_or = RmwOp::Or;
                /// Bitwise exclusive or. Returns the previous value.
                fetch_xor = RmwOp::Xor;
                /// The larger of the two. Returns the previous value.
                fetch_max = RmwOp::$max;
                /// The smaller of the two. Returns the previous value.
                fetch_min = RmwOp::$min;
            }

            impl Default for $name {
                #[track_caller]
                fn default() -> Self {
                    Self::new(0)
                }
            }
        )*
    };
}

atomic_integers! {
    AtomicI8: i8, MaxSigned, MinSigned;
    AtomicI16: i16, MaxSigned, MinSigned;
    AtomicI32: i32, MaxSigned, MinSigned;
    AtomicI64: i64, MaxSigned, MinSigned;
    AtomicIsize: isize, MaxSigned, MinSigned;
    AtomicU8: u8, Max, Min;
    AtomicU16: u16, Max, Min;
    AtomicU32: u32, Max, Min;
    AtomicU64: u64, Max, Min;
    AtomicUsize: usize, Max, Min;
}

atomic! {
    /// A `bool` that threads may share.
    AtomicBool, bool, new
}

read_modify_writes! {
    AtomicBool, bool:
    /// Logical and. Returns the previous value.
    fetch_and = RmwOp::And;
    /// Logical or. Returns the previous value.
    fetch_or = RmwOp::Or;
    /// Logical exclusive or. Returns the previous value.
    fetch_xor = RmwOp::Xor;
}

impl AtomicBool {
    /// Logical and, negated. Returns the previous value.
    #[track_caller]
    pub fn fetch_nand(&self, value: bool, order: Ordering) -> bool {
        match Call::begin("fetch_nand", Location::caller()) {
            // `value` true: the opposite of the old value; `value` false: always true.
            Some(call) if value => self.change_in(call, RmwOp::Xor, 1, order),
            Some(call) => self.change_in(call, RmwOp::Set, 1, order),
            None => self.value.fetch_nand(value, order),
        }
    }

    /// Logical not. Returns the previous value.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        match Call::begin("fetch_not", Location::caller()) {
            Some(call) => self.change_in(call, RmwOp::Xor, 1, order),
            None => self.value.fetch_not(order),
        }
    }
}

impl Default for AtomicBool {
    #[track_caller]
    fn default() -> Self {
        AtomicBool::new(false)
    }
}

atomic! {
    /// A pointer that threads may share.
    AtomicPtr<T>, *mut T, of_pointer
}

/// Pointer arithmetic: each method with its change of the address and the engine's operation.
macro_rules! pointer_changes {
    ($($(#[$doc:meta])* $method:ident = $op:ident of $size:expr, $change:ident;)*) => {
        impl<T> AtomicPtr<T> {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $method(&self, value: usize, order: Ordering) -> *mut T {
                    let bytes = value.wrapping_mul($size);
                    match Call::begin(stringify!($method), Location::caller()) {
                        Some(call) => self.change_in(call, RmwOp::$op, bytes as u64, order),
                        None => self.update_outside(order, |address| address.$change(bytes)),
                    }
                }
            )*
        }
    };
}

pointer_changes! {
    /// Moves the pointer forward by that many values. Returns the previous pointer.
    fetch_ptr_add = Add of size_of::<T>(), wrapping_add;
    /// Moves the pointer back by that many values. Returns the previous pointer.
    fetch_ptr_sub = Sub of size_of::<T>(), wrapping_sub;
    /// Moves the pointer forward by that many bytes. Returns the previous pointer.
    fetch_byte_add = Add of 1, wrapping_add;
    /// Moves the pointer back by that many bytes. Returns the previous pointer.
    fetch_byte_sub = Sub of 1, wrapping_sub;
    /// Bitwise or of the address. Returns the previous pointer.
    fetch_or = Or of 1, bitor;
    /// Bitwise and of the address. Returns the previous pointer.
    fetch_and = And of 1, bitand;
    /// Bitwise exclusive or of the address. Returns the previous pointer.
    fetch_xor = Xor of 1, bitxor;
}

use std::ops::{BitAnd, BitOr, BitXor};

impl<T> AtomicPtr<T> {
    /// Done by hand, as std has had these methods only since recently.
    fn update_outside(&self, order: Ordering, change: impl Fn(usize) -> usize) -> *mut T {
        let loads = match order {
            Ordering::Release | Ordering::Relaxed => Ordering::Relaxed,
            Ordering::SeqCst => Ordering::SeqCst,
            _ => Ordering::Acquire,
        };
        let change = |pointer: *mut T| Some(pointer.map_addr(&change));
        let result = self.value.fetch_update(order, loads, change);
        result.unwrap_or_else(|pointer| pointer)
    }
}

impl<T> Default for AtomicPtr<T> {
    #[track_caller]
    fn default() -> Self {
        AtomicPtr::new(std::ptr::null_mut())
    }
}

/// For the futex, which contains such an atomic.
impl AtomicU32 {
    /// The object that the session knows the atomic by.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// A load that is part of another operation, with its own row.
    pub(super) fn load_within(&self, name: &'static str, at: &'static Location<'static>) -> u32 {
        match Call::begin(name, at) {
            Some(call) => self.load_in(call, Ordering::Relaxed),
            None => self.before(),
        }
    }

    /// The atomic itself, outside of a check.
    pub(super) fn outside(&self) -> &std::sync::atomic::AtomicU32 {
        &self.value
    }
}
