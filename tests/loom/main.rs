//! What loom finds, and where it is wrong.
//!
//! [`claims`]: every mounted program of the catalogue, one named test each. [`gaps`]: the smallest
//! programs that show where loom differs from C++20, as a user of loom would write them.

mod claims;
mod gaps;
