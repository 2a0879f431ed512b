//! The report for a comment of a merge request: GitHub-flavoured Markdown within a number of characters.
//!
//! The head comes first and whole; then one table row for each change, then details, as far as they fit; the end says
//! what did not fit. Values stand in fenced blocks, where nothing is markup. This file must not know how anything was
//! compared.

use std::fmt::Write as _;

use super::model::{Group, Report};
use super::wording::{self, Row};
use crate::formats::{html, markdown};

/// Characters a comment may have: GitHub and GitLab allow more, and other text may stand around it.
pub const BUDGET: usize = 60_000;

/// Room that is kept for the last section.
const REST: usize = 400;

/// Renders the report in at most `budget` characters, unless the names of what changed alone need more.
pub fn render(report: &Report, budget: usize) -> String {
    let length = |text: &str| text.chars().count();
    let mut text = head(report, Room::Plenty);
    for room in [Room::Little, Room::None] {
        if length(&text) + REST > budget {
            text = head(report, room);
        }
    }
    if !report.differs() {
        text.push_str("\nNo differences.\n");
        return text;
    }
    let mut left = budget.saturating_sub(length(&text)).saturating_sub(REST);
    let numbered = || (1..).zip(&report.groups);

    let mut rows_out = 0;
    if !report.groups.is_empty() {
        let title = "\n### Changes\n\n\
            | | risk | artifact | changes | on | restarts | undo | requirements |\n\
            | ---: | --- | --- | --- | --- | --- | --- | --- |\n";
        if length(title) <= left {
            left -= length(title);
            text.push_str(title);
            for (number, group) in numbered() {
                let row = row(report, number, group);
                if rows_out == 0 && length(&row) <= left {
                    left -= length(&row);
                    text.push_str(&row);
                } else {
                    rows_out += 1;
                }
            }
        } else {
            rows_out = report.groups.len();
        }
    }

    let title = "\n### Details\n";
    let mut details_out = Vec::new();
    let mut begun = false;
    for (number, group) in numbered() {
        let block = details(report, number, group);
        let needed = length(&block) + if begun { 0 } else { length(title) };
        if needed <= left {
            if !begun {
                text.push_str(title);
                begun = true;
            }
            left -= needed;
            text.push_str(&block);
        } else {
            details_out.push(number);
        }
    }
    rest(&mut text, rows_out, &details_out);
    text
}

fn rest(text: &mut String, rows_out: usize, details_out: &[usize]) {
    let (Some(first), Some(last)) = (details_out.first(), details_out.last()) else {
        return;
    };
    text.push_str("\n### Not shown\n\n");
    if rows_out > 0 {
        let _ = writeln!(text, "- {rows_out} rows of the table of changes");
    }
    let _ = write!(
        text,
        "- details of {} changes, between number {first} and number {last}\n\n\
         The whole report: `cbgen diff` with the same arguments and `--format html` or `--format json`.\n",
        details_out.len(),
    );
}

/// How much of the head is optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    /// Everything is shown.
    Plenty,
    /// Names of what did not change are left out.
    Little,
    /// Of names, only those of servers and bundles that changed are left; lists show their first lines.
    None,
}

/// Lines of a list, and names of artifacts, that are shown when there is no room.
const FEW: usize = 5;

