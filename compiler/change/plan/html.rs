//! A plan as one page that works offline, for the record of a change.
//!
//! This file must not know how anything was found out.

use std::fmt::Write as _;

use super::text::summary;
use super::{Outlook, Plan, Planned};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}\
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}\
pre{background:#f4f4f4;overflow:auto;padding:.5rem}.cannot{background:#fdd}.will_change,.changed_since{background:#ffd}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The page.
pub fn render(plan: &Plan) -> String {
    let title = escape(&format!(
        "Plan: {} {} on {}",
        plan.bundle, plan.version, plan.place
    ));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<h1>{title}</h1>\n<p>Seal {}. {}</p>\n",
        escape(&plan.seal.spoken()),
        escape(&summary(plan))
    );
    for problem in &plan.problems {
        let _ = writeln!(
            out,
            "<p class=\"cannot\"><strong>{}</strong> {}</p>",
            escape(&problem.code),
            escape(&problem.message)
        );
    }
    for note in &plan.notes {
        let _ = writeln!(out, "<p>{}</p>", escape(note));
    }
    out.push_str("<table>\n<thead><tr><th>Step</th><th>What</th><th>Outlook</th></tr></thead>\n<tbody>\n");
    for step in &plan.steps {
        add_step(&mut out, step);
    }
    out.push_str("</tbody>\n</table>\n");
    if !plan.restarts.is_empty() {
        out.push_str("<h2>Has to be restarted</h2>\n<ul>\n");
        for restart in &plan.restarts {
            let steps = escape(&restart.steps.join(", "));
            let _ = writeln!(out, "<li>{} (steps {steps})</li>", escape(&restart.name));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn add_step(out: &mut String, step: &Planned) {
    let class = match step.outlook {
        Outlook::Nothing => "nothing",
        Outlook::WillChange => "will_change",
        Outlook::ChangedSince => "changed_since",
        Outlook::Cannot => "cannot",
    };
    let mut what = format!("<p>{}</p>", escape(&step.title));
    if let Some(target) = &step.target {
        let _ = write!(what, "<p><code>{}</code></p>", escape(target));
    }
    let needs = step.needs.iter().map(|need| format!("first: {need}"));
    for note in step.notes.iter().cloned().chain(needs) {
        let _ = write!(what, "<p>{}</p>", escape(&note));
    }
    for problem in &step.problems {
        let help = problem.help.as_deref().unwrap_or_default();
        let _ = write!(
            what,
            "<p><strong>{}</strong> {}. {}</p>",
            escape(&problem.code),
            escape(&problem.message),
            escape(help)
        );
    }
    if let Some(diff) = &step.diff {
        let _ = write!(what, "<pre>{}</pre>", escape(diff));
    }
    let one_way = if step.one_way { ", no way back" } else { "" };
    let _ = writeln!(
        out,
        "<tr class=\"{class}\"><td>{}</td><td>{what}</td><td>{}{one_way}</td></tr>",
        step.number,
        step.outlook.words()
    );
}
