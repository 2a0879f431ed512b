//! Carrying out a bundle on a server, step by step: look, save, write down, do, check.
//!
//! Nothing changes before everything that can be known was looked at, and no byte changes before the journal says so. The
//! first failure takes back what this run did. What is done already is skipped and said so. A run that was interrupted, or
//! that stopped for a person, goes on where it was. This file must not know how a command line looks.

mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::codes;

use super::disk::Held;
use super::history::{History, Run, Standing};
use super::journal::{Journal, Meant};
use super::machine::Secret;
use super::plan::{Desk, Outlook, Plan};
use super::problem::Problem;
use super::records;
use super::room::{Room, who};
use super::state::{Running, State};
use super::status::forgotten;
use super::steps::{Selection, is_script, secrets_of};
use super::stillborn;
use super::undo;
use run::Apply;

/// What is asked of a run.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Which steps.
    pub selection: Selection,
    /// Steps a person says are done, or whose needs at other places are met.
    pub done: Vec<String>,
    /// Steps without a way back that are accepted.
    pub one_way: Vec<String>,
    /// The plan that was looked at before.
    pub plan: Option<Plan>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was to do, and nothing was written.
    Nothing,
    /// Everything wanted is done.
    Done,
    /// It stopped in front of a step for a person.
    Waits,
    /// Nothing was changed, because of these.
    Refused(Vec<Problem>),
    /// A step failed. Whether everything of this run was taken back.
    Failed {
        /// Whether the server is as it was.
        is_back: bool,
        /// What is wrong.
        problems: Vec<Problem>,
    },
}

fn refused(problem: Problem) -> End {
    End::Refused(vec![problem])
}

/// That what is kept below `folder`, as the server calls it, cannot be used.
pub fn state_failed(folder: &str, error: &io::Error) -> Problem {
    let help = if error.kind() == io::ErrorKind::PermissionDenied {
        "only administrators and the account that applied a change may enter that folder: run this as one of them; nothing on the server was changed"
    } else {
        "look at that folder, its rights and its disk; nothing on the server was changed"
    };
    Problem::new(
        codes::STATE_FAILED,
        format!("what cbgen keeps below `{folder}` cannot be read or written: {error}"),
        help,
    )
}

/// A damaged journal, as a reason to stop.
pub fn damaged(journal: &Journal) -> Option<Problem> {
    let (line, why) = journal.reading.damage.first()?;
    Some(Problem::new(
        codes::JOURNAL_DAMAGED,
        format!("line {line} of the journal was changed: {why}"),
        "`cbgen rollback` goes back by the digests of the files and begins a new journal; then apply again",
    ))
}

/// Who holds the lock.
pub fn busy(running: Option<&Running>) -> Problem {
    let message = match running {
        Some(running) => format!(
            "`cbgen {}` of {} works on this server since {}, started by {} (process {})",
            running.command, running.bundle, running.since, running.by.user, running.by.process
        ),
        None => "another cbgen works on this server and has not said who it is yet".to_owned(),
    };
    Problem::new(
        codes::SERVER_BUSY,
        message,
        "wait until it has ended; the lock goes with its process",
    )
}

/// Carries out what is wanted.
pub fn apply(desk: &Desk<'_>, state: &State, wish: &Wish) -> End {
    // Without a lock first: where nothing is to do, nothing is written at all.
    let work = desk.look(&wish.selection);
    if let Some(end) = before_anything(desk, wish, &work) {
        if end == End::Nothing {
            records::complete_alone(state, desk.disk, desk.machine);
        }
        return end;
    }
    let failed = |error: &io::Error| refused(state_failed(&state.windows, error));
    let held = match state.lock(desk.disk) {
        Ok(Ok(held)) => held,
        Ok(Err(running)) => return refused(busy(running.as_ref())),
        Err(error) => return failed(&error),
    };
    let running = Running {
        command: "apply".to_owned(),
        bundle: format!("{} {}", work.bundle, work.version),
        since: desk.machine.now(),
        by: who(desk.machine),
    };
    let end = match state.say_running(desk.disk, &running) {
        Ok(()) => locked(desk, state, wish, &held).unwrap_or_else(|error| failed(&error)),
        Err(error) => failed(&error),
    };
    // The lock says that nobody works here; the name that stays behind harms nobody.
    drop(state.say_done(desk.disk));
    drop(held);
    end
}

