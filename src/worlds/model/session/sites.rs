//! The places where the source names memory orderings, and the one that is replaced.

use heisenbug_engine::Place;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// A site at which the source names a memory ordering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
    /// 0 for the only or the success ordering, 1 for the failure ordering.
    pub slot: u8,
}

impl Site {
    /// Whether the site is at this place of the program, with this slot.
    pub fn is_at(&self, at: Place, slot: u8) -> bool {
        (self.file, self.line, self.column, self.slot) == (at.file(), at.line(), at.column(), slot)
    }
}

/// Replaces the ordering at one site, to see whether the program needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// The site whose ordering is replaced.
    pub site: Site,
    /// The new ordering.
    pub ordering: Ordering,
}

/// The sites of one check.
#[derive(Debug, Default)]
pub(super) struct Sites {
    mutation: Option<Mutation>,
    /// One site may have several orderings, if it takes them from a variable.
    seen: Option<BTreeMap<(Site, &'static str), Ordering>>,
}

impl Sites {
    pub(super) fn new(mutation: Option<Mutation>, collect: bool) -> Sites {
        Sites {
            mutation,
            seen: collect.then(BTreeMap::new),
        }
    }

    /// The ordering to use: the given one, unless this site is being weakened.
    pub(super) fn ordering(&mut self, at: Place, slot: u8, ordering: Ordering) -> Ordering {
        let site = Site {
            file: at.file(),
            line: at.line(),
            column: at.column(),
            slot,
        };
        if let Some(seen) = &mut self.seen {
            seen.insert((site, name(ordering)), ordering);
        }
        match self.mutation {
            Some(mutation) if mutation.site == site => mutation.ordering,
            _ => ordering,
        }
    }

    pub(super) fn collected(&self) -> Vec<(Site, Ordering)> {
        let seen = self.seen.iter().flatten();
        seen.map(|((site, _), ordering)| (*site, *ordering))
            .collect()
    }
}

/// `Ordering` itself is not ordered; its name is.
fn name(ordering: Ordering) -> &'static str {
    match ordering {
        Ordering::Relaxed => "Relaxed",
        Ordering::Acquire => "Acquire",
        Ordering::Release => "Release",
        Ordering::AcqRel => "AcqRel",
        _ => "SeqCst",
    }
}
