//! Folds a timeline that is too long to be read: rows that show nothing new become one.
//!
//! Repeats are always folded. More is folded only if more than [`MOST`] rows are left: first loops whose
//! values change, then the middles of the longest stretches in which one actor ran alone.

use super::repeats::{Folded, fold};
use std::ops::Range;

/// Up to this many rows are shown without folding.
const MOST: usize = 30;

/// Rows shown from the beginning and from the end of a timeline that is still too long.
const HEAD: usize = 24;
const TAIL: usize = 16;

/// How many rows of a stretch are left at its beginning and at its end.
const FIRST: usize = 1;
const LAST: usize = 2;

/// Fewer passes of a loop than this are shown one by one.
const LEAST_ROUNDS: usize = 3;

/// The longest loop looked for, in rows per pass.
const LONGEST: usize = 12;

/// What folding needs to know of a row.
pub trait Line: PartialEq {
    /// The actor of the row.
    fn actor(&self) -> usize;
    /// Its place in the program: two rows of the same place can differ only in their values.
    fn place(&self) -> (&str, u32, usize);
    /// Whether it must be shown.
    fn is_decisive(&self) -> bool;
}

/// A row, or a remark in place of several.
#[derive(Debug, PartialEq)]
pub enum Kept<T> {
    /// The row.
    Row(T),
    /// A remark on rows that are left out.
    Aside(String),
}

/// "once more", "3 times more".
fn more(times: usize) -> String {
    match times {
        1 => "once more".to_owned(),
        _ => format!("{times} times more"),
    }
}

/// All rows, with each loop whose passes are all the same shown once.
pub fn repeats<T: PartialEq>(rows: Vec<T>) -> Vec<Kept<T>> {
    let shown = fold(rows).into_iter().map(|row| match row {
        Folded::Item(row) => Kept::Row(row),
        Folded::Again { items: 1, times } => Kept::Aside(more(times)),
        Folded::Again { items, times } => {
            Kept::Aside(format!("these {items} rows, {}", more(times)))
        }
    });
    shown.collect()
}

/// The few rows that explain the failure.
pub fn shorten<T: Line>(rows: Vec<T>) -> Vec<Kept<T>> {
    let mut shown = repeats(rows);
    while shown.len() > MOST
        && let Some(circle) = next_circle(&shown)
    {
        leave_out(&mut shown, circle.hidden, &circle.told);
    }
    while shown.len() > MOST
        && let Some(stretch) = longest_stretch(&shown)
    {
        let told = format!("{} rows of the same actor", stretch.len());
        leave_out(&mut shown, stretch, &told);
    }
    if shown.len() > HEAD + TAIL + 1 {
        let hidden = HEAD..shown.len() - TAIL;
        let told = format!("{} more rows", hidden.len());
        leave_out(&mut shown, hidden, &told);
    }
    shown
}

fn leave_out<T>(shown: &mut Vec<Kept<T>>, hidden: Range<usize>, told: &str) {
    shown.splice(hidden, [Kept::Aside(told.to_owned())]);
}

/// The passes of a loop that differ only in their values, without the first and the last.
struct Circle {
    hidden: Range<usize>,
    told: String,
}

fn next_circle<T: Line>(shown: &[Kept<T>]) -> Option<Circle> {
    (0..shown.len()).find_map(|from| {
        let most = LONGEST.min((shown.len() - from) / LEAST_ROUNDS);
        (1..=most).find_map(|length| circle(shown, from, length))
    })
}

fn circle<T: Line>(shown: &[Kept<T>], from: usize, length: usize) -> Option<Circle> {
    let place = |at: usize| match shown.get(at)? {
        Kept::Row(row) if !row.is_decisive() => Some((row.actor(), row.place())),
        _ => None,
    };
    let same = |round: usize| {
        (from..from + length).all(|at| {
            let first = place(at);
            first.is_some() && first == place(at + round * length)
        })
    };
    let rounds = (0..).take_while(|&round| same(round)).count();
    if rounds < LEAST_ROUNDS {
        return None;
    }
    let hidden = from + length..from + length * (rounds - 1);
    let (times, rows) = (rounds - 2, length);
    let told = match rows {
        1 => format!("{}, with other values", more(times)),
        _ => format!("these {rows} rows, {}, with other values", more(times)),
    };
    Some(Circle { hidden, told })
}