/// What ends a run before anything is written.
fn before_anything(desk: &Desk<'_>, wish: &Wish, plan: &Plan) -> Option<End> {
    if let Some(planned) = &wish.plan {
        // With everything that is shown: what a person agreed to is what was read.
        let moved = desk.plan(&wish.selection).moved_since(planned);
        if !moved.is_empty() {
            let problems = moved.into_iter().map(|why| {
                Problem::new(
                    codes::SERVER_MOVED,
                    why,
                    "look at a new plan: `cbgen plan … -o FILE`",
                )
            });
            return Some(End::Refused(problems.collect()));
        }
    }
    if plan.is_blocked() {
        return Some(End::Refused(plan.obstacles()));
    }
    let one_way: Vec<Problem> = plan
        .steps
        .iter()
        .filter(|step| step.one_way && step.outlook != Outlook::Nothing)
        .filter(|step| !wish.one_way.contains(&step.number.to_string()))
        .map(|step| {
            let number = step.number;
            Problem::new(
                codes::ONE_WAY,
                format!("step {number}, {}, has no way back", step.title),
                &format!(
                    "add `--accept-one-way {number}` when that is accepted, or end before it with `--until`"
                ),
            )
        })
        .collect();
    if !one_way.is_empty() {
        return Some(End::Refused(one_way));
    }
    let place = &desk.server.place;
    if let Some(run) = desk.history.in_the_way(place) {
        let why = format!("is of {} and has not ended", run.place);
        let help = "end it first, or take it back with `cbgen rollback`";
        return Some(refused(run_unfinished(run, &why, help)));
    }
    let open = desk.history.open(place);
    if let Some(problem) = open.and_then(|run| unfinished(desk, run).or_else(|| left_out(desk, wish, run))) {
        return Some(refused(problem));
    }
    if plan.is_pending() || open.is_some() {
        return None;
    }
    for problem in plan.obstacles() {
        desk.machine
            .say(&format!("{}: {}", problem.words(), problem.message));
    }
    Some(End::Nothing)
}

/// That a run which stands here is in the way.
pub fn run_unfinished(run: &Run, why: &str, help: &str) -> Problem {
    let message = format!("{}, {why}", run.named());
    Problem::new(codes::RUN_UNFINISHED, message, help)
}

/// An open run that this one cannot go on with.
fn unfinished(desk: &Desk<'_>, run: &Run) -> Option<Problem> {
    let (why, help) = if run.standing == Standing::GoingBack {
        ("is half taken back", "`cbgen rollback` goes on with that")
    } else if run.seal != desk.package.seal() {
        (
            "is of another build of this bundle and has not ended",
            "end it with that build, or take it back with `cbgen rollback`",
        )
    } else {
        return None;
    };
    Some(run_unfinished(run, why, help))
}

/// Steps of an open run that would be left out and counted as done with it.
fn left_out(desk: &Desk<'_>, wish: &Wish, run: &Run) -> Option<Problem> {
    let chosen: BTreeSet<String> = desk
        .chosen(&wish.selection)
        .iter()
        .map(|step| step.number.to_string())
        .collect();
    if run.steps.iter().all(|meant| chosen.contains(&meant.step)) {
        return None;
    }
    let whole = desk.look(&Selection::default());
    let is_pending = |number: &str| {
        let mut steps = whole.steps.iter();
        steps.any(|step| step.number.to_string() == number && step.outlook != Outlook::Nothing)
    };
    let left = |meant: &&Meant| !chosen.contains(&meant.step) && is_pending(&meant.step);
    let first = run.steps.iter().find(left)?;
    let why = format!("has not come to step {}, {}", first.step, first.title);
    let help = "go on with it, with the words it was begun with, or take it back with `cbgen rollback`";
    Some(run_unfinished(run, &why, help))
}

/// A run of another bundle or version on this server that has not ended: what it changes may be what this one changes.
fn other_unfinished(desk: &Desk<'_>, state: &State) -> io::Result<Option<Problem>> {
    for (other, history) in state.others(desk.server, desk.disk)? {
        let is_open = |run: &&Run| !matches!(run.standing, Standing::Done | Standing::Undone);
        if let Some(run) = history.runs.iter().rev().find(is_open) {
            let why = format!(r"has not ended; its journal is {}\journal.jsonl", other.windows);
            let help = "end it with its own bundle, or take it back with `cbgen rollback` and that bundle";
            return Ok(Some(run_unfinished(run, &why, help)));
        }
    }
    Ok(None)
}

