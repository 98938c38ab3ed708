//! The timeline: one row per operation, one column per actor.
//!
//! Each row has the source line, so the program can be read in the order in which it ran. If there is
//! no room for the source beside the columns, it follows below them, each line once.

use super::cells::{are_one, cell, in_one};
use super::folding::{Kept, Line, repeats, shorten};
use super::layout;
use super::report::Report;
use super::style::{Paint, paint};
use super::visible::visible;
use heisenbug_catalogue::Class;
use heisenbug_trace::{Blocked, Event, Op, source};

/// The least room for source text beside the columns.
const MIN_SOURCE: usize = 28;

/// The widest column of an actor before its cells wrap.
const MAX_CELL: usize = 26;

#[derive(PartialEq)]
pub struct Row {
    pub file: String,
    pub line: u32,
    pub source: String,
    /// Where the operation begins in it, in characters.
    column: usize,
    /// The part of it that fits.
    excerpt: String,
    pub actor: usize,
    pub cell: String,
    pub paint: Option<Paint>,
}

/// An entry of the timeline, from top to bottom.
pub enum Shown {
    /// The file of the rows below, if there are several files.
    File(String),
    /// An operation.
    Row(Row),
    /// A remark on rows that are not shown.
    Aside(String),
}

impl Line for Row {
    fn actor(&self) -> usize {
        self.actor
    }

    fn place(&self) -> (&str, u32, usize) {
        (&self.file, self.line, self.column)
    }

    fn is_decisive(&self) -> bool {
        self.paint.is_some()
    }
}

/// The counterexample as a table, with a row for each operation if it is to be `full`.
pub fn render(report: &Report, width: usize, full: bool) -> String {
    let rows = rows(report, full);
    if rows.is_empty() {
        return String::new();
    }
    let actors = actors(report, &rows);
    let (mut rows, columns) = match Columns::fit(report, &rows, &actors, width) {
        columns if actors.len() > 2 && columns.break_words(&rows) => {
            Columns::turned(report, rows, &actors, width)
        }
        columns => (rows, columns),
    };
    take_excerpts(&mut rows, columns.source);
    let mut lines = Vec::new();
    let files = several_files(&rows);
    lines.push(columns.heading(report, if files { "source" } else { &rows[0].file }));
    // If there is no room for source lines beside the columns, they follow below.
    let legend = match columns.source {
        0 => legend(&rows, width),
        _ => Vec::new(),
    };
    for shown in shown(rows, full) {
        match shown {
            Shown::File(file) => lines.push(paint(Paint::Dim, &format!("  {file}"))),
            Shown::Row(row) => lines.extend(columns.row(&row)),
            Shown::Aside(text) => lines.push(aside(&text)),
        }
    }
    lines.extend(legend);
    lines.join("\n")
}

/// Cuts the source lines to the column. If possible, different lines still differ after that.
fn take_excerpts(rows: &mut [Row], width: usize) {
    for row in rows.iter_mut() {
        row.excerpt = layout::excerpt(&row.source, row.column, width);
    }
    let alike = |row: &Row, other: &Row| {
        let is_cut = row.excerpt != row.source;
        is_cut
            && row.excerpt == other.excerpt
            && (&row.source, row.column) != (&other.source, other.column)
    };
    let twins: Vec<usize> = (0..rows.len())
        .filter(|&nth| rows.iter().any(|other| alike(&rows[nth], other)))
        .collect();
    for nth in twins {
        rows[nth].excerpt = layout::excerpt_from(&rows[nth].source, rows[nth].column, width);
    }
}

/// The actors that have a column: those without a row have none.
pub fn actors(report: &Report, rows: &[Row]) -> Vec<usize> {
    (0..report.actors.len())
        .filter(|&actor| rows.iter().any(|row| row.actor == actor))
        .collect()
}

