//! Just enough to check a future: run one to completion, and wake it.

use super::sync::Arc;
use super::thread::{self, Thread};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::pin;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

/// Wakes a task: `std::task::Wake`, for the [`Arc`] of this crate.
#[diagnostic::on_unimplemented(
    note = "`std::task::Wake` is for std's `Arc`: implement `heisenbug::future::Wake`, whose functions take \
            `this: Arc<Self>` and `this: &Arc<Self>`"
)]
pub trait Wake: Send + Sync + 'static {
    /// Wakes the task.
    fn wake(this: Arc<Self>);

    /// Wakes the task without consuming the pointer.
    #[track_caller]
    fn wake_by_ref(this: &Arc<Self>) {
        Self::wake(Arc::clone(this));
    }
}

impl<W: Wake> From<Arc<W>> for Waker {
    fn from(wake: Arc<W>) -> Waker {
        // SAFETY: the functions of the table keep the contract: each takes the pointer that
        // `Arc::hide` gave, and `W` is `Send` and `Sync`.
        unsafe { Waker::from_raw(raw(wake)) }
    }
}

fn raw<W: Wake>(wake: Arc<W>) -> RawWaker {
    RawWaker::new(Arc::hide(wake).cast(), table::<W>())
}

fn table<W: Wake>() -> &'static RawWakerVTable {
    &const { RawWakerVTable::new(clone::<W>, wake::<W>, wake_by_ref::<W>, let_go::<W>) }
}

/// # Safety
///
/// The pointer must belong to a waker made by [`raw`] that is still alive.
unsafe fn clone<W: Wake>(data: *const ()) -> RawWaker {
    // SAFETY: the caller's promise. The pointer stays the waker's.
    let this = ManuallyDrop::new(unsafe { Arc::<W>::unhide(data.cast()) });
    raw(Arc::clone(&this))
}

/// # Safety
///
/// As for [`clone`]. The waker is consumed.
unsafe fn wake<W: Wake>(data: *const ()) {
    // SAFETY: the caller's promise.
    W::wake(unsafe { Arc::unhide(data.cast()) });
}

/// # Safety
///
/// As for [`clone`].
unsafe fn wake_by_ref<W: Wake>(data: *const ()) {
    // SAFETY: the caller's promise. The pointer stays the waker's.
    let this = ManuallyDrop::new(unsafe { Arc::<W>::unhide(data.cast()) });
    W::wake_by_ref(&this);
}

/// # Safety
///
/// As for [`clone`]. The waker is consumed.
unsafe fn let_go<W: Wake>(data: *const ()) {
    // SAFETY: the caller's promise.
    drop(unsafe { Arc::<W>::unhide(data.cast()) });
}

/// Wakes a thread that waits for a future.
struct Unparks(Thread);

impl Wake for Unparks {
    #[track_caller]
    fn wake(this: Arc<Self>) {
        this.0.unpark();
    }
}

/// Runs a future to completion on the current thread, which is parked while there is nothing to do.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unparks(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
