//! Finds bugs and variants by name, and suggests similar names for a wrong one.

use anyhow::{Result, bail};
use heisenbug_catalogue::{Bug, Variant};
use heisenbug_worlds as worlds;

/// The bug or variant that a name refers to.
pub struct Found {
    /// The bug.
    pub bug: &'static Bug,
    /// The variant, if the name had one.
    pub variant: Option<&'static str>,
}

impl Found {
    /// The variants: the named one, or all.
    pub fn variants(&self) -> Vec<&'static Variant> {
        let meant = |variant: &&Variant| self.variant.is_none_or(|name| variant.name == name);
        self.bug.variants.iter().filter(meant).collect()
    }
}

/// Finds `bug` or `bug/variant`.
///
/// # Errors
///
/// If nothing has that name. The error suggests similar names.
pub fn find(name: &str) -> Result<Found> {
    let (bug, variant) = match name.split_once('/') {
        Some((bug, variant)) => (bug, Some(variant)),
        None => (name, None),
    };
    // The names of tests have underscores: copied from there, they work here as well.
    let dashed = bug.replace('_', "-");
    let Some(found) = worlds::all().find(|known| known.name == dashed) else {
        let names: Vec<&str> = worlds::all().map(|known| known.name).collect();
        bail!(
            "no bug or lock is named \"{bug}\"{}\n\n`heisenbug list` shows all {} bugs, \
             `heisenbug list --locks` all {} locks",
            did_you_mean(bug, &names, ""),
            worlds::bugs().count(),
            worlds::locks().count()
        );
    };
    let variant = variant
        .map(|variant| find_variant(found, variant))
        .transpose()?;
    Ok(Found {
        bug: found,
        variant,
    })
}

fn find_variant(bug: &'static Bug, variant: &str) -> Result<&'static str> {
    if let Some(found) = bug.variant(variant) {
        return Ok(found.name);
    }
    let names: Vec<&str> = bug.variants.iter().map(|variant| variant.name).collect();
    bail!(
        "{} has no variant \"{variant}\"{}\n\nits variants: {}",
        bug.name,
        did_you_mean(variant, &names, &format!("{}/", bug.name)),
        names.join(", ")
    );
}

/// The names that look most like the one that was typed.
pub fn did_you_mean(typed: &str, names: &[&str], prefix: &str) -> String {
    let typed = typed.to_lowercase().replace('_', "-");
    let likeness = |name: &str| {
        let name = name.replace('_', "-");
        let contains = !typed.is_empty() && (name.contains(&typed) || typed.contains(&name));
        if contains {
            1.0
        } else {
            strsim::jaro_winkler(&typed, &name)
        }
    };
    let mut near: Vec<(f64, &str)> = names.iter().map(|&name| (likeness(name), name)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<String> = (near.iter().take(3).filter(|(likeness, _)| *likeness > 0.7))
        .map(|(_, name)| format!("{prefix}{name}"))
        .collect();
    match near.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", near.join(" or ")),
    }
}
