//! Going back: what a run did, taken back in reverse order, whatever interrupted it.
//!
//! Files are judged by their digests. A file that is what the run or one of its steps made it gets back the bytes that were
//! there before; one that is as it was needs nothing; one that is neither was changed by someone, and is left alone. Scripts
//! have their way back in the bundle. What was not taken back is told, and never called done. This file must not know which
//! steps were wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::contract::digest::Digest;
use crate::contract::path::BundlePath;

use super::disk::Found;
use super::file::{Target, clean, settle, swap, unmake};
use super::history::{Run, key};
use super::journal::{FileIntent, Meant, Record};
use super::machine::{Ended, Secret};
use super::room::Room;
use super::script;
use super::server::Server;
use super::state::LARGEST;

/// One thing to take back.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    File(FileIntent),
    Script(BundlePath),
    OneWay,
}

/// How going back ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was not taken back: step and why.
    pub left: Vec<(String, String)>,
    /// What a person has to take back: step and how.
    pub by_hand: Vec<(String, Vec<String>)>,
    /// How many files are back.
    pub files: usize,
    /// How many scripts ran.
    pub scripts: usize,
}

/// What to take back and how.
pub struct Order<'a> {
    /// The run.
    pub run: &'a Run,
    /// Everything behind this line.
    pub since: u64,
    /// Whether lines of the journal are known to be lost, so that every file the run meant to change may have been changed.
    pub lost_lines: bool,
    /// Why.
    pub why: String,
    /// Steps whose files may be overwritten although someone changed them.
    pub overwrite: &'a [String],
    /// What runs scripts; `None` when it is not there.
    pub shell: Option<std::path::PathBuf>,
}

/// The actions in the order in which they were done, and what each file went through.
fn actions(room: &Room<'_>, order: &Order<'_>) -> (Vec<(String, Action)>, Chains) {
    let run = order.run;
    let is_whole = order.since <= run.first;
    let mut found = Vec::new();
    let mut only_meant = BTreeSet::new();
    for meant in &run.steps {
        let step = &meant.step;
        let files = run
            .files
            .iter()
            .filter(|(n, number, _)| *n > order.since && number == step);
        let mut files: Vec<FileIntent> = files.map(|(_, _, file)| file.clone()).collect();
        // The first intent of a step has what was there before the run touched it.
        files.truncate(1);
        if files.is_empty() && is_whole {
            files.extend(meant.file.clone());
            only_meant.insert(step.clone());
        }
        found.extend(files.into_iter().map(|file| (step.clone(), Action::File(file))));
        let was_started = run
            .scripts
            .iter()
            .any(|(n, number, _)| *n > order.since && number == step)
            // A journal may have lost lines at its end; a log says that its script was started.
            || is_whole && meant.script.is_some() && room.state.has_log(room.disk, run.number, step);
        if was_started && !run.scripts_undone.contains(step) {
            match (&meant.undo, meant.one_way) {
                (Some(script), _) => found.push((step.clone(), Action::Script(script.clone()))),
                (None, true) => found.push((step.clone(), Action::OneWay)),
                (None, false) => {}
            }
        }
    }
    let chains = chains(&found);
    if !order.lost_lines {
        // The journal may end before its last lines without a trace, so what was only meant is looked at too. What is in
        // no state the run could have made is somebody's file that the run never touched.
        found.retain(|(step, action)| match action {
            Action::File(file) if only_meant.contains(step) => known(room, &chains, file).is_ok(),
            Action::File(_) | Action::Script(_) | Action::OneWay => true,
        });
    }
    (found, chains)
}

/// The states of each file in the order in which the run went through them; `None` is no file.
type Chains = BTreeMap<String, Vec<Option<Digest>>>;

fn chains(actions: &[(String, Action)]) -> Chains {
    let mut chains = Chains::new();
    for (_, action) in actions {
        let Action::File(file) = action else { continue };
        let chain = chains.entry(key(&file.path)).or_default();
        for state in [file.old, Some(file.new)] {
            if !chain.contains(&state) {
                chain.push(state);
            }
        }
    }
    chains
}

/// Files that someone changed since, so that going back would lose that: path, step and what is wrong. Writes nothing.
pub fn changed_by_someone(room: &Room<'_>, order: &Order<'_>) -> Vec<(String, String, String)> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let (actions, chains) = actions(room, order);
    for (step, action) in actions.into_iter().rev() {
        let Action::File(file) = action else { continue };
        if order.overwrite.contains(&step) || !seen.insert(key(&file.path)) {
            continue;
        }
        if let Err(why) = known(room, &chains, &file) {
            found.push((file.path.clone(), step, why));
        }
    }
    found
}

