//! The description of a bug: its name, its shape, its variants and what each must do.

mod feature;
mod grade;
mod needs;
mod shape;
mod workload;

pub use feature::Feature;
pub use grade::{Class, Expected, Grade, Outcome};
pub use needs::Needs;
pub use shape::{Scale, Shape};
pub use workload::{Step, Workload};

/// A bug of the catalogue: one program in several variants, and the outcomes that tell them apart.
#[derive(Clone, Copy, Debug)]
pub struct Bug {
    /// The name on the command line, such as `lost-update`.
    pub name: &'static str,
    /// The family of failures it belongs to.
    pub shape: Shape,
    /// Where the actors live.
    pub scale: Scale,
    /// One line for the list.
    pub summary: &'static str,
    /// The bug's source file as the compiler names it: `file!()`.
    pub file: &'static str,
    /// The text of that file: `include_str!("…")`.
    pub source: &'static str,
    /// Where this happened in practice, or where it is described.
    pub references: &'static [&'static str],
    /// Every outcome that some variant can have, with its grade. All variants share them; an
    /// outcome that is not listed is forbidden.
    pub outcomes: &'static [Outcome],
    /// The schedule that breaks the buggy variant, in words.
    pub schedule: &'static str,
    /// The programs: buggy ones, fixed ones and traps.
    pub variants: &'static [Variant],
}

/// One program: the bug itself, a fix, or a fix that only looks like one.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// The name on the command line and of the module that holds its code, such as `fixed_mutex`.
    pub name: &'static str,
    /// Why it is in the catalogue.
    pub role: Role,
    /// One line: the remedy, or why the trap is one.
    pub summary: &'static str,
    /// Runs the program once, and returns the label of its outcome.
    pub scenario: fn() -> String,
    /// Makes the workload that is measured. `None` if running it natively would be undefined behaviour,
    /// or would not end. The workload of a program that fails is for one thread only.
    pub workload: Option<fn() -> Workload>,
    /// Why the program must not run on real threads, if it must not.
    pub undefined: Option<&'static str>,
    /// The server that it runs on, if it needs one.
    pub needs: Option<Needs>,
    /// The feature that its engine comes with, if not every build has it.
    pub feature: Option<Feature>,
}

impl Variant {
    /// The bug itself, which must fail as `expected` says.
    pub const fn buggy(
        name: &'static str,
        expected: Expected,
        summary: &'static str,
        scenario: fn() -> String,
    ) -> Variant {
        Variant::new(name, Role::Buggy(expected), summary, scenario)
    }

    /// A change that looks like a fix, and fails as `expected` says.
    pub const fn trap(
        name: &'static str,
        expected: Expected,
        summary: &'static str,
        scenario: fn() -> String,
    ) -> Variant {
        Variant::new(name, Role::Trap(expected), summary, scenario)
    }

    /// A fix, which must hold.
    pub const fn fixed(
        name: &'static str,
        summary: &'static str,
        scenario: fn() -> String,
    ) -> Variant {
        Variant::new(name, Role::Fixed, summary, scenario)
    }

    /// A program that was never broken, such as a lock strategy's proof: it must hold.
    pub const fn sound(
        name: &'static str,
        summary: &'static str,
        scenario: fn() -> String,
    ) -> Variant {
        Variant::new(name, Role::Sound, summary, scenario)
    }

    const fn new(
        name: &'static str,
        role: Role,
        summary: &'static str,
        scenario: fn() -> String,
    ) -> Variant {
        Variant {
            name,
            role,
            summary,
            scenario,
            workload: None,
            undefined: None,
            needs: None,
            feature: None,
        }
    }

    /// The same variant, with a workload to measure.
    pub const fn workload(mut self, workload: fn() -> Workload) -> Variant {
        self.workload = Some(workload);
        self
    }

    /// The same variant, which runs on a server.
    pub const fn needs(mut self, server: Needs) -> Variant {
        self.needs = Some(server);
        self
    }

    /// The same variant, whose engine comes with that feature.
    pub const fn feature(mut self, feature: Feature) -> Variant {
        self.feature = Some(feature);
        self
    }

    /// The same variant, which must not run on real threads, for the given reason.
    pub const fn undefined(mut self, why: &'static str) -> Variant {
        self.undefined = Some(why);
        self
    }
}

/// Why a variant is in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The bug: fails as declared.
    Buggy(Expected),
    /// A fix: holds over all schedules.
    Fixed,
    /// A program that was never broken: holds over all schedules.
    Sound,
    /// A change that looks like a fix: still fails, as declared.
    Trap(Expected),
}

impl Role {
    /// `buggy`, `fixed`, `sound` or `trap`.
    pub fn name(self) -> &'static str {
        match self {
            Role::Buggy(_) => "buggy",
            Role::Fixed => "fixed",
            Role::Sound => "sound",
            Role::Trap(_) => "trap",
        }
    }

    /// How the variant must fail, unless it must hold.
    pub fn expected(self) -> Option<Expected> {
        match self {
            Role::Buggy(expected) | Role::Trap(expected) => Some(expected),
            Role::Fixed | Role::Sound => None,
        }
    }
}

impl Bug {
    /// The variant with that name.
    pub fn variant(&self, name: &str) -> Option<&'static Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    /// The declared outcome with that label.
    pub fn outcome(&self, label: &str) -> Option<&'static Outcome> {
        self.outcomes.iter().find(|outcome| outcome.label == label)
    }
}
