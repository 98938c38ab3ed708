//! What could come next: the ways in which a step can go in a graph, or what blocks it.
//!
//! The exploration adds a step in one way and notes the others for later. Here they are all computed
//! at once, for a caller that wants to see them: each is tried on a copy of the graph.

use crate::clock::{NONE, Pos};
use crate::event::{Event, Kind, Update};
use crate::explorer::{Explorer, Learnt, free_for_one, free_for_writer};
use crate::graph::Graph;
use crate::moves::{Blocked, Move, Waits, Way, What};
use crate::run::Next;
use crate::search::{Config, Model};
use crate::steps::ThreadId;

/// A graph to which a step is to be added.
pub struct Options<'a> {
    /// The configuration of the exploration.
    pub config: &'a Config,
    /// The graph.
    pub graph: &'a Graph,
}

impl Options<'_> {
    /// What a thread can do next, or why it cannot.
    pub fn of(&self, thread: usize, next: &Next) -> Result<Move, Blocked> {
        match self.ways(thread, next) {
            Ok(ways) => Ok(Move::new(thread, next, ways, self.may_wait(next))),
            Err(waits) => Err(Blocked::new(thread, next, waits)),
        }
    }

    /// What a thread waits for if it can go on only because it may read an older value.
    fn may_wait(&self, next: &Next) -> Option<Waits> {
        let event = next
            .event
            .as_ref()
            .filter(|event| event.kind == Kind::Read)?;
        let newest = self.graph.value(self.graph.newest(event.loc), event.loc);
        (!event.until.is_met(newest)).then(|| self.awaits(event))
    }

    /// The ways in which a thread could take its next step, the ordinary one first; or what it waits
    /// for.
    fn ways(&self, thread: usize, next: &Next) -> Result<Vec<Way>, Waits> {
        let circles = next
            .circles_from
            .is_some_and(|from| self.graph.pass_is_over(thread, from));
        let Some(event) = next.event.as_ref().filter(|_| !circles) else {
            return Err(Waits::News);
        };
        match event.kind {
            Kind::Read => self.ways_to_read(thread, event),
            Kind::Write => Ok(self.ways_to_write(thread, event)),
            Kind::Choice => Ok(self.ways_to_choose(event)),
            Kind::Lock | Kind::ReadLock => self.ways_to_lock(event, free_for_one),
            Kind::WriteLock => self.ways_to_lock(event, free_for_writer),
            Kind::Join => self.ways_to_join(event.value as usize),
            _ => Ok(vec![Way::Only]),
        }
    }

    fn ways_to_read(&self, thread: usize, event: &Event) -> Result<Vec<Way>, Waits> {
        let newest = self.writes(event.loc);
        let oldest = match self.config.model {
            Model::Sc => newest,
            Model::Rc11 => {
                let here = Pos::new(thread, self.graph.threads[thread].len());
                self.graph
                    .floor(event.loc, &self.graph.hb_before(here), NONE)
            }
        };
        let ranks = (oldest..=newest).rev();
        let ways: Vec<Way> = ranks
            .flat_map(|rank| self.ways_to_read_from(thread, event, rank))
            .collect();
        if ways.is_empty() {
            return Err(self.awaits(event));
        }
        Ok(ways)
    }

    /// The number of writes to a location.
    fn writes(&self, loc: u32) -> usize {
        let location = self.graph.locs.get(loc as usize);
        location.map_or(0, |location| location.mo.len())
    }

    fn ways_to_read_from(&self, thread: usize, event: &Event, rank: usize) -> Vec<Way> {
        let from = self.graph.at_rank(event.loc, rank);
        let value = self.graph.value(from, event.loc);
        if !event.until.is_met(value) {
            return Vec::new();
        }
        let for_no_reason = Explorer::new(self.config.clone()).is_offered(self.graph, event.why);
        let variants = 0..event.update.variants(value);
        variants
            .filter(|&variant| variant == 0 || for_no_reason)
            .filter(|&variant| self.can_read(thread, event, from, variant))
            .map(|variant| Way::Read {
                from: from.is_event().then_some((from.thread, from.index)),
                value,
                newer: self.writes(event.loc) - rank,
                variant,
            })
            .collect()
    }

    /// Whether the graph is consistent with the read, and with the write of a read-modify-write.
    fn can_read(&self, thread: usize, event: &Event, from: Pos, variant: u8) -> bool {
        let mut trial = self.trial();
        let read = trial.graph_mut().push(thread, *event);
        trial.read_from(read, from, variant)
    }

    /// A copy of the graph, to try something on. Revisits are not noted.
    fn trial(&self) -> Explorer {
        let mut trial =
            Explorer::of_graph(self.config.clone(), self.graph.clone(), Learnt::default());
        trial.drains = true;
        trial
    }

    fn ways_to_write(&self, thread: usize, event: &Event) -> Vec<Way> {
        let mut trial = self.trial();
        let write = trial.graph_mut().push(thread, *event);
        let mut ranks = trial.graph().places(write);
        if self.config.model == Model::Sc {
            ranks = ranks.split_off(ranks.len() - 1);
        }
        let newest = self.writes(event.loc);
        let mut ways = Vec::new();
        for rank in ranks.into_iter().rev() {
            trial.graph_mut().place(write, rank);
            if trial.is_consistent(write) {
                ways.push(Way::Write {
                    newer: newest - rank,
                });
            }
            trial.graph_mut().unplace(write);
        }
        ways
    }

    fn ways_to_choose(&self, event: &Event) -> Vec<Way> {
        let offered = Explorer::new(self.config.clone()).is_offered(self.graph, event.why);
        let ways = if offered { event.value as u8 } else { 1 };
        (0..ways.max(1)).map(Way::Choose).collect()
    }

    fn ways_to_lock(
        &self,
        event: &Event,
        free: fn(&Graph, u32) -> Option<Pos>,
    ) -> Result<Vec<Way>, Waits> {
        match free(self.graph, event.loc) {
            Some(_) => Ok(vec![Way::Only]),
            None => Err(Waits::Lock {
                holders: self.holders(event.loc),
            }),
        }
    }

    /// The threads that hold a lock: one to write, or several to read.
    fn holders(&self, loc: u32) -> Vec<ThreadId> {
        let newest = self.graph.newest(loc);
        if let Some(holder) = self.graph.exclusive_reader(loc, newest, NONE) {
            return vec![holder.thread];
        }
        let readers = self.graph.read_sections(loc, newest).into_iter();
        let inside = readers.filter(|&reader| self.graph.release_of(reader).is_none());
        inside.map(|reader| reader.thread).collect()
    }

    fn ways_to_join(&self, thread: usize) -> Result<Vec<Way>, Waits> {
        match self.graph.threads[thread].last() {
            Some(last) if last.kind == Kind::End => Ok(vec![Way::Only]),
            _ => Err(Waits::End(thread as ThreadId)),
        }
    }

    fn awaits(&self, event: &Event) -> Waits {
        let newest = self.graph.newest(event.loc);
        Waits::Value {
            until: event.until,
            newest: self.graph.value(newest, event.loc),
            writer: newest.is_event().then_some(newest.thread),
            timed: event.timed,
        }
    }
}

