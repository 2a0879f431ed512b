//! Going back: what a run did, taken back in reverse order, whatever interrupted it.
//!
//! Files are judged by their digests. A file that is what the run or one of its steps made it gets back the bytes that were
//! there before; one that is as it was needs nothing; one that is neither was changed by someone, and is left alone. Scripts
//! have their way back in the bundle. What was not taken back is told, and never called done. This file must not know which
//! steps were wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::codes;
use crate::contract::digest::Digest;
use crate::contract::path::BundlePath;

use super::disk::Found;
use super::file::{Target, clean, settle, swap, unmake};
use super::history::{History, Run, key};
use super::journal::{FileIntent, Meant, Record};
use super::machine::{Ended, Secret};
use super::problem::Problem;
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
pub struct Ending {
    /// What was not taken back: step and why.
    pub left: Vec<(String, String)>,
    /// What a person has to take back: step and how.
    pub by_hand: Vec<(String, Vec<String>)>,
    /// Files that are back.
    pub files: BTreeSet<String>,
    /// How many scripts ran.
    pub scripts: usize,
    /// Steps that were left as they are, as asked.
    pub kept: Vec<String>,
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
    /// Steps that are not taken back, as asked.
    pub leave: &'a [String],
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
        // The first intent of a step has what was there before the run touched it.
        let mut intents = run.files.iter();
        let intent = intents.find(|(n, number, _)| *n > order.since && number == step);
        let mut file = intent.map(|(_, _, file)| file);
        if file.is_none() && is_whole {
            file = meant.file.as_ref();
            only_meant.insert(step.clone());
        }
        found.extend(file.map(|file| (step.clone(), Action::File(file.clone()))));
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
    let chains = chains(room, order, &found);
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

fn chains(room: &Room<'_>, order: &Order<'_>, actions: &[(String, Action)]) -> Chains {
    let mut chains = Chains::new();
    let mut add = |file: &FileIntent| {
        let chain = chains.entry(key(&file.path)).or_default();
        for state in [file.old, Some(file.new)] {
            if !chain.contains(&state) {
                chain.push(state);
            }
        }
    };
    // What a run before this one was taken back to, by hand and by the text for that, is further back than asked.
    let history = room.history();
    let earlier = history
        .runs
        .iter()
        .filter(|run| run.number < order.run.number && run.standing != super::history::Standing::Undone);
    for (_, _, file) in earlier.flat_map(|run| &run.files) {
        add(file);
    }
    for (_, action) in actions {
        if let Action::File(file) = action {
            add(file);
        }
    }
    chains
}

/// What was there before the part of the run that goes back: what lies between was perhaps never made, and so never saved.
fn first(order: &Order<'_>, file: &FileIntent) -> Option<Digest> {
    let is_it = |other: &str| key(other) == key(&file.path);
    let mut of_journal = order.run.files.iter().filter(|(n, _, _)| *n > order.since);
    if let Some((_, _, first)) = of_journal.find(|(_, _, other)| is_it(&other.path)) {
        return first.old;
    }
    let mut meant = order.run.steps.iter().filter_map(|meant| meant.file.as_ref());
    meant
        .find(|other| is_it(&other.path))
        .map_or(file.old, |first| first.old)
}

/// Files that stay as they are because one of their steps does: a file has one content, not one for each step.
fn kept_files(actions: &[(String, Action)], order: &Order<'_>) -> BTreeSet<String> {
    let kept = actions.iter().filter_map(|(step, action)| match action {
        Action::File(file) if order.leave.contains(step) => Some(key(&file.path)),
        Action::File(_) | Action::Script(_) | Action::OneWay => None,
    });
    kept.collect()
}

/// What stands against going back: files that someone changed since, so that this would be lost, and saved copies that are
/// not what was saved. Writes nothing.
pub fn obstacles(room: &Room<'_>, order: &Order<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    let (actions, chains) = actions(room, order);
    let kept = kept_files(&actions, order);
    // What each file is when its step is taken back.
    let mut states: BTreeMap<String, Option<Digest>> = BTreeMap::new();
    let mut told = BTreeSet::new();
    let runs_scripts = actions
        .iter()
        .any(|(step, action)| matches!(action, Action::Script(_)) && !order.leave.contains(step));
    if runs_scripts && let Err(why) = script::check_files(room, &order.run.bundle) {
        found.push(scripts_lost(room, &why));
    }
    for (step, action) in actions.into_iter().rev() {
        let Action::File(file) = action else { continue };
        let name = key(&file.path);
        if kept.contains(&name) {
            continue;
        }
        let mut wanted = file.old;
        let is = match states.get(&name) {
            Some(is) => Ok(*is),
            None => known(room, &chains, &file),
        };
        let is = match is {
            Ok(is) => is,
            Err(foreign) if foreign.is_file && order.overwrite.contains(&step) => {
                wanted = first(order, &file);
                None
            }
            Err(foreign) => {
                if told.insert(name) {
                    found.push(changed(&file.path, &step, &foreign));
                }
                continue;
            }
        };
        if is_back(&chains, &file, is) {
            continue;
        }
        if let Some(old) = wanted
            && wanted == first(order, &file)
            && let Err(error) = room.state.load(room.disk, old)
        {
            found.push(copy_lost(room, &file.path, &step, old, &error));
        }
        states.insert(name, wanted);
    }
    found
}

fn changed(path: &str, step: &str, foreign: &Foreign) -> Problem {
    let (message, help) = if foreign.is_file {
        (
            format!("{path}: {} after step {step} was applied", foreign.why),
            format!(
                "nothing was touched. Look at it; `--overwrite {step}` keeps a copy of it and goes back all the same, `--leave {step}` leaves it as it is"
            ),
        )
    } else {
        (
            format!("{path}, which step {step} changed: {}", foreign.why),
            format!(
                "nothing was touched. Move what stands there away, then `--overwrite {step}` puts the old file back; or `--leave {step}` leaves it as it is"
            ),
        )
    };
    Problem::new(codes::CHANGED_BY_SOMEONE, message, &help)
}

fn copy_lost(room: &Room<'_>, path: &str, step: &str, old: Digest, error: &std::io::Error) -> Problem {
    Problem::new(
        codes::COPY_LOST,
        format!(
            r"{path}: its copy of before step {step}, {}\saved\{old}, cannot be used: {error}",
            room.state.windows
        ),
        &format!(
            "nothing was touched. Put a good copy under that name, from a backup: `certutil -hashfile FILE SHA256` prints its name; or `--leave {step}` takes everything else back"
        ),
    )
}

fn scripts_lost(room: &Room<'_>, why: &str) -> Problem {
    Problem::new(
        codes::COPY_LOST,
        format!(
            r"the scripts in {}\bundle, which lead back, are not what was put there: {why}",
            room.state.windows
        ),
        "nothing was touched. Name the bundle of that run, `cbgen rollback BUNDLE`: its scripts are put there again",
    )
}

/// What stands in the place of a file and is none of the states that the run gave it.
struct Foreign {
    why: String,
    /// Whether it is a file that could be kept and written over.
    is_file: bool,
}

/// The state of a file, when the run went through it. `Err` says what it is else.
fn known(room: &Room<'_>, chains: &Chains, file: &FileIntent) -> Result<Option<Digest>, Foreign> {
    let foreign = |why: String, is_file: bool| Err(Foreign { why, is_file });
    let target = Target::of(room.server, room.disk, &file.path);
    if let Ok(Some(link)) = room.server.link_on_the_way(room.disk, &file.path) {
        return foreign(format!("`{link}` is a link now"), false);
    }
    if let Ok(Some(Found::Folder | Found::Link | Found::Other)) = room.disk.look(&target.path) {
        return foreign("something else than a file stands there now".to_owned(), false);
    }
    let is = match target.digest(room.disk) {
        Ok(is) => is,
        Err(error) => return foreign(format!("it cannot be read now: {error}"), false),
    };
    if chains
        .get(&key(&file.path))
        .is_some_and(|chain| chain.contains(&is))
    {
        Ok(is)
    } else if is.is_none() {
        foreign("someone removed it".to_owned(), true)
    } else {
        foreign("someone changed it".to_owned(), true)
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
pub fn go_back(room: &mut Room<'_>, order: &Order<'_>) -> Ending {
    let mut outcome = Ending::default();
    room.note(Record::UndoBegin {
        why: order.why.clone(),
        by: room.who(),
        since: order.since,
    });
    let mut ran: BTreeMap<BundlePath, bool> = BTreeMap::new();
    let (actions, chains) = actions(room, order);
    let kept = kept_files(&actions, order);
    for (step, action) in actions.into_iter().rev() {
        let is_kept = match &action {
            Action::File(file) => kept.contains(&key(&file.path)),
            Action::Script(_) | Action::OneWay => order.leave.contains(&step),
        };
        if is_kept {
            leave(room, &step, &action);
            outcome.kept.push(step);
            continue;
        }
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
        left: outcome.kept.clone(),
    });
    outcome
}

/// Leaves what a step did as it is.
fn leave(room: &mut Room<'_>, step: &str, action: &Action) {
    if let Action::File(file) = action {
        // What an interruption left beside the file is no part of it; where it cannot be taken away, it is no harm.
        let target = Target::of(room.server, room.disk, &file.path);
        drop(settle(room.disk, &room.state, &target));
    }
    room.say(&format!("{step}  is left as it is, as asked"));
    room.note(Record::NotUndone {
        step: step.to_owned(),
        why: "left as it is, as asked".to_owned(),
    });
}

fn by_hand(order: &Order<'_>, outcome: &mut Ending) {
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
    outcome: &mut Ending,
) -> Result<(), String> {
    let target = Target::of(room.server, room.disk, &file.path);
    let mut wanted = file.old;
    let mut kept = None;
    let is = match known(room, chains, file) {
        Ok(is) => is,
        Err(foreign) if foreign.is_file && order.overwrite.contains(step) => {
            wanted = first(order, file);
            kept = keep_theirs(room, &target)?;
            kept
        }
        Err(foreign) => return Err(format!("{}: {}, so it is left as it is", file.path, foreign.why)),
    };
    settle(room.disk, &room.state, &target).map_err(|error| {
        format!(
            "{}: what an interrupted change left cannot be taken away: {error}",
            file.path
        )
    })?;
    if is_back(chains, file, is) {
        record_found_back(room, step, file, is);
        return Ok(());
    }
    let told = |why: String| format!("{}: {why}", file.path);
    match (wanted, is) {
        (Some(old), _) => {
            let bytes = match room.state.load(room.disk, old) {
                Ok(bytes) => bytes,
                // One that only lies between two steps of the run is not needed: an earlier step has the older one.
                Err(_) if wanted != first(order, file) => return Ok(()),
                Err(error) => return Err(told(format!("its saved copy cannot be read: {error}"))),
            };
            let swapped = swap(room.disk, &target, is, &bytes);
            // Old and new are both sound; the rest is taken away by the next command at the latest.
            drop(clean(room.disk, &target));
            swapped.map_err(told)?;
        }
        (None, Some(is)) => unmake(room.disk, &target, is).map_err(told)?,
        (None, None) => {}
    }
    outcome.files.insert(key(&file.path));
    if is.is_none() && wanted.is_some() {
        room.say(&format!(
            "{step}  {} has its old content again; it was removed, so look at its owner and rights",
            file.path
        ));
    } else {
        room.say(&format!("{step}  {} is as it was", file.path));
    }
    room.note(Record::Undid {
        step: step.clone(),
        path: file.path.clone(),
        now: wanted,
        kept,
    });
    Ok(())
}

/// Where a person went back by hand, the journal still says that the file is what a step made it.
fn record_found_back(room: &mut Room<'_>, step: &str, file: &FileIntent, is: Option<Digest>) {
    let is_other = |known: &Option<Digest>| *known != is;
    if room.history().files.get(&key(&file.path)).is_some_and(is_other) {
        room.note(Record::Undid {
            step: step.to_owned(),
            path: file.path.clone(),
            now: is,
            kept: None,
        });
    }
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
    outcome: &mut Ending,
) -> Result<(), String> {
    match ran.get(path) {
        Some(true) => {}
        Some(false) => return Err(format!("{} failed", path.file_name())),
        None => {
            let result = run_undo(room, order, step, path);
            ran.insert(path.clone(), result.is_ok());
            result?;
            outcome.scripts += 1;
            room.say(&format!("{step}  taken back by {}", path.file_name()));
        }
    }
    room.note(Record::UndidByScript {
        step: step.to_owned(),
        script: path.to_string(),
        code: Some(0),
    });
    Ok(())
}

fn run_undo(room: &mut Room<'_>, order: &Order<'_>, step: &str, path: &BundlePath) -> Result<(), String> {
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
    if went.ended == Ended::Code(Some(0)) {
        return Ok(());
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

/// A run as the text for people needs it.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// Its number.
    pub run: u64,
    /// When it began.
    pub began: &'a str,
    /// What it means to do, as far as it is not taken back.
    pub steps: Vec<&'a Meant>,
}

/// The runs that were not taken back, without the one that is being made.
pub fn standing(history: &History, but: u64) -> Vec<Standing<'_>> {
    let runs = history.runs.iter().filter(|run| run.number != but);
    let runs = runs.map(|run| {
        // Of a run that was taken back only what was left is still to do.
        let is_undone = run.standing == super::history::Standing::Undone;
        let is_there = |meant: &&Meant| !is_undone || run.not_undone.contains_key(&meant.step);
        Standing {
            run: run.number,
            began: &run.began,
            steps: run.steps.iter().filter(is_there).collect(),
        }
    });
    runs.filter(|run| !run.steps.is_empty()).collect()
}

/// The text for people who go back without cbgen. `runs` are those that were not taken back, in order; the text begins with
/// the last one.
pub fn going_back_text(server: &Server, runs: &[Standing<'_>]) -> String {
    let mut out = format!(
        "How to go back without cbgen\r\n\
         ============================\r\n\r\n\
         On {}. The plain copies of the files as they were lie in the folder `saved` beside this text, each under its SHA-256.\r\n\
         Work from the top of this list to its bottom, and pass over what a run did not come to: `journal.jsonl` has a line\r\n\
         \"did\" or \"started\" for each step that was begun. Stop the service that uses a file first. Run the commands in a\r\n\
         command prompt with administrator rights, in the folder of this text. A newer run of another bundle or version has its\r\n\
         own text in the folder of that one, and goes back before these.\r\n",
        server.place
    );
    if runs.is_empty() {
        out.push_str("\r\nEvery run is taken back: there is nothing to do.\r\n");
    }
    for run in runs.iter().rev() {
        let heading = format!("Run {}, begun {}", run.run, run.began);
        let _ = write!(out, "\r\n{heading}\r\n{}\r\n", "-".repeat(heading.len()));
        let mut seen = BTreeSet::new();
        // Only the first step on a file knows what was there before the run.
        let ways: Vec<String> = run
            .steps
            .iter()
            .filter_map(|meant| way_back(meant, &mut seen))
            .collect();
        out.extend(ways.into_iter().rev());
    }
    out
}

/// How a person takes one step back; `None` where there is nothing to do.
fn way_back(meant: &Meant, seen: &mut BTreeSet<String>) -> Option<String> {
    let lines = if let Some(file) = &meant.file {
        if !seen.insert(key(&file.path)) {
            return None;
        }
        vec![match file.old {
            Some(old) => format!("copy /y \"saved\\{old}\" \"{}\"", file.path),
            None => format!("del \"{}\"", file.path),
        }]
    } else if let Some(undo) = &meant.undo {
        vec![format!("\"bundle\\{}\"", undo.as_str().replace('/', "\\"))]
    } else if meant.one_way {
        vec!["There is no way back.".to_owned()]
    } else if meant.by_hand.is_empty() {
        return None;
    } else {
        meant.by_hand.clone()
    };
    let mut out = format!("{:<6} {}\r\n", meant.step, meant.title);
    for line in lines {
        let _ = write!(out, "       {line}\r\n");
    }
    Some(out)
}
