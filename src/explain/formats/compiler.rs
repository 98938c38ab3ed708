//! Finds the errors in rustc's messages about a file.

use super::Place;

/// An error or warning.
pub struct Complaint<'a> {
    pub level: &'static str,
    pub message: &'a str,
    pub place: Place<'a>,
}

/// The errors and warnings that have a place: `error[E0425]: cannot find …`, and below it `--> file:line:column`.
pub fn complaints(text: &str) -> Vec<Complaint<'_>> {
    let mut found = Vec::new();
    let mut said = None;
    for line in text.lines() {
        said = headline(line).or(said);
        if let Some(place) = line.trim_start().strip_prefix("--> ").and_then(place)
            && let Some((level, message)) = said.take()
        {
            found.push(Complaint {
                level,
                message,
                place,
            });
        }
    }
    found
}

/// The first line of the first error, or of the text.
pub fn first(text: &str) -> &str {
    let errors = text.lines().filter_map(headline);
    let error = { errors }.find(|(level, _)| *level == "error");
    error.map_or(text.lines().next().unwrap_or_default(), |(_, said)| said)
}

fn headline(line: &str) -> Option<(&'static str, &str)> {
    ["error", "warning"].into_iter().find_map(|level| {
        let rest = line.strip_prefix(level)?;
        match rest.strip_prefix(": ") {
            Some(said) => Some((level, said)),
            // An error with its number.
            None => rest.starts_with('[').then_some((level, rest)),
        }
    })
}

fn place(text: &str) -> Option<Place<'_>> {
    let (rest, column) = text.trim_end().rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some(Place::new(file, line.parse().ok()?, column.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_found_with_its_place() {
        let text =
            "error[E0425]: cannot find `x`\n --> C:\\a.rs:3:5\n  |\n3 |     x\n\nerror: aborting\n";
        let found = complaints(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "[E0425]: cannot find `x`");
        let Place { file, line, column } = found[0].place;
        assert_eq!((file, line, column), ("C:\\a.rs", 3, 5));
        assert_eq!(first(text), "[E0425]: cannot find `x`");
        assert_eq!(first("it holds\nand more"), "it holds");
    }
}
