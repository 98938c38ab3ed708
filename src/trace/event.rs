//! An execution as owned data: what reports carry, JSON prints and the timeline shows.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What an operation did, named after the standard library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Op {
    /// An atomic load.
    Load,
    /// An atomic store.
    Store,
    /// An atomic read-modify-write: `swap`, `fetch_add` and the like.
    Rmw,
    /// A compare-and-exchange that stored.
    CasOk,
    /// A compare-and-exchange that found another value.
    CasFail,
    /// A weak compare-and-exchange that found the expected value, and failed spuriously.
    CasFailForNoReason,
    /// A memory fence.
    Fence,
    /// A mutex was locked.
    Lock,
    /// A `try_lock`, `try_read` or `try_write` found the lock taken.
    TryFail,
    /// A `try_lock_for` or the like found the lock taken until its time was up.
    TryTimedOut,
    /// A mutex was unlocked.
    Unlock,
    /// A read lock was taken.
    ReadLock,
    /// A read lock was released.
    ReadUnlock,
    /// A write lock was taken.
    WriteLock,
    /// A write lock was released.
    WriteUnlock,
    /// A thread began to wait on a condition variable, and released its mutex.
    Wait,
    /// A thread that waited on a condition variable holds its mutex again.
    Woken,
    /// The same without a notification: a spurious wake-up.
    WokenForNoReason,
    /// The same, because its time was up.
    WokenTimedOut,
    /// A thread fell asleep on a futex.
    Sleep,
    /// A thread that slept on a futex was woken.
    Awake,
    /// The same without being woken: a spurious wake-up.
    AwakeForNoReason,
    /// `notify_one`, or `wake_one` of a futex.
    NotifyOne,
    /// `notify_all`, or `wake_all` of a futex.
    NotifyAll,
    /// A thread was spawned. The object is the new thread.
    Spawn,
    /// A thread was joined. The object is the joined thread.
    Join,
    /// `park` returned, because the thread had been unparked.
    Park,
    /// `park` returned though the thread had not been unparked.
    ParkForNoReason,
    /// `park_timeout` returned, because its time was up.
    ParkTimedOut,
    /// `unpark`. The object is the thread that may go on.
    Unpark,
    /// `yield_now` or `spin_loop`.
    Yield,
    /// Plain data was read through an `UnsafeCell`.
    CellRead,
    /// Plain data was written through an `UnsafeCell`.
    CellWrite,
    /// A value was sent over a channel.
    Send,
    /// A `try_send` found no room in the channel.
    SendFull,
    /// A value was not sent, because the channel's receiver is gone.
    SendClosed,
    /// A value was received from a channel.
    Recv,
    /// A `try_recv` found nothing in the channel.
    RecvEmpty,
    /// A channel was found empty, and all its senders gone.
    RecvClosed,
    /// A `recv_timeout` found nothing in the channel until its time was up.
    RecvTimedOut,
    /// A thread passed a barrier.
    Barrier,
    /// A statement of a database, which the note of the event is.
    Statement,
    /// A statement failed: an error of the database is what it read.
    StatementFails,
    /// A statement waits for a lock. It looks again, and is another event then.
    StatementWaits,
    /// A `Once` or `OnceLock` ran its initialiser.
    OnceRun,
    /// A `Once` or `OnceLock` was found complete.
    OnceDone,
    /// A `Once` or `OnceLock` was found not complete yet.
    OnceNotYet,
    /// A machine sent a message over the network. The object is the addressee, and the note its number.
    Post,
    /// A machine received a message from the network. The object is the sender, and the note its number.
    Deliver,
    /// A machine received a message that had come before.
    DeliverAgain,
    /// A message to this machine was lost.
    Lose,
    /// A machine's timer fired, since nothing else could happen.
    TimerFires,
    /// A machine's timer fired, though something else could have happened.
    TimerFiresEarly,
    /// A machine chose one of several ways.
    Choose,
    /// A machine told whoever watches.
    Tell,
    /// A machine wrote to a stream, which is the object.
    StreamWrite,
    /// A machine read from a stream. The note is what has arrived, too, and stays.
    StreamRead,
    /// A machine found the end of a stream.
    StreamEnds,
    /// A file was written as a whole. The object is the file.
    DiskWrite,
    /// Something was appended to a file.
    DiskAppend,
    /// A file, or the names of all, were made durable.
    DiskSync,
    /// The contents of a file could not be made durable.
    DiskSyncFails,
    /// A file got another name, which is the value.
    DiskRename,
    /// A file was removed.
    DiskRemove,
    /// A machine read its clock.
    Clock,
    /// A machine crashed.
    Crash,
    /// A machine started again. The note lists the files that it still has, with their contents.
    Restart,
    /// A machine stopped for good.
    Stop,
    /// The function of a machine returned.
    Return,
    /// A reference-counted value was made. Quiet.
    ArcNew,
    /// A thread panicked.
    Panic,
}

