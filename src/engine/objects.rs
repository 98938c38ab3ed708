//! Maps objects to locations, and finds conflicting plain accesses.
//!
//! An object is bound to a location at its first step in a run. If that step is already in the graph,
//! it is bound to the location that the graph has for it: the same program does the same to the same
//! object. So objects need not be registered, and may be statics.
//!
//! Plain data has no location. For each piece, the accesses are kept that are not ordered before a later
//! one: a new access that does not know of them is a race.

use crate::Place;
use crate::clock::{Clock, Pos};
use crate::graph::Graph;
use crate::memory;
use crate::steps::{Object, ThreadId};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The flag in the numbers of plain data.
const CELL: u32 = 1 << 31;

/// Plain data: its accesses that are not ordered before a later one.
#[derive(Debug, Default)]
struct Cell {
    address: usize,
    write: Option<Access>,
    reads: Vec<Access>,
    freed: Option<Access>,
}

/// The address of an object, and its creation before the first step and end after the last one: both are
/// plain accesses.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    address: usize,
    made: Option<Access>,
    freed: Option<Access>,
}

/// A plain access: its thread, after how many of the thread's events, and the place in the program.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub thread: ThreadId,
    pub done: usize,
    pub at: Place,
}

impl Access {
    fn is_known_by(self, me: ThreadId, known: &Clock) -> bool {
        self.thread == me || known.get(self.thread as usize) > self.done
    }
}

/// A step on an object that does not exist: the access that ended or created it.
#[derive(Clone, Copy, Debug)]
pub enum Misuse {
    /// It has been dropped.
    AfterEnd(Access),
    /// Nothing orders its creation before the step.
    BeforeMade(Access),
}

/// The objects of one run.
#[derive(Debug, Default)]
pub struct Objects {
    generation: u32,
    /// Which locations are bound. They are bound in the order of their numbers, except those of
    /// the graph.
    bound: Vec<bool>,
    /// The beginning and the end of the object of each location.
    lives: Vec<Life>,
    cells: Vec<Cell>,
    /// The address of each object when it was bound, for those that other runs bind as well.
    addresses: Vec<(usize, u32)>,
    /// For each thread, an object that says whether it has ended.
    #[expect(
        clippy::vec_box,
        reason = "pointers to them stay good when there are more"
    )]
    ended: Vec<Box<Object>>,
    /// Whether objects are being dropped whose owners are not ordered, and need not be.
    pub unordered: bool,
}

impl Objects {
    /// Begins a run.
    pub fn begin(&mut self) {
        static GENERATIONS: AtomicU32 = AtomicU32::new(1);
        self.generation = GENERATIONS.fetch_add(1, Relaxed).max(1);
        self.bound.clear();
        self.lives.clear();
        self.cells.clear();
        self.addresses.clear();
        self.ended.clear();
        self.unordered = false;
    }

    fn number(&self, object: &Object) -> Option<u32> {
        let bound = object.bound.load(Relaxed);
        if (bound >> 32) as u32 == self.generation {
            return Some(bound as u32);
        }
        if bound == 0 {
            return None;
        }
        let here = std::ptr::from_ref(object) as usize;
        let mut addresses = self.addresses.iter().rev();
        addresses
            .find(|(address, _)| *address == here)
            .map(|&(_, number)| number)
    }

    fn set_number(&mut self, object: &Object, number: u32) {
        let bound = u64::from(self.generation) << 32 | u64::from(number);
        object.bound.store(bound, Relaxed);
        self.addresses
            .push((std::ptr::from_ref(object) as usize, number));
    }

    /// Whether a word may be the number of an object of this run.
    #[inline]
    pub fn is_like_a_number(&self, word: u64) -> bool {
        (word >> 32) as u32 == self.generation
    }

    /// Whether the word at that address is the number of an object.
    #[inline]
    pub fn is_number_at(&self, address: usize, word: u64) -> bool {
        if !self.is_like_a_number(word) {
            return false;
        }
        let number = word as u32;
        let there = match number & CELL {
            0 => self.lives.get(number as usize).map(|life| life.address),
            _ => self
                .cells
                .get((number & !CELL) as usize)
                .map(|cell| cell.address),
        };
        there == Some(address)
    }

    fn is_bound(&self, loc: u32) -> bool {
        self.bound.get(loc as usize).copied().unwrap_or(false)
    }

    fn set_bound(&mut self, object: &Object, loc: u32) {
        let index = loc as usize;
        if self.bound.len() <= index {
            self.bound.resize(index + 1, false);
            self.lives.resize(index + 1, Life::default());
        }
        self.bound[index] = true;
        self.lives[index] = Life {
            address: std::ptr::from_ref(object) as usize,
            made: Objects::making(object),
            freed: None,
        };
        self.set_number(object, loc);
    }

