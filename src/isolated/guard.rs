//! The guard process between a check and the program: whatever the program does, it sees how the program
//! ended, and nothing that the program started outlives it.
//!
//! It leads its own session, so that the terminal's signals do not reach it, and adopts the processes that
//! the program's children leave behind. It ends when the program ends or stops, when it is told to, or when
//! its parent dies for any reason; then it kills everything that it has adopted.

use super::wire::{self, Kind};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// The status of a program that was killed before it ended: no status that `wait` can return.
pub const UNENDED: i32 = -1;

/// Forks this process: returns in the one that runs the program, while the other one watches it and
/// never returns. Must be called before there are other threads.
///
/// # Errors
///
/// If the system cannot create another process.
pub fn divide(pipe: BorrowedFd<'_>, parent: u32) -> io::Result<()> {
    // SAFETY: plain system calls. The sets are written before they are read; the process has one thread,
    // so both processes continue normally after the fork.
    unsafe {
        libc::setsid();
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        let mut heard = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(heard.as_mut_ptr());
        for signal in [libc::SIGCHLD, libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::sigaddset(heard.as_mut_ptr(), signal);
        }
        let heard = heard.assume_init();
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigprocmask(libc::SIG_BLOCK, &raw const heard, before.as_mut_ptr());
        dies_with(parent as libc::pid_t, libc::SIGTERM);
        let guard = libc::getpid();
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                dies_with(guard, libc::SIGKILL);
                libc::sigprocmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
                Ok(())
            }
            program => watch_over(program, &heard, pipe.as_raw_fd()),
        }
    }
}

/// Sends this process a signal when its parent dies. If the parent is dead already, it ends.
///
/// # Safety
///
/// No requirements: these are plain system calls.
unsafe fn dies_with(parent: libc::pid_t, signal: libc::c_int) {
    // SAFETY: as above.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, signal, 0, 0, 0);
        if libc::getppid() != parent {
            libc::_exit(1);
        }
    }
}

/// # Safety
///
/// `program` must be a child of this process, and the signals in `heard` must be blocked.
unsafe fn watch_over(program: libc::pid_t, heard: &libc::sigset_t, pipe: RawFd) -> ! {
    loop {
        let mut signal = 0;
        // SAFETY: both pointers are valid for what the call expects.
        unsafe { libc::sigwait(heard, &raw mut signal) };
        match signal {
            libc::SIGCHLD => {
                // SAFETY: the caller's promise.
                if let Some(status) = unsafe { ended(program) } {
                    end(program, status, pipe);
                }
            }
            // SAFETY: the program has not been waited for, so its process ID is still its own.
            libc::SIGINT => unsafe {
                libc::kill(program, libc::SIGINT);
            },
            _ => end(program, UNENDED, pipe),
        }
    }
}

/// How the program ended or stopped, if it has. Also reaps other children that have ended.
///
/// # Safety
///
/// `program` must be a child of this process.
unsafe fn ended(program: libc::pid_t) -> Option<i32> {
    loop {
        let mut status = 0;
        // SAFETY: a plain call with a valid pointer.
        let who = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::WUNTRACED) };
        match who {
            0 | -1 => return None,
            who if who == program => return Some(status),
            _ => {}
        }
    }
}

/// Kills all children, tells the parent, and exits.
fn end(program: libc::pid_t, status: i32, pipe: RawFd) -> ! {
    let mut left = 0_u32;
    loop {
        let others = kill_children(program);
        left = left.max(others);
        // SAFETY: a plain call, without a status to write to. It also reaps adopted processes.
        if unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } == -1 {
            break;
        }
    }
    let mut message = [0; 21];
    message[..13].copy_from_slice(&wire::head(Kind::End, 8));
    message[13..17].copy_from_slice(&status.to_le_bytes());
    message[17..].copy_from_slice(&left.to_le_bytes());
    // SAFETY: the length is the message's, which is short enough for one write to a pipe. If the parent is
    // gone, the message is not needed.
    unsafe {
        libc::write(pipe, message.as_ptr().cast(), message.len());
        libc::_exit(0)
    }
}

/// Kills all children of this process. Returns how many there are besides the program. Allocates nothing.
fn kill_children(program: libc::pid_t) -> u32 {
    let mut text = [0_u8; 4096];
    // SAFETY: the path ends with a zero, and the buffer has the given length.
    let read = unsafe {
        let children = libc::open(c"/proc/thread-self/children".as_ptr(), libc::O_RDONLY);
        let read = libc::read(children, text.as_mut_ptr().cast(), text.len());
        libc::close(children);
        read
    };
    let text = &text[..usize::try_from(read).unwrap_or(0)];
    let numbers = text.split(|byte| *byte == b' ').filter_map(number);
    let mut others = 0;
    for child in numbers {
        others += u32::from(child != program);
        // SAFETY: a child that has not been waited for: its process ID is still its own.
        unsafe { libc::kill(child, libc::SIGKILL) };
    }
    others
}

fn number(digits: &[u8]) -> Option<libc::pid_t> {
    let mut digits = digits.iter();
    let first = digits.next()?;
    let digit = |byte: &u8| {
        byte.is_ascii_digit()
            .then(|| libc::pid_t::from(byte - b'0'))
    };
    digits.try_fold(digit(first)?, |number, next| {
        number.checked_mul(10)?.checked_add(digit(next)?)
    })
}