/// The rows that are shown, with the names of their files if these differ, and remarks on the others.
/// All rows, if it is to be `full`.
pub fn shown(rows: Vec<Row>, full: bool) -> Vec<Shown> {
    let files = several_files(&rows);
    let kept = match full {
        true => repeats(rows),
        false => shorten(rows),
    };
    let mut all = Vec::new();
    let mut file = String::new();
    for kept in kept {
        match kept {
            Kept::Row(row) => {
                if files && file != row.file {
                    file.clone_from(&row.file);
                    all.push(Shown::File(row.file.clone()));
                }
                all.push(Shown::Row(row));
            }
            Kept::Aside(text) => all.push(Shown::Aside(text)),
        }
    }
    all
}

/// A remark on rows that are not shown.
fn aside(text: &str) -> String {
    paint(Paint::Dim, &format!("{:LINE$}… {text} …", ""))
}

pub fn several_files(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.file != rows[0].file)
}

/// Which operations are shown: those that explain the failure, and those that are stuck at the end. Unless it
/// is to be `full`, a lock and its unlock in the same line share a row.
pub fn rows(report: &Report, full: bool) -> Vec<Row> {
    // The waiting threads, and what each waits on.
    let mut waiting: Vec<(&str, Option<&str>)> = Vec::new();
    let mut rows = Vec::new();
    let mut events = report.counterexample.iter().peekable();
    while let Some(event) = events.next() {
        let on_this = { waiting.iter() }.filter(|(_, object)| *object == event.object.as_deref());
        let on_this: Vec<&str> = on_this.map(|(actor, _)| *actor).collect();
        let text = match events.next_if(|next| !full && are_one(event, next)) {
            Some(frees) => in_one(event, frees),
            None => cell(event, &on_this),
        };
        if matches!(event.op, Op::Wait | Op::Sleep) {
            waiting.push((&event.actor, event.object.as_deref()));
        } else if event.op.is_wakeup() {
            waiting.retain(|(actor, _)| *actor != event.actor);
        }
        if is_shown(event, report.class) {
            rows.push(Row {
                file: event.file.clone(),
                line: event.line,
                source: source_of(event),
                column: column(&event.file, event.line, event.column),
                excerpt: String::new(),
                actor: number(report, &event.actor),
                cell: text,
                paint: is_notable(event).then_some(Paint::Notice),
            });
        }
    }
    for blocked in &report.blocked {
        rows.push(Row {
            file: blocked.file.clone(),
            line: blocked.line,
            source: code(&blocked.file, blocked.line),
            column: column(&blocked.file, blocked.line, blocked.column),
            excerpt: String::new(),
            actor: number(report, &blocked.actor),
            cell: stuck(blocked),
            paint: Some(Paint::Bad),
        });
    }
    rows.extend(last_access(report));
    stay_in_the_program(&mut rows);
    rows
}

/// What an actor does that cannot go on.
pub fn stuck(blocked: &Blocked) -> String {
    match &blocked.object {
        Some(object) => format!("stuck on {object}"),
        None => format!("stuck in {}", blocked.call),
    }
}

/// Operations in std or a dependency are shown in the file of the row before.
fn stay_in_the_program(rows: &mut [Row]) {
    let first = rows.iter().find(|row| row.line > 0);
    let mut file = first.map(|row| row.file.clone()).unwrap_or_default();
    for row in rows {
        match row.line {
            0 => row.file.clone_from(&file),
            _ => file.clone_from(&row.file),
        }
    }
}

/// Whether a row stands out: a stale read, a panic, a fault.
fn is_notable(event: &Event) -> bool {
    event.newest.is_some() || event.op == Op::Panic || event.op.is_fault()
}

/// The line of an operation. What happens to a machine or to a message is in no line.
fn source_of(event: &Event) -> String {
    match event.op {
        Op::Crash | Op::Restart | Op::Stop | Op::Lose | Op::Return if event.line == 0 => {
            String::new()
        }
        _ => code(&event.file, event.line),
    }
}

/// A line of the program's source.
fn code(file: &str, line: u32) -> String {
    if line == 0 {
        return "(in std or a dependency)".to_owned();
    }
    let line = source::line(file, line).unwrap_or_default();
    visible(&line).into_owned()
}

