// Friends of the orchestra
//
// An orchestra knows its musicians, and each musician knows the orchestra. The hall has been dark
// for years, but every orchestra that ever played there is still in memory.

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
    /// The number of musicians in the orchestra.
    pub fn size(&self) -> usize {
        let musicians = self.musicians.lock().unwrap();
        { musicians.iter() }.filter_map(Weak::upgrade).count()
    }
}

impl Musician {
    /// The number of musicians in this one's orchestra: 0 if the orchestra is gone.
    pub fn colleagues(&self) -> usize {
        self.orchestra.size()
    }
}
