//! How many executions the engine explores: exactly as many as there are execution graphs.
//!
//! If only the order of read-modify-writes or of critical sections differs, the number is
//! that of their orders: n! for n threads, (nm)!/(m!)ⁿ for m times each. The others were counted
//! by GenMC, too, which is optimal for RC11 and SC. A line gives the number under RC11, and the number
//! under SC if it differs.

use crate::support::kernels::{Count, count};
use heisenbug_engine::search::Model;

/// The results of a kernel without deadlocks and races.
fn check(model: Model, program: &dyn Fn(), executions: u64) -> Count {
    let count = count(model, program);
    let found = (count.complete, count.stuck, count.racy, &count.odd);
    assert_eq!(found, (executions, 0, 0, &Vec::new()), "{model:?}");
    count
}

macro_rules! exactly {
    ($($name:ident: $kernel:expr, $rc11:literal $(, sc $sc:literal)?;)*) => {
        $(
            #[test]
            fn $name() {
                use crate::support::kernels::*;
                use heisenbug_engine::search::Model;
                let mut _sc = $rc11;
                $(_sc = $sc;)?
                super::check(Model::Rc11, &|| $kernel, $rc11);
                super::check(Model::Sc, &|| $kernel, _sc);
            }
        )*
    };
}

/// Accesses to one atomic.
mod counter {
    exactly! {
        load_store_2: load_store(2), 4;
        load_store_3: load_store(3), 36;
        load_store_4: load_store(4), 576;
        fetch_add_2: fetch_add(2, 1), 2;
        fetch_add_3: fetch_add(3, 1), 6;
        fetch_add_4: fetch_add(4, 1), 24;
        fetch_add_6: fetch_add(6, 1), 720;
        fetch_add_3_twice: fetch_add(3, 2), 90;
        exchange_loop_2: exchange_loop(2), 4;
        exchange_loop_3: exchange_loop(3), 48;
        exchange_loop_4: exchange_loop(4), 1_536;
        update_is_one_step: update(4), 24;
    }
}

/// Locks: as many executions as there are orders of the critical sections, if the lock is fair.
mod lock {
    exactly! {
        mutex_2: mutex(2, 1), 2;
        mutex_3: mutex(3, 1), 6;
        mutex_4: mutex(4, 1), 24;
        mutex_6: mutex(6, 1), 720;
        mutex_3_twice: mutex(3, 2), 90;
        mutex_4_twice: mutex(4, 2), 2_520;
        ticket_3: ticket(3, 1), 6;
        ticket_4: ticket(4, 1), 24;
        ticket_3_twice: ticket(3, 2), 90;
        ticket_4_twice: ticket(4, 2), 2_520;
        mcs_2_twice: mcs(2, 2), 78;
        mcs_3: mcs(3, 1), 66;
        mcs_4: mcs(4, 1), 1_080;
        mcs_3_twice: mcs(3, 2), 17_670;
        peterson: peterson_seq_cst(), 10;
        condvar_1_3: condvar(3), 96;
    }
}

/// Every reader comes before the writer or after it, and readers do not order each other.
mod readers {
    exactly! {
        rwlock_1_1: reader_writer_lock(1), 2;
        rwlock_1_2: reader_writer_lock(2), 4;
        rwlock_1_3: reader_writer_lock(3), 8;
        rwlock_1_4: reader_writer_lock(4), 16;
        rwlock_1_5: reader_writer_lock(5), 32;
    }
}

/// Structures without locks.
mod structure {
    exactly! {
        treiber_3: treiber(3, 0), 48;
        treiber_3_and_a_pop: treiber(3, 1), 264;
        queue_2_1: queue(2, 1), 14;
        queue_2_2: queue(2, 2), 118;
        queue_3_2: queue(3, 2), 10_542, sc 9_042;
    }

