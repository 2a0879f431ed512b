//! Whether a server still is what the last apply made it. Writes nothing.
//!
//! This file must not know how a change is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::digest::Digest;
use crate::json;

use super::disk::Disk;
use super::file::Target;
use super::history::{History, Standing};
use super::journal::{FileIntent, Journal, Reading, Record};
use super::records::{Kept, of_ended_runs};
use super::server::Server;
use super::state::State;
use super::stillborn::stillborn;

/// How a server stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Status {
    /// Version of this format: 1.
    pub format: u32,
    /// The server.
    pub place: String,
    /// What works on it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<String>,
    /// Runs that are known, in order.
    pub runs: Vec<RunStatus>,
    /// Files that cbgen changed, in order of paths.
    pub files: Vec<FileStatus>,
    /// What does not fit in a journal.
    pub damage: Vec<String>,
    /// Files whose old content is kept no longer, so `rollback` cannot put it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_copies: Vec<String>,
    /// Evidence of runs that have ended and that is not finished: `apply` and `rollback` finish it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished_evidence: Vec<String>,
    /// Evidence of runs that have ended and that somebody changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_evidence: Vec<String>,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunStatus {
    /// Number.
    pub run: u64,
    /// Bundle and version.
    pub bundle: String,
    /// Server or deployment.
    pub place: String,
    /// When it began.
    pub began: String,
    /// Who began it.
    pub user: String,
    /// How it stands.
    pub standing: Standing,
    /// Steps that are left after going back, with their reasons.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_undone: BTreeMap<String, String>,
}

/// How a file stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileStatus {
    /// The file.
    pub path: String,
    /// What it is.
    pub drift: Drift,
    /// What it was when cbgen last touched it; absent for no file.
    pub expected: Option<Digest>,
    /// What it is now.
    pub found: Option<Digest>,
}

/// How a file differs from what cbgen left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// Not at all.
    None,
    /// Someone changed it.
    Changed,
    /// Someone removed it.
    Removed,
    /// Someone made it.
    Made,
    /// It cannot be read.
    Unreadable,
}

impl Drift {
    /// With a damaged journal nobody knows who it was.
    fn words(self, is_damaged: bool) -> &'static str {
        match self {
            Self::None => "as cbgen left it",
            Self::Unreadable => "cannot be read",
            Self::Changed | Self::Removed | Self::Made if is_damaged => {
                "not what the journal says, which is damaged; compare it with the bundle"
            }
            Self::Changed => "CHANGED by someone",
            Self::Removed => "REMOVED by someone",
            Self::Made => "MADE by someone",
        }
    }
}

impl Status {
    /// Whether something is not as the last apply left it, or a run has not ended.
    pub fn has_findings(&self) -> bool {
        !self.damage.is_empty()
            || !self.changed_evidence.is_empty()
            || !self.lost_copies.is_empty()
            || self.files.iter().any(|file| file.drift != Drift::None)
            || self
                .runs
                .iter()
                .any(|run| !matches!(run.standing, Standing::Done | Standing::Undone))
    }

    /// The JSON text.
    pub fn to_text(&self) -> String {
        json::pretty(self)
    }

    /// The text for people.
    pub fn to_table(&self) -> String {
        let mut out = format!("{}\n", self.place);
        if let Some(running) = &self.running {
            let _ = writeln!(out, "works on it now: {running}");
        }
        for line in &self.damage {
            let _ = writeln!(out, "damaged: {line}");
        }
        for name in &self.lost_copies {
            let _ = writeln!(out, "no way back: the saved copy {name}");
        }
        for name in &self.changed_evidence {
            let _ = writeln!(
                out,
                "CHANGED by someone: the evidence {name}; `cbgen verify --evidence` names the lines"
            );
        }
        for name in &self.unfinished_evidence {
            let _ = writeln!(
                out,
                "not finished: the evidence {name}; the next `cbgen apply` or `cbgen rollback` of its bundle finishes it"
            );
        }
        out.push_str("\nRuns\n");
        for run in &self.runs {
            let standing = match run.standing {
                Standing::Done => "done",
                Standing::Paused => "WAITS for a person; `apply` goes on",
                Standing::Interrupted => "INTERRUPTED; `apply` goes on, `rollback` goes back",
                Standing::GoingBack => "HALF TAKEN BACK; `rollback` goes on",
                Standing::Undone => "taken back",
            };
            let _ = writeln!(
                out,
                "  {:>4}  {}  {} on {}, by {}: {standing}",
                run.run, run.began, run.bundle, run.place, run.user
            );
            for (step, why) in &run.not_undone {
                let _ = writeln!(out, "        step {step} was not taken back: {why}");
            }
        }
        let drifted: Vec<&FileStatus> = self
            .files
            .iter()
            .filter(|file| file.drift != Drift::None)
            .collect();
        let _ = writeln!(
            out,
            "\nFiles: {} as cbgen left them, {} not",
            self.files.len() - drifted.len(),
            drifted.len()
        );
        for file in drifted {
            let words = file.drift.words(!self.damage.is_empty());
            let _ = writeln!(out, "  {}: {words}", file.path);
        }
        out
    }
}

