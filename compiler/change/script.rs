//! Running a script of the bundle: from a place nobody else writes to, with a log of its own, and without its secrets showing.
//!
//! The script runs by the full path of `cmd.exe` in the folder it lies in. What it prints goes line by line into its log,
//! with every secret it was given taken out. A script that takes too long is not ended behind anybody's back: a person is
//! asked, and without a person it is left alone. This file must not know why a script runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::contract::digest::Digest;
use crate::contract::path::BundlePath;

use super::disk::Disk;
use super::machine::{Call, Ended, Machine, Patience, Secret};
use super::room::Room;

/// What is run.
pub struct Job<'a> {
    /// Number of the step.
    pub step: String,
    /// The script.
    pub script: &'a BundlePath,
    /// Its arguments.
    pub arguments: &'a [String],
    /// Secrets it reads from its environment.
    pub secrets: Vec<(String, Secret)>,
    /// Secrets of the run: taken out of its log, and out of its environment where it does not read them.
    pub hidden: Vec<(String, Secret)>,
    /// How long it usually takes.
    pub minutes: u32,
    /// What distinguishes its log.
    pub word: &'a str,
    /// The program that runs it.
    pub shell: PathBuf,
}

/// How it went.
pub struct Went {
    /// How the program ended.
    pub ended: Ended,
    /// How long it took.
    pub milliseconds: u64,
    /// Digest of its log, where that could be read.
    pub log_sha256: Option<Digest>,
    /// The last lines it printed.
    pub tail: Vec<String>,
    /// What was decided when it took too long: after how many minutes, and what.
    pub decisions: Vec<(u64, String)>,
}

/// Minutes after which somebody is asked about a script, at least.
const SOON: u64 = 10;
/// How often a script without a person may take as long again.
const ROUNDS: u64 = 3;
/// Lines of a script that are kept to show.
const TAIL: usize = 6;
/// Bytes without a line end after which a line is written in pieces.
const LONGEST_LINE: usize = 1 << 16;

impl Job<'_> {
    /// The log, as it is named in messages.
    pub fn log_name(&self, run: u64) -> String {
        super::state::log_name(run, &self.step, self.word)
    }

    /// What is handed to `cmd.exe /c`.
    fn tail(&self, place: &Path) -> Result<String, String> {
        let mut line = format!("\"{}\"", place.display());
        for argument in self.arguments {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || r"._:\/-=".contains(letter);
            if argument.is_empty() || !argument.chars().all(plain) {
                return Err(format!(
                    "the argument `{argument}` cannot be written safely for cmd.exe"
                ));
            }
            line.push(' ');
            line.push_str(argument);
        }
        Ok(format!("\"{line}\""))
    }

    /// The command line for the journal.
    pub fn command(&self) -> Result<String, String> {
        let file = Path::new(self.script.file_name());
        Ok(format!("cmd.exe /d /s /c {}", self.tail(file)?))
    }
}

/// Checks that every file a script may read is what the bundle has.
pub fn check_files(room: &Room<'_>, files: &BTreeMap<BundlePath, Digest>) -> Result<(), String> {
    for (path, digest) in files {
        let place = room.state.bundle().join(path.as_str());
        let found = room.disk.read(&place, super::state::LARGEST);
        match found {
            Ok(bytes) if Digest::of(&bytes) == *digest => {}
            Ok(_) => return Err(format!("`{path}` was changed after it was unpacked")),
            Err(error) => return Err(format!("`{path}` cannot be read: {error}")),
        }
    }
    Ok(())
}

/// Runs it. `Err` when it could not be started.
pub fn run(room: &Room<'_>, job: &Job<'_>) -> Result<Went, String> {
    let place = room.state.bundle().join(job.script.as_str());
    let folder = place.parent().unwrap_or(&place).to_owned();
    let log = room.state.log(room.run, &job.step, job.word);
    let usual = u64::from(job.minutes).saturating_mul(2).max(SOON);
    let call = Call {
        program: job.shell.clone(),
        arguments: ["/d", "/s", "/c"].map(str::to_owned).to_vec(),
        tail: Some(job.tail(&place)?),
        folder,
        variables: vec![("CBGEN_STEP".to_owned(), job.step.clone())],
        secrets: job.secrets.clone(),
        without: job
            .hidden
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !job.secrets.iter().any(|(wanted, _)| wanted == name))
            .collect(),
        minutes: usual,
    };
    let head = format!("cbgen: run {}, step {}, {}\n", room.run, job.step, job.script);
    room.disk
        .append(&log, head.as_bytes())
        .map_err(|error| format!("its log cannot be written: {error}"))?;
    let mut writer = Log::new(room.disk, log.clone(), &job.hidden);
    let mut decisions = Vec::new();
    let begin = room.machine.milliseconds();
    let ended = room
        .machine
        .run(&call, &mut |bytes| writer.add(bytes), &mut |minutes| {
            let (patience, words) = decide(room.machine, job, minutes, usual);
            decisions.push((minutes, words.to_owned()));
            patience
        });
    let milliseconds = room.machine.milliseconds().saturating_sub(begin);
    let tail = writer.finish();
    // A log that cannot be synced or read is no reason to doubt the script.
    let written = room.disk.sync_file(&log);
    let written = written.and_then(|()| room.disk.read(&log, super::state::LARGEST));
    Ok(Went {
        ended: ended.map_err(|error| format!("cmd.exe cannot be started: {error}"))?,
        milliseconds,
        log_sha256: written.ok().map(|bytes| Digest::of(&bytes)),
        tail,
        decisions,
    })
}