/// The position of a call in the line as shown, which is without indentation.
fn column(file: &str, line: u32, column: u32) -> usize {
    let text = source::text(file);
    let raw =
        { text.as_deref() }.and_then(|text| text.lines().nth((line as usize).checked_sub(1)?));
    let indent = raw.map_or(0, |raw| {
        raw.chars().take_while(|c| c.is_whitespace()).count()
    });
    (column as usize).saturating_sub(1 + indent)
}

/// The access that the execution ended with, if it is not an operation because it never took place.
pub fn last_access(report: &Report) -> Option<Row> {
    let second = &report.clash.as_ref()?.second;
    if report
        .counterexample
        .iter()
        .any(|event| second.is_of(event))
    {
        return None;
    }
    let cell = match report.class {
        Some(Class::UseAfterFree) => "uses it, freed",
        _ => "races",
    };
    Some(Row {
        file: second.file.clone(),
        line: second.line,
        source: code(&second.file, second.line),
        column: column(&second.file, second.line, second.column),
        excerpt: String::new(),
        actor: number(report, &second.actor),
        cell: cell.to_owned(),
        paint: Some(Paint::Bad),
    })
}

/// Whether an operation has a row.
pub fn is_shown(event: &Event, class: Option<Class>) -> bool {
    match event.op {
        Op::ArcNew => class == Some(Class::Leak),
        // The columns show which actors exist.
        Op::Spawn | Op::Join => false,
        // The row before it is the access itself.
        Op::Panic => class != Some(Class::DataRace) && class != Some(Class::Deadlock),
        _ => true,
    }
}

fn number(report: &Report, actor: &str) -> usize {
    report
        .actors
        .iter()
        .position(|other| other == actor)
        .unwrap_or(0)
}

/// The widths of the columns.
struct Columns {
    /// The width of the source text, or 0 if it goes below.
    source: usize,
    /// The number and the width of each actor that has a column. Empty if all share one.
    actors: Vec<(usize, usize)>,
    /// The width of the column that all share.
    shared: usize,
}

impl Columns {
    /// The widths that make best use of the room.
    fn fit(report: &Report, rows: &[Row], actors: &[usize], width: usize) -> Columns {
        let source = rows
            .iter()
            .map(|row| layout::width(&row.source))
            .max()
            .unwrap_or(0);
        for cap in [MAX_CELL, 20, 16, 13, 11] {
            let actors: Vec<(usize, usize)> = actors
                .iter()
                .map(|&actor| (actor, natural(report, rows, actor).min(cap)))
                .collect();
            let taken: usize = LINE + actors.iter().map(|(_, width)| width + GAP).sum::<usize>();
            let room = width.saturating_sub(taken);
            if room >= source.min(MIN_SOURCE) {
                return Columns {
                    source: source.min(room),
                    actors,
                    shared: 0,
                };
            }
        }
        let each = width.saturating_sub(LINE) / actors.len().max(1);
        let each = each.saturating_sub(GAP).max(6);
        let widths = actors
            .iter()
            .map(|&actor| (actor, natural(report, rows, actor).min(each)));
        Columns {
            source: 0,
            actors: widths.collect(),
            shared: 0,
        }
    }

    /// Whether a cell has to be broken into several lines.
    fn break_words(&self, rows: &[Row]) -> bool {
        let width_of = |actor| self.actors.iter().find(|(known, _)| *known == actor);
        self.source == 0
            || rows.iter().any(|row| {
                width_of(row.actor).is_some_and(|(_, width)| layout::width(&row.cell) > *width)
            })
    }

    /// One column for all actors, if there is no room for one each: every row names its actor, and each
    /// actor is indented further.
    fn turned(
        report: &Report,
        mut rows: Vec<Row>,
        actors: &[usize],
        width: usize,
    ) -> (Vec<Row>, Columns) {
        for row in &mut rows {
            let nth = actors
                .iter()
                .position(|&actor| actor == row.actor)
                .unwrap_or(0);
            let indent = " ".repeat(INDENT * nth);
            row.cell = format!("{indent}{}: {}", report.actors[row.actor], row.cell);
        }
        let widest = |of: fn(&Row) -> &String| rows.iter().map(|row| layout::width(of(row))).max();
        let (cell, source) = (widest(|row| &row.cell), widest(|row| &row.source));
        let room = width.saturating_sub(LINE + GAP);
        let shared = cell
            .unwrap_or(0)
            .min(room.saturating_sub(MIN_SOURCE).max(room / 2));
        let columns = Columns {
            source: source.unwrap_or(0).min(room - shared),
            actors: Vec::new(),
            shared,
        };
        (rows, columns)
    }