fn head(report: &Report, room: Room) -> String {
    let mut text = format!("## {} → {}\n", md(&report.old), md(&report.new));
    let editions = wording::editions(report);
    let shown = if room == Room::None { FEW } else { editions.len() };
    for line in editions.iter().take(shown) {
        let _ = write!(text, "\n{}\n", md(line));
    }
    if editions.len() > shown {
        let _ = write!(text, "\nand {} more versions\n", editions.len() - shown);
    }
    if let Some(worst) = report.worst() {
        let _ = write!(
            text,
            "\n**{} distinct {}, worst risk: {}**\n",
            report.groups.len(),
            if report.groups.len() == 1 {
                "change"
            } else {
                "changes"
            },
            worst.word()
        );
    }
    text.push_str("\n| | count | names |\n| --- | ---: | --- |\n");
    for row in wording::head(report) {
        let _ = writeln!(text, "| {} | {} | {} |", row.label, row.count, names(&row, room));
    }
    let _ = write!(text, "\n**Coverage:** {}\n", md(&wording::coverage(report)));
    for (title, lines) in wording::notes(report) {
        let _ = write!(text, "\n**{title}**\n\n");
        let shown = if room == Room::None { FEW } else { lines.len() };
        for line in lines.iter().take(shown) {
            let _ = writeln!(text, "- {}", md(line));
        }
        if lines.len() > shown {
            let _ = writeln!(text, "- and {} more", lines.len() - shown);
        }
    }
    text
}

fn names(row: &Row, room: Room) -> String {
    if row.optional && room > Room::Plenty {
        return "(no room for the names)".into();
    }
    let few = room == Room::None && row.label.contains("artifacts");
    codes(&row.names, if few { FEW } else { row.names.len() })
}

fn row(report: &Report, number: usize, group: &Group) -> String {
    format!(
        "| {number} | {} | {} {} | {} | {} | {} | {} | {} |\n",
        md(&format!("{}: {}", group.risk.word(), group.reason)),
        cell(&group.artifacts),
        group.change.word(),
        cell(&group.targets),
        code(&wording::places(report, group)),
        md(&wording::list(&group.restarts, "nothing")),
        md(&wording::list(&group.undo, "nothing")),
        md(&wording::few(&group.requirements, 5, "none")),
    )
}

fn details(report: &Report, number: usize, group: &Group) -> String {
    let mut text = format!(
        "\n<details><summary>{number}. <code>{}</code> {}: {} on <code>{}</code></summary>\n\n",
        in_html(&wording::few(&group.artifacts, 2, "")),
        group.change.word(),
        match group.facts.len() {
            1 => "1 fact".to_owned(),
            count => format!("{count} facts"),
        },
        in_html(&wording::places_in_short(report, group)),
    );
    let _ = write!(
        text,
        "{}. Requirements: {}.\n\n",
        md(&wording::list(&group.titles, "")),
        md(&wording::list(&group.requirements, "none"))
    );
    if group.by_lines {
        text.push_str("Compared by lines, because one side does not read in its format.\n\n");
    }
    for line in wording::few_others(report, group) {
        let _ = writeln!(text, "- {}", md(&line));
    }
    if !group.others.is_empty() {
        text.push('\n');
    }
    if !group.facts.is_empty() {
        let lines: Vec<String> = wording::patch(group);
        let lines = lines.join("\n");
        let fence = "`".repeat(longest_run(&lines).max(2) + 1);
        let _ = write!(text, "{fence}diff\n{lines}\n{fence}\n\n");
    }
    text.push_str("</details>\n");
    text
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Running text. Names come from strangers, so nothing in them may be markup.
fn md(text: &str) -> String {
    markdown::md_text(&text.replace('\n', " ")).unwrap_or_else(|_| "(cannot be shown)".into())
}

fn code(text: &str) -> String {
    markdown::md_code(&text.replace('\n', " ")).unwrap_or_else(|_| "(cannot be shown)".into())
}

/// The first of a list as code, and how many more.
fn codes(texts: &[String], most: usize) -> String {
    let mut shown: Vec<String> = texts.iter().take(most).map(|text| code(text)).collect();
    if texts.len() > most {
        shown.push(format!("and {} more", texts.len() - most));
    }
    shown.join(", ")
}

fn cell(texts: &[String]) -> String {
    if texts.is_empty() {
        return "-".into();
    }
    codes(texts, CELL)
}

/// Names in one cell of the table of changes.
const CELL: usize = 3;

fn in_html(text: &str) -> String {
    html::html_text(&text.replace('\n', " ")).unwrap_or_else(|_| "(cannot be shown)".into())
}
