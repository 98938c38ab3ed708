//! What a build has to have for a program, and not every one has.

/// A cargo feature that an engine comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// The snapshot engine.
    Snapshot,
}

impl Feature {
    /// All of them.
    pub const ALL: [Feature; 1] = [Feature::Snapshot];

    /// Its name, which is that of its engine, too.
    pub fn name(self) -> &'static str {
        match self {
            Feature::Snapshot => "snapshot",
        }
    }
}
