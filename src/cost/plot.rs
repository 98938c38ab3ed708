//! Plots of the figures.
//!
//! One dot per program, one panel per point of the sweep. Lines over the number of threads would cross
//! and cover each other if there are more than a few, and would suggest a curve where there are four
//! points; rows of dots can be read by name.

use super::report::Report;
use super::summary::Cell;
use super::table;
use super::task::{FAMILIES, Point, Sweep, family_name};
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Sizes, in pixels.
const MARGIN: i32 = 20;
const ROW: i32 = 20;
const PANEL: i32 = 210;
/// The width of the figures, at the right of each panel.
const FIGURES: i32 = 46;
const GAP: i32 = 18;
const HEAD: i32 = 84;
const PANEL_HEAD: i32 = 26;
const AXIS: i32 = 30;
const FOOT: i32 = 46;
/// The width of a letter, on average, as a share of its height.
const LETTER: f64 = 0.56;

const INK: RGBColor = RGBColor(34, 34, 34);
const FAINT: RGBColor = RGBColor(225, 225, 225);
const GREY: RGBColor = RGBColor(110, 110, 110);

/// Colours that colour-blind people can distinguish as well (Okabe and Ito).
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 86, 86),
];

/// A sweep of a group as an SVG. `None` if nothing of it was measured.
///
/// # Errors
///
/// If it cannot be drawn.
pub fn sweep(report: &Report, group: &str, sweep: Sweep) -> Result<Option<String>> {
    let cells = report.sweep(group, sweep);
    match Chart::of(&cells) {
        Some(chart) => Ok(Some(chart.draw(report, group, sweep)?)),
        None => Ok(None),
    }
}

/// The chart: rows by name, panels by point.
struct Chart<'a> {
    cells: &'a [&'a Cell],
    names: Vec<&'a str>,
    kinds: Vec<&'static str>,
    points: Vec<Point>,
    columns: usize,
    /// The ends of the axis, in nanoseconds.
    range: (f64, f64),
    /// The width of the names.
    left: i32,
}

/// What the colour of a dot means.
fn kind(cell: &Cell) -> &'static str {
    match cell.waiting {
        _ if cell.is_baseline && cell.waiting.is_some() => "baseline",
        Some(waiting) => waiting,
        None => cell.origin,
    }
}

