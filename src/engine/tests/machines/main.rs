//! The exploration of machines on a network: protocols with known verdicts, brute force, and directed tests.

mod protocols;
mod support;
