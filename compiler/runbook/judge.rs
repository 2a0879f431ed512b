//! What is wrong with the order of a plan, and what of it does not fit its window.
//!
//! No path may be dead before those who use it were led elsewhere, and nothing stays dead: that is judged for every
//! plan, so that a template of the user's own cannot break it either. This file must not change the order.

use std::collections::BTreeSet;

use super::order;
use super::schedule::{self, RESERVE};
use crate::check::Warning;
use crate::codes::{self, Code};
use crate::contract::manifest::Window;
use crate::contract::moment::Moment;
use crate::contract::path::BundlePath;
use crate::contract::runbook::{Function, Schedule, StepNumber};
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::inventory::Places;
use crate::plan::{Plan, Planned};

/// Judges a plan; warnings become part of it, as the runbook prints them.
///
/// # Errors
/// When a step breaks a function before its users are led elsewhere, or nothing restores it.
pub fn judge(diagnostics: &mut Diagnostics, places: &Places, plan: &mut Plan<'_>) -> Result<(), Reported> {
    // A template that was left out for its mistakes may be the step that leads users away, and takes minutes.
    if !plan.templates.missing().is_empty() {
        return Ok(());
    }
    let mut found = Diagnostics::new();
    for function in Function::ALL {
        order_of(&mut found, plan, *function);
    }
    let result = found.checkpoint();
    diagnostics.append(found);
    result?;
    let Some(window) = plan.window() else {
        return Ok(());
    };
    let schedule = schedule::timing(&super::steps(plan, &[]), Some(&window)).schedule;
    if let Some(mut finding) = of_window(&schedule, &window) {
        let answer = plan.accept.iter().find(|entry| entry.code == finding.code.id());
        finding.accepted = answer.cloned();
        if finding.accepted.is_none() {
            let mut diagnostic = Diagnostic::new(finding.code, finding.message.as_str())
                .at_opt(places.nearest(&finding.pointer));
            diagnostic.help.clone_from(&finding.help);
            diagnostics.push(diagnostic);
        }
        plan.warnings.push(finding);
        plan.warnings.sort_by_key(|finding| finding.code);
    }
    Ok(())
}

/// The first thing that is wrong with the order around one function.
fn order_of(diagnostics: &mut Diagnostics, plan: &Plan<'_>, function: Function) {
    let stages = order::stages(plan);
    let entries: Vec<(&Planned<'_>, StepNumber)> = stages
        .iter()
        .flat_map(|stage| &stage.sections)
        .flat_map(|section| &section.steps)
        .map(|placed| (placed.entry, placed.number))
        .collect();
    let scripts: BTreeSet<&BundlePath> = plan
        .entries
        .iter()
        .filter(|file| file.template.front.breaks.contains(&function))
        .filter_map(|file| file.applied_by.as_ref())
        .collect();
    let breaks = |entry: &Planned<'_>| {
        let by_a_file = entry.path.as_ref().is_some_and(|path| scripts.contains(path));
        by_a_file || entry.template.front.breaks.contains(&function)
    };
    let Some((first, _)) = entries.iter().find(|(entry, _)| breaks(entry)) else {
        return;
    };
    let title = function.title();
    let span = |entry: &Planned<'_>| plan.templates.front_matter_span(entry.template, "breaks");
    let away: Vec<usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, (entry, _))| entry.template.front.moves_away.contains(&function))
        .map(|(at, _)| at)
        .collect();
    let first_cut = entries.iter().position(|(entry, _)| breaks(entry));
    if away.is_empty() || away.last().copied() >= first_cut {
        diagnostics.error(
            Diagnostic::new(
                codes::BREAKS_TOO_EARLY,
                format!(
                    "`{}` breaks a function before its users are led elsewhere: {title}",
                    first.title
                ),
            )
            .at(span(first))
            .help("give it a phase behind the step that says `moves_away` for this function"),
        );
        return;
    }
    let last_cut = entries.iter().rev().find(|(entry, _)| breaks(entry));
    let restored = |number| {
        entries
            .iter()
            .any(|(entry, of)| entry.template.front.restores.contains(&function) && *of > number)
    };
    if let Some((last, number)) = last_cut
        && !restored(*number)
    {
        diagnostics.error(
            Diagnostic::new(
                codes::NEVER_RESTORED,
                format!("nothing behind `{}` restores what it breaks: {title}", last.title),
            )
            .at(span(last))
            .help("say `restores` in the front matter of the step after which the function works again"),
        );
    }
}

/// The worst finding about a window: each one says all that the milder ones would.
fn of_window(schedule: &Schedule, window: &Window) -> Option<Warning> {
    let length = schedule.window?;
    let Schedule {
        people,
        needed,
        going_back,
        ..
    } = *schedule;
    let finding = |code: Code, message: String, help: &str| {
        Some(Warning {
            code,
            message,
            pointer: "/bundle/window/end".into(),
            help: Some(help.into()),
            accepted: None,
        })
    };
    if needed > length {
        return finding(
            codes::WINDOW_TOO_SHORT,
            format!("the steps take {needed} minutes for {people} people, and the window has {length}"),
            "make the window longer, or do it in two changes; the minutes of each step are assumptions of its template",
        );
    }
    if needed + going_back > length {
        let end = Moment::read(&window.end)?;
        let decide = end.plus(-i64::from(going_back)).time_of_day();
        return finding(
            codes::NO_TIME_TO_GO_BACK,
            format!(
                "going back from the end takes {going_back} minutes, more than the {} the window has left: the last moment to decide, \
                 {decide}, comes before the work is done",
                length - needed
            ),
            "make the window longer, or decide beforehand until which step you go back",
        );
    }
    if needed + RESERVE > length {
        return finding(
            codes::WINDOW_WITHOUT_RESERVE,
            format!(
                "the steps take {needed} of {length} minutes for {people} people, which leaves less than an hour in reserve"
            ),
            "make the window longer; something always takes longer",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_judged_by_its_worst_fault() {
        let check = |needed: u32, going_back: u32, expected: Option<Code>| {
            let schedule = Schedule {
                people: 2,
                before: 0,
                needed,
                critical_path: needed,
                work: needed,
                going_back,
                window: Some(240),
                decide_by: None,
            };
            let window = Window {
                start: "2026-12-05T22:00:00+01:00".into(),
                end: "2026-12-06T02:00:00+01:00".into(),
            };
            assert_eq!(
                of_window(&schedule, &window).map(|finding| finding.code),
                expected
            );
        };
        check(180, 60, None);
        check(181, 30, Some(codes::WINDOW_WITHOUT_RESERVE));
        check(150, 91, Some(codes::NO_TIME_TO_GO_BACK));
        check(241, 0, Some(codes::WINDOW_TOO_SHORT));
        check(240, 0, Some(codes::WINDOW_WITHOUT_RESERVE));
    }
}
