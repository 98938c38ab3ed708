//! Fairness for threads that yield: a spinning thread does not keep the others from running.
//!
//! Musuvathi and Qadeer, *Fair stateless model checking* (PLDI 2008): a thread that yields must
//! wait for every thread that could have run since its last yield and never did.

/// How many tasks can be told apart.
const TASKS: usize = 64;

/// A set of tasks.
type Set = u64;

/// Who has to wait for whom.
#[derive(Clone, Debug)]
pub struct Fairness {
    /// For each task, the tasks that go first.
    waits_for: [Set; TASKS],
    /// For each task, who ran since it last yielded.
    ran: [Set; TASKS],
    /// For each task, who was able to run at every step since it last yielded.
    able: [Set; TASKS],
}

impl Fairness {
    pub fn new() -> Fairness {
        Fairness {
            waits_for: [0; TASKS],
            ran: [Set::MAX; TASKS],
            able: [0; TASKS],
        }
    }

    /// Whether `task` may run, given who else can.
    pub fn allows(&self, task: usize, runnable: Set) -> bool {
        self.waits_for[task % TASKS] & runnable == 0
    }

    /// Notes that `task` takes a step, and who could have.
    pub fn step(&mut self, task: usize, runnable: Set) {
        let bit = bit(task);
        for other in 0..TASKS {
            self.waits_for[other] &= !bit;
            self.ran[other] |= bit;
            self.able[other] &= runnable;
        }
    }

    /// Notes that `task` yields, and who can run now.
    pub fn yielded(&mut self, task: usize, runnable: Set) {
        let task = task % TASKS;
        self.waits_for[task] |= self.able[task] & !self.ran[task] & !bit(task);
        self.able[task] = runnable;
        self.ran[task] = 0;
    }
}

/// The set of one task.
pub fn bit(task: usize) -> Set {
    1 << (task % TASKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_yields_twice_waits_for_one_that_never_ran() {
        let everybody = bit(0) | bit(1) | bit(2);
        let mut fair = Fairness::new();
        fair.yielded(0, everybody);
        assert!(fair.allows(0, everybody));
        fair.step(1, everybody);
        fair.step(0, everybody);
        fair.yielded(0, everybody);
        assert!(
            !fair.allows(0, everybody),
            "task 2 could run all the time and never did"
        );
        fair.step(2, everybody);
        assert!(fair.allows(0, everybody));
    }
}
