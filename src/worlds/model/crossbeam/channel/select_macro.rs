//! The syntax of `select!`.

/// Waits until one of several channels has a value, has room for one, or is disconnected, and goes
/// on with that one: crossbeam's `select!`. If several are ready, any of them may be taken: all are tried.
///
/// ```
/// use heisenbug::crossbeam::channel::{select, unbounded};
///
/// let (to, from) = unbounded();
/// let (_kept, nothing) = unbounded::<u32>();
/// to.send(1).unwrap();
/// let got = select! {
///     recv(from) -> value => value.unwrap(),
///     recv(nothing) -> _ => 0,
/// };
/// assert_eq!(got, 1);
/// ```
///
/// `send(sender, value) -> result => …` sends; the value is made only if this arm is taken.
/// `default => …` is taken if none is ready, `default(timeout) => …` if none is ready in time.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    (@arms $arms:tt $default:tt) => {
        $crate::__select!(@run $arms $default)
    };
    (@arms [$($arms:tt)*] $default:tt
        recv($from:expr) -> $result:pat => $body:block, $($rest:tt)*) => {
        $crate::__select!(@arms [$($arms)* (arm, channel, $from, Receiving, (), $result, $body)] $default $($rest)*)
    };
    (@arms [$($arms:tt)*] $default:tt
        recv($from:expr) -> $result:pat => $body:block $($rest:tt)*) => {
        $crate::__select!(@arms [$($arms)* (arm, channel, $from, Receiving, (), $result, $body)] $default $($rest)*)
    };
    (@arms [$($arms:tt)*] $default:tt
        recv($from:expr) -> $result:pat => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@arms [$($arms)* (arm, channel, $from, Receiving, (), $result, $body)] $default $($($rest)*)?)
    };
    (@arms [$($arms:tt)*] $default:tt
        send($to:expr, $value:expr $(,)?) -> $result:pat => $body:block, $($rest:tt)*) => {
        $crate::__select!(@arms
            [$($arms)* (arm, channel, $to, Sending, ($value), $result, $body)] $default $($rest)*)
    };
    (@arms [$($arms:tt)*] $default:tt
        send($to:expr, $value:expr $(,)?) -> $result:pat => $body:block $($rest:tt)*) => {
        $crate::__select!(@arms
            [$($arms)* (arm, channel, $to, Sending, ($value), $result, $body)] $default $($rest)*)
    };
    (@arms [$($arms:tt)*] $default:tt
        send($to:expr, $value:expr $(,)?) -> $result:pat => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@arms
            [$($arms)* (arm, channel, $to, Sending, ($value), $result, $body)]
            $default $($($rest)*)?)
    };
    (@arms $arms:tt [] default $(($($timeout:expr)?))? => $body:block, $($rest:tt)*) => {
        $crate::__select!(@arms $arms [($($($timeout)?)?) $body] $($rest)*)
    };
    (@arms $arms:tt [] default $(($($timeout:expr)?))? => $body:block $($rest:tt)*) => {
        $crate::__select!(@arms $arms [($($($timeout)?)?) $body] $($rest)*)
    };
    (@arms $arms:tt [] default $(($($timeout:expr)?))? => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@arms $arms [($($($timeout)?)?) $body] $($($rest)*)?)
    };
    (@arms $arms:tt $default:tt $($rest:tt)*) => {
        compile_error!(concat!(
            "`select!` takes `recv(receiver) -> result => …`, `send(sender, value) -> result => …`, \
             and once `default => …` or `default(timeout) => …`, not `", stringify!($($rest)*), "`",
        ))
    };
    (@run $arms:tt []) => {
        $crate::__select!(@wait $arms (Endless) {
            unreachable!("it waits until there is something")
        })
    };
    (@run $arms:tt [() $default:expr]) => {
        $crate::__select!(@wait $arms (None) $default)
    };
    (@run $arms:tt [($timeout:expr) $default:expr]) => {
        $crate::__select!(@wait $arms (For($timeout)) $default)
    };
    (@wait [$(($arm:ident, $name:ident, $channel:expr, $kind:ident, ($($value:expr)?), $result:pat,
        $body:expr))*] ($($patience:tt)*) $default:expr) => {{
        use $crate::crossbeam::channel::{Patience, select, select::Arm as _};
        $(
            let $name = &$channel;
            let mut $arm = select::$kind::new($name);
        )*
        select::select(&mut [$(&mut $arm),*], Patience::$($patience)*);
        $(
            if $arm.is_done() {
                let $result = $arm.finish($($value)?);
                $body
            } else
        )* {
            $default
        }
    }};
    ($($arms:tt)*) => {
        $crate::__select!(@arms [] [] $($arms)*)
    };
}
