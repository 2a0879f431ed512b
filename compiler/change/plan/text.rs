//! A plan for a console and for a mail: plain text, one step after the other.
//!
//! This file must not know how anything was found out.

use super::{Outlook, Plan, Planned};

/// The text.
pub fn render(plan: &Plan) -> String {
    let mut out = format!(
        "Plan: {} {} on {}{}\nbundle {}\n\n",
        plan.bundle,
        plan.version,
        plan.place,
        if plan.is_copy { " (a copy)" } else { "" },
        plan.id.spoken()
    );
    for note in &plan.notes {
        out.push_str(&format!("note: {note}\n"));
    }
    for problem in &plan.problems {
        out.push_str(&format!("cannot: {}: {}\n", problem.code, problem.message));
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
    out.push_str(&format!("\n{}\n", summary(plan)));
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
    format!("{} steps: {}", plan.steps.len(), words.join(", "))
}

fn add_step(out: &mut String, step: &Planned) {
    out.push_str(&format!(
        "{:<6} {}: {}\n",
        step.number.to_string(),
        step.outlook.words(),
        step.title
    ));
    if let Some(target) = &step.target {
        out.push_str(&format!("       {target}\n"));
    }
    for note in &step.notes {
        out.push_str(&format!("       {note}\n"));
    }
    for need in &step.needs {
        out.push_str(&format!("       first: {need}\n"));
    }
    for problem in &step.problems {
        let line = problem
            .line
            .map_or_else(String::new, |line| format!(" line {line}:"));
        out.push_str(&format!(
            "       cannot: {}:{line} {}\n",
            problem.code, problem.message
        ));
        if let Some(help) = &problem.help {
            out.push_str(&format!("       help: {help}\n"));
        }
    }
    if let Some(diff) = &step.diff {
        for line in diff.lines() {
            out.push_str(&format!("       {line}\n"));
        }
    }
}

fn add_list(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}\n"));
    for line in lines {
        out.push_str(&format!("- {line}\n"));
    }
}
