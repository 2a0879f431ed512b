//! One run, step by step, once nothing stands against it.
//!
//! This file must not know what is refused before a run.

use std::collections::BTreeMap;
use std::io;

use crate::codes;
use crate::contract::artifact::Rollback;
use crate::contract::digest::Digest;
use crate::contract::path::BundlePath;
use crate::contract::runbook::{Step, StepKind};
use crate::formats::edits::{Change, Edited, Outcome};

use super::super::editing;
use super::super::file::{Target, clean, examine, is_absent, settle, swap};
use super::super::history::merge;
use super::super::journal::{FileIntent, Meant, Record};
use super::super::machine::{Ended, Secret};
use super::super::plan::{Desk, Outlook, Plan};
use super::super::problem::Problem;
use super::super::room::Room;
use super::super::script;
use super::super::state::State;
use super::super::steps::{
    is_native, is_script, may_lack_its_file, place_of, secrets_of, server_of, target_of,
};
use super::super::undo::{self, Order, ended_words};
use super::{End, Wish, journal_failed, left};

/// Why a step did not end well.
enum Trouble {
    Failed(String),
    /// Its program still runs, so nothing can be taken back now.
    Runs(String),
    Waits,
}

impl Trouble {
    fn of(error: &io::Error) -> Self {
        Self::Failed(format!("the journal cannot be written: {error}"))
    }
}

/// A run.
pub(super) struct Apply<'a> {
    pub(super) room: Room<'a>,
    pub(super) desk: &'a Desk<'a>,
    pub(super) wish: &'a Wish,
    pub(super) secrets: BTreeMap<String, Secret>,
    /// Files of the bundle beside the scripts.
    pub(super) scripts: BTreeMap<BundlePath, Digest>,
    /// What is to be looked at by a person when the run has ended.
    pub(super) manual: Vec<String>,
}

