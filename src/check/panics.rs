//! The panic hook: panics inside a model are results, to be kept instead of printed.

use heisenbug_catalogue::Class;
use heisenbug_model::session;
use heisenbug_trace::source;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe, Location, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// Whether a check runs on this OS thread.
    static CHECKING: Cell<bool> = const { Cell::new(false) };
    /// Whether a system of machines is explored on this OS thread: it keeps the panics of its machines itself.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// The messages of the assertions among these panics.
    static ASSERTIONS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    /// The place of the last panic of a machine: file, line, column.
    static LAST: RefCell<Option<(String, u32, u32)>> = const { RefCell::new(None) };
    /// The message and place of a panic of this library or its engine during the check.
    static MISHAP: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the hook, once per process. Panics outside of models go to the previous hook.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let first = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_own(info) && !is_quiet(info) && !session::panicked(info) {
                first(info);
            }
        }));
    });
}

/// Runs a check on this OS thread. A panic in the library itself becomes an error with its message: it
/// is not the program's fault.
pub fn watch<R>(check: impl FnOnce() -> R) -> Result<R, String> {
    let checking = CHECKING.replace(true);
    let before = MISHAP.take();
    let result = panic::catch_unwind(AssertUnwindSafe(check));
    CHECKING.set(checking);
    match (result, MISHAP.replace(before)) {
        (Ok(result), None) => Ok(result),
        (_, Some(mishap)) => Err(mishap),
        (Err(_), None) => Err("stopped by a panic outside of every execution".to_owned()),
    }
}

/// Keeps the place of a panic that a system of machines keeps itself.
fn is_quiet(info: &PanicHookInfo<'_>) -> bool {
    if QUIET.get() {
        LAST.set(info.location().map(source::place));
        if session::class_of(info) == Class::Assertion {
            let message = session::message_of(info.payload());
            ASSERTIONS.with_borrow_mut(|assertions| assertions.insert(message));
        }
    }
    QUIET.get()
}

/// The place of the last panic that was not printed: file, line, column. Line 0: not in the program.
pub fn last_place() -> (String, u32, u32) {
    LAST.take().unwrap_or_default()
}

/// Whether a panic with this message that was not printed was a failed assertion.
pub fn was_assertion(message: &str) -> bool {
    ASSERTIONS.with_borrow(|assertions| assertions.contains(message))
}

/// Prints no panic meanwhile: they are results.
pub fn quietly<R>(explore: impl FnOnce() -> R) -> R {
    ASSERTIONS.take();
    QUIET.set(true);
    let result = explore();
    QUIET.set(false);
    result
}

/// Whether something has gone wrong so far in the library itself.
pub fn mishap() -> bool {
    MISHAP.with_borrow(Option::is_some)
}

/// Keeps a panic of this library or its engine during a check.
fn is_own(info: &PanicHookInfo<'_>) -> bool {
    let own = info.location().filter(|at| is_of_this_library(at));
    let Some(at) = own.filter(|_| CHECKING.get()) else {
        return false;
    };
    let payload = info.payload();
    let text = (payload.downcast_ref::<&str>().copied())
        .or(payload.downcast_ref::<String>().map(String::as_str));
    let what = text.unwrap_or("a panic");
    MISHAP.with_borrow_mut(|mishap| {
        mishap.get_or_insert_with(|| {
            format!("stopped by an error in heisenbug, not in the program: {what} ({at})")
        });
    });
    true
}

/// Whether the place is in the engine or in the rooms that drive it. The bugs and the locks in the
/// same folder are programs, and the model world's types panic where std's do.
fn is_of_this_library(at: &Location<'_>) -> bool {
    let this = source::tidy(file!());
    let sources = this.strip_suffix("check/panics.rs").unwrap_or_default();
    let file = source::tidy(at.file());
    let in_a_room = |file: &str| {
        let rooms = ["check/", "engine/", "trace/", "worlds/model/session"];
        rooms.iter().any(|room| file.starts_with(room))
    };
    // The engine is a separate crate, so it is in another folder unless both are in a checkout.
    file.strip_prefix(sources).is_some_and(in_a_room) || file.contains("/heisenbug-engine-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_of_our_own_is_told_apart() {
        install();
        let mishap = watch(|| -> u8 { panic!("out of paper") }).expect_err("it panics");
        assert!(
            mishap.contains("out of paper") && mishap.contains("panics.rs"),
            "{mishap}"
        );
        assert_eq!(watch(|| 1), Ok(1));
    }
}
