//! The file system, as the rest of the compiler sees it.
//!
//! This is the only module that names `std::fs`. Everything else takes a [`Files`], so it runs the same on a disk
//! ([`DiskFiles`]), in memory ([`MemoryFiles`]) and under injected faults. Listings are sorted here, once, so that the
//! order a file system happens to return never reaches an output. This module must not know what any file means.

mod disk;
mod lock;
mod memory;

pub use disk::DiskFiles;
pub use lock::Lock;
pub use memory::MemoryFiles;

use std::io;
use std::path::{Path, PathBuf};

/// What is at a path. Links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, to whatever.
    Link,
    /// A device, pipe or socket.
    Other,
}

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Path relative to the listed folder.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
}

/// A file that is open for reading at any place.
pub trait Handle: io::Read + io::Seek + Send {}

impl<T: io::Read + io::Seek + Send> Handle for T {}

/// Whether a path that is a link is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The file behind it is, as for a name that a user typed.
    Followed,
    /// It is refused, as for a name that somebody else chose.
    Refused,
}

/// A file system.
pub trait Files: Sync {
    /// Opens a regular file for reading at any place.
    ///
    /// Errors: those of the system; [`io::ErrorKind::InvalidInput`] when it is not a regular file, or a link that is
    /// refused. Never waits for the other end of a pipe.
    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>>;

    /// Content of a regular file (links are followed) of at most `limit` bytes.
    ///
    /// Errors: those of the system; [`io::ErrorKind::FileTooLarge`] above the limit; [`io::ErrorKind::InvalidInput`]
    /// when it is not a regular file, because opening a pipe would wait forever.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// Content of a regular file, as [`Files::read`] gives it, but never through a link at `path`: `None` when nothing is
    /// there, [`io::ErrorKind::InvalidInput`] when it is no regular file. What others may have put into a folder of ours
    /// is read this way.
    fn read_own(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        match self.kind(path)? {
            None => Ok(None),
            Some(EntryKind::File) => self.read(path, limit).map(Some),
            Some(EntryKind::Folder | EntryKind::Link | EntryKind::Other) => Err(not_regular()),
        }
    }

    /// What is at `path`; `None` when nothing is.
    fn kind(&self, path: &Path) -> io::Result<Option<EntryKind>>;

    /// Everything below a folder, sorted by path, parents before children. Links are listed, not followed.
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;

    /// What is directly in a folder, sorted. A folder further down that cannot be read is no concern of this one.
    fn children(&self, folder: &Path) -> io::Result<Vec<Entry>>;

    /// A number that stays with a file or folder when it is renamed, where the system has one.
    fn identity(&self, path: &Path) -> io::Result<Option<u64>>;

    /// Makes a folder and its parents; it may exist.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Writes a file, making its parents. Not atomic: use it in a staging folder and rename.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file or symbolic link a second name, making the parents of the name. Where the file system has no hard
    /// links the content is copied. The name must be free.
    fn link_or_copy(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Renames a file over a file, or a folder to a free name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives the file `to` the permissions of the file `from`, where the file system has any.
    fn copy_rights(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Where the links at `path` lead, where the file system has any.
    fn behind_links(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    /// Exchanges two names in one step. [`io::ErrorKind::Unsupported`] where the system cannot.
    fn exchange(&self, left: &Path, right: &Path) -> io::Result<()>;

    /// Removes a file, a link or a whole folder; nothing there is fine.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns when everything below these folders is on the disk.
    fn sync(&self, folders: &[PathBuf]) -> io::Result<()>;

    /// Returns when the names directly in these folders are on the disk. What others do further down is not waited for.
    fn sync_names(&self, folders: &[PathBuf]) -> io::Result<()>;

    /// Takes the lock named `path` without waiting; `None` when somebody holds it. [`io::ErrorKind::InvalidInput`] when
    /// something else than a file stands there: no link is followed and no pipe waited for.
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>>;
}

/// A path as people read it and as messages show it: with forward slashes on every system.
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Whether an error says that nothing is at a path.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Whether an error says that what stands at a path is no file of ours, and not that the system could not read it.
pub fn is_about_content(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput
    )
}

fn too_large(limit: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("the file has more than {limit} bytes"),
    )
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

#[cfg(test)]
mod tests;
