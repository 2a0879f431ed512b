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
//! hidden leftovers. `recover.rs` undoes everything before the commit point and completes everything after it, so
//! that the next build starts from the old state or from the new one, never from a mixture. Where the system cannot
//! exchange two names in one step, step 3 is two renames, and between them `OUT/NAME` does not exist.
//!
//! Whether step 3 happened cannot be seen from names, because both trees exist before and after it: the journal keeps
//! the identity (inode number, file index) of the staged tree, and the digest of its manifest for file systems that have
//! no identities.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::Bundle;
use super::Survey;
use crate::contract::digest::Digest;
use crate::files::Files;

/// Where the output of one bundle is.
#[derive(Clone, Copy, Debug)]
pub struct OutputSlot<'a> {
    out: &'a Path,
    name: &'a str,
}

/// What is to be put in place.
pub(super) struct Staged<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) archive: &'a [u8],
    pub(super) sums: &'a str,
    pub(super) found: &'a Survey,
}

/// What the journal says. It never names where a file goes: that follows from the tree.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    /// Identity of the staged tree, where the system has identities.
    pub(super) tree: Option<u64>,
    /// Digest of the manifest in the staged tree.
    pub(super) manifest: Digest,
}

impl<'a> OutputSlot<'a> {
    /// The output of the bundle `name` in the folder `out`.
    pub fn new(out: &'a Path, name: &'a str) -> Self {
        Self { out, name }
    }

    /// The folder of the output.
    pub(super) fn out(&self) -> &Path {
        self.out
    }

    /// The name of the bundle.
    pub(super) fn name(&self) -> &str {
        self.name
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

    pub(super) fn staged_tree(&self) -> PathBuf {
        self.staging().join("tree")
    }

    pub(super) fn staged_archive(&self) -> PathBuf {
        self.staging().join("zip")
    }

    pub(super) fn staged_sums(&self) -> PathBuf {
        self.staging().join("sums")
    }

    fn staged_journal(&self) -> PathBuf {
        self.staging().join("commit")
    }

    /// Where the old tree waits when it could not be exchanged.
    pub(super) fn aside(&self) -> PathBuf {
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
        let manifest = staged.bundle.manifest().to_text();
        let journal = Journal {
            tree: files.identity(&new)?,
            manifest: Digest::of(manifest.as_bytes()),
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
            if !self.adopt(files, &old)? {
                // Recovery keeps the old tree.
                return Err(io::Error::other(
                    "a file that cbgen did not make has no place in the new tree",
                ));
            }
        }
        Ok(())
    }

    fn clean(&self, files: &dyn Files) -> io::Result<()> {
        files.remove(&self.journal())?;
        // Everything is in place. What cannot be removed now is hidden, and the next build removes it.
        drop(files.remove(&self.staging()));
        Ok(())
    }
}

/// Replaces tree, archive and digest of every staged bundle; with each place goes the file name of its archive. The
/// answers are in the same order.
///
/// After an error the old state of a bundle or, beyond its commit point, the new one is restored at once if the system
/// lets us, else by the next [`OutputSlot::recover`]. `Ok` means the new state is there, with a folder of files that cbgen did
/// not make where some have no place in it. An error of one bundle does not stop the others.
pub(super) fn commit(
    files: &dyn Files,
    staged: &[(OutputSlot<'_>, &str)],
) -> Vec<io::Result<Option<PathBuf>>> {
    let folders: Vec<PathBuf> = staged.iter().map(|(place, _)| place.staging()).collect();
    let synced = files.sync(&folders);
    let mut results: Vec<io::Result<Option<PathBuf>>> = staged
        .iter()
        .map(|(place, archive)| {
            again(&synced)?;
            files.rename(&place.staged_journal(), &place.journal())?;
            place.exchange(files)?;
            place.place_archive(files, archive)?;
            Ok(None)
        })
        .collect();
    let outs: Vec<PathBuf> = staged
        .iter()
        .zip(&results)
        .filter(|(_, result)| result.is_ok())
        .map(|((place, _), _)| place.out.to_owned())
        .collect();
    let synced = files.sync_names(&outs);
    for ((place, _), result) in staged.iter().zip(&mut results) {
        if result.is_ok() {
            *result = again(&synced).and_then(|()| place.clean(files)).map(|()| None);
        }
        if result.is_err()
            && let Ok(recovery) = place.recover(files)
            && recovery.is_completed
        {
            *result = Ok(recovery.kept);
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
