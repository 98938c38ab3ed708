//! Whether what a program runs on is at hand: its server, and the feature that its engine comes with.

use crate::{Error, Kind, Result, servers};
use heisenbug_catalogue::{Feature, Variant};

/// Whether a program can run here, without starting anything.
///
/// # Errors
///
/// What it lacks.
pub fn at_hand(variant: &Variant) -> Result<()> {
    variant.feature.map_or(Ok(()), in_this_build)?;
    let address = variant.needs.map_or(Ok(String::new()), servers::address);
    address.map(drop)
}

/// Sees to it that a program can run here as long as this process lives: starts a private server if it needs
/// one.
///
/// # Errors
///
/// What it lacks.
pub fn provide(variant: &Variant) -> Result<()> {
    variant.feature.map_or(Ok(()), in_this_build)?;
    variant.needs.map_or(Ok(()), servers::provide)
}

/// Whether this build has a feature.
pub(crate) fn in_this_build(feature: Feature) -> Result<()> {
    let has_it = match feature {
        Feature::Snapshot => cfg!(feature = "snapshot"),
    };
    let name = feature.name();
    match has_it {
        true => Ok(()),
        false => {
            let message = format!("this build has no {name} engine (feature `{name}`)");
            Err(Error::new(Kind::Machine, "NO_ENGINE", message))
        }
    }
}
