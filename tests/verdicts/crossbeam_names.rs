//! The guarantees of crossbeam's wait groups, cells, queues, timers and `Select`.

use crate::judged::{Plain, deadlocks, fails, holds};
use crate::{A_WHILE, both};
use heisenbug::catalogue::Class;
use heisenbug::crossbeam::atomic::AtomicCell;
use heisenbug::crossbeam::channel::{self, Select, after, bounded, select, tick, unbounded};
use heisenbug::crossbeam::queue::{ArrayQueue, SegQueue};
use heisenbug::crossbeam::sync::{ShardedLock, WaitGroup};
use heisenbug::sync::Arc;
use heisenbug::thread;

#[test]
fn a_group_is_awaited_holds() {
    holds(|| {
        let group = WaitGroup::new();
        let data = Arc::new([Plain::new(0), Plain::new(0)]);
        for member in 0..2 {
            let (group, data) = (group.clone(), Arc::clone(&data));
            thread::spawn(move || {
                data[member].set(1);
                drop(data);
                drop(group);
            });
        }
        group.wait();
        assert_eq!((data[0].get(), data[1].get()), (1, 1));
    });
}

#[test]
fn a_member_that_leaves_before_its_work_is_done_fails() {
    let program = || {
        let group = WaitGroup::new();
        let data = Arc::new(Plain::new(0));
        thread::spawn({
            let (group, data) = (group.clone(), Arc::clone(&data));
            move || {
                drop(group);
                data.set(1);
            }
        });
        group.wait();
        data.get()
    };
    fails(program, Class::DataRace, "");
}

#[test]
fn a_member_that_is_kept_fails() {
    deadlocks(|| {
        let group = WaitGroup::new();
        let _kept = group.clone();
        group.wait();
    });
}

#[test]
fn a_sharded_lock_excludes_holds() {
    holds(|| {
        let lock = both(ShardedLock::new(0), |lock| {
            *lock.write().unwrap() += 1;
            assert!(*lock.read().unwrap() > 0);
        });
        assert_eq!(*lock.read().unwrap(), 2);
    });
}

#[test]
fn reading_a_sharded_lock_and_then_writing_what_was_read_fails() {
    let program = || {
        let lock = both(ShardedLock::new(0), |lock| {
            let seen = *lock.read().unwrap();
            *lock.write().unwrap() = seen + 1;
        });
        assert_eq!(*lock.read().unwrap(), 2, "one was lost");
    };
    fails(program, Class::Assertion, "one was lost");
}

#[test]
fn a_cell_adds_in_one_step_holds() {
    holds(|| {
        let cell = both(AtomicCell::new(0_u64), |cell| {
            cell.fetch_add(1);
        });
        assert_eq!(cell.load(), 2);
    });
    holds(|| {
        let cell = both(AtomicCell::new((0_u8, 0_u32)), |cell| {
            let added = cell.fetch_update(|(first, second)| Some((first + 1, second + 2)));
            assert!(added.is_ok());
        });
        assert_eq!(cell.load(), (2, 4));
    });
}

#[test]
fn loading_a_cell_and_then_storing_fails() {
    let program = || {
        let cell = both(AtomicCell::new(0_i8), |cell| cell.store(cell.load() + 1));
        assert_eq!(cell.load(), 2, "one was lost");
    };
    fails(program, Class::Assertion, "one was lost");
}

/// Each value is taken out once, and dropped once.
#[test]
fn a_cell_hands_over_what_it_owns_holds() {
    holds(|| {
        let owner = Arc::new(());
        let cell = Arc::new(AtomicCell::new(None));
        let other = thread::spawn({
            let (cell, owner) = (Arc::clone(&cell), Arc::clone(&owner));
            move || {
                cell.store(Some(Arc::clone(&owner)));
                cell.swap(Some(owner)).is_some()
            }
        });
        let mine = cell.take().is_some();
        let theirs = other.join().unwrap();
        let left = cell.take().is_some();
        assert_eq!([mine, theirs, left].map(u8::from).iter().sum::<u8>(), 2);
        drop(cell);
        assert_eq!(Arc::strong_count(&owner), 1);
        let cell = AtomicCell::new(Box::new(1));
        cell.store(Box::new(2));
        assert_eq!(*cell.into_inner(), 2);
    });
}

