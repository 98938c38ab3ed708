//! The report as a terminal shows it, as an SVG.
//!
//! Each run of text has a place and a length, so that the columns are aligned in any font of the viewer.
//! An animation shows the lines one by one, by CSS, once, and within five seconds: a longer one
//! would need a way to stop it. Viewers who prefer reduced motion see everything at once.

use super::styled::{self, Run};
use super::{WIDTH, palette, title};
use crate::sentence::{self, Time};
use crate::style::{Paint, paint};
use crate::xml::escaped;
use crate::{Report, told, visible};

/// The size in pixels of a column, of a line, and of the margin.
const COLUMN: f64 = 8.4;
const LINE: f64 = 20.0;
const MARGIN: f64 = 16.0;

/// The baseline of the text within its line.
const BASELINE: f64 = 14.5;

/// The report as a still picture.
pub fn svg(report: &Report) -> String {
    document(report, &told(report, WIDTH, Time::LeftOut, false), None)
}

/// The report as a picture in which the command is typed, and the lines appear one by one.
pub fn animation(report: &Report, command: &str) -> String {
    let prompt = paint(Paint::Dim, "$");
    let command = visible(command);
    let text = format!(
        "{prompt} {command}\n\n{}",
        told(report, WIDTH, Time::LeftOut, false)
    );
    document(report, &text, Some(Pace::of(&text, &command)))
}

fn document(report: &Report, text: &str, pace: Option<Pace>) -> String {
    let readable = &visible::report(report);
    let lines = styled::lines(text);
    let ends = { lines.iter().flatten() }.map(|run| run.column + run.columns);
    let width = ends.max().unwrap_or(0) as f64 * COLUMN + 2.0 * MARGIN;
    let height = lines.len() as f64 * LINE + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<title>{}</title>\n<desc>{}</desc>\n<style>\n{}{}</style>\n\
         <rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"6\"/>\n",
        escaped(&title(readable)),
        escaped(&description(readable)),
        style(),
        pace.as_ref().map(Pace::style).unwrap_or_default(),
        width.round() - 1.0,
        height.round() - 1.0,
    );
    let with_text = { lines.iter().enumerate() }.filter(|(_, line)| !line.is_empty());
    for (shown, (nth, line)) in with_text.enumerate() {
        let top = MARGIN + nth as f64 * LINE;
        let runs: String = { line.iter() }.map(|run| drawn(run, top)).collect();
        match &pace {
            None => svg.push_str(&runs),
            Some(pace) if shown == 0 => svg.push_str(&pace.typed(&runs, top)),
            Some(pace) => svg.push_str(&pace.appearing(&runs, shown)),
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The text of the picture, for screen readers.
fn description(report: &Report) -> String {
    let message = crate::message(report).unwrap_or_default();
    let how = sentence::how(report).replace('\n', " ");
    let message = match message.ends_with(['.', '!', '?']) || message.is_empty() {
        true => message,
        false => format!("{message}."),
    };
    { [message, how, sentence::stamp(report, Time::LeftOut)].into_iter() }
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn style() -> String {
    let (ground, ink, rule) = (
        palette::colour("ground"),
        palette::colour("ink"),
        palette::colour("rule"),
    );
    let (light, dark) = palette::rules("fill");
    format!(
        "text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',\
         monospace;fill:{}}}.paper{{fill:{};stroke:{}}}{light}\n\
         @media (prefers-color-scheme:dark){{text{{fill:{}}}.paper{{fill:{};stroke:{}}}{dark}}}\n",
        ink.0, ground.0, rule.0, ink.1, ground.1, rule.1
    )
}

fn drawn(run: &Run, top: f64) -> String {
    let class = match run.class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    format!(
        "<text{class} x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>\n",
        MARGIN + run.column as f64 * COLUMN,
        top + BASELINE,
        run.columns as f64 * COLUMN,
        escaped(&run.text)
    )
}

/// The timing of the animation, in seconds.
struct Pace {
    /// How many characters are typed.
    typed: usize,
    /// The time from one line to the next.
    line: f64,
}

/// How long it takes to type the command, when the first line appears, and the last.
const TYPING: f64 = 0.8;
const FIRST: f64 = 1.1;
const LAST: f64 = 4.6;

/// How long a line takes to appear.
const APPEARING: f64 = 0.2;

impl Pace {
    fn of(text: &str, command: &str) -> Pace {
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        Pace {
            typed: command.chars().count(),
            line: ((LAST - FIRST) / lines.max(1) as f64).min(0.3),
        }
    }

    /// Without animation, all lines are visible, and the cover of the command is not.
    fn style(&self) -> String {
        let ground = palette::colour("ground");
        format!(
            ".cover{{fill:{};opacity:0}}\n\
             @media (prefers-color-scheme:dark){{.cover{{fill:{}}}}}\n\
             @media (prefers-reduced-motion:no-preference){{\
             .line{{animation:appear {APPEARING}s backwards}}\
             .cover{{transform-box:fill-box;transform-origin:right;animation:type {TYPING}s steps({},end) backwards}}}}\n\
             @keyframes appear{{from{{opacity:0}}}}\n\
             @keyframes type{{from{{opacity:1;transform:scaleX(1)}}to{{opacity:1;transform:scaleX(0)}}}}\n",
            ground.0,
            ground.1,
            self.typed.max(1)
        )
    }

    /// The command, under a cover that recedes. The prompt is not covered.
    fn typed(&self, runs: &str, top: f64) -> String {
        format!(
            "{runs}<rect class=\"cover\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{LINE}\"/>\n",
            MARGIN + 2.0 * COLUMN,
            self.typed as f64 * COLUMN,
        )
    }

    /// The line with that number.
    fn appearing(&self, runs: &str, nth: usize) -> String {
        let begin = FIRST + self.line * (nth - 1) as f64;
        format!("<g class=\"line\" style=\"animation-delay:{begin:.2}s\">\n{runs}</g>\n")
    }
}
