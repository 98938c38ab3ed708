//! One operation, from before the engine is called until after.

use super::{
    ACTOR, ActorId, Engine, ObjectId, Pending, Place, Recorded, Recorder, SPINS_BEFORE_YIELD, Site,
    Target, dead, deadlock, engine, only_seq_cst, ordering_name, with,
};
use crate::trace::{Op, Value, source};
use std::sync::atomic::Ordering;

/// One operation of the current actor: opened before the engine is called, closed after.
#[derive(Clone, Copy)]
#[must_use]
pub struct Call {
    actor: ActorId,
    at: Place,
    call: &'static str,
    /// False outside of an engine, and in the destructors of an execution that was given up.
    recording: bool,
}

impl Call {
    /// Opens an operation that cannot block.
    #[inline]
    pub fn new(call: &'static str, at: Place) -> Call {
        Call {
            actor: ACTOR.get(),
            at,
            call,
            recording: engine() != Engine::None && !dead(),
        }
    }

    /// Opens an operation on an object.
    ///
    /// # Panics
    ///
    /// If the object was made in another execution than this one: the engines know nothing of it.
    #[inline]
    pub fn on(object: ObjectId, call: &'static str, at: Place) -> Call {
        let opened = Call::new(call, at);
        if object.generation != 0 && engine() == Engine::None {
            foreign_thread(call, at);
        }
        if opened.recording && !object.is_current() {
            foreign_object(call, at);
        }
        opened
    }

    /// Says that the operation may block, and on what.
    #[inline]
    pub fn may_block(self, target: impl Into<Target>) -> Call {
        if self.recording {
            let pending = Pending {
                call: self.call,
                target: target.into(),
                at: self.at,
            };
            let for_ever = with(|recorder| {
                recorder.actors[self.actor as usize].pending = Some(pending);
                !recorder.can_deadlock && recorder.may_wait_for_ever(self.actor, pending.target)
            });
            if for_ever {
                deadlock::becomes_possible();
            }
        }
        self
    }

    /// Whether this operation is recorded at all.
    pub fn recording(self) -> bool {
        self.recording
    }

    /// The ordering to use: the given one, unless this site is being weakened.
    #[inline]
    pub fn ordering(self, slot: u8, ordering: Ordering) -> Ordering {
        if !self.recording {
            return ordering;
        }
        with(|recorder| {
            let site = || Site {
                file: self.at.file(),
                line: self.at.line(),
                column: self.at.column(),
                slot,
            };
            if let Some(sites) = &mut recorder.sites {
                sites.insert((site(), ordering_name(ordering)));
            }
            let used = match recorder.mutation {
                Some(mutation) if mutation.site == site() => mutation.ordering,
                _ => ordering,
            };
            // The failure ordering of a compare-exchange counts too: it is that load's ordering.
            recorder.only_seq_cst &= used == Ordering::SeqCst;
            recorder.uses_atomics = true;
            used
        })
    }

    /// As [`ordering`](Self::ordering), for fences, which are no accesses.
    pub fn fence_ordering(self, ordering: Ordering) -> Ordering {
        let before = only_seq_cst();
        let used = self.ordering(0, ordering);
        with(|recorder| recorder.only_seq_cst = before);
        used
    }

    #[inline]
    fn close(self, event: Recorded) {
        self.close_after(event, |_| {});
    }

    /// Closes an operation, once `note` has noted what it changed.
    #[inline]
    fn close_after(self, event: Recorded, note: impl FnOnce(&mut Recorder)) {
        if self.recording {
            ACTOR.set(self.actor);
            with(|recorder| {
                note(recorder);
                let actor = &mut recorder.actors[self.actor as usize];
                actor.pending = None;
                actor.spin = None;
                recorder.push(event);
            });
        }
    }

    /// Closes an operation without values.
    #[inline]
    pub fn done(self, op: Op, target: impl Into<Target>) {
        let target = target.into();
        self.close(Recorded {
            target,
            ..Recorded::of(op, self.call, self.actor, self.at)
        });
    }

    /// Closes an operation that leaves no event: the actor is running again, no more.
    #[inline]
    pub fn silent(self) {
        if self.recording {
            ACTOR.set(self.actor);
            with(|recorder| recorder.actors[self.actor as usize].pending = None);
        }
    }

    /// Closes a fence.
    pub fn fence(self, ordering: Ordering) {
        self.close(Recorded {
            ordering: Some(ordering),
            ..Recorded::of(Op::Fence, self.call, self.actor, self.at)
        });
    }

