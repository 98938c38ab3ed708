//! Whether what several machines have seen of an object could be what they see of a single one: *linearizability*.
//!
//! Herlihy and Wing, *Linearizability: A Correctness Condition for Concurrent Objects*, TOPLAS 1990: each call
//! can be given one moment between its beginning and its end, so that all answers are those of the object alone,
//! with the calls in the order of these moments.
//!
//! The check goes along with the history, as in Lowe, *Testing for Linearizability*, CCPE 2017 ("just in time"): it keeps
//! every state that the object can be in, together with which of the calls that are still going on have had their
//! moment. A call that returns must have had it, with that answer. What is kept depends on the states alone
//! and not on how they came about, so a check of a system stays small.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

/// An object, alone: what it answers to one call after the other.
pub trait Sequential: Clone + Ord + Hash {
    /// A call.
    type Call: Clone + Debug + Ord + Hash;
    /// An answer.
    type Answer: Clone + Debug + Ord + Hash;

    /// What the object answers, and does to itself.
    fn answer(&mut self, call: &Self::Call) -> Self::Answer;
}

/// What is known of an object from the calls and returns so far.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct History<O: Sequential> {
    possible: BTreeSet<Possible<O>>,
}

/// A state that the object may be in, with the calls that go on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Possible<O: Sequential> {
    object: O,
    /// Sorted. The caller of a call that will not return has no name.
    calls: Vec<Going<O>>,
}

/// A call that goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Going<O: Sequential> {
    who: String,
    call: O::Call,
    /// The answer, if it has had its moment.
    answer: Option<O::Answer>,
}

impl<O: Sequential> History<O> {
    /// Nobody has called it yet.
    pub fn of(object: O) -> History<O> {
        let calls = Vec::new();
        History {
            possible: BTreeSet::from([Possible { object, calls }]),
        }
    }

    /// Somebody calls. If its last call goes on, it has crashed meanwhile: that call may have its moment at any later
    /// time, or never, and does not return.
    pub fn calls(&mut self, who: &str, call: &O::Call) {
        let possible = std::mem::take(&mut self.possible);
        self.possible = { possible.into_iter() }
            .map(|mut state| {
                if let Some(left) = state.calls.iter_mut().find(|going| going.who == who) {
                    left.who.clear();
                }
                let going = Going {
                    who: who.to_owned(),
                    call: call.clone(),
                    answer: None,
                };
                state.calls.push(going);
                state.calls.sort();
                state
            })
            .collect();
    }

    /// The call of somebody returns.
    ///
    /// # Errors
    ///
    /// If no order of the calls fits all answers so far, or there is no such call: what to say about it.
    pub fn returns(&mut self, who: &str, answer: &O::Answer) -> Result<(), String> {
        let mut known = self.possible.iter();
        if known.any(|state| state.calls.iter().all(|going| going.who != who)) {
            return Err(format!(
                "{who} has not called, and there is an answer: {answer:?}"
            ));
        }
        let mut left: Vec<_> = std::mem::take(&mut self.possible).into_iter().collect();
        let mut known: BTreeSet<_> = left.iter().cloned().collect();
        while let Some(state) = left.pop() {
            if let Some(without) = state.without(who, answer) {
                self.possible.insert(without);
                continue;
            }
            for next in state.next() {
                if known.insert(next.clone()) {
                    left.push(next);
                }
            }
        }
        match self.possible.is_empty() {
            true => Err(format!(
                "no order of the calls fits {who}'s answer, {answer:?}"
            )),
            false => Ok(()),
        }
    }
}

impl<O: Sequential> Possible<O> {
    /// This state after that return, if the call has had its moment, with that answer.
    fn without(&self, who: &str, answer: &O::Answer) -> Option<Possible<O>> {
        let at = self.calls.iter().position(|going| going.who == who)?;
        let mut state = self.clone();
        let going = state.calls.remove(at);
        (going.answer.as_ref() == Some(answer)).then_some(state)
    }

