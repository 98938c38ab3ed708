//! Fairness for threads that yield: a spinning thread does not keep the others from running.
//!
//! Musuvathi and Qadeer, *Fair stateless model checking* (PLDI 2008): a thread that yields must
//! wait for every thread that could have run since its last yield and never did.

/// How many tasks can be told apart.
const TASKS: usize = 64;

/// A set of tasks.
type Set = u64;

/// Who has to wait for whom.
///
/// A task that never yielded waits for nobody, and most programs have no other: so only those that
/// did are kept, and a step costs as much as there are of them.
#[derive(Clone, Debug, Default)]
pub struct Fairness {
    yielders: Vec<Yielder>,
}

/// A task that has yielded.
#[derive(Clone, Debug)]
struct Yielder {
    task: usize,
    /// The tasks that go first.
    waits_for: Set,
    /// Who ran since it last yielded.
    ran: Set,
    /// Who was able to run at every step since it last yielded.
    able: Set,
}

impl Fairness {
    /// Whether `task` may run, given who else can.
    pub fn allows(&self, task: usize, runnable: Set) -> bool {
        let mut yielders = self.yielders.iter();
        let yielder = yielders.find(|yielder| yielder.task == task % TASKS);
        yielder.is_none_or(|yielder| yielder.waits_for & runnable == 0)
    }

    /// Notes that `task` takes a step, and who could have.
    pub fn step(&mut self, task: usize, runnable: Set) {
        for yielder in &mut self.yielders {
            yielder.waits_for &= !bit(task);
            yielder.ran |= bit(task);
            yielder.able &= runnable;
        }
    }

    /// Notes that `task` yields, and who can run now.
    pub fn yielded(&mut self, task: usize, runnable: Set) {
        let task = task % TASKS;
        match self.yielders.iter_mut().find(|known| known.task == task) {
            Some(known) => {
                known.waits_for |= known.able & !known.ran & !bit(task);
                known.able = runnable;
                known.ran = 0;
            }
            None => self.yielders.push(Yielder {
                task,
                waits_for: 0,
                ran: 0,
                able: runnable,
            }),
        }
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
        let mut fair = Fairness::default();
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
