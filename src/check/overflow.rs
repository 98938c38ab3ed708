//! Reports a stack overflow of a model thread, with the stack's size, before the process dies.
//!
//! std reports only those of its own threads: a model thread runs on a stack that std does not know.

use heisenbug_engine::steps;
use heisenbug_trace::journal;
use std::io::Write;
use std::mem::MaybeUninit;
use std::sync::{Once, OnceLock};

/// The signals for an access to the guard page behind a stack. The system decides which one.
const SIGNALS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// The previous handlers of these signals.
static BEFORE: [OnceLock<libc::sigaction>; 2] = [OnceLock::new(), OnceLock::new()];

/// Reports overflows from now on, to the parent if there is one, and on standard error. For anything else
/// that the signals mean, the previous handlers stay responsible.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        for (signal, before) in SIGNALS.into_iter().zip(&BEFORE) {
            // SAFETY: all zeros are a valid action; the calls fill in the rest of it, and read it.
            unsafe {
                let mut ours = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
                ours.sa_sigaction = told as *const () as usize;
                // On the signal stack that std has set up: the thread's own stack is used up.
                ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                let mut theirs = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
                libc::sigaction(signal, std::ptr::null(), &raw mut theirs);
                before.get_or_init(|| theirs);
                libc::sigaction(signal, &raw const ours, std::ptr::null_mut());
            }
        }
    });
}

/// Handles one of the signals. Does only what a signal handler may: it looks at a thread-local without a
/// destructor, writes, and hands the signal on.
extern "C" fn told(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the system gives the address with these signals.
    let address = unsafe { (*info).si_addr() } as usize;
    if let Some(size) = steps::overflowed(address) {
        journal::overflowed(size);
        say(size);
    }
    let mut all = SIGNALS.into_iter().zip(&BEFORE);
    let before = all.find(|(known, _)| *known == signal);
    if let Some(before) = before.and_then(|(_, before)| before.get()) {
        // SAFETY: it is the action that the system returned. After this handler, the faulting instruction
        // runs again and raises the signal once more, for the previous handler.
        unsafe { libc::sigaction(signal, before, std::ptr::null_mut()) };
    }
}

/// Prints the overflow to standard error, without allocating.
fn say(size: usize) {
    let mut text = [0_u8; 80];
    let mut rest = &mut text[..];
    // It fits.
    let _ = writeln!(
        rest,
        "a thread of the model has overflowed its stack of {size} bytes"
    );
    let length = 80 - rest.len();
    // SAFETY: the text is that long.
    unsafe { libc::write(2, text.as_ptr().cast(), length) };
}