/// Errors: those of the disk before anything was changed.
fn locked(desk: &Desk<'_>, state: &State, wish: &Wish, _: &Held) -> io::Result<End> {
    let journal = Journal::open(desk.disk, state.journal())?;
    if let Some(problem) = damaged(&journal) {
        return Ok(refused(problem));
    }
    if let Some(why) = forgotten(desk.server, state, desk.disk, &journal.reading)? {
        return Ok(refused(Problem::new(
            codes::JOURNAL_DAMAGED,
            why,
            "`cbgen rollback` takes the runs back that it knows, the last one first, and begins a new journal; then apply again",
        )));
    }
    records::complete(state, desk.disk, desk.machine, &journal.reading);
    let history = History::of(&journal.reading.lines);
    // Somebody else may have worked here until the lock was taken.
    let desk = Desk {
        history: &history,
        ..*desk
    };
    let work = desk.look(&wish.selection);
    if let Some(end) = before_anything(&desk, wish, &work) {
        return Ok(end);
    }
    if let Some(problem) = other_unfinished(&desk, state)? {
        return Ok(refused(problem));
    }
    let secrets = match secrets(&desk, wish, &work) {
        Ok(secrets) => secrets,
        Err(problems) => return Ok(End::Refused(problems)),
    };
    stillborn::forget(desk.server, state, desk.disk, &journal.reading)?;
    let next = history
        .next_run()
        .max(State::highest_run(desk.server, desk.disk)? + 1);
    let open = history.open(&desk.server.place).map(|run| run.number);
    let mut apply = Apply {
        room: Room {
            server: desk.server,
            disk: desk.disk,
            machine: desk.machine,
            state: state.clone(),
            journal,
            run: open.unwrap_or(next),
            journal_failed: None,
        },
        desk: &desk,
        wish,
        secrets,
        scripts: BTreeMap::new(),
        manual: Vec::new(),
    };
    apply.begin(&work, open.is_some())?;
    let end = apply.steps(&work);
    let seal = apply.room.put_evidence();
    apply.tell(&end, seal);
    Ok(end)
}

/// The secrets that scripts need: from the environment, else from the person at the terminal.
fn secrets(desk: &Desk<'_>, wish: &Wish, plan: &Plan) -> Result<BTreeMap<String, Secret>, Vec<Problem>> {
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    let pending: BTreeSet<_> = plan
        .steps
        .iter()
        .filter(|step| step.outlook != Outlook::Nothing)
        .map(|step| step.number)
        .collect();
    for step in desk.chosen(&wish.selection) {
        let path = step
            .artifact
            .as_ref()
            .filter(|_| is_script(step) && pending.contains(&step.number));
        let Some(script) = path.and_then(|path| desk.package.read(path).ok()) else {
            continue;
        };
        for name in secrets_of(&script) {
            if found.contains_key(&name) {
                continue;
            }
            let from_environment = desk.machine.variable(&name).filter(|value| !value.is_empty());
            let secret = from_environment
                .map(Secret::new)
                .or_else(|| desk.machine.ask_secret(&name));
            match secret {
                Some(secret) => {
                    found.insert(name, secret);
                }
                None => missing.push(Problem::new(
                    codes::SECRET_MISSING,
                    format!("step {} needs the secret `{name}`", step.number),
                    "set it as a variable of the environment, or run at a terminal, where it is asked for",
                )),
            }
        }
    }
    if missing.is_empty() {
        Ok(found)
    } else {
        Err(missing)
    }
}

/// What was not taken back, as problems.
pub fn left(outcome: &undo::Ending) -> Vec<Problem> {
    let left = outcome.left.iter().map(|(step, why)| {
        Problem::new(
            codes::ROLLBACK_INCOMPLETE,
            format!("step {step} was not taken back: {why}"),
            &format!("mend the cause and run `cbgen rollback`; GOING-BACK.txt in the state folder says how to do it by hand, and `cbgen rollback --leave {step}` ends with that step as it is now"),
        )
    });
    left.collect()
}

/// That the journal could not be written while going back.
pub fn journal_failed(room: &Room<'_>) -> Option<Problem> {
    let error = room.journal_failed.as_ref()?;
    Some(Problem::new(
        codes::STATE_FAILED,
        format!(
            r"the journal, {}\journal.jsonl, could not be written: {error}",
            room.state.windows
        ),
        "mend that, which is most often room or rights, and run `cbgen rollback`: it looks at the files themselves and finishes journal and evidence",
    ))
}
