//! Machines on a network: what a check of them finds, and what it says where it cannot know.

use heisenbug::catalogue::Class;
use heisenbug::net::{Machine, System};
use heisenbug::{Checker, Report, Verdict, check, explain};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn labels(report: &Report) -> Vec<(&str, u64)> {
    let outcomes = report.outcomes.iter();
    let mut labels: Vec<_> = outcomes
        .map(|outcome| (outcome.label.as_str(), outcome.count))
        .collect();
    labels.sort_unstable();
    labels
}

fn needed(report: &Report) -> Option<Vec<String>> {
    report
        .network
        .as_ref()
        .and_then(|network| network.needed.clone())
}

/// Two clients send their names, and a server keeps the order.
fn two_clients() -> System {
    System::new()
        .machine("server", |me| {
            let first: (_, String) = me.receive();
            let second: (_, String) = me.receive();
            format!("{} {}", first.1, second.1)
        })
        .machine("ann", |me| me.send("server", "ann".to_owned()))
        .machine("bob", |me| me.send("server", "bob".to_owned()))
}

#[test]
fn messages_arrive_in_every_order() {
    let report = check(|| two_clients().outcome(|end| end.returned("server").unwrap_or_default()));
    report.assert_holds();
    assert_eq!(labels(&report), [("ann bob", 1), ("bob ann", 1)]);
}

#[test]
fn a_message_is_lost_only_if_that_is_allowed() {
    let program = |losses: u8| {
        move || {
            let answered = |end: &heisenbug::net::End<'_, ()>| {
                end.returned("server")
                    .map_or("waits", |_| "answered")
                    .to_owned()
            };
            two_clients().losses(losses).outcome(answered)
        }
    };
    assert_eq!(labels(&check(program(0))), [("answered", 2)]);
    let lossy = check(program(1));
    assert!(
        labels(&lossy).iter().any(|(label, _)| *label == "waits"),
        "{lossy}"
    );
}

#[test]
fn a_failure_has_as_few_faults_as_possible() {
    let report = check(|| {
        System::new()
            .machine("server", |me| {
                me.disk().write("file", "kept");
                let _: (_, u8) = me.receive();
            })
            .machine("client", |me| me.send("server", 1_u8))
            .losses(2)
            .duplicates(2)
            .crashes(2, &["server"])
            .outcome(|end| {
                assert!(end.returned("server").is_some(), "nobody hears");
                "heard".to_owned()
            })
    });
    assert!(report.fails(), "{report}");
    assert_eq!(report.outcome.as_deref(), Some("nobody hears"));
    assert_eq!(
        needed(&report).map(|faults| faults.len()),
        Some(1),
        "{report}"
    );
    assert_eq!(
        report.network.as_ref().map(|network| network.allowed.len()),
        Some(3)
    );
}

#[test]
fn a_crash_leaves_what_was_synced() {
    let report = check(|| {
        System::new()
            .machine("server", |me| {
                if let Some(left) = me.disk().read("file") {
                    return left;
                }
                me.disk().write("file", "whole");
                me.disk().sync("file").expect("the disk works");
                me.disk().sync_dir();
                me.choose(1);
                "no crash".to_owned()
            })
            .crashes(1, &["server"])
            .outcome(|end| end.returned("server").unwrap_or_default())
    });
    let mut seen: Vec<&str> = labels(&report)
        .into_iter()
        .map(|(label, _)| label)
        .collect();
    seen.dedup();
    // Torn, whole, or as if it had never run.
    assert_eq!(seen.len(), 3 + usize::from(seen.contains(&"")), "{seen:?}");
    assert!(
        seen.contains(&"whole") && seen.contains(&"no crash"),
        "{seen:?}"
    );
}

#[test]
fn a_sync_that_fails_is_not_made_up_for() {
    let report = check(|| {
        System::new()
            .machine("server", |me| {
                if me.disk().read("started").is_some() {
                    return me
                        .disk()
                        .read("file")
                        .unwrap_or_else(|| "nothing".to_owned());
                }
                me.disk().write("file", "data");
                let first = me.disk().sync("file").is_ok();
                let second = me.disk().sync("file").is_ok();
                me.disk().write("started", "yes");
                me.disk().sync("started").expect("one failure is allowed");
                me.disk().sync_dir();
                me.sleep(SECOND);
                format!("{first} {second}")
            })
            .disk_errors(1)
            .crashes(1, &["server"])
            .outcome(|end| end.returned("server").unwrap_or_default())
    });
    let seen: Vec<&str> = labels(&report)
        .into_iter()
        .map(|(label, _)| label)
        .collect();
    assert!(seen.contains(&"false true"), "{seen:?}");
    assert!(!seen.iter().all(|label| *label == "data"), "{seen:?}");
}

