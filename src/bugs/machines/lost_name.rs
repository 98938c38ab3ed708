//! # Lost name
//!
//! A store replaces a file the careful way: it writes a new one, syncs it, and renames it over the old one. Then
//! it says that all is saved. After a crash the old file is back: the name never reached the disk.
//!
//! A file and its name are two things. The name is in the folder, and only a sync of the folder makes it last.
//!
//! **Where it happened.** Pillai and others looked at how eleven applications keep files, among them databases
//! and version control systems, and found 60 places where a crash does harm. Names that were never synced are
//! among them.
//!
//! **Why.** A sync says of one thing that it is on the disk, and nothing of its neighbours.
//!
//! **Who sees it.** A check, since it tries all that a crash may leave. A test that only kills the program never
//! does: the operating system still writes what the program has left to it. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the user waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Enough attempts to outlast what goes wrong.
const ATTEMPTS: u32 = 2;

const OLD: &str = "dark";
const NEW: &str = "light";

/// Asks the store to save the new settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Save(&'static str);

/// The settings are saved, whatever happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Saved;

pub mod buggy {
    use super::super::net::Machine;
    use super::{Save, Saved};

    pub fn store(me: &Machine) {
        loop {
            let (user, Save(text)) = me.remember(&()).receive();
            me.disk().write("new", text);
            me.disk().sync("new").expect("the disk works");
            me.disk().rename("new", "settings").expect("it is there");
            // The folder may still have the old name.
            me.send(user, Saved);
        }
    }
}

pub mod trap_folder_only {
    use super::super::net::Machine;
    use super::{Save, Saved};

    pub fn store(me: &Machine) {
        loop {
            let (user, Save(text)) = me.remember(&()).receive();
            me.disk().write("new", text);
            // The name lasts, and what it names may not.
            me.disk().rename("new", "settings").expect("it is there");
            me.disk().sync_dir();
            me.send(user, Saved);
        }
    }
}

pub mod trap_folder_first {
    use super::super::net::Machine;
    use super::{Save, Saved};

    pub fn store(me: &Machine) {
        loop {
            let (user, Save(text)) = me.remember(&()).receive();
            me.disk().write("new", text);
            me.disk().sync("new").expect("the disk works");
            // That the new file has a name lasts, but not which.
            me.disk().sync_dir();
            me.disk().rename("new", "settings").expect("it is there");
            me.send(user, Saved);
        }
    }
}

pub mod fixed_sync_both {
    use super::super::net::Machine;
    use super::{Save, Saved};

    pub fn store(me: &Machine) {
        loop {
            let (user, Save(text)) = me.remember(&()).receive();
            me.disk().write("new", text);
            me.disk().sync("new").expect("the disk works");
            me.disk().rename("new", "settings").expect("it is there");
            me.disk().sync_dir();
            me.send(user, Saved);
        }
    }
}

/// Asks until the settings are saved.
fn user(me: &Machine) -> &'static str {
    for _ in 0..ATTEMPTS {
        me.send("store", Save(NEW));
        if me.receive_timeout::<Saved>(PATIENCE).is_some() {
            return "saved";
        }
    }
    "gave up"
}

/// A user, and a store that may crash.
fn scenario(store: fn(&Machine)) -> String {
    System::new()
        .machine("store", store)
        .machine("user", user)
        .file("store", "settings", OLD)
        .crashes(1, &["store"])
        .outcome(|end| {
            let saved = end.returned("user").as_deref() == Some("saved");
            match (saved, end.file("store", "settings").as_deref()) {
                (true, Some(NEW)) => "saved",
                (true, Some(OLD)) => "saved and lost",
                (_, Some(OLD | NEW)) => "never answered",
                _ => "neither old nor new",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "lost-name",
    shape: Shape::OrderViolation,
    scale: Scale::Machines,
    summary: "a file was synced and renamed, and after a crash the old one is back",
    file: file!(),
    source: include_str!("lost_name.rs"),
    references: &[
        "T. Pillai et al., All File Systems Are Not Created Equal (OSDI 2014)",
        "fsync(2), Linux manual: the entry in the directory needs a sync of its own",
    ],
    outcomes: &[
        Outcome::acceptable("saved", "the user knows it, and a crash does not undo it"),
        Outcome::forbidden(
            "saved and lost",
            "the user was told that it is saved before it was",
        ),
        Outcome::forbidden(
            "neither old nor new",
            "the name refers to contents that never reached the disk",
        ),
        Outcome::forbidden(
            "never answered",
            "the user gave up though what goes wrong is bounded",
        ),
    ],
    schedule: "The store syncs the new file and renames it. The user hears that it is saved. The store crashes, and \
               its disk has the new file under no name, or the wrong one.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("saved and lost"),
            "syncs the file, and not the folder",
            || scenario(buggy::store),
        ),
        Variant::trap(
            "trap_folder_only",
            Expected::outcome("neither old nor new"),
            "syncs the folder, and not the file",
            || scenario(trap_folder_only::store),
        ),
        Variant::trap(
            "trap_folder_first",
            Expected::outcome("saved and lost"),
            "syncs the folder before the name is the right one",
            || scenario(trap_folder_first::store),
        ),
        Variant::fixed(
            "fixed_sync_both",
            "syncs the file, renames it, syncs the folder, and answers only then",
            || scenario(fixed_sync_both::store),
        ),
    ],
};
