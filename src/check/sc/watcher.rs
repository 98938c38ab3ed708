//! The watcher: a task that lets the search see a deadlock.
//!
//! shuttle asks its scheduler who runs next only if there is somebody who can. When all threads wait
//! it reports the deadlock by itself, at length, and panics, which costs the stacks of the execution.
//! So there is one more task, which can always run and never does: when nobody else can, the search
//! is asked all the same.
//!
//! It costs as much as a thread does, and many executions cannot deadlock: the recorder says
//! [when one can](recorder::before_deadlocks).

use crate::trace::recorder;
use shuttle::scheduler::Task;

/// Spawns the watcher. Called by a running thread of the program.
pub fn spawn() {
    // The program knows nothing of this task: to spawn it is no point at which others may run.
    let held = recorder::is_held();
    recorder::hold();
    drop(shuttle::future::spawn(async {}));
    if !held {
        recorder::release();
    }
}

/// Whether a task is the watcher. Dropping its handle has detached it; shuttle does not detach
/// threads.
pub fn is_watcher(task: &Task) -> bool {
    task.is_detached()
}
