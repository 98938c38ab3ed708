//! Machines for tests.
//!
//! - `machine`: steps in short, and programs made of them.
//! - `protocols`: known protocols, right and wrong.
//! - `random`: random programs. `oracle`: their ends, by brute force.

#![allow(dead_code)]

pub mod machine;
pub mod oracle;
pub mod protocols;
pub mod random;
