//! Finds the stronger orderings that would forbid an execution.
//!
//! Reads-from and modification order stay as they are. The events get other orderings and their clocks are
//! computed again; then RC11 says whether that is still an execution. If it still is one with all orderings
//! as strong as they can be, no ordering forbids it. Otherwise each is weakened as long as the execution
//! stays forbidden: the ones that remain are needed, every one of them.

use crate::Place;
use crate::clock::Pos;
use crate::event::{Event, Kind, Order, Update};
use crate::graph::Graph;
use crate::search::{Conflict, Schedule};
use std::sync::atomic::Ordering;

/// Larger executions are not examined: each try looks at all events.
const MAX_EVENTS: usize = 2_000;

/// An ordering that is needed to forbid an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stronger {
    /// Its place in the program.
    pub at: Place,
    /// Whether it is the failure ordering of an exchange.
    pub on_failure: bool,
    /// The current ordering.
    pub is: Ordering,
    /// The ordering that would be needed.
    pub needed: Ordering,
}

impl Schedule {
    /// The orderings that would forbid this execution, or order the accesses of the race. Only
    /// those at places that `is_named` knows can be changed: slot 1 is the failure ordering of an exchange.
    /// Empty if there are none, or if there are too many events.
    pub fn forbidden_by(
        &self,
        race: Option<&Conflict>,
        is_named: &dyn Fn(Place, u8) -> bool,
    ) -> Vec<Stronger> {
        if self.order.len() > MAX_EVENTS {
            return Vec::new();
        }
        let mut trial = Trial {
            schedule: self,
            race,
            sites: self.sites(is_named),
        };
        [Order::AcqRel, Order::SeqCst]
            .into_iter()
            .find_map(|strongest| trial.with_at_most(strongest))
            .unwrap_or_default()
    }

    /// The places that name an ordering, those of stale locations first: they are weakened first.
    fn sites(&self, is_named: &dyn Fn(Place, u8) -> bool) -> Vec<Site> {
        let mut sites: Vec<Site> = Vec::new();
        for &pos in &self.order {
            for site in Site::of(self.graph.event(pos)) {
                let known = { sites.iter_mut() }.find(|known| known.is_at(site.at, site.slot));
                match known {
                    Some(known) => known.stale |= self.is_stale(pos),
                    None if is_named(site.at, site.slot) => sites.push(Site {
                        stale: self.is_stale(pos),
                        ..site
                    }),
                    None => {}
                }
            }
        }
        sites.sort_by_key(|site| !site.stale);
        sites
    }

    /// Whether any read at the location of the event returns an older value than the newest.
    fn is_stale(&self, pos: Pos) -> bool {
        let loc = self.graph.event(pos).loc;
        let Some(location) = self.graph.locs.get(loc as usize) else {
            return false;
        };
        let newest = location.mo.len();
        let mut reads = location.reads.iter();
        reads.any(|&read| self.graph.rank(self.graph.event(read).rf) < newest)
    }
}

/// The kind of operation, which determines the possible orderings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Load,
    Store,
    Update,
    Fence,
}

impl Does {
    /// The possible orderings, weakest first.
    fn orders(self) -> &'static [Order] {
        use Order::{AcqRel, Acquire, Relaxed, Release, SeqCst};
        match self {
            Does::Load => &[Relaxed, Acquire, SeqCst],
            Does::Store => &[Relaxed, Release, SeqCst],
            Does::Update => &[Relaxed, Acquire, Release, AcqRel, SeqCst],
            Does::Fence => &[Acquire, Release, AcqRel, SeqCst],
        }
    }
}

/// A place in the program that names an ordering.
#[derive(Clone, Copy, Debug)]
struct Site {
    at: Place,
    /// 1 for the failure ordering of an exchange.
    slot: u8,
    does: Does,
    is: Order,
    now: Order,
    /// Whether an outdated value was read from its location.
    stale: bool,
}

