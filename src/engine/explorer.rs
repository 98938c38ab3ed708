//! Finds all executions: the search over execution graphs.
//!
//! Each run of the program extends the graph on top of the stack. Whatever could have gone another
//! way becomes an [`Item`] of that graph's frame, and is applied later. A *backward revisit* makes a
//! smaller graph, and so another frame. (TruSt: Kokologiannakis, Marmanis, Gladstein and
//! Vafeiadis, *Truly Stateless, Optimal Dynamic Partial Order Reduction*, POPL 2022.)

use crate::Place;
use crate::clock::{Clock, NONE, Pos};
use crate::event::{Event, Kind, Order};
use crate::graph::{Asleep, Graph};
use crate::maximal::{Steal, Wanted};
use crate::search::{Config, Model, Sabotage};
use rustc_hash::{FxHashMap, FxHashSet};

/// Something that could have gone another way.
#[derive(Clone, Debug)]
pub enum Item {
    /// A read reads from another write.
    Read {
        read: Pos,
        stamp: u32,
        from: Pos,
        variant: u8,
    },
    /// A write has another place in the modification order.
    Write { write: Pos, stamp: u32, rank: usize },
    /// A choice goes another way.
    Choice { choice: Pos, stamp: u32, value: u64 },
    /// An older read reads from a newer write.
    Back {
        stamp: u32,
        read: Pos,
        write: Pos,
        keep: Clock,
    },
    /// A lock is taken before its holders in this graph take it.
    Steal(Box<Steal>),
    /// Runs the graph as it is.
    Run,
}

/// A graph, and the items to apply to it.
#[derive(Clone, Debug)]
pub struct Frame {
    pub graph: Graph,
    pub work: Vec<Work>,
}

/// An item, and its estimated share of the whole exploration; unknown until the run that found the item
/// has ended.
#[derive(Clone, Debug)]
pub struct Work {
    pub item: Item,
    pub share: Option<f64>,
}

impl Frame {
    /// The frame that the exploration begins with.
    pub fn root(config: &Config) -> Frame {
        Frame::of(Graph::new(config.sabotage))
    }

    fn of(graph: Graph) -> Frame {
        let work = vec![Work::new(Item::Run)];
        Frame { graph, work }
    }
}

impl Work {
    fn new(item: Item) -> Work {
        Work { item, share: None }
    }
}

/// What was learnt about the program while it ran. The set of graphs to explore depends on it, so learning
/// something means starting over.
#[derive(Clone, Debug, Default)]
pub struct Learnt {
    /// Places, by their addresses, where loops repeat without having changed anything.
    pub loops: FxHashMap<usize, Place>,
    /// Those of them where some thread has come back with the same stack as before.
    pub circles: FxHashMap<usize, Place>,
    /// The façade's facts about the program.
    pub facts: FxHashSet<&'static str>,
}

impl Learnt {
    /// Whether the façade's fact is known about the program.
    pub fn knows(&self, fact: &str) -> bool {
        self.facts.contains(fact)
    }
}

/// The state of the exploration.
#[derive(Debug)]
pub struct Explorer {
    pub config: Config,
    pub frames: Vec<Frame>,
    pub learnt: Learnt,
    /// Set when something was learnt: the exploration so far does not count.
    pub restart: bool,
    /// The slot of each thread, by the slot of its parent and its number among the children.
    pub slots: FxHashMap<(u8, u32), u8>,
    /// After how many passes a loop was no longer made to read the same old value, if that happened.
    pub passes: Option<u32>,
    /// Set when events that are added now belong to no execution.
    pub drains: bool,
    /// The share of the item that is being explored, and the share explored so far.
    share: f64,
    pub explored: f64,
}

impl Explorer {
    /// An exploration that has not begun yet.
    pub fn new(config: Config) -> Explorer {
        let root = Frame::root(&config);
        Explorer::of_frame(config, root, FxHashMap::default(), Learnt::default())
    }

