//! Judges `aba.rs`: main takes a hook; a guest takes two and gives the first one back.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "aba.rs"
);

fn three_coats() -> String {
    let cloakroom = Arc::new(yours::Cloakroom::new());
    let guest = start("guest", {
        let cloakroom = Arc::clone(&cloakroom);
        move || {
            let first = cloakroom.take();
            let second = cloakroom.take();
            if let Some(first) = first {
                cloakroom.give_back(first);
            }
            second
        }
    });
    let mains = cloakroom.take();
    let guests = guest.join().unwrap();
    // Each hook is now main's, the guest's, or free, and only one of these.
    let all = [mains, guests, cloakroom.take(), cloakroom.take()];
    let count = |hook| all.iter().filter(|taken| **taken == Some(hook)).count();
    match (count(0), count(1), mains) {
        (1, 1, Some(0)) => "main has hook 0",
        (1, 1, Some(_)) => "main has hook 1",
        (1, 1, None) => "main finds no hook",
        (1, 2, _) => "two coats on hook 1",
        _ => "hooks are lost",
    }
    .into()
}

fn a_stack() -> String {
    let cloakroom = yours::Cloakroom::new();
    let mut right = [cloakroom.take(), cloakroom.take()] == [Some(0), Some(1)];
    right &= cloakroom.take().is_none();
    cloakroom.give_back(1);
    right &= cloakroom.take() == Some(1) && cloakroom.take().is_none();
    cloakroom.give_back(1);
    cloakroom.give_back(0);
    right &= [cloakroom.take(), cloakroom.take()] == [Some(0), Some(1)];
    cloakroom.give_back(0);
    cloakroom.give_back(1);
    right &= [cloakroom.take(), cloakroom.take()] == [Some(1), Some(0)];
    kept(right && cloakroom.take().is_none())
}

/// More often than a small version has values.
fn a_busy_evening() -> String {
    let cloakroom = yours::Cloakroom::new();
    for _ in 0..300 {
        let taken = [cloakroom.take(), cloakroom.take()];
        if taken != [Some(0), Some(1)] {
            return kept(false);
        }
        cloakroom.give_back(1);
        cloakroom.give_back(0);
    }
    kept(true)
}

/// As `three_coats`, but the guest plays with hook 0: a version must not come back with it.
fn a_restless_guest() -> String {
    let cloakroom = Arc::new(yours::Cloakroom::new());
    let guest = start("guest", {
        let cloakroom = Arc::clone(&cloakroom);
        move || {
            let (mut first, second) = (cloakroom.take(), cloakroom.take());
            for _ in 0..3 {
                let Some(hook) = first else { break };
                cloakroom.give_back(hook);
                first = cloakroom.take();
            }
            if let Some(first) = first {
                cloakroom.give_back(first);
            }
            second
        }
    });
    let mains = cloakroom.take();
    let guests = guest.join().unwrap();
    match sorted([mains, guests, cloakroom.take(), cloakroom.take()]) {
        [None, None, Some(0), Some(1)] => "every hook once",
        _ => "two coats on one hook, or none",
    }
    .into()
}

fn sorted(mut hooks: [Option<usize>; 4]) -> [Option<usize>; 4] {
    hooks.sort();
    hooks
}

/// There are two hooks, and the guest never has more than one.
fn a_free_hook() -> String {
    let cloakroom = Arc::new(yours::Cloakroom::new());
    let guest = start("guest", {
        let cloakroom = Arc::clone(&cloakroom);
        move || {
            for _ in 0..3 {
                let Some(hook) = cloakroom.take() else {
                    return false;
                };
                cloakroom.give_back(hook);
            }
            true
        }
    });
    let mains = cloakroom.take();
    match mains.is_some() && guest.join().unwrap() {
        true => "both find a hook",
        false => "sent away from a free hook",
    }
    .into()
}

/// Both hooks come back at once.
fn two_come_back() -> String {
    let cloakroom = Arc::new(yours::Cloakroom::new());
    let (Some(mine), Some(theirs)) = (cloakroom.take(), cloakroom.take()) else {
        return "hooks are lost".into();
    };
    let guest = start("guest", {
        let cloakroom = Arc::clone(&cloakroom);
        move || cloakroom.give_back(theirs)
    });
    cloakroom.give_back(mine);
    guest.join().unwrap();
    match sorted([None, cloakroom.take(), cloakroom.take(), cloakroom.take()]) {
        [None, None, Some(0), Some(1)] => "every hook once",
        _ => "hooks are lost",
    }
    .into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("main has hook 0", "every hook was handed out once"),
        Outcome::acceptable("main has hook 1", "every hook was handed out once"),
        Outcome::acceptable("main finds no hook", "the guest had both at that moment"),
        Outcome::forbidden(
            "two coats on hook 1",
            "main made hook 1 the top of the free ones while the guest's coat was on it",
        ),
        Outcome::acceptable("every hook once", "every hook was handed out once"),
        Outcome::acceptable("both find a hook", "there is one for each"),
        Outcome::forbidden(
            "sent away from a free hook",
            "there was a free hook all the time, and someone got none"
        ),
        Outcome::forbidden(
            "two coats on one hook, or none",
            "hook 0 went and came back, and main took it for the same as before",
        ),
        Outcome::forbidden(
            "hooks are lost",
            "a hook belongs to no one, and is not free either"
        ),
    ],
    contract: &[
        Case::promises(
            "the hook that came back last is taken first, and `None` means that none is free",
            a_stack
        ),
        Case::promises(
            "hooks can be taken and given back any number of times",
            a_busy_evening
        ),
    ],
    cases: &[
        Case::holds("three_coats", three_coats).reaches(&[
            "main has hook 0",
            "main has hook 1",
            "main finds no hook"
        ]),
        Case::holds("a_restless_guest", a_restless_guest),
        Case::holds("a_free_hook", a_free_hook),
        Case::holds("two_come_back", two_come_back),
    ],
});
