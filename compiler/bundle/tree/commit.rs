//! Replacing an output tree and its archive as one step.
//!
//! ```text
//! OUT/.NAME.lock            held while a process works on NAME; ends with the process
//! OUT/.NAME.staging/tree    the new tree, complete: new texts, names for unchanged and for foreign files
//! OUT/.NAME.staging/zip     the new archive      …/sums    its digest
//! OUT/.NAME.commit          the journal: the staging folder is complete, and the names its files go to
//! ```
//!
//! 1. Stage everything, for one bundle or for several, and wait until it is on the disk.
//! 2. Put the journal in place.
//! 3. Exchange `OUT/NAME` with the staged tree: **the commit point**.
//! 4. Rename archive and digest into place.
//! 5. Give names to foreign files that appeared in the old tree meanwhile.
//! 6. When all bundles are there and on the disk: remove the journal, then the staging folder with the old tree.
//!
//! Waiting for the disk costs more than everything else of a small bundle, and about as much for many as for one;
//! therefore bundles of one run are staged one by one and committed together ([`commit`]). Each still changes by its own
//! exchange.
//!
//! What an interruption leaves, before the next build looks at it: up to step 3 the old tree and the old archive; in
//! step 4 the new tree with the old archive or an archive whose digest is not yet renamed; afterwards the new ones, and
//! hidden leftovers. [`Place::recover`] undoes everything before the commit point and completes everything after it, so
//! that the next build starts from the old state or from the new one, never from a mixture. Where the system cannot
//! exchange two names in one step, step 3 is two renames, and between them `OUT/NAME` does not exist.
//!
//! Whether step 3 happened cannot be seen from names, because both trees exist before and after it: the journal keeps
//! the identity (inode number) of the staged tree.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::Bundle;
use super::survey::made;
use super::{Survey, read_if_there};
use crate::contract::path::BundlePath;
use crate::files::{Files, Kind};

/// Where the output of one bundle is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    out: &'a Path,
    name: &'a str,
}

/// What [`Place::recover`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// No write was interrupted, or one before it was ready.
    Nothing,
    /// A write was undone.
    Undone,
    /// A write was completed.
    Completed,
}

/// What is to be put in place.
pub(super) struct Staged<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) archive: &'a [u8],
    pub(super) sums: &'a str,
    pub(super) found: &'a Survey,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journal {
    /// Identity of the staged tree, where the system has identities.
    tree: Option<u64>,
    /// File name of the archive.
    archive: String,
}

impl<'a> Place<'a> {
    /// The output of the bundle `name` in the folder `out`.
    pub fn new(out: &'a Path, name: &'a str) -> Self {
        Self { out, name }
    }

    /// The tree reviewers read.
    pub fn tree(&self) -> PathBuf {
        self.out.join(self.name)
    }

    /// The archive of a bundle.
    pub fn archive(&self, bundle: &Bundle) -> PathBuf {
        self.out.join(bundle.archive_name())
    }

    /// The digest of the archive.
    pub fn archive_sums(&self, bundle: &Bundle) -> PathBuf {
        self.out.join(format!("{}.sha256", bundle.archive_name()))
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.out.join(format!(".{}.lock", self.name))
    }

    pub(super) fn staging(&self) -> PathBuf {
        self.out.join(format!(".{}.staging", self.name))
    }

    fn staged_tree(&self) -> PathBuf {
        self.staging().join("tree")
    }

    fn staged_archive(&self) -> PathBuf {
        self.staging().join("zip")
    }

    fn staged_sums(&self) -> PathBuf {
        self.staging().join("sums")
    }

    fn staged_journal(&self) -> PathBuf {
        self.staging().join("commit")
    }

    /// Where the old tree waits when it could not be exchanged.
    fn aside(&self) -> PathBuf {
        self.staging().join("old")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.out.join(format!(".{}.commit", self.name))
    }

    /// Puts everything into the staging folder; nothing anybody reads changes.
    pub(super) fn stage(&self, files: &dyn Files, staged: &Staged<'_>) -> io::Result<()> {
        let (old, new) = (self.tree(), self.staged_tree());
        files.make_folder(&new)?;
        for folder in &staged.found.foreign_folders {
            files.make_folder(&new.join(folder))?;
        }
        for file in &staged.found.foreign {
            files.link_or_copy(&old.join(file), &new.join(file))?;
        }
        for (path, file) in staged.bundle.files() {
            let to = new.join(path.as_str());
            // A second name keeps the time stamp, so that tools that look at it see what really changed.
            if !staged.found.unchanged.contains(path)
                || files.link_or_copy(&old.join(path.as_str()), &to).is_err()
            {
                files.write(&to, file.review.as_bytes())?;
            }
        }
        files.write(&self.staged_archive(), staged.archive)?;
        files.write(&self.staged_sums(), staged.sums.as_bytes())?;
        let journal = Journal {
            tree: files.identity(&new)?,
            archive: staged.bundle.archive_name(),
        };
        files.write(&self.staged_journal(), &serde_json::to_vec(&journal)?)
    }

