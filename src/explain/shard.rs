//! A part of a check, when several machines share the work without talking to each other.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One of the parts that a check is dealt out to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Shard {
    /// Which part, counted from 1.
    pub part: u32,
    /// How many parts there are.
    pub of: u32,
}

/// What a part of one program's check says of itself, so that the parts can be added up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Part {
    /// Which part it is.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub shard: Shard,
    /// Whether all of the part was explored.
    pub explored: bool,
    /// How the executions were dealt out: equal for all parts of one check. `None` if it did not come to that.
    pub dealt: Option<String>,
    /// How hard the counterexample is to read: the least, as a text, is the whole's. `None` if there is none, or
    /// it is a crash.
    pub rank: Option<String>,
}

impl Part {
    /// A part of which nothing is known.
    pub fn unexplored(shard: Shard) -> Part {
        Part {
            shard,
            explored: false,
            dealt: None,
            rank: None,
        }
    }
}

impl Shard {
    /// More parts than this do not help: each of them looks at the same beginning.
    pub const MAX: u32 = 1_000;

    /// Whether the part has the item at that position, counted from 0: items are dealt out in turn.
    pub fn has(self, position: usize) -> bool {
        position % self.of as usize == self.part as usize - 1
    }

    /// How many of that many items the part has.
    pub fn share(self, items: u64) -> u64 {
        let (part, of) = (u64::from(self.part), u64::from(self.of));
        items / of + u64::from(part <= items % of)
    }
}

impl FromStr for Shard {
    type Err = String;

    /// Reads `K/N`.
    fn from_str(text: &str) -> Result<Shard, String> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((part, of)) if (1..=of).contains(&part) && of <= Shard::MAX => {
                Ok(Shard { part, of })
            }
            _ => Err(format!(
                "must be K/N, such as 1/4: K from 1 to N, N at most {}",
                Shard::MAX
            )),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part {} of {}", self.part, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_in_one_part() {
        for of in 1..=7 {
            let parts = (1..=of).map(|part| Shard { part, of });
            for item in 0..20 {
                assert_eq!(parts.clone().filter(|shard| shard.has(item)).count(), 1);
            }
            for items in 0..20 {
                let all: u64 = parts.clone().map(|shard| shard.share(items)).sum();
                assert_eq!(all, items);
                for shard in parts.clone() {
                    let has = (0..items as usize).filter(|&item| shard.has(item)).count();
                    assert_eq!(has as u64, shard.share(items));
                }
            }
        }
    }

    #[test]
    fn what_is_no_part_is_refused() {
        assert_eq!("2/4".parse(), Ok(Shard { part: 2, of: 4 }));
        for text in [
            "", "2", "0/4", "5/4", "2/", "/4", "-1/4", "1/1001", "1/4/2", "a/b",
        ] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