/// The middle of the longest stretch of one actor.
fn longest_stretch<T: Line>(shown: &[Kept<T>]) -> Option<Range<usize>> {
    let actor = |at: usize| match &shown[at] {
        Kept::Row(row) if !row.is_decisive() => Some(row.actor()),
        _ => None,
    };
    let mut longest: Option<Range<usize>> = None;
    let mut from = 0;
    for at in 1..=shown.len() {
        let goes_on = at < shown.len() && actor(at).is_some() && actor(at) == actor(from);
        if goes_on {
            continue;
        }
        // Leaving out one row would save nothing: the remark takes a row as well.
        let hidden = from + FIRST..at.saturating_sub(LAST);
        let length = |range: &Range<usize>| range.end.saturating_sub(range.start);
        if actor(from).is_some()
            && length(&hidden) > 1
            && longest
                .as_ref()
                .is_none_or(|longest| length(&hidden) > length(longest))
        {
            longest = Some(hidden);
        }
        from = at;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An actor, a line, and a value.
    #[derive(Clone, Debug, PartialEq)]
    struct Row(usize, u32, usize);

    impl Line for Row {
        fn actor(&self) -> usize {
            self.0
        }
        fn place(&self) -> (&str, u32, usize) {
            ("file", self.1, 0)
        }
        fn is_decisive(&self) -> bool {
            self.2 == usize::MAX
        }
    }

    fn asides(shown: &[Kept<Row>]) -> Vec<&str> {
        let asides = shown.iter().filter_map(|shown| match shown {
            Kept::Aside(told) => Some(told.as_str()),
            Kept::Row(_) => None,
        });
        asides.collect()
    }

    /// Rows that all differ in their lines, of two actors in turns.
    fn turns(rows: u32) -> Vec<Row> {
        (0..rows).map(|nth| Row(nth as usize % 2, nth, 0)).collect()
    }

    #[test]
    fn thirty_rows_are_shown_as_they_are() {
        let rows: Vec<Row> = (0..30).map(|nth| Row(0, nth, 0)).collect();
        assert_eq!(asides(&shorten(rows)), [""; 0]);
    }

    #[test]
    fn a_circle_with_changing_values_is_shown_first_and_last() {
        let circle = (0..10).flat_map(|round| [Row(0, 1, round), Row(1, 2, round)]);
        let rows: Vec<Row> = turns(20).into_iter().chain(circle).collect();
        let shown = shorten(rows);
        assert_eq!(
            asides(&shown),
            ["these 2 rows, 8 times more, with other values"]
        );
        assert_eq!(shown.len(), 20 + 5);
    }

    #[test]
    fn the_longest_stretch_goes_first() {
        let stretch = (100..120).map(|line| Row(0, line, 0));
        let rows: Vec<Row> = turns(20).into_iter().chain(stretch).collect();
        let shown = shorten(rows);
        assert_eq!(asides(&shown), ["17 rows of the same actor"]);
    }

    #[test]
    fn what_is_decisive_is_seen() {
        let stretch = (100..140).map(|line| Row(0, line, if line == 120 { usize::MAX } else { 0 }));
        let shown = shorten(stretch.collect::<Vec<Row>>());
        assert!(shown.contains(&Kept::Row(Row(0, 120, usize::MAX))));
    }

    #[test]
    fn what_cannot_be_folded_is_cut_in_the_middle() {
        let shown = shorten(turns(100));
        assert_eq!(shown.len(), HEAD + TAIL + 1);
        assert_eq!(asides(&shown), ["60 more rows"]);
    }
}
