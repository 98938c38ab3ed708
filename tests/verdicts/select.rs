//! The guarantees of crossbeam's `select!`: it takes any of the ready ones, and no value is lost.

use crate::A_WHILE;
use crate::judged::{Plain, deadlocks, fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::crossbeam::channel::{self, Receiver, bounded, never, select, unbounded};
use heisenbug::sync::Arc;
use heisenbug::thread;
use std::time::Duration;

/// One thread sends 1 on one channel, another one 2 on another; main receives in that way.
fn sent<R: std::fmt::Debug + 'static>(
    receive: fn(&Receiver<u32>, &Receiver<u32>) -> R,
) -> impl Fn() -> R + Send + Sync + 'static {
    move || {
        let (first, from_first) = unbounded();
        let (second, from_second) = unbounded();
        let senders = [(first, 1), (second, 2)]
            .map(|(to, value)| thread::spawn(move || to.send(value).unwrap()));
        let got = receive(&from_first, &from_second);
        for sender in senders {
            sender.join().unwrap();
        }
        got
    }
}

/// The outcomes of a program that holds.
fn outcomes<R: std::fmt::Debug>(program: impl Fn() -> R + Send + Sync + 'static) -> Vec<String> {
    let report = holds(program);
    let mut outcomes: Vec<String> = report.outcomes.iter().map(|o| o.label.clone()).collect();
    outcomes.sort();
    outcomes
}

fn either(first: &Receiver<u32>, second: &Receiver<u32>) -> u32 {
    select! {
        recv(first) -> value => value.unwrap(),
        recv(second) -> value => value.unwrap(),
    }
}

#[test]
fn whichever_is_ready_is_received_holds() {
    assert_eq!(outcomes(sent(either)), ["1", "2"]);
    let both = sent(|first, second| (either(first, second) + 10, 3));
    assert_eq!(outcomes(both), ["(11, 3)", "(12, 3)"]);
}

#[test]
fn of_two_that_are_ready_either_is_taken_holds() {
    let program = || {
        let ((first, from_first), (second, from_second)) = (bounded(1), bounded(1));
        first.send(1).unwrap();
        second.send(2).unwrap();
        (
            either(&from_first, &from_second),
            from_first.len(),
            from_second.len(),
        )
    };
    assert_eq!(outcomes(program), ["(1, 0, 1)", "(2, 1, 0)"]);
}

#[test]
fn counting_on_the_first_arm_fails() {
    let program = || {
        let ((first, from_first), (second, from_second)) = (bounded(1), bounded(1));
        first.send(1).unwrap();
        second.send(2).unwrap();
        assert_eq!(
            either(&from_first, &from_second),
            1,
            "the first has no precedence"
        );
    };
    fails(program, Class::Assertion, "the first has no precedence");
}

#[test]
fn what_was_selected_brings_along_what_came_before_holds() {
    holds(|| {
        let (to, from) = unbounded();
        let data = Arc::new(Plain::new(0));
        let other = thread::spawn({
            let data = Arc::clone(&data);
            move || {
                data.set(1);
                to.send(()).unwrap();
            }
        });
        select! {
            recv(never::<()>()) -> _ => unreachable!(),
            recv(from) -> _ => {}
        }
        assert_eq!(data.get(), 1);
        other.join().unwrap();
    });
}

#[test]
fn reading_before_what_was_selected_fails() {
    let program = || {
        let (to, from) = unbounded();
        let data = Arc::new(Plain::new(0));
        let other = thread::spawn({
            let data = Arc::clone(&data);
            move || {
                to.send(()).unwrap();
                data.set(1);
            }
        });
        select! { recv(from) -> _ => {} }
        data.get();
        other.join().unwrap();
    };
    fails(program, Class::DataRace, "");
}

/// Two select from the same channel, into which two values go.
#[test]
fn two_who_select_get_a_value_each_holds() {
    let program = || {
        let (to, from) = unbounded();
        let (_kept, nothing) = unbounded();
        let other = thread::spawn({
            let (from, nothing) = (from.clone(), nothing.clone());
            move || either(&from, &nothing)
        });
        to.send(1).unwrap();
        to.send(2).unwrap();
        (either(&nothing, &from), other.join().unwrap())
    };
    assert_eq!(outcomes(program), ["(1, 2)", "(2, 1)"]);
}

/// Two threads select, and one value comes: a woken thread may find it gone.
#[test]
fn one_value_for_two_who_select_fails() {
    deadlocks(|| {
        let (to, from) = unbounded();
        let (_kept, nothing) = unbounded();
        let other = thread::spawn({
            let (from, nothing) = (from.clone(), nothing.clone());
            move || either(&from, &nothing)
        });
        to.send(1).unwrap();
        either(&nothing, &from);
        other.join().unwrap();
    });
}

#[test]
fn selecting_from_channels_into_which_nobody_sends_fails() {
    deadlocks(|| {
        let ((_first, from_first), (_second, from_second)) = (bounded(1), bounded(1));
        either(&from_first, &from_second)
    });
}

