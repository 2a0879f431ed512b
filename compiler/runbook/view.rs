//! The runbook as the printed ones show it: sections of places, folded where servers are alike, and the main path.
//!
//! It only reads the runbook as data; there is no order here but the one of its steps.

use std::collections::{BTreeMap, BTreeSet};

use super::appendix::{assumptions, deviations, port_tables, sentence};
use super::fold::{FOLD_FROM, fold};
use super::step::effect;
use crate::catalogue::catalogue;
use crate::check::Warning;
use crate::contract::artifact::Rollback;
use crate::contract::moment::Moment;
use crate::contract::phase::Phase;
use crate::contract::runbook::{self, Runbook, Step};
use crate::facts::Facts;
use crate::facts::plan_view::{
    AcceptedView, AppliedView, BackView, BeforeView, GroupView, LaterView, OutageView, PhaseView, PlanView,
    Prose, RestartView, RunView, StepNumber, StepReference, StepView, TimeView, ValueView, WarningView,
};
use crate::facts::topology::topology;
use crate::formats::cmd::cmd_arg;
use crate::plan::Plan;

/// A warning that somebody looked at.
fn accepted(warning: &Warning) -> Option<AcceptedView> {
    let answer = warning.accepted.as_ref()?;
    Some(AcceptedView {
        code: warning.code.id().to_owned(),
        message: sentence(&warning.message),
        reason: answer.reason.clone(),
        until: answer.until.clone(),
    })
}

impl PlanView {
    /// The printed runbook of a plan; `texts` are the rendered bodies in the order of the plan.
    pub fn of(plan: &Plan<'_>, texts: &[String]) -> Self {
        Self::of_runbook(plan, &super::runbook(plan, texts))
    }

    /// The same of a runbook that is made already.
    pub fn of_runbook(plan: &Plan<'_>, runbook: &Runbook) -> Self {
        let mut view = Self {
            time: time(runbook),
            outages: runbook.outages.iter().map(outage).collect(),
            warnings: plan
                .warnings
                .iter()
                .filter(|warning| warning.accepted.is_none())
                .map(|warning| WarningView {
                    code: warning.code.id().to_owned(),
                    message: sentence(&warning.message),
                    help: sentence(warning.help.as_deref().unwrap_or_default()),
                })
                .collect(),
            accepted: plan.warnings.iter().filter_map(accepted).collect(),
            assumptions: assumptions(&plan.facts).into_iter().map(Prose::new).collect(),
            deviations: deviations(catalogue(), plan),
            ports: port_tables(&plan.facts),
            topology: topology(&plan.facts),
            phases: phases(&plan.facts, runbook),
            ..Self::default()
        };
        for phase in &view.phases {
            for run in phase.groups.iter().flat_map(|group| &group.runs) {
                let steps = run.steps.len();
                if run.automatic {
                    view.steps += 1;
                    view.automatic += steps;
                } else {
                    view.steps += steps;
                    view.by_hand += if phase.in_window { steps } else { 0 };
                }
            }
        }
        view.one_way = one_way(placed_steps(&view.phases).map(|(_, step)| step));
        view.restarts = restarts(&view.phases);
        view.later = later(&view.phases);
        view.back = back(&view.phases, runbook);
        view
    }
}

fn time(runbook: &Runbook) -> TimeView {
    let schedule = &runbook.schedule;
    TimeView {
        people: schedule.people,
        before: schedule.before,
        needed: schedule.needed,
        critical_path: schedule.critical_path,
        going_back: schedule.going_back,
        window: schedule.window,
        decide_by: schedule.decide_by.as_deref().map(clock),
        decide_by_stamp: schedule.decide_by.clone(),
    }
}

/// `23:10` of a time stamp.
fn clock(stamp: &str) -> String {
    Moment::read(stamp).map_or_else(String::new, |moment| moment.time_of_day())
}

fn outage(outage: &runbook::Outage) -> OutageView {
    OutageView {
        function: outage.function.title().to_owned(),
        from: number(outage.from),
        until: number(outage.until),
        starts: outage.starts.as_deref().map(clock),
        starts_stamp: outage.starts.clone(),
        ends: outage.ends.as_deref().map(clock),
        ends_stamp: outage.ends.clone(),
        minutes: outage.minutes,
    }
}

fn number(number: runbook::StepNumber) -> StepNumber {
    StepNumber {
        phase: number.phase,
        step: number.step,
    }
}

fn phases(facts: &Facts, runbook: &Runbook) -> Vec<PhaseView> {
    let of_phase = |number: u32| {
        runbook
            .steps
            .iter()
            .filter(move |step| step.number.phase == number)
    };
    runbook
        .phases
        .iter()
        .map(|phase| PhaseView {
            automatic: of_phase(phase.number).any(|step| step.kind != runbook::StepKind::Manual),
            id: phase.name.name().to_owned(),
            number: phase.number,
            title: phase.name.title().to_owned(),
            intro: phase.name.intro().to_owned(),
            in_window: phase.in_window,
            starts: phase.starts.as_deref().map(clock),
            starts_stamp: phase.starts.clone(),
            ends: end_of(phase).map(|end| end.time_of_day()),
            ends_stamp: end_of(phase).map(|end| end.stamp()),
            minutes: phase.minutes,
            groups: groups(facts, of_phase(phase.number))
                .into_iter()
                .map(|group| with_commands(group, runbook, phase.name.name()))
                .collect(),
        })
        .collect()
}

