//! A turnstile that counts guests, written as without any checker.

// The names are std's, except in tests, where they are the checker's.
#[cfg(test)]
use heisenbug::sync::atomic::{AtomicUsize, Ordering::Relaxed};
#[cfg(not(test))]
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Lets in as many guests as there are seats.
pub struct Turnstile {
    seats: usize,
    guests: AtomicUsize,
}

impl Turnstile {
    /// A turnstile before `seats` seats.
    pub fn new(seats: usize) -> Turnstile {
        Turnstile { seats, guests: AtomicUsize::new(0) }
    }

    /// Lets a guest in if there is a seat.
    pub fn enter(&self) -> bool {
        if self.guests.load(Relaxed) < self.seats {
            self.guests.fetch_add(1, Relaxed);
            return true;
        }
        false
    }

    /// As `enter`, in one step.
    pub fn enter_at_once(&self) -> bool {
        let seat = |guests| (guests < self.seats).then_some(guests + 1);
        self.guests.fetch_update(Relaxed, Relaxed, seat).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Turnstile;
    use heisenbug::sync::Arc;
    use heisenbug::{Report, Verdict, thread};

    fn two_guests_for_one_seat(enter: fn(&Turnstile) -> bool) -> Report {
        heisenbug::check(move || {
            let turnstile = Arc::new(Turnstile::new(1));
            let other = thread::spawn({
                let turnstile = Arc::clone(&turnstile);
                move || enter(&turnstile)
            });
            let mine = enter(&turnstile);
            assert!(!(mine && other.join().unwrap()), "two guests share a seat");
        })
    }

    #[test]
    fn checking_and_entering_in_two_steps_is_found_out() {
        let report = two_guests_for_one_seat(Turnstile::enter);
        assert_eq!(report.verdict, Verdict::Fails);
        assert_eq!(report.preemptions, Some(1));
        let line = report.counterexample.iter().find(|event| event.call == "fetch_add");
        assert!(line.is_some_and(|event| event.file.ends_with("src/lib.rs")));
    }

    #[test]
    fn entering_in_one_step_holds() {
        two_guests_for_one_seat(Turnstile::enter_at_once).assert_holds();
    }

    #[test]
    fn a_failed_check_reads_well() {
        two_guests_for_one_seat(Turnstile::enter).assert_holds();
    }
}