impl Apply<'_> {
    /// Saves everything, writes down what is meant, and only then lets anything change.
    pub(super) fn begin(&mut self, plan: &Plan, resumes: bool) -> io::Result<()> {
        let room = &mut self.room;
        room.state.make(room.disk)?;
        let is_pending = |step: &&Step| {
            let planned = plan.steps.iter().find(|planned| planned.number == step.number);
            planned.is_some_and(|planned| planned.outlook != Outlook::Nothing)
        };
        let chosen = self.desk.chosen(&self.wish.selection);
        let pending: Vec<&Step> = chosen.into_iter().filter(is_pending).collect();
        for step in pending.iter().filter(|step| is_native(step)) {
            let target = Target::of(room.server, room.disk, target_of(step));
            settle(room.disk, &room.state, &target)?;
            if let Some(bytes) = target.present(room.disk)? {
                room.state.save(room.disk, &bytes)?;
            }
        }
        self.scripts = unpack(self.desk, &room.state, &pending)?;
        let meant: Vec<Meant> = pending.iter().map(|step| meant(step, plan)).collect();
        let who = room.who();
        let manifest = self.desk.package.manifest();
        let head = format!(
            "{} {} on {}, run {}, seal {}",
            manifest.bundle.name,
            manifest.bundle.version,
            plan.place,
            room.run,
            plan.seal.spoken()
        );
        let mut all = meant.clone();
        let mut scripts = self.scripts.clone();
        let open = self.desk.history.open(&self.desk.server.place);
        if let Some(open) = open {
            all.clone_from(&open.steps);
            merge(&mut all, &meant);
            scripts.extend(open.bundle.clone());
        }
        let record = Record::Begin {
            bundle: manifest.bundle.name.clone(),
            version: manifest.bundle.version.clone(),
            change: manifest.bundle.change.clone(),
            id: plan.id,
            seal: plan.seal,
            place: plan.place.clone(),
            by: who.clone(),
            steps: all.clone(),
            scripts,
        };
        // The same moment in the journal and beside it; a run that goes on began before.
        let began = open.map_or_else(|| room.machine.now(), |open| open.began.clone());
        let mut standing = undo::standing(self.desk.history, room.run);
        standing.push(undo::Standing {
            run: room.run,
            began: &began,
            steps: all.iter().collect(),
        });
        let text = undo::going_back_text(room.server, &standing);
        room.state.put_going_back(room.disk, &text)?;
        room.state.put_meaning(
            room.disk,
            &room.journal.line(room.run, began.clone(), record.clone()),
        )?;
        if resumes {
            room.say(&format!("apply goes on: {head}"));
            return room.record(Record::Resume {
                by: who,
                steps: meant,
                scripts: self.scripts.clone(),
            });
        }
        room.record_at(began, record)?;
        room.say(&format!("apply begins: {head}"));
        Ok(())
    }

    pub(super) fn steps(&mut self, plan: &Plan) -> End {
        let steps = self.desk.chosen(&self.wish.selection);
        let last = steps.len();
        let mut phase = None;
        for (index, step) in steps.into_iter().enumerate() {
            if phase != Some(step.phase) {
                phase = Some(step.phase);
                self.room.say(&format!("-- {} --", step.phase.title()));
            }
            let planned = plan.steps.iter().find(|planned| planned.number == step.number);
            let is_nothing = planned.is_some_and(|planned| planned.outlook == Outlook::Nothing);
            let count = format!("[{}/{last}]", index + 1);
            match self.step(step, is_nothing, &count) {
                Ok(()) => {}
                Err(Trouble::Waits) => return self.stop(step),
                Err(Trouble::Runs(why)) => {
                    self.room.note(Record::Failed {
                        step: step.number.to_string(),
                        why: why.clone(),
                    });
                    let help = "when it has ended, look at its log; then `cbgen apply` goes on, or `cbgen rollback` goes back";
                    let message = format!("step {}: {why}; nothing was taken back", step.number);
                    return in_between(Problem::new(codes::STEP_FAILED, message, help));
                }
                Err(Trouble::Failed(why)) => return self.fail(step, &why),
            }
        }
        match self.room.record(Record::Done) {
            Ok(()) => End::Done,
            Err(error) => in_between(Problem::new(
                codes::STATE_FAILED,
                format!("every step is done, but the journal could not say so: {error}"),
                "make room and run `cbgen apply` once more; it finds that everything is done",
            )),
        }
    }

    fn step(&mut self, step: &Step, is_nothing: bool, count: &str) -> Result<(), Trouble> {
        let number = step.number.to_string();
        let head = format!("{count} {number}  {}", step.title);
        if is_nothing && !is_native(step) {
            self.room.say(&format!("{head}: done already"));
            return self.already(&number, "done in a run before");
        }
        self.barrier(step)?;
        if is_native(step) {
            self.change_file(step, &head, is_nothing)
        } else if is_script(step) {
            self.run_script(step, &head)
        } else {
            self.person(step, &head)
        }
    }

    fn already(&mut self, number: &str, why: &str) -> Result<(), Trouble> {
        let record = Record::Already {
            step: number.to_owned(),
            why: why.to_owned(),
        };
        self.room.record(record).map_err(|error| Trouble::of(&error))
    }

    /// Steps at other places that have to be finished first.
    fn barrier(&mut self, step: &Step) -> Result<(), Trouble> {
        if step.needs.is_none() || step.kind == StepKind::Manual {
            return Ok(());
        }
        let runbook = self.desk.package.runbook();
        let history = self.room.history();
        let seal = self.desk.package.seal();
        let mut needs: BTreeMap<&str, String> = BTreeMap::new();
        for other in runbook.needed_by(step) {
            let number = other.number.to_string();
            // What was done on this machine for the whole installation is known here.
            let place = place_of(other);
            let is_known = history.script_done(seal, place, &number).is_some()
                || history.confirmed(seal, place, &number).is_some();
            if !is_known {
                needs.insert(place, number);
            }
        }
        let number = step.number.to_string();
        if needs.is_empty() || history.confirmed(seal, place_of(step), &number).is_some() {
            return Ok(());
        }
        let words: Vec<String> = needs
            .iter()
            .map(|(place, number)| format!("{place} up to step {number}"))
            .collect();
        let words = words.join(", ");
        self.room.say(&format!("{number}  needs first: {words}"));
        self.confirm(&number, &format!("finished elsewhere: {words}"))
    }

    /// Lets a person say that something is done.
    fn confirm(&mut self, number: &str, meaning: &str) -> Result<(), Trouble> {
        let how = if self.wish.done.iter().any(|done| done == number) {
            "--done"
        } else {
            let question =
                format!("Step {number}: {meaning}. Type `done` when that is so, or `stop` to stop here: ");
            loop {
                match self.room.machine.ask(&question).as_deref().map(str::trim) {
                    Some("done") => break "terminal",
                    Some("stop") | None => return Err(Trouble::Waits),
                    Some(_) => {}
                }
            }
        };
        let record = Record::Confirmed {
            step: number.to_owned(),
            meaning: meaning.to_owned(),
            how: how.to_owned(),
            user: self.room.machine.user(),
        };
        self.room.record(record).map_err(|error| Trouble::of(&error))
    }

    fn person(&mut self, step: &Step, head: &str) -> Result<(), Trouble> {
        let number = step.number.to_string();
        self.room.say(&format!("{head}: by hand"));
        let parts = [
            ("Before", &step.before),
            ("Do", &step.todo),
            ("Check", &step.check),
        ];
        for (word, lines) in parts {
            for line in lines {
                self.room.detail(&format!("{word}: {line}"));
            }
        }
        for line in step.text.lines() {
            self.room.detail(line);
        }
        self.confirm(&number, &step.title)?;
        self.later(step);
        Ok(())
    }

    fn change_file(&mut self, step: &Step, head: &str, is_nothing: bool) -> Result<(), Trouble> {
        let number = step.number.to_string();
        let begin = self.room.machine.milliseconds();
        let failed = Trouble::Failed;
        let windows = target_of(step);
        let room = &mut self.room;
        let target = Target::of(room.server, room.disk, windows);
        let in_file = |why: String| Trouble::Failed(format!("{windows}: {why}"));
        settle(room.disk, &room.state, &target).map_err(|error| in_file(error.to_string()))?;
        room.disk.wait_until_free(&target.path);
        let present = match examine(room.server, room.disk, &target, step.kind == StepKind::Replace) {
            Ok(present) => present,
            // One that was there when it was planned is missed.
            Err(obstacles) if is_nothing && may_lack_its_file(step) && is_absent(&obstacles) => {
                room.say(&format!("{head}: the file is not on this server"));
                return self.already(&number, "the file is not on this server");
            }
            Err(obstacles) => {
                let words: Vec<String> = obstacles.into_iter().map(|obstacle| obstacle.message).collect();
                return Err(in_file(words.join("; ")));
            }
        };
        let path = step
            .artifact
            .as_ref()
            .ok_or_else(|| failed("the step has no artifact".to_owned()))?;
        let artifact = self.desk.package.read(path).map_err(failed)?;
        let edited = editing::make(step, &artifact, present.as_deref()).map_err(|refused| {
            let words: Vec<String> = refused.into_iter().map(|refused| refused.message).collect();
            in_file(words.join("; "))
        })?;
        let file = FileIntent {
            path: windows.to_owned(),
            old: present.as_deref().map(Digest::of),
            new: Digest::of(&edited.bytes),
        };
        if file.old == Some(file.new) {
            room.say(&format!("{head}: done already"));
            show_notes(room, &edited);
            // An interruption came between the change and its record; `status` and `rollback` know it from here on.
            if let Some(meant) = unrecorded(room, &number, &file) {
                let did = Record::Did {
                    step: number,
                    file: meant,
                    milliseconds: 0,
                };
                return room.record(did).map_err(|error| Trouble::of(&error));
            }
            return self.already(&number, "the file is as the step would make it");
        }
        if let Some(present) = &present {
            let saved = room.state.save(room.disk, present);
            saved.map_err(|error| in_file(format!("it cannot be saved: {error}")))?;
        }
        let record = Record::Intent {
            step: number.clone(),
            file: file.clone(),
            names: target.names(),
        };
        room.record(record).map_err(|error| Trouble::of(&error))?;
        swap(room.disk, &target, file.old, &edited.bytes).map_err(in_file)?;
        let milliseconds = room.machine.milliseconds().saturating_sub(begin);
        let did = Record::Did {
            step: number,
            file,
            milliseconds,
        };
        room.record(did).map_err(|error| Trouble::of(&error))?;
        clean(room.disk, &target)
            .map_err(|error| in_file(format!("the old file beside it cannot be removed: {error}")))?;
        let is_change = |change: &&Change| change.outcome != Outcome::AlreadySo;
        let what = match edited.changes.iter().filter(is_change).count() {
            0 => "in place".to_owned(),
            1 => "1 value changed".to_owned(),
            count => format!("{count} values changed"),
        };
        room.say(&format!("{head}: {what}"));
        room.detail(windows);
        show_notes(room, &edited);
        self.later(step);
        Ok(())
    }

    fn run_script(&mut self, step: &Step, head: &str) -> Result<(), Trouble> {
        let number = step.number.to_string();
        let failed = Trouble::Failed;
        let script = step
            .artifact
            .as_ref()
            .ok_or_else(|| failed("the step has no script".to_owned()))?;
        let Some(shell) = self.desk.tool("cmd.exe") else {
            return Err(failed("there is no `cmd.exe`".to_owned()));
        };
        if step.kind == StepKind::Sql && self.desk.tool("sqlcmd.exe").is_none() {
            return Err(failed("there is no `sqlcmd.exe`".to_owned()));
        }
        let text = self.desk.package.read(script).map_err(failed)?;
        let wanted = secrets_of(&text);
        let secrets = wanted
            .iter()
            .filter_map(|name| Some((name.clone(), self.secrets.get(name)?.clone())));
        let job = script::Job {
            step: number.clone(),
            script,
            arguments: &step.arguments,
            secrets: secrets.collect(),
            hidden: self.secrets.clone().into_iter().collect(),
            minutes: step.minutes,
            word: "",
            shell,
        };
        let room = &mut self.room;
        script::check_files(room, &self.scripts).map_err(failed)?;
        let started = Record::Started {
            step: number.clone(),
            command: job.command().map_err(failed)?,
            secrets: wanted,
            log: job.log_name(room.run),
        };
        room.record(started).map_err(|error| Trouble::of(&error))?;
        room.say(&format!("{head}: runs, log {}", job.log_name(room.run)));
        let went = script::run(room, &job).map_err(failed)?;
        for (minutes, decision) in &went.decisions {
            room.note(Record::Overdue {
                step: number.clone(),
                minutes: *minutes,
                decision: decision.clone(),
            });
        }
        let words = ended_words(went.ended);
        if let Ended::StillRunning { .. } = went.ended {
            return Err(Trouble::Runs(format!("{} {words}", script.file_name())));
        }
        let code = match went.ended {
            Ended::Code(code) => code,
            Ended::Killed | Ended::StillRunning { .. } => None,
        };
        let ended = Record::Ended {
            step: number.clone(),
            code,
            log_sha256: went.log_sha256,
            milliseconds: went.milliseconds,
        };
        room.record(ended).map_err(|error| Trouble::of(&error))?;
        room.say(&format!("{number}  {words} after {} s", went.milliseconds / 1000));
        if code != Some(0) {
            for line in &went.tail {
                room.detail(line);
            }
            return Err(failed(format!(
                "{} {words}, log {}",
                script.file_name(),
                job.log_name(room.run)
            )));
        }
        for line in &step.check {
            room.detail(&format!("Check: {line}"));
        }
        self.later(step);
        Ok(())
    }

    fn later(&mut self, step: &Step) {
        let lines = step.later.iter().map(|line| format!("{}  {line}", step.number));
        self.manual.extend(lines);
    }

    fn stop(&mut self, step: &Step) -> End {
        let number = step.number.to_string();
        self.room.note(Record::Paused { step: number.clone() });
        self.room.say(&format!("{number}  stops here: {}", step.title));
        self.room.detail(&match step.kind {
            StepKind::Manual => format!("When it is done: the same command with `--done {number}`"),
            StepKind::Edit | StepKind::Replace | StepKind::Script | StepKind::Sql | StepKind::Registry => format!("When those are finished: the same command with `--done {number}`, which carries this step out"),
        });
        match &self.room.journal_failed {
            None => End::Waits,
            Some(error) => in_between(Problem::new(
                codes::STATE_FAILED,
                format!("the run stopped at step {number}, but the journal could not say so: {error}"),
                "make room; `cbgen apply` goes on, `cbgen rollback` goes back",
            )),
        }
    }

    /// Takes back what this run did since it began, or since it last stopped for a person.
    fn fail(&mut self, step: &Step, why: &str) -> End {
        let number = step.number.to_string();
        self.room.say(&format!("{number}  FAILED: {why}"));
        self.room.note(Record::Failed {
            step: number.clone(),
            why: why.to_owned(),
        });
        let history = self.room.history();
        let mut problems = vec![Problem::new(
            codes::STEP_FAILED,
            format!("step {number}, {}: {why}", step.title),
            "mend the cause, then apply again",
        )];
        let run = history.runs.iter().rev().find(|run| run.number == self.room.run);
        let Some(run) = run else {
            return End::Failed {
                is_back: true,
                problems,
            };
        };
        self.room.say("going back, last step first");
        let outcome = undo::go_back(
            &mut self.room,
            &Order {
                run,
                since: run.segment,
                lost_lines: false,
                why: format!("step {number} failed"),
                overwrite: &[],
                leave: &[],
                shell: self.desk.tool("cmd.exe"),
            },
        );
        if !outcome.left.is_empty()
            && let Some(first) = problems.first_mut()
        {
            first.help = Some(
                "this run goes back first: mend what is in its way below, then `cbgen rollback`".to_owned(),
            );
        }
        problems.extend(left(&outcome));
        problems.extend(journal_failed(&self.room));
        End::Failed {
            is_back: outcome.left.is_empty(),
            problems,
        }
    }

    pub(super) fn tell(&self, end: &End, seal: Option<Digest>) {
        let room = &self.room;
        match end {
            End::Done => {
                for line in &self.manual {
                    room.detail(&format!("Later: {line}"));
                }
                room.say(&format!("run {} is done", room.run));
            }
            End::Waits => room.say(&format!("run {} waits for a person", room.run)),
            End::Failed { is_back: true, .. } => {
                room.say(&format!("run {} failed; what it did is taken back", room.run));
            }
            End::Failed { is_back: false, .. } => {
                room.say(&format!("run {} failed; the server is in between", room.run));
            }
            End::Nothing | End::Refused(_) => {}
        }
        room.tell_seal(seal);
    }
}

