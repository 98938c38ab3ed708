//! The pages other than the one to work on.

use super::super::state::State;
use super::super::view::{Filter, Row, Solution, Sweep, Swept, View};
use super::text::{fit, pieces};
use heisenbug_explain::style::{Paint, paint};
use heisenbug_explain::{cut, wrap};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

/// From this width on, two files fit side by side.
const SIDE_BY_SIDE: usize = 100;

/// The page that is shown when all exercises are done.
pub fn closing(state: &State, width: usize) -> String {
    let said = format!(
        "Every exercise of “{}” is proven: all {}, over all their schedules.",
        state.place.course.title,
        state.place.course.exercises.len()
    );
    let next = "Look back: l lists them, and s shows a solution beside yours. Continue with your \
                own code: `heisenbug new FILE` creates a small program, `heisenbug try FILE` checks \
                it like these.";
    format!(
        "\n{}\n\n{}\n\n{}",
        paint(Paint::Good, "Done."),
        wrap(&said, width.min(72), "  "),
        wrap(next, width.min(72), "  ")
    )
}

/// What the keys do.
pub fn help(width: usize) -> String {
    let keys = [
        (
            "",
            "Every save of the file is judged, over all schedules. The verdict stays until the next one.",
        ),
        ("n", "the next exercise, once this one is proven"),
        ("p", "the previous exercise"),
        (
            "h",
            "a hint; again: the next of four. The last is the failing schedule in words. Esc closes it",
        ),
        (
            "l",
            "the list: Tab selects open, done or all, / searches, Enter goes to the exercise",
        ),
        ("r", "judges again"),
        (
            "x",
            "restores the exercise, and keeps what you wrote beside it",
        ),
        ("s", "the solution beside yours, once yours is proven"),
        ("c", "checks all exercises; Esc stops"),
        ("↑ ↓", "scroll; so do PgUp, PgDn, Home and End"),
        (
            "q",
            "quits. The next `heisenbug learn` resumes where you were",
        ),
    ];
    let lines = keys.iter().map(|(key, what)| {
        let indent = " ".repeat(5);
        let text = match key {
            &"" => return format!("{}\n", wrap(what, width.min(80), "")),
            _ => wrap(what, width.min(80), &indent),
        };
        let pad = " ".repeat(5 - key.width());
        format!("{}{pad}{}", paint(Paint::Bold, key), &text[5..])
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The results of checking all, so far.
pub fn sweep(state: &State, sweep: &Sweep, width: usize) -> String {
    let exercises = &state.place.course.exercises;
    let proven = { sweep.results.iter() }
        .filter(|swept| **swept == Swept::Proven)
        .count();
    let all = exercises.len();
    let heading = match (sweep.results.len(), sweep.stopped) {
        (checked, true) => format!("Stopped: {proven} proven of {checked} checked, of {all}."),
        (checked, _) if checked < all => format!("Checked {checked} of {all}: {proven} proven."),
        _ => format!("Checked all {all}: {proven} proven."),
    };
    let mut lines = vec![paint(Paint::Bold, &heading), String::new()];
    for (exercise, swept) in exercises.iter().zip(&sweep.results) {
        lines.push(match swept {
            Swept::Proven => format!("{} {}: proven", paint(Paint::Good, "✓"), exercise.name),
            Swept::Not(why) => {
                let why = why.lines().next().unwrap_or_default();
                let line = cut(
                    &format!("{}: {why}", exercise.name),
                    width.saturating_sub(2),
                );
                format!("{} {line}", paint(Paint::Bad, "✗"))
            }
        });
    }
    lines.join("\n")
}

/// The learner's file and the solution.
pub fn solution(state: &State, solution: &Solution, width: usize) -> Vec<Line<'static>> {
    let file = state.exercise().file();
    match width >= SIDE_BY_SIDE {
        true => side_by_side(&file, &solution.rows, width),
        false => below(&file, &solution.rows, width),
    }
}

fn side_by_side(file: &str, rows: &[Row], width: usize) -> Vec<Line<'static>> {
    let column = (width - 3) / 2;
    let mut lines = vec![beside(
        file,
        "a solution",
        column,
        Style::new().add_modifier(Modifier::BOLD),
    )];
    for (yours, ours) in rows {
        let style = style_of(yours == ours);
        let pieces = |text: &Option<String>| match text {
            Some(text) => pieces(text, column),
            None => Vec::new(),
        };
        let (left, right) = (pieces(yours), pieces(ours));
        for nth in 0..left.len().max(right.len()).max(1) {
            let piece = |pieces: &[String]| pieces.get(nth).cloned().unwrap_or_default();
            lines.push(beside(&piece(&left), &piece(&right), column, style));
        }
    }
    lines
}

fn beside(left: &str, right: &str, column: usize, style: Style) -> Line<'static> {
    let pad = " ".repeat(column.saturating_sub(left.width()));
    Line::styled(format!("{left}{pad} │ {right}"), style)
}

