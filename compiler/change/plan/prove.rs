//! One step after the other, tried up to the writing.
//!
//! This file must not write, and must not know how a plan is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::codes::{self, Code};
use crate::contract::artifact::Rollback;
use crate::contract::digest::Digest;
use crate::contract::path::BundlePath;
use crate::contract::runbook::{Runbook, Step, StepKind, StepNumber};
use crate::formats::edits::{Change, Outcome};
use crate::secrets::{scan, secret_fact};

use super::super::disk::Found;
use super::super::editing;
use super::super::file::{Obstacle, Target, Trouble, examine, is_absent};
use super::super::history::key;
use super::super::machine::{Call, Ended, Patience};
use super::super::problem::Problem;
use super::super::steps::{is_native, is_script, may_lack_its_file, place_of, secrets_of, target_of};
use super::super::tools;
use super::{Desk, Outlook, Planned, ValueChange, difference};

/// What a change needs beside the files themselves: journal, logs, evidence.
const SPARE_SPACE: u64 = 16 << 20;

pub(super) struct Prover<'a> {
    desk: Desk<'a>,
    /// Files as the steps before leave them.
    changed: BTreeMap<String, Vec<u8>>,
    /// Whether values and diffs are wanted.
    is_shown: bool,
    /// Phases in which a step by a script or a person is still to come or to be done: it may make what is missing.
    makers: BTreeSet<String>,
    /// What the scripts of the wanted steps are about, for services that are not there yet.
    made: Vec<String>,
    services: BTreeMap<String, bool>,
    bytes: u64,
    volumes: BTreeMap<String, (PathBuf, u64)>,
}

impl<'a> Prover<'a> {
    pub(super) fn new(desk: Desk<'a>, steps: &[&Step], is_shown: bool) -> Self {
        let made = steps.iter().filter(|step| is_script(step));
        Self {
            made: made.filter_map(|step| step.target.clone()).collect(),
            desk,
            changed: BTreeMap::new(),
            is_shown,
            makers: BTreeSet::new(),
            services: BTreeMap::new(),
            bytes: 0,
            volumes: BTreeMap::new(),
        }
    }

    pub(super) fn prove(&mut self, step: &Step) -> Planned {
        let runbook = self.desk.package.runbook();
        let mut planned = Planned {
            number: step.number,
            title: step.title.clone(),
            kind: step.kind,
            target: step.target.clone(),
            outlook: Outlook::WillChange,
            notes: Vec::new(),
            problems: Vec::new(),
            values: Vec::new(),
            diff: None,
            before: None,
            after: None,
            one_way: step.one_way,
            needs: needs(runbook, step),
            minutes: step.minutes,
        };
        if is_native(step) {
            self.prove_file(step, &mut planned);
        } else if is_script(step) {
            self.prove_script(step, &mut planned);
        } else {
            self.prove_manual(step, &mut planned);
        }
        if planned.problems.iter().any(Problem::blocks) {
            planned.outlook = Outlook::Cannot;
        }
        if planned.outlook != Outlook::Nothing {
            if !is_native(step) {
                self.makers.insert(step.phase.name().to_owned());
            }
            self.prove_restarts(step, &mut planned);
        }
        planned
    }

    fn artifact(&self, step: &Step, planned: &mut Planned) -> Option<Vec<u8>> {
        let path = step.artifact.as_ref()?;
        match self.desk.package.read(path) {
            Ok(bytes) => Some(bytes),
            Err(why) => {
                planned.problems.push(Problem::new(
                    codes::ARTIFACT_UNUSABLE,
                    format!("`{path}` of the bundle cannot be used: {why}"),
                    "get the bundle from where it was built",
                ));
                None
            }
        }
    }

    /// The content of a target as the steps before leave it.
    fn present(&self, step: &Step, target: &Target) -> Result<Option<Vec<u8>>, Vec<Obstacle>> {
        if let Some(bytes) = self.changed.get(&key(&target.windows)) {
            return Ok(Some(bytes.clone()));
        }
        let may_be_new = step.kind == StepKind::Replace;
        examine(self.desk.server, self.desk.disk, target, may_be_new)
    }

