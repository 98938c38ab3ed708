//! What the catalogue knows about the bug of an exercise, for learners who have just fixed it.

use super::super::called;
use heisenbug_catalogue::{Bug, Role};
use heisenbug_course::Exercise;
use heisenbug_explain::wrap;
use heisenbug_worlds as worlds;

/// More would push the verdict off the screen.
const MAX_LINES: usize = 8;

/// As many of them are kept free for the first place where it happened.
const PLACE: usize = 2;

/// Where the exercise's bug happened for real, how else it can be fixed, and where to read on. `None` if
/// the bug is not in the catalogue.
pub fn of(exercise: &Exercise, width: usize) -> Option<String> {
    told(exercise, width, called::name())
}

/// The same, with the command that calls this program, which may be long.
fn told(exercise: &Exercise, width: usize, called: &str) -> Option<String> {
    let name = exercise.bug.as_deref()?;
    let bug = worlds::bugs().find(|bug| bug.name == name)?;
    let story = format!("Its story, with code: {called} show {name}");
    let story = paragraph(&story, width);
    let mut room = MAX_LINES.saturating_sub(rows(&story));
    let fixes = fitting(
        "Fixes that hold",
        &fixes(bug),
        width,
        room.saturating_sub(PLACE),
    );
    room -= fixes.as_deref().map_or(0, rows);
    let places = bug.references.iter().map(|&place| place.to_owned());
    let places: Vec<String> = places.collect();
    let places = fitting("Known from", &places, width, room);
    let parts = [places, fixes, Some(story)].into_iter().flatten();
    Some(parts.collect::<Vec<_>>().join("\n"))
}

fn fixes(bug: &Bug) -> Vec<String> {
    let fixed = { bug.variants.iter() }.filter(|variant| variant.role == Role::Fixed);
    fixed.map(|variant| variant.summary.to_owned()).collect()
}

/// The first entries, as many as fit into `room` lines.
fn fitting(heading: &str, entries: &[String], width: usize, room: usize) -> Option<String> {
    let with = |many: usize| {
        let entries = entries[..many].join("; ");
        paragraph(&format!("{heading}: {entries}"), width)
    };
    { (1..=entries.len()).rev() }
        .map(with)
        .find(|text| rows(text) <= room)
}

/// Wraps at spaces only: a link or a command that is broken at a hyphen cannot be copied.
fn paragraph(text: &str, width: usize) -> String {
    const NO_BREAK: &str = "\u{2011}";
    wrap(&text.replace('-', NO_BREAK), width, "  ").replace(NO_BREAK, "-")
}

fn rows(text: &str) -> usize {
    text.lines().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use heisenbug_course::{Course, home};

    #[test]
    fn every_exercise_of_a_bug_has_a_background_of_few_lines() {
        let course = Course::read(&home::course().unwrap()).unwrap();
        for exercise in &course.exercises {
            let text = told(exercise, 80, "heisenbug");
            assert_eq!(text.is_some(), exercise.bug.is_some(), "{}", exercise.name);
            let text = text.unwrap_or_default();
            assert!(rows(&text) <= MAX_LINES, "{text}");
            if exercise.bug.is_some() {
                assert!(
                    text.contains("Known from") && text.contains("Fixes"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn what_has_no_room_is_left_out_as_a_whole() {
        let entries = ["one".to_owned(), "two of many words".to_owned()];
        let fitting = |width, room| fitting("Known", &entries, width, room);
        assert_eq!(fitting(80, 1).unwrap(), "  Known: one; two of many words");
        assert_eq!(fitting(20, 1).unwrap(), "  Known: one");
        assert_eq!(fitting(20, 0), None);
    }
}