fn decide(machine: &dyn Machine, job: &Job<'_>, minutes: u64, usual: u64) -> (Patience, &'static str) {
    machine.say(&format!(
        "          {} runs for {minutes} minutes already, planned were {}",
        job.script.file_name(),
        job.minutes
    ));
    let question = "Wait as long again, leave it running and stop here, or kill it, which may leave things half done? [wait/leave/kill] ";
    loop {
        match machine.ask(question).as_deref().map(str::trim) {
            Some("wait" | "w" | "") => return (Patience::Wait, "wait"),
            Some("leave" | "l") => return (Patience::Leave, "leave"),
            Some("kill" | "k") => return (Patience::Kill, "kill"),
            Some(_) => {}
            None if minutes < usual.saturating_mul(ROUNDS) => return (Patience::Wait, "wait, nobody to ask"),
            None => return (Patience::Leave, "leave, nobody to ask"),
        }
    }
}

/// The log of a script.
struct Log<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
    secrets: Vec<&'a str>,
    rest: Vec<u8>,
    tail: Vec<String>,
}

impl<'a> Log<'a> {
    fn new(disk: &'a dyn Disk, path: PathBuf, secrets: &'a [(String, Secret)]) -> Self {
        Self {
            disk,
            path,
            secrets: secrets
                .iter()
                .map(|(_, secret)| secret.reveal())
                .filter(|secret| !secret.is_empty())
                .collect(),
            rest: Vec::new(),
            tail: Vec::new(),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        // A secret may stand on both sides of a piece, never on both sides of a line end; the rest has none.
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let whole = end.map_or(0, |at| self.rest.len() + at + 1);
        self.rest.extend_from_slice(bytes);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        self.write(&lines);
        if self.rest.len() > LONGEST_LINE {
            // What may be the beginning of a secret stays; every whole one is hidden before the line is cut.
            let text = self.hidden(&self.rest);
            let longest = self.secrets.iter().map(|secret| secret.len()).max().unwrap_or(1);
            let cut = text.floor_char_boundary(text.len().saturating_sub(longest - 1));
            let (piece, rest) = text.split_at(cut);
            self.rest = rest.as_bytes().to_vec();
            self.write(piece.as_bytes());
        }
    }

    fn hidden(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let secrets = self.secrets.iter();
        secrets.fold(text, |text, secret| text.replace(secret, "(secret)"))
    }

    fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let text = self.hidden(bytes);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.tail
                .push(line.chars().filter(|letter| !letter.is_control()).collect());
        }
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        // A full disk must not stop a script in the middle; the missing log is seen by its digest.
        drop(self.disk.append(&self.path, text.as_bytes()));
    }

    fn finish(mut self) -> Vec<String> {
        let rest = std::mem::take(&mut self.rest);
        self.write(&rest);
        self.tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::disk::RealDisk;

    /// A secret stays hidden wherever the pieces of the output end, and a line without an end does not grow in memory.
    #[test]
    fn a_log_never_holds_a_secret_whatever_the_pieces_are() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = [("CANARY".to_owned(), Secret::new("top secret 7".to_owned()))];
        for piece in [1, 5, 4096, 100_000] {
            let path = folder.path().join(format!("{piece}.log"));
            let mut log = Log::new(&RealDisk, path.clone(), &secrets);
            let text = "x top secret 7 é".repeat(12_000);
            for bytes in text.as_bytes().chunks(piece) {
                log.add(bytes);
                assert!(log.rest.len() <= LONGEST_LINE + piece);
            }
            log.finish();
            let written = RealDisk.read(&path, 1 << 20).unwrap();
            let written = String::from_utf8(written).unwrap();
            assert!(!written.contains("top secret 7"), "{piece}");
            assert_eq!(written.matches("(secret)").count(), 12_000, "{piece}");
        }
    }
}