    /// An exploration that begins with a graph.
    pub fn of_graph(config: Config, graph: Graph, learnt: Learnt) -> Explorer {
        Explorer::of_frame(config, Frame::of(graph), FxHashMap::default(), learnt)
    }

    /// An exploration of the remaining items of a graph.
    pub fn of_frame(
        config: Config,
        frame: Frame,
        slots: FxHashMap<(u8, u32), u8>,
        learnt: Learnt,
    ) -> Explorer {
        Explorer {
            config,
            frames: vec![frame],
            learnt,
            restart: false,
            slots,
            passes: None,
            drains: false,
            share: 1.0,
            explored: 0.0,
        }
    }

    /// The graph that is being run.
    #[inline]
    pub fn graph(&self) -> &Graph {
        &self.frames.last().expect("something is explored").graph
    }

    /// The same, to be changed.
    #[inline]
    pub fn graph_mut(&mut self) -> &mut Graph {
        &mut self.frames.last_mut().expect("something is explored").graph
    }

    /// Notes an alternative for later.
    #[inline]
    pub fn later(&mut self, item: Item) {
        if self.drains {
            return;
        }
        let top = self.frames.last_mut().expect("something is explored");
        top.work.push(Work::new(item));
    }

    /// Gives each item found by a run its share of the whole: the run's share, divided evenly.
    pub fn weigh(&mut self) {
        let Some(top) = self.frames.last_mut() else {
            return;
        };
        let found = top.work.iter_mut().rev();
        let found: Vec<&mut Work> = found.take_while(|work| work.share.is_none()).collect();
        let each = self.share / (found.len() + 1) as f64;
        for work in found {
            work.share = Some(each);
        }
        self.explored += each;
    }

    /// Makes the next graph to run. False if there is none left.
    pub fn next(&mut self) -> bool {
        while let Some(top) = self.frames.last_mut() {
            match top.work.pop() {
                None => {
                    self.frames.pop();
                }
                Some(work) => {
                    self.share = work.share.unwrap_or(self.share);
                    let before = self.frames.len();
                    match self.apply(work.item) {
                        Applied::Runnable => return true,
                        Applied::Framed => self.divide(before),
                        Applied::DeadEnd => self.weigh(),
                    }
                }
            }
        }
        false
    }

    /// Divides the share of an item among the frames that it has led to.
    fn divide(&mut self, before: usize) {
        let each = self.share / (self.frames.len() - before).max(1) as f64;
        for frame in &mut self.frames[before..] {
            for work in &mut frame.work {
                work.share = Some(each);
            }
        }
        if self.frames.len() == before {
            self.explored += self.share;
        }
    }

    fn apply(&mut self, item: Item) -> Applied {
        match item {
            Item::Run => Applied::Runnable,
            Item::Read {
                read,
                stamp,
                from,
                variant,
            } => {
                self.graph_mut().restrict(stamp);
                Applied::runnable(self.read_from(read, from, variant))
            }
            Item::Choice {
                choice,
                stamp,
                value,
            } => {
                self.graph_mut().restrict(stamp);
                self.graph_mut().event_mut(choice).value = value;
                Applied::Runnable
            }
            Item::Write { write, stamp, rank } => {
                let graph = self.graph_mut();
                graph.restrict(stamp);
                graph.unplace(write);
                graph.place(write, rank);
                Applied::runnable(self.is_consistent(write))
            }
            Item::Steal(steal) => self.apply_steal(*steal),
            Item::Back {
                stamp,
                read,
                write,
                keep,
            } => self.apply_revisit(stamp, read, write, keep),
        }
    }