/// Lines that both share are plain, lines that differ stand out.
fn style_of(same: bool) -> Style {
    match same {
        true => Style::new(),
        false => Style::new()
            .fg(ratatui::style::Color::Yellow)
            .add_modifier(Modifier::BOLD),
    }
}

fn below(file: &str, rows: &[Row], width: usize) -> Vec<Line<'static>> {
    let mut lines = fit(&paint(Paint::Bold, "A solution"), width);
    lines.extend(one(rows, width, |(_, ours)| ours.as_ref()));
    lines.push(Line::default());
    lines.extend(fit(&paint(Paint::Bold, &format!("Yours: {file}")), width));
    lines.extend(one(rows, width, |(yours, _)| yours.as_ref()));
    lines
}

fn one(rows: &[Row], width: usize, side: fn(&Row) -> Option<&String>) -> Vec<Line<'static>> {
    let lines = rows.iter().filter_map(|row| {
        let style = style_of(row.0 == row.1);
        let pieces = pieces(side(row)?, width).into_iter();
        Some(pieces.map(move |piece| Line::styled(piece, style)))
    });
    lines.flatten().collect()
}

/// The listed exercises, scrolled so that the chosen one is visible.
pub fn list(state: &mut State, area: Rect) -> Vec<Line<'static>> {
    let width = usize::from(area.width);
    let View::List(list) = &state.view else {
        return Vec::new();
    };
    let (mut list, shown) = (list.clone(), state.listed(list));
    let filters = Filter::EACH.map(|(filter, name)| match filter == list.filter {
        true => paint(Paint::Bold, &format!("[{name}]")),
        false => format!(" {name} "),
    });
    let search = match (list.typing, list.search.as_str()) {
        (true, search) => format!("/{search}▏"),
        (false, "") => String::new(),
        (false, search) => format!("/{search}"),
    };
    let mut lines = fit(&format!("{}  {search}", filters.join(" ")), width);
    lines.truncate(1);
    let page = usize::from(area.height).saturating_sub(lines.len() + 1);
    let chosen = shown.iter().position(|&nth| nth == list.chosen);
    list.scroll.fit(shown.len(), page);
    if let Some(chosen) = chosen {
        let top = list.scroll.top;
        list.scroll.top = top.min(chosen).max((chosen + 1).saturating_sub(page));
    }
    if shown.is_empty() {
        lines.extend(fit("  none", width));
    }
    let exercises = &state.place.course.exercises;
    let names = exercises.iter().map(|exercise| exercise.name.width());
    let column = names.max().unwrap_or_default().min(width / 2);
    for &nth in shown.iter().skip(list.scroll.top).take(page) {
        let exercise = &exercises[nth];
        let mark = match () {
            () if state.is_done(nth) => "✓",
            () if nth == state.current => "▶",
            () => " ",
        };
        let cursor = if Some(nth) == chosen.map(|_| list.chosen) {
            ">"
        } else {
            " "
        };
        let name = cut(&exercise.name, column);
        let pad = " ".repeat(column - name.width());
        let row = cut(
            &format!("{cursor} {mark} {name}{pad}  {}", exercise.title),
            width,
        );
        let style = match cursor {
            ">" => Style::new().add_modifier(Modifier::REVERSED),
            _ => Style::new(),
        };
        lines.push(Line::styled(row, style));
    }
    state.view = View::List(list);
    lines
}