impl<'a> Chart<'a> {
    fn of(cells: &'a [&'a Cell]) -> Option<Chart<'a>> {
        let all = cells.iter().filter_map(|cell| cell.nanos);
        let least = all
            .clone()
            .map(|spread| spread.min)
            .fold(f64::INFINITY, f64::min);
        let most = all.map(|spread| spread.max).fold(0.0, f64::max);
        if most == 0.0 {
            return None;
        }
        let (mut names, mut kinds, mut points) = (Vec::new(), Vec::new(), Vec::new());
        for cell in cells {
            add(&mut names, cell.name.as_str());
            add(&mut kinds, kind(cell));
            add(&mut points, cell.point);
        }
        let letters = names.iter().map(|name| name.chars().count()).max()?;
        Some(Chart {
            cells,
            names,
            kinds,
            columns: if points.len() == 9 {
                3
            } else {
                points.len().min(5)
            },
            points,
            range: (least / 1.6, most * 1.6),
            left: MARGIN + (letters as f64 * 13.0 * LETTER) as i32 + 12,
        })
    }

    fn panel_height(&self) -> i32 {
        PANEL_HEAD + ROW * self.names.len() as i32 + AXIS
    }

    fn size(&self) -> (u32, u32) {
        let (columns, rows) = (
            self.columns as i32,
            self.points.len().div_ceil(self.columns) as i32,
        );
        let width = self.left + columns * (PANEL + FIGURES + GAP) + MARGIN;
        let height = HEAD + rows * self.panel_height() + FOOT;
        (width.max(860) as u32, height as u32)
    }

    fn draw(&self, report: &Report, group: &str, sweep: Sweep) -> Result<String> {
        let mut svg = String::new();
        let root = SVGBackend::with_string(&mut svg, self.size()).into_drawing_area();
        root.fill(&WHITE).map_err(cannot)?;
        self.head(&root, report, group, sweep)?;
        for (nth, point) in self.points.iter().enumerate() {
            let column = (nth % self.columns) as i32;
            let top = HEAD + (nth / self.columns) as i32 * self.panel_height();
            let left = self.left + column * (PANEL + FIGURES + GAP);
            if column == 0 {
                self.row_names(&root, top)?;
            }
            write(
                &root,
                &panel_title(*point),
                (left, top + 4),
                14,
                INK,
                HPos::Left,
            )?;
            self.panel(&root, *point, (left, top + PANEL_HEAD))?;
            self.figures(&root, *point, (left + PANEL + FIGURES, top))?;
        }
        self.foot(&root, report)?;
        root.present().map_err(cannot)?;
        drop(root);
        Ok(svg)
    }

    /// The title, with the legend below it.
    fn head(&self, root: &Area, report: &Report, group: &str, sweep: Sweep) -> Result<()> {
        let family = { FAMILIES.into_iter() }.find(|&family| family_name(family) == group);
        let name: &str = family.map_or(group, |family| table::title(family));
        let title = format!("{name}: {}", what(sweep));
        write(root, &title, (MARGIN, 12), 20, INK, HPos::Left)?;
        let about = format!("{}, {}", report.machine.name(), report.machine.day());
        write(root, &about, (MARGIN, 38), 13, GREY, HPos::Left)?;
        let mut x = MARGIN + 6;
        let y = 66;
        for kind in &self.kinds {
            root.draw(&Circle::new((x, y), 5, self.colour(kind).filled()))
                .map_err(cannot)?;
            x = label(root, kind, x + 10, y)?;
        }
        let whisker = PathElement::new([(x, y), (x + 24, y)], GREY.stroke_width(2));
        root.draw(&whisker).map_err(cannot)?;
        root.draw(&Circle::new((x + 12, y), 5, GREY.filled()))
            .map_err(cannot)?;
        x = label(root, "median and range over processes", x + 30, y)?;
        if self.cells.iter().any(|cell| cell.nanos_short.is_some()) {
            root.draw(&Circle::new((x, y), 5, GREY.stroke_width(2)))
                .map_err(cannot)?;
            label(root, "measured for a fifth of the time", x + 10, y)?;
        }
        Ok(())
    }

    fn row_names(&self, root: &Area, top: i32) -> Result<()> {
        for (row, name) in self.names.iter().enumerate() {
            let y = top + PANEL_HEAD + ROW * row as i32 + ROW / 2;
            let style = TextStyle::from(("sans-serif", 13).into_font())
                .color(&INK)
                .pos(Pos::new(HPos::Right, VPos::Center));
            root.draw(&Text::new((*name).to_owned(), (self.left - 8, y), style))
                .map_err(cannot)?;
        }
        Ok(())
    }

    /// One point of the sweep: an axis, and a row for each name.
    fn panel(&self, root: &Area, point: Point, (left, top): (i32, i32)) -> Result<()> {
        let rows = self.names.len();
        let height = ROW * rows as i32;
        let area = root
            .clone()
            .shrink((left, top), (PANEL as u32, (height + AXIS) as u32));
        let mut chart = ChartBuilder::on(&area)
            .x_label_area_size(AXIS)
            .build_cartesian_2d((self.range.0..self.range.1).log_scale(), rows as f64..0.0)
            .map_err(cannot)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .bold_line_style(FAINT)
            .light_line_style(WHITE)
            .axis_style(GREY)
            .x_labels(4)
            .x_label_formatter(&|nanos| tick(*nanos))
            .label_style(("sans-serif", 12).into_font().color(&GREY))
            .draw()
            .map_err(cannot)?;
        for (row, name) in self.names.iter().enumerate() {
            let y = row as f64 + 0.5;
            let row = PathElement::new([(self.range.0, y), (self.range.1, y)], FAINT);
            chart.draw_series([row]).map_err(cannot)?;
            let mut here = self.cells.iter();
            let Some(cell) = here.find(|cell| cell.name == *name && cell.point == point) else {
                continue;
            };
            let Some(spread) = cell.nanos else { continue };
            let colour = self.colour(kind(cell));
            if let Some(short) = cell.nanos_short {
                let hollow = Circle::new((short.median, y), 5, colour.stroke_width(1));
                chart.draw_series([hollow]).map_err(cannot)?;
            }
            let whisker = [(spread.min, y), (spread.max, y)];
            let whisker = PathElement::new(whisker, colour.stroke_width(2));
            chart.draw_series([whisker]).map_err(cannot)?;
            let dot = Circle::new((spread.median, y), 5, colour.filled());
            chart.draw_series([dot]).map_err(cannot)?;
        }
        Ok(())
    }

    /// The exact medians, as numbers.
    fn figures(&self, root: &Area, point: Point, (right, top): (i32, i32)) -> Result<()> {
        write(root, "ns", (right, top + 5), 12, GREY, HPos::Right)?;
        for cell in self.cells.iter().filter(|cell| cell.point == point) {
            let row = self.names.iter().position(|name| *name == cell.name);
            if let (Some(row), Some(spread)) = (row, cell.nanos) {
                let at = (right, top + PANEL_HEAD + ROW * row as i32 + 4);
                write(root, &table::nanos(spread.median), at, 12, INK, HPos::Right)?;
            }
        }
        Ok(())
    }

    /// The meaning of the axis, and warnings.
    fn foot(&self, root: &Area, report: &Report) -> Result<()> {
        let (_, height) = self.size();
        let y = height as i32 - FOOT + 4;
        let axis = "time per operation of all threads together, logarithmic: left is better";
        write(root, axis, (self.left, y), 13, INK, HPos::Left)?;
        let mut beware = format!(
            "{} processes, {} of them noisy",
            report.processes.len(),
            report.noisy
        );
        if report.machine.debug_build {
            beware.push_str(". Debug build: do not quote these figures");
        }
        write(root, &beware, (self.left, y + 18), 12, GREY, HPos::Left)
    }

    fn colour(&self, kind: &str) -> RGBColor {
        match kind {
            "baseline" | "buggy" => COLOURS[4],
            kind => {
                let others = self
                    .kinds
                    .iter()
                    .filter(|kind| !["baseline", "buggy"].contains(kind));
                let place = { others }.position(|other| *other == kind).unwrap_or(0);
                COLOURS[place % 4]
            }
        }
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn add<T: PartialEq>(list: &mut Vec<T>, one: T) {
    if !list.contains(&one) {
        list.push(one);
    }
}

fn write(root: &Area, text: &str, at: (i32, i32), size: i32, ink: RGBColor, h: HPos) -> Result<()> {
    let style = TextStyle::from(("sans-serif", size).into_font())
        .color(&ink)
        .pos(Pos::new(h, VPos::Top));
    root.draw(&Text::new(text.to_owned(), at, style))
        .map_err(cannot)
}

/// A piece of the legend. Returns where the next one may begin.
fn label(root: &Area, text: &str, x: i32, y: i32) -> Result<i32> {
    let style = TextStyle::from(("sans-serif", 13).into_font())
        .color(&INK)
        .pos(Pos::new(HPos::Left, VPos::Center));
    root.draw(&Text::new(text.to_owned(), (x, y), style))
        .map_err(cannot)?;
    Ok(x + (text.chars().count() as f64 * 13.0 * LETTER) as i32 + 24)
}

fn what(sweep: Sweep) -> &'static str {
    match sweep {
        Sweep::Threads => "time per operation, by threads",
        Sweep::Work => "time per operation with 2 threads, by work inside and outside the lock",
        Sweep::Reads => "time per operation with 2 threads, by share of reads",
    }
}

