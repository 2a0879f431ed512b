//! The order of work: phases, the steps in each, and the places they are done at.
//!
//! Within a phase, steps follow the `order` of their templates. A step of the whole installation is a barrier: what
//! stands before it is done on every server first (DEF-87 needs Callback stopped everywhere before a broker changes).
//! This file must not know texts.

use std::collections::BTreeMap;

use crate::contract::artifact::{Effect, Scope};
use crate::contract::phase::Phase;
use crate::contract::runbook::StepNumber;
use crate::plan::{Plan, Planned};

/// An entry of the plan with its place in it and its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'p, 't> {
    /// The place in the plan.
    pub(super) index: usize,
    pub(super) entry: &'p Planned<'t>,
    pub(super) number: StepNumber,
    /// The step that has to be finished everywhere first, for those who wait for their turn.
    pub(super) waits_for: Option<StepNumber>,
}

/// Steps done at one place, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Section<'p, 't> {
    /// Index of the server; `None` is the whole installation.
    pub(super) server: Option<usize>,
    pub(super) steps: Vec<Placed<'p, 't>>,
}

/// A phase with at least one step.
#[derive(Clone, Debug)]
pub(super) struct Stage<'p, 't> {
    pub(super) phase: Phase,
    pub(super) sections: Vec<Section<'p, 't>>,
}

/// The order of work of a plan.
pub(super) fn stages<'p, 't>(plan: &'p Plan<'t>) -> Vec<Stage<'p, 't>> {
    let mut stages = Vec::new();
    for &phase in Phase::ALL {
        let mut entries: Vec<(usize, &Planned<'t>)> = plan
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.template.front.phase == phase && is_listed(entry))
            .collect();
        if entries.is_empty() {
            continue;
        }
        entries.sort_by_key(|(index, entry)| (entry.template.front.order, *index));
        let number = u32::try_from(stages.len()).unwrap_or(u32::MAX).saturating_add(1);
        let sections = sections(plan, number, &entries);
        stages.push(Stage { phase, sections });
    }
    stages
}

/// The runbook does not list itself, nor files an engineer never handles: ways back are named by the step they undo,
/// what a script applies by the step of the script. Applying such a file by hand as well would make the script save the
/// new state as the old one.
fn is_listed(entry: &Planned<'_>) -> bool {
    let front = &entry.template.front;
    front.scope != Scope::Bundle
        && entry.applied_by.is_none()
        && (front.effect != Some(Effect::Read) || !entry.runbook.todo.is_empty())
        && !is_way_back(entry)
}

/// A script that only goes back: it has no lines of its own to do.
fn is_way_back(entry: &Planned<'_>) -> bool {
    entry.template.front.effect == Some(Effect::RunScript)
        && entry
            .path
            .as_ref()
            .is_some_and(|path| path.file_name().starts_with("rollback-"))
}

/// Which of the two halves of its kind a server belongs to. Callback servers come in pairs that stand in for each other:
/// two Management servers behind one name, two brokers that fetch from each other.
fn turns(plan: &Plan<'_>) -> Vec<u32> {
    let mut sizes: BTreeMap<bool, (usize, usize)> = BTreeMap::new();
    for server in &plan.facts.servers {
        sizes.entry(server.is_management).or_default().1 += 1;
    }
    let turn = |is_management: bool| {
        let (seen, all) = sizes.entry(is_management).or_default();
        *seen += 1;
        u32::from(*seen > all.div_ceil(2))
    };
    let kinds = plan.facts.servers.iter().map(|server| server.is_management);
    kinds.map(turn).collect()
}

/// The sections of a phase. The same work has the same number on every server: it is one template, for one text of its
/// `each`. Servers that take turns have a number for each turn.
fn sections<'p, 't>(
    plan: &Plan<'t>,
    phase: u32,
    entries: &[(usize, &'p Planned<'t>)],
) -> Vec<Section<'p, 't>> {
    let mut found = Vec::new();
    let turns = turns(plan);
    let has_turns = turns.contains(&1);
    let mut last = 0_u32;
    let mut numbers: BTreeMap<(&str, Option<&str>), u32> = BTreeMap::new();
    let mut servers: BTreeMap<usize, Vec<Placed<'p, 't>>> = BTreeMap::new();
    let mut whole: Vec<Placed<'p, 't>> = Vec::new();
    for &(index, entry) in entries {
        let takes_turns = has_turns && entry.template.front.takes_turns && entry.server.is_some();
        let first = *numbers
            .entry((entry.template.path.as_str(), entry.each.as_deref()))
            .or_insert_with(|| {
                let first = last.saturating_add(1);
                last = first.saturating_add(u32::from(takes_turns));
                first
            });
        let turn = entry.server.filter(|_| takes_turns);
        let turn = turn.and_then(|server| turns.get(server)).copied().unwrap_or(0);
        let step = first.saturating_add(turn);
        let placed = Placed {
            index,
            entry,
            number: StepNumber { phase, step },
            waits_for: (turn > 0).then_some(StepNumber { phase, step: first }),
        };
        if let Some(server) = entry.server {
            close_whole(&mut found, &mut whole);
            servers.entry(server).or_default().push(placed);
        } else {
            close_servers(plan, &mut found, &mut servers);
            whole.push(placed);
        }
    }
    close_servers(plan, &mut found, &mut servers);
    close_whole(&mut found, &mut whole);
    found
}

fn close_whole<'p, 't>(found: &mut Vec<Section<'p, 't>>, steps: &mut Vec<Placed<'p, 't>>) {
    if !steps.is_empty() {
        found.push(Section {
            server: None,
            steps: std::mem::take(steps),
        });
    }
}

/// Management servers first: what the others talk to is ready before they restart.
fn close_servers<'p, 't>(
    plan: &Plan<'t>,
    found: &mut Vec<Section<'p, 't>>,
    servers: &mut BTreeMap<usize, Vec<Placed<'p, 't>>>,
) {
    let is_management = |index: &usize| {
        let server = plan.facts.servers.get(*index);
        server.is_some_and(|server| server.is_management)
    };
    let waits = |steps: &[Placed<'p, 't>]| steps.iter().any(|placed| placed.waits_for.is_some());
    let mut sections: Vec<(usize, Vec<Placed<'p, 't>>)> = std::mem::take(servers).into_iter().collect();
    sections.sort_by_key(|(index, steps)| (waits(steps), !is_management(index), *index));
    found.extend(sections.into_iter().map(|(index, steps)| Section {
        server: Some(index),
        steps,
    }));
}
