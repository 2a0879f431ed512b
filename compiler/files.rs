//! The file system, as the rest of the compiler sees it.
//!
//! This is the only file that names `std::fs`. Everything else takes a [`Files`], so it runs the same on a disk, in
//! memory ([`MemoryFiles`]) and under injected faults. Listings are sorted here, once, so that the order a file system
//! happens to return never reaches an output. This module must not know what any file means.

mod memory;

pub use memory::MemoryFiles;

use std::io;
use std::path::{Path, PathBuf};

/// What is at a path. Links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
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
    pub kind: Kind,
}

/// A lock that ends when this value is dropped, and with the process at the latest.
#[derive(Debug)]
pub struct Lock {
    held: Option<(std::fs::File, PathBuf)>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some((file, path)) = self.held.take() {
            // The name goes while the lock is still held; `DiskFiles::lock` notices a name that went.
            remove_lock_name(&path);
            drop(file);
        }
    }
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

    /// What is at `path`; `None` when nothing is.
    fn kind(&self, path: &Path) -> io::Result<Option<Kind>>;

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

    /// Exchanges two names in one step. [`io::ErrorKind::Unsupported`] where the system cannot.
    fn exchange(&self, left: &Path, right: &Path) -> io::Result<()>;

    /// Removes a file, a link or a whole folder; nothing there is fine.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns when everything below these folders is on the disk.
    fn sync(&self, folders: &[PathBuf]) -> io::Result<()>;

    /// Takes the lock named `path` without waiting; `None` when somebody holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>>;
}

/// The file system of the machine, seen from a root folder. Absolute paths stand for themselves.
#[derive(Clone, Debug)]
pub struct DiskFiles {
    root: PathBuf,
}

impl DiskFiles {
    /// Files below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    fn walk(&self, folder: &Path, depth: usize) -> io::Result<Vec<Entry>> {
        let root = self.at(folder);
        // The working folder has no name, which only paths joined to it may leave out.
        let root = if root.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            root
        };
        let mut entries = walkdir::WalkDir::new(&root)
            .max_depth(depth)
            .min_depth(1)
            .follow_links(false)
            .into_iter()
            .map(|found| {
                let found = found.map_err(io::Error::from)?;
                let path = found.path().strip_prefix(&root).unwrap_or(found.path());
                Ok(Entry {
                    path: path.to_owned(),
                    kind: kind_of(found.file_type()),
                })
            })
            .collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        Ok(entries)
    }

    /// Where the root lies, absolute, with links followed and forward slashes. Errors: those of the system.
    pub fn folder(&self) -> io::Result<String> {
        let root = if self.root.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &self.root
        };
        let place = std::fs::canonicalize(root)?;
        Ok(place.to_string_lossy().replace('\\', "/"))
    }

    /// Whether links lead from `path` to a place outside `folder`. Errors: those of the system.
    pub fn leaves(&self, path: &Path, folder: &Path) -> io::Result<bool> {
        let folder = std::fs::canonicalize(self.at(folder))?;
        Ok(!std::fs::canonicalize(self.at(path))?.starts_with(folder))
    }
}

fn kind_of(file_type: std::fs::FileType) -> Kind {
    if file_type.is_symlink() {
        Kind::Link
    } else if file_type.is_dir() {
        Kind::Folder
    } else if file_type.is_file() {
        Kind::File
    } else {
        Kind::Other
    }
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

#[expect(
    clippy::disallowed_methods,
    reason = "this module is the one the ban points to"
)]
fn remove_lock_name(path: &Path) {
    // Windows cannot remove the name of an open file; there the empty file stays, which harms nobody.
    drop(std::fs::remove_file(path));
}

#[expect(
    clippy::disallowed_methods,
    reason = "this module is the one the ban points to"
)]
fn make_parents(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => std::fs::create_dir_all(parent),
        None => Ok(()),
    }
}

/// Opens without waiting and asks what was opened, so that nothing can be put in its place in between.
#[cfg(unix)]
fn open_regular(path: &Path, links: Links) -> io::Result<std::fs::File> {
    use rustix::fs::{CWD, Mode, OFlags, openat};
    let follow = match links {
        Links::Followed => OFlags::empty(),
        Links::Refused => OFlags::NOFOLLOW,
    };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | follow;
    let file = match openat(CWD, path, flags, Mode::empty()) {
        Ok(file) => std::fs::File::from(file),
        Err(rustix::io::Errno::LOOP) if links == Links::Refused => return Err(not_regular()),
        Err(error) => return Err(error.into()),
    };
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(not_regular())
    }
}

