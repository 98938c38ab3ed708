//! The façade behaves like std: the same small programs in every world.
//!
//! `programs` is written once against std's names and mounted twice. Each program asserts what std
//! promises, so that it passes on the native world, on the model world outside of any check, and in
//! all executions of either memory model. `verdicts` has the programs that must fail, and says how.

// The same programs are compiled once for every world: that is the point of mounting them.
#![allow(clippy::duplicate_mod)]

mod model;
mod native;
mod verdicts;

use heisenbug::check::{Checker, Engines};

/// The program holds, and all executions were explored.
fn holds_in(engines: Engines, program: fn()) {
    let report = Checker::new().engines(engines).check(program);
    assert!(report.complete, "{:?}", report.stopped);
    assert!(report.holds(), "{:?}: {:?}", report.class, report.message);
    let outcomes: Vec<_> = report.outcomes.iter().map(|o| &*o.label).collect();
    assert_eq!(outcomes, ["completes"]);
}

/// One test for each program and each world.
macro_rules! conformance {
    ($($program:ident)*) => {
        mod on_native {
            $(
                #[test]
                fn $program() {
                    crate::native::programs::$program();
                }
            )*
        }

        mod outside_of_a_check {
            $(
                #[test]
                fn $program() {
                    crate::model::programs::$program();
                }
            )*
        }

        mod in_every_interleaving {
            use super::*;
            $(
                #[test]
                fn $program() {
                    holds_in(Engines::Sc, crate::model::programs::$program);
                }
            )*
        }

        mod under_weak_memory {
            use super::*;
            $(
                #[test]
                fn $program() {
                    holds_in(Engines::Weak, crate::model::programs::$program);
                }
            )*
        }
    };
}

conformance! {
    mutex_lets_one_in_at_a_time
    mutex_try_lock_never_waits
    mutex_gives_its_value_to_its_owner
    mutex_is_poisoned_by_a_panicking_holder
    mutex_wakes_who_waits_when_its_holder_panics
    mutex_excludes_even_when_it_is_poisoned
    mutex_locked_and_unlocked_within_a_panic_is_not_poisoned

    rwlock_lets_many_readers_in
    rwlock_stays_read_locked_until_the_last_guard_of_a_thread_goes
    rwlock_lets_one_writer_in
    rwlock_gives_its_value_to_its_owner
    rwlock_is_poisoned_by_a_writer_and_not_by_a_reader
    rwlock_wakes_who_waits_when_its_writer_panics

    condvar_wait_returns_after_a_notification
    condvar_wait_while_looks_before_it_waits
    condvar_notify_all_wakes_all
    condvar_notify_one_wakes_one_for_each_call
    condvar_wait_on_a_poisoned_mutex_returns_an_error
    condvar_works_with_a_mutex_that_was_poisoned_before

    atomic_integers_have_every_operation_of_std
    atomic_bool_has_every_operation_of_std
    atomic_ptr_has_every_operation_of_std
    atomics_are_atomic
    fences_order_relaxed_accesses

    join_returns_what_the_thread_returned
    join_returns_the_panic_of_a_thread
    catch_unwind_catches_within_a_thread
    builder_names_threads
    thread_ids_tell_threads_apart
    park_returns_at_once_after_an_unpark
    park_waits_for_an_unpark
    unpark_reaches_the_parent_too
    yield_and_sleep_return
    is_finished_says_whether_join_would_wait

    channel_delivers_in_order
    channel_has_many_senders
    channel_drains_before_it_disconnects
    channel_returns_what_nobody_will_receive
    channel_drops_what_nobody_will_receive
    channel_wakes_a_receiver_when_the_last_sender_goes
    sync_channel_waits_for_room
    sync_channel_wakes_a_sender_when_the_receiver_goes
    rendezvous_send_waits_for_its_receiver
    rendezvous_send_fails_when_the_receiver_goes
    rendezvous_try_send_needs_a_receiver_that_waits

    barrier_opens_when_all_have_come_and_has_one_leader
    barrier_closes_again

    once_runs_once_and_everybody_waits_for_it
    once_is_poisoned_by_a_panic
    once_lock_is_set_once
    once_lock_is_made_by_one_thread
    once_lock_is_not_poisoned_by_a_panic

    arc_counts_its_pointers
    arc_gives_its_value_to_its_only_owner
    arc_new_cyclic_knows_itself
    arc_drops_its_value_once_in_the_last_thread

    unsafe_cell_behind_a_spin_lock_does_not_race
    unsafe_cell_gives_its_value_to_its_owner

    spin_loops_with_a_hint_end
    spin_loops_that_yield_end
    spin_loops_without_a_hint_end
    spin_loops_on_swap_end
    spin_loops_on_fetch_or_end
    spin_loops_on_compare_exchange_and_try_lock_without_a_hint_end

    futex_wait_returns_if_the_word_has_changed
    futex_sleepers_are_woken
    futex_wake_all_wakes_all
}

/// Lists of names, checked in every world.
macro_rules! names {
    ($from:ident: $($list:ident)*) => {
        use super::*;
        $(
            #[test]
            fn $list() {
                native::$from::$list();
                model::$from::$list();
                let report = Checker::new().check(model::$from::$list);
                let passes = report.holds() || report.class.is_none() && report.stopped.is_none();
                assert!(passes, "{:?}: {:?}", report.verdict, report.message);
            }
        )*
    };
}

mod std_has {
    names! { names: arcs locks once channels threads atomics }
}

mod other_crates_have {
    names! {
        other_crates: mutexes rwlocks writers_and_readers condvars once channels rendezvous
        cells_and_queues groups
    }
}
