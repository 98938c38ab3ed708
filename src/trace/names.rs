//! Names for locks, atomics and cells, read from the source: the program itself does not name them.

use super::source;
use std::panic::Location;

/// The name of an object: the variable or field it is created into, else the one it is first used
/// through, else its type and the line that created it. `nth` is the number of objects created by the
/// same line before: the index, for the elements of an array.
pub fn of_object(
    kind: &str,
    created: &'static Location<'static>,
    used: Option<&'static Location<'static>>,
    nth: usize,
) -> String {
    created_into(created)
        .or_else(|| {
            used.and_then(used_through)
                .map(|name| name.replace("[]", &format!("[{nth}]")))
        })
        .unwrap_or_else(|| format!("{kind}@{}", created.line()))
}

fn before(at: &Location<'_>) -> Option<String> {
    let text = source::text(at.file())?;
    let line = text.lines().nth((at.line() as usize).checked_sub(1)?)?;
    line.get(..(at.column() as usize).checked_sub(1)?)
        .map(str::to_owned)
}

/// `let flag = Arc::new(AtomicBool::new(false))` and `flag: AtomicBool::new(false)` both give "flag",
/// even across lines.
fn created_into(at: &Location<'_>) -> Option<String> {
    let mut text = before(at)?;
    let lines = source::text(at.file())?;
    let above = lines.lines().take((at.line() as usize).checked_sub(1)?);
    for line in above.collect::<Vec<_>>().into_iter().rev().take(MOST_LINES) {
        // An expression that opens in the line above continues here.
        if !line.trim_end().ends_with(['(', '=']) || name_assigned(&text).is_some() {
            break;
        }
        text = format!("{} {}", line.trim_end(), text.trim_start());
    }
    name_assigned(&text)
}

/// How many lines above a call the name may be.
const MOST_LINES: usize = 3;

fn name_assigned(before: &str) -> Option<String> {
    // The text between the name and the call may only wrap it: `Arc::new(`, `Box::new(`.
    let cut = before.find(" = ").or_else(|| find_field_colon(before))?;
    let (head, wrapping) = before.split_at(cut);
    if let Some(elements) = wrapping.strip_prefix(" = (") {
        return of_tuple(head, elements);
    }
    if let Some((wrapping, elements)) = wrapping.split_once("((") {
        // `Arc::new((Mutex::new(false), Condvar::new()))`: the elements are fields of the named variable.
        let name = name_assigned(&format!("{head}{wrapping}("))?;
        return Some(format!("{name}.{}", place_in_tuple(elements)?));
    }
    let plain = |c: char| c.is_alphanumeric() || " :=(<>_".contains(c);
    if !wrapping.chars().all(plain) {
        return None;
    }
    let head = head.split(':').next().unwrap_or(head);
    if let Some(ends) = head.trim_end().strip_suffix(')') {
        return of_two_ends(ends);
    }
    if let Some(name) = of_static(head) {
        return Some(name);
    }
    let name = head
        .trim_end()
        .rsplit(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()?;
    is_name(name).then(|| name.to_owned())
}

/// `static JOBS: Mutex<u32> = Mutex::new(0)` gives "JOBS".
fn of_static(head: &str) -> Option<String> {
    let (_, name) = head.split_once("static ")?;
    let name = bound(name)?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// `let (flag, count) = (Arc::new(AtomicBool::new(false)), Arc::new(` gives "count".
fn of_tuple(head: &str, elements: &str) -> Option<String> {
    let (_, names) = head.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let name = bound(names.split(',').nth(place_in_tuple(elements)?)?)?;
    is_name(name).then(|| name.to_owned())
}

/// The index of the tuple element that is created after this text, if it is only wrapped there.
fn place_in_tuple(elements: &str) -> Option<usize> {
    let mut depth = 0_i32;
    let mut nth = 0;
    let mut element = String::new();
    for c in elements.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                nth += 1;
                element.clear();
                continue;
            }
            _ => {}
        }
        if depth < 0 {
            // The end of the tuple.
            return None;
        }
        element.push(c);
    }
    let plain = |c: char| c.is_alphanumeric() || " :(<>_".contains(c);
    element.chars().all(plain).then_some(nth)
}

/// `let (jobs, inbox) = channel()` gives "jobs", and `let (tx, rx)` "rx": where the values are.
fn of_two_ends(head: &str) -> Option<String> {
    let (sender, receiver) = head.rsplit('(').next()?.split_once(',')?;
    let says_little = ["tx", "sender", "send", "s", "t"].map(Some);
    let chosen = if says_little.contains(&bound(sender)) {
        receiver
    } else {
        sender
    };
    let name = bound(chosen)?;
    is_name(name).then(|| name.to_owned())
}

/// The colon after a field's name, which is not part of a `::`.
fn find_field_colon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&i| {
        bytes[i] == b':' && bytes.get(i + 1) != Some(&b':') && (i == 0 || bytes[i - 1] != b':')
    })
}

