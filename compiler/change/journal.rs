//! `journal.jsonl`: what was meant and what was done, on the disk before the first byte of the server changes.
//!
//! Every line is one JSON object with its number, the SHA-256 of the line before it, one record, and the SHA-256 of itself.
//! A line is synced before the next thing happens. A torn last line is what a power cut leaves and is taken away; anything
//! else that does not fit is told as damage, with everything that can still be read, because going back looks at digests of
//! files and not at a position in the journal. This file must not know how a step is done.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::digest::Digest;
use crate::contract::path::BundlePath;
use crate::json;

use super::disk::{Disk, Found, not_regular};

/// Largest journal that is read.
const LIMIT: u64 = 256 << 20;

/// Lines that do not fit and are told one by one.
const MOST_DAMAGE: usize = 100;

/// A file that a step changes, as it is known before the step begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIntent {
    /// The file on the server.
    pub path: String,
    /// What is there; absent when there is no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Digest>,
    /// What will be there.
    pub new: Digest,
}

/// A step as a run means to do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meant {
    /// Number of the step.
    pub step: String,
    /// What it does.
    pub title: String,
    /// The file, where cbgen changes one itself and can tell beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileIntent>,
    /// The script that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<BundlePath>,
    /// The script that takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<BundlePath>,
    /// How a person takes it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_hand: Vec<String>,
    /// Whether nothing takes it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_way: bool,
}

/// Who did it, where and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Who {
    /// The account.
    pub user: String,
    /// The computer, as it calls itself.
    pub computer: String,
    /// Number of the process.
    pub process: u32,
    /// Version of cbgen.
    pub tool: String,
    /// Digest of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_sha256: Option<String>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Record {
    /// A run of `apply` begins.
    Begin {
        /// Name and version of the bundle, its id, and the digest of everything in it.
        bundle: String,
        /// Version.
        version: String,
        /// Number of the change request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<String>,
        /// Its id.
        id: Digest,
        /// Digest of everything in it.
        seal: Digest,
        /// The server, or `deployment`.
        place: String,
        /// Who.
        by: Who,
        /// Every step that was wanted.
        steps: Vec<Meant>,
        /// Files of the bundle that scripts find beside them, with their digests.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        scripts: BTreeMap<BundlePath, Digest>,
    },
    /// A run that was interrupted or stopped goes on.
    Resume {
        /// Who.
        by: Who,
        /// Every step that is wanted now and not done yet.
        steps: Vec<Meant>,
        /// Files of the bundle that scripts find beside them, with their digests.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        scripts: BTreeMap<BundlePath, Digest>,
    },
    /// A step was done already.
    Already {
        /// Number of the step.
        step: String,
        /// How that is known.
        why: String,
    },
    /// A file is about to change.
    Intent {
        /// Number of the step.
        step: String,
        /// The file.
        #[serde(flatten)]
        file: FileIntent,
        /// The new file until it is in place, and the old one until that is certain; beside the file.
        names: [String; 2],
    },
    /// A file has changed.
    Did {
        /// Number of the step.
        step: String,
        /// The file.
        #[serde(flatten)]
        file: FileIntent,
        /// How long it took.
        milliseconds: u64,
    },
    /// A program is about to run.
    Started {
        /// Number of the step.
        step: String,
        /// The command line, without secrets.
        command: String,
        /// Names of the secrets it gets through its environment.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secrets: Vec<String>,
        /// Its log.
        log: String,
    },
    /// A program has ended.
    Ended {
        /// Number of the step.
        step: String,
        /// Its exit code; absent when the system or a person ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<i32>,
        /// Digest of its log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log_sha256: Option<Digest>,
        /// How long it took.
        milliseconds: u64,
    },
    /// A program takes longer than planned, and what was answered.
    Overdue {
        /// Number of the step.
        step: String,
        /// After how long.
        minutes: u64,
        /// What was decided.
        decision: String,
    },
    /// A person says that something is done.
    Confirmed {
        /// Number of the step.
        step: String,
        /// What was confirmed.
        meaning: String,
        /// `terminal` or the option.
        how: String,
        /// Who.
        user: String,
    },
    /// The run stops in front of a step that a person has to do.
    Paused {
        /// Number of the step.
        step: String,
    },
    /// A step failed.
    Failed {
        /// Number of the step.
        step: String,
        /// Why.
        why: String,
    },
    /// Everything wanted is done.
    Done,
    /// The journal before this one was damaged, and lies beside it under another name.
    Damaged {
        /// Its name; absent when there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_as: Option<String>,
        /// What did not fit in it.
        why: String,
    },
    /// Going back begins.
    UndoBegin {
        /// Why.
        why: String,
        /// Who.
        by: Who,
        /// First record of what is taken back: the number of the line behind which everything goes.
        since: u64,
    },
    /// A file is what it was before a step.
    Undid {
        /// Number of the step.
        step: String,
        /// The file: `new` is what is there now.
        path: String,
        /// What is there now; absent when there is no file again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        now: Option<Digest>,
        /// What somebody had made of it, which was written over as asked and is kept under this digest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Digest>,
    },
    /// A script took a step back.
    UndidByScript {
        /// Number of the step.
        step: String,
        /// The script.
        script: String,
        /// Its exit code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<i32>,
    },
    /// A step was not taken back.
    NotUndone {
        /// Number of the step.
        step: String,
        /// Why.
        why: String,
    },
    /// Going back has ended.
    UndoEnd {
        /// Whether everything is as it was, as far as files and scripts go, but for what was to be left.
        complete: bool,
        /// Steps that were left as they are, as asked.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<String>,
    },
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Number, from 1.
    pub n: u64,
    /// SHA-256 of the line before, without its line feed; of the empty text for the first.
    pub before: Digest,
    /// The run it belongs to.
    pub run: u64,
    /// When; never used to decide anything.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub record: Record,
}

