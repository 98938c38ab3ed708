//! One check, as the model world's types see it. (Signatures; bodies follow.)
#![allow(unused_variables, missing_docs)]

pub use crate::trace::recorder::{Mutation, Site};

use crate::catalogue::Class;
use crate::trace::Trace;
use heisenbug_engine::Place;
use heisenbug_engine::steps::ThreadId;
use std::panic::PanicHookInfo;
use std::sync::atomic::Ordering;

#[derive(Clone, Debug, Default)]
pub struct Options {
    pub record: bool,
    pub mutation: Option<Mutation>,
    pub collect_sites: bool,
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub class: Class,
    pub thread: ThreadId,
    pub message: String,
    pub observed: bool,
    pub place: Option<Place>,
}

#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub result: Option<String>,
    pub failures: Vec<Failure>,
    pub leaked: Vec<String>,
    pub switches: usize,
    pub operations: usize,
}

pub struct Entered;

pub fn enter(options: Options) -> Entered {
    Entered
}

impl Entered {
    pub fn sites(&self) -> Vec<(Site, Ordering)> {
        todo!()
    }

    pub fn models_anything(&self) -> bool {
        todo!()
    }

    pub fn set_recording(&self, record: bool) {
        todo!()
    }
}

pub fn begin_execution() {
    todo!()
}

pub fn run(scenario: &dyn Fn() -> String) {
    todo!()
}

pub fn facts() -> Facts {
    todo!()
}

pub fn trace() -> Trace {
    todo!()
}

pub fn panicked(info: &PanicHookInfo<'_>) -> bool {
    todo!()
}

/// The name of a thread of the current execution, by the engine's number.
pub fn name_of(thread: ThreadId) -> String {
    todo!()
}
