//! Repeats: shows once what a looping program does again and again.

/// The longest loop looked for, in items per pass.
const LONGEST: usize = 12;

/// Fewer passes than this are shown one by one.
const LEAST: usize = 3;

/// An item of the list, or a note on repeats after it.
#[derive(Debug, PartialEq, Eq)]
pub enum Folded<T> {
    /// The item.
    Item(T),
    /// The last `items` items are repeated `times` more times.
    Again { items: usize, times: usize },
}

/// Shows each loop of the list once.
pub fn fold<T: PartialEq>(items: Vec<T>) -> Vec<Folded<T>> {
    let mut folded = Vec::new();
    // Items before this position are left out.
    let mut skip = 0;
    let circles: Vec<Option<(usize, usize)>> =
        (0..items.len()).map(|at| circle(&items[at..])).collect();
    let mut again: Option<(usize, usize, usize)> = None;
    for (at, item) in items.into_iter().enumerate() {
        if at < skip {
            continue;
        }
        if again.is_none()
            && let Some((length, rounds)) = circles[at]
        {
            again = Some((at + length, length, rounds));
        }
        folded.push(Folded::Item(item));
        if let Some((end, items, rounds)) = again
            && at + 1 == end
        {
            let times = rounds - 1;
            folded.push(Folded::Again { items, times });
            skip = end + items * times;
            again = None;
        }
    }
    folded
}

/// The shortest loop that the list begins with, and the number of its passes.
fn circle<T: PartialEq>(items: &[T]) -> Option<(usize, usize)> {
    (1..=LONGEST.min(items.len() / LEAST)).find_map(|length| {
        let rounds = items
            .chunks_exact(length)
            .take_while(|round| *round == &items[..length])
            .count();
        (rounds >= LEAST).then_some((length, rounds))
    })
}

#[cfg(test)]
mod tests {
    use super::Folded::{Again, Item};
    use super::*;

    #[test]
    fn a_circle_is_shown_once() {
        assert_eq!(
            fold("xababababy".chars().collect()),
            [
                Item('x'),
                Item('a'),
                Item('b'),
                Again { items: 2, times: 3 },
                Item('y')
            ]
        );
        assert_eq!(fold(vec![7, 7, 7]), [Item(7), Again { items: 1, times: 2 }]);
    }

    #[test]
    fn two_rounds_are_shown_as_they_are() {
        assert_eq!(fold(vec![1, 2, 1, 2]), [Item(1), Item(2), Item(1), Item(2)]);
        assert!(fold(Vec::<u8>::new()).is_empty());
    }
}
