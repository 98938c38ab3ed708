//! Draws a [`State`]. Everything is text, in lines that are made to fit.

mod pages;
mod styled;
mod text;

use super::state::{Hint, State, Tools};
use super::view::{Scroll, View};
use crate::learn::words;
use heisenbug_explain::style::{Paint, paint};
use heisenbug_explain::{cut, plain, thousands, visible, wrap};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Color;
use ratatui::text::Line;
use std::time::Duration;
use text::{ends, fit};

/// With fewer rows, the less important parts are left out.
const ROOMY: u16 = 18;

/// Draws the screen.
pub fn draw(frame: &mut Frame, state: &mut State) {
    let area = frame.area();
    let width = usize::from(area.width);
    let roomy = area.height >= ROOMY;
    let header = header(state, width, roomy);
    let aside = aside(state, width, usize::from(area.height) / 2);
    let footer = footer(state, width);
    let rows = |lines: &[Line]| Constraint::Length(lines.len() as u16);
    let [top, body, below, bottom] = Layout::vertical([
        rows(&header),
        Constraint::Min(1),
        rows(&aside),
        rows(&footer),
    ])
    .areas(area);
    lines(frame, top, header);
    let (content, scroll) = content(state, body);
    let shown = match scroll {
        None => content,
        Some(scroll) => {
            let scroll = scroll(state);
            // One row is for the rule, which says how much more there is.
            scroll.fit(content.len(), usize::from(body.height).saturating_sub(1));
            content.into_iter().skip(scroll.top).collect()
        }
    };
    let [page, rule] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(body);
    lines(frame, page, shown);
    let rest = scroll.map_or(String::new(), |scroll| more(scroll(state)));
    lines(frame, rule, fit(&text::rule(&rest, width), width));
    lines(frame, below, aside);
    lines(frame, bottom, footer);
    if !state.colour {
        for cell in &mut frame.buffer_mut().content {
            (cell.fg, cell.bg) = (Color::Reset, Color::Reset);
        }
    }
}

fn lines(frame: &mut Frame, area: Rect, lines: Vec<Line<'static>>) {
    for (line, row) in lines.into_iter().zip(area.rows()) {
        frame.render_widget(line, row);
    }
}

/// Returns the scroll position of a part of the text.
type ScrollOf = fn(&mut State) -> &mut Scroll;

/// The current view, as lines.
fn content(state: &mut State, area: Rect) -> (Vec<Line<'static>>, Option<ScrollOf>) {
    let width = usize::from(area.width);
    match &state.view {
        View::Work | View::Confirm => (work(state, area.width), Some(|state| &mut state.scroll)),
        View::Closing => (fit(&pages::closing(state, width), width), None),
        View::Help(_) => (
            fit(&pages::help(width), width),
            Some(|state| match &mut state.view {
                View::Help(scroll) => scroll,
                _ => &mut state.scroll,
            }),
        ),
        View::Solution(solution) => (
            pages::solution(state, solution, width),
            Some(|state| match &mut state.view {
                View::Solution(solution) => &mut solution.scroll,
                _ => &mut state.scroll,
            }),
        ),
        View::Sweep(sweep) => (
            fit(&pages::sweep(state, sweep, width), width),
            Some(|state| match &mut state.view {
                View::Sweep(sweep) => &mut sweep.scroll,
                _ => &mut state.scroll,
            }),
        ),
        View::List(_) => (pages::list(state, area), None),
    }
}