    fn exchange(&self, files: &dyn Files) -> io::Result<()> {
        if files.kind(&self.tree())?.is_none() {
            return files.rename(&self.staged_tree(), &self.tree());
        }
        match files.exchange(&self.staged_tree(), &self.tree()) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                files.rename(&self.tree(), &self.aside())?;
                files.rename(&self.staged_tree(), &self.tree())
            }
            result => result,
        }
    }

    /// Everything after the commit point. Each step may have been done before.
    fn complete(&self, files: &dyn Files, archive: &str) -> io::Result<()> {
        self.place_archive(files, archive)?;
        files.sync(&[self.out.to_owned()])?;
        self.clean(files)
    }

    /// Archive and foreign files, the last that has to be on the disk before the journal may go.
    fn place_archive(&self, files: &dyn Files, archive: &str) -> io::Result<()> {
        for (staged, to) in [
            (self.staged_archive(), self.out.join(archive)),
            (self.staged_sums(), self.out.join(format!("{archive}.sha256"))),
        ] {
            if files.kind(&staged)?.is_some() {
                files.rename(&staged, &to)?;
            }
        }
        for old in [self.staged_tree(), self.aside()] {
            self.adopt(files, &old)?;
        }
        Ok(())
    }

    fn clean(&self, files: &dyn Files) -> io::Result<()> {
        files.remove(&self.journal())?;
        // Everything is in place. What cannot be removed now is hidden, and the next build removes it.
        drop(files.remove(&self.staging()));
        Ok(())
    }

    /// Gives a name in the new tree to foreign files that appeared in the old one after it was listed.
    fn adopt(&self, files: &dyn Files, old: &Path) -> io::Result<()> {
        if files.kind(old)?.is_none() {
            return Ok(());
        }
        let made = made(files, old)?;
        for entry in files.list(old)? {
            let to = self.tree().join(&entry.path);
            if entry.kind != Kind::Folder
                && !made.files.contains_key(&entry.path)
                && files.kind(&to)?.is_none()
            {
                files.link_or_copy(&old.join(&entry.path), &to)?;
            }
        }
        Ok(())
    }

    /// Undoes an interrupted write that did not reach its commit point, completes one that did. The caller holds the
    /// lock of the bundle. Nothing to do is the usual case and costs two look-ups.
    pub fn recover(&self, files: &dyn Files) -> io::Result<Recovered> {
        let Some(text) = read_if_there(files, &self.journal(), 4096)? else {
            files.remove(&self.staging())?;
            return Ok(Recovered::Nothing);
        };
        // The journal was complete on the disk before it got its name; one that cannot be read is not ours to follow.
        let journal = serde_json::from_slice::<Journal>(&text).ok().filter(|journal| {
            BundlePath::parse(&journal.archive).is_ok_and(|path| !path.as_str().contains('/'))
        });
        if let Some(journal) = journal
            && self.committed(files, &journal)?
        {
            self.complete(files, &journal.archive)?;
            return Ok(Recovered::Completed);
        }
        if files.kind(&self.tree())?.is_none() && files.kind(&self.aside())?.is_some() {
            files.rename(&self.aside(), &self.tree())?;
        }
        // The journal first: without its staged tree it would look as if the commit point had been reached.
        files.remove(&self.journal())?;
        files.remove(&self.staging())?;
        Ok(Recovered::Undone)
    }

    fn committed(&self, files: &dyn Files, journal: &Journal) -> io::Result<bool> {
        let staged = self.staged_tree();
        Ok(files.kind(&staged)?.is_none()
            || journal.tree.is_some() && files.identity(&staged)? != journal.tree)
    }
}

/// Replaces tree, archive and digest of every staged bundle; with each place goes the file name of its archive. The
/// answers are in the same order.
///
/// After an error the old state of a bundle or, beyond its commit point, the new one is restored at once if the system
/// lets us, else by the next [`Place::recover`]. `Ok` means the new state is there. An error of one bundle does not stop
/// the others.
pub(super) fn commit(files: &dyn Files, staged: &[(Place<'_>, &str)]) -> Vec<io::Result<()>> {
    let folders: Vec<PathBuf> = staged.iter().map(|(place, _)| place.staging()).collect();
    let synced = files.sync(&folders);
    let mut results: Vec<io::Result<()>> = staged
        .iter()
        .map(|(place, archive)| {
            again(&synced)?;
            files.rename(&place.staged_journal(), &place.journal())?;
            place.exchange(files)?;
            place.place_archive(files, archive)
        })
        .collect();
    let outs: Vec<PathBuf> = staged
        .iter()
        .zip(&results)
        .filter(|(_, result)| result.is_ok())
        .map(|((place, _), _)| place.out.to_owned())
        .collect();
    let synced = files.sync(&outs);
    for ((place, _), result) in staged.iter().zip(&mut results) {
        if result.is_ok() {
            *result = again(&synced).and_then(|()| place.clean(files));
        }
        if result.is_err() && matches!(place.recover(files), Ok(Recovered::Completed)) {
            *result = Ok(());
        }
    }
    results
}

/// The same result for one more bundle.
fn again(result: &io::Result<()>) -> io::Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
}