fn panel_title(point: Point) -> String {
    match point.sweep {
        Sweep::Threads if point.threads == 1 => "1 thread".to_owned(),
        Sweep::Threads => format!("{} threads", point.threads),
        Sweep::Work => format!("{} steps inside, {} outside", point.critical, point.think),
        Sweep::Reads => format!("{}% reads", point.reads),
    }
}

fn tick(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 1e3 => format!("{nanos} ns"),
        nanos if nanos < 1e6 => format!("{} µs", nanos / 1e3),
        nanos if nanos < 1e9 => format!("{} ms", nanos / 1e6),
        nanos => format!("{} s", nanos / 1e9),
    }
}

fn cannot(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn a_plot_names_everyone_the_machine_the_day_the_axis_and_its_unit() {
        let svg = super::sweep(&report(), "exclusive", Sweep::Threads)
            .unwrap()
            .unwrap();
        for label in [
            "Mutual exclusion",
            "Abacus, 2 cores, 2026-01-31",
            "floor",
            "good",
            "bad",
            "1 thread",
            "2 threads",
            "time per operation of all threads together, logarithmic",
            "100 ns",
            "baseline",
            "spins",
            "median and range",
            "a fifth of the time",
        ] {
            assert!(svg.contains(label), "{label}: {svg}");
        }
    }

    #[test]
    fn without_figures_there_is_nothing_to_draw() {
        let mut report = report();
        let none = super::sweep(&report, "exclusive", Sweep::Work).unwrap();
        assert_eq!(none, None);
        report.cells.iter_mut().for_each(|cell| cell.nanos = None);
        let none = super::sweep(&report, "exclusive", Sweep::Threads).unwrap();
        assert_eq!(none, None);
    }
}
