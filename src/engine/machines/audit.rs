//! Checks what machines say that they remember.
//!
//! Where two lives were taken to be the same, only one was followed. The other one is given the same
//! inputs, two in a row, and must do the same.

use super::found::Stopped;
use super::local::{Input, LocalId, Merge};
use super::locals::Locals;
use super::run::{Ran, Wants};

/// The largest number of pairs of lives that are compared: of a long list, the first ones.
const MOST: usize = 10_000;

/// Compares all lives that were taken to be the same.
pub fn audit(locals: &mut Locals<'_>) -> Result<(), Stopped> {
    let mut merges = std::mem::take(&mut locals.merges);
    merges.truncate(MOST);
    merges.iter().try_for_each(|merge| check(locals, merge))
}

fn check(locals: &mut Locals<'_>, merge: &Merge) -> Result<(), Stopped> {
    for (input, step) in locals.known_inputs(merge.known) {
        compare(locals, merge, merge.known, &[input])?;
        let to = locals.known_step(step).to;
        for (next, _) in locals.known_inputs(to) {
            // The state after the first input may be a merged one, too: then it is known by another life.
            compare(locals, merge, to, &[input, next])?;
        }
    }
    Ok(())
}

/// Compares what the two do with the last input. The followed one is in that state before it.
fn compare(
    locals: &mut Locals<'_>,
    merge: &Merge,
    before: LocalId,
    inputs: &[Input],
) -> Result<(), Stopped> {
    let last = *inputs.last().expect("there is one");
    let followed = locals.run(before, last)?;
    let other = locals.run_merged(merge, inputs)?;
    let same = |one: &Ran, other: &Ran| {
        let declares = |ran: &Ran| ran.declared.filter(|_| ran.wants != Wants::Turn);
        one.effects == other.effects
            && (one.wants, one.at, &one.returned) == (other.wants, other.at, &other.returned)
            && one.disk == other.disk
            && declares(one) == declares(other)
    };
    if same(&followed, &other) {
        return Ok(());
    }
    let machine = locals.local(merge.known).machine.into();
    let at = merge.at;
    Err(Stopped::Forgets { machine, at })
}
