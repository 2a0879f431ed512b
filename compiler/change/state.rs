//! What cbgen keeps about one bundle on a server, and where.
//!
//! `%ProgramData%\cbgen\NAME\VERSION`: the journal, saved copies by their digest, one file for each run that repeats what the
//! run meant to do, logs, the scripts of the bundle, evidence, and a text for people who go back without cbgen. The lock is of
//! the whole server. Files here are made beside their place and renamed, so each is whole or not there. This file must not
//! know how a step is done.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::contract::digest::Digest;
use crate::contract::path::BundlePath;
use crate::json;

use super::disk::{Disk, Found, Held};
use super::evidence;
use super::history::History;
use super::journal::{Journal, Line, Record, Who};
use super::server::Server;

/// Largest file that is saved: a configuration file has some kilobytes.
pub const LARGEST: u64 = 64 << 20;

/// The folders in that of a bundle and version.
const FOLDERS: [&str; 5] = ["saved", "runs", "logs", "evidence", "bundle"];

/// Where things lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The folder as the server calls it.
    pub windows: String,
    /// The folder of all bundles.
    top: PathBuf,
    /// The folder of this bundle and version.
    folder: PathBuf,
}

/// What is kept beside the journal of the runs here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meanings {
    /// What each meant to do, in order.
    pub begins: Vec<Line>,
    /// Runs of which the copy and the evidence cannot be read.
    pub lost: Vec<u64>,
}

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The command.
    pub command: String,
    /// The bundle.
    pub bundle: String,
    /// Since when.
    pub since: String,
    /// Who.
    pub by: Who,
}

impl State {
    /// The state of a bundle on a server. Nothing is made yet.
    pub fn of(server: &Server, disk: &dyn Disk, name: &str, version: &str) -> Self {
        let windows = format!(r"{}\{name}\{version}", server.program_data());
        Self {
            top: server.at(disk, &server.program_data()),
            folder: server.at(disk, &windows),
            windows,
        }
    }