fn end_of(phase: &runbook::PhaseRecord) -> Option<Moment> {
    let start = Moment::read(phase.starts.as_deref()?)?;
    Some(start.plus(i64::from(phase.minutes)))
}

/// Steps that follow each other at one place are a section; sections of servers between two barriers may be folded.
fn groups<'a>(facts: &Facts, steps: impl Iterator<Item = &'a Step>) -> Vec<GroupView> {
    let mut found: Vec<GroupView> = Vec::new();
    let mut servers: Vec<(String, Vec<StepView>)> = Vec::new();
    let mut whole: Vec<StepView> = Vec::new();
    for step in steps {
        if let Some(server) = &step.server {
            close_whole(&mut found, &mut whole);
            match servers.last_mut() {
                Some((last, steps)) if last == server => steps.push(view(step)),
                _ => servers.push((server.clone(), vec![view(step)])),
            }
        } else {
            found.extend(fold(facts, std::mem::take(&mut servers)));
            whole.push(view(step));
        }
    }
    found.extend(fold(facts, servers));
    close_whole(&mut found, &mut whole);
    for group in &mut found {
        group.runs = runs(std::mem::take(&mut group.steps));
    }
    found
}

/// The command of each run: one for a place and a phase.
fn with_commands(mut group: GroupView, runbook: &Runbook, phase: &str) -> GroupView {
    let command = command("apply", &group, runbook);
    for run in group.runs.iter_mut().filter(|run| run.automatic) {
        run.command = format!("{command} --phase {phase}");
        run.before = before(&run.steps);
    }
    group
}

/// A command that does something at the place of a group.
fn command(verb: &str, group: &GroupView, runbook: &Runbook) -> String {
    let place = match group.servers.as_slice() {
        [] => "--deployment".to_owned(),
        [one] => format!("--server {one}"),
        _ => "--server SERVER".to_owned(),
    };
    let bundle = &runbook.bundle;
    format!("cbgen {verb} {}-{}.zip {place}", bundle.name, bundle.version)
}

/// Going back from the end: the last place of the last phase first. `rollback` takes back a whole run, that is all that was
/// done of one phase at one place, also where people did something in between. The restart comes when everything that asked
/// for it is taken back, just before what was stopped at the beginning starts again.
fn back(phases: &[PhaseView], runbook: &Runbook) -> Vec<BackView> {
    let prepare = Phase::Prepare.name();
    let mut found = Vec::new();
    for phase in phases.iter().rev().filter(|phase| phase.id != prepare) {
        let mut taken: BTreeSet<&[String]> = BTreeSet::new();
        for group in phase.groups.iter().rev() {
            for run in group.runs.iter().rev() {
                let entry = |first, last| BackView {
                    first,
                    last,
                    phase: phase.id.clone(),
                    place: group.title.clone(),
                    servers: if group.folded {
                        group.servers.clone()
                    } else {
                        Vec::new()
                    },
                    command: None,
                    undo: Vec::new(),
                    one_way: Vec::new(),
                };
                if !run.automatic {
                    let steps = run.steps.iter().rev().filter(|step| !step.undo.is_empty());
                    found.extend(steps.map(|step| BackView {
                        undo: step.undo.clone(),
                        ..entry(step.number, step.number)
                    }));
                } else if taken.insert(&group.servers) {
                    let of_place = || phase.groups.iter().filter(|other| other.servers == group.servers);
                    let runs = || {
                        of_place()
                            .flat_map(|group| &group.runs)
                            .filter(|run| run.automatic)
                    };
                    let first = runs().map(|run| run.first).min().unwrap_or(run.first);
                    found.push(BackView {
                        command: Some(command("rollback", group, runbook)),
                        one_way: one_way(runs().flat_map(|run| &run.steps)),
                        ..entry(first, run.last)
                    });
                }
            }
        }
    }
    let (restarts, mut rest): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|entry| entry.phase == Phase::Restart.name());
    let stopped = |entry: &BackView| entry.phase == Phase::Stop.name();
    let before_window = |entry: &BackView| {
        let of = phases.iter().find(|phase| phase.id == entry.phase);
        of.is_some_and(|phase| !phase.in_window)
    };
    let at = rest
        .iter()
        .position(|entry| stopped(entry) || before_window(entry));
    let at = at.unwrap_or(rest.len());
    rest.splice(at..at, restarts);
    rest
}

/// The conditions of the steps of one command. Several steps may state the same one.
fn before(steps: &[StepView]) -> Vec<BeforeView> {
    let mut found: Vec<BeforeView> = Vec::new();
    for step in steps {
        for prose in &step.before {
            match found.iter_mut().find(|known| known.prose == *prose) {
                Some(known) => known.numbers.push(step.number),
                None => found.push(BeforeView {
                    numbers: vec![step.number],
                    prose: prose.clone(),
                }),
            }
        }
    }
    found
}