impl Line {
    /// The line as it is written, without its line feed: its last member is the SHA-256 of the object without it.
    pub fn text(&self) -> String {
        let mut text = json::compact(self);
        let own = Digest::of(text.as_bytes());
        text.pop();
        let _ = write!(text, r#","own":"{own}"}}"#);
        text
    }
}

/// What a journal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Every line that can be read and is as it was written, in order.
    pub lines: Vec<Line>,
    /// What does not fit: line and why. A torn last line is not told.
    pub damage: Vec<(usize, String)>,
    /// Bytes of the whole lines at the beginning that fit.
    pub sound: u64,
    /// Number of the last line in the file, where it ends without a line feed.
    pub torn: Option<usize>,
}

impl Reading {
    /// Reads the text of a journal.
    pub fn of(bytes: &[u8]) -> Self {
        let mut reading = Self::default();
        let mut before = Digest::of(b"");
        let mut number = 1;
        let mut is_whole = true;
        let (mut others, mut last) = (0usize, 0);
        for (index, piece) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let Some(text) = piece.strip_suffix(b"\n") else {
                reading.torn = Some(index + 1);
                break;
            };
            let line = serde_json::from_slice::<Line>(text).ok();
            let fits = line.as_ref().is_some_and(|line| {
                line.n == number && line.before == before && line.text().as_bytes() == text
            });
            if !fits {
                let why = match &line {
                    None => "it is no record",
                    Some(line) if line.before != before => "it does not follow the line before it",
                    Some(_) => "it is not what was written",
                };
                if reading.damage.len() < MOST_DAMAGE {
                    reading.damage.push((index + 1, why.to_owned()));
                } else {
                    (others, last) = (others + 1, index + 1);
                }
                is_whole = false;
            }
            before = Digest::of(text);
            number = line.as_ref().map_or(number, |line| line.n) + 1;
            // What its own digest does not vouch for may have lost a name, and what stood under it is not absent.
            if let Some(line) = line.filter(|line| line.text().as_bytes() == text) {
                reading.lines.push(line);
            }
            if is_whole {
                reading.sound += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            }
        }
        if others > 0 {
            reading
                .damage
                .push((last, format!("{others} more lines up to this one do not fit")));
        }
        reading
    }
}

/// A journal that lines are added to.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// What it says.
    pub reading: Reading,
    /// Bytes that are known to be good; what stands behind them is cut before the next line.
    length: u64,
    /// Whether the end may hold a torn line.
    is_dirty: bool,
}

impl Journal {
    /// Reads the journal at `path`; none is an empty one. Writes nothing.
    pub fn open(disk: &dyn Disk, path: PathBuf) -> io::Result<Self> {
        let bytes = match disk.look(&path)? {
            None => Vec::new(),
            Some(Found::File(_)) => disk.read(&path, LIMIT)?,
            Some(Found::Folder | Found::Link | Found::Other) => return Err(not_regular()),
        };
        let reading = Reading::of(&bytes);
        let torn = bytes.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len);
        Ok(Self {
            path,
            length: u64::try_from(bytes.len() - torn).unwrap_or(u64::MAX),
            is_dirty: torn > 0,
            reading,
        })
    }

    /// Number of the next line.
    pub fn next(&self) -> u64 {
        self.reading.lines.last().map_or(1, |line| line.n + 1)
    }

    /// The line a record would be.
    pub fn line(&self, run: u64, at: String, record: Record) -> Line {
        let last = self.reading.lines.last();
        Line {
            n: self.next(),
            before: last.map_or_else(|| Digest::of(b""), |line| Digest::of(line.text().as_bytes())),
            run,
            at,
            record,
        }
    }

    /// Adds a line and returns when it is on the disk.
    pub fn add(&mut self, disk: &dyn Disk, run: u64, at: String, record: Record) -> io::Result<()> {
        let is_new = self.length == 0;
        if self.is_dirty {
            disk.cut(&self.path, self.length)?;
            disk.sync_file(&self.path)?;
            self.is_dirty = false;
        }
        let line = self.line(run, at, record);
        let mut text = line.text();
        text.push('\n');
        // Until the sync is done nobody knows how much of it is there.
        self.is_dirty = true;
        disk.append(&self.path, text.as_bytes())?;
        disk.sync_file(&self.path)?;
        if is_new && let Some(folder) = self.path.parent() {
            disk.sync_folder(folder)?;
        }
        self.is_dirty = false;
        self.length += u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.reading.lines.push(line);
        Ok(())
    }
}
