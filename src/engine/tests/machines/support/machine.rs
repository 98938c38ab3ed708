//! Steps in short: messages are a few bytes, the first of which says what the message is.

use heisenbug_engine::machines::{
    End, Faults, Files, Found, Label, Machine, Monitor, Options, Program, Timers, explore, steps,
};
use rustc_hash::FxHasher;
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

#[track_caller]
pub fn send(to: usize, content: &[u8]) {
    steps::send(to, content, &format!("{content:?}"), Location::caller());
}

#[track_caller]
pub fn receive() -> (usize, Vec<u8>) {
    let message = steps::receive(Location::caller());
    (message.from, message.content)
}

#[track_caller]
pub fn receive_timeout() -> Option<(usize, Vec<u8>)> {
    let message = steps::receive_timeout(Duration::from_secs(1), Location::caller());
    message.map(|message| (message.from, message.content))
}

#[track_caller]
pub fn sleep() {
    steps::sleep(Duration::from_secs(1), Location::caller());
}

#[track_caller]
pub fn choose(n: u8) -> u8 {
    steps::choose(n, Location::caller())
}

#[track_caller]
pub fn observe(what: &[u8]) {
    steps::observe(what, &format!("{what:?}"), Location::caller());
}

#[track_caller]
pub fn remember(state: impl Hash) {
    let mut hasher = FxHasher::default();
    state.hash(&mut hasher);
    steps::remember(hasher.finish(), Location::caller());
}

#[track_caller]
pub fn now() -> u64 {
    steps::now(Location::caller())
}

pub fn read(file: &str) -> Vec<u8> {
    steps::read(file).unwrap_or_default()
}

#[track_caller]
pub fn write(file: &str, bytes: &[u8]) {
    steps::write(file, bytes, Location::caller());
}

#[track_caller]
pub fn append(file: &str, bytes: &[u8]) {
    steps::append(file, bytes, Location::caller());
}

#[track_caller]
pub fn sync(file: &str) -> bool {
    steps::sync(file, Location::caller()).is_ok()
}

#[track_caller]
pub fn sync_dir() {
    steps::sync_dir(Location::caller());
}

#[track_caller]
pub fn rename(from: &str, to: &str) -> bool {
    steps::rename(from, to, Location::caller())
}

#[track_caller]
pub fn remove(file: &str) -> bool {
    steps::remove(file, Location::caller())
}

/// Writes to the first stream.
#[track_caller]
pub fn stream_write(bytes: &[u8]) {
    steps::stream_write(0, bytes, Location::caller());
}

/// Reads from the first stream.
#[track_caller]
pub fn stream_read(most: usize) -> Vec<u8> {
    steps::stream_read(0, most, Location::caller())
}

/// A machine that returns nothing in particular.
pub fn machine(name: &str, body: impl Fn() + 'static) -> Machine {
    machine_with_result(name, move || {
        body();
        String::new()
    })
}

pub fn machine_with_result(name: &str, body: impl Fn() -> String + 'static) -> Machine {
    Machine {
        name: name.to_owned(),
        body: Rc::new(body),
        files: Files::new(),
        crashes: false,
        stops: false,
        skew: 0,
    }
}

pub fn files(files: &[(&str, &[u8])]) -> Files {
    let files = files.iter();
    files
        .map(|&(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .collect()
}

/// A monitor that folds observations into a value.
pub struct Fold<S, F> {
    states: Vec<S>,
    fold: F,
}

impl<S, F> Monitor for Fold<S, F>
where
    S: Clone + PartialEq,
    F: Fn(&mut S, usize, &[u8]) -> Result<(), String>,
{
    fn observe(&mut self, state: u32, machine: usize, what: &[u8]) -> Result<u32, String> {
        let mut next = self.states[state as usize].clone();
        (self.fold)(&mut next, machine, what)?;
        let known = self.states.iter().position(|state| *state == next);
        let number = known.unwrap_or_else(|| {
            self.states.push(next);
            self.states.len() - 1
        });
        Ok(number as u32)
    }
}

/// A program whose observations are folded.
pub fn program<S: Clone + PartialEq + 'static>(
    machines: Vec<Machine>,
    first: S,
    fold: impl Fn(&mut S, usize, &[u8]) -> Result<(), String> + 'static,
) -> Program {
    Program {
        streams: Vec::new(),
        machines,
        faults: Faults::default(),
        timers: Timers::Last,
        monitor: RefCell::new(Box::new(Fold {
            states: vec![first],
            fold,
        })),
        judge: Box::new(|_: &End<'_>| "ends".to_owned()),
    }
}

/// A program whose observations nobody looks at.
pub fn unobserved(machines: Vec<Machine>) -> Program {
    program(machines, (), |_, _, _| Ok(()))
}

/// Explores all of a program.
pub fn explore_all(program: &Program) -> Found {
    let found = explore(program, &Options::default(), &mut |_| true);
    assert_eq!(found.complete, Ok(()));
    found
}

/// The labels that a program can have, sorted.
pub fn labels(found: &Found) -> Vec<String> {
    let labels = found.ends.iter().map(|end| text(&end.label));
    let mut labels: Vec<String> = labels.collect();
    labels.sort();
    labels
}

pub fn text(label: &Label) -> String {
    match label {
        Label::Returned(text) => text.clone(),
        Label::Panic { machine, message } => format!("machine {machine} panics: {message}"),
        Label::Monitor(text) => format!("monitor: {text}"),
    }
}

pub const NO_FAULTS: Faults = Faults {
    losses: 0,
    duplicates: 0,
    crashes: 0,
    stops: 0,
    early: 0,
    disk_errors: 0,
};

/// Keeps panics of machines from being printed: they are results.
pub fn quiet_machines() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !steps::is_running() {
                usual(panic);
            }
        }));
    });
}
