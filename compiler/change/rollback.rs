//! The command that goes back: finds the run to take back, whatever the journal looks like, and takes it back.
//!
//! Nothing is touched before every file of the run was looked at: where someone changed one since, nothing is done until that
//! is decided. This file must not need the bundle; what it needs was kept when the bundle was applied.

use std::io;

use crate::codes;
use crate::report::counted;

use super::apply::{busy, journal_failed, left, run_unfinished, state_failed};
use super::disk::Disk;
use super::history::{History, Run, Standing};
use super::journal::{Journal, Line, Meant, Record};
use super::machine::Machine;
use super::problem::Problem;
use super::records;
use super::room::{Room, who};
use super::server::Server;
use super::state::{Running, State};
use super::steps::{DEPLOYMENT, Package};
use super::tools;
use super::undo::{Order, go_back, going_back_text, obstacles, standing};

/// How going back ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// There was nothing to take back; nothing was written.
    Nothing,
    /// Files and scripts are taken back; these steps are left to a person.
    Back {
        /// Number of the run.
        run: u64,
        /// Steps that were done by hand.
        by_hand: usize,
        /// Steps that were left as they are, as asked.
        kept: usize,
    },
    /// Nothing was touched.
    Refused(Vec<Problem>),
    /// Some of it is taken back, these are not.
    Incomplete(Vec<Problem>),
}

/// What is needed to go back.
#[derive(Clone, Copy)]
pub struct Way<'a> {
    /// The server.
    pub server: &'a Server,
    /// Its disk.
    pub disk: &'a dyn Disk,
    /// The machine.
    pub machine: &'a dyn Machine,
    /// The bundle, when it was named: lost scripts are taken from it.
    pub package: Option<&'a dyn Package>,
    /// Steps whose files may be overwritten although someone changed them.
    pub overwrite: &'a [String],
    /// Steps that are not taken back.
    pub leave: &'a [String],
}

/// The run to take back.
struct Found {
    run: Run,
    /// What is wrong with the journal.
    damage: Option<String>,
    /// How every run began, what it did and how it stands, for a journal that cannot tell.
    runs: Vec<(Line, Vec<Line>, Standing)>,
}

/// Finds the run, with what is known of it from the journal and from beside it; `None` when every run is taken back. `Err` is why
/// that cannot be known.
fn find(way: &Way<'_>, state: &State, journal: &Journal) -> Result<Option<Found>, Vec<Problem>> {
    let meanings = state
        .meanings(way.disk)
        .map_err(|error| vec![state_failed(&state.windows, &error)])?;
    let known = History::of(&journal.reading.lines);
    let is_unknown = |meaning: &&Line| known.runs.iter().all(|run| run.number != meaning.run);
    let mut missing = meanings.lost.clone();
    missing.retain(|number| known.runs.iter().all(|run| run.number != *number));
    let lost = missing.iter().max().copied();
    missing.extend(meanings.begins.iter().filter(is_unknown).map(|begin| begin.run));
    missing.sort_unstable();
    let damage = match (journal.reading.damage.first(), missing.as_slice()) {
        (Some((line, why)), _) => Some(format!("line {line}: {why}")),
        (None, []) => None,
        (None, missing) => {
            let numbers: Vec<String> = missing.iter().map(ToString::to_string).collect();
            Some(format!("it does not know of run {}", numbers.join(", ")))
        }
    };
    let Some(damage) = damage else {
        return Ok(known.last().map(|run| Found {
            run: run.clone(),
            damage: None,
            runs: Vec::new(),
        }));
    };
    // What each run meant stands first, then every line that can be read.
    let is_begin = |line: &&Line| matches!(line.record, Record::Begin { .. });
    let mut begins = meanings.begins;
    for line in journal.reading.lines.iter().filter(is_begin) {
        if begins.iter().all(|begin| begin.run != line.run) {
            begins.push(line.clone());
        }
    }
    begins.sort_by_key(|begin| begin.run);
    // A garbled line may still read well and name another file: only what a run meant to change is its own.
    let is_meant = |line: &&Line| {
        let (Record::Intent { step, file, .. } | Record::Did { step, file, .. }) = &line.record else {
            return true;
        };
        begins.iter().any(|begin| {
            let Record::Begin { steps, .. } = &begin.record else {
                return false;
            };
            let names = |meant: &Meant| {
                meant.step == *step && meant.file.as_ref().is_some_and(|meant| meant.path == file.path)
            };
            begin.run == line.run && steps.iter().any(names)
        })
    };
    // Evidence repeats lines of the journal, so what the journal lost may stand there.
    let mut others: Vec<Line> = Vec::new();
    for begin in &begins {
        others.extend(state.evidence_of(way.disk, begin.run));
    }
    for line in &journal.reading.lines {
        let is_it =
            |other: &Line| other.run == line.run && other.record == line.record && other.at == line.at;
        if !others.iter().any(is_it) {
            others.push(line.clone());
        }
    }
    others.retain(|line| !is_begin(&line) && is_meant(&line));
    others.sort_by_key(|line| line.n);
    let history = History::of(begins.iter().chain(&others));
    let run = history.last().or_else(|| history.runs.last());
    if let Some(lost) = lost.filter(|lost| run.is_none_or(|run| run.number < *lost)) {
        return Err(vec![run_lost(state, lost)]);
    }
    let Some(mut run) = run.cloned() else {
        return Ok(None);
    };
    run.first = 0;
    let standing = |number: u64| {
        let run = history.runs.iter().find(|run| run.number == number);
        run.map_or(Standing::Interrupted, |run| run.standing)
    };
    let runs = begins.into_iter().map(|begin| {
        let standing = standing(begin.run);
        let did = others
            .iter()
            .filter(|line| line.run == begin.run && is_deed(&line.record));
        let did = did.filter(|_| standing != Standing::Undone).cloned().collect();
        (begin, did, standing)
    });
    Ok(Some(Found {
        damage: Some(damage),
        runs: runs.collect(),
        run,
    }))
}