    /// Closes a read. Returns whether the actor does nothing but repeat it, and should yield.
    #[inline]
    pub fn read(self, op: Op, object: ObjectId, value: Value, ordering: Option<Ordering>) -> bool {
        if !self.recording {
            return false;
        }
        ACTOR.set(self.actor);
        with(|recorder| {
            let shared = &mut recorder.objects[object.id as usize];
            shared.loaded_by |= 1 << (self.actor % 64);
            recorder.hides_loads |= shared.hides_loads();
            let newest = shared.newest;
            let actor = &mut recorder.actors[self.actor as usize];
            actor.pending = None;
            let repeats = actor.repeat(self.at, object, value);
            recorder.push(Recorded {
                read: value,
                newest: if newest == value {
                    Value::Nothing
                } else {
                    newest
                },
                ordering,
                target: object.target(),
                ..Recorded::of(op, self.call, self.actor, self.at)
            });
            repeats >= SPINS_BEFORE_YIELD
        })
    }

    /// Closes a write.
    #[inline]
    pub fn write(
        self,
        op: Op,
        object: ObjectId,
        read: Value,
        value: Value,
        ordering: Option<Ordering>,
    ) {
        let event = Recorded {
            read,
            value,
            ordering,
            target: object.target(),
            ..Recorded::of(op, self.call, self.actor, self.at)
        };
        self.close_after(event, |recorder| {
            let shared = &mut recorder.objects[object.id as usize];
            shared.newest = value;
            shared.updated_by |= shared.loaded_by & (1 << (self.actor % 64));
            recorder.hides_loads |= shared.hides_loads();
        });
    }

    /// Closes a read-modify-write. Returns whether the actor does nothing but repeat it, to no
    /// effect, and should yield.
    #[inline]
    pub fn read_modify_write(
        self,
        object: ObjectId,
        read: Value,
        value: Value,
        ordering: Ordering,
    ) -> bool {
        if !self.recording {
            return false;
        }
        let spin = with(|recorder| recorder.actors[self.actor as usize].spin);
        self.write(Op::Rmw, object, read, value, Some(ordering));
        if read != value {
            return false;
        }
        with(|recorder| {
            let actor = &mut recorder.actors[self.actor as usize];
            actor.spin = spin;
            actor.repeat(self.at, object, value) >= SPINS_BEFORE_YIELD
        })
    }

    /// Closes a receive.
    pub fn received(self, object: ObjectId, value: Value) {
        self.close(Recorded {
            read: value,
            target: object.target(),
            ..Recorded::of(Op::Recv, self.call, self.actor, self.at)
        });
    }

    /// Closes the taking of a lock, which protects `value`.
    #[inline]
    pub fn acquired(self, op: Op, object: ObjectId, value: Value) {
        let event = Recorded {
            read: value,
            target: object.target(),
            ..Recorded::of(op, self.call, self.actor, self.at)
        };
        let mut ended = false;
        self.close_after(event, |recorder| {
            recorder.objects[object.id as usize]
                .holders
                .push(self.actor);
            ended = recorder.actors[self.actor as usize].finished;
        });
        if ended {
            deadlock::becomes_possible();
        }
    }

    /// Notes that a lock is being given back, leaving `value` behind. Called before the engine
    /// lets anybody else run.
    #[inline]
    pub fn releasing(self, op: Op, object: ObjectId, value: Value) {
        let event = Recorded {
            value,
            target: object.target(),
            ..Recorded::of(op, self.call, self.actor, self.at)
        };
        self.close_after(event, |recorder| {
            let holders = &mut recorder.objects[object.id as usize].holders;
            if let Some(me) = holders.iter().position(|&holder| holder == self.actor) {
                holders.swap_remove(me);
            }
        });
    }
}

impl Call {
    /// Notes that the actor gives `mutex` back and begins to wait on `condvar`.
    pub fn begin_wait(self, condvar: ObjectId, mutex: ObjectId, value: Value) {
        if self.recording {
            with(|recorder| {
                let holders = &mut recorder.objects[mutex.id as usize].holders;
                holders.retain(|&holder| holder != self.actor);
                recorder.push(Recorded {
                    value,
                    target: condvar.target(),
                    ..Recorded::of(Op::Wait, self.call, self.actor, self.at)
                });
            });
            let _ = self.may_block(condvar);
        }
    }

    /// Notes that the actor falls asleep on `futex`.
    pub fn begin_sleep(self, futex: ObjectId) {
        if self.recording {
            with(|recorder| {
                recorder.push(Recorded {
                    target: futex.target(),
                    ..Recorded::of(Op::Sleep, self.call, self.actor, self.at)
                });
            });
            let _ = self.may_block(futex);
        }
    }

    /// Closes a wait: the actor was notified, and holds `mutex` again.
    pub fn end_wait(self, mutex: ObjectId, value: Value) {
        self.acquired(Op::Woken, mutex, value);
    }
}

#[cold]
fn foreign_thread(call: &str, at: Place) -> ! {
    panic!(
        "`{call}` at {}:{} is on an object of a check, and on a thread that the check does not \
         know: start threads with `heisenbug::thread`",
        source::tidy(at.file()),
        at.line()
    );
}

#[cold]
fn foreign_object(call: &str, at: Place) -> ! {
    panic!(
        "`{call}` at {}:{} is on an object that was not made in this execution: the scenario runs \
         many times, and must make everything its threads share anew each time",
        source::tidy(at.file()),
        at.line()
    );
}
