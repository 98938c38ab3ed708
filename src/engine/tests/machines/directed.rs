//! What is easily got wrong, one test each.

use crate::support::machine::*;
use heisenbug_engine::machines::{
    CLOCK_START, CLOCK_STEP, Faults, Label, Machine, Options, Program, Stopped, Timers, What,
    explore, record,
};
use std::cell::Cell;

/// The order in which machines observe, at the end.
fn order_of_observations(machines: Vec<Machine>) -> Program {
    let count = machines.len();
    program(machines, Vec::new(), move |order, who, _| {
        order.push(who);
        match order.len() == count {
            true => Err(format!("{order:?}")),
            false => Ok(()),
        }
    })
}

#[test]
fn an_observation_at_the_very_start_is_in_every_order_with_others() {
    let observes = || machine("observes", || observe(&[0]));
    let program = order_of_observations(vec![observes(), observes()]);
    let found = explore_all(&program);
    assert_eq!(labels(&found), ["monitor: [0, 1]", "monitor: [1, 0]"]);
}

#[test]
fn two_observations_of_one_machine_have_others_between_them() {
    let twice = machine("twice", || {
        observe(&[0]);
        observe(&[0]);
    });
    let once = machine("once", || observe(&[0]));
    let found = explore_all(&program(vec![twice, once], Vec::new(), |order, who, _| {
        order.push(who);
        match order.len() == 3 {
            true => Err(format!("{order:?}")),
            false => Ok(()),
        }
    }));
    let all = [
        "monitor: [0, 0, 1]",
        "monitor: [0, 1, 0]",
        "monitor: [1, 0, 0]",
    ];
    assert_eq!(labels(&found), all);
}

#[test]
fn a_machine_may_stop_between_two_sends() {
    let mut sends = machine("sends", || {
        send(1, &[1]);
        send(1, &[2]);
    });
    sends.stops = true;
    let receives = machine("receives", || {
        receive();
        observe(&[0]);
        receive();
        observe(&[0]);
    });
    let mut program = unobserved(vec![sends, receives]);
    program.faults.stops = 1;
    program.judge = Box::new(|end| {
        format!("{:?}", end.machines[1].fate)
            .chars()
            .take(5)
            .collect()
    });
    program.monitor.replace(Box::new(Counter));
    let judge = |end: &heisenbug_engine::machines::End<'_>| format!("{} observed", end.monitor);
    program.judge = Box::new(judge);
    let found = explore_all(&program);
    assert_eq!(labels(&found), ["0 observed", "1 observed", "2 observed"]);
}

/// Counts observations.
struct Counter;

impl heisenbug_engine::machines::Monitor for Counter {
    fn observe(&mut self, state: u32, _: usize, _: &[u8]) -> Result<u32, String> {
        Ok(state + 1)
    }
}

#[test]
fn a_message_comes_again_although_its_receiver_crashes_in_between() {
    let mut receives = machine("receives", || {
        let times = read("times").len();
        if times == 1 {
            receive();
            panic!("it came again");
        }
        receive();
        append("times", &[1]);
        sync("times");
        send(1, &[0]);
        receive();
        receive();
    });
    receives.crashes = true;
    receives.files = files(&[("times", b"")]);
    let sends = machine("sends", || send(0, &[0]));
    let mut program = unobserved(vec![receives, sends]);
    (program.faults.crashes, program.faults.duplicates) = (1, 1);
    quiet_machines();
    let found = explore_all(&program);
    let again = found
        .ends
        .iter()
        .find(|end| matches!(end.label, Label::Panic { .. }));
    let again = again.expect("it comes again");
    let moments = record(&program, &again.path);
    let received = moments.iter().filter_map(|moment| match moment.what {
        What::Received { number, again, .. } => Some((number, again)),
        _ => None,
    });
    assert_eq!(received.collect::<Vec<_>>(), [(0, false), (0, true)]);
}

