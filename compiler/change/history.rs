//! What a journal means: which runs there were, how each ended, and what is done.
//!
//! Files are judged by their digests; only what leaves no digest (scripts, work by hand) is known from here. This file must
//! not know the disk.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::digest::Digest;
use crate::contract::path::BundlePath;

use crate::contract::runbook::StepNumber;

use super::journal::{FileIntent, Line, Meant, Record};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Everything wanted was done.
    Done,
    /// It stopped in front of a step for a person.
    Paused,
    /// It ended without saying so.
    Interrupted,
    /// Going back began and has not ended, or not everything went back.
    GoingBack,
    /// Everything was taken back.
    Undone,
}

/// A run of `apply`, with what was taken back of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub number: u64,
    /// Number of its first line.
    pub first: u64,
    /// Name and version of its bundle.
    pub of: String,
    /// Digest of everything in its bundle.
    pub seal: Digest,
    /// Server or deployment.
    pub place: String,
    /// When it began.
    pub began: String,
    /// Who began it.
    pub user: String,
    /// How it stands.
    pub standing: Standing,
    /// The line behind which everything goes when a step fails: that of the last stop, or of the beginning.
    pub segment: u64,
    /// While going back: from which line.
    pub undo_since: Option<u64>,
    /// Steps it means to do.
    pub steps: Vec<Meant>,
    /// Files of the bundle that its scripts find beside them.
    pub bundle: BTreeMap<BundlePath, Digest>,
    /// Files it changed or was about to change, with the number of the line.
    pub files: Vec<(u64, String, FileIntent)>,
    /// Scripts it started: line, step and exit code where it is known.
    pub scripts: Vec<(u64, String, Option<i32>)>,
    /// What people confirmed.
    pub confirmed: Vec<(u64, String)>,
    /// Steps whose script has been taken back since.
    pub scripts_undone: BTreeSet<String>,
    /// Steps that could not be taken back, and why.
    pub not_undone: BTreeMap<String, String>,
}

/// Everything a journal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Runs in order.
    pub runs: Vec<Run>,
    /// What each file was when cbgen last touched it; the key ignores case.
    pub files: BTreeMap<String, Option<Digest>>,
}

/// The key of a file: Windows ignores case.
pub fn key(path: &str) -> String {
    path.to_lowercase()
}

/// Adds steps to those of a run, in the order of the runbook; what is known of a step stays.
pub fn merge(steps: &mut Vec<Meant>, more: &[Meant]) {
    for meant in more {
        if !steps.iter().any(|known| known.step == meant.step) {
            steps.push(meant.clone());
        }
    }
    steps.sort_by_key(|meant| meant.step.parse::<StepNumber>().unwrap_or_default());
}

