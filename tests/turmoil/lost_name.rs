//! `lost-name`: a file was synced and renamed, and after a crash the old one is back.
//!
//! On turmoil's disk, whatever was not synced is gone after a crash. On ours each part of it may also be there.

use crate::network::{Chance, Lead, Network, Socket};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use turmoil::fs::shim::tokio::fs;

/// How long the user waits for an answer.
const PATIENCE: Duration = Duration::from_millis(100);

/// Enough attempts to outlast what chance does to them.
const ATTEMPTS: u32 = 10;

const OLD: &str = "dark";
const NEW: &str = "light";

/// Writes a new file, and waits until its contents are on the disk.
async fn write(file: &str, text: &str) -> std::io::Result<()> {
    fs::write(file, text).await?;
    fs::File::open(file).await?.sync_all().await
}

async fn save(fixed: bool, text: &str) -> std::io::Result<()> {
    write("/new", text).await?;
    fs::rename("/new", "/settings").await?;
    // The fix: the name has to last, too.
    if fixed {
        fs::sync_dir("/").await?;
    }
    Ok(())
}

async fn store(fixed: bool, settings: Rc<RefCell<String>>) {
    let socket = Socket::open().await;
    if !fs::try_exists("/settings").await.expect("the disk works") {
        write("/settings", OLD).await.expect("the disk works");
        fs::sync_dir("/").await.expect("the disk works");
    }
    loop {
        let text = fs::read_to_string("/settings").await;
        settings.replace(text.expect("there are settings"));
        let (user, order) = socket.receive().await;
        save(fixed, &order[1]).await.expect("the disk works");
        socket.send(&user, "saved").await;
    }
}

async fn user(saved: Rc<Cell<bool>>) {
    let socket = Socket::open().await;
    for _ in 0..ATTEMPTS {
        socket.send("store", format!("save {NEW}")).await;
        if socket.receive_within(PATIENCE).await.is_some() {
            return saved.set(true);
        }
    }
}

/// After how many milliseconds the store crashes: any of the first 100.
fn moment(seed: u64) -> u64 {
    // Neighbouring seeds are to have moments that are far apart.
    (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 100
}

pub fn run(fixed: bool, lead: Lead) -> &'static str {
    let (settings, saved) = (Rc::default(), Rc::new(Cell::new(false)));
    let mut network = Network::new(lead, Chance::Crash);
    network.server("store", {
        let settings = Rc::clone(&settings);
        move || store(fixed, Rc::clone(&settings))
    });
    network.client("user", user(Rc::clone(&saved)));
    match lead {
        Lead::ByHand => network.finish(),
        Lead::Seed(seed) => (0..moment(seed)).for_each(|_| _ = network.step()),
    }
    network.sim.crash("store");
    network.sim.bounce("store");
    network.finish();
    let settings: &RefCell<String> = &settings;
    match (saved.get(), settings.borrow().as_str()) {
        (true, NEW) => "saved",
        (true, OLD) => "saved and lost",
        (_, OLD | NEW) => "never answered",
        _ => "neither old nor new",
    }
}

#[test]
fn a_crash_brings_the_old_settings_back_unless_their_name_was_synced() {
    assert_eq!(run(false, Lead::ByHand), "saved and lost");
    assert_eq!(run(true, Lead::ByHand), "saved");
}
