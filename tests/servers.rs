//! Programs on PostgreSQL and MariaDB: what the servers promise, and what is left behind.
//!
//! The servers are those that the environment names, or private ones. Where there is neither, a test is
//! *ignored*, and says why.

#[path = "servers/claims.rs"]
mod claims;
#[path = "servers/left_behind.rs"]
mod left_behind;
#[path = "servers/published.rs"]
mod published;

use heisenbug::catalogue::Needs;
use heisenbug_database::servers;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let trials = [published::trials(), claims::trials(), left_behind::trials()];
    let trials = trials.into_iter().flatten().collect();
    let exit = libtest_mimic::run(&args, trials).exit_code();
    heisenbug_database::pool::close_servers();
    exit
}

/// A test that needs no server.
fn always(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || caught(test))
}

/// A test on a server. The server's name is part of its own.
fn on(server: Needs, claim: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    let name = format!("{}::{claim}", server.command());
    Trial::ignorable_test(name, move || match servers::provide(server) {
        Err(why) => Ok(Completion::ignored_with(format!(
            "skipped: {}",
            why.message
        ))),
        Ok(()) => caught(test).map(|()| Completion::Completed),
    })
}

/// A failed assertion as the failure of a test.
fn caught(test: impl FnOnce()) -> Result<(), Failed> {
    catch_unwind(AssertUnwindSafe(test)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        text.unwrap_or_default().into()
    })
}