/// A machine that sleeps for ever, and another one.
pub fn sees_the_other_machine(options: &Options) -> bool {
    quiet_machines();
    let sleeps = machine("sleeps", || {
        loop {
            remember(0);
            sleep();
        }
    });
    let other = machine("other", || {
        sleep();
        panic!("seen");
    });
    let mut program = unobserved(vec![sleeps, other]);
    program.timers = Timers::Any;
    let found = explore(&program, options, &mut |_| true);
    found
        .ends
        .iter()
        .any(|end| matches!(end.label, Label::Panic { .. }))
}

#[test]
fn a_machine_that_is_busy_with_itself_for_ever_does_not_hide_others() {
    assert!(sees_the_other_machine(&Options::default()));
}

/// A state that an early timer and a loss lead to, and from which only a second loss leads on. The way with
/// the early timer is longer.
pub fn loses_after_an_early_timer(options: &Options) -> bool {
    let asks = machine_with_result("asks", || {
        if receive_timeout().is_some() {
            return "served".to_owned();
        }
        if receive_timeout().is_some() {
            choose(1);
            choose(1);
        }
        send(1, &[0]);
        remember(0);
        receive();
        "served".to_owned()
    });
    let serves = machine("serves", || {
        send(0, &[0]);
        receive();
        send(0, &[0]);
    });
    let mut program = unobserved(vec![asks, serves]);
    (program.faults.losses, program.faults.early) = (1, 1);
    program.judge = Box::new(|end| {
        format!("{:?}", end.machines[0].fate)
            .chars()
            .take(5)
            .collect()
    });
    let found = explore(&program, options, &mut |_| true);
    found.ends.iter().any(|end| text(&end.label) == "Waits")
}

#[test]
fn faults_of_one_kind_do_not_stand_for_those_of_another() {
    assert!(loses_after_an_early_timer(&Options::default()));
}

#[test]
fn a_time_out_needs_a_loss_or_an_early_timer() {
    let waits = machine_with_result("waits", || format!("{:?}", receive_timeout().is_some()));
    let sends = machine("sends", || send(0, &[0]));
    let mut program = unobserved(vec![waits, sends]);
    program.judge = Box::new(|end| format!("{:?}", end.machines[0].fate));
    let result = |program: &Program| labels(&explore_all(program)).len();
    assert_eq!(result(&program), 1);
    for allowed in [
        Faults {
            losses: 1,
            ..NO_FAULTS
        },
        Faults {
            early: 1,
            ..NO_FAULTS
        },
    ] {
        program.faults = allowed;
        assert_eq!(result(&program), 2, "{allowed:?}");
    }
    (program.faults, program.timers) = (NO_FAULTS, Timers::Any);
    assert_eq!(result(&program), 2);
}

#[test]
fn later_looks_at_clocks_are_later_unless_a_clock_is_wrong() {
    let first = machine("first", || send(1, &(now() as u16).to_le_bytes()));
    let second = || {
        machine_with_result("second", || {
            let before = receive().1;
            let before = u16::from_le_bytes([before[0], before[1]]);
            format!("{}", now() as i64 - i64::from(before))
        })
    };
    let mut program = unobserved(vec![first, second()]);
    program.judge = Box::new(|end| format!("{:?}", end.machines[1].fate));
    let step = CLOCK_STEP as i64;
    assert_eq!(
        labels(&explore_all(&program)),
        [format!("Returned(\"{step}\")")]
    );
    program.machines[1].skew = 2 * CLOCK_STEP;
    let mut expected = [-step, step, 3 * step].map(|value| format!("Returned(\"{value}\")"));
    expected.sort();
    assert_eq!(labels(&explore_all(&program)), expected);
    let found = explore_all(&program);
    let moments = record(&program, &found.ends[0].path);
    let clock = moments
        .iter()
        .find(|moment| matches!(moment.what, What::Clock(_)));
    assert_eq!(
        clock.map(|moment| &moment.what),
        Some(&What::Clock(CLOCK_START))
    );
}

