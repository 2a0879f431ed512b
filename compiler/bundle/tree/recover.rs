//! Bringing an interrupted write to an end.
//!
//! The journal and the staging folder stand in a folder that others can write to; a pull request can even bring them
//! along. So they are hints, never orders: no link is followed, an archive is put in place only when it is the one of the
//! tree that stands there, entry by entry, and only over nothing or an archive of this bundle. What cannot be brought to
//! an end that way is undone, so that no later build is held up. Files that cbgen did not make are never removed with
//! the old tree: they get a name in the new one or, where that has no place for them, stay in a folder beside it.

use std::io;
use std::path::{Path, PathBuf};

use super::super::archive::{self, Limits};
use super::super::{MANIFEST, SUMS};
use super::commit::{Journal, OutputSlot};
use super::survey::made;
use super::{ARCHIVE_LIMIT, archived_manifest, sums_of_archive};
use crate::contract::digest::{Digest, sums};
use crate::contract::manifest::Manifest;
use crate::contract::path::BundlePath;
use crate::files::{EntryKind, Files, is_about_content};

/// Largest manifest or list of digests that is read here.
const FILE_LIMIT: u64 = 256 << 20;

/// What [`OutputSlot::recover`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whether a write that was interrupted was completed; otherwise there was none, or it was undone.
    pub is_completed: bool,
    /// A folder with files that cbgen did not make and that have no place in the tree.
    pub kept: Option<PathBuf>,
}

impl OutputSlot<'_> {
    /// Undoes an interrupted write that did not reach its commit point, completes one that did. The caller holds the
    /// lock of the bundle. Nothing to do is the usual case and costs two look-ups.
    ///
    /// Errors: those of the system; [`io::ErrorKind::InvalidInput`] when a folder has the name of the journal.
    pub fn recover(&self, files: &dyn Files) -> io::Result<Recovery> {
        let is_staged = files.kind(&self.staging())? == Some(EntryKind::Folder);
        let journal = match files.kind(&self.journal())? {
            None => {
                files.remove(&self.staging())?;
                return Ok(Recovery::default());
            }
            Some(EntryKind::Folder) => return Err(taken(&self.journal())),
            // Without its folder, or as a link or a pipe, it is not ours to follow; nor is one that cannot be read, because
            // it was complete on the disk before it got its name.
            Some(EntryKind::File) if is_staged => match files.read_own(&self.journal(), 4096) {
                Ok(text) => text.and_then(|text| serde_json::from_slice::<Journal>(&text).ok()),
                Err(error) if is_about_content(&error) => None,
                Err(error) => return Err(error),
            },
            Some(EntryKind::File | EntryKind::Link | EntryKind::Other) => None,
        };
        let (mut is_completed, mut kept) = (false, None);
        if is_staged {
            if files.kind(&self.tree())?.is_none() && files.kind(&self.aside())? == Some(EntryKind::Folder) {
                files.rename(&self.aside(), &self.tree())?;
            } else if let Some(journal) = journal
                && self.is_committed(files, &journal)?
            {
                self.place_verified(files)?;
                kept = self.adopt_or_keep(files, &self.staged_tree())?;
                is_completed = true;
            }
            // Also when the tree came back in another way meanwhile.
            kept = kept.or(self.adopt_or_keep(files, &self.aside())?);
            files.sync_names(&[self.out().to_owned()])?;
        }
        // The journal first: without its staged tree it would look as if the commit point had been reached.
        files.remove(&self.journal())?;
        files.remove(&self.staging())?;
        Ok(Recovery { is_completed, kept })
    }

    /// Whether the staged tree is in place. Both trees exist before and after the exchange, so names do not tell.
    fn is_committed(&self, files: &dyn Files, journal: &Journal) -> io::Result<bool> {
        let staged = self.staged_tree();
        if files.kind(&staged)?.is_none() {
            return Ok(true);
        }
        if let (Some(wanted), Some(found)) = (journal.tree, files.identity(&staged)?) {
            return Ok(found != wanted);
        }
        // A file system without identities: then the manifests tell, unless they are equal; then the archives are too.
        let is_new = |tree: PathBuf| -> io::Result<bool> {
            Ok(read(files, &tree.join(MANIFEST), FILE_LIMIT)?
                .is_some_and(|manifest| Digest::of(&manifest) == journal.manifest))
        };
        Ok(is_new(self.tree())? && !is_new(staged)?)
    }

    /// Renames archive and digest into place if they are those of the tree that stands there, and over nothing that
    /// cbgen did not make. Whatever is not put in place the next build makes.
    fn place_verified(&self, files: &dyn Files) -> io::Result<()> {
        let Some(text) = self.own(files, MANIFEST)? else {
            return Ok(());
        };
        let Some(manifest) = Manifest::read(&text)
            .ok()
            .filter(|manifest| manifest.bundle.name == self.name())
        else {
            return Ok(());
        };
        let name = format!("{}-{}.zip", self.name(), manifest.bundle.version);
        if BundlePath::parse(&name).is_err() || name.contains('/') {
            return Ok(());
        }
        let (staged, to) = (self.staged_archive(), self.out().join(&name));
        let is_staged = files.kind(&staged)?.is_some();
        let Some(bytes) = read(files, if is_staged { &staged } else { &to }, ARCHIVE_LIMIT)? else {
            return Ok(());
        };
        let Some(list) = self.own(files, SUMS)? else {
            return Ok(());
        };
        if !is_archive_of(&bytes, &text, &manifest, &list) {
            return Ok(());
        }
        if is_staged {
            let is_free = match files.kind(&to)? {
                None => true,
                Some(_) => read(files, &to, ARCHIVE_LIMIT)?
                    .and_then(|there| archived_manifest(&there))
                    .is_some_and(|there| there.bundle.name == self.name()),
            };
            if !is_free {
                return Ok(());
            }
            files.rename(&staged, &to)?;
        }
        let to = self.out().join(format!("{name}.sha256"));
        let is_right = read(files, &self.staged_sums(), 4096)?
            .is_some_and(|staged| staged == sums_of_archive(&name, &bytes).as_bytes());
        if is_right && matches!(files.kind(&to)?, None | Some(EntryKind::File)) {
            files.rename(&self.staged_sums(), &to)?;
        }
        Ok(())
    }

    /// A file of the tree, never through a link.
    fn own(&self, files: &dyn Files, name: &str) -> io::Result<Option<Vec<u8>>> {
        if files.kind(&self.tree())? == Some(EntryKind::Folder) {
            read(files, &self.tree().join(name), FILE_LIMIT)
        } else {
            Ok(None)
        }
    }

    /// Gives a name in the new tree to foreign files that appeared in the old one after it was listed. Where one has no
    /// place there, the old tree is kept under a name of its own, which is given back.
    fn adopt_or_keep(&self, files: &dyn Files, old: &Path) -> io::Result<Option<PathBuf>> {
        if self.adopt(files, old)? {
            return Ok(None);
        }
        // Of so many names that nothing else in the folder can have them all, one is free.
        let names = 1..=files.children(self.out())?.len() + 1;
        let mut names = names.map(|number| self.out().join(format!("{}.kept-{number}", self.name())));
        let free = names.find_map(|to| match files.kind(&to) {
            Ok(Some(_)) => None,
            Ok(None) => Some(Ok(to)),
            Err(error) => Some(Err(error)),
        });
        let to = free.ok_or_else(|| io::Error::other("no name is free beside the tree"))??;
        files.rename(old, &to)?;
        Ok(Some(to))
    }

    /// Whether every foreign file of the old tree has a name in the new one now.
    pub(super) fn adopt(&self, files: &dyn Files, old: &Path) -> io::Result<bool> {
        if files.kind(old)? != Some(EntryKind::Folder) {
            return Ok(true);
        }
        let tree = self.tree();
        let made = made(files, old)?;
        let mut all = true;
        for entry in files.list(old)? {
            if entry.kind == EntryKind::Folder || made.files.contains_key(&entry.path) {
                continue;
            }
            let to = tree.join(&entry.path);
            if !is_within_folders(files, &tree, &entry.path)? {
                all = false;
            } else if files.kind(&to)?.is_none() {
                match files.link_or_copy(&old.join(&entry.path), &to) {
                    // What neither gets a second name nor can be copied, like a link where links need a right.
                    Err(_) if entry.kind != EntryKind::File => all = false,
                    result => result?,
                }
            }
        }
        Ok(all)
    }
}

