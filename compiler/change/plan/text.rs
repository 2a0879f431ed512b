//! A plan for a console and for a mail: plain text, one step after the other.
//!
//! This file must not know how anything was found out.

use std::fmt::Write as _;

use super::{Outlook, Plan, Planned};
use crate::report::counted;

/// The text.
pub fn render(plan: &Plan) -> String {
    let mut out = format!(
        "Plan: {} {} on {}{}\nseal {}   (compare with the review)\n\n",
        plan.bundle,
        plan.version,
        plan.place,
        if plan.is_copy { " (a copy)" } else { "" },
        plan.seal.spoken()
    );
    for note in &plan.notes {
        let _ = writeln!(out, "note: {note}");
    }
    for problem in &plan.problems {
        let _ = writeln!(out, "cannot: {}: {}", problem.code, problem.message);
    }
    if !plan.notes.is_empty() || !plan.problems.is_empty() {
        out.push('\n');
    }
    for step in &plan.steps {
        add_step(&mut out, step);
    }
    add_list(
        &mut out,
        "Has to be restarted",
        plan.restarts
            .iter()
            .map(|restart| format!("{} (steps {})", restart.name, restart.steps.join(", "))),
    );
    let one_way = plan
        .steps
        .iter()
        .filter(|step| step.one_way && step.outlook != Outlook::Nothing);
    add_list(
        &mut out,
        "No way back",
        one_way.map(|step| format!("{} {}", step.number, step.title)),
    );
    let _ = writeln!(out, "\n{}", summary(plan));
    out
}

/// The last line: how many steps have which outlook.
pub fn summary(plan: &Plan) -> String {
    let counts = [
        Outlook::Nothing,
        Outlook::WillChange,
        Outlook::ChangedSince,
        Outlook::Cannot,
    ];
    let counts = counts.map(|outlook| (plan.count(outlook), outlook.words()));
    let said = counts.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = said.map(|(count, words)| format!("{count} {words}")).collect();
    let all = counted(plan.steps.len(), "step");
    if words.is_empty() {
        return format!("{all}: nothing to do here");
    }
    format!("{all}: {}", words.join(", "))
}

fn add_step(out: &mut String, step: &Planned) {
    let _ = writeln!(
        out,
        "{:<6} {}: {}",
        step.number.to_string(),
        step.outlook.words(),
        step.title
    );
    if let Some(target) = &step.target {
        let _ = writeln!(out, "       {target}");
    }
    for note in &step.notes {
        let _ = writeln!(out, "       {note}");
    }
    for need in &step.needs {
        let _ = writeln!(out, "       first: {need}");
    }
    for problem in &step.problems {
        let line = problem
            .line
            .map_or_else(String::new, |line| format!(" line {line}:"));
        let _ = writeln!(
            out,
            "       {}: {}:{line} {}",
            problem.words(),
            problem.code,
            problem.message
        );
        if let Some(help) = &problem.help {
            let _ = writeln!(out, "       help: {help}");
        }
    }
    if let Some(diff) = &step.diff {
        for line in diff.lines() {
            let _ = writeln!(out, "       {line}");
        }
    }
}

fn add_list(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for line in lines {
        let _ = writeln!(out, "- {line}");
    }
}
