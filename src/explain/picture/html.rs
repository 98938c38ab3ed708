//! The report as a page, with HTML tables.

use super::{palette, title};
use crate::Report;
use crate::sentence::{self, Time};
use crate::style::Paint;
use crate::timeline::{self, Row, Shown};
use crate::xml::escaped;
use std::fmt::Write;

/// How to read the timeline.
const READING: &str =
    "One row per operation, one column per thread; ➜ is a value read, = a value written.";

/// The report as a page.
pub fn html(report: &Report) -> String {
    let report = &crate::readable(report);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}",
        escaped(&title(report)),
        style(),
        headline(report)
    );
    if crate::has_outcomes(report) {
        page.push_str(&outcomes(report));
    }
    if crate::has_counterexample(report) {
        page.push_str(&timeline(report));
        page.push_str(&paragraphs(&sentence::how(report), ""));
    }
    page.push_str(&paragraphs(&sentence::stamp(report, Time::LeftOut), "dim"));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn headline(report: &Report) -> String {
    let (verdict, more) = crate::verdict(report);
    let verdict = span(Paint::of_verdict(report.verdict), verdict);
    let head = format!(
        "<h1>{}{verdict}{}</h1>\n",
        escaped(&crate::name(report)),
        escaped(&more)
    );
    head + &paragraphs(&crate::message(report).unwrap_or_default(), "")
}

fn outcomes(report: &Report) -> String {
    let total = crate::total(report);
    let mut table = format!(
        "<table>\n<caption>Outcomes</caption>\n<thead><tr><th scope=\"col\">outcome</th><th scope=\"col\">grade</th>\
         <th scope=\"col\" class=\"number\">executions</th><th scope=\"col\" class=\"number\">of {}</th></tr></thead>\n<tbody>\n",
        crate::thousands(total)
    );
    for outcome in crate::outcomes::rows(report) {
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            escaped(&outcome.label),
            span(Paint::of_grade(outcome.grade), &outcome.grade.to_string()),
            crate::thousands(outcome.count),
            escaped(&crate::share(outcome.count, total))
        );
    }
    table + "</tbody>\n</table>\n"
}

/// The rows of the terminal's timeline, without any cuts.
fn timeline(report: &Report) -> String {
    let rows = timeline::rows(report, false);
    let Some(first) = rows.first() else {
        return String::new();
    };
    let actors = timeline::actors(report, &rows);
    let files = timeline::several_files(&rows);
    let source = if files { "source" } else { &first.file };
    let mut table = format!(
        "<div class=\"wide\" role=\"region\" aria-label=\"Timeline\" tabindex=\"0\">\n<table>\n\
         <caption>Timeline</caption>\n<thead><tr><th scope=\"col\" class=\"number\">line</th>\
         <th scope=\"col\">{}</th>",
        escaped(source)
    );
    for &actor in &actors {
        let class = palette::class(Paint::Actor(actor));
        let name = escaped(&report.actors[actor]);
        let _ = write!(table, "<th scope=\"col\" class=\"{class}\">{name}</th>");
    }
    table.push_str("</tr></thead>\n<tbody>\n");
    let across = actors.len() + 2;
    for shown in timeline::shown(rows, false) {
        table.push_str(&match shown {
            Shown::Row(row) => row_of(&row, &actors),
            Shown::File(file) => remark(across, &file),
            Shown::Aside(text) => remark(across, &format!("… {text} …")),
        });
    }
    table + "</tbody>\n</table>\n</div>\n" + &paragraphs(READING, "dim")
}

fn row_of(row: &Row, actors: &[usize]) -> String {
    let mut html = format!(
        "<tr><td class=\"number dim\">{}</td><td><code>{}</code></td>",
        timeline::number_of(row.line),
        escaped(&row.source)
    );
    for &actor in actors {
        if actor == row.actor {
            let cell = span(row.paint.unwrap_or(Paint::Actor(actor)), &row.cell);
            let _ = write!(html, "<td>{cell}</td>");
        } else {
            html.push_str("<td></td>");
        }
    }
    html + "</tr>\n"
}

/// A row without cells.
fn remark(across: usize, text: &str) -> String {
    let text = escaped(text);
    format!("<tr><td colspan=\"{across}\" class=\"dim\">{text}</td></tr>\n")
}

fn span(paint: Paint, text: &str) -> String {
    let class = palette::class(paint);
    format!("<span class=\"{class}\">{}</span>", escaped(text))
}

/// A paragraph for each line.
fn paragraphs(text: &str, class: &str) -> String {
    let class = match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    { text.lines() }
        .map(|line| format!("<p{class}>{}</p>\n", escaped(line)))
        .collect()
}

/// For printing, the page is always light.
fn style() -> String {
    let (ground, ink, rule) = (
        palette::colour("ground"),
        palette::colour("ink"),
        palette::colour("rule"),
    );
    let (light, dark) = palette::rules("color");
    format!(
        "body{{margin:2rem 1rem;font:1rem/1.5 system-ui,sans-serif;color:{};background:{}}}\n\
         main{{max-width:72rem;margin:auto}}\n\
         h1{{font-size:1.25rem;margin:0}}p{{margin:.25rem 0}}\n\
         table{{border-collapse:collapse;margin:1rem 0}}caption{{text-align:left;font-weight:bold;padding-bottom:.25rem}}\n\
         th,td,code{{font:.875rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}}\n\
         th,td{{text-align:left;vertical-align:top;padding:.125rem 1.25rem .125rem 0;border-bottom:1px solid {}}}\n\
         thead th{{font-weight:bold}}code{{display:block;min-width:12rem;white-space:pre-wrap}}td span{{white-space:nowrap}}.number{{text-align:right}}.wide{{overflow-x:auto}}\n\
         {light}\n\
         @media screen{{:root{{color-scheme:light dark}}}}\n\
         @media screen and (prefers-color-scheme:dark){{body{{color:{};background:{}}}th,td{{border-color:{}}}{dark}}}\n\
         @media print{{body{{margin:0}}.wide{{overflow:visible}}td span{{white-space:normal}}tr{{break-inside:avoid}}}}\n",
        ink.0, ground.0, rule.0, ink.1, ground.1, rule.1
    )
}