    fn prove_file(&mut self, step: &Step, planned: &mut Planned) {
        let Some(artifact) = self.artifact(step, planned) else {
            return;
        };
        let windows = target_of(step).to_owned();
        let target = Target::of(self.desk.server, self.desk.disk, &windows);
        let present = match self.present(step, &target) {
            Ok(content) => content,
            Err(found) if may_lack_its_file(step) && is_absent(&found) => {
                planned.outlook = Outlook::Nothing;
                planned
                    .notes
                    .push("the file is not on this server, so there is nothing in it to rewrite".to_owned());
                return;
            }
            Err(found) => return self.obstacles(step, &found, planned),
        };
        planned.before = present.as_deref().map(Digest::of);
        if let Some(was) = self.desk.history.files.get(&key(&windows))
            && !self.changed.contains_key(&key(&windows))
            && *was != planned.before
        {
            planned.outlook = Outlook::ChangedSince;
            planned
                .notes
                .push("someone changed this file since the last apply".to_owned());
        }
        if matches!(target.has_debris(self.desk.disk), Ok(true)) {
            planned.notes.push(
                "an interrupted replacement left files beside it, which `apply` or `rollback` takes away"
                    .to_owned(),
            );
        }
        let edited = match editing::make(step, &artifact, present.as_deref()) {
            Ok(edited) => edited,
            Err(refused) => return planned.problems.extend(refused),
        };
        let bytes = edited.bytes;
        planned.after = Some(Digest::of(&bytes));
        planned.notes.extend(edited.notes.iter().map(editing::told));
        // What is not there and is to go away has no note; an address that is to be written over has one.
        if edited.changes.is_empty() && !edited.notes.is_empty() {
            planned.problems.push(Problem::new(
                codes::NOTHING_FOUND,
                format!("`{windows}` holds neither what this step looks for nor what it writes"),
                "look at the file: it may hold the address of another version of this change, or need none",
            ));
        }
        if self.is_shown {
            planned.values = edited.changes.iter().filter_map(value_change).collect();
        }
        if planned.after == planned.before {
            planned.outlook = Outlook::Nothing;
        } else {
            if self.is_shown {
                planned.diff = difference::unified(&windows, present.as_deref(), &bytes);
            }
            let old = present.as_ref().map_or(0, Vec::len);
            self.count_space(&target, old, bytes.len());
        }
        self.changed.insert(key(&windows), bytes);
    }

    fn obstacles(&mut self, step: &Step, found: &[Obstacle], planned: &mut Planned) {
        let may_come = step.kind == StepKind::Replace && self.makers.contains(step.phase.name());
        for obstacle in found {
            if may_come && obstacle.trouble == Trouble::FolderMissing {
                planned.notes.push(format!(
                    "{}; an earlier step of this phase may make it",
                    obstacle.message
                ));
                continue;
            }
            let (code, help) = explain(obstacle.trouble);
            planned
                .problems
                .push(Problem::new(code, obstacle.message.clone(), help));
        }
    }

    fn count_space(&mut self, target: &Target, old: usize, new: usize) {
        let size = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(size(old)).saturating_add(size(new));
        let drive = target.windows.chars().take(2).collect::<String>().to_uppercase();
        let volume = self
            .volumes
            .entry(drive)
            .or_insert_with(|| (target.path.clone(), 0));
        // One file at a time lies twice on its volume.
        volume.1 = volume.1.max(size(new));
    }