#[test]
fn a_machine_that_is_not_deterministic_is_found_out() {
    let count = Cell::new(0);
    let counts = machine("counts", move || {
        count.set(count.get() + 1);
        send(0, &[count.get()]);
    });
    let found = explore(&unobserved(vec![counts]), &Options::default(), &mut |_| {
        true
    });
    let Err(Stopped::Nondeterministic { machine, at }) = found.complete else {
        panic!("{:?}", found.complete);
    };
    assert_eq!(machine, 0);
    assert!(at.is_some_and(|at| at.file().ends_with("directed.rs")));
}

#[test]
fn a_machine_that_never_waits_is_stopped() {
    let sends = machine("sends", || {
        loop {
            send(0, &[0]);
        }
    });
    let found = explore(&unobserved(vec![sends]), &Options::default(), &mut |_| true);
    assert_eq!(found.complete, Err(Stopped::Effects { machine: 0 }));
}

#[test]
fn a_machine_that_forgets_something_is_found_out() {
    let server = |honest: bool| {
        machine("server", move || {
            let mut count = 0;
            loop {
                remember(if honest { count } else { 0 });
                let (who, _) = receive();
                count += 1;
                send(who, &[count]);
            }
        })
    };
    let client = || {
        machine("client", || {
            for _ in 0..2 {
                send(0, &[0]);
                receive();
            }
        })
    };
    let options = Options {
        audit: true,
        ..Options::default()
    };
    let honest = unobserved(vec![server(true), client(), client()]);
    assert_eq!(explore(&honest, &options, &mut |_| true).complete, Ok(()));
    let liar = unobserved(vec![server(false), client(), client()]);
    let complete = explore(&liar, &options, &mut |_| true).complete;
    assert!(
        matches!(complete, Err(Stopped::Forgets { machine: 0, .. })),
        "{complete:?}"
    );
}

#[test]
fn machines_that_never_come_to_an_end_are_a_cycle() {
    let sends_back = |first: bool| {
        machine("sends back", move || {
            if first {
                send(1, &[0]);
            }
            loop {
                remember(0);
                let (who, _) = receive();
                send(who, &[0]);
            }
        })
    };
    let options = Options {
        cycles: true,
        ..Options::default()
    };
    let endless = unobserved(vec![sends_back(true), sends_back(false)]);
    let found = explore(&endless, &options, &mut |_| true);
    assert!(found.ends.is_empty() && found.cycle.is_some());
}

#[test]
fn a_cycle_that_ignores_a_machine_is_none() {
    let sleeps = machine("sleeps", || {
        while steps_left() {
            remember(0);
            sleep();
        }
    });
    // Under way all the time, this ends the cycle when it comes.
    let ends = machine("ends", || send(0, &[1]));
    let mut program = unobserved(vec![sleeps, ends]);
    program.timers = Timers::Any;
    let options = Options {
        cycles: true,
        ..Options::default()
    };
    let found = explore(&program, &options, &mut |_| true);
    assert_eq!(found.complete, Ok(()));
    assert!(found.cycle.is_none() && found.ends.len() == 1);
}

/// Whether no message has come.
fn steps_left() -> bool {
    remember(1);
    receive_timeout().is_none()
}

#[test]
fn the_caller_can_stop() {
    let mut program = crate::support::protocols::lease::program(4, true);
    program.timers = Timers::Any;
    let found = explore(&program, &Options::default(), &mut |_| false);
    assert_eq!((found.complete, found.states), (Err(Stopped::Asked), 100));
}

#[test]
fn a_machine_that_waits_is_dropped_with_what_it_owns() {
    thread_local! {
        static DROPPED: Cell<u32> = const { Cell::new(0) };
    }
    struct Owned;
    impl Drop for Owned {
        fn drop(&mut self) {
            DROPPED.set(DROPPED.get() + 1);
            send(0, &[0]);
        }
    }
    let waits = machine("waits", || {
        let _owned = Owned;
        receive();
    });
    explore_all(&unobserved(vec![waits]));
    assert!(DROPPED.get() > 0);
}

#[test]
fn a_machine_that_catches_all_panics_can_be_thrown_away() {
    let catches = machine("catches", || {
        loop {
            let _ = std::panic::catch_unwind(receive);
        }
    });
    assert_eq!(labels(&explore_all(&unobserved(vec![catches]))), ["ends"]);
}