/// The state of a file, when the run went through it. `Err` says what it is else.
fn known(room: &Room<'_>, chains: &Chains, file: &FileIntent) -> Result<Option<Digest>, String> {
    let target = Target::of(room.server, room.disk, &file.path);
    if let Ok(Some(link)) = room.server.link_on_the_way(room.disk, &file.path) {
        return Err(format!("`{link}` is a link now"));
    }
    let is = target
        .digest(room.disk)
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if chains
        .get(&key(&file.path))
        .is_some_and(|chain| chain.contains(&is))
    {
        Ok(is)
    } else if is.is_none() {
        Err("someone removed it".to_owned())
    } else {
        Err("someone changed it".to_owned())
    }
}

/// Whether a file in this state is as it was before a step, or before a step further back.
fn is_back(chains: &Chains, file: &FileIntent, is: Option<Digest>) -> bool {
    let at = |state| {
        let chain = chains.get(&key(&file.path))?;
        chain.iter().position(|known| *known == state)
    };
    matches!((at(is), at(file.old)), (Some(is), Some(old)) if is <= old)
}

/// Goes back. The journal gets every act; where it cannot be written, going back goes on.
pub fn go_back(room: &mut Room<'_>, order: &Order<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    room.note(Record::UndoBegin {
        why: order.why.clone(),
        by: room.who(),
        since: order.since,
    });
    let mut ran: BTreeMap<BundlePath, bool> = BTreeMap::new();
    let (actions, chains) = actions(room, order);
    for (step, action) in actions.into_iter().rev() {
        let result = match action {
            Action::File(file) => undo_file(room, &chains, order, &step, &file, &mut outcome),
            Action::Script(script) => undo_script(room, order, &step, &script, &mut ran, &mut outcome),
            Action::OneWay => Err("there is no way back".to_owned()),
        };
        if let Err(why) = result {
            room.say(&format!("{step}  NOT taken back: {why}"));
            room.note(Record::NotUndone {
                step: step.clone(),
                why: why.clone(),
            });
            outcome.left.push((step, why));
        }
    }
    by_hand(order, &mut outcome);
    room.note(Record::UndoEnd {
        complete: outcome.left.is_empty(),
    });
    outcome
}

fn by_hand(order: &Order<'_>, outcome: &mut Outcome) {
    let confirmed = order.run.confirmed.iter().rev().filter(|(n, _)| *n > order.since);
    for (_, step) in confirmed {
        let meant: Option<&Meant> = order.run.steps.iter().find(|meant| &meant.step == step);
        let Some(meant) = meant.filter(|meant| meant.script.is_none() && meant.file.is_none()) else {
            continue;
        };
        let mut lines = vec![meant.title.clone()];
        lines.extend(meant.by_hand.iter().cloned());
        outcome.by_hand.push((step.clone(), lines));
    }
}

fn undo_file(
    room: &mut Room<'_>,
    chains: &Chains,
    order: &Order<'_>,
    step: &String,
    file: &FileIntent,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let target = Target::of(room.server, room.disk, &file.path);
    let mut wanted = file.old;
    let is = match known(room, chains, file) {
        Ok(is) => is,
        Err(_) if order.overwrite.contains(step) => {
            // What lies between was perhaps never made, and so never saved; what was there first is.
            let first = chains.get(&key(&file.path)).and_then(|chain| chain.first());
            wanted = first.copied().unwrap_or(wanted);
            keep_theirs(room, &target)?
        }
        Err(why) => return Err(format!("{}: {why}, so it is left as it is", file.path)),
    };
    settle(room.disk, &room.state, &target).map_err(|error| {
        format!(
            "{}: what an interrupted change left cannot be taken away: {error}",
            file.path
        )
    })?;
    if is_back(chains, file, is) {
        return Ok(());
    }
    let told = |why: String| format!("{}: {why}", file.path);
    match (wanted, is) {
        (Some(old), _) => {
            let bytes = room
                .state
                .load(room.disk, old)
                .map_err(|error| told(format!("its saved copy cannot be read: {error}")))?;
            let swapped = swap(room.disk, &target, is, &bytes);
            // Old and new are both sound; the rest is taken away by the next command at the latest.
            drop(clean(room.disk, &target));
            swapped.map_err(told)?;
        }
        (None, Some(is)) => unmake(room.disk, &target, is).map_err(told)?,
        (None, None) => {}
    }
    outcome.files += 1;
    room.say(&format!("{step}  {} is as it was", file.path));
    room.note(Record::Undid {
        step: step.clone(),
        path: file.path.clone(),
        now: wanted,
    });
    Ok(())
}

/// Keeps what someone made of a file before it is overwritten, and gives its digest.
fn keep_theirs(room: &Room<'_>, target: &Target) -> Result<Option<Digest>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", target.windows);
    match room.disk.look(&target.path).map_err(told)? {
        None => Ok(None),
        Some(Found::File(_)) => {
            let bytes = room.disk.read(&target.path, LARGEST).map_err(told)?;
            let digest = room.state.save(room.disk, &bytes).map_err(told)?;
            room.say(&format!(
                "{} as it is now is kept in saved\\{digest}",
                target.windows
            ));
            Ok(Some(digest))
        }
        Some(_) => Err(format!(
            "{}: something else than a file stands there",
            target.windows
        )),
    }
}