#[cfg(not(unix))]
fn open_regular(path: &Path, links: Links) -> io::Result<std::fs::File> {
    let metadata = match links {
        Links::Followed => std::fs::metadata(path)?,
        Links::Refused => std::fs::symlink_metadata(path)?,
    };
    if metadata.is_file() {
        std::fs::File::open(path)
    } else {
        Err(not_regular())
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn identity_of(metadata: &std::fs::Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::ino(metadata))
}

#[cfg(not(unix))]
fn identity_of(_: &std::fs::Metadata) -> Option<u64> {
    None
}

#[cfg(unix)]
fn copy_link(target: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, to)
}

#[cfg(not(unix))]
fn copy_link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this module is the one the ban points to"
)]
impl Files for DiskFiles {
    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        open_regular(&self.at(path), links).map(|file| Box::new(file) as Box<dyn Handle>)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        use std::io::Read as _;
        let path = self.at(path);
        if !std::fs::metadata(&path)?.is_file() {
            return Err(not_regular());
        }
        let mut content = Vec::new();
        // Reading one byte more than allowed tells a file that grew after it was measured.
        let read = std::fs::File::open(path)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)?;
        if u64::try_from(read).unwrap_or(u64::MAX) > limit {
            return Err(too_large(limit));
        }
        Ok(content)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        match std::fs::symlink_metadata(self.at(path)) {
            Ok(metadata) => Ok(Some(kind_of(metadata.file_type()))),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.walk(folder, usize::MAX)
    }

    fn children(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.walk(folder, 1)
    }

    fn identity(&self, path: &Path) -> io::Result<Option<u64>> {
        Ok(identity_of(&std::fs::symlink_metadata(self.at(path))?))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(self.at(path))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let path = self.at(path);
        match std::fs::write(&path, bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_parents(&path)?;
                std::fs::write(&path, bytes)
            }
            result => result,
        }
    }

    fn link_or_copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.at(from), self.at(to));
        make_parents(&to)?;
        match std::fs::hard_link(&from, &to) {
            Ok(()) => return Ok(()),
            // Copying over an existing name could truncate the very file it copies from.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) => {}
        }
        if std::fs::symlink_metadata(&from)?.is_symlink() {
            return copy_link(&std::fs::read_link(&from)?, &to);
        }
        std::fs::copy(&from, &to).map(|_| ())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(self.at(from), self.at(to))
    }

    #[cfg(target_os = "linux")]
    fn exchange(&self, left: &Path, right: &Path) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, self.at(left), CWD, self.at(right), RenameFlags::EXCHANGE).map_err(|error| {
            match error {
                // What kernels and file systems without the operation answer.
                rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP => {
                    io::ErrorKind::Unsupported.into()
                }
                other => other.into(),
            }
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn exchange(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let at = self.at(path);
        let removed = match self.kind(path)? {
            None => return Ok(()),
            Some(Kind::Folder) => std::fs::remove_dir_all(at),
            Some(Kind::File | Kind::Link | Kind::Other) => std::fs::remove_file(at),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    #[cfg(target_os = "linux")]
    fn sync(&self, folders: &[PathBuf]) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        // One call for a whole file system instead of one for each of up to a quarter million files.
        let mut done = std::collections::BTreeSet::new();
        for folder in folders {
            let folder = std::fs::File::open(self.at(folder))?;
            if done.insert(folder.metadata()?.dev()) {
                rustix::fs::syncfs(folder)?;
            }
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn sync(&self, folders: &[PathBuf]) -> io::Result<()> {
        for folder in folders {
            for entry in self.list(folder)? {
                if entry.kind == Kind::File {
                    let path = self.at(folder).join(entry.path);
                    std::fs::File::options().write(true).open(path)?.sync_all()?;
                }
            }
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let path = self.at(path);
        loop {
            let file = std::fs::File::options()
                .create(true)
                .write(true)
                .truncate(false)
                .open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
            // The holder before us removes the name before it unlocks: then this lock is on a file nobody else will
            // ever open, and protects nothing.
            let named = std::fs::symlink_metadata(&path).ok();
            let opened = file.metadata()?;
            if named.is_some_and(|named| identity_of(&named) == identity_of(&opened)) {
                return Ok(Some(Lock {
                    held: Some((file, path)),
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same facts must hold on the disk and in memory.
    fn check(test: impl Fn(&dyn Files)) {
        let folder = tempfile::tempdir().unwrap();
        test(&DiskFiles::new(folder.path()));
        test(&MemoryFiles::default());
    }

    fn path(text: &str) -> &Path {
        Path::new(text)
    }

    #[test]
    fn reads_up_to_the_limit() {
        check(|files| {
            files.write(path("a/b"), b"12345").unwrap();
            assert_eq!(files.read(path("a/b"), 5).unwrap(), b"12345");
            let error = files.read(path("a/b"), 4).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
            assert_eq!(
                files.read(path("a"), 9).unwrap_err().kind(),
                io::ErrorKind::InvalidInput
            );
            assert_eq!(
                files.read(path("x"), 9).unwrap_err().kind(),
                io::ErrorKind::NotFound
            );
        });
    }

    #[test]
    fn lists_sorted_and_with_parents_first() {
        check(|files| {
            for name in ["t/b/z", "t/a", "t/b/c", "t/b-c"] {
                files.write(path(name), b"").unwrap();
            }
            let names: Vec<_> = files
                .list(path("t"))
                .unwrap()
                .into_iter()
                .map(|entry| entry.path.to_string_lossy().replace('\\', "/"))
                .collect();
            assert_eq!(names, ["a", "b", "b/c", "b/z", "b-c"]);
        });
    }

    #[test]
    fn children_are_what_is_directly_in_a_folder() {
        check(|files| {
            for name in ["t/b/z", "t/a", "t/b-c"] {
                files.write(path(name), b"").unwrap();
            }
            let names = |folder: &str| -> Vec<(PathBuf, Kind)> {
                let entries = files.children(path(folder)).unwrap();
                entries
                    .into_iter()
                    .map(|entry| (entry.path, entry.kind))
                    .collect()
            };
            let expected = [("a", Kind::File), ("b", Kind::Folder), ("b-c", Kind::File)];
            assert_eq!(names("t"), expected.map(|(name, kind)| (name.into(), kind)));
            // The root has no name.
            assert_eq!(names(""), [("t".into(), Kind::Folder)]);
            assert_eq!(files.list(path("")).unwrap().len(), 5);
            assert_eq!(
                files.children(path("x")).unwrap_err().kind(),
                io::ErrorKind::NotFound
            );
        });
    }

    #[test]
    fn exchanges_links_renames_and_removes() {
        check(|files| {
            files.write(path("left/x"), b"left").unwrap();
            files.write(path("right/x"), b"right").unwrap();
            let identity = files.identity(path("left")).unwrap();
            files.exchange(path("left"), path("right")).unwrap();
            assert_eq!(files.read(path("left/x"), 9).unwrap(), b"right");
            assert_eq!(files.identity(path("right")).unwrap(), identity);
            files.link_or_copy(path("left/x"), path("other/deep/x")).unwrap();
            files.remove(path("left")).unwrap();
            files.remove(path("left")).unwrap();
            assert_eq!(files.kind(path("left")).unwrap(), None);
            assert_eq!(files.read(path("other/deep/x"), 9).unwrap(), b"right");
            files.rename(path("other/deep"), path("free")).unwrap();
            assert_eq!(files.kind(path("free/x")).unwrap(), Some(Kind::File));
            files.write(path("y"), b"y").unwrap();
            files.rename(path("y"), path("free/x")).unwrap();
            assert_eq!(files.read(path("free/x"), 9).unwrap(), b"y");
        });
    }

    #[test]
    fn a_lock_is_exclusive_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let files = DiskFiles::new(folder.path());
        let held = files.lock(path("lock")).unwrap();
        assert!(held.is_some());
        assert!(files.lock(path("lock")).unwrap().is_none());
        drop(held);
        assert_eq!(files.kind(path("lock")).unwrap(), None);
        assert!(files.lock(path("lock")).unwrap().is_some());
    }
}