#[test]
fn a_panic_of_a_machine_is_a_result() {
    let report = check(|| {
        two_clients()
            .machine("judge", |_| panic!("out of order"))
            .outcome(|_| "quiet".to_owned())
    });
    assert_eq!(report.class, Some(Class::Panic));
    assert_eq!(report.outcome.as_deref(), Some("out of order"));
}

#[test]
fn an_assertion_about_the_end_is_a_result() {
    let report = check(|| {
        two_clients().outcome(|end| {
            assert_eq!(end.returned("server").as_deref(), Some("ann bob"));
            "in order".to_owned()
        })
    });
    assert_eq!(report.class, Some(Class::Assertion), "{report}");
    assert!(report.fails());
}

#[test]
fn who_watches_ends_the_run() {
    let report = check(|| {
        System::new()
            .machine("ann", |me: &Machine| me.tell(1_u32))
            .machine("bob", |me: &Machine| me.tell(2_u32))
            .watch(0_u32, |last, who, told: &u32| match *told < *last {
                true => Err(format!("{who} came late")),
                false => {
                    *last = *told;
                    Ok(())
                }
            })
            .outcome(|end| format!("last {}", end.seen()))
    });
    assert_eq!(labels(&report), [("ann came late", 1), ("last 2", 1)]);
    assert!(report.fails());
}

#[test]
fn a_timer_fires_last_unless_one_may_be_early() {
    let program = |early: u8| {
        move || {
            System::new()
                .machine("ann", |me| match me.receive_timeout::<u8>(SECOND) {
                    Some(_) => "heard",
                    None => "timed out",
                })
                .machine("bob", |me| me.send("ann", 1_u8))
                .early_timers(early)
                .outcome(|end| end.returned("ann").unwrap_or_default())
        }
    };
    assert_eq!(labels(&check(program(0))), [("heard", 1)]);
    assert_eq!(check(program(1)).outcomes.len(), 2);
}

#[test]
fn clocks_differ_by_what_is_allowed() {
    let report = check(|| {
        System::new()
            .machine("ann", |me| {
                let time = me.now();
                me.send("bob", time);
            })
            .machine("bob", |me| {
                let (_, earlier): (_, u64) = me.receive();
                if me.now() < earlier {
                    "backwards"
                } else {
                    "forwards"
                }
            })
            .skew("ann", 50)
            .outcome(|end| end.returned("bob").unwrap_or_default())
    });
    assert_eq!(report.outcomes.len(), 2, "{report}");
}

#[test]
fn machines_that_go_on_for_ever_without_a_fault_are_a_livelock() {
    let ping = |me: &Machine, other: &str| -> u8 {
        loop {
            let _: (_, u8) = me.remember(&()).receive();
            me.send(other, 0_u8);
        }
    };
    let report = check(move || {
        System::new()
            .machine("ann", move |me| ping(me, "bob"))
            .machine("bob", move |me| {
                me.send("ann", 0_u8);
                ping(me, "ann")
            })
            .outcome(|_| "ends".to_owned())
    });
    assert_eq!(report.class, Some(Class::Livelock), "{report}");
}

#[test]
fn a_livelock_after_a_fault_says_which_one() {
    let report = check(|| {
        System::new()
            .machine("ann", |me| {
                me.send("bob", 0_u8);
                while { me.remember(&()).receive_timeout::<u8>(SECOND) }.is_none() {}
            })
            .machine("bob", |me| {
                let (ann, _) = me.receive::<u8>();
                me.send(ann, 0_u8);
            })
            .losses(1)
            .outcome(|_| "ends".to_owned())
    });
    assert_eq!(report.class, Some(Class::Livelock), "{report}");
    let needed = report
        .network
        .as_ref()
        .and_then(|network| network.needed.as_deref());
    assert_eq!(needed, Some(&["1 loss".to_owned()][..]), "{report}");
}