    /// Whether there is room for saved copies, scripts and new files.
    pub(super) fn space(&mut self) -> Vec<Problem> {
        let state = self.desk.server.program_data();
        let drive = state.chars().take(2).collect::<String>().to_uppercase();
        let path = self.desk.server.at(self.desk.disk, &state);
        let bytes = self.bytes;
        let volume = self.volumes.entry(drive).or_insert_with(|| (path, 0));
        volume.1 = volume.1.saturating_add(bytes).saturating_add(SPARE_SPACE);
        let mut found = Vec::new();
        for (drive, (path, needed)) in &self.volumes {
            // A volume that does not tell how much is free is no reason to stop: every writing is checked.
            if let Ok(free) = self.desk.disk.free_space(path)
                && free < *needed
            {
                found.push(Problem::new(
                    codes::NOT_ENOUGH_SPACE,
                    format!("drive {drive} has {free} bytes free and the change needs {needed}"),
                    "make room before the change window",
                ));
            }
        }
        found
    }

    fn prove_script(&mut self, step: &Step, planned: &mut Planned) {
        let Some(script) = self.artifact(step, planned) else {
            return;
        };
        let (seal, number) = (self.desk.package.seal(), step.number.to_string());
        if let Some(run) = self.desk.history.script_done(seal, place_of(step), &number) {
            planned.outlook = Outlook::Nothing;
            planned.notes.push(format!("it ended well in run {run}"));
            return;
        }
        if let Rollback::Artifact(path) = &step.rollback
            && let Err(why) = self.desk.package.read(path)
        {
            planned.problems.push(Problem::new(
                codes::ARTIFACT_UNUSABLE,
                format!("its way back, `{path}`, cannot be used: {why}"),
                "get the bundle from where it was built",
            ));
        }
        self.room_for_scripts(step);
        if self.desk.server.is_copy() && self.desk.machine.is_windows() {
            planned.problems.push(Problem::new(
                codes::COPY_RUNS_NOTHING,
                "a script would change this machine, not the copy",
                "choose the steps that change files, with `--phase` or `--from` and `--until`",
            ));
            return;
        }
        if is_partial_copy(&self.desk) {
            planned
                .notes
                .push("this copy has no folder of Windows, so the script cannot be tried here".to_owned());
            return;
        }
        let mut names = vec!["cmd.exe"];
        if step.kind == StepKind::Sql {
            names.push("sqlcmd.exe");
        }
        for name in names {
            if self.desk.tool(name).is_none() {
                planned.problems.push(tools::missing(name));
            }
        }
        for name in secrets_of(&script) {
            planned.notes.push(format!(
                "it asks for the secret `{name}`, at the terminal or as a variable"
            ));
        }
    }

    fn room_for_scripts(&mut self, step: &Step) {
        fn folder(path: &BundlePath) -> Option<&str> {
            path.as_str().rsplit_once('/').map(|(folder, _)| folder)
        }
        let own = step.artifact.as_ref().and_then(folder);
        let artifacts = &self.desk.package.manifest().artifacts;
        let beside = artifacts.iter().filter(|artifact| folder(&artifact.path) == own);
        self.bytes = beside.fold(self.bytes, |sum, artifact| sum.saturating_add(artifact.size));
    }

    fn prove_manual(&mut self, step: &Step, planned: &mut Planned) {
        let (seal, number) = (self.desk.package.seal(), step.number.to_string());
        if let Some(run) = self.desk.history.confirmed(seal, place_of(step), &number) {
            planned.outlook = Outlook::Nothing;
            planned.notes.push(format!("it was confirmed in run {run}"));
        } else {
            planned.notes.push("a person does it".to_owned());
        }
    }

    /// Services that have to be restarted should be known. Nothing here restarts them, and a release may show another
    /// name than the guide prints, so the step is not refused for it.
    fn prove_restarts(&mut self, step: &Step, planned: &mut Planned) {
        for name in step.restarts.iter().filter(|name| is_service(name)) {
            if self.made.iter().any(|made| made.contains(name.as_str())) || self.has_service(name) {
                continue;
            }
            planned.problems.push(Problem::new(
                codes::SERVICE_MISSING,
                format!("Windows knows no service `{name}`, which has to be restarted afterwards"),
                "look in `services.msc` for the name it has here; if it has none, is this the right server, and is the product installed?",
            ));
        }
    }