/// Whether a record says what a run did, and not how it went on or back.
fn is_deed(record: &Record) -> bool {
    matches!(
        record,
        Record::Already { .. }
            | Record::Intent { .. }
            | Record::Did { .. }
            | Record::Started { .. }
            | Record::Ended { .. }
            | Record::Overdue { .. }
            | Record::Confirmed { .. }
    )
}

/// That the newest run cannot be taken back because nothing tells what it did.
fn run_lost(state: &State, lost: u64) -> Problem {
    Problem::new(
        codes::JOURNAL_DAMAGED,
        format!(
            r"nothing tells what run {lost}, the newest one here, did: the journal does not know it, and {}\runs\{lost:04}.json and its evidence cannot be read",
            state.windows
        ),
        &format!(
            r"nothing was touched. Put the evidence of that night, evidence\run-{lost:04}.jsonl, there again from the change record; or go back by hand after GOING-BACK.txt in that folder, then move both files of run {lost} away"
        ),
    )
}

/// Why this run is not taken back here, where it is of another place: who names one server must not take back another.
fn elsewhere(way: &Way<'_>, run: &Run) -> Option<Problem> {
    let place = &way.server.place;
    if run.place.eq_ignore_ascii_case(place) {
        return None;
    }
    let option = if run.place.eq_ignore_ascii_case(DEPLOYMENT) {
        "`--deployment`".to_owned()
    } else {
        format!("`--server {}`", run.place)
    };
    Some(Problem::new(
        codes::RUN_UNFINISHED,
        format!(
            "run {}, the last one here, is of {} and not of {place}",
            run.number, run.place
        ),
        &format!("runs go back in the order they were made, the last one first: take it back with {option}"),
    ))
}

/// A newer run of another bundle or version that was not taken back: it may have changed the same files after this one.
fn newer(way: &Way<'_>, state: &State, run: &Run) -> io::Result<Option<Problem>> {
    for (other, history) in state.others(way.server, way.disk)? {
        if let Some(newer) = history.last().filter(|newer| newer.number > run.number) {
            let why = format!(
                "is newer than run {} and not taken back; it is kept in {}",
                run.number, other.windows
            );
            let help = "runs go back in the order they were made, the last one first: `cbgen rollback` without a bundle takes it back";
            return Ok(Some(run_unfinished(newer, &why, help)));
        }
    }
    Ok(None)
}