/// A channel whose senders are gone is ready.
#[test]
fn the_end_of_a_channel_wakes_who_selects_holds() {
    let program = || {
        let (to, from) = unbounded::<u32>();
        let (_kept, nothing) = unbounded::<u32>();
        let other = thread::spawn(move || drop(to));
        let ended = select! {
            recv(nothing) -> _ => false,
            recv(from) -> value => value.is_err(),
        };
        other.join().unwrap();
        ended
    };
    assert_eq!(outcomes(program), ["true"]);
}

#[test]
fn draining_two_channels_until_both_end_holds() {
    holds(|| {
        let (first, from_first) = bounded(1);
        let (second, from_second) = bounded(0);
        let other = thread::spawn(move || {
            first.send(1).unwrap();
            second.send(2).unwrap();
        });
        let (mut a, mut b) = (Some(from_first), Some(from_second));
        let (mut sum, nothing) = (0, never());
        while a.is_some() || b.is_some() {
            select! {
                recv(a.as_ref().unwrap_or(&nothing)) -> value => match value {
                    Ok(value) => sum += value,
                    Err(_) => a = None,
                },
                recv(b.as_ref().unwrap_or(&nothing)) -> value => match value {
                    Ok(value) => sum += value,
                    Err(_) => b = None,
                },
            }
        }
        assert_eq!(sum, 3);
        other.join().unwrap();
    });
}

#[test]
fn an_end_that_is_taken_for_a_value_fails() {
    let program = || {
        let (stop, stopped) = unbounded::<u32>();
        let (to, from) = unbounded();
        let other = thread::spawn(move || {
            to.send(1).unwrap();
            drop(stop);
        });
        let got = either(&from, &stopped);
        other.join().unwrap();
        got
    };
    fails(program, Class::Panic, "RecvError");
}

#[test]
fn a_default_is_taken_if_none_is_ready_holds() {
    let look = sent(|first, second| {
        select! {
            recv(first) -> value => value.unwrap(),
            recv(second) -> value => value.unwrap(),
            default => 0,
        }
    });
    assert_eq!(outcomes(look), ["0", "1", "2"]);
}

#[test]
fn a_default_is_not_taken_if_one_is_ready_holds() {
    let program = || {
        let (to, from) = unbounded();
        to.send(1).unwrap();
        select! {
            default => { 0 }
            recv(from) -> value => { value.unwrap() }
            recv(never::<u32>()) -> _ => { 2 }
        }
    };
    assert_eq!(outcomes(program), ["1"]);
}

#[test]
fn a_default_after_a_while_may_come_or_not_holds() {
    let wait = sent(|first, second| {
        select! {
            recv(first) -> value => value.unwrap(),
            recv(second) -> value => value.unwrap(),
            default(A_WHILE) => 0,
        }
    });
    assert_eq!(outcomes(wait), ["0", "1", "2"]);
}

#[test]
fn counting_on_a_value_within_a_while_fails() {
    let wait = sent(|first, second| {
        select! {
            recv(first) -> _ => true,
            recv(second) -> _ => true,
            default(A_WHILE) => false,
        }
    });
    fails(
        move || assert!(wait(), "the time was up"),
        Class::Assertion,
        "the time was up",
    );
}

#[test]
fn a_rendezvous_with_who_selects_holds() {
    let program = || {
        let (to, from) = bounded(0);
        let other = thread::spawn(move || to.send(1).is_ok());
        let got = either(&from, &never());
        (got, other.join().unwrap())
    };
    assert_eq!(outcomes(program), ["(1, true)"]);
}

/// Outside of a check the same code runs unchanged.
#[test]
fn selecting_outside_of_a_check_works() {
    let (to, from) = channel::unbounded();
    let none = select! { recv(from) -> _ => false, default(Duration::ZERO) => true };
    assert!(none);
    let other = thread::spawn(move || to.send(1).unwrap());
    assert_eq!(either(&from, &never()), 1);
    other.join().unwrap();
    assert!(select! { recv(from) -> value => value.is_err() });
}

#[test]
fn a_timeline_shows_what_is_sent_and_received_and_not_the_lock_inside() {
    let report = fails(
        || {
            let (jobs, work) = bounded(2);
            jobs.send(1).unwrap();
            jobs.send(2).unwrap();
            assert_eq!(work.recv(), Ok(2));
        },
        Class::Assertion,
        "left == right",
    );
    let rows: Vec<_> = { report.counterexample.iter() }
        .map(|event| {
            (
                event.call.as_str(),
                event.contents.clone().unwrap_or_default(),
            )
        })
        .collect();
    let contents = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        rows,
        [
            ("send", contents(&["1"])),
            ("send", contents(&["1", "2"])),
            ("recv", contents(&["2"])),
            ("panic", contents(&[])),
        ]
    );
}

#[test]
fn who_waits_for_a_channel_is_stuck_in_its_receive() {
    let report = deadlocks(|| {
        let (jobs, work) = unbounded::<u32>();
        let kept = jobs.clone();
        let worker = thread::spawn(move || work.recv());
        worker.join().unwrap().unwrap();
        drop((jobs, kept));
    });
    let stuck = &report.blocked;
    assert!(
        stuck
            .iter()
            .any(|blocked| blocked.call == "recv" && blocked.object.as_deref() == Some("jobs")),
        "{stuck:?}"
    );
}