    fn heading(&self, report: &Report, title: &str) -> String {
        let mut line = layout::pad("  line", LINE);
        if self.source > 0 {
            let short = title.rsplit('/').next().unwrap_or(title);
            let title = if layout::width(title) <= self.source {
                title
            } else {
                short
            };
            line.push_str(&layout::pad(&layout::cut(title, self.source), self.source));
        }
        if self.shared > 0 {
            line.push_str("  who, and what");
        }
        let mut line = paint(Paint::Dim, &line);
        for &(actor, width) in &self.actors {
            let name = layout::cut(&report.actors[actor], width);
            line.push_str(&" ".repeat(GAP));
            line.push_str(&layout::pad(&paint(Paint::Actor(actor), &name), width));
        }
        line.trim_end().to_owned()
    }

    /// The row, in as many lines as its cell needs.
    fn row(&self, row: &Row) -> Vec<String> {
        let width = self
            .actors
            .iter()
            .find(|(actor, _)| *actor == row.actor)
            .map_or(self.shared.max(8), |a| a.1);
        let cell = layout::lines(&row.cell, width);
        let columns = match self.shared {
            0 => self.actors.clone(),
            shared => vec![(row.actor, shared)],
        };
        let mut lines = Vec::new();
        for (nth, part) in cell.iter().enumerate() {
            let number = match nth {
                0 => number_of(row.line),
                _ => String::new(),
            };
            let number = layout::pad(&layout::pad_left(&number, LINE - 2), LINE);
            let mut line = paint(Paint::Dim, &number);
            if self.source > 0 {
                let text = if nth == 0 {
                    row.excerpt.clone()
                } else {
                    String::new()
                };
                line.push_str(&layout::pad(&text, self.source));
            }
            for &(actor, width) in &columns {
                line.push_str(&" ".repeat(GAP));
                let text = if actor == row.actor {
                    part.as_str()
                } else {
                    ""
                };
                let paint_as = row.paint.unwrap_or(Paint::Actor(actor));
                line.push_str(&layout::pad(&paint(paint_as, text), width));
            }
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

/// The number of a line of the program.
pub fn number_of(line: u32) -> String {
    match line {
        0 => String::new(),
        line => line.to_string(),
    }
}

/// The width of the line number, and of the gaps between columns.
const LINE: usize = 8;
const GAP: usize = 2;

/// How much further each actor is indented, if all share a column.
const INDENT: usize = 2;

/// The width of an actor's column if there is enough room.
fn natural(report: &Report, rows: &[Row], actor: usize) -> usize {
    let cells = rows
        .iter()
        .filter(|row| row.actor == actor)
        .map(|row| layout::width(&row.cell));
    cells
        .max()
        .unwrap_or(0)
        .max(layout::width(&report.actors[actor]))
        .min(MAX_CELL)
}

/// The source lines of the rows, each once, in the order of the file.
fn legend(rows: &[Row], width: usize) -> Vec<String> {
    let mut seen: Vec<(&str, u32, &str)> = rows
        .iter()
        .map(|row| (row.file.as_str(), row.line, row.source.as_str()))
        .collect();
    seen.sort();
    seen.dedup();
    let mut lines = vec![paint(Paint::Dim, "  source")];
    for (_, line, source) in seen {
        let number = layout::pad(&layout::pad_left(&number_of(line), LINE - 2), LINE);
        let text = layout::cut(source, width.saturating_sub(LINE));
        lines.push(format!("{}{text}", paint(Paint::Dim, &number)));
    }
    lines
}