#[test]
fn a_machine_that_depends_on_something_else_is_unknown() {
    static STARTS: AtomicU32 = AtomicU32::new(0);
    let report = check(|| {
        System::new()
            .machine("ann", |me| {
                let number = STARTS.fetch_add(1, Relaxed);
                me.send("bob", number);
                me.sleep(SECOND);
            })
            .machine("bob", |me| me.receive::<u32>().1)
            .outcome(|_| "ends".to_owned())
    });
    assert_eq!(report.verdict, Verdict::Unknown, "{report}");
    let why = report.stopped.unwrap_or_default();
    assert!(why.contains("ann did something else"), "{why}");
}

#[test]
fn what_a_machine_forgets_to_remember_is_noticed() {
    let report = check(|| {
        System::new()
            .machine("server", |me| {
                let mut sum = 0;
                loop {
                    // The sum matters, too.
                    let (who, number): (_, u32) = me.remember(&()).receive();
                    sum += number;
                    me.send(who, sum);
                }
            })
            .machine("ann", |me| {
                me.send("server", 1_u32);
                me.receive::<u32>().1
            })
            .machine("bob", |me| {
                me.send("server", 2_u32);
                me.receive::<u32>().1
            })
            .outcome(|_| "ends".to_owned())
    });
    assert_eq!(report.verdict, Verdict::Unknown, "{report}");
    let why = report.stopped.unwrap_or_default();
    assert!(why.contains("is not all that it remembers"), "{why}");
}

#[test]
fn a_server_without_a_memory_is_bounded_by_the_limit() {
    let report = Checker::new().max_executions(2_000).check(|| {
        System::new()
            .machine("server", |me| -> () {
                loop {
                    me.sleep(SECOND);
                }
            })
            .outcome(|_| "ends".to_owned())
    });
    assert_eq!(report.verdict, Verdict::Unknown, "{report}");
}

#[test]
fn a_wrong_name_is_the_senders_mistake() {
    let report = check(|| {
        System::new()
            .machine("ann", |me| me.send("bbo", ()))
            .machine("bob", |_| ())
            .outcome(|_| "ends".to_owned())
    });
    let outcome = report.outcome.unwrap_or_default();
    assert!(outcome.contains("there is no machine bbo"), "{outcome}");
}

#[test]
fn a_message_of_another_type_is_named_without_its_modules() {
    #[derive(Clone, Debug)]
    struct Order;
    let report = check(|| {
        System::new()
            .machine("ann", |me| me.send("bob", 7_u8))
            .machine("bob", |me| me.receive::<Vec<Order>>().0)
            .outcome(|_| "ends".to_owned())
    });
    let outcome = report.outcome.unwrap_or_default();
    assert_eq!(outcome, "the message from ann is no Vec<Order>");
}

#[test]
fn a_failure_runs_again_by_its_token() {
    let program = || {
        two_clients().outcome(|end| {
            assert_eq!(end.returned("server").as_deref(), Some("ann bob"));
            "in order".to_owned()
        })
    };
    let first = check(program);
    let token = first.token.clone().expect("it fails");
    let again = Checker::new()
        .replay(&token)
        .expect("a token")
        .check(program);
    assert_eq!(again.counterexample, first.counterexample);
    assert!(again.fails());
    let another = Checker::new().replay("A").expect("a token").check(program);
    assert_eq!(another.verdict, Verdict::Unknown);
}

#[test]
fn the_same_check_comes_to_the_same_each_time() {
    let program = || {
        two_clients()
            .losses(1)
            .duplicates(1)
            .outcome(|end| end.returned("server").unwrap_or_else(|| "waits".to_owned()))
    };
    let told = |report: Report| {
        explain::report(
            &Report {
                millis: 0,
                ..report
            },
            100,
        )
    };
    assert_eq!(told(check(program)), told(check(program)));
}

/// A writer, and a reader that tells the sizes of what it reads.
fn stream() -> System {
    System::new()
        .machine("writer", |me| {
            let mut out = me.stream("bytes");
            out.write_all("abc").unwrap();
            out.write_all("de").unwrap();
        })
        .machine("reader", |me| {
            let mut bytes = me.stream("bytes");
            let mut buffer = [0; 8];
            let mut pieces = Vec::new();
            while let Ok(read @ 1..) = bytes.read(&mut buffer) {
                pieces.push(String::from_utf8_lossy(&buffer[..read]).into_owned());
            }
            pieces.join("|")
        })
        .stream("bytes", &["writer"], "reader")
}

