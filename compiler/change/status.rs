//! Whether a server still is what the last apply made it. Writes nothing.
//!
//! This file must not know how a change is made.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::digest::Digest;

use super::disk::Disk;
use super::file::Target;
use super::history::{History, Standing};
use super::journal::{Journal, Reading, Record};
use super::server::Server;
use super::state::State;

/// How a server stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
    fn words(self) -> &'static str {
        match self {
            Self::None => "as cbgen left it",
            Self::Changed => "CHANGED by someone",
            Self::Removed => "REMOVED by someone",
            Self::Made => "MADE by someone",
            Self::Unreadable => "cannot be read",
        }
    }
}

impl Status {
    /// Whether something is not as the last apply left it, or a run has not ended.
    pub fn has_findings(&self) -> bool {
        !self.damage.is_empty()
            || self.files.iter().any(|file| file.drift != Drift::None)
            || self
                .runs
                .iter()
                .any(|run| !matches!(run.standing, Standing::Done | Standing::Undone))
    }

    /// The JSON text.
    pub fn to_text(&self) -> String {
        // Strings, numbers and lists of them always have a JSON form.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
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
            let _ = writeln!(out, "  {}: {}", file.path, file.drift.words());
        }
        out
    }
}

/// Looks at a server.
pub fn status(server: &Server, disk: &dyn Disk, states: &[State]) -> std::io::Result<Status> {
    let mut status = Status {
        format: 1,
        place: server.place.clone(),
        running: None,
        runs: Vec::new(),
        files: Vec::new(),
        damage: Vec::new(),
    };
    let mut files: BTreeMap<String, (String, Option<Digest>)> = BTreeMap::new();
    for state in states {
        if let Some(running) = state.busy(disk) {
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
        status.damage.extend(forgotten(state, disk, &journal.reading));
        add(&mut status, &mut files, &journal.reading);
    }
    status.runs.sort_by_key(|run| run.run);
    for (path, expected) in files.into_values() {
        let target = Target::of(server, disk, &path);
        let (drift, found) = match (target.digest(disk), expected) {
            (Err(_), _) => (Drift::Unreadable, None),
            (Ok(found), expected) if found == expected => (Drift::None, found),
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

/// What the copies beside the journal tell of a run that the journal does not: it was emptied, cut or removed.
fn forgotten(state: &State, disk: &dyn Disk, reading: &Reading) -> Option<String> {
    // A journal that was damaged and began anew says so itself.
    let mut lines = reading.lines.iter();
    if lines.any(|line| matches!(line.record, Record::Damaged { .. })) {
        return None;
    }
    let meanings = state.meanings(disk);
    let lost = meanings
        .iter()
        .find(|meaning| reading.lines.iter().all(|line| line.run != meaning.run))?;
    Some(format!(
        r"{}\journal.jsonl says nothing of run {}, which the copies beside it know: it was emptied, cut or removed. `cbgen rollback` goes back by the copies",
        state.windows, lost.run
    ))
}

fn add(status: &mut Status, files: &mut BTreeMap<String, (String, Option<Digest>)>, reading: &Reading) {
    let history = History::of(&reading.lines);
    let names = |run: u64| {
        reading.lines.iter().find_map(|line| {
            if let Record::Begin { bundle, version, .. } = &line.record
                && line.run == run
            {
                Some(format!("{bundle} {version}"))
            } else {
                None
            }
        })
    };
    status.runs.extend(history.runs.iter().map(|run| RunStatus {
        run: run.number,
        bundle: names(run.number).unwrap_or_default(),
        place: run.place.clone(),
        began: run.began.clone(),
        user: run.user.clone(),
        standing: run.standing,
        not_undone: run.not_undone.clone(),
    }));
    for line in &reading.lines {
        let (path, digest) = if let Record::Did { file, .. } = &line.record {
            (&file.path, Some(file.new))
        } else if let Record::Undid { path, now, .. } = &line.record {
            (path, *now)
        } else {
            continue;
        };
        files.insert(super::history::key(path), (path.clone(), digest));
    }
}