    /// Whether the graph is consistent, given that it was before the event at `pos` was added.
    pub fn is_consistent(&self, pos: Pos) -> bool {
        let graph = self.graph();
        let event = graph.event(pos);
        let source = if event.kind.reads() { event.rf } else { pos };
        if event.kind == Kind::Fence
            || ((event.kind.reads() || event.kind.writes()) && graph.newest(event.loc) == source)
        {
            // An event that reads the newest value, or writes it, is before no other event.
            return true;
        }
        match self.config.model {
            Model::Sc => graph.has_sc_order(pos),
            Model::Rc11 => {
                !graph.has_sc
                    || self.config.sabotage == Some(Sabotage::NoPsc)
                    || graph.psc_is_acyclic(pos)
            }
        }
    }

    /// Makes `read` read from `from`, and adds the write of a read-modify-write. False if that is not
    /// possible.
    pub fn read_from(&mut self, read: Pos, from: Pos, variant: u8) -> bool {
        let graph = self.graph_mut();
        let loc = graph.event(read).loc;
        let value = graph.value(from, loc);
        let event = graph.event_mut(read);
        (event.rf, event.value, event.variant) = (from, value, variant);
        event.rmw = false;
        let new = event.update.apply(value, variant);
        let new = new.filter(|_| event.until.is_met(value));
        event.rmw = new.is_some();
        graph.set_clocks(read);
        self.is_consistent(read) && new.is_none_or(|new| self.write_behind(read, new))
    }

    /// Adds the write of a read-modify-write. False if another one has written directly after the same write:
    /// then the graph only serves to find the reads that this write revisits.
    pub fn write_behind(&mut self, read: Pos, value: u64) -> bool {
        let graph = self.graph_mut();
        let event = *graph.event(read);
        let rival = graph.exclusive_reader(event.loc, event.rf, read);
        let mut write = Event::new(Kind::Write, event.order, event.loc, event.at);
        (write.rmw, write.value) = (true, value);
        let rank = graph.rank(event.rf);
        let write = graph.push(read.thread as usize, write);
        graph.place(write, rank);
        match rival {
            None if !self.is_consistent(write) => false,
            None => {
                self.revisit(write, u32::MAX);
                true
            }
            Some(rival) => {
                let limit = self.graph().event(rival).stamp;
                self.revisit(write, limit);
                false
            }
        }
    }

    /// Finds the older reads that a new write can revisit, up to a stamp.
    pub fn revisit(&mut self, write: Pos, limit: u32) {
        if self.drains {
            return;
        }
        let top = self.frames.last_mut().expect("something is explored");
        let graph = &top.graph;
        let event = graph.event(write);
        for &read in &graph.locs[event.loc as usize].reads {
            let other = graph.event(read);
            if event.porf.has(read)
                || other.pinned
                || other.stamp > limit
                || other.kind != Kind::Read
            {
                continue;
            }
            let keep = graph.kept_by_revisit(read, write);
            if graph.may_revisit(&keep, read, write) {
                top.work.push(Work::new(Item::Back {
                    stamp: event.stamp,
                    read,
                    write,
                    keep,
                }));
            }
        }
    }

    /// The graph on top, for an item that derives others from it. Moved out instead of copied for the last item.
    fn graph_of_item(&mut self, stamp: u32) -> Graph {
        let top = self.frames.last_mut().expect("something is explored");
        top.graph.restrict(stamp);
        if !top.work.is_empty() {
            return top.graph.clone();
        }
        std::mem::replace(&mut top.graph, Graph::new(None))
    }

