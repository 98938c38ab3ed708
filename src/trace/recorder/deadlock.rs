//! From when on an execution can deadlock: not before one of these happens.
//!
//! 1. A thread waits for something other than a lock, or the end of a thread that it spawned.
//! 2. A thread waits while it holds a lock.
//! 3. A thread ends while it holds a lock, having leaked the guard; or it takes one even later, in a
//!    destructor of what it returned.
//!
//! For suppose that all threads that have not ended wait. Nobody waits for a lock: whoever holds it
//! has ended, which is 3, or waits, which is 2. So each waits for a thread that it spawned and that
//! has not ended, and that one for another, and so on, each with a greater number than the one
//! before. But there is a greatest number.
//!
//! A `Once`, a `Barrier` and a channel are each made of a mutex that is not recorded. It changes
//! nothing: nobody waits while holding one of those.

use super::{ActorId, BEFORE_DEADLOCKS, Recorder, Target, dead, with};

/// Has `prepare` called in each execution, by a thread of the program, before it can deadlock.
pub fn before_deadlocks(prepare: fn()) {
    BEFORE_DEADLOCKS.set(Some(prepare));
}

/// Says that the execution can deadlock from now on.
#[cold]
pub(super) fn becomes_possible() {
    let was_possible = with(|recorder| std::mem::replace(&mut recorder.can_deadlock, true));
    if let Some(prepare) = BEFORE_DEADLOCKS.get()
        && !was_possible
        && !dead()
    {
        prepare();
    }
}

impl Recorder {
    /// Whether a wait that begins now could be part of a deadlock.
    pub(super) fn may_wait_for_ever(&self, actor: ActorId, target: Target) -> bool {
        let harmless = match target {
            Target::Object(id) => matches!(self.objects[id as usize].kind, "Mutex" | "RwLock"),
            Target::Actor(id) => self.actors[id as usize].parent == Some(actor),
            Target::None | Target::Failure(_) => false,
        };
        !harmless || self.holds(actor)
    }

    /// Whether the actor holds a lock.
    pub(super) fn holds(&self, actor: ActorId) -> bool {
        let mut objects = self.objects.iter();
        objects.any(|object| object.holders.contains(&actor))
    }
}