#[test]
fn only_one_exchanges_holds() {
    holds(|| {
        let won = both((AtomicCell::new(0_u32), AtomicCell::new(0_u32)), |cells| {
            if cells.0.compare_exchange(0, 1).is_ok() {
                cells.1.fetch_add(1);
            }
        });
        assert_eq!((won.0.load(), won.1.load()), (1, 1));
    });
}

#[test]
fn what_was_done_before_a_store_into_a_cell_is_seen_holds() {
    holds(|| {
        let shared = Arc::new((AtomicCell::new(false), Plain::new(0)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.1.set(1);
                shared.0.store(true);
            }
        });
        while !shared.0.load() {
            thread::yield_now();
        }
        assert_eq!(shared.1.get(), 1);
        other.join().unwrap();
    });
}

/// Cells acquire and release, but are not sequentially consistent.
#[test]
fn two_who_store_and_then_look_at_each_other_fail() {
    let program = || {
        let cells = Arc::new([AtomicCell::new(0_u8), AtomicCell::new(0)]);
        let other = thread::spawn({
            let cells = Arc::clone(&cells);
            move || {
                cells[1].store(1);
                cells[0].load()
            }
        });
        cells[0].store(1);
        let mine = cells[1].load();
        assert!(mine + other.join().unwrap() > 0, "neither saw the other");
    };
    fails(program, Class::Assertion, "neither saw the other");
}

#[test]
fn a_queue_loses_and_doubles_nothing_holds() {
    holds(|| {
        let queue = both(SegQueue::new(), |queue| {
            queue.push(1);
            assert!(queue.pop().is_some());
        });
        assert!(queue.is_empty());
        let queue = both(ArrayQueue::new(1), |queue| {
            let _ = queue.push(1);
        });
        assert_eq!((queue.len(), queue.pop(), queue.pop()), (1, Some(1), None));
        assert_eq!((queue.force_push(1), queue.force_push(2)), (None, Some(1)));
    });
}

#[test]
fn counting_on_room_fails() {
    let program = || {
        both(ArrayQueue::new(1), |queue| {
            queue.push(1).expect("there is room");
            queue.pop();
        });
    };
    fails(program, Class::Panic, "there is room");
}

#[test]
fn a_time_out_of_a_select_may_come_first_or_last() {
    let program = || {
        let (to, from) = bounded(1);
        let other = thread::spawn(move || {
            let _ = to.send(1);
        });
        let got = select! {
            recv(from) -> value => value.unwrap(),
            recv(after(A_WHILE)) -> _ => 0,
        };
        other.join().unwrap();
        got
    };
    let report = holds(program);
    let mut outcomes: Vec<_> = report.outcomes.iter().map(|o| o.label.clone()).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["0", "1"]);
}

#[test]
fn waiting_for_a_time_out_again_fails() {
    deadlocks(|| {
        let timer = after(A_WHILE);
        timer.recv().unwrap();
        timer.recv()
    });
}

#[test]
fn a_ticker_ticks_again_holds() {
    holds(|| {
        let ticker = tick(A_WHILE);
        ticker.recv().unwrap();
        ticker.recv().unwrap();
    });
    let program = || {
        let ticker = tick(A_WHILE);
        assert!(ticker.try_recv().is_ok(), "too early");
    };
    fails(program, Class::Assertion, "too early");
}

/// A sender that finds room, or a receiver that finds a value.
#[test]
fn what_is_selected_is_sent_or_received_holds() {
    holds(|| {
        let ((to, from_main), (to_main, from)) = (bounded(1), bounded(1));
        let other = thread::spawn(move || {
            to_main.send(1).unwrap();
            from_main.iter().sum::<i32>()
        });
        let (mut sent, mut received) = (0, 0);
        while sent + received < 2 {
            select! {
                send(to, 5) -> result => {
                    result.unwrap();
                    sent += 1;
                }
                recv(from) -> value => received += value.map_or(1, |value| value),
            }
        }
        drop(to);
        assert_eq!(other.join().unwrap(), 5 * sent);
    });
}

