//! Turns a plan into the runbook: first as data, then as what the printed runbooks show.
//!
//! ```text
//! order      phases, places, numbers              Plan → stages
//! step       one entry, in words                  stages → steps
//! schedule   minutes, times, outages              steps → times
//! view       sections, folding, the main path     Runbook → PlanView
//! judge      what is wrong with the order or does not fit its window
//! ```
//!
//! The look is the templates' business; this module must not know Markdown syntax or HTML.

mod appendix;
mod conditions;
mod fold;
mod judge;
mod order;
mod schedule;
mod step;
mod values;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::path::BundlePath;
use crate::contract::runbook::{BundleName, FORMAT, Runbook, Step, StepNumber};
use crate::plan::{Plan, Planned};

pub use conditions::Conditions;
pub use judge::judge;
pub use step::effect as effect_words;

/// The runbook of a plan; `texts` are the rendered bodies in the order of the plan. Linear in the size of both.
pub fn runbook(plan: &Plan<'_>, texts: &[String]) -> Runbook {
    let steps = steps(plan, texts);
    let bundle = &plan.facts.bundle;
    let window = plan.window();
    let timing = schedule::timing(&steps, window.as_ref());
    Runbook {
        format: FORMAT,
        bundle: BundleName {
            name: bundle.name.clone(),
            version: bundle.version.clone(),
            change: bundle.change.clone(),
        },
        window,
        schedule: timing.schedule,
        outages: timing.outages,
        phases: timing.phases,
        steps,
    }
}

/// What each script puts in place or runs, in the order of work.
fn applied<'a, 't>(plan: &'a Plan<'t>) -> BTreeMap<&'a BundlePath, Vec<&'a Planned<'t>>> {
    let mut found: BTreeMap<&BundlePath, Vec<&Planned<'t>>> = BTreeMap::new();
    for entry in &plan.entries {
        if let Some(script) = &entry.applied_by {
            found.entry(script).or_default().push(entry);
        }
    }
    found
}

/// Every step in the order of work.
///
/// The first step of a place waits for the other places where the phase says so, and behind a step of the whole
/// installation; such a step waits for everything before it.
fn steps(plan: &Plan<'_>, texts: &[String]) -> Vec<Step> {
    let applied = applied(plan);
    let mut steps: Vec<Step> = Vec::new();
    let mut waited: BTreeMap<Option<usize>, StepNumber> = BTreeMap::new();
    let mut barrier: Option<StepNumber> = None;
    for stage in order::stages(plan) {
        if stage.phase.waits_for_all() {
            barrier = highest(&steps).max(barrier);
        }
        for section in stage.sections {
            if section.server.is_none() {
                barrier = highest(&steps).max(barrier);
            }
            let name = section.server.and_then(|index| plan.facts.servers.get(index));
            let needs = barrier.filter(|barrier| waited.get(&section.server) < Some(barrier));
            if let Some(needs) = needs {
                waited.insert(section.server, needs);
            }
            for (at, placed) in section.steps.iter().enumerate() {
                let files = placed.entry.path.as_ref().and_then(|path| applied.get(path));
                let mut step = step::step(
                    placed.entry,
                    name.map(|server| server.name.as_str()),
                    placed.number,
                    texts.get(placed.index).map_or("", String::as_str),
                    files.map_or(&[], Vec::as_slice),
                );
                step.needs = needs.filter(|_| at == 0).max(placed.waits_for);
                if placed.entry.template.front.gathers_later {
                    step.minutes = step.minutes.saturating_add(minutes_of_late_checks(&steps));
                }
                steps.push(step);
            }
            if section.server.is_none() {
                barrier = highest(&steps).max(barrier);
            }
        }
    }
    steps
}

/// Minutes of all checks that had to wait, shared by the people of the schedule. The same words at one place and in one
/// phase are one check, as in the list that people work by.
fn minutes_of_late_checks(steps: &[Step]) -> u32 {
    let checks: BTreeSet<(Option<&str>, u32, &str)> = steps
        .iter()
        .flat_map(|step| {
            let place = step.server.as_deref();
            step.later
                .iter()
                .map(move |check| (place, step.number.phase, check.as_str()))
        })
        .collect();
    let count = u32::try_from(checks.len()).unwrap_or(u32::MAX);
    count
        .saturating_mul(schedule::MINUTES_OF_A_LATE_CHECK)
        .div_ceil(schedule::PEOPLE)
}

/// The number of the last step so far. Within a phase numbers start again at each server, so it is looked for there.
fn highest(steps: &[Step]) -> Option<StepNumber> {
    let phase = steps.last()?.number.phase;
    let last = steps.iter().rev().take_while(|step| step.number.phase == phase);
    last.map(|step| step.number).max()
}