impl History {
    /// What these lines mean.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Self {
        let mut history = Self::default();
        for line in lines {
            history.add(line);
        }
        history
    }

    fn add(&mut self, line: &Line) {
        if let Record::Begin {
            bundle,
            version,
            seal,
            place,
            by,
            steps,
            scripts,
            ..
        } = &line.record
        {
            self.runs.push(Run {
                number: line.run,
                first: line.n,
                of: format!("{bundle} {version}"),
                seal: *seal,
                place: place.clone(),
                began: line.at.clone(),
                user: by.user.clone(),
                standing: Standing::Interrupted,
                segment: line.n,
                undo_since: None,
                steps: steps.clone(),
                bundle: scripts.clone(),
                files: Vec::new(),
                scripts: Vec::new(),
                confirmed: Vec::new(),
                scripts_undone: BTreeSet::new(),
                not_undone: BTreeMap::new(),
            });
            return;
        }
        if let Record::Did { file, .. } = &line.record {
            self.files.insert(key(&file.path), Some(file.new));
        } else if let Record::Undid { path, now, .. } = &line.record {
            self.files.insert(key(path), *now);
        }
        let Some(run) = self.runs.iter_mut().rev().find(|run| run.number == line.run) else {
            return;
        };
        run.add(line);
    }

    /// The runs that were not taken back, the last one first.
    fn standing(&self) -> impl Iterator<Item = &Run> {
        let runs = self.runs.iter().rev();
        runs.filter(|run| run.standing != Standing::Undone)
    }

    /// Those of a bundle and place.
    fn standing_of(&self, seal: Digest, place: &str) -> impl Iterator<Item = &Run> {
        self.standing()
            .filter(move |run| run.seal == seal && run.place.eq_ignore_ascii_case(place))
    }

    /// The last run that was not taken back.
    pub fn last(&self) -> Option<&Run> {
        self.standing().next()
    }

    /// The run of a place that has not come to an end.
    pub fn open(&self, place: &str) -> Option<&Run> {
        let last = self
            .standing()
            .find(|run| run.place.eq_ignore_ascii_case(place))?;
        (last.standing != Standing::Done).then_some(last)
    }

    /// A run that stands against one of `place`: one of another place that was interrupted or is half taken back. One that
    /// waits for a person may wait for this very place.
    pub fn in_the_way(&self, place: &str) -> Option<&Run> {
        let is_unfinished = |run: &&Run| matches!(run.standing, Standing::Interrupted | Standing::GoingBack);
        let mut runs = self.runs.iter().rev().filter(is_unfinished);
        runs.find(|run| !run.place.eq_ignore_ascii_case(place))
    }

    /// Number of the next run.
    pub fn next_run(&self) -> u64 {
        self.runs.iter().map(|run| run.number).max().unwrap_or(0) + 1
    }

    /// The run in which a script step of a bundle and place ended well, and was not taken back since.
    pub fn script_done(&self, seal: Digest, place: &str, step: &str) -> Option<u64> {
        let mut runs = self.standing_of(seal, place);
        runs.find(|run| {
            let last = run.scripts.iter().rev().find(|(_, number, _)| number == step);
            last.is_some_and(|(_, _, code)| *code == Some(0)) && !run.scripts_undone.contains(step)
        })
        .map(|run| run.number)
    }

    /// The run in which somebody confirmed a step of a bundle and place.
    pub fn confirmed(&self, seal: Digest, place: &str, step: &str) -> Option<u64> {
        let mut runs = self.standing_of(seal, place);
        runs.find(|run| run.confirmed.iter().any(|(_, number)| number == step))
            .map(|run| run.number)
    }
}

impl Run {
    /// How people find it again: its number, when it began and who began it.
    pub fn named(&self) -> String {
        format!("run {}, begun {} by {}", self.number, self.began, self.user)
    }

    fn add(&mut self, line: &Line) {
        match &line.record {
            Record::Begin { .. }
            | Record::Already { .. }
            | Record::Did { .. }
            | Record::Overdue { .. }
            | Record::Undid { .. }
            | Record::Damaged { .. } => {}
            Record::Failed { .. } => self.standing = Standing::Interrupted,
            Record::Resume { steps, scripts, .. } => {
                self.standing = Standing::Interrupted;
                merge(&mut self.steps, steps);
                self.bundle.extend(scripts.clone());
            }
            Record::Intent { step, file, .. } => self.files.push((line.n, step.clone(), file.clone())),
            Record::Started { step, .. } => {
                self.scripts_undone.remove(step);
                self.scripts.push((line.n, step.clone(), None));
            }
            Record::Ended { step, code, .. } => {
                if let Some(script) = self
                    .scripts
                    .iter_mut()
                    .rev()
                    .find(|(_, number, _)| number == step)
                {
                    script.2 = *code;
                }
            }
            Record::Confirmed { step, .. } => self.confirmed.push((line.n, step.clone())),
            Record::Paused { .. } => {
                self.standing = Standing::Paused;
                self.segment = line.n;
            }
            Record::Done => self.standing = Standing::Done,
            Record::UndoBegin { since, .. } => {
                self.standing = Standing::GoingBack;
                self.undo_since = Some(*since);
                self.not_undone.clear();
            }
            Record::UndidByScript { step, code, .. } => {
                if *code == Some(0) {
                    self.scripts_undone.insert(step.clone());
                }
            }
            Record::NotUndone { step, why } => {
                self.not_undone.insert(step.clone(), why.clone());
            }
            Record::UndoEnd { complete, .. } => {
                let since = self.undo_since.unwrap_or(self.first);
                if !complete {
                    return;
                }
                self.undo_since = None;
                self.files.retain(|(n, _, _)| *n <= since);
                self.scripts.retain(|(n, _, _)| *n <= since);
                self.confirmed.retain(|(n, _)| *n <= since);
                self.standing = if since > self.first {
                    Standing::Paused
                } else {
                    Standing::Undone
                };
            }
        }
    }
}
