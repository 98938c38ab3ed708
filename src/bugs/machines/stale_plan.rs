//! # Stale plan
//!
//! A planner makes plan after plan for what a name should point to. Two enactors apply them, each at its own
//! pace, and then remove the plans that are older than theirs. Each looks first whether its plan is newer than the
//! one in force. One of them is slow: when it applies its plan at last, a newer one is in force, and the clean-up of
//! that newer one then removes the plan that has just come into force. Nothing is left.
//!
//! It is *check-then-act* once more: what the slow enactor has seen was true when it looked.
//!
//! **Where it happened.** Amazon's DynamoDB, October 2025: the name of its endpoint pointed to nothing, in a whole
//! region, until people repaired it by hand.
//!
//! **Why.** Nothing that is known of the name holds until a message about it arrives.
//!
//! **Who sees it.** A check, without any fault: the order of messages is enough. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};

/// To and from the machine that keeps the name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {
    /// Which plan is in force?
    Ask,
    /// This one.
    InForce(u32),
    /// Put this plan in force.
    Apply(u32),
    Done,
    /// Remove the plans that are older than this one.
    Clean(u32),
}

/// Which plan is in force. 0: none.
fn in_force(me: &Machine) -> u32 {
    let plan = me.disk().read("plan").unwrap_or_default();
    plan.parse().unwrap_or(0)
}

fn put_in_force(me: &Machine, plan: u32) {
    me.disk().write("plan", plan.to_string());
}

/// Keeps the name. `accepts` says whether a plan may replace the one in force, and `removes` whether a clean-up
/// may remove the one in force.
fn keep_name(me: &Machine, accepts: fn(u32, u32) -> bool, removes: bool) {
    loop {
        let (who, message): (_, Message) = me.remember(&()).receive();
        match message {
            Message::Ask => me.send(who, Message::InForce(in_force(me))),
            Message::Apply(plan) => {
                if accepts(plan, in_force(me)) {
                    put_in_force(me, plan);
                }
                me.send(who, Message::Done);
            }
            Message::Clean(plan) if removes && in_force(me) < plan => put_in_force(me, 0),
            Message::Clean(_) | Message::InForce(_) | Message::Done => {}
        }
    }
}

/// Whether the plan in force is older, as far as anybody can know.
fn is_newer(me: &Machine, plan: u32) -> bool {
    me.send("name", Message::Ask);
    matches!(me.receive(), (_, Message::InForce(other)) if other < plan)
}

/// Applies a plan after that many looks at the one in force, and cleans up.
fn enact(me: &Machine, plan: u32, looks: u32) {
    if (0..looks).all(|_| is_newer(me, plan)) {
        me.send("name", Message::Apply(plan));
        let _: (_, Message) = me.receive();
        me.send("name", Message::Clean(plan));
    }
}

pub mod buggy {
    use super::super::net::Machine;

    pub fn name(me: &Machine) {
        super::keep_name(me, |_, _| true, true);
    }

    pub fn enactor(me: &Machine, plan: u32) {
        super::enact(me, plan, 1);
    }
}

pub mod trap_looks_again {
    use super::super::net::Machine;

    pub use super::buggy::name;

    pub fn enactor(me: &Machine, plan: u32) {
        // The second look is as old as the first one by the time the plan arrives.
        super::enact(me, plan, 2);
    }
}

pub mod fixed_compares {
    use super::super::net::Machine;

    pub use super::buggy::enactor;

    pub fn name(me: &Machine) {
        // Looks and acts in one step, where the plans are.
        super::keep_name(me, |plan, in_force| plan > in_force, true);
    }
}

pub mod fixed_keeps_what_is_in_force {
    use super::super::net::Machine;

    pub use super::buggy::enactor;

    pub fn name(me: &Machine) {
        // An old plan may still win for a while; but never nothing.
        super::keep_name(me, |_, _| true, false);
    }
}

/// Two enactors, each with a plan.
fn scenario(name: fn(&Machine), enactor: fn(&Machine, u32)) -> String {
    System::new()
        .machine("name", name)
        .machine("slow", move |me| enactor(me, 1))
        .machine("fast", move |me| enactor(me, 2))
        .outcome(|end| {
            match end.file("name", "plan").as_deref() {
                Some("2") => "the newest plan",
                Some("1") => "an old plan",
                _ => "no plan",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "stale-plan",
    shape: Shape::CheckThenAct,
    scale: Scale::Machines,
    summary: "a plan comes into force late, and the clean-up of a newer one removes it",
    file: file!(),
    source: include_str!("stale_plan.rs"),
    references: &[
        "Amazon Web Services, Summary of the Amazon DynamoDB Service Disruption in the Northern Virginia Region (October 2025)",
    ],
    outcomes: &[
        Outcome::acceptable("the newest plan", "the newest plan is in force"),
        Outcome::interesting(
            "an old plan",
            "an old plan is in force until the next one comes",
        ),
        Outcome::forbidden("no plan", "the plan in force was removed as an old one"),
    ],
    schedule: "The slow enactor sees that its plan is newer. The fast one applies the next plan. The slow one applies its own. The fast one's clean-up removes it.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("no plan"),
            "looks whether its plan is newer, and then applies it",
            || scenario(buggy::name, buggy::enactor),
        ),
        Variant::trap(
            "trap_looks_again",
            Expected::outcome("no plan"),
            "looks once more just before it applies the plan",
            || scenario(trap_looks_again::name, trap_looks_again::enactor),
        ),
        Variant::fixed(
            "fixed_compares",
            "whoever keeps the name refuses an older plan",
            || scenario(fixed_compares::name, fixed_compares::enactor),
        ),
        Variant::fixed(
            "fixed_keeps_what_is_in_force",
            "the clean-up spares the plan in force",
            || {
                scenario(
                    fixed_keeps_what_is_in_force::name,
                    fixed_keeps_what_is_in_force::enactor,
                )
            },
        ),
    ],
};
