//! Checks what machines say that they remember.
//!
//! Where two lives were taken to be the same, only one was followed. The other one is given the same
//! inputs, two in a row, and must do the same.

use super::found::Stopped;
use super::local::{Input, LocalId, Merge};
use super::locals::Locals;
use super::run::{Ran, Wants};

/// The largest number of comparisons. If there would be more, some pairs of lives are left out, evenly.
const MOST: usize = 10_000;

/// Compares all lives that were taken to be the same. Asks at each pair whether to go on.
pub fn audit(locals: &mut Locals<'_>, go_on: &mut dyn FnMut() -> bool) -> Result<(), Stopped> {
    let merges = std::mem::take(&mut locals.merges);
    let comparisons: usize = merges.iter().map(|one| pairs(locals, one).len()).sum();
    let every = comparisons.div_ceil(MOST).max(1);
    for merge in merges.iter().step_by(every) {
        if !go_on() {
            return Err(Stopped::Asked);
        }
        for (before, inputs) in pairs(locals, merge) {
            compare(locals, merge, before, &inputs)?;
        }
    }
    Ok(())
}

/// The inputs after which lives are compared: those that are known, one or two in a row; and the state before the
/// last of them. That may be a merged one, too: then it is known by another life.
fn pairs(locals: &Locals<'_>, merge: &Merge) -> Vec<(LocalId, Vec<Input>)> {
    let mut pairs = Vec::new();
    for (input, step) in locals.known_inputs(merge.known) {
        pairs.push((merge.known, vec![input]));
        let to = locals.known_step(step).to;
        let next = locals.known_inputs(to).into_iter();
        pairs.extend(next.map(|(next, _)| (to, vec![input, next])));
    }
    pairs
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
