//! The report for a terminal.
//!
//! Plain text, at most one line per name list; a budget cuts details first and never the head. This file must not know
//! how anything was compared.

use std::fmt::Write as _;

use super::model::{Group, Report};
use super::wording;

/// Renders the report; with `budget` in characters, details that do not fit are counted at the end.
pub fn render(report: &Report, budget: Option<usize>) -> String {
    let mut head = String::new();
    let _ = head_lines(&mut head, report);
    if !report.differs() {
        head.push_str("\nNo differences.\n");
        return head;
    }
    let blocks: Vec<String> = (1..)
        .zip(&report.groups)
        .map(|(number, group)| block(report, number, group))
        .collect();
    let budget = budget.unwrap_or(usize::MAX);
    let mut left = budget.saturating_sub(head.chars().count()).saturating_sub(REST);
    let mut left_out = Vec::new();
    let mut text = head;
    for (number, block) in (1..).zip(blocks) {
        let length = block.chars().count();
        if length <= left {
            left -= length;
            text.push_str(&block);
        } else {
            left = 0;
            left_out.push(number);
        }
    }
    if let (Some(first), Some(last)) = (left_out.first(), left_out.last()) {
        let _ = write!(
            text,
            "\nNot shown for lack of room: changes {first} to {last}. See --format html or json.\n"
        );
    }
    text
}

/// Room that is kept for the last line.
const REST: usize = 120;

fn head_lines(text: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(text, "{} → {}", report.old, report.new)?;
    for line in wording::editions(report) {
        writeln!(text, "  {line}")?;
    }
    writeln!(text)?;
    for row in wording::head(report) {
        write!(text, "{:>5}  {}", row.count, row.label)?;
        if row.count > 0 {
            write!(text, ": {}", wording::join(report, &row.names))?;
        }
        writeln!(text)?;
    }
    writeln!(text, "\n{}", wording::coverage(report))?;
    for line in &report.damage {
        writeln!(text, "not as built: {line}")?;
    }
    for name in &report.failed {
        writeln!(text, "left out, because it does not compile on one side: {name}")?;
    }
    for warning in &report.new_warnings {
        writeln!(text, "new warning: {}", wording::warning(report, warning))?;
    }
    for warning in &report.gone_warnings {
        writeln!(text, "warning gone: {}", wording::warning(report, warning))?;
    }
    Ok(())
}

fn block(report: &Report, number: usize, group: &Group) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "\n{number}. {} {}  [risk {}: {}]\n   {} → {}\n   on {}\n   restarts {}; undo {}; {}\n",
        wording::list(&group.artifacts, ""),
        group.change.word(),
        group.risk.word(),
        group.reason,
        wording::few(&group.titles, 2, ""),
        wording::few(&group.targets, 2, "no target"),
        wording::places(report, group),
        wording::list(&group.restarts, "nothing"),
        wording::list(&group.undo, "nothing"),
        wording::few(&group.requirements, 8, "no requirement"),
    );
    if group.by_lines {
        text.push_str("   compared by lines, because one side does not read in its format\n");
    }
    for line in wording::few_others(report, group) {
        let _ = writeln!(text, "   {line}");
    }
    for line in wording::patch(group) {
        let _ = writeln!(text, "   {line}");
    }
    text
}
