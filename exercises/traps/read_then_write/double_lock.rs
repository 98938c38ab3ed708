// One seat in the boat
//
// The ferryman keeps a list of passengers. `board` takes the lock, asks whether the boat is
// full, and writes a name down. It works on paper. In the harbour, not one boat ever leaves.

use heisenbug::sync::RwLock;

pub struct Boat {
    seats: usize,
    aboard: RwLock<Vec<&'static str>>,
}

impl Boat {
    pub fn new(seats: usize) -> Self {
        Boat {
            seats,
            aboard: RwLock::new(Vec::new()),
        }
    }

    pub fn is_full(&self) -> bool {
        self.aboard.read().unwrap().len() >= self.seats
    }

    /// Takes a passenger aboard if there is a free seat. Returns whether there was.
    pub fn board(&self, name: &'static str) -> bool {
        let aboard = self.aboard.read().unwrap();
        if aboard.contains(&name) || self.is_full() {
            return false;
        }
        // The guard above still lives, whether it is used again or not.
        self.aboard.write().unwrap().push(name);
        true
    }

    /// The passengers, in the order in which they boarded.
    pub fn passengers(&self) -> Vec<&'static str> {
        self.aboard.read().unwrap().clone()
    }
}