/// Whether everything between a tree and a path in it is a folder or nothing, so that no link is followed on the way.
fn is_within_folders(files: &dyn Files, tree: &Path, path: &Path) -> io::Result<bool> {
    for folder in path.ancestors().skip(1) {
        if !matches!(files.kind(&tree.join(folder))?, None | Some(EntryKind::Folder)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether an archive holds exactly what a manifest and its list of digests say.
fn is_archive_of(archive: &[u8], text: &[u8], manifest: &Manifest, list: &[u8]) -> bool {
    let Ok(entries) = archive::read(archive, Limits::default()) else {
        return false;
    };
    // The record that ends an archive, without a comment: readers look for it from the end and pass over what follows.
    if !archive
        .last_chunk::<22>()
        .is_some_and(|end| end.starts_with(b"PK\x05\x06"))
    {
        return false;
    }
    let listed = sums(
        entries
            .iter()
            .filter(|(path, _)| path.as_str() != SUMS)
            .map(|(path, bytes)| (path, Digest::of(bytes))),
    );
    entries.get(MANIFEST).is_some_and(|bytes| bytes == text)
        && entries.get(SUMS).is_some_and(|bytes| bytes == list)
        && list == listed.as_bytes()
        && entries.len() == manifest.artifacts.len() + usize::from(manifest.tool.is_some()) + 2
}

/// A regular file, never through a link; nothing when something else stands there or it is too large to be ours.
fn read(files: &dyn Files, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    match files.read_own(path, limit) {
        Err(error) if is_about_content(&error) => Ok(None),
        result => result,
    }
}

/// A folder has a name that cbgen uses for a file of its own. Whose it is nobody knows, so it is not removed.
fn taken(path: &Path) -> io::Error {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("`{name}` is a folder; cbgen keeps a file of its own there"),
    )
}
