//! Shortens long values to the part that differs from the previous value.

use super::layout::cut;

/// A shorter value is shown as it is.
const LONG: usize = 24;

/// How much of the common part is kept on either side.
const AROUND: usize = 6;

/// A value, shortened to fit into a row.
pub fn short(value: &str) -> String {
    cut(value, LONG)
}

/// The value after `before`: all of it, or the part that differs.
pub fn since(before: &str, after: &str) -> String {
    let chars: Vec<char> = after.chars().collect();
    if chars.len() <= LONG {
        return after.to_owned();
    }
    let same = |one: &mut dyn Iterator<Item = char>, other: &mut dyn Iterator<Item = char>| {
        one.zip(other)
            .take_while(|(one, other)| one == other)
            .count()
    };
    let front = same(&mut before.chars(), &mut after.chars());
    let rest = before.chars().count().min(chars.len()) - front;
    let back = same(&mut before.chars().rev(), &mut after.chars().rev()).min(rest);
    let from = front.saturating_sub(AROUND);
    let to = (chars.len() - back + AROUND).min(chars.len());
    let (left, right) = (mark(from > 0), mark(to < chars.len()));
    let middle: String = chars[from..to].iter().collect();
    format!("{left}{}{right}", cut(&middle, LONG + AROUND))
}

fn mark(is_cut: bool) -> &'static str {
    if is_cut { "…" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_value_is_shown_whole() {
        assert_eq!(since("[1]", "[1, 2]"), "[1, 2]");
        assert_eq!(short("[1, 2]"), "[1, 2]");
    }

    #[test]
    fn of_a_long_value_the_difference_is_shown() {
        let before = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
        let after = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]";
        assert_eq!(since(before, after), "… 9, 10, 11]");
        let after = "[1, 2, 3, 4, 50, 6, 7, 8, 9, 10]";
        assert_eq!(since(before, after), "…, 4, 50, 6, 7…");
        assert_eq!(short(before), "[1, 2, 3, 4, 5, 6, 7, 8…");
    }
}
