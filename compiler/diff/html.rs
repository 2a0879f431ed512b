//! The report as one page: loads nothing, works offline and without its script, on a telephone and on paper.
//!
//! The script only filters by server and risk. Old and new stand below or beside each other by a switch that needs no
//! script. This file must not know how anything was compared.

use std::fmt::Write as _;

use super::fact::{Fact, FactKind};
use super::group::mark;
use super::model::{Group, Report};
use super::risk::Risk;
use super::wording;
use crate::formats::html::html_text;

const STYLE: &str = include_str!("page.css");
/// Names in a row of the head above which it starts folded; the fold needs no script.
const FOLDED: usize = 6;
const SCRIPT: &str = include_str!("page.js");

/// Renders the page, complete.
pub fn render(report: &Report) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut page, report);
    page
}

fn write_page(page: &mut String, report: &Report) -> std::fmt::Result {
    let title = format!("{} → {}", escape(&report.old), escape(&report.new));
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )?;
    for line in wording::editions(report) {
        writeln!(page, "<p>{}</p>", escape(&line))?;
    }
    match report.worst() {
        Some(worst) => writeln!(
            page,
            "<p><strong>{} distinct changes</strong>, worst risk <span class=\"risk {worst}\">{worst}</span></p>",
            report.groups.len(),
            worst = worst.word()
        )?,
        None if report.differs() => {}
        None => writeln!(page, "<p><strong>No differences.</strong></p>")?,
    }
    writeln!(page, "<table class=\"head\">")?;
    for row in wording::head(report) {
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            row.count,
            row.label,
            if row.names.len() > FOLDED {
                format!(
                    "<details><summary>show the names</summary>{}</details>",
                    codes(&row.names)
                )
            } else {
                codes(&row.names)
            }
        )?;
    }
    writeln!(
        page,
        "</table>\n<p class=\"soft\">{}</p>",
        escape(&wording::coverage(report))
    )?;
    for (title, lines) in wording::notes(report) {
        writeln!(page, "<h2>{title}</h2>\n<ul>")?;
        for line in lines {
            writeln!(page, "<li>{}</li>", escape(&line))?;
        }
        writeln!(page, "</ul>")?;
    }
    if !report.groups.is_empty() {
        writeln!(page, "<h2>Changes</h2>")?;
        write_filter(page, report)?;
        writeln!(
            page,
            "<input type=\"checkbox\" id=\"beside\"/><label for=\"beside\">old and new side by side</label>\n<main>"
        )?;
        for (number, group) in (1..).zip(&report.groups) {
            write_group(page, report, number, group)?;
        }
        writeln!(page, "</main>\n<script>\n{SCRIPT}</script>")?;
    }
    writeln!(page, "</body>\n</html>")
}

fn write_filter(page: &mut String, report: &Report) -> std::fmt::Result {
    write!(
        page,
        "<form class=\"filter\" id=\"filter\" hidden=\"\">\n\
         <label>server <input type=\"search\" id=\"server\" placeholder=\"part of a name\"/></label>\n"
    )?;
    for risk in Risk::ALL {
        let count = report.groups.iter().filter(|group| group.risk == risk).count();
        if count > 0 {
            writeln!(
                page,
                "<label><input type=\"checkbox\" value=\"{word}\" checked=\"\"/> <span class=\"{word}\">{word} ({count})</span></label>",
                word = risk.word()
            )?;
        }
    }
    writeln!(page, "<span id=\"shown\" class=\"soft\"></span>\n</form>")
}

fn write_group(page: &mut String, report: &Report, number: usize, group: &Group) -> std::fmt::Result {
    let servers: Vec<String> = group
        .places
        .iter()
        .map(|place| escape(&place.to_string()))
        .collect();
    writeln!(
        page,
        "<article id=\"change-{number}\" data-risk=\"{risk}\" data-servers=\"{}\">\n<header>\n\
         <h3>{number}. {} {} <span class=\"risk {risk}\">{risk}</span></h3>\n<dl>",
        servers.join("\t"),
        codes(&group.artifacts),
        group.change.word(),
        risk = group.risk.word(),
    )?;
    let rows = [
        ("why this risk", escape(&group.reason)),
        ("what", escape(&wording::list(&group.titles, ""))),
        ("changes", codes(&group.targets)),
        ("on", escape(&wording::places(report, group))),
        ("restarts", escape(&wording::list(&group.restarts, "nothing"))),
        ("undo", escape(&wording::list(&group.undo, "nothing"))),
        (
            "requirements",
            escape(&wording::list(&group.requirements, "none")),
        ),
    ];
    for (name, value) in rows {
        writeln!(page, "<dt>{name}</dt><dd>{value}</dd>")?;
    }
    writeln!(page, "</dl>")?;
    if group.by_lines {
        writeln!(
            page,
            "<p>Compared by lines, because one side does not read in its format.</p>"
        )?;
    }
    for line in wording::others(report, group, None) {
        writeln!(page, "<p>{}</p>", escape(&line))?;
    }
    writeln!(page, "</header>")?;
    for fact in &group.facts {
        write_fact(page, fact)?;
    }
    writeln!(page, "</article>")
}

fn write_fact(page: &mut String, fact: &Fact) -> std::fmt::Result {
    let what = match fact.kind {
        FactKind::Changed => "changed",
        FactKind::Added => "added",
        FactKind::Removed => "removed",
        FactKind::Moved => "now in another place",
        FactKind::Renamed => "the block has another name",
    };
    write!(
        page,
        "<div class=\"fact\"><code class=\"path\">{} {}</code> <span class=\"soft\">{what}</span><div class=\"sides\">",
        mark(fact.kind),
        escape(&fact.path.to_string())
    )?;
    if fact.kind == FactKind::Moved {
        write!(
            page,
            "<pre class=\"moved\">{}</pre>",
            escape(fact.new.as_deref().unwrap_or_default())
        )?;
    } else {
        for (class, value) in [("old", &fact.old), ("new", &fact.new)] {
            match value {
                Some(value) => write!(page, "<pre class=\"{class}\">{}</pre>", escape(value))?,
                None => write!(page, "<pre class=\"none\"></pre>")?,
            }
        }
    }
    writeln!(page, "</div></div>")
}

fn codes(names: &[String]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("<code>{}</code>", escape(name)))
        .collect();
    names.join(", ")
}

/// Every character that could be markup as a reference; line breaks stay.
fn escape(text: &str) -> String {
    let lines = text
        .split('\n')
        .map(|line| html_text(line).unwrap_or_else(|_| "(cannot be shown)".into()));
    lines.collect::<Vec<_>>().join("\n")
}