fn close_whole(found: &mut Vec<GroupView>, steps: &mut Vec<StepView>) {
    if !steps.is_empty() {
        found.push(GroupView {
            title: "Once for the whole installation".into(),
            steps: std::mem::take(steps),
            ..GroupView::default()
        });
    }
}

/// What one command does, and what people do between two commands.
fn runs(steps: Vec<StepView>) -> Vec<RunView> {
    let mut found: Vec<RunView> = Vec::new();
    for step in steps {
        match found.last_mut() {
            Some(run) if run.automatic == step.automatic => {
                run.last = step.number;
                run.minutes += step.minutes;
                run.steps.push(step);
            }
            _ => found.push(RunView {
                automatic: step.automatic,
                first: step.number,
                last: step.number,
                minutes: step.minutes,
                command: String::new(),
                before: Vec::new(),
                steps: vec![step],
            }),
        }
    }
    found
}

fn view(step: &Step) -> StepView {
    let prose = |lines: &[String]| -> Vec<Prose> { lines.iter().map(Prose::new).collect() };
    StepView {
        number: number(step.number),
        title: step.title.clone(),
        automatic: step.kind != runbook::StepKind::Manual,
        minutes: step.minutes,
        path: step.artifact.as_ref().map(ToString::to_string),
        arguments: step.arguments.clone(),
        rollback: match &step.rollback {
            Rollback::Artifact(path) => Some(path.to_string()),
            Rollback::Captured | Rollback::OneWay | Rollback::Nothing => None,
        },
        target: step.target.clone(),
        target_in_cmd: step
            .target
            .as_deref()
            .is_some_and(|target| cmd_arg(target).is_ok()),
        effect: step.effect.map_or("by hand", effect).to_owned(),
        applies: step
            .applies
            .iter()
            .map(|file| AppliedView {
                title: file.title.clone(),
                path: file.artifact.to_string(),
                target: file.target.clone(),
            })
            .collect(),
        values: step
            .values
            .iter()
            .map(|value| ValueView {
                key: value.key.clone(),
                old: value.old.clone(),
                new: value.new.clone(),
            })
            .collect(),
        before: prose(&step.before),
        todo: prose(&step.todo),
        body: Prose::new(&step.text),
        check: prose(&step.check),
        later: prose(&step.later),
        undo: prose(&step.undo),
        restarts: step.restarts.clone(),
        requirements: step.requirements.clone(),
        one_way: step.one_way,
    }
}

fn placed_steps(phases: &[PhaseView]) -> impl Iterator<Item = (&GroupView, &StepView)> {
    let groups = phases.iter().flat_map(|phase| &phase.groups);
    groups.flat_map(|group| {
        let steps = group.runs.iter().flat_map(|run| &run.steps);
        steps.map(move |step| (group, step))
    })
}

/// Steps without a way back; the same work on several servers is named once.
fn one_way<'s>(steps: impl Iterator<Item = &'s StepView>) -> Vec<StepReference> {
    let mut found: Vec<StepReference> = Vec::new();
    for step in steps.filter(|step| step.one_way) {
        if found.iter().all(|known| known.number != step.number) {
            found.push(StepReference {
                number: step.number,
                title: step.title.clone(),
            });
        }
    }
    found
}

/// Every check that has to wait, in the order of the steps. Nobody looks at the same thing twice: the same words at one
/// place and in one phase are one check, with the numbers of all its steps.
fn later(phases: &[PhaseView]) -> Vec<LaterView> {
    let mut known: BTreeMap<(&str, u32, &str), usize> = BTreeMap::new();
    let mut found: Vec<LaterView> = Vec::new();
    for (group, step) in placed_steps(phases) {
        for check in &step.later {
            let key = (group.title.as_str(), step.number.phase, check.markdown.as_str());
            if let Some(same) = known.get(&key).and_then(|at| found.get_mut(*at)) {
                same.numbers.push(step.number);
                continue;
            }
            known.insert(key, found.len());
            found.push(LaterView {
                numbers: vec![step.number],
                place: group.title.clone(),
                check: check.clone(),
            });
        }
    }
    found
}

fn restarts(phases: &[PhaseView]) -> Vec<RestartView> {
    let mut found: BTreeMap<&str, (Vec<String>, Vec<StepNumber>)> = BTreeMap::new();
    for (group, step) in placed_steps(phases) {
        for service in &step.restarts {
            let (servers, because) = found.entry(service).or_default();
            because.push(step.number);
            servers.extend(group.servers.iter().cloned());
        }
    }
    found
        .into_iter()
        .map(|(service, (mut servers, mut because))| {
            servers.sort_unstable();
            servers.dedup();
            because.sort_unstable();
            because.dedup();
            let on = match servers.len() {
                0 => "where it runs".to_owned(),
                1..FOLD_FROM => servers.join(", "),
                count => format!("{count} servers"),
            };
            RestartView {
                service: service.to_owned(),
                servers,
                on,
                because,
            }
        })
        .collect()
}