    /// Binds the object to the location that the graph has for its step. False if the object is bound to
    /// another one, or the location to another object.
    pub fn adopt(&mut self, object: &Object, loc: u32, graph: &mut Graph, init: u64) -> bool {
        match self.number(object) {
            Some(number) => number == loc,
            None if self.is_bound(loc) => false,
            None => {
                self.set_bound(object, loc);
                graph.loc_mut(loc).init = init;
                true
            }
        }
    }

    /// The location of the object: a new one, if it has none. All of the graph has been replayed, so
    /// an unbound object has no events.
    pub fn bind(&mut self, object: &Object, graph: &mut Graph, init: u64) -> u32 {
        if let Some(loc) = self.number(object) {
            return loc;
        }
        let free = self.bound.iter().position(|&bound| !bound);
        let loc = free.unwrap_or(self.bound.len()) as u32;
        self.set_bound(object, loc);
        graph.loc_mut(loc).init = init;
        loc
    }

    /// The location of the object, if it has one.
    pub fn location(&self, object: &Object) -> Option<u32> {
        self.number(object).filter(|number| number & CELL == 0)
    }

    /// Forgets the object: its next step binds it again.
    pub fn forget(&mut self, object: &Object) {
        let here = std::ptr::from_ref(object) as usize;
        self.addresses.retain(|(address, _)| *address != here);
        object.bound.store(0, Relaxed);
    }

    /// The conflict of a step on the object of that location with the object's end, or with its creation if
    /// the thread does not know of that.
    #[inline]
    pub fn misused(&self, loc: u32, me: ThreadId, known: impl FnOnce() -> Clock) -> Option<Misuse> {
        if loc & CELL != 0 {
            let freed = self.cells[(loc & !CELL) as usize].freed?;
            return Some(Misuse::AfterEnd(freed));
        }
        let life = self.lives.get(loc as usize)?;
        if let Some(freed) = life.freed {
            return Some(Misuse::AfterEnd(freed));
        }
        let made = life.made.filter(|made| made.thread != me)?;
        let before = !made.is_known_by(me, &known());
        before.then_some(Misuse::BeforeMade(made))
    }

    fn cell(&mut self, object: &Object) -> &mut Cell {
        let number = self.number(object).unwrap_or_else(|| {
            self.cells.push(Cell {
                address: std::ptr::from_ref(object) as usize,
                ..Cell::default()
            });
            let number = (self.cells.len() - 1) as u32 | CELL;
            self.set_number(object, number);
            number
        });
        &mut self.cells[(number & !CELL) as usize]
    }

    /// Whether the object is plain data that has been accessed.
    pub fn is_plain(&self, object: &Object) -> bool {
        self.number(object).is_some_and(|number| number & CELL != 0)
    }

    /// The creation of an object, as its first write: by the thread that allocated its memory.
    fn making(object: &Object) -> Option<Access> {
        let at = object.made()?;
        let made = memory::maker(std::ptr::from_ref(object) as usize)?;
        Some(Access {
            thread: made.thread,
            done: made.done,
            at,
        })
    }

    /// Notes a plain access by a thread with that knowledge. Returns the access that it conflicts with, and
    /// whether that freed the data.
    pub fn access(
        &mut self,
        object: &Object,
        access: Access,
        known: &Clock,
        writes: bool,
    ) -> Option<(bool, Access)> {
        let making = match self.number(object) {
            None => Objects::making(object),
            Some(_) => None,
        };
        let cell = self.cell(object);
        cell.write = cell.write.or(making);
        if let Some(freed) = cell.freed {
            return Some((true, freed));
        }
        let mut others = cell
            .write
            .iter()
            .chain(cell.reads.iter().filter(|_| writes));
        if let Some(other) = others.find(|other| !other.is_known_by(access.thread, known)) {
            return Some((false, *other));
        }
        if writes {
            cell.write = Some(access);
            cell.reads.clear();
        } else {
            cell.reads.retain(|read| read.thread != access.thread);
            cell.reads.push(access);
        }
        None
    }

    /// The object that says whether a thread has ended.
    pub fn ended(&mut self, thread: usize) -> *const Object {
        while self.ended.len() <= thread {
            self.ended.push(Box::default());
        }
        &raw const *self.ended[thread]
    }

    /// Notes that the object was dropped.
    pub fn free(&mut self, object: &Object, access: Access) {
        match self.location(object) {
            Some(loc) => self.lives[loc as usize].freed = Some(access),
            None => self.cell(object).freed = Some(access),
        }
    }
}

impl Graph {
    /// An access to a location, among those done so far, that is not known.
    pub fn unknown_access(
        &self,
        loc: u32,
        me: usize,
        known: &Clock,
        is_done: impl Fn(Pos) -> bool,
    ) -> Option<Access> {
        let location = self.locs.get(loc as usize)?;
        let mut accesses = location.mo.iter().chain(&location.reads).copied();
        let unknown =
            accesses.find(|&pos| pos.thread as usize != me && is_done(pos) && !known.has(pos))?;
        Some(Access {
            thread: unknown.thread,
            done: unknown.index as usize,
            at: self.event(unknown).at,
        })
    }
}
