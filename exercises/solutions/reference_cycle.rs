// Friends of the orchestra
//
// An orchestra knows its musicians, and each musician knows the orchestra. The hall has been dark
// for years; but of every orchestra that ever played there, all are still in memory.

use heisenbug::sync::{Arc, Mutex, Weak};

#[derive(Default)]
pub struct Orchestra {
    musicians: Mutex<Vec<Arc<Musician>>>,
}

pub struct Musician {
    /// The orchestra owns its musicians, and not the other way round.
    orchestra: Weak<Orchestra>,
}

/// Hires a musician, who belongs to the orchestra from then on.
pub fn hire(orchestra: &Arc<Orchestra>) -> Arc<Musician> {
    let musician = Arc::new(Musician {
        orchestra: Arc::downgrade(orchestra),
    });
    let mut musicians = orchestra.musicians.lock().unwrap();
    musicians.push(Arc::clone(&musician));
    musician
}

impl Orchestra {
    /// How many musicians play.
    pub fn size(&self) -> usize {
        self.musicians.lock().unwrap().len()
    }
}

impl Musician {
    /// How many musicians play in this one's orchestra, or none if there is no orchestra any more.
    pub fn colleagues(&self) -> usize {
        self.orchestra.upgrade().map_or(0, |own| own.size())
    }
}