/// Looks at a server.
pub fn status(server: &Server, disk: &dyn Disk, states: &[State]) -> std::io::Result<Status> {
    let mut status = Status {
        format: 1,
        place: server.place.clone(),
        ..Status::default()
    };
    let mut files: BTreeMap<String, Expected> = BTreeMap::new();
    for state in states {
        let running = state.busy(disk);
        let is_running = running.is_some();
        if let Some(running) = running {
            status.running = Some(running.map_or_else(
                || "a cbgen that has not said who it is".to_owned(),
                |running| {
                    format!(
                        "`cbgen {}` of {} since {}, started by {}",
                        running.command, running.bundle, running.since, running.by.user
                    )
                },
            ));
        }
        let journal = Journal::open(disk, state.journal())?;
        let damage = journal.reading.damage.iter();
        status.damage.extend(
            damage.map(|(line, why)| format!(r"{}\journal.jsonl, line {line}: {why}", state.windows)),
        );
        // Whoever works on it now may be writing that line.
        if let Some(line) = journal.reading.torn.filter(|_| !is_running) {
            status.damage.push(torn(state, line));
        }
        status
            .damage
            .extend(forgotten(server, state, disk, &journal.reading)?);
        status
            .lost_copies
            .extend(lost_copies(state, disk, &journal.reading));
        if !is_running {
            for (run, kept) in of_ended_runs(state, disk, &journal.reading) {
                match kept {
                    Kept::Whole => {}
                    Kept::Unfinished => status.unfinished_evidence.push(state.evidence_name(run)),
                    Kept::Changed => status.changed_evidence.push(state.evidence_name(run)),
                }
            }
        }
        add(&mut status, &mut files, &journal.reading);
    }
    status.runs.sort_by_key(|run| run.run);
    status.place = place(&status);
    for Expected {
        path,
        last: expected,
        also,
        is_sure,
        ..
    } in files.into_values()
    {
        let target = Target::of(server, disk, &path);
        let found = target.digest(disk);
        if !is_sure && matches!(&found, Ok(found) if *found == expected) {
            // It was about to change, and did not.
            continue;
        }
        let (drift, found) = match (found, expected) {
            (Err(_), _) => (Drift::Unreadable, None),
            (Ok(found), expected) if found == expected || also.contains(&found) => (Drift::None, found),
            (Ok(None), _) => (Drift::Removed, None),
            (Ok(found), None) => (Drift::Made, found),
            (Ok(found), Some(_)) => (Drift::Changed, found),
        };
        status.files.push(FileStatus {
            path,
            drift,
            expected,
            found,
        });
    }
    Ok(status)
}

/// A last line without its end: what it said is lost, and what is known anyhow.
fn torn(state: &State, line: usize) -> String {
    format!(
        r"{}\journal.jsonl, line {line}: it ends in the middle, after a power cut or because somebody cut it. Files are compared with what the lines before it say; a file that was just being changed may be the old or the new one. `cbgen apply` or `cbgen rollback` goes on from there",
        state.windows
    )
}

/// Saved copies that going back needs and that are not there, each with its file. What is in them is looked at by `rollback`.
fn lost_copies(state: &State, disk: &dyn Disk, reading: &Reading) -> Vec<String> {
    let history = History::of(&reading.lines);
    let runs = history.runs.iter().filter(|run| run.standing != Standing::Undone);
    let mut seen = BTreeSet::new();
    let mut lost = Vec::new();
    let files = runs.flat_map(|run| run.files.iter().map(move |(_, _, file)| (run.number, file)));
    for (run, file) in files {
        // Of the steps of a run on a file the first has what was there before.
        let name = (run, super::history::key(&file.path));
        let Some(old) = file.old.filter(|_| seen.insert(name)) else {
            continue;
        };
        if matches!(disk.look(&state.saved(old)), Ok(None)) {
            lost.push(format!(
                r"{}\saved\{old} of {} is not there",
                state.windows, file.path
            ));
        }
    }
    lost
}

/// The name in the heading: the server that was asked for, where a run is of it. A copy of a server is looked at on a computer
/// of another name.
fn place(status: &Status) -> String {
    let is_here = |run: &RunStatus| run.place.eq_ignore_ascii_case(&status.place);
    if status.runs.iter().any(is_here) {
        return status.place.clone();
    }
    let places: BTreeSet<&str> = status.runs.iter().map(|run| run.place.as_str()).collect();
    if places.is_empty() {
        status.place.clone()
    } else {
        Vec::from_iter(places).join(", ")
    }
}