#[test]
fn sending_to_whoever_is_gone_is_an_error_holds() {
    holds(|| {
        let (to, from) = bounded::<u8>(1);
        let other = thread::spawn(move || drop(from));
        to.send(1).ok();
        select! {
            send(to, 2) -> result => assert!(result.is_err()),
        }
        other.join().unwrap();
    });
}

#[test]
fn a_select_without_room_fails() {
    deadlocks(|| {
        let (to, from) = bounded(1);
        let (_kept, nothing) = unbounded::<u8>();
        to.send(1).unwrap();
        select! {
            send(to, 2) -> _ => {}
            recv(nothing) -> _ => {}
        }
        from.recv()
    });
}

/// The value is made only if it is sent.
#[test]
fn a_rendezvous_within_a_select_meets_who_waits_holds() {
    holds(|| {
        let (to, from) = bounded(0);
        let other = thread::spawn(move || from.recv().unwrap());
        select! {
            send(to, 1) -> result => result.unwrap(),
        }
        assert_eq!(other.join().unwrap(), 1);
    });
    deadlocks(|| {
        let (to, _from) = bounded(0);
        select! {
            send(to, 1) -> _ => {}
        }
    });
}

/// Selects among several receivers, whichever is ready.
fn any(channels: &[channel::Receiver<u32>]) -> u32 {
    let mut select = Select::new();
    for channel in channels {
        select.recv(channel);
    }
    let selected = select.select();
    let index = selected.index();
    selected.recv(&channels[index]).unwrap()
}

#[test]
fn whichever_is_ready_is_selected_holds() {
    let program = || {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            [(); 2].map(|()| unbounded()).into_iter().unzip();
        let mut value = 0;
        let others = senders.into_iter().map(|to| {
            value += 1;
            thread::spawn(move || to.send(value).unwrap())
        });
        let others: Vec<_> = others.collect();
        let got = any(&receivers);
        for other in others {
            other.join().unwrap();
        }
        assert!(Select::new().try_select().is_err());
        got
    };
    let report = holds(program);
    let mut outcomes: Vec<_> = report.outcomes.iter().map(|o| o.label.clone()).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["1", "2"]);
}

#[test]
fn counting_on_the_first_of_a_select_fails() {
    let program = || {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            [(); 2].map(|()| unbounded()).into_iter().unzip();
        for (value, to) in senders.iter().enumerate() {
            to.send(value as u32).unwrap();
        }
        assert_eq!(any(&receivers), 0, "the first has no precedence");
    };
    fails(program, Class::Assertion, "the first has no precedence");
}

/// What is ready for one thread may be gone when the thread takes it.
#[test]
fn taking_what_was_ready_without_a_look_fails() {
    let ready = |take: fn(&channel::Receiver<u32>)| {
        move || {
            let (to, from) = unbounded();
            to.send(1).unwrap();
            let other = thread::spawn({
                let from = from.clone();
                move || from.try_recv().is_ok()
            });
            let mut select = Select::new();
            select.recv(&from);
            if select.try_ready() == Ok(0) {
                take(&from);
            }
            other.join().unwrap();
        }
    };
    holds(ready(|from| {
        let _ = from.try_recv();
    }));
    let program = ready(|from| {
        from.try_recv().expect("it was ready");
    });
    fails(program, Class::Panic, "it was ready");
}

#[test]
fn a_selected_send_is_done_holds() {
    holds(|| {
        let (to, from) = bounded(1);
        let mut select = Select::new();
        select.send(&to);
        let selected = select.try_select().expect("there is room");
        assert!(to.is_empty());
        selected.send(&to, 1).unwrap();
        assert!(select.select_timeout(A_WHILE).is_err() && select.try_ready().is_err());
        assert_eq!(from.recv(), Ok(1));
    });
}
