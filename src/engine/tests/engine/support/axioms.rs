//! The memory models by definition: Lahav, Vafeiadis, Kang, Hur and Dreyer, *Repairing
//! sequential consistency in C/C++11* (PLDI 2017), with the release sequences of C++20, which continue
//! through read-modify-writes only.

use super::graph::Position;
use super::oracle::{Event, Execution, What};
use super::relation::Relation;
use heisenbug_engine::search::Model;
use std::sync::atomic::Ordering;

/// Whether the model allows this execution.
pub fn allow(model: Model, execution: &Execution) -> bool {
    let relations = Relations::of(execution);
    if !relations.atomic {
        return false;
    }
    match model {
        Model::Sc => relations.is_sequentially_consistent(),
        Model::Rc11 => relations.is_rc11_consistent(),
    }
}

/// Whether two plain accesses to the same data, one of them a write, are not ordered.
pub fn has_race(execution: &Execution) -> bool {
    let relations = Relations::of(execution);
    let happens_before = relations.happens_before();
    let events = &relations.events;
    let plain: Vec<usize> = (0..events.len())
        .filter(|&event| events[event].is_plain())
        .collect();
    let conflict = |a: usize, b: usize| {
        a != b
            && events[a].location == events[b].location
            && events[a].what == What::PlainWrite
            && !happens_before.has(a, b)
            && !happens_before.has(b, a)
    };
    plain.iter().any(|&a| plain.iter().any(|&b| conflict(a, b)))
}

/// The relations of the papers, between events numbered thread by thread.
struct Relations {
    events: Vec<Event>,
    /// Program order.
    po: Relation,
    /// Reads-from. A write lock also "reads from" the end of each read section before it.
    rf: Relation,
    /// Modification order.
    mo: Relation,
    /// Reads-before: from a read to all writes after the one it reads from.
    rb: Relation,
    /// From the read to the write of a read-modify-write.
    rmw: Relation,
    /// Whether nothing comes between the two halves of any read-modify-write.
    atomic: bool,
}

impl Relations {
    fn of(execution: &Execution) -> Relations {
        let events: Vec<Event> = execution.threads.iter().flatten().copied().collect();
        let none = Relation::empty(events.len());
        let mut relations = Relations {
            events,
            po: none.clone(),
            rf: none.clone(),
            mo: none.clone(),
            rb: none.clone(),
            rmw: none,
            atomic: true,
        };
        relations.add_program_order(execution);
        relations.add_modification_order(execution);
        relations.add_reads(execution);
        relations.add_ends_of_read_sections(execution);
        relations
    }

    fn add_program_order(&mut self, execution: &Execution) {
        for (thread, events) in execution.threads.iter().enumerate() {
            let first = number(execution, (thread as u8, 0));
            for later in first..first + events.len() {
                for earlier in first..later {
                    self.po.add(earlier, later);
                }
            }
        }
    }

    fn add_modification_order(&mut self, execution: &Execution) {
        for order in &execution.order {
            for (place, &later) in order.iter().enumerate() {
                for &earlier in &order[..place] {
                    let pair = (number(execution, earlier), number(execution, later));
                    self.mo.add(pair.0, pair.1);
                }
            }
        }
    }

    fn add_reads(&mut self, execution: &Execution) {
        for read in 0..self.events.len() {
            let event = self.events[read];
            if !event.reads() {
                continue;
            }
            let order = &execution.order[event.location as usize];
            let newer = match event.from {
                None => &order[..],
                Some(from) => {
                    self.rf.add(number(execution, from), read);
                    let place = order.iter().position(|&write| write == from);
                    &order[place.expect("a write is in its order") + 1..]
                }
            };
            for &write in newer {
                self.rb.add(read, number(execution, write));
            }
            if event.what == What::Update {
                self.rmw.add(read, read + 1);
                let next = newer.first().map(|&write| number(execution, write));
                self.atomic &= next == Some(read + 1);
            }
        }
    }