    fn apply_revisit(&mut self, stamp: u32, read: Pos, write: Pos, mut keep: Clock) -> Applied {
        let mut smaller = self.graph_of_item(stamp);
        smaller.unplace(write);
        let revisited = *smaller.event(read);
        keep.set(read.thread as usize, read.index as usize);
        smaller.cut(&keep);
        // A deleted writer may come again, and then its readers are no longer asleep.
        let mut asleep = std::mem::take(&mut smaller.asleep);
        asleep.retain(|asleep| smaller.has(asleep.victim));
        smaller.asleep = asleep;
        if self.config.sabotage != Some(Sabotage::NoPins) {
            smaller.pin(write);
        }
        let event = *smaller.event(write);
        let behind = event.rmw.then(|| Pos {
            index: write.index - 1,
            ..write
        });
        let ranks = match behind {
            Some(own) => vec![smaller.rank(smaller.event(own).rf)],
            None => smaller.places(write),
        };
        // The last frame gets the graph itself instead of a copy.
        let graphs = std::iter::repeat_n(smaller, ranks.len());
        for (rank, mut graph) in ranks.into_iter().zip(graphs) {
            graph.place(write, rank);
            let rival = behind.and_then(|own| {
                let from = graph.event(own).rf;
                graph.exclusive_reader(event.loc, from, own)
            });
            let hb = graph.hb_before(read);
            if rival.is_some() || graph.floor(event.loc, &hb, read) > graph.rank(write) {
                continue;
            }
            self.frame_with(graph, write, read, revisited);
        }
        Applied::Framed
    }

    /// Adds frames for a graph in which `read`, put back, reads from `write`: one for each way that its
    /// operation can then go.
    fn frame_with(&mut self, graph: Graph, write: Pos, read: Pos, revisited: Event) {
        let value = graph.event(write).value;
        self.frames.push(Frame {
            graph,
            work: Vec::new(),
        });
        if !self.is_consistent(write) {
            self.frames.pop();
            return;
        }
        // The read is put back as it was, with its old stamp.
        let mut event = revisited;
        event.rf = NONE;
        self.graph_mut().push_stamped(read.thread as usize, event);
        let offered = self.is_offered(self.graph(), revisited.why);
        let ways = match offered {
            true => revisited.update.variants(value),
            false => 1,
        };
        let base = self.frames.pop().expect("it was just pushed");
        let frames = std::iter::repeat_n(base, ways.into());
        for (variant, frame) in (0..ways).zip(frames) {
            self.frames.push(frame);
            if self.read_from(read, write, variant) {
                self.later(Item::Run);
            }
        }
    }

    fn apply_steal(&mut self, steal: Steal) -> Applied {
        let pins = self.config.sabotage != Some(Sabotage::NoPins);
        let mut smaller = self.graph_of_item(steal.stamp);
        smaller.cut(&steal.keep);
        let mut event = Event::new(steal.kind, Order::Acquire, steal.loc, steal.at);
        event.rf = steal.from;
        let taken = smaller.push(steal.thread, event);
        if steal.kind == Kind::ReadLock {
            smaller.asleep.push(Asleep {
                reader: taken,
                victim: steal.victim,
                displaced: steal.displaced,
            });
        }
        if pins {
            smaller.pin(taken);
        }
        self.frames.push(Frame {
            graph: smaller,
            work: Vec::new(),
        });
        // A lock that is taken earlier reads from an older write section.
        let consistent = match self.config.model {
            Model::Sc => self.graph().has_sc_order(taken),
            Model::Rc11 => true,
        };
        if consistent {
            self.later(Item::Run);
        }
        Applied::Framed
    }

    /// Adds the acquisition of a free lock, and notes the threads that could have taken it earlier.
    pub fn add_lock(&mut self, wanted: Wanted, from: Pos, waiting: &[usize]) -> Pos {
        self.note_steals(wanted, waiting);
        let mut event = Event::new(wanted.kind, Order::Acquire, wanted.loc, wanted.at);
        event.rf = from;
        self.graph_mut().push(wanted.thread, event)
    }

    /// Notes the threads that could have taken a lock earlier.
    pub fn note_steals(&mut self, wanted: Wanted, waiting: &[usize]) {
        if self.drains {
            return;
        }
        for steal in self.graph().steals(wanted, waiting) {
            self.later(Item::Steal(Box::new(steal)));
        }
    }

