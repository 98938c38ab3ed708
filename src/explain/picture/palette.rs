//! Colours of pictures and pages, on light and dark backgrounds.

use crate::style::Paint;
use std::fmt::Write;

/// A class of text, and its colours on light and dark backgrounds. The first two are background and text, the
/// third is rules and borders.
const COLOURS: [(&str, &str, &str); 11] = [
    ("ground", "#ffffff", "#0d1117"),
    ("ink", "#1f2328", "#e6edf3"),
    ("rule", "#d1d9e0", "#3d444d"),
    ("dim", "#59636e", "#9198a1"),
    ("red", "#b3141d", "#ff8a80"),
    ("green", "#116329", "#56d364"),
    ("yellow", "#7d4e00", "#e3b341"),
    ("cyan", "#0a6470", "#39c5cf"),
    ("magenta", "#86258f", "#e491f2"),
    ("blue", "#0b51b7", "#79c0ff"),
    ("bold", "#1f2328", "#e6edf3"),
];

/// A class's colours on light and dark backgrounds.
pub fn colour(class: &str) -> (&'static str, &'static str) {
    let found = { COLOURS.iter() }.find(|(name, ..)| *name == class);
    found.map_or(("", ""), |&(_, light, dark)| (light, dark))
}

/// The CSS rules that set this property for each class of text: on light, and on dark backgrounds.
pub fn rules(property: &str) -> (String, String) {
    let (mut light, mut dark) = (String::new(), String::new());
    for (class, on_light, on_dark) in &COLOURS[3..] {
        let _ = write!(light, ".{class}{{{property}:{on_light}}}");
        let _ = write!(dark, ".{class}{{{property}:{on_dark}}}");
    }
    light.push_str(".red,.bold{font-weight:bold}");
    (light, dark)
}

/// The class of a paint.
pub fn class(paint: Paint) -> &'static str {
    match paint {
        Paint::Bold => "bold",
        Paint::Dim => "dim",
        Paint::Bad => "red",
        Paint::Good => "green",
        Paint::Notice => "yellow",
        Paint::Actor(number) => ["cyan", "magenta", "yellow", "blue"][number % 4],
    }
}

/// The class for a number of an ANSI style.
pub fn class_of_code(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "bold",
        2 => "dim",
        31 => "red",
        32 => "green",
        33 => "yellow",
        34 => "blue",
        35 => "magenta",
        36 => "cyan",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let value = u8::from_str_radix(&colour[at..at + 2], 16).unwrap();
            let value = f64::from(value) / 255.0;
            match value <= 0.04045 {
                true => value / 12.92,
                false => ((value + 0.055) / 1.055).powf(2.4),
            }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn all_text_can_be_read_on_either_ground() {
        let ground = colour("ground");
        for (class, light, dark) in { COLOURS.iter() }
            .filter(|(name, ..)| *name != "rule")
            .skip(1)
        {
            assert!(contrast(light, ground.0) >= 4.5, "{class} on light ground");
            assert!(contrast(dark, ground.1) >= 4.5, "{class} on dark ground");
        }
    }

    #[test]
    fn a_paint_has_the_class_of_its_ansi_style() {
        let paints = [
            Paint::Bold,
            Paint::Dim,
            Paint::Bad,
            Paint::Good,
            Paint::Notice,
        ];
        for paint in { paints.into_iter() }.chain((0..5).map(Paint::Actor)) {
            let text = crate::style::paint(paint, "x");
            let line = &super::super::styled::lines(&text)[0];
            assert_eq!(line[0].class, class(paint), "{paint:?}");
        }
    }
}