    /// A write lock comes after the read sections that began after the same write section as it does.
    fn add_ends_of_read_sections(&mut self, execution: &Execution) {
        let locks = (0..self.events.len()).filter(|&e| self.events[e].what == What::WriteLock);
        for lock in locks.collect::<Vec<_>>() {
            for (thread, events) in execution.threads.iter().enumerate() {
                for (index, begin) in events.iter().enumerate() {
                    let writer = self.events[lock];
                    let same = begin.what == What::ReadLock
                        && begin.location == writer.location
                        && begin.from == writer.from;
                    let is_end =
                        |e: &Event| e.what == What::ReadUnlock && e.location == begin.location;
                    let end = events[index..].iter().position(is_end);
                    if let Some(end) = end.filter(|_| same) {
                        let end = number(execution, (thread as u8, (index + end) as u16));
                        self.rf.add(end, lock);
                    }
                }
            }
        }
    }

    /// The set of events for which the predicate holds.
    fn set(&self, holds: impl Fn(&Event) -> bool) -> u64 {
        let events = self.events.iter().enumerate();
        events.fold(0, |set, (number, event)| {
            set | u64::from(holds(event)) << number
        })
    }

    /// `po ∪ rf ∪ mo ∪ rb` has no cycle.
    fn is_sequentially_consistent(&self) -> bool {
        self.po
            .or(&self.rf)
            .or(&self.mo)
            .or(&self.rb)
            .has_no_cycle()
    }

    fn is_rc11_consistent(&self) -> bool {
        // No-thin-air.
        if !self.po.or(&self.rf).has_no_cycle() {
            return false;
        }
        let hb = self.happens_before();
        let eco = self.rf.or(&self.mo).or(&self.rb).closed();
        // Coherence.
        hb.then(&eco.optional()).is_irreflexive()
            && self
                .partial_sc(&hb, &eco)
                .is_none_or(Relation::has_no_cycle)
    }

    /// `hb = (po ∪ sw)⁺`, where
    /// `sw = [rel] ; ([F] ; po)? ; [W] ; (rf ; rmw)* ; rf ; [R] ; (po ; [F])? ; [acq]`.
    fn happens_before(&self) -> Relation {
        let all = u64::MAX;
        let writes = self.set(Event::writes);
        let reads = self.set(Event::reads);
        let fences = self.set(|event| event.what == What::Fence);
        let releases = self.set(|event| event.may_release() && releases(event.order));
        let acquires = self.set(|event| event.may_acquire() && acquires(event.order));
        let sequences = self.rf.then(&self.rmw).closed().optional();
        let synchronizes = self
            .po
            .between(fences, all)
            .optional()
            .then(&sequences.between(writes, writes))
            .then(&self.rf)
            .then(&self.po.between(reads, fences).optional())
            .between(releases, acquires);
        self.po.or(&synchronizes).closed()
    }

    /// `psc`, which must have no cycle. `None` if no event is SC.
    fn partial_sc(&self, hb: &Relation, eco: &Relation) -> Option<Relation> {
        let all = u64::MAX;
        let sc = self.set(|event| event.order == Ordering::SeqCst);
        let fences = self.set(|event| event.what == What::Fence) & sc;
        if sc == 0 {
            return None;
        }
        let same = self.same_location();
        let elsewhere = self.po.without(&same);
        let scb = self
            .po
            .or(&elsewhere.then(hb).then(&elsewhere))
            .or(&hb.and(&same))
            .or(&self.mo)
            .or(&self.rb);
        let id = Relation::empty(self.events.len()).optional();
        let left = id.between(sc, all).or(&hb.between(fences, all));
        let right = id.between(all, sc).or(&hb.between(all, fences));
        let base = left.then(&scb).then(&right);
        let between_fences = hb.or(&hb.then(eco).then(hb)).between(fences, fences);
        Some(base.or(&between_fences))
    }

    /// The pairs of accesses to the same location.
    fn same_location(&self) -> Relation {
        let mut same = Relation::empty(self.events.len());
        for (a, first) in self.events.iter().enumerate() {
            for (b, second) in self.events.iter().enumerate() {
                let both = first.accesses() && second.accesses();
                if both && first.location == second.location {
                    same.add(a, b);
                }
            }
        }
        same
    }
}

/// The number of an event among all.
fn number(execution: &Execution, (thread, index): Position) -> usize {
    let before = &execution.threads[..thread as usize];
    before.iter().map(Vec::len).sum::<usize>() + index as usize
}

fn releases(order: Ordering) -> bool {
    matches!(
        order,
        Ordering::Release | Ordering::AcqRel | Ordering::SeqCst
    )
}

fn acquires(order: Ordering) -> bool {
    matches!(
        order,
        Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst
    )
}
