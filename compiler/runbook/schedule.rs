//! How long a change takes: when each phase begins, which chain of steps is the longest, until when one can go back.
//!
//! Minutes are what the templates state. Steps between two barriers are a stretch; in it each place is a job, jobs are
//! taken by the people in the order of the runbook, and the next stretch begins when all are done. That is a plan people
//! can keep without a machine; a cleverer one would only be shorter. This file must not know templates.

use std::collections::BTreeMap;

use crate::contract::manifest::Window;
use crate::contract::moment::Moment;
use crate::contract::phase::Phase;
use crate::contract::runbook::{Function, Outage, PhaseRecord, Schedule, Step, StepNumber};

/// People who work at the same time, as assumed.
pub(super) const PEOPLE: u32 = 2;

/// Minutes of a check that had to wait: a page or a list is looked at.
pub(super) const MINUTES_OF_A_LATE_CHECK: u32 = 1;

/// Minutes of a window that should be left for what nobody has thought of.
pub(super) const RESERVE: u32 = 60;

/// The planned times of a runbook.
#[derive(Clone, Debug)]
pub(super) struct Timing {
    pub(super) schedule: Schedule,
    pub(super) phases: Vec<PhaseRecord>,
    pub(super) outages: Vec<Outage>,
}

/// First and last minute of one step, counted from the beginning of the window, or of the work before it.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: u32,
    to: u32,
}

/// What the stretches of a list of steps add up to.
#[derive(Clone, Debug, Default)]
struct Sum {
    /// With [`PEOPLE`].
    elapsed: u32,
    /// With a person at every place.
    critical: u32,
    work: u32,
}

/// Times of steps in the order of work.
pub(super) fn timing(steps: &[Step], window: Option<&Window>) -> Timing {
    let split = steps
        .iter()
        .position(|step| step.phase.in_window())
        .unwrap_or(steps.len());
    let (before, inside) = steps.split_at(split);
    let (earlier, before_spans) = run(before, |step| step.minutes);
    let (sum, spans) = run(inside, |step| step.minutes);
    // Going back is the same stretches from the last to the first, and takes as long in either direction.
    let (back, _) = run(inside, |step| step.undo_minutes);
    let moments = window.and_then(|window| Some((Moment::read(&window.start)?, Moment::read(&window.end)?)));
    let start = moments.as_ref().map(|(start, _)| start);
    let spans: Vec<Span> = before_spans.into_iter().chain(spans).collect();
    Timing {
        phases: phases(steps, &spans, start),
        outages: outages(steps, &spans, start),
        schedule: Schedule {
            people: PEOPLE,
            before: earlier.elapsed,
            needed: sum.elapsed,
            critical_path: sum.critical,
            work: sum.work,
            going_back: back.elapsed,
            window: moments
                .as_ref()
                .and_then(|(start, end)| u32::try_from(start.minutes_to(end)).ok()),
            decide_by: moments.map(|(_, end)| end.plus(-i64::from(back.elapsed)).stamp()),
        },
    }
}

/// Puts steps on the clock; a step that needs one of the same stretch begins the next stretch.
fn run(steps: &[Step], minutes: impl Fn(&Step) -> u32) -> (Sum, Vec<Span>) {
    let mut sum = Sum::default();
    let mut spans = Vec::with_capacity(steps.len());
    let mut rest = steps;
    while let Some(first) = rest.first() {
        let needs_this = |step: &Step| step.needs.is_some_and(|needs| needs >= first.number);
        let length = rest.iter().position(needs_this).unwrap_or(rest.len());
        let (stretch, behind) = rest.split_at(length.max(1));
        rest = behind;
        stretch_of(stretch, &minutes, &mut sum, &mut spans);
    }
    (sum, spans)
}

fn stretch_of(stretch: &[Step], minutes: &impl Fn(&Step) -> u32, sum: &mut Sum, spans: &mut Vec<Span>) {
    let mut jobs: Vec<(Option<&str>, u32)> = Vec::new();
    let mut places: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for step in stretch {
        let place = step.server.as_deref();
        let job = *places.entry(place).or_insert_with(|| {
            jobs.push((place, 0));
            jobs.len() - 1
        });
        if let Some((_, total)) = jobs.get_mut(job) {
            *total += minutes(step);
        }
    }
    let mut free = vec![sum.elapsed; usize::try_from(PEOPLE).unwrap_or(1)];
    let mut clock: BTreeMap<Option<&str>, u32> = BTreeMap::new();
    for (place, total) in &jobs {
        if let Some(person) = free.iter_mut().min() {
            clock.insert(*place, *person);
            *person += total;
        }
    }
    for step in stretch {
        let from = clock.entry(step.server.as_deref()).or_insert(sum.elapsed);
        let to = *from + minutes(step);
        spans.push(Span { from: *from, to });
        *from = to;
    }
    sum.elapsed = free.into_iter().max().unwrap_or(sum.elapsed);
    sum.critical += jobs.iter().map(|(_, total)| *total).max().unwrap_or(0);
    sum.work += jobs.iter().map(|(_, total)| *total).sum::<u32>();
}

fn phases(steps: &[Step], spans: &[Span], start: Option<&Moment>) -> Vec<PhaseRecord> {
    let mut found: Vec<(Phase, u32, Span)> = Vec::new();
    for (step, span) in steps.iter().zip(spans) {
        match found.last_mut() {
            Some((phase, _, whole)) if *phase == step.phase => {
                whole.from = whole.from.min(span.from);
                whole.to = whole.to.max(span.to);
            }
            _ => found.push((step.phase, step.number.phase, *span)),
        }
    }
    found
        .into_iter()
        .map(|(name, number, span)| PhaseRecord {
            number,
            name,
            in_window: name.in_window(),
            minutes: span.to - span.from,
            starts: start
                .filter(|_| name.in_window())
                .map(|start| start.plus(i64::from(span.from)).stamp()),
        })
        .collect()
}

/// One interval per function, as its users see it: from the first step that leads them elsewhere or takes it away to the
/// last that gives it back.
fn outages(steps: &[Step], spans: &[Span], start: Option<&Moment>) -> Vec<Outage> {
    let timed = || steps.iter().zip(spans);
    let stamp = |minute: u32| start.map(|start| start.plus(i64::from(minute)).stamp());
    Function::ALL
        .iter()
        .filter_map(|&function| {
            let breaks = || timed().filter(|(step, _)| step.breaks.contains(&function));
            breaks().next()?;
            let from = timed()
                .filter(|(step, _)| step.breaks.contains(&function) || step.moves_away.contains(&function))
                .map(|(step, span)| (span.from, step.number))
                .min()?;
            let last: StepNumber = breaks().map(|(step, _)| step.number).max()?;
            let until = timed()
                .filter(|(step, _)| step.restores.contains(&function) && step.number >= last)
                .map(|(step, span)| (span.to, step.number))
                .max()?;
            Some(Outage {
                function,
                from: from.1,
                until: until.1,
                starts: stamp(from.0),
                ends: stamp(until.0),
                minutes: until.0.saturating_sub(from.0),
            })
        })
        .collect()
}
