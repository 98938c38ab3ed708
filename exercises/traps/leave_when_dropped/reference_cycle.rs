// Friends of the orchestra
//
// An orchestra knows its musicians, and each musician knows the orchestra. The hall has been dark
// for years, but every orchestra that ever played there is still in memory.

use heisenbug::sync::{Arc, Mutex};

#[derive(Default)]
pub struct Orchestra {
    musicians: Mutex<Vec<Arc<Musician>>>,
}

pub struct Musician {
    // Both own each other, and `drop` takes care of the rest.
    orchestra: Arc<Orchestra>,
}

/// Hires a musician, who belongs to the orchestra from then on.
pub fn hire(orchestra: &Arc<Orchestra>) -> Arc<Musician> {
    let musician = Arc::new(Musician {
        orchestra: Arc::clone(orchestra),
    });
    let mut musicians = orchestra.musicians.lock().unwrap();
    musicians.push(Arc::clone(&musician));
    musician
}

impl Drop for Musician {
    fn drop(&mut self) {
        self.orchestra.musicians.lock().unwrap().clear();
    }
}

impl Orchestra {
    /// The number of musicians in the orchestra.
    pub fn size(&self) -> usize {
        self.musicians.lock().unwrap().len()
    }
}

impl Musician {
    /// The number of musicians in this one's orchestra: 0 if the orchestra is gone.
    pub fn colleagues(&self) -> usize {
        self.orchestra.size()
    }
}