/// Steps that were named and that the run does not have: a wrong number must not pass in silence.
fn unknown_steps(way: &Way<'_>, run: &Run) -> Vec<Problem> {
    let named = [("--overwrite", way.overwrite), ("--leave", way.leave)];
    let named = named
        .into_iter()
        .flat_map(|(option, steps)| steps.iter().map(move |step| (option, step)));
    let is_unknown = |step: &String| run.steps.iter().all(|meant| meant.step != *step);
    let unknown = named.filter(|(_, step)| is_unknown(step)).map(|(option, step)| {
        Problem::new(
            codes::UNKNOWN_STEP,
            format!("run {} has no step {step}, which `{option}` names", run.number),
            "`cbgen rollback` without the option names the steps that need one; GOING-BACK.txt in the state folder lists all steps",
        )
    });
    unknown.collect()
}

/// Takes back the last run that was not taken back.
pub fn rollback(way: &Way<'_>, state: &State) -> End {
    unlocked(way, state).unwrap_or_else(End::Refused)
}

/// `Err` is why nothing was touched.
fn unlocked(way: &Way<'_>, state: &State) -> Result<End, Vec<Problem>> {
    let failed = |error: io::Error| vec![state_failed(&state.windows, &error)];
    if !state.is_there(way.disk).map_err(failed)? {
        return Err(vec![nothing_known(way.server, &state.windows)]);
    }
    // Looked at without a lock first: where nothing is to do, nothing is written.
    let journal = Journal::open(way.disk, state.journal()).map_err(failed)?;
    if find(way, state, &journal)?.is_none() {
        records::complete_alone(state, way.disk, way.machine);
        return Ok(End::Nothing);
    }
    let held = state.lock(way.disk).map_err(failed)?;
    let held = held.map_err(|running| vec![busy(running.as_ref())])?;
    let running = Running {
        command: "rollback".to_owned(),
        bundle: state.windows.clone(),
        since: way.machine.now(),
        by: who(way.machine),
    };
    // Who works here is said when there is room to say it; going back must not depend on that.
    drop(state.say_running(way.disk, &running));
    let end = locked(way, state);
    drop(state.say_done(way.disk));
    drop(held);
    end
}

/// That nothing is known here.
pub fn nothing_known(server: &Server, folder: &str) -> Problem {
    Problem::new(
        codes::NOTHING_KNOWN,
        format!(
            "nothing is known of a change on {}: there is no journal below `{folder}`",
            server.place
        ),
        "is this the right server and the right bundle? If the folder was removed, apply the bundle again: what is done stays done",
    )
}

