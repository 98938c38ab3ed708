//! The exploration of machines on a network: protocols with known verdicts, brute force, and directed tests.

mod actors;
mod brute;
mod directed;
mod disk;
mod mutants;
mod protocols;
mod support;
