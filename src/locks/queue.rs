//! Queues: what they have in common, and the programs that prove them.

use super::sync::Arc;
use super::thread;
use std::iter;
use std::marker::PhantomData;

/// A bounded queue between one thread that pushes and one that pops.
pub trait Spsc<T>: 'static {
    /// The end that pushes.
    type Producer: Push<T>;
    /// The end that pops.
    type Consumer: Pop<T>;

    /// An empty queue with room for `capacity` elements, as its two ends.
    fn with_capacity(capacity: usize) -> (Self::Producer, Self::Consumer);
}

pub trait Push<T>: Send + 'static {
    /// Appends an element, or gives it back if the queue is full.
    fn try_push(&mut self, value: T) -> Result<(), T>;
}

pub trait Pop<T>: Send + 'static {
    /// Takes the first element, unless the queue is empty.
    fn try_pop(&mut self) -> Option<T>;
}

/// A bounded queue that any thread may push to and pop from.
pub trait Mpmc<T>: Send + Sync + 'static {
    /// An empty queue with room for `capacity` elements.
    fn with_capacity(capacity: usize) -> Self;

    /// Appends an element, or gives it back if there is no room, or not quite yet.
    fn try_push(&self, value: T) -> Result<(), T>;

    /// Takes the first element, unless there is none, or it is not quite there yet.
    fn try_pop(&self) -> Option<T>;
}

/// Uses a queue for many threads as a queue for two.
pub struct Ends<Q>(PhantomData<Q>);

/// One end of such a queue.
pub struct End<Q>(Arc<Q>);

impl<T, Q: Mpmc<T>> Spsc<T> for Ends<Q> {
    type Producer = End<Q>;
    type Consumer = End<Q>;

    fn with_capacity(capacity: usize) -> (End<Q>, End<Q>) {
        let queue = Arc::new(Q::with_capacity(capacity));
        (End(Arc::clone(&queue)), End(queue))
    }
}

impl<T, Q: Mpmc<T>> Push<T> for End<Q> {
    #[inline]
    fn try_push(&mut self, value: T) -> Result<(), T> {
        self.0.try_push(value)
    }
}

impl<T, Q: Mpmc<T>> Pop<T> for End<Q> {
    #[inline]
    fn try_pop(&mut self) -> Option<T> {
        self.0.try_pop()
    }
}

/// Main pushes `PUSHES` elements, while another thread tries `POPS` times to pop one.
pub fn one_to_one<Q: Spsc<u64>, const CAPACITY: usize, const PUSHES: usize, const POPS: usize>()
-> String {
    let (mut producer, mut consumer) = Q::with_capacity(CAPACITY);
    let other = thread::spawn(move || {
        let popped = { 0..POPS }.filter_map(|_| consumer.try_pop()).collect();
        (consumer, popped)
    });
    let pushed: Vec<u64> = { 0..PUSHES as u64 }
        .filter(|&value| producer.try_push(value).is_ok())
        .collect();
    let (mut consumer, mut popped): (_, Vec<u64>) = other.join().unwrap();
    popped.extend(iter::from_fn(|| consumer.try_pop()));
    if pushed.len() < CAPACITY.min(PUSHES) {
        return "refused while there was room".into();
    }
    if popped != pushed {
        return "lost, doubled, or out of order".into();
    }
    room::<_, CAPACITY>(|value| producer.try_push(value))
}

/// What a thread does in the proofs below: whether it pushes, and whether it then pops.
type Part = (bool, bool);
const PUSHES: Part = (true, false);
const POPS: Part = (false, true);
const PUSHES_AND_POPS: Part = (true, true);

/// Two threads that push an element each. Main then tries to pop one.
pub fn two_push<Q: Mpmc<u64>, const CAPACITY: usize>() -> String {
    together::<Q, 2, CAPACITY>([PUSHES_AND_POPS, PUSHES], 0)
}

/// Three threads: one pushes an element, while the others try to pop one each. One element is there
/// from the beginning.
pub fn one_pushes_two_pop<Q: Mpmc<u64>, const CAPACITY: usize>() -> String {
    together::<Q, 3, CAPACITY>([PUSHES, POPS, POPS], 1)
}

/// Several threads on a queue that already holds some elements. Main is the first thread.
fn together<Q: Mpmc<u64>, const THREADS: usize, const CAPACITY: usize>(
    threads: [Part; THREADS],
    filled: u64,
) -> String {
    let queue = Arc::new(Q::with_capacity(CAPACITY));
    let mut pushed: Vec<u64> = { 0..filled }
        .filter(|&value| queue.try_push(value).is_ok())
        .collect();
    let mut parts = { filled.. }.zip(threads).map(|(value, (pushes, pops))| {
        let queue = Arc::clone(&queue);
        move || {
            let pushed = pushes && queue.try_push(value).is_ok();
            (
                pushed.then_some(value),
                pops.then(|| queue.try_pop()).flatten(),
            )
        }
    });
    let main = parts.next().expect("main is one of the threads");
    let others: Vec<_> = parts.map(thread::spawn).collect();
    let (mains_pushed, mains_popped) = main();
    pushed.extend(mains_pushed);
    let mut popped = Vec::from_iter(mains_popped);
    for other in others {
        let (others_pushed, others_popped) = other.join().unwrap();
        pushed.extend(others_pushed);
        popped.extend(others_popped);
    }
    popped.extend(iter::from_fn(|| queue.try_pop()));
    popped.sort_unstable();
    pushed.sort_unstable();
    if popped != pushed {
        return "lost, doubled, or out of order".into();
    }
    room::<_, CAPACITY>(|value| queue.try_push(value))
}

/// Fills an empty queue: it must have room for exactly `CAPACITY` elements.
fn room<E, const CAPACITY: usize>(mut push: impl FnMut(u64) -> Result<(), E>) -> String {
    let tries = { 0..=CAPACITY as u64 }.map(|value| push(value).is_ok());
    match tries.filter(|&pushed| pushed).count() {
        room if room == CAPACITY => "all came through".into(),
        room => format!("room for {room} of {CAPACITY}"),
    }
}

/// Main pushes two elements through one slot, while another thread tries to pop one. Refused elements
/// are dropped, and so are those that are left in the queue.
pub fn dropped<Q: Spsc<Arc<()>>>() -> String {
    let element = Arc::new(());
    let (mut producer, mut consumer) = Q::with_capacity(1);
    let other = thread::spawn(move || {
        drop(consumer.try_pop());
        consumer
    });
    for _ in 0..2 {
        drop(producer.try_push(Arc::clone(&element)));
    }
    drop(other.join().unwrap());
    drop(producer);
    match Arc::try_unwrap(element) {
        Ok(()) => "all came through".into(),
        Err(_) => "an element outlives its queue".into(),
    }
}