    /// The states after the moment of one more call.
    fn next(&self) -> Vec<Possible<O>> {
        let waiting = (0..self.calls.len()).filter(|&at| self.calls[at].answer.is_none());
        let next = waiting.map(|at| {
            let mut state = self.clone();
            let answer = state.object.answer(&state.calls[at].call);
            state.calls[at].answer = Some(answer);
            state
        });
        next.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    struct Register(u32);

    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    enum Call {
        Write(u32),
        Read,
    }

    impl Sequential for Register {
        type Call = Call;
        type Answer = u32;

        fn answer(&mut self, call: &Call) -> u32 {
            if let Call::Write(value) = call {
                self.0 = *value;
            }
            self.0
        }
    }

    /// Calls (`w1`, `r`) and returns (`=1`) by name: "a w1", "b r", "b =0".
    fn fits(history: &str) -> bool {
        let mut known = History::of(Register(0));
        history.split(", ").all(|step| {
            let (who, what) = step.split_once(' ').unwrap();
            let number = |text: &str| text[1..].parse().unwrap();
            match &what[..1] {
                "w" => known.calls(who, &Call::Write(number(what))),
                "r" => known.calls(who, &Call::Read),
                _ => return known.returns(who, &number(what)).is_ok(),
            }
            true
        })
    }

    #[test]
    fn calls_at_the_same_time_may_be_in_any_order() {
        assert!(fits("a w1, b r, b =0, a =1"));
        assert!(fits("a w1, b r, b =1, a =1"));
    }

    #[test]
    fn a_read_after_a_write_sees_it() {
        assert!(fits("a w1, a =1, b r, b =1"));
        assert!(!fits("a w1, a =1, b r, b =0"));
    }

    #[test]
    fn what_one_has_seen_others_see_afterwards() {
        assert!(fits("a w1, b r, b =0, c r, c =1"));
        assert!(!fits("a w1, b r, b =1, c r, c =0"));
    }

    #[test]
    fn a_write_that_never_returns_may_still_have_its_moment() {
        assert!(fits("a w1, b r, b =0, b r, b =1"));
        assert!(!fits("a w1, b r, b =1, b r, b =0"));
    }

    #[test]
    fn a_call_before_a_crash_may_have_its_moment_later() {
        assert!(fits("a w1, a r, a =0, b r, b =1"));
        assert!(fits("a w1, a r, a =0, b r, b =0"));
        assert!(!fits("a w1, a r, a =1, b r, b =0"));
    }

    #[test]
    fn an_answer_without_a_call_fits_nowhere() {
        assert!(!fits("a =0"));
    }

    #[test]
    fn a_value_that_nobody_wrote_fits_nowhere() {
        assert!(!fits("a w1, b r, b =2"));
    }

    /// Every history of three calls, against a search of all orders.
    #[test]
    fn it_agrees_with_a_search_of_all_orders() {
        let mut compared = 0;
        for number in 0..4_000_u32 {
            let (history, calls) = random(number);
            assert_eq!(fits(&history), some_order_fits(&calls), "{history}");
            compared += u32::from(calls.len() == 4);
        }
        assert!(compared > 1_000);
    }

    /// A call: its beginning, its end, what it is, and the answer.
    type Whole = (usize, usize, Call, u32);

    /// Four calls of three machines, in some order.
    fn random(number: u32) -> (String, Vec<Whole>) {
        let mut state = u64::from(number) + 1;
        let mut below = |limit: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % limit
        };
        let mut steps = Vec::new();
        let mut calls: Vec<Whole> = Vec::new();
        let mut going: [Option<usize>; 3] = [None; 3];
        while calls.len() < 4 || going.iter().any(Option::is_some) {
            let who = below(3) as usize;
            let name = ["a", "b", "c"][who];
            match going[who].take() {
                Some(call) => {
                    let answer = match calls[call].2 {
                        Call::Write(value) => value,
                        Call::Read => below(3) as u32,
                    };
                    (calls[call].1, calls[call].3) = (steps.len(), answer);
                    steps.push(format!("{name} ={answer}"));
                }
                None if calls.len() < 4 => {
                    going[who] = Some(calls.len());
                    let write = below(2) == 0;
                    let value = 1 + below(2) as u32;
                    let call = if write {
                        Call::Write(value)
                    } else {
                        Call::Read
                    };
                    calls.push((steps.len(), usize::MAX, call, 0));
                    steps.push(match write {
                        true => format!("{name} w{value}"),
                        false => format!("{name} r"),
                    });
                }
                None => {}
            }
        }
        (steps.join(", "), calls)
    }

    fn some_order_fits(calls: &[Whole]) -> bool {
        fn goes_on(left: &[Whole], value: u32) -> bool {
            left.is_empty()
                || (0..left.len()).any(|at| {
                    let (begins, _, call, answer) = &left[at];
                    let first = left.iter().all(|(_, ends, ..)| ends > begins);
                    let mut object = Register(value);
                    let fits = object.answer(call) == *answer;
                    let mut rest = left.to_vec();
                    rest.remove(at);
                    first && fits && goes_on(&rest, object.0)
                })
        }
        goes_on(calls, 0)
    }
}
