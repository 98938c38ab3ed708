//! Mutual exclusion: one counter behind one lock.

use super::{Contestant, Family, Load, Origin, Waiting, spend};
use crate::catalogue::Workload;

/// The strategies, baselines first.
pub fn all() -> Vec<Contestant> {
    vec![Contestant {
        name: "std::Mutex",
        family: Family::Exclusive,
        origin: Origin::Published,
        waiting: Waiting::SpinsThenParks,
        max_threads: usize::MAX,
        workload: std_mutex,
        logged: None,
    }]
}

fn std_mutex(load: Load) -> Workload {
    Workload::new(
        std::sync::Mutex::new(0),
        move |count, _| {
            {
                let mut count = count.lock().unwrap();
                *count += 1;
                spend(load.critical);
            }
            spend(load.think);
        },
        |count, total| assert_eq!(*count.lock().unwrap(), total),
    )
}
