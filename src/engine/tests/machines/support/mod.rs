//! Machines for tests.
//!
//! - `machine`: steps in short, and programs made of them.
//! - `protocols`: known protocols, right and wrong.

#![allow(dead_code)]

pub mod machine;
pub mod protocols;
