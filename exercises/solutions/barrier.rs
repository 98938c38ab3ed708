// Round after round
//
// Rowers meet at the end of every stroke: none begins the next before all have finished this one. The
// first stroke goes well. Then one of them is very fast.

use heisenbug::sync::{Condvar, Mutex};

pub struct Barrier {
    size: usize,
    state: Mutex<State>,
    all_here: Condvar,
}

#[derive(Default)]
struct State {
    arrived: usize,
    /// The number of rounds that are over.
    rounds: usize,
}

impl Barrier {
    /// A barrier for `size` threads.
    pub fn new(size: usize) -> Self {
        Barrier {
            size,
            state: Mutex::default(),
            all_here: Condvar::new(),
        }
    }

    /// Waits until all threads have arrived. Can be used again afterwards.
    pub fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        state.arrived += 1;
        if state.arrived == self.size {
            state.arrived = 0;
            state.rounds += 1;
            self.all_here.notify_all();
        } else {
            // Threads that arrive for the next round change `arrived`, but not this.
            let this_round = state.rounds;
            while state.rounds == this_round {
                state = self.all_here.wait(state).unwrap();
            }
        }
    }
}