/// A run that failed, and of which nothing was taken back.
fn in_between(problem: Problem) -> End {
    End::Failed {
        is_back: false,
        problems: vec![problem],
    }
}

/// What an edit left to a person.
fn show_notes(room: &Room<'_>, edited: &Edited) {
    for note in &edited.notes {
        room.detail(&format!("Look: {}", editing::told(note)));
    }
}

/// The intent of a step whose change is in place and was not recorded.
fn unrecorded(room: &Room<'_>, number: &str, file: &FileIntent) -> Option<FileIntent> {
    let lines = room.journal.reading.lines.iter().rev();
    let mut records = lines.filter(|line| line.run == room.run).map(|line| &line.record);
    let last = records.find(|record| {
        matches!(
            record,
            Record::Intent { step, .. } | Record::Did { step, .. } | Record::Undid { step, .. } if step == number
        )
    })?;
    let Record::Intent { file: meant, .. } = last else {
        return None;
    };
    (meant.new == file.new).then(|| meant.clone())
}

fn meant(step: &Step, plan: &Plan) -> Meant {
    let planned = plan.steps.iter().find(|planned| planned.number == step.number);
    let file = planned.and_then(|planned| {
        Some(FileIntent {
            path: planned.target.clone()?,
            old: planned.before,
            new: planned.after?,
        })
    });
    Meant {
        step: step.number.to_string(),
        title: step.title.clone(),
        file: file.filter(|_| is_native(step)),
        script: step.artifact.clone().filter(|_| is_script(step)),
        undo: match &step.rollback {
            Rollback::Artifact(path) if is_script(step) => Some(path.clone()),
            Rollback::Artifact(_) | Rollback::Captured | Rollback::OneWay | Rollback::Nothing => None,
        },
        by_hand: step.undo.clone(),
        one_way: step.one_way,
    }
}

/// Puts the files that scripts find beside them where scripts run, and gives their digests.
fn unpack(desk: &Desk<'_>, state: &State, pending: &[&Step]) -> io::Result<BTreeMap<BundlePath, Digest>> {
    let mut files = BTreeMap::new();
    if !pending.iter().any(|step| is_script(step)) {
        return Ok(files);
    }
    let place = match server_of(&desk.server.place) {
        Some(server) => format!("servers/{server}/").to_lowercase(),
        None => "deployment/".to_owned(),
    };
    for artifact in &desk.package.manifest().artifacts {
        if artifact.path.collision_key().starts_with(&place) {
            let bytes = desk.package.read(&artifact.path).map_err(io::Error::other)?;
            state.unpack(desk.disk, &artifact.path, &bytes)?;
            files.insert(artifact.path.clone(), artifact.sha256);
        }
    }
    Ok(files)
}