    /// The folder of this bundle and version.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.folder.join("journal.jsonl")
    }

    /// The folder of scripts that run.
    pub fn bundle(&self) -> PathBuf {
        self.folder.join("bundle")
    }

    /// A log.
    pub fn log(&self, run: u64, step: &str, word: &str) -> PathBuf {
        self.folder.join("logs").join(log_name(run, step, word))
    }

    /// The evidence of a run.
    pub fn evidence(&self, run: u64) -> PathBuf {
        self.folder.join("evidence").join(format!("run-{run:04}.jsonl"))
    }

    /// The evidence of a run, as the server calls it.
    pub fn evidence_name(&self, run: u64) -> String {
        format!(r"{}\evidence\run-{run:04}.jsonl", self.windows)
    }

    /// Whether anything was ever kept here.
    pub fn is_there(&self, disk: &dyn Disk) -> io::Result<bool> {
        Ok(disk.look(&self.folder)? == Some(Found::Folder))
    }

    /// Makes the folders, each on the disk before the next. One that is there already and belongs to somebody else is an
    /// error: what such an account puts there would be run or restored.
    pub fn make(&self, disk: &dyn Disk) -> io::Result<()> {
        make_folders(disk, &self.folder)?;
        for name in FOLDERS {
            disk.make_folder(&self.folder.join(name))?;
        }
        disk.sync_folder(&self.folder)
    }

    /// Refuses folders of ours that belong to somebody else.
    fn check_owner(&self, disk: &dyn Disk) -> io::Result<()> {
        let names = FOLDERS.map(|name| self.folder.join(name));
        let above = [Some(self.top.as_path()), self.folder.parent(), Some(&self.folder)];
        let all = above
            .into_iter()
            .flatten()
            .chain(names.iter().map(PathBuf::as_path));
        for folder in all {
            if disk.look(folder)? == Some(Found::Folder) {
                disk.make_folder(folder)?;
            }
        }
        Ok(())
    }

    /// Takes the lock of the server. `Err(Some(_))` is who has it, `Err(None)` somebody who has not said who.
    pub fn lock(&self, disk: &dyn Disk) -> io::Result<Result<Held, Option<Running>>> {
        make_folders(disk, &self.top)?;
        self.check_owner(disk)?;
        Ok(match disk.lock(&self.top.join("lock"))? {
            Some(held) => Ok(held),
            None => Err(self.running(disk)),
        })
    }

    /// Who works on this server now. Writes nothing.
    pub fn busy(&self, disk: &dyn Disk) -> Option<Option<Running>> {
        disk.is_locked(&self.top.join("lock")).then(|| self.running(disk))
    }

    fn running(&self, disk: &dyn Disk) -> Option<Running> {
        let text = disk.read(&self.top.join("running.json"), 1 << 16).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Says who has the lock, for others.
    pub fn say_running(&self, disk: &dyn Disk, running: &Running) -> io::Result<()> {
        put(
            disk,
            &self.top.join("running.json"),
            json::compact(running).as_bytes(),
        )
    }

    /// Takes that away again.
    pub fn say_done(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.remove(&self.top.join("running.json"))
    }

    /// Where the saved copy with a digest lies.
    pub fn saved(&self, digest: Digest) -> PathBuf {
        self.folder.join("saved").join(digest.to_string())
    }

    /// Keeps a copy, on the disk when this returns.
    pub fn save(&self, disk: &dyn Disk, bytes: &[u8]) -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        let path = self.saved(digest);
        // A copy that is there was made whole; what somebody did to it since is found here.
        let is_good = disk.look(&path)?.is_some()
            && disk
                .read(&path, LARGEST)
                .is_ok_and(|found| Digest::of(&found) == digest);
        if !is_good {
            put(disk, &path, bytes)?;
        }
        Ok(digest)
    }

    /// A saved copy, checked.
    pub fn load(&self, disk: &dyn Disk, digest: Digest) -> io::Result<Vec<u8>> {
        let bytes = disk.read(&self.saved(digest), LARGEST)?;
        if Digest::of(&bytes) == digest {
            Ok(bytes)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the saved copy is not what was saved",
            ))
        }
    }

    /// Writes what a run means to do a second time, beside the journal.
    pub fn put_meaning(&self, disk: &dyn Disk, line: &Line) -> io::Result<()> {
        let text = line.text();
        let text = format!("{text}\n{}\n", Digest::of(text.as_bytes()));
        put(disk, &self.meaning_path(line.run), text.as_bytes())
    }

    /// Removes what a run means to do, for a run that never began.
    pub fn remove_meaning(&self, disk: &dyn Disk, run: u64) -> io::Result<()> {
        disk.remove(&self.meaning_path(run))?;
        disk.sync_folder(&self.folder.join("runs"))
    }

    fn meaning_path(&self, run: u64) -> PathBuf {
        self.folder.join("runs").join(format!("{run:04}.json"))
    }

    /// What the runs here meant to do, where the journal cannot tell it: from the copies, else from the evidence.
    /// Errors: those of the disk for the folders; what nobody may see is not absent.
    pub fn meanings(&self, disk: &dyn Disk) -> io::Result<Meanings> {
        let mut meanings = Meanings::default();
        for run in self.numbers(disk)? {
            match self
                .meaning(disk, run)
                .or_else(|| self.evidence_of(disk, run).into_iter().next())
            {
                Some(begin) => meanings.begins.push(begin),
                None => meanings.lost.push(run),
            }
        }
        Ok(meanings)
    }

    fn meaning(&self, disk: &dyn Disk, run: u64) -> Option<Line> {
        let bytes = disk.read(&self.meaning_path(run), LARGEST).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (line, digest) = text.strip_suffix('\n')?.split_once('\n')?;
        let line = (Digest::of(line.as_bytes()).to_string() == digest).then_some(line)?;
        let line: Line = serde_json::from_str(line).ok()?;
        matches!(line.record, Record::Begin { .. }).then_some(line)
    }

    /// The lines of a run from its evidence, the beginning first; none where that is not whole.
    pub fn evidence_of(&self, disk: &dyn Disk, run: u64) -> Vec<Line> {
        let bytes = disk.read(&self.evidence(run), LARGEST).ok();
        let evidence = bytes.and_then(|bytes| evidence::read(&bytes).ok());
        evidence.map(|evidence| evidence.lines).unwrap_or_default()
    }

    /// Numbers of the runs of which something is kept beside the journal, in order.
    fn numbers(&self, disk: &dyn Disk) -> io::Result<Vec<u64>> {
        let of = |folder: &str, prefix: &str, end: &str| {
            let names = names_in(disk, &self.folder.join(folder))?.into_iter();
            let numbers = names.filter_map(|name| name.strip_prefix(prefix)?.strip_suffix(end)?.parse().ok());
            Ok::<Vec<u64>, io::Error>(numbers.collect())
        };
        let mut numbers = of("runs", "", ".json")?;
        numbers.extend(of("evidence", "run-", ".jsonl")?);
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// The highest number of a run on this server, whatever its bundle.
    pub fn highest_run(server: &Server, disk: &dyn Disk) -> io::Result<u64> {
        let numbered = Self::numbered(server, disk)?;
        Ok(numbered.last().map_or(0, |(highest, _)| *highest))
    }

    /// The states on a server, the one with the newest run last.
    pub fn all(server: &Server, disk: &dyn Disk) -> io::Result<Vec<Self>> {
        let numbered = Self::numbered(server, disk)?;
        Ok(numbered.into_iter().map(|(_, state)| state).collect())
    }

    /// The states on a server, each with its highest run, in the order of these.
    fn numbered(server: &Server, disk: &dyn Disk) -> io::Result<Vec<(u64, Self)>> {
        let top = server.at(disk, &server.program_data());
        let mut found = Vec::new();
        for bundle in names_in(disk, &top)? {
            for version in names_in(disk, &top.join(&bundle))? {
                let state = Self::of(server, disk, &bundle, &version);
                if let Some(highest) = state.numbers(disk)?.pop() {
                    found.push((highest, state));
                }
            }
        }
        found.sort_by_key(|(highest, _)| *highest);
        Ok(found)
    }

    /// The states of other bundles and versions, with what their journals mean. One that cannot be read is told by `status`, and
    /// stands in nobody's way.
    pub fn others(&self, server: &Server, disk: &dyn Disk) -> io::Result<Vec<(Self, History)>> {
        let all = Self::all(server, disk)?.into_iter();
        let others = all.filter(|other| !other.windows.eq_ignore_ascii_case(&self.windows));
        let known = others.filter_map(|other| {
            let journal = Journal::open(disk, other.journal()).ok()?;
            Some((other, History::of(&journal.reading.lines)))
        });
        Ok(known.collect())
    }

    /// The state with the last run that was not taken back.
    pub fn last(server: &Server, disk: &dyn Disk) -> io::Result<Option<Self>> {
        let mut all = Self::all(server, disk)?;
        let Some(newest) = all.pop() else { return Ok(None) };
        let last = |state: &Self| {
            let journal = Journal::open(disk, state.journal()).ok()?;
            let history = History::of(&journal.reading.lines);
            // A journal that cannot tell is looked at first: the command says what is wrong with it.
            if !journal.reading.damage.is_empty() {
                return Some(u64::MAX);
            }
            history.last().map(|run| run.number)
        };
        let mut found: Option<(u64, Self)> = last(&newest).map(|number| (number, newest.clone()));
        for state in all {
            if let Some(number) = last(&state)
                && found.as_ref().is_none_or(|(best, _)| *best < number)
            {
                found = Some((number, state));
            }
        }
        Ok(Some(found.map_or(newest, |(_, state)| state)))
    }

    /// Whether a log is there: the program it belongs to was started.
    pub fn has_log(&self, disk: &dyn Disk, run: u64, step: &str) -> bool {
        matches!(disk.look(&self.log(run, step, "")), Ok(Some(_)))
    }

    /// Puts a file of the bundle where scripts run, unless it is there. What another build of the same version had put there
    /// is saved: the way back of its run needs it.
    pub fn unpack(&self, disk: &dyn Disk, path: &BundlePath, bytes: &[u8]) -> io::Result<()> {
        let place = self.bundle().join(path.as_str());
        if let Some(folder) = place.parent() {
            make_folders(disk, folder)?;
        }
        if disk.look(&place)?.is_some()
            && let Ok(found) = disk.read(&place, LARGEST)
        {
            if found == bytes {
                return Ok(());
            }
            self.save(disk, &found)?;
        }
        put(disk, &place, bytes)
    }

    /// The text for people who go back without cbgen.
    pub fn put_going_back(&self, disk: &dyn Disk, text: &str) -> io::Result<()> {
        put(disk, &self.folder.join(GOING_BACK), text.as_bytes())
    }

    /// Sets a damaged journal aside, so that a new one can begin, and gives its new name.
    pub fn set_aside(&self, disk: &dyn Disk) -> io::Result<String> {
        for number in 1.. {
            let name = format!("journal-damaged-{number}.jsonl");
            let path = self.folder.join(&name);
            if disk.look(&path)?.is_none() {
                disk.rename_to_free(&self.journal(), &path)?;
                disk.sync_folder(&self.folder)?;
                return Ok(name);
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// The text for people who go back without cbgen.
pub const GOING_BACK: &str = "GOING-BACK.txt";

/// The name of a log: run, step, and what is done with it.
pub fn log_name(run: u64, step: &str, word: &str) -> String {
    let word = if word.is_empty() {
        String::new()
    } else {
        format!("-{word}")
    };
    format!("run-{run:04}-step-{step}{word}.log")
}

/// Names directly in a folder; none where no folder is. One that may not be read is an error: what nobody may see is not absent.
fn names_in(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<String>> {
    match disk.look(folder)? {
        Some(Found::Folder) => disk.names(folder),
        Some(Found::File(_) | Found::Link | Found::Other) | None => Ok(Vec::new()),
    }
}

/// Makes a folder and those above it, each on the disk before the next. A link on the way is refused.
pub fn make_folders(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.look(path)? {
        Some(Found::Folder) => return Ok(()),
        Some(Found::File(_) | Found::Link | Found::Other) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let message = format!("`{name}` is no folder");
            return Err(io::Error::new(io::ErrorKind::NotADirectory, message));
        }
        None => {}
    }
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return disk.make_folder(path);
    };
    make_folders(disk, parent)?;
    disk.make_folder(path)?;
    disk.sync_folder(parent)
}

/// Writes a file of ours: whole or not at all, and on the disk when this returns.
pub fn put(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new~");
    let new = path.with_file_name(name);
    disk.remove(&new)?;
    let written = disk
        .write_new(&new, bytes)
        .and_then(|()| disk.sync_file(&new))
        .and_then(|()| disk.rename_over(&new, path));
    if let Err(error) = written {
        // Nothing may be left that looks like work; when it cannot be removed, the next writing removes it.
        drop(disk.remove(&new));
        return Err(error);
    }
    match path.parent() {
        // A plain name lies in the working folder.
        Some(folder) if folder.as_os_str().is_empty() => disk.sync_folder(Path::new(".")),
        Some(folder) => disk.sync_folder(folder),
        None => Ok(()),
    }
}