/// The same for who holds the lock.
fn locked(way: &Way<'_>, state: &State) -> Result<End, Vec<Problem>> {
    let failed = |error: io::Error| vec![state_failed(&state.windows, &error)];
    let journal = Journal::open(way.disk, state.journal()).map_err(failed)?;
    let Some(found) = find(way, state, &journal)? else {
        return Ok(End::Nothing);
    };
    if let Some(problem) = elsewhere(way, &found.run) {
        return Err(vec![problem]);
    }
    if let Some(problem) = newer(way, state, &found.run).map_err(failed)? {
        return Err(vec![problem]);
    }
    let unknown = unknown_steps(way, &found.run);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let mut room = Room {
        server: way.server,
        disk: way.disk,
        machine: way.machine,
        state: state.clone(),
        journal,
        run: found.run.number,
        journal_failed: None,
    };
    let order = Order {
        run: &found.run,
        since: found.run.first,
        lost_lines: found.damage.is_some(),
        why: "rollback".to_owned(),
        overwrite: way.overwrite,
        leave: way.leave,
        shell: tools::find(way.server, way.disk, way.machine, "cmd.exe"),
    };
    unpack_again(way, &room, &found.run);
    let problems = obstacles(&room, &order);
    if !problems.is_empty() {
        return Err(problems);
    }
    if let Some(problem) = new_journal(&mut room, &found) {
        return Err(vec![problem]);
    }
    let began = &found.run.began;
    room.say(&format!(
        "rollback of run {}, begun {began} by {}",
        room.run, found.run.user
    ));
    for (_, step, code) in &found.run.scripts {
        if code.is_none() && !found.run.scripts_undone.contains(step) {
            room.say(&format!("{step}  its script was started, and nobody knows whether it has ended; where it still runs, end it and take it back once more"));
        }
    }
    let outcome = go_back(&mut room, &order);
    let text = going_back_text(way.server, &standing(&room.history(), 0));
    // Of use where cbgen is not; the files are back, so a disk that is full now is no failure.
    drop(room.state.put_going_back(way.disk, &text));
    let seal = room.put_evidence();
    for (step, lines) in &outcome.by_hand {
        room.say(&format!("{step}  was done by hand, and is taken back by hand:"));
        for line in lines {
            room.detail(line);
        }
    }
    let mut problems = left(&outcome);
    problems.extend(journal_failed(&room));
    if problems.is_empty() {
        room.say(&format!(
            "run {} is taken back: {}, {}{}",
            room.run,
            counted(outcome.files.len(), "file"),
            counted(outcome.scripts, "script"),
            match outcome.kept.as_slice() {
                [] => String::new(),
                kept => format!("; left as asked: {}", kept.join(", ")),
            }
        ));
    } else {
        room.say(&format!("run {} is NOT taken back as a whole", room.run));
    }
    room.tell_seal(seal);
    Ok(if problems.is_empty() {
        End::Back {
            run: room.run,
            by_hand: outcome.by_hand.len(),
            kept: outcome.kept.len(),
        }
    } else {
        End::Incomplete(problems)
    })
}

/// Sets a damaged journal aside and begins a new one with what each run meant and how it stands. `Some` is why that failed.
fn new_journal(room: &mut Room<'_>, found: &Found) -> Option<Problem> {
    let why = found.damage.clone()?;
    let renewed = (|| {
        let kept_as = match room.disk.look(&room.state.journal())? {
            Some(_) => Some(room.state.set_aside(room.disk)?),
            None => None,
        };
        room.journal = Journal::open(room.disk, room.state.journal())?;
        for (begin, did, standing) in &found.runs {
            let run = begin.run;
            let mut add = |at: &str, record: Record| room.journal.add(room.disk, run, at.to_owned(), record);
            add(&begin.at, begin.record.clone())?;
            for line in did {
                add(&line.at, line.record.clone())?;
            }
            let last = did.last().map_or(&begin.at, |line| &line.at);
            match standing {
                Standing::Done if run != room.run => add(last, Record::Done)?,
                Standing::Undone if run != room.run => add(
                    last,
                    Record::UndoEnd {
                        complete: true,
                        left: Vec::new(),
                    },
                )?,
                Standing::Done
                | Standing::Undone
                | Standing::Paused
                | Standing::Interrupted
                | Standing::GoingBack => {}
            }
        }
        room.record(Record::Damaged {
            kept_as: kept_as.clone(),
            why: why.clone(),
        })?;
        Ok::<_, io::Error>(kept_as)
    })();
    match renewed {
        Ok(kept_as) => {
            room.say(&match kept_as {
                Some(name) => {
                    format!("the journal is damaged ({why}); it is kept as {name}, and the files tell")
                }
                None => format!("the journal is missing ({why}); the files tell"),
            });
            None
        }
        Err(error) => Some(state_failed(&room.state.windows, &error)),
    }
}

/// Puts scripts that were lost in their place again, where the bundle is at hand. What is missing then is told by the step
/// that needs it.
fn unpack_again(way: &Way<'_>, room: &Room<'_>, run: &Run) {
    let package = way.package.filter(|package| package.seal() == run.seal);
    if way.package.is_some() && package.is_none() {
        room.say(&format!(
            "the bundle that was named is another build than that of run {}; what is kept here is used",
            run.number
        ));
    }
    for (path, digest) in &run.bundle {
        let bytes = match package {
            Some(package) => package.read(path).ok(),
            // Another build of the same version had put its own file there.
            None => room.state.load(way.disk, *digest).ok(),
        };
        if let Some(bytes) = bytes {
            drop(room.state.unpack(way.disk, path, &bytes));
        }
    }
}