/// The last verdict, or what is shown before the first one.
fn work(state: &mut State, columns: u16) -> Vec<Line<'static>> {
    let width = usize::from(columns);
    let exercise = state.exercise().clone();
    if let Tools::Broken(why) = &state.tools {
        let heading = paint(
            Paint::Bad,
            "The library that files are linked with cannot be built.",
        );
        return fit(&format!("{heading}\n\n{why}"), width);
    }
    if let Some(verdict) = &mut state.verdict {
        if verdict.words.as_ref().is_none_or(|(at, _)| *at != columns) {
            let words = match &verdict.judgement {
                Ok(judgement) if judgement.passed() => format!(
                    "{}\n\n{}",
                    words::judgement(&exercise, judgement, width),
                    wrap(
                        "n goes to the next. s shows a solution beside yours.",
                        width,
                        "  "
                    )
                ),
                Ok(judgement) => words::judgement(&exercise, judgement, width),
                Err(why) => format!(
                    "{}\n{}",
                    paint(Paint::Bad, "This cannot be judged."),
                    wrap(&visible(why), width, "  ")
                ),
            };
            verdict.words = Some((columns, words));
        }
        let words = verdict.words.as_ref().map_or("", |(_, words)| words);
        return fit(words, width);
    }
    let what = match state.tools {
        Tools::Building(_) => {
            "The library that your files are linked with is being built. This is done once and takes \
             about a minute; after that, a verdict takes about a second."
                .to_owned()
        }
        _ => format!(
            "Edit {} in your editor. Every save is judged here, over all schedules.",
            exercise.file()
        ),
    };
    fit(
        &format!(
            "{}\n\n{}",
            paint(Paint::Bold, &exercise.title),
            wrap(&what, width, "")
        ),
        width,
    )
}

/// The course, the exercise, the progress, and the file to edit.
fn header(state: &State, width: usize, roomy: bool) -> Vec<Line<'static>> {
    let course = &state.place.course;
    let (done, all) = (state.done(), course.exercises.len());
    let counted = format!("{done} of {all} done");
    let exercise = state.exercise();
    let number = format!("exercise {} of {all}", state.current + 1);
    let path = state.place.file(exercise).display().to_string();
    let path = visible(&path);
    let edit = format!("edit {}", text::cut_left(&path, width.saturating_sub(5)));
    let name = match roomy {
        true => format!("{}: {}", exercise.name, exercise.title),
        false => exercise.name.clone(),
    };
    let mut parts = Vec::new();
    if roomy {
        let bar = text::bar(done, all, (width / 4).min(24));
        let title = cut(
            &course.title,
            width.saturating_sub(plain(&bar).chars().count() + counted.len() + 4),
        );
        parts.push(ends(
            &paint(Paint::Bold, &title),
            &format!("{bar} {counted}"),
            width,
        ));
    }
    if state.view != View::Closing {
        let right = match roomy {
            true => number,
            false => format!("{} of {all}, {done} done", state.current + 1),
        };
        let name = cut(&name, width.saturating_sub(right.len() + 1));
        parts.push(ends(
            &paint(Paint::Bold, &name),
            &paint(Paint::Dim, &right),
            width,
        ));
        parts.push(edit);
    }
    if roomy {
        parts.push(text::rule("", width));
    }
    fit(&parts.join("\n"), width)
}

/// The lines below the text: a hint, a question, a notice, the status.
fn aside(state: &State, width: usize, rows: usize) -> Vec<Line<'static>> {
    let mut said = Vec::new();
    let working = matches!(state.view, View::Work | View::Confirm);
    if let (true, Hint { level, open: true }) = (working, state.hint)
        && let Some(hint) = state.hint_at(level)
    {
        let hint = format!("Hint {level} of {}: {hint}", state.exercise().hints.len());
        said.extend(fit(
            &paint_lines(Paint::Notice, &wrap(&hint, width, "")),
            width,
        ));
    }
    if state.view == View::Confirm {
        let question = format!(
            "Restore {}? What you wrote is kept beside it. y: yes, any other key: no",
            state.exercise().file()
        );
        said.extend(fit(
            &paint_lines(Paint::Bold, &wrap(&question, width, "")),
            width,
        ));
    } else if let Some(notice) = &state.notice {
        said.extend(fit(&wrap(notice, width, ""), width));
    }
    said.truncate(rows.max(1));
    if working || matches!(state.view, View::List(_)) || state.running.is_some() {
        said.extend(
            fit(&cut_styled(&status(state), width), width)
                .into_iter()
                .take(1),
        );
    }
    said
}

