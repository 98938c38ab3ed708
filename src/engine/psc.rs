//! RC11's axiom for sequentially consistent events: *psc* has no cycle.
//!
//! Lahav, Vafeiadis, Kang, Hur and Dreyer, *Repairing Sequential Consistency in C/C++11* (PLDI 2017):
//!
//! - `scb = po ∪ po|≠loc ; hb ; po|≠loc ∪ hb|loc ∪ mo ∪ rb`
//! - `psc_base = ([E^sc] ∪ [F^sc];hb?) ; scb ; ([E^sc] ∪ hb?;[F^sc])`
//! - `psc_F = [F^sc] ; (hb ∪ hb;eco;hb) ; [F^sc]`

use crate::clock::{NONE, Pos};
use crate::event::Kind;
use crate::graph::Graph;

/// An event as the axiom sees it.
struct Node {
    pos: Pos,
    access: Option<Access>,
    /// The first event after it in its thread, and the last one before it, of another location.
    after: Pos,
    before: Pos,
}

/// An access: the location, the rank of the write that it is or reads from, and whether it writes.
#[derive(Clone, Copy)]
struct Access {
    loc: u32,
    rank: usize,
    writes: bool,
}

impl Graph {
    /// Whether *psc* is acyclic, given that it was before the event at `pos` was added.
    pub fn psc_is_acyclic(&self, pos: Pos) -> bool {
        let mut sc = Vec::new();
        let mut fences = false;
        for (thread, events) in self.threads.iter().enumerate() {
            for (index, event) in events.iter().enumerate() {
                if event.is_seq_cst() {
                    sc.push(Pos::new(thread, index));
                    fences |= event.kind == Kind::Fence;
                }
            }
        }
        // Without fences, the edges between the earlier events cannot have changed.
        if sc.len() < 2 || (!fences && !self.event(pos).is_seq_cst()) {
            return true;
        }
        let nodes: Vec<Node> = if fences {
            let all = self.threads.iter().enumerate();
            all.flat_map(|(thread, events)| {
                (0..events.len()).map(move |index| Pos::new(thread, index))
            })
            .map(|pos| self.node(pos))
            .collect()
        } else {
            sc.iter().map(|&pos| self.node(pos)).collect()
        };
        is_acyclic(&self.psc_edges(&sc, &nodes))
    }

    fn node(&self, pos: Pos) -> Node {
        Node {
            pos,
            access: self.access(pos),
            after: self.other_location_after(pos),
            before: self.other_location_before(pos),
        }
    }

    /// For each event of `sc`, the events that psc orders after it.
    fn psc_edges(&self, sc: &[Pos], nodes: &[Node]) -> Vec<Vec<bool>> {
        let is_fence = |pos: Pos| self.event(pos).kind == Kind::Fence;
        let number = |pos: Pos| sc.iter().position(|&other| other == pos);
        let numbers: Vec<Option<usize>> = nodes.iter().map(|node| number(node.pos)).collect();
        let fences: Vec<usize> = (0..sc.len()).filter(|&nth| is_fence(sc[nth])).collect();
        let mut edges = vec![vec![false; sc.len()]; sc.len()];
        for (row, &from) in edges.iter_mut().zip(sc) {
            let from_fence = is_fence(from);
            let starts =
                |x: &&Node| x.pos == from || (from_fence && self.happens_before(from, x.pos));
            for x in nodes.iter().filter(starts) {
                for (y, number) in nodes.iter().zip(&numbers) {
                    if x.pos == y.pos {
                        continue;
                    }
                    let scb = self.scb(x, y);
                    let through_eco = || from_fence && x.pos != from && eco(x, y);
                    if !scb && !through_eco() {
                        continue;
                    }
                    if let Some(number) = number.filter(|_| scb) {
                        row[number] = true;
                    }
                    for &fence in &fences {
                        row[fence] |= self.happens_before(y.pos, sc[fence]);
                    }
                }
            }
            for &fence in fences.iter().filter(|_| from_fence) {
                row[fence] |= self.happens_before(from, sc[fence]);
            }
        }
        edges
    }

    #[inline]
    fn happens_before(&self, a: Pos, b: Pos) -> bool {
        a != b && self.event(b).hb.has(a)
    }

    fn access(&self, pos: Pos) -> Option<Access> {
        let event = self.event(pos);
        let (rank, writes) = match event.kind {
            Kind::Write => (event.mo as usize + 1, true),
            Kind::Read => (self.rank(event.rf), false),
            _ => return None,
        };
        Some(Access {
            loc: event.loc,
            rank,
            writes,
        })
    }

    fn location(&self, pos: Pos) -> Option<u32> {
        let event = self.event(pos);
        (event.kind.reads() || event.kind.writes()).then_some(event.loc)
    }

    fn other_location_after(&self, pos: Pos) -> Pos {
        let loc = self.location(pos);
        let behind = pos.index as usize + 1..self.threads[pos.thread as usize].len();
        behind
            .map(|index| Pos::new(pos.thread as usize, index))
            .find(|&next| loc.is_none() || self.location(next) != loc)
            .unwrap_or(NONE)
    }

    fn other_location_before(&self, pos: Pos) -> Pos {
        let loc = self.location(pos);
        (0..pos.index as usize)
            .rev()
            .map(|index| Pos::new(pos.thread as usize, index))
            .find(|&last| loc.is_none() || self.location(last) != loc)
            .unwrap_or(NONE)
    }

    fn scb(&self, x: &Node, y: &Node) -> bool {
        if x.pos.thread == y.pos.thread && x.pos.index < y.pos.index {
            return true;
        }
        if let (Some(a), Some(b)) = (x.access, y.access)
            && a.loc == b.loc
            && ((b.writes && a.rank < b.rank) || self.happens_before(x.pos, y.pos))
        {
            return true;
        }
        x.after != NONE
            && y.before != NONE
            && (x.after == y.before || self.event(y.before).hb.has(x.after))
    }
}

/// Whether `x` is before `y` in the transitive closure of modification order, reads-from and reads-before.
fn eco(x: &Node, y: &Node) -> bool {
    match (x.access, y.access) {
        (Some(a), Some(b)) if a.loc == b.loc => {
            if a.writes && !b.writes {
                a.rank <= b.rank
            } else {
                a.rank < b.rank
            }
        }
        _ => false,
    }
}

/// Repeatedly removes events without incoming edges: the events of cycles remain.
fn is_acyclic(edges: &[Vec<bool>]) -> bool {
    let mut leading: Vec<usize> = vec![0; edges.len()];
    for row in edges {
        for (leading, &edge) in leading.iter_mut().zip(row) {
            *leading += usize::from(edge);
        }
    }
    let mut free: Vec<usize> = (0..edges.len())
        .filter(|&node| leading[node] == 0)
        .collect();
    let mut taken = 0;
    while let Some(node) = free.pop() {
        taken += 1;
        for (next, _) in edges[node].iter().enumerate().filter(|(_, edge)| **edge) {
            leading[next] -= 1;
            if leading[next] == 0 {
                free.push(next);
            }
        }
    }
    taken == edges.len()
}