    /// Under SC there are 326,412; running that once takes long enough.
    #[test]
    fn queue_3_3() {
        use crate::support::kernels::queue;
        super::check(super::Model::Rc11, &|| queue(3, 3), 425_922);
    }
}

/// Loops in which a pass can have no effect: a swap of 1 over 1, a stack whose top is back. The
/// engine need not show such passes, so there are at least as many executions as without any, and at
/// most as many as with all of them. (GenMC counts both, by its options.)
mod retried {
    use super::{Model, count};
    use crate::support::kernels::{treiber, ttas};
    use std::ops::RangeInclusive;

    fn within(program: &dyn Fn(), executions: RangeInclusive<u64>) {
        for model in [Model::Rc11, Model::Sc] {
            let count = count(model, program);
            assert_eq!((count.stuck, count.racy, &count.odd), (0, 0, &Vec::new()));
            assert!(executions.contains(&count.complete), "{model:?} {count:?}");
        }
    }

    #[test]
    fn ttas_2() {
        within(&|| ttas(2), 4..=6);
    }

    #[test]
    fn ttas_3() {
        within(&|| ttas(3), 36..=162);
    }

    #[test]
    fn treiber_3_and_3_pops() {
        within(&|| treiber(3, 3), 2_640..=25_680);
    }
}

/// There are few wasted runs.
mod wasted {
    use super::{Model, check, count};
    use crate::support::kernels::{condvar, mcs, reader_writer_lock, ticket, ttas};

    fn at_most_a_quarter(program: &dyn Fn(), executions: u64) {
        let wasted = check(Model::Rc11, program, executions).wasted;
        assert!(wasted * 4 <= executions, "{wasted} beside {executions}");
    }

    #[test]
    fn ticket_wastes_little() {
        at_most_a_quarter(&|| ticket(4, 2), 2_520);
    }

    /// Among the 162 graphs, those in which a thread only lost are not distinguished from shorter ones: what
    /// is cut short counts as wasted, and saves more than it costs.
    #[test]
    fn ttas_takes_fewer_runs_than_there_are_graphs() {
        let count = count(Model::Rc11, &|| ttas(3));
        assert!(count.wasted + count.complete <= 162, "{count:?}");
    }

    #[test]
    fn mcs_wastes_little() {
        at_most_a_quarter(&|| mcs(3, 2), 17_670);
    }

    #[test]
    fn condvar_wastes_little() {
        at_most_a_quarter(&|| condvar(3), 96);
    }

    #[test]
    fn rwlock_wastes_little() {
        at_most_a_quarter(&|| reader_writer_lock(4), 16);
    }
}

/// A broken kernel fails in as many executions as it should.
mod broken {
    use super::{Count, Model, count};
    use crate::support::kernels::{lost_wake_up, opposite_orders, peterson_release_acquire};

    #[test]
    fn opposite_orders_deadlock_in_one_of_three() {
        for model in [Model::Rc11, Model::Sc] {
            let Count {
                complete, stuck, ..
            } = count(model, &opposite_orders);
            assert_eq!((complete, stuck), (2, 1), "{model:?}");
        }
    }

    #[test]
    fn a_wake_up_is_lost_in_one_of_three() {
        for model in [Model::Rc11, Model::Sc] {
            let Count {
                complete, stuck, ..
            } = count(model, &lost_wake_up);
            assert_eq!((complete, stuck), (2, 1), "{model:?}");
        }
    }

    /// Of 18 execution graphs four have a race. After a race the second thread stops,
    /// so anything that only its later stores would make possible is not seen.
    #[test]
    fn peterson_with_release_and_acquire_lets_both_in() {
        let rc11 = count(Model::Rc11, &peterson_release_acquire);
        assert!(rc11.racy > 0 && rc11.complete <= 14, "{rc11:?}");
        let sc = count(Model::Sc, &peterson_release_acquire);
        assert_eq!((sc.complete, sc.racy), (10, 0), "{sc:?}");
    }
}
