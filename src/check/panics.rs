//! The panic hook: panics inside a model are results, to be kept and not to be printed.

use super::tally::TOO_LONG;
use crate::catalogue::Class;
use crate::trace::recorder::{self, Engine};
use crate::trace::source;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Once};

/// Why an exploration ends that cannot repeat what it has seen.
pub const NONDETERMINISTIC: &str = "stopped: the scenario did something else in the same schedule; it must not depend on time, \
     randomness or anything outside of it";

/// Why loom does not explore a scenario.
const TOO_MANY_THREADS: &str =
    "stopped: loom tells no more than five threads apart, the main thread included";

/// Installs the hook, once per process. Panics outside of models go where they went before.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Both engines wrap the hook when they first run, and shuttle's prints at every panic. Let
        // them do it now, then put ours in their place, in front of the hook that was there first.
        let first = Arc::new(panic::take_hook());
        let forward = Arc::clone(&first);
        panic::set_hook(Box::new(move |info| forward(info)));
        loom::model::Builder::new().check(|| {});
        let once = shuttle::scheduler::DfsScheduler::new(Some(1), false);
        shuttle::Runner::new(once, quiet_config()).run(|| {});
        drop(panic::take_hook());
        panic::set_hook(Box::new(move |info| {
            if !is_of_a_model(info) {
                first(info);
            }
        }));
    });
}

/// shuttle's configuration: silent, and with our own scheduler in charge of when to stop.
pub fn quiet_config() -> shuttle::Config {
    let mut config = shuttle::Config::new();
    config.stack_size = 0x4_0000;
    config.failure_persistence = shuttle::FailurePersistence::None;
    config.max_steps = shuttle::MaxSteps::None;
    config.silence_warnings = true;
    config
}

/// Keeps what a panic says, if it happened inside a model.
fn is_of_a_model(info: &PanicHookInfo<'_>) -> bool {
    if info.payload().is::<generator::Error>() {
        // How loom ends a thread.
        return true;
    }
    if recorder::engine() == Engine::None {
        return false;
    }
    if recorder::dead() {
        return true;
    }
    recorder::panic_begins();
    let message = message(info);
    if let Some(why) = limit_of_loom(&message, info.location()) {
        recorder::give_up(why);
        return true;
    }
    let asserts = info.location().is_some_and(is_assertion);
    let finding = Finding::read(&message, asserts);
    let at = if finding.engine_speaks {
        None
    } else {
        info.location()
    };
    recorder::fail(finding.class, finding.message, at.map(place));
    if finding.fatal {
        recorder::engine_died();
    }
    true
}

/// Why loom cannot go on, if what it says is about itself and not about the scenario.
fn limit_of_loom(message: &str, at: Option<&panic::Location<'_>>) -> Option<&'static str> {
    let of_loom = |at: &panic::Location<'_>| {
        let file = at.file().replace('\\', "/");
        file.contains("/loom-0.") && file.contains("/src/rt/")
    };
    if message.contains("self.threads.len() < self.max()") {
        Some(TOO_MANY_THREADS)
    } else if message.starts_with("Reached unexpected exploration state")
        || message.starts_with("index out of bounds") && at.is_some_and(of_loom)
    {
        Some(NONDETERMINISTIC)
    } else {
        None
    }
}

/// A panic's location is a compiled-in constant, but its type does not say so.
fn place(location: &panic::Location<'_>) -> recorder::Place {
    // SAFETY: every `Location` that rustc makes is a promoted constant and lives for ever; the hook
    // only shortens the lifetime of the reference. The standard library relies on the same.
    unsafe {
        std::mem::transmute::<&panic::Location<'_>, &'static panic::Location<'static>>(location)
    }
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic without a message".to_owned(),
    }
}

/// Whether the source says `assert!` where the panic came from. Its message need not.
fn is_assertion(location: &panic::Location<'_>) -> bool {
    let text = source::text(location.file());
    let line = text
        .as_deref()
        .and_then(|text| text.lines().nth(location.line() as usize - 1));
    let call = line.and_then(|line| line.get(location.column() as usize - 1..));
    call.is_some_and(|call| call.starts_with("assert") || call.starts_with("debug_assert"))
}

/// What a panic's message means.
struct Finding {
    class: Class,
    message: String,
    /// The engine found it, so the place is inside the engine and says nothing.
    engine_speaks: bool,
    /// The engine cannot be called any more.
    fatal: bool,
}

impl Finding {
    fn read(message: &str, asserts: bool) -> Finding {
        let of_engine = |class, message: &str, fatal| Finding {
            class,
            message: message.to_owned(),
            engine_speaks: true,
            fatal,
        };
        if message.starts_with("deadlock") {
            of_engine(Class::Deadlock, "every thread that is left waits", true)
        } else if message.starts_with("Model exceeded maximum number of branches") {
            of_engine(Class::Livelock, TOO_LONG, true)
        } else if message.starts_with("Causality violation")
            || message.starts_with("currently writing to cell")
            || message.starts_with("currently reading from cell")
            || message.starts_with("data race:")
        {
            of_engine(
                Class::DataRace,
                "two accesses to the same data, and nothing orders them",
                false,
            )
        } else {
            let assertion = asserts || message.starts_with("assertion");
            Finding {
                class: if assertion {
                    Class::Assertion
                } else {
                    Class::Panic
                },
                message: one_line(message),
                engine_speaks: false,
                fatal: false,
            }
        }
    }
}

/// `assert_eq!` says it in three lines.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
