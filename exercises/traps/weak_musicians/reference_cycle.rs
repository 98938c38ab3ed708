// Friends of the orchestra
//
// An orchestra knows its musicians, and each musician knows the orchestra. The hall has been dark
// for years; but of every orchestra that ever played there, all are still in memory.

use heisenbug::sync::{Arc, Mutex, Weak};

#[derive(Default)]
pub struct Orchestra {
    musicians: Mutex<Vec<Weak<Musician>>>,
}

pub struct Musician {
    // A musician keeps the orchestra alive, and the orchestra only knows its musicians.
    orchestra: Arc<Orchestra>,
}

/// Hires a musician, who belongs to the orchestra from then on.
pub fn hire(orchestra: &Arc<Orchestra>) -> Arc<Musician> {
    let musician = Arc::new(Musician {
        orchestra: Arc::clone(orchestra),
    });
    let mut musicians = orchestra.musicians.lock().unwrap();
    musicians.push(Arc::downgrade(&musician));
    musician
}

impl Orchestra {
    /// How many musicians play.
    pub fn size(&self) -> usize {
        let musicians = self.musicians.lock().unwrap();
        { musicians.iter() }.filter_map(Weak::upgrade).count()
    }
}

impl Musician {
    /// How many musicians play in this one's orchestra, or none if there is no orchestra any more.
    pub fn colleagues(&self) -> usize {
        self.orchestra.size()
    }
}