impl Op {
    /// Whether it only matters to leaks, and is left out of other timelines.
    pub fn is_quiet(self) -> bool {
        self == Op::ArcNew
    }

    /// Whether it is something that went wrong with a machine or on the network.
    pub fn is_fault(self) -> bool {
        matches!(
            self,
            Op::Lose
                | Op::DeliverAgain
                | Op::TimerFiresEarly
                | Op::DiskSyncFails
                | Op::Crash
                | Op::Stop
        )
    }

    /// Whether a thread may have to wait in it until other threads let it go on.
    pub fn can_wait(self) -> bool {
        matches!(
            self,
            Op::Join
                | Op::Lock
                | Op::ReadLock
                | Op::WriteLock
                | Op::Park
                | Op::TryTimedOut
                | Op::Send
                | Op::SendClosed
                | Op::Recv
                | Op::RecvClosed
                | Op::RecvTimedOut
                | Op::Barrier
                | Op::OnceDone
        ) || self.is_wakeup()
    }

    /// Whether it ends a wait for a wake-up.
    pub fn is_wakeup(self) -> bool {
        matches!(
            self,
            Op::Woken | Op::WokenForNoReason | Op::WokenTimedOut | Op::Awake | Op::AwakeForNoReason
        )
    }

    /// Whether the operation changes what later operations on the same object read.
    pub fn writes(self) -> bool {
        matches!(self, Op::Store | Op::Rmw | Op::CasOk | Op::CellWrite)
    }
}

/// One operation of one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Event {
    /// The name of the thread, transaction or machine that acted.
    pub actor: String,
    /// What it did.
    pub op: Op,
    /// The method's own name, such as `fetch_add`.
    pub call: String,
    /// The object of the operation.
    pub object: Option<String>,
    /// The value read, or the value that was replaced.
    pub read: Option<String>,
    /// The value written.
    pub value: Option<String>,
    /// The newest value stored at the time of a read that got an older one.
    pub newest: Option<String>,
    /// The memory ordering, as written in the source.
    pub ordering: Option<String>,
    /// The source file, as the compiler names it.
    pub file: String,
    /// The line of the call, counted from 1.
    pub line: u32,
    /// The column of the call, counted from 1.
    pub column: u32,
    /// Additional information, such as the message of a panic.
    pub note: Option<String>,
    /// The threads that a notification wakes, of those that wait on its object. Empty if it wakes none, and
    /// `None` if the operation is not a notification.
    #[cfg_attr(feature = "serde", serde(default))]
    pub wakes: Option<Vec<String>>,
    /// Who holds what a statement of a database waits for.
    #[cfg_attr(feature = "serde", serde(default))]
    pub held_by: Vec<String>,
    /// How many values are in a channel after the operation.
    #[cfg_attr(feature = "serde", serde(default))]
    pub inside: Option<u64>,
    /// These values, oldest first, if they can be shown.
    #[cfg_attr(feature = "serde", serde(default))]
    pub contents: Option<Vec<String>>,
    /// For the release of a lock: whether the value may have been changed, if it cannot be shown.
    #[cfg_attr(feature = "serde", serde(default))]
    pub changed: Option<bool>,
}

/// An actor that could not go on when the execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Blocked {
    /// The actor that waits.
    pub actor: String,
    /// The call it waits in, such as `lock`.
    pub call: String,
    /// What it waits for: a lock, a condition variable, another thread.
    pub object: Option<String>,
    /// The actors that hold it, if it is a lock and held.
    pub held_by: Vec<String>,
    /// The source file of the call it waits in.
    pub file: String,
    /// The line of the call it waits in.
    pub line: u32,
    /// The column of that call, counted from 1. 0 if unknown.
    #[cfg_attr(feature = "serde", serde(default))]
    pub column: u32,
}

/// One execution, from its start to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Trace {
    /// The actors, in order of creation.
    pub actors: Vec<String>,
    /// The operations.
    pub events: Vec<Event>,
    /// The actors that could not go on.
    pub blocked: Vec<Blocked>,
}