fn undo_script(
    room: &mut Room<'_>,
    order: &Order<'_>,
    step: &str,
    path: &BundlePath,
    ran: &mut BTreeMap<BundlePath, bool>,
    outcome: &mut Outcome,
) -> Result<(), String> {
    if let Some(well) = ran.get(path) {
        if !well {
            return Err(format!("{} failed", path.file_name()));
        }
        room.note(Record::UndidByScript {
            step: step.to_owned(),
            script: path.to_string(),
            code: Some(0),
        });
        return Ok(());
    }
    let result = run_undo(room, order, step, path);
    ran.insert(path.clone(), result.is_ok());
    let code = result?;
    outcome.scripts += 1;
    room.say(&format!("{step}  taken back by {}", path.file_name()));
    room.note(Record::UndidByScript {
        step: step.to_owned(),
        script: path.to_string(),
        code: Some(code),
    });
    Ok(())
}

fn run_undo(room: &mut Room<'_>, order: &Order<'_>, step: &str, path: &BundlePath) -> Result<i32, String> {
    let shell = order
        .shell
        .clone()
        .ok_or("there is no `cmd.exe` to run its way back")?;
    script::check_files(room, &order.run.bundle)?;
    let job = script::Job {
        step: step.to_owned(),
        script: path,
        arguments: &[],
        secrets: Vec::new(),
        hidden: hidden(room),
        minutes: 5,
        word: "undo",
        shell,
    };
    room.say(&format!("{step}  runs {}", path.file_name()));
    let went = script::run(room, &job)?;
    if matches!(went.ended, Ended::Code(Some(0))) {
        return Ok(0);
    }
    for line in &went.tail {
        room.detail(line);
    }
    Err(format!(
        "{} {}, log {}",
        path.file_name(),
        ended_words(went.ended),
        job.log_name(room.run)
    ))
}

/// Secrets that scripts of any run were given and that stand in the environment now: no way back needs one.
fn hidden(room: &Room<'_>) -> Vec<(String, Secret)> {
    let lines = room.journal.reading.lines.iter();
    let names: BTreeSet<&String> = lines
        .filter_map(|line| {
            let Record::Started { secrets, .. } = &line.record else {
                return None;
            };
            Some(secrets)
        })
        .flatten()
        .collect();
    let values = names.into_iter().filter_map(|name| {
        let value = room.machine.variable(name)?;
        Some((name.clone(), Secret::new(value)))
    });
    values.collect()
}

/// How a program ended, in words.
pub fn ended_words(ended: Ended) -> String {
    match ended {
        Ended::Code(Some(code)) => format!("ended with exit code {code}"),
        Ended::Code(None) => "was ended by the system".to_owned(),
        Ended::Killed => "was killed".to_owned(),
        Ended::StillRunning { process } => format!("still runs as process {process}"),
    }
}

/// The text for people who go back without cbgen.
pub fn going_back_text(server: &Server, run: u64, steps: &[Meant], began: &str) -> String {
    let mut out = format!(
        "How to go back without cbgen\r\n\
         ============================\r\n\r\n\
         Run {run}, begun {began}, on {}. The plain copies of the files as they were before this run lie in the folder `saved`\r\n\
         beside this text, each under its SHA-256. Work from the bottom of this list to its top, and only where the run got:\r\n\
         `journal.jsonl` has a line \"did\" or \"started\" for each step that was done. Stop the service that uses a file first.\r\n\
         Run the commands in a command prompt with administrator rights, in the folder of this text.\r\n\r\n",
        server.place
    );
    let mut seen = BTreeSet::new();
    for meant in steps {
        if let Some(file) = &meant.file {
            // Only the first step on a file knows what was there before the run.
            if !seen.insert(key(&file.path)) {
                continue;
            }
            let command = match file.old {
                Some(old) => format!("copy /y \"saved\\{old}\" \"{}\"", file.path),
                None => format!("del \"{}\"", file.path),
            };
            let _ = writeln!(out, "{:<6} {}\r\n       {command}\r", meant.step, meant.title);
        } else if let Some(undo) = &meant.undo {
            let undo = undo.as_str().replace('/', "\\");
            let _ = writeln!(
                out,
                "{:<6} {}\r\n       \"bundle\\{undo}\"\r",
                meant.step, meant.title
            );
        } else if meant.one_way {
            let _ = writeln!(
                out,
                "{:<6} {}\r\n       There is no way back.\r",
                meant.step, meant.title
            );
        } else if !meant.by_hand.is_empty() {
            let _ = writeln!(out, "{:<6} {}\r", meant.step, meant.title);
            for line in &meant.by_hand {
                let _ = writeln!(out, "       {line}\r");
            }
        }
    }
    out
}
