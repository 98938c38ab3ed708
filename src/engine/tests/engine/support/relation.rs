//! Relations between the events of one execution, as bit matrices.

/// The maximal number of events of an execution.
pub const MOST: usize = 64;

/// A relation: row `a` has bit `b` if `a` is related to `b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    rows: Vec<u64>,
}

impl Relation {
    /// The empty relation between `size` events.
    pub fn empty(size: usize) -> Relation {
        assert!(size <= MOST, "too many events for a word");
        let rows = vec![0; size];
        Relation { rows }
    }

    pub fn add(&mut self, a: usize, b: usize) {
        self.rows[a] |= 1 << b;
    }

    pub fn has(&self, a: usize, b: usize) -> bool {
        self.rows[a] >> b & 1 == 1
    }

    /// The union: `a ∪ b`.
    pub fn or(&self, other: &Relation) -> Relation {
        let pairs = self.rows.iter().zip(&other.rows);
        let rows = pairs.map(|(mine, theirs)| mine | theirs).collect();
        Relation { rows }
    }

    /// The first relation, then the second: `a ; b` in the papers.
    pub fn then(&self, other: &Relation) -> Relation {
        let rows = self.rows.iter().map(|&row| other.reached_from(row));
        Relation {
            rows: rows.collect(),
        }
    }

    /// Everything that is related to an element of a set.
    fn reached_from(&self, mut set: u64) -> u64 {
        let mut reached = 0;
        while set != 0 {
            reached |= self.rows[set.trailing_zeros() as usize];
            set &= set - 1;
        }
        reached
    }

    /// The transitive closure: `r⁺`.
    pub fn closed(mut self) -> Relation {
        for middle in 0..self.rows.len() {
            let onwards = self.rows[middle];
            for row in &mut self.rows {
                if *row >> middle & 1 == 1 {
                    *row |= onwards;
                }
            }
        }
        self
    }

    /// The reflexive closure: `r?`.
    pub fn optional(&self) -> Relation {
        let rows = self.rows.iter().enumerate();
        Relation {
            rows: rows.map(|(event, row)| row | 1 << event).collect(),
        }
    }

    /// Restricted to pairs from one set to another: `[A] ; r ; [B]`.
    pub fn between(&self, from: u64, to: u64) -> Relation {
        let rows = self.rows.iter().enumerate();
        let kept = rows.map(|(event, row)| if from >> event & 1 == 1 { row & to } else { 0 });
        Relation {
            rows: kept.collect(),
        }
    }

    /// The intersection with another relation.
    pub fn and(&self, other: &Relation) -> Relation {
        let pairs = self.rows.iter().zip(&other.rows);
        let rows = pairs.map(|(mine, theirs)| mine & theirs).collect();
        Relation { rows }
    }

    /// The difference to another relation.
    pub fn without(&self, other: &Relation) -> Relation {
        let pairs = self.rows.iter().zip(&other.rows);
        let rows = pairs.map(|(mine, theirs)| mine & !theirs).collect();
        Relation { rows }
    }

    /// Whether nothing is related to itself.
    pub fn is_irreflexive(&self) -> bool {
        (0..self.rows.len()).all(|event| !self.has(event, event))
    }

    /// Whether there is no cycle.
    pub fn has_no_cycle(self) -> bool {
        self.closed().is_irreflexive()
    }
}