/// The current work, or its result, in one line.
fn status(state: &State) -> String {
    let since = |began: Duration| seconds(state.now.saturating_sub(began));
    if let Some(running) = state.running {
        let name = match state.view {
            View::Sweep(_) => format!("{}, ", state.place.course.exercises[running.exercise].name),
            _ => String::new(),
        };
        let executions = match running.executions {
            0 => String::new(),
            1 => "1 execution, ".to_owned(),
            many => format!("{} executions, ", thousands(many)),
        };
        return paint(
            Paint::Notice,
            &format!("judging… {name}{executions}{}", since(running.began)),
        );
    }
    match (&state.tools, &state.verdict) {
        (Tools::Building(began), _) => {
            paint(Paint::Notice, &format!("building… {}", since(*began)))
        }
        (Tools::Broken(_), _) => paint(Paint::Bad, "nothing can be judged"),
        (Tools::Ready, Some(verdict)) => {
            let took = seconds(verdict.took);
            match &verdict.judgement {
                Ok(judgement) if judgement.passed() => {
                    paint(Paint::Good, &format!("✓ proven, in {took}"))
                }
                Ok(judgement) => {
                    let failure = words::failure(judgement);
                    let failure = failure.lines().next().unwrap_or_default();
                    paint(Paint::Bad, &format!("✗ not yet: {failure}, in {took}"))
                }
                Err(_) => paint(Paint::Bad, "✗ not judged"),
            }
        }
        (Tools::Ready, None) => paint(Paint::Dim, "waiting for a save"),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Paints each line, because a style does not continue on the next line.
fn paint_lines(how: Paint, text: &str) -> String {
    let painted = text.lines().map(|line| paint(how, line));
    painted.collect::<Vec<_>>().join("\n")
}

/// Cuts a text that has one style or none.
fn cut_styled(text: &str, width: usize) -> String {
    let bare = plain(text);
    match cut(&bare, width) {
        fits if fits == bare => text.to_owned(),
        shorter => text.replace(&bare, &shorter),
    }
}

/// A key, what it does, and its rank: if there is no room, the highest ranks are left out first.
type Key = (&'static str, &'static str, u8);

fn keys(state: &State) -> &'static [Key] {
    match &state.view {
        View::Work => &[
            ("n", "next", 0),
            ("p", "back", 9),
            ("h", "hint", 1),
            ("l", "list", 2),
            ("r", "again", 5),
            ("x", "reset", 6),
            ("s", "solution", 7),
            ("c", "check all", 8),
            ("q", "quit", 3),
            ("?", "help", 4),
        ],
        View::Confirm => &[("y", "reset", 0), ("any other key", "do not", 1)],
        View::List(list) if list.typing => &[
            ("Enter", "go there", 0),
            ("↑↓", "choose", 3),
            ("Tab", "filter", 2),
            ("Esc", "no search", 1),
        ],
        View::List(_) => &[
            ("Enter", "go there", 0),
            ("↑↓", "choose", 4),
            ("/", "search", 1),
            ("Tab", "filter", 2),
            ("Esc", "back", 3),
            ("q", "quit", 5),
        ],
        View::Solution(_) => &[
            ("↑↓", "scroll", 3),
            ("n", "next", 1),
            ("Esc", "back", 0),
            ("q", "quit", 2),
        ],
        View::Sweep(_) if state.running.is_some() => &[("Esc", "stop", 0), ("q", "quit", 1)],
        View::Help(_) | View::Sweep(_) => {
            &[("↑↓", "scroll", 2), ("Esc", "back", 0), ("q", "quit", 1)]
        }
        View::Closing => &[
            ("l", "list", 0),
            ("c", "check all", 2),
            ("q", "quit", 1),
            ("?", "help", 3),
        ],
    }
}

/// The keys, as many as fit.
fn footer(state: &State, width: usize) -> Vec<Line<'static>> {
    let keys = keys(state);
    let line = |least: usize| {
        let shown = keys
            .iter()
            .filter(|(_, _, rank)| usize::from(*rank) < least);
        let words = shown.map(|(key, what, _)| format!("{} {what}", paint(Paint::Bold, key)));
        words.collect::<Vec<_>>().join("  ")
    };
    let fitting = (1..=keys.len()).rev().map(line);
    let line = { fitting }
        .find(|line| Line::from(plain(line)).width() <= width)
        .unwrap_or_default();
    fit(&line, width)
}

/// Which part of a longer text is visible.
fn more(scroll: &Scroll) -> String {
    match scroll.last() {
        0 => String::new(),
        last => {
            let end = (scroll.top + scroll.page).min(scroll.lines);
            let down = if scroll.top < last { "↓ " } else { "" };
            let up = if scroll.top > 0 { "↑ " } else { "" };
            format!("{up}{down}{end} of {} lines", scroll.lines)
        }
    }
}
