//! Judges `aba.rs`: main takes a hook; a guest takes two and gives the first one back.

use heisenbug::catalogue::Outcome;
use heisenbug::course::program::{Case, Judge, start};
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

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("main has hook 0", "every hook was handed out once"),
        Outcome::acceptable("main has hook 1", "every hook was handed out once"),
        Outcome::acceptable("main finds no hook", "the guest had both at that moment"),
        Outcome::forbidden(
            "two coats on hook 1",
            "main made hook 1 the top of the free ones while the guest's coat was on it",
        ),
        Outcome::forbidden("hooks are lost", "a hook is nobody's, and not free either"),
    ],
    cases: &[Case::holds("three_coats", three_coats).reaches(&[
        "main has hook 0",
        "main has hook 1",
        "main finds no hook"
    ])],
});
