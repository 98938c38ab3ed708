//! The words of `select!`.

/// Waits until one of several receivers has a value, or has lost its last sender, and goes on with that:
/// crossbeam's `select!`, over receivers. Which of those that are ready is taken is open, so all are tried.
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
/// `default => …` is done if none is ready, `default(timeout) => …` if none is in time. There is no
/// `send(…)`: whoever sends can do so from a thread of its own.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    (@arms $arms:tt $default:tt) => {
        $crate::__select!(@run $arms $default)
    };
    (@arms [$($arms:tt)*] $default:tt
        recv($from:expr) -> $result:pat => $body:block, $($rest:tt)*) => {
        $crate::__select!(@arms [$($arms)* (arm, from, $from, $result, $body)] $default $($rest)*)
    };
    (@arms [$($arms:tt)*] $default:tt
        recv($from:expr) -> $result:pat => $body:block $($rest:tt)*) => {
        $crate::__select!(@arms [$($arms)* (arm, from, $from, $result, $body)] $default $($rest)*)
    };
    (@arms [$($arms:tt)*] $default:tt
        recv($from:expr) -> $result:pat => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@arms [$($arms)* (arm, from, $from, $result, $body)] $default $($($rest)*)?)
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
    (@arms $arms:tt $default:tt send $($rest:tt)*) => {
        compile_error!("in heisenbug's `select!` there is no `send(…)`: send from a thread of its own")
    };
    (@arms $arms:tt $default:tt $($rest:tt)*) => {
        compile_error!(concat!(
            "`select!` takes `recv(receiver) -> result => …`, and once `default => …` or \
             `default(timeout) => …`, not `", stringify!($($rest)*), "`",
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
    (@wait [$(($arm:ident, $name:ident, $from:expr, $result:pat, $body:expr))*]
        ($($patience:tt)*) $default:expr) => {{
        use $crate::crossbeam::channel::{Patience, select};
        $(
            let $name = &$from;
            let mut $arm = select::Receiving::new($name);
        )*
        select::select(&mut [$(&mut $arm),*], Patience::$($patience)*);
        $(
            if let Some(got) = $arm.got() {
                let $result = got;
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