/// What a file is expected to be.
struct Expected {
    path: String,
    /// What it was when cbgen last touched it.
    last: Option<Digest>,
    /// What else it may be, because the record of a change that began is not there.
    also: Vec<Option<Digest>>,
    /// Whether it was changed for certain.
    is_sure: bool,
    /// What it was before the run that changed it last.
    before: Option<(u64, Option<Digest>)>,
}

/// What the copies beside the journal tell of a run that the journal does not: it was emptied, cut or removed.
pub fn forgotten(
    server: &Server,
    state: &State,
    disk: &dyn Disk,
    reading: &Reading,
) -> std::io::Result<Option<String>> {
    // A journal that was damaged and began anew says so itself.
    let mut lines = reading.lines.iter();
    if lines.any(|line| matches!(line.record, Record::Damaged { .. })) {
        return Ok(None);
    }
    let meanings = state.meanings(disk)?;
    let unknown = |run: u64| reading.lines.iter().all(|line| line.run != run);
    if let Some(run) = meanings.lost.iter().find(|run| unknown(**run)) {
        return Ok(Some(format!(
            r"{}\journal.jsonl says nothing of run {run}, and what is kept of it in runs\ and evidence\ cannot be read. GOING-BACK.txt there may still say how to go back by hand",
            state.windows
        )));
    }
    let Some(lost) = meanings.begins.iter().find(|meaning| unknown(meaning.run)) else {
        return Ok(None);
    };
    if stillborn(server, state, disk, reading)? == Some(lost.run) {
        return Ok(None);
    }
    Ok(Some(format!(
        r"{}\journal.jsonl says nothing of run {}, which the copies beside it know: it was emptied, cut or removed. `cbgen rollback` goes back by the copies",
        state.windows, lost.run
    )))
}

fn add(status: &mut Status, files: &mut BTreeMap<String, Expected>, reading: &Reading) {
    let history = History::of(&reading.lines);
    status.runs.extend(history.runs.iter().map(|run| RunStatus {
        run: run.number,
        bundle: run.of.clone(),
        place: run.place.clone(),
        began: run.began.clone(),
        user: run.user.clone(),
        standing: run.standing,
        not_undone: run.not_undone.clone(),
    }));
    for line in &reading.lines {
        if let Record::Intent { file, .. } = &line.record {
            meant(files, line.run, file);
        } else if let Record::Did { file, .. } = &line.record {
            sure(files, &file.path, Some(file.new));
        } else if let Record::Undid { path, now, .. } = &line.record {
            sure(files, path, *now);
        } else if let Record::UndoBegin { .. } = &line.record {
            // Going back has no record before a file changes.
            for expected in files.values_mut() {
                let before = expected.before.filter(|(run, _)| *run == line.run);
                expected.also.extend(before.map(|(_, before)| before));
            }
        } else if let Record::UndoEnd { .. } = &line.record {
            for expected in files.values_mut() {
                expected.also.clear();
            }
        }
    }
    // A run that did not end may have gone back, and have had no room to say so.
    let is_open = |run: u64| {
        let run = history.runs.iter().find(|known| known.number == run);
        run.is_some_and(|run| matches!(run.standing, Standing::Interrupted | Standing::GoingBack))
    };
    for expected in files.values_mut() {
        let before = expected.before.filter(|(run, _)| is_open(*run));
        expected.also.extend(before.map(|(_, before)| before));
    }
    // Which of the changes that were wanted happened behind the damage, nobody knows.
    if reading.torn.is_some() || !reading.damage.is_empty() {
        for line in &reading.lines {
            if let Record::Begin { steps, .. } | Record::Resume { steps, .. } = &line.record {
                for file in steps.iter().filter_map(|step| step.file.as_ref()) {
                    meant(files, line.run, file);
                }
            }
        }
    }
}

/// A file is about to change.
fn meant(files: &mut BTreeMap<String, Expected>, run: u64, file: &FileIntent) {
    let expected = files
        .entry(super::history::key(&file.path))
        .or_insert_with(|| Expected {
            path: file.path.clone(),
            last: file.old,
            also: Vec::new(),
            is_sure: false,
            before: None,
        });
    expected.also.push(Some(file.new));
    if expected.before.is_none_or(|(before, _)| before != run) {
        expected.before = Some((run, file.old));
    }
}

/// A file is known to be this.
fn sure(files: &mut BTreeMap<String, Expected>, path: &str, now: Option<Digest>) {
    let key = super::history::key(path);
    let before = files.get(&key).and_then(|expected| expected.before);
    files.insert(
        key,
        Expected {
            path: path.to_owned(),
            last: now,
            also: Vec::new(),
            is_sure: true,
            before,
        },
    );
}