#[test]
fn a_stream_arrives_in_order_in_pieces_of_every_size() {
    let report = check(|| stream().outcome(|end| end.returned("reader").unwrap_or_default()));
    report.assert_holds();
    // Between any two of five bytes the stream may be cut.
    assert_eq!(report.outcomes.len(), 16);
    let texts = labels(&report).into_iter().map(|(label, _)| label);
    assert!(
        texts
            .map(|text| text.replace('|', ""))
            .all(|text| text == "abcde")
    );
}

#[test]
fn a_machine_with_a_stream_must_not_crash() {
    let report = check(|| stream().crashes(1, &["reader"]).outcome(|_| String::new()));
    assert_eq!(report.verdict, Verdict::Fails);
    let message = report.message.unwrap();
    assert!(
        message.contains("reader must not crash: it has the stream bytes"),
        "{message}"
    );
}

#[test]
fn who_may_not_write_to_a_stream_is_told_so() {
    let report = check(|| {
        stream()
            .machine("other", |me| {
                me.stream("bytes").write_all("x").unwrap();
            })
            .outcome(|_| "no failure".to_owned())
    });
    let message = report.message.unwrap();
    assert!(
        message.contains("other does not write to the stream bytes"),
        "{message}"
    );
}

/// Asks, and asks again if there is no answer.
fn asks_again(losses: u8) -> System {
    System::new()
        .machine("server", |me| {
            loop {
                let (client, ()) = me.remember(&()).receive();
                me.send(client, ());
            }
        })
        .machine("client", |me| {
            me.send("server", ());
            while me.receive_timeout::<()>(SECOND).is_none() {
                me.reach("asks again");
                me.send("server", ());
            }
        })
        .losses(losses)
        .reaches("asks again")
}

#[test]
fn what_must_happen_in_some_run_happens_or_is_named() {
    check(|| asks_again(1).outcome(|_| "done".to_owned())).assert_holds();
    let report = check(|| asks_again(0).outcome(|_| "done".to_owned()));
    assert_eq!(report.verdict, Verdict::Fails);
    assert_eq!(report.outcome.as_deref(), Some("never: asks again"));
    let text = explain::report(&report, 100);
    assert!(
        text.contains("it must happen in some run, and happens in none: asks again"),
        "{text}"
    );
}

#[test]
fn an_assertion_with_a_message_of_its_own_is_one() {
    let in_a_machine = || {
        let system = System::new().machine("a", |me| {
            assert!(me.choose(2) == 0, "it chose the other way");
        });
        system.outcome(|_| "done".to_owned())
    };
    let in_the_judge = || {
        System::new().machine("a", |_| 1).outcome(|end| {
            assert!(end.returned("a").is_none(), "it has returned");
            "done".to_owned()
        })
    };
    for (report, message) in [
        (check(in_a_machine), "it chose the other way"),
        (check(in_the_judge), "it has returned"),
    ] {
        assert_eq!(report.class, Some(Class::Assertion), "{message}");
        assert_eq!(report.outcome.as_deref(), Some(message));
    }
}

#[test]
fn a_panic_of_whoever_watches_is_a_result() {
    let report = check(|| {
        System::new()
            .machine("a", |me| me.tell(7))
            .watch((), |_, _, told: &i32| {
                assert!(*told < 5, "it tells {told}");
                Ok(())
            })
            .outcome(|_| "done".to_owned())
    });
    assert_eq!(report.outcome.as_deref(), Some("it tells 7"), "{report:?}");
    assert_eq!(report.class, Some(Class::Assertion));
}

#[test]
fn what_a_machine_does_while_it_is_thrown_away_is_not_reached() {
    let report = check(|| {
        System::new()
            .machine("a", |me| {
                let waits = AssertUnwindSafe(|| me.receive::<()>());
                if catch_unwind(waits).is_err() {
                    me.reach("the end");
                }
            })
            .reaches("the end")
            .outcome(|_| "waits".to_owned())
    });
    assert_eq!(report.outcome.as_deref(), Some("never: the end"));
}

#[test]
fn two_machines_of_one_name_are_refused() {
    let report = check(|| {
        let system = System::new().machine("a", |_| ()).machine("a", |_| ());
        system.outcome(|_| "done".to_owned())
    });
    let message = report.message.unwrap();
    assert!(message.contains("there are two machines a"), "{message}");
}
