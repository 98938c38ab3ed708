// One seat in the boat
//
// The ferryman keeps a list of passengers. `board` takes the lock, asks whether the boat is
// full, and writes a name down. It works on paper. In the harbour, not one boat ever leaves.

use heisenbug::sync::Mutex;

pub struct Boat {
    seats: usize,
    aboard: Mutex<Vec<&'static str>>,
}

impl Boat {
    pub fn new(seats: usize) -> Self {
        Boat {
            seats,
            aboard: Mutex::new(Vec::new()),
        }
    }

    pub fn is_full(&self) -> bool {
        self.aboard.lock().unwrap().len() >= self.seats
    }

    /// Takes a passenger aboard if there is a free seat. Returns whether there was.
    pub fn board(&self, name: &'static str) -> bool {
        // TODO: find out who is waiting for whom, and make sure that nobody has to.
        let mut aboard = self.aboard.lock().unwrap();
        if self.is_full() {
            return false;
        }
        aboard.push(name);
        true
    }

    /// The passengers, in the order in which they boarded.
    pub fn passengers(&self) -> Vec<&'static str> {
        self.aboard.lock().unwrap().clone()
    }
}