/// `self.visitors.load(Relaxed)` gives "visitors", and `self.flags[train].load(Relaxed)` "flags[]":
/// the source does not tell which element it is.
fn used_through(at: &Location<'_>) -> Option<String> {
    receiver(&before(at)?)
}

fn receiver(before: &str) -> Option<String> {
    let path = before.strip_suffix('.')?;
    let (path, index) = match path.strip_suffix(']') {
        Some(indexed) => (&indexed[..indexed.rfind('[')?], "[]"),
        None => (path, ""),
    };
    let start = path
        .rfind(|c: char| !(c.is_alphanumeric() || "_.".contains(c)))
        .map_or(0, |i| {
            i + path[i..].chars().next().map_or(1, char::len_utf8)
        });
    let name = path[start..].rsplit('.').next()?;
    is_name(name).then(|| format!("{name}{index}"))
}

/// The name that a pattern binds, if it is just one word.
fn bound(pattern: &str) -> Option<&str> {
    let word = pattern.trim().trim_start_matches("mut ").trim();
    let is_one = word.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_one.then_some(word)
}

fn is_name(word: &str) -> bool {
    let starts_well = word.starts_with(|c: char| c.is_lowercase() || c == '_');
    starts_well && !["self", "let", "mut", "new", "ref"].contains(&word)
}

/// Distinguishes objects of the same name by numbers, in order of creation.
pub fn number_duplicates(names: &mut [String]) {
    let all = names.to_vec();
    for (i, name) in names.iter_mut().enumerate() {
        if all.iter().filter(|other| *other == &all[i]).count() > 1 {
            let nth = all[..=i].iter().filter(|other| *other == &all[i]).count();
            *name = format!("{name} #{nth}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_names_what_is_created_into_it() {
        assert_eq!(
            name_assigned("    let flag = Arc::new(").as_deref(),
            Some("flag")
        );
        assert_eq!(
            name_assigned("    let mut flag = ").as_deref(),
            Some("flag")
        );
        assert_eq!(
            name_assigned("    let flag: Arc<AtomicBool> = ").as_deref(),
            Some("flag")
        );
        assert_eq!(name_assigned("            next: [").as_deref(), None);
    }

    #[test]
    fn a_static_is_called_as_it_is() {
        let named = name_assigned("static JOBS: Mutex<Vec<u32>> = ");
        assert_eq!(named.as_deref(), Some("JOBS"));
        assert_eq!(name_assigned("const JOBS: u32 = ").as_deref(), None);
    }

    #[test]
    fn an_element_of_a_tuple_has_its_own_name() {
        let first = "let (flag, mut count) = (Arc::new(";
        assert_eq!(name_assigned(first).as_deref(), Some("flag"));
        let second = "let (flag, mut count) = (Arc::new(AtomicBool::new(false)), Arc::new(";
        assert_eq!(name_assigned(second).as_deref(), Some("count"));
        assert_eq!(
            name_assigned("let (a, b) = (f(1, Arc::new(").as_deref(),
            None
        );
    }

    #[test]
    fn an_element_of_a_shared_tuple_is_a_field_of_it() {
        let named = |text| name_assigned(text);
        let lock = "let pair = Arc::new((";
        assert_eq!(named(lock).as_deref(), Some("pair.0"));
        let condvar = "let pair = Arc::new((Mutex::new(false), ";
        assert_eq!(named(condvar).as_deref(), Some("pair.1"));
        assert_eq!(named("let pair = f(1, ((").as_deref(), None);
    }

    #[test]
    fn a_channel_is_called_as_one_of_its_ends() {
        assert_eq!(
            name_assigned("let (jobs, inbox) = ").as_deref(),
            Some("jobs")
        );
        assert_eq!(name_assigned("let (tx, mut rx) = ").as_deref(), Some("rx"));
        assert_eq!(name_assigned("let (a.b, c) = ").as_deref(), None);
    }

    #[test]
    fn a_field_names_what_is_created_into_it() {
        assert_eq!(
            name_assigned("            value: ").as_deref(),
            Some("value")
        );
        assert_eq!(
            name_assigned("        Counter { value: Arc::new(").as_deref(),
            Some("value")
        );
        assert_eq!(name_assigned("        run(").as_deref(), None);
        assert_eq!(
            name_assigned("        drop(std::sync::Arc::new(").as_deref(),
            None
        );
    }

    #[test]
    fn a_call_names_what_it_goes_through() {
        assert_eq!(
            receiver("   let seen = self.visitors.").as_deref(),
            Some("visitors")
        );
        assert_eq!(receiver("   *self.left.").as_deref(), Some("left"));
        assert_eq!(
            receiver("   !self.slots[1 - me].").as_deref(),
            Some("slots[]")
        );
        assert_eq!(receiver("   self.slot(1).").as_deref(), None);
    }

    #[test]
    fn equal_names_are_numbered() {
        let mut names = vec!["a".to_owned(), "b".to_owned(), "a".to_owned()];
        number_duplicates(&mut names);
        assert_eq!(names, ["a #1", "b", "a #2"]);
    }
}