    /// Adds a read of the newest value, and notes which other writes it can read from.
    pub fn add_read(&mut self, thread: usize, event: Event) -> Pos {
        let graph = self.graph_mut();
        let newest = graph.newest(event.loc);
        let mut event = event;
        // The clocks are computed once it is known which write it reads from.
        event.rf = NONE;
        let read = graph.push(thread, event);
        let stamp = graph.stamp;
        let floor = graph.floor(event.loc, &graph.hb_before(read), read);
        let porf = graph.event(read).porf;
        let ranks = floor..=graph.locs[event.loc as usize].mo.len();
        for rank in ranks {
            let from = self.graph().at_rank(event.loc, rank);
            self.note_ways_to_read(read, stamp, from, &porf, from == newest);
        }
        let consistent = self.read_from(read, newest, 0);
        debug_assert!(consistent, "the newest value can always be read");
        read
    }

    /// Notes the ways in which a new read can read from a write, except the ordinary one.
    fn note_ways_to_read(
        &mut self,
        read: Pos,
        stamp: u32,
        from: Pos,
        porf: &Clock,
        is_newest: bool,
    ) {
        let graph = self.graph();
        let event = *graph.event(read);
        let value = graph.value(from, event.loc);
        if !event.until.is_met(value) {
            // Going on waiting is pointless, unless a later write may revisit the read, which is only
            // allowed if it reads the newest value.
            return;
        }
        let rival = graph.exclusive_reader(event.loc, from, read);
        let barred = rival.is_some_and(|rival| graph.event(rival).pinned || porf.has(rival));
        if !is_newest && self.is_read_too_often(read, from) {
            self.passes = Some(self.config.max_passes);
            return;
        }
        let graph = self.graph();
        let writes = |variant| event.update.apply(value, variant).is_some();
        let ways = event.update.variants(value);
        let offered = self.is_offered(graph, event.why);
        for variant in 0..ways {
            let ordinary = is_newest && variant == 0;
            if ordinary || (barred && writes(variant)) || (variant > 0 && !offered) {
                continue;
            }
            self.later(Item::Read {
                read,
                stamp,
                from,
                variant,
            });
        }
    }

    /// Whether a loop has read the same old value at the same place as often as the limit allows.
    fn is_read_too_often(&self, read: Pos, from: Pos) -> bool {
        let graph = self.graph();
        let at = graph.event(read).at;
        let before = &graph.threads[read.thread as usize][..read.index as usize];
        let mut same = before.iter().filter(|event| {
            event.kind == Kind::Read && event.rf == from && std::ptr::eq(event.at, at)
        });
        same.nth(self.config.max_passes as usize - 1).is_some()
    }

    /// Whether something spurious may happen once more in this execution.
    pub fn is_offered(&self, graph: &Graph, why: crate::steps::Why) -> bool {
        let Some(limit) = self.config.limit(why) else {
            return true;
        };
        let events = graph.threads.iter().flatten();
        let happened = events.filter(|event| {
            event.why == why
                && match event.kind {
                    Kind::Choice => event.value > 0,
                    _ => event.variant > 0,
                }
        });
        happened.count() < limit as usize
    }
}

/// The result of applying an item.
enum Applied {
    /// The graph on top is to be run.
    Runnable,
    /// The results were pushed as frames.
    Framed,
    /// There is no such execution.
    DeadEnd,
}

impl Applied {
    fn runnable(consistent: bool) -> Applied {
        if consistent {
            Applied::Runnable
        } else {
            Applied::DeadEnd
        }
    }
}

/// The write section from which a lock can be taken, if it is free for a reader or a mutex.
pub fn free_for_one(graph: &Graph, loc: u32) -> Option<Pos> {
    let newest = graph.newest(loc);
    let taken = graph.exclusive_reader(loc, newest, NONE);
    taken.is_none().then_some(newest)
}

/// The same for a writer: there must be no readers either.
pub fn free_for_writer(graph: &Graph, loc: u32) -> Option<Pos> {
    let from = free_for_one(graph, loc)?;
    let sections = graph.read_sections(loc, from);
    let left = sections
        .iter()
        .all(|&section| graph.release_of(section).is_some());
    left.then_some(from)
}
