//! Evidence on the disk of runs that have ended: whether it says what the journal says, and the writing of it.
//!
//! A process can die between the last line of the journal and the evidence. The journal has everything, so the next command
//! that may write completes it. What somebody changed is never written over: it shows that somebody was there. This file must
//! not know how a run is made.

use std::io;

use crate::contract::digest::Digest;

use super::disk::{Disk, Found};
use super::evidence;
use super::history::{History, Standing};
use super::journal::{Journal, Line, Reading};
use super::machine::Machine;
use super::state::{LARGEST, State, put};

/// How the evidence of a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is whole.
    Whole,
    /// It is missing, or ends before the run did.
    Unfinished,
    /// It is not what was written.
    Changed,
}

fn look(state: &State, disk: &dyn Disk, reading: &Reading, run: u64) -> Kept {
    let path = state.evidence(run);
    match disk.look(&path) {
        Ok(None) => return Kept::Unfinished,
        Ok(Some(Found::File(_))) => {}
        Ok(Some(Found::Folder | Found::Link | Found::Other)) => return Kept::Changed,
        // Who may not read it cannot tell, and says nothing of it.
        Err(_) => return Kept::Whole,
    }
    let Ok(bytes) = disk.read(&path, LARGEST) else {
        return Kept::Whole;
    };
    let Ok(found) = evidence::read(&bytes) else {
        return Kept::Changed;
    };
    let lines: Vec<&Line> = reading.lines.iter().filter(|line| line.run == run).collect();
    let is_prefix = found.lines.len() < lines.len()
        && found
            .lines
            .iter()
            .eq(lines.iter().copied().take(found.lines.len()));
    if is_prefix { Kept::Unfinished } else { Kept::Whole }
}

/// Every run that has ended, with how its evidence stands. Writes nothing.
pub fn of_ended_runs(state: &State, disk: &dyn Disk, reading: &Reading) -> Vec<(u64, Kept)> {
    let history = History::of(&reading.lines);
    let ended = history
        .runs
        .iter()
        .filter(|run| matches!(run.standing, Standing::Done | Standing::Undone));
    ended
        .map(|run| (run.number, look(state, disk, reading, run.number)))
        .collect()
}

/// Writes the evidence of a run and gives its seal. Errors: those of the disk; then what was there is there still.
pub fn write(state: &State, disk: &dyn Disk, reading: &Reading, run: u64) -> io::Result<Digest> {
    let (text, seal) = evidence::text(run, &reading.lines);
    put(disk, &state.evidence(run), text.as_bytes())?;
    Ok(seal)
}

/// Completes the evidence of runs that have ended, for who holds the lock, and says so.
pub fn complete(state: &State, disk: &dyn Disk, machine: &dyn Machine, reading: &Reading) {
    for (run, kept) in of_ended_runs(state, disk, reading) {
        if kept != Kept::Unfinished {
            continue;
        }
        let name = state.evidence_name(run);
        machine.say(&match write(state, disk, reading, run) {
            Ok(seal) => format!("the evidence of run {run} was not finished and is now: {name}\n          seal for the change record: {seal}"),
            Err(error) => format!("the evidence of run {run} is not finished, and {name} cannot be written: {error}"),
        });
    }
}

/// The same for a command that found nothing to do and holds no lock. Where nothing is to complete, nothing is written.
pub fn complete_alone(state: &State, disk: &dyn Disk, machine: &dyn Machine) {
    let open = || {
        Journal::open(disk, state.journal())
            .ok()
            .map(|journal| journal.reading)
    };
    let is_unfinished = |reading: &Reading| {
        reading.damage.is_empty()
            && of_ended_runs(state, disk, reading)
                .iter()
                .any(|(_, kept)| *kept == Kept::Unfinished)
    };
    if !open().as_ref().is_some_and(is_unfinished) {
        return;
    }
    // Whoever works here now completes it.
    let Ok(Ok(held)) = state.lock(disk) else { return };
    if let Some(reading) = open().filter(is_unfinished) {
        complete(state, disk, machine, &reading);
    }
    drop(held);
}
