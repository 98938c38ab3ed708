//! Shows numbers by the names of the program's constants.
//!
//! A number is replaced by a constant of its file if lines that name the object name the constant as well, and
//! no other such constant has that value. If the constants are bits that the program combines, a number is
//! replaced by all of its bits. Only certain values count: literals that rustc would read the same way.

use super::report::Report;
use heisenbug_trace::{Event, source};
use std::collections::HashMap;

/// A constant of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Constant {
    name: String,
    value: u64,
}

/// How many lines a call may span for its arguments to count as named together with its object.
const REACH: usize = 6;

/// The report with names for its numbers.
pub fn named(report: &Report) -> Report {
    let mut files: HashMap<String, Option<File>> = HashMap::new();
    let mut known: HashMap<(String, String), Vec<Constant>> = HashMap::new();
    let mut report = report.clone();
    for event in &mut report.counterexample {
        let Some(object) = event.object.clone() else {
            continue;
        };
        let file = files
            .entry(event.file.clone())
            .or_insert_with(|| File::read(&event.file));
        let Some(file) = file.as_ref().filter(|file| !file.constants.is_empty()) else {
            continue;
        };
        let constants = known
            .entry((event.file.clone(), object))
            .or_insert_with_key(|(_, object)| file.of_object(object));
        rename(event, constants);
    }
    report
}

fn rename(event: &mut Event, constants: &[Constant]) {
    for value in [&mut event.read, &mut event.value, &mut event.newest] {
        let number = value.as_deref().and_then(number);
        if let Some(name) = number.and_then(|number| name(number, constants)) {
            *value = Some(name);
        }
    }
}

/// The name of a number.
fn name(number: u64, constants: &[Constant]) -> Option<String> {
    let mut alike = constants.iter().filter(|constant| constant.value == number);
    if let (Some(only), None) = (alike.next(), alike.next()) {
        return Some(only.name.clone());
    }
    // Bits: each one is a constant, and there are at least two.
    let bits: Vec<&Constant> = { constants.iter() }
        .filter(|constant| constant.value.is_power_of_two())
        .collect();
    let set: Vec<&str> = { bits.iter() }
        .filter(|bit| number & bit.value != 0)
        .map(|bit| bit.name.as_str())
        .collect();
    let all: u64 = bits
        .iter()
        .map(|bit| bit.value)
        .fold(0, |all, bit| all | bit);
    let distinct = bits.iter().map(|bit| bit.value.count_ones()).sum::<u32>() == all.count_ones();
    (distinct && set.len() > 1 && number & !all == 0).then(|| set.join(" | "))
}

/// A file of the program.
struct File {
    lines: Vec<String>,
    constants: Vec<Constant>,
}

impl File {
    fn read(name: &str) -> Option<File> {
        let text = source::text(name)?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let constants = lines.iter().filter_map(|line| constant(line)).collect();
        Some(File { lines, constants })
    }

    /// The constants that are named together with an object.
    fn of_object(&self, object: &str) -> Vec<Constant> {
        let object = object.split([' ', '[']).next().unwrap_or(object);
        let mut named: Vec<Constant> = Vec::new();
        for (nth, line) in self.lines.iter().enumerate() {
            if !words(code(line)).any(|word| word == object) {
                continue;
            }
            for line in statement(&self.lines[nth..]) {
                let in_line =
                    |constant: &&Constant| words(code(line)).any(|word| word == constant.name);
                for constant in self.constants.iter().filter(in_line) {
                    if !named.contains(constant) {
                        named.push(constant.clone());
                    }
                }
            }
        }
        named
    }
}

/// The lines of a statement, from its first line.
fn statement(lines: &[String]) -> impl Iterator<Item = &String> {
    let end = |line: &String| code(line).trim_end().ends_with([';', '{', '}']);
    let ends = lines.iter().position(end).unwrap_or(0);
    lines.iter().take((ends + 1).min(REACH))
}

/// A line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}

/// `const LOCKED: u32 = 1 << 31;`
fn constant(line: &str) -> Option<Constant> {
    let line = code(line).trim();
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let (name, rest) = line.strip_prefix("const ")?.split_once(':')?;
    let (_, value) = rest.split_once('=')?;
    let value = literal(value.trim().strip_suffix(';')?)?;
    let name = name.trim().to_owned();
    Some(Constant { name, value })
}

/// The value of a number, possibly shifted.
fn literal(text: &str) -> Option<u64> {
    if let Some((bit, by)) = text.split_once("<<") {
        return number(bit.trim())?.checked_shl(number(by.trim())?.try_into().ok()?);
    }
    number(text.trim())
}

/// `42`, `0b10`, `0xff`, `1_000`, `1u32`.
fn number(text: &str) -> Option<u64> {
    let text = text.replace('_', "");
    let types = [
        "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize",
    ];
    let text = types
        .iter()
        .find_map(|kind| text.strip_suffix(kind))
        .unwrap_or(&text);
    match (text.strip_prefix("0x"), text.strip_prefix("0b")) {
        (Some(hex), _) => u64::from_str_radix(hex, 16).ok(),
        (_, Some(bits)) => u64::from_str_radix(bits, 2).ok(),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let constants = lines.iter().filter_map(|line| constant(line)).collect();
        File { lines, constants }
    }

    fn called(number: u64, text: &str) -> Option<String> {
        name(number, &file(text).of_object("state"))
    }

    #[test]
    fn a_number_is_called_by_the_constant_that_is_used_with_its_object() {
        let text = "const IDLE: u32 = 0;\nconst BUSY: u32 = 1;\n\
                    self.state.store(IDLE, Release);\n\
                    self.state\n    .compare_exchange(\n        IDLE,\n        BUSY,\n    );";
        assert_eq!(called(0, text).as_deref(), Some("IDLE"));
        assert_eq!(called(1, text).as_deref(), Some("BUSY"));
        assert_eq!(called(2, text), None);
    }

    #[test]
    fn a_constant_that_is_used_elsewhere_names_nothing() {
        let text = "const ROUNDS: u32 = 1;\nfor _ in 0..ROUNDS {}\nself.state.store(1, Relaxed);";
        assert_eq!(called(1, text), None);
        let commented = "const ROUNDS: u32 = 1;\nself.state.load(Relaxed); // ROUNDS";
        assert_eq!(called(1, commented), None);
    }

    #[test]
    fn two_constants_of_one_value_name_nothing() {
        let text = "const A: u8 = 1;\nconst B: u8 = 0b1;\nstate.store(A);\nstate.store(B);";
        assert_eq!(called(1, text), None);
    }

    #[test]
    fn bits_are_called_by_their_names() {
        let text = "const HELD: u32 = 1 << 0;\nconst WAITS: u32 = 1 << 1;\n\
                    state.fetch_or(HELD | WAITS, Relaxed);";
        assert_eq!(called(3, text).as_deref(), Some("HELD | WAITS"));
        assert_eq!(called(1, text).as_deref(), Some("HELD"));
        assert_eq!(called(4, text), None);
        assert_eq!(called(7, text), None);
    }

    #[test]
    fn literals_are_read_as_rustc_reads_them() {
        for (text, value) in [
            ("42", Some(42)),
            ("1_000u64", Some(1_000)),
            ("0xff", Some(255)),
            ("1 << 31", Some(1 << 31)),
            ("A | B", None),
            ("-1", None),
        ] {
            assert_eq!(literal(text), value, "{text}");
        }
    }
}