/// Whether only the program itself knows if the step writes, when it reads a value that was
/// overwritten since.
pub fn must_be_tried(event: &Event, way: Way) -> bool {
    event.update == Update::Closure && matches!(way, Way::Read { newer: 1.., .. })
}

impl Move {
    fn new(thread: usize, next: &Next, ways: Vec<Way>, waits: Option<Waits>) -> Move {
        Move {
            thread: thread as ThreadId,
            at: next.at,
            what: next.what(),
            location: next.location(),
            ways,
            waits,
        }
    }
}

impl Blocked {
    fn new(thread: usize, next: &Next, waits: Waits) -> Blocked {
        Blocked {
            thread: thread as ThreadId,
            at: next.at,
            what: next.what(),
            location: next.location(),
            waits,
        }
    }
}

impl Next {
    fn what(&self) -> What {
        self.event.as_ref().map_or(What::Pass, What::of)
    }

    fn location(&self) -> Option<u32> {
        let location = self.event.map(|event| event.loc);
        location.filter(|&location| location != u32::MAX)
    }
}

impl What {
    /// What an event to be added does.
    fn of(event: &Event) -> What {
        let (order, failure, until) = (event.order.into(), event.failure.into(), event.until);
        let change = |by| What::Change {
            by,
            order,
            failure,
            until,
        };
        match event.kind {
            Kind::Read => match event.update {
                Update::None => What::Load { order, until },
                Update::Rmw(rmw) => change(Some(rmw)),
                Update::Closure => change(None),
            },
            Kind::Write => What::Store {
                order,
                value: event.value,
            },
            Kind::Fence => What::Fence(order),
            Kind::Lock => What::Lock,
            Kind::Unlock => What::Unlock,
            Kind::ReadLock => What::ReadLock,
            Kind::ReadUnlock => What::ReadUnlock,
            Kind::WriteLock => What::WriteLock,
            Kind::WriteUnlock => What::WriteUnlock,
            Kind::Spawn => What::Spawn,
            Kind::Join => What::Join(event.value as ThreadId),
            Kind::Choice => What::Choice(event.why),
            // No thread stops there.
            Kind::Begin | Kind::End => What::Pass,
        }
    }
}
