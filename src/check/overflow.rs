//! Says of a model thread that overflowed its stack how large that was, before the process dies of it.
//!
//! std says so of its own threads only: a model thread runs on a stack that std does not know.

use heisenbug_engine::steps;
use heisenbug_trace::journal;
use std::io::Write;
use std::mem::MaybeUninit;
use std::sync::{Once, OnceLock};

/// What comes of touching the guard behind a stack. Which of them, depends on the system.
const SIGNALS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// Who was told of these signals before.
static BEFORE: [OnceLock<libc::sigaction>; 2] = [OnceLock::new(), OnceLock::new()];

/// From now on overflows are told, to the parent if there is one, and on standard error. What else the
/// signals mean is left to whoever had them.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        for (signal, before) in SIGNALS.into_iter().zip(&BEFORE) {
            // SAFETY: all zeros are an action; the calls fill in the rest of it, and read it.
            unsafe {
                let mut ours = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
                ours.sa_sigaction = told as *const () as usize;
                // On the stack that std has for such cases: there is nothing left of the thread's.
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
        // SAFETY: it is what the system gave. The handler returns to what raised the signal, which raises
        // it once more: for them.
        unsafe { libc::sigaction(signal, before, std::ptr::null_mut()) };
    }
}

/// Says it to whoever looks, without any allocation.
fn say(size: usize) {
    let mut text = [0_u8; 80];
    let mut rest = &mut text[..];
    // It fits.
    let _ = writeln!(
        rest,
        "a thread of the model has overflowed its stack of {size} bytes"
    );
    let length = 80 - rest.len();
    // SAFETY: the text is as long.
    unsafe { libc::write(2, text.as_ptr().cast(), length) };
}
