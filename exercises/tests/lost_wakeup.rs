//! Judges `lost_wakeup.rs`: one car or two arrive while main turns the light green.

use heisenbug::catalogue::Outcome;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "lost_wakeup.rs"
);

fn one_car() -> String {
    let light = Arc::new(yours::Light::default());
    let car = start("car", {
        let light = Arc::clone(&light);
        move || {
            light.wait();
            light.is_green()
        }
    });
    light.turn_green();
    match car.join().unwrap() {
        true => "drives at green".into(),
        false => "drives at red".into(),
    }
}

/// Two cars, one of which is main.
fn two_cars() -> String {
    let light = Arc::new(yours::Light::default());
    let car = start("car", {
        let light = Arc::clone(&light);
        move || {
            light.wait();
            light.is_green()
        }
    });
    let switch = start("switch", {
        let light = Arc::clone(&light);
        move || light.turn_green()
    });
    light.wait();
    let main_drives_at_green = light.is_green();
    switch.join().unwrap();
    match car.join().unwrap() && main_drives_at_green {
        true => "both drive at green".into(),
        false => "drives at red".into(),
    }
}

/// Main looks without waiting.
fn a_glance() -> String {
    let light = Arc::new(yours::Light::default());
    let switch = start("switch", {
        let light = Arc::clone(&light);
        move || light.turn_green()
    });
    let seen = light.is_green();
    switch.join().unwrap();
    match (seen, light.is_green()) {
        (true, true) => "green",
        (false, true) => "red, then green",
        (_, false) => "red in the end",
    }
    .into()
}

fn green_at_once() -> String {
    let light = yours::Light::default();
    let was_red = !light.is_green();
    light.turn_green();
    // A car that comes late drives on, and so does the next.
    light.wait();
    light.wait();
    kept(was_red && light.is_green())
}

fn red_for_ever() -> String {
    yours::Light::default().wait();
    "drives at red".into()
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("drives at green", "the car waited as long as it had to"),
        Outcome::acceptable("both drive at green", "both waited as long as they had to"),
        Outcome::forbidden("drives at red", "a car did not wait for green"),
        Outcome::forbidden("deadlock", "the light is green, and a car sleeps"),
        Outcome::acceptable("green", "main looked after the switch"),
        Outcome::acceptable("red, then green", "main looked before the switch"),
        Outcome::forbidden("red in the end", "the light was switched, and is red"),
    ],
    contract: &[
        Case::promises(
            "the light is red at first, and green once it is turned green",
            green_at_once
        ),
        Case::sleeps("`wait` sleeps while the light is red", red_for_ever),
    ],
    cases: &[
        Case::holds("one_car", one_car),
        Case::holds("two_cars", two_cars),
        Case::holds("a_glance", a_glance).reaches(&["green", "red, then green"]),
    ],
});