impl Site {
    /// The sites of the orderings that an event names.
    fn of(event: &Event) -> Vec<Site> {
        let site = |slot, does, is| Site {
            at: event.at,
            slot,
            does,
            is,
            now: is,
            stale: false,
        };
        match event.kind {
            Kind::Read if event.update == Update::None => {
                vec![site(0, Does::Load, event.order)]
            }
            Kind::Read => vec![
                site(0, Does::Update, event.order),
                site(1, Does::Load, event.failure),
            ],
            Kind::Write if !event.rmw => vec![site(0, Does::Store, event.order)],
            Kind::Fence => vec![site(0, Does::Fence, event.order)],
            _ => Vec::new(),
        }
    }

    fn is_at(&self, at: Place, slot: u8) -> bool {
        self.at == at && self.slot == slot
    }

    /// The possible orderings that are no weaker than the current one, weakest first.
    fn choices(&self) -> impl DoubleEndedIterator<Item = Order> + use<> {
        let is = self.is;
        let all = self.does.orders().iter().copied();
        all.filter(move |&order| order.is_no_weaker_than(is))
    }
}

impl Order {
    fn is_no_weaker_than(self, other: Order) -> bool {
        (self.acquires() || !other.acquires())
            && (self.releases() || !other.releases())
            && (self == Order::SeqCst || other != Order::SeqCst)
    }
}

/// An execution with other orderings.
struct Trial<'a> {
    schedule: &'a Schedule,
    race: Option<&'a Conflict>,
    sites: Vec<Site>,
}

impl Trial<'_> {
    /// The orderings that are needed, if orderings up to that strength forbid the execution.
    fn with_at_most(&mut self, strongest: Order) -> Option<Vec<Stronger>> {
        for site in &mut self.sites {
            let fits = |order: &Order| strongest.is_no_weaker_than(*order);
            site.now = site.choices().rev().find(fits).unwrap_or(site.is);
        }
        if self.is_possible() {
            return None;
        }
        for nth in 0..self.sites.len() {
            self.weaken(nth);
        }
        let changed = self.sites.iter().filter(|site| site.now != site.is);
        let needed = changed.map(|site| Stronger {
            at: site.at,
            on_failure: site.slot == 1,
            is: site.is.into(),
            needed: site.now.into(),
        });
        Some(needed.collect())
    }

    /// Gives a site the weakest ordering with which the execution is still forbidden.
    fn weaken(&mut self, nth: usize) {
        let strong = self.sites[nth].now;
        for order in self.sites[nth].choices() {
            self.sites[nth].now = order;
            if order == strong || !self.is_possible() {
                return;
            }
        }
        self.sites[nth].now = strong;
    }

    /// Whether the execution is possible with the current orderings.
    fn is_possible(&self) -> bool {
        let mut graph = self.schedule.graph.clone();
        for &pos in &self.schedule.order {
            let event = graph.event_mut(pos);
            event.order = self.order_at(event.at, 0).unwrap_or(event.order);
            event.failure = self.order_at(event.at, 1).unwrap_or(event.failure);
            graph.set_clocks(pos);
        }
        let is_race = self.race.is_none_or(|race| graph.is_unordered(race));
        is_race && graph.is_consistent(&self.schedule.order)
    }

    fn order_at(&self, at: Place, slot: u8) -> Option<Order> {
        let site = self.sites.iter().find(|site| site.is_at(at, slot))?;
        Some(site.now)
    }
}

impl Graph {
    /// Whether nothing orders the first of the two accesses before the second, which is the next one that
    /// its thread does.
    fn is_unordered(&self, race: &Conflict) -> bool {
        let (first, second) = (race.first.0 as usize, race.second.0 as usize);
        let knows = self.hb_before(Pos::new(second, self.threads[second].len()));
        knows.get(first) <= race.first_done
    }

    /// Whether RC11 allows the graph, given its clocks: coherence, and the order of the `SeqCst` events.
    fn is_consistent(&self, events: &[Pos]) -> bool {
        let is_coherent = |&pos: &Pos| {
            let event = self.event(pos);
            let rank = match event.kind {
                Kind::Read => self.rank(event.rf),
                Kind::Write => event.mo as usize,
                _ => return true,
            };
            rank >= self.floor(event.loc, &event.hb, pos)
        };
        let seq_cst = { events.iter() }.find(|&&pos| self.event(pos).is_seq_cst());
        events.iter().all(is_coherent) && seq_cst.is_none_or(|&pos| self.psc_is_acyclic(pos))
    }
}