    fn has_service(&mut self, name: &str) -> bool {
        if let Some(known) = self.services.get(name) {
            return *known;
        }
        // Where nothing can be asked, nothing is said.
        let known = self.ask_for_service(name).unwrap_or(true);
        self.services.insert(name.to_owned(), known);
        known
    }

    fn ask_for_service(&self, name: &str) -> Option<bool> {
        /// What `sc` answers when no service has a name.
        const NO_SUCH_SERVICE: i32 = 1060;
        if self.desk.server.is_copy() && self.desk.machine.is_windows() {
            return None;
        }
        let program = self.desk.tool("sc.exe")?;
        let call = Call {
            folder: program.parent()?.to_owned(),
            program,
            arguments: vec!["getkeyname".to_owned(), name.to_owned()],
            tail: None,
            variables: Vec::new(),
            secrets: Vec::new(),
            without: Vec::new(),
            minutes: 1,
        };
        let ended = self.desk.machine.run(&call, &mut |_| {}, &mut |_| Patience::Kill);
        match ended {
            Ok(Ended::Code(Some(NO_SUCH_SERVICE))) => Some(false),
            Ok(Ended::Code(Some(0))) => Some(true),
            Ok(_) | Err(_) => None,
        }
    }
}

/// Whether this is a copy of the product's folders only, where nothing can run.
fn is_partial_copy(desk: &Desk<'_>) -> bool {
    let windows = desk.server.at(desk.disk, r"C:\Windows");
    desk.server.is_copy() && !matches!(desk.disk.look(&windows), Ok(Some(Found::Folder)))
}

/// What must be finished elsewhere first: each place with its last step.
fn needs(runbook: &Runbook, step: &Step) -> Vec<String> {
    let mut last: Vec<(&str, StepNumber)> = Vec::new();
    for other in runbook.needed_by(step) {
        match last.iter_mut().find(|(place, _)| *place == place_of(other)) {
            Some(known) => known.1 = other.number,
            None => last.push((place_of(other), other.number)),
        }
    }
    last.iter()
        .map(|(place, number)| format!("{place} up to step {number}"))
        .collect()
}

/// Whether a name in the list of restarts is that of one service.
fn is_service(name: &str) -> bool {
    name != "Windows" && !name.starts_with("every ") && !name.ends_with("application pool")
}

fn value_change(change: &Change) -> Option<ValueChange> {
    if change.outcome == Outcome::AlreadySo {
        return None;
    }
    let shown = |value: &Option<String>| {
        let value = value.as_deref()?;
        Some(
            if secret_fact(&change.key, value, &[]).is_some() || !scan(value, &[]).is_empty() {
                "(hidden)".to_owned()
            } else {
                value.to_owned()
            },
        )
    };
    Some(ValueChange {
        key: change.key.to_string(),
        line: change.line,
        old: shown(&change.old),
        new: shown(&change.new),
    })
}

fn explain(trouble: Trouble) -> (Code, &'static str) {
    match trouble {
        Trouble::Missing | Trouble::FolderMissing => (
            codes::TARGET_MISSING,
            "is the product installed there? Its folders are `product.*_root` in the inventory",
        ),
        Trouble::Held => (
            codes::TARGET_HELD,
            "close the program that holds it; an editor often does",
        ),
        Trouble::Denied => (
            codes::TARGET_DENIED,
            "start with administrator rights, and look at the rights and attributes of file and folder",
        ),
        Trouble::Link => (
            codes::TARGET_BEHIND_LINK,
            "write the real path into the inventory, or put a real folder in its place",
        ),
        Trouble::NotAFile => (
            codes::TARGET_NO_FILE,
            "look at what stands there and move it away",
        ),
        Trouble::Path => (
            codes::TARGET_PATH,
            "shorten or correct the folder in the inventory",
        ),
        Trouble::Unreadable => (codes::TARGET_UNREADABLE, "look at the file and its disk"),
    }
}
