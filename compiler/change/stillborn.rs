//! A run that was stopped after it had written what it means to do and before the journal knew of it.
//!
//! It changed nothing, so it is no damage of the journal; the next run takes its number. An emptied journal looks alike until
//! one looks at the server: then files are changed, or programs have left their logs. This file must not know how a step is
//! done.

use std::collections::BTreeSet;
use std::io;

use super::disk::Disk;
use super::file::Target;
use super::journal::{FileIntent, Meant, Reading, Record};
use super::server::Server;
use super::state::State;

/// The number of the newest run here, where it never began. Errors: those of the disk.
pub fn stillborn(
    server: &Server,
    state: &State,
    disk: &dyn Disk,
    reading: &Reading,
) -> io::Result<Option<u64>> {
    let Some(newest) = state.meanings(disk)?.begins.pop() else {
        return Ok(None);
    };
    let Record::Begin { steps, .. } = &newest.record else {
        return Ok(None);
    };
    let is_known = reading.lines.iter().any(|line| line.run >= newest.run);
    // Its first line may have been torn by what stopped it.
    let is_sound = reading.damage.is_empty();
    // A later step begins with what an earlier one made of the file.
    let mut seen = BTreeSet::new();
    let mut is_untouched = |meant: &Meant| {
        let is_old = |file: &FileIntent| {
            let found = Target::of(server, disk, &file.path).digest(disk);
            !seen.insert(file.path.to_lowercase()) || found.is_ok_and(|found| found == file.old)
        };
        meant.file.as_ref().is_none_or(is_old) && !state.has_log(disk, newest.run, &meant.step)
    };
    Ok((!is_known && is_sound && steps.iter().all(&mut is_untouched)).then_some(newest.run))
}

/// Forgets such a run, for the next one. Errors: those of the disk.
pub fn forget(server: &Server, state: &State, disk: &dyn Disk, reading: &Reading) -> io::Result<()> {
    match stillborn(server, state, disk, reading)? {
        Some(run) => state.remove_meaning(disk, run),
        None => Ok(()),
    }
}
