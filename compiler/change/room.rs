//! The room in which a run works: where it writes, what it knows, and how it tells what it does.
//!
//! This file must not know the order of steps.

use std::io;

use crate::contract::digest::Digest;

use super::disk::Disk;
use super::history::History;
use super::journal::{Journal, Record, Who};
use super::machine::Machine;
use super::records;
use super::server::Server;
use super::state::State;

/// The room of a run.
pub struct Room<'a> {
    /// The server.
    pub server: &'a Server,
    /// Its disk.
    pub disk: &'a dyn Disk,
    /// The machine.
    pub machine: &'a dyn Machine,
    /// What is kept here.
    pub state: State,
    /// The journal.
    pub journal: Journal,
    /// The run.
    pub run: u64,
    /// Why the journal could not be written, the first time.
    pub journal_failed: Option<String>,
}

impl Room<'_> {
    /// What the journal means now.
    pub fn history(&self) -> History {
        History::of(&self.journal.reading.lines)
    }

    /// Writes a record, on the disk when this returns.
    pub fn record(&mut self, record: Record) -> io::Result<()> {
        self.record_at(self.machine.now(), record)
    }

    /// The same, of a moment that is known.
    pub fn record_at(&mut self, at: String, record: Record) -> io::Result<()> {
        let written = self.journal.add(self.disk, self.run, at, record);
        if let Err(error) = &written {
            self.journal_failed.get_or_insert_with(|| error.to_string());
        }
        written
    }

    /// Writes a record where work has to go on whether or not it could be written; the end of the run tells.
    pub fn note(&mut self, record: Record) {
        // Kept in `journal_failed`.
        drop(self.record(record));
    }

    /// Prints a line of progress, with the time of day for a log.
    pub fn say(&self, line: &str) {
        let now = self.machine.now();
        let time = now.get(11..19).unwrap_or("--:--:--");
        self.machine.say(&format!("{time}  {line}"));
    }

    /// Prints what belongs to the line before.
    pub fn detail(&self, line: &str) {
        self.machine.say(&format!("          {line}"));
    }

    /// Who runs this.
    pub fn who(&self) -> Who {
        who(self.machine)
    }

    /// Writes the evidence of this run anew and gives its seal. An error is said and is none of the run.
    pub fn put_evidence(&self) -> Option<Digest> {
        // What the journal could not take is in no evidence, which would then say less than what happened.
        if self.journal_failed.is_some() {
            return None;
        }
        match records::write(&self.state, self.disk, &self.journal.reading, self.run) {
            Ok(seal) => Some(seal),
            Err(error) => {
                self.say(&format!(
                    "the evidence of run {} could not be written: {error}",
                    self.run
                ));
                None
            }
        }
    }

    /// Says where the evidence of this run lies, and the seal of it, where it was written.
    pub fn tell_seal(&self, seal: Option<Digest>) {
        if let Some(seal) = seal {
            self.detail(&format!("evidence: {}", self.state.evidence_name(self.run)));
            self.detail(&format!("seal for the change record: {seal}"));
        }
    }
}

/// Who runs this.
pub fn who(machine: &dyn Machine) -> Who {
    Who {
        user: machine.user(),
        computer: machine.computer(),
        process: machine.process(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        tool_sha256: machine.program_digest(),
    }
}
