//! The file system of the machine.
//!
//! What differs between systems is here or, where it needs a call of the system, in the crate `cbgen_windows`. This file
//! must not know what any file means.

use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, EntryKind, Files, Handle, Links, Lock, is_absent, not_regular, shown, too_large};

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

    /// Puts `new` in the place of the file `target`, which keeps who may do what with it; its old content is `backup` then.
    ///
    /// # Errors
    /// Those of [`cbgen_windows::replace_file`].
    pub fn replace(&self, target: &Path, new: &Path, backup: &Path) -> io::Result<()> {
        cbgen_windows::replace_file(&self.at(target), &self.at(new), &self.at(backup))
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
                let found = found.map_err(plain_error)?;
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
        Ok(shown(&std::fs::canonicalize(root)?))
    }

    /// Where a file or folder lies, whichever name and links lead to it. Errors: those of the system.
    pub fn place(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::canonicalize(self.at(path))
    }

    /// Whether links lead from `path` to a place outside `folder`. Errors: those of the system.
    pub fn leaves(&self, path: &Path, folder: &Path) -> io::Result<bool> {
        let folder = std::fs::canonicalize(self.at(folder))?;
        Ok(!self.place(path)?.starts_with(folder))
    }
}

/// The error of the system alone: who asked knows the path, and says it in its own words.
fn plain_error(error: walkdir::Error) -> io::Error {
    let kind = error.io_error().map_or(io::ErrorKind::Other, io::Error::kind);
    let number = error.io_error().and_then(io::Error::raw_os_error);
    number.map_or_else(|| io::Error::new(kind, error), io::Error::from_raw_os_error)
}

fn kind_of(file_type: std::fs::FileType) -> EntryKind {
    // A junction of Windows counts as a link too.
    if file_type.is_symlink() {
        EntryKind::Link
    } else if file_type.is_dir() {
        EntryKind::Folder
    } else if file_type.is_file() {
        EntryKind::File
    } else {
        EntryKind::Other
    }
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

/// What the systems do differently.
#[cfg(not(windows))]
#[expect(
    clippy::disallowed_methods,
    reason = "this module is the one the ban points to"
)]
mod system {
    use std::io;
    use std::path::Path;

    pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
        std::fs::remove_dir_all(path)
    }

    pub(super) fn remove_file(path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    /// Makes a link like the one at `from`.
    pub(super) fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(std::fs::read_link(from)?, to)
    }
}

/// What the systems do differently. Windows refuses what others hold open, and to touch what is read-only.
#[cfg(windows)]
#[expect(
    clippy::disallowed_methods,
    reason = "this module is the one the ban points to"
)]
mod system {
    use std::io;
    use std::os::windows::fs::FileTypeExt as _;
    use std::path::Path;

    pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
        // Version control of the older kind marks every file of a checkout read-only; elsewhere that stops no rename.
        let over = std::fs::symlink_metadata(to);
        if over.is_ok_and(|over| over.is_file() && over.permissions().readonly()) {
            writable(to)?;
        }
        cbgen_windows::rename(from, to)
    }

    pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
        let remove = || std::fs::remove_dir_all(path);
        match cbgen_windows::patiently(remove) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                for entry in walkdir::WalkDir::new(path).follow_links(false) {
                    let entry = entry?;
                    if entry.file_type().is_file() && entry.metadata()?.permissions().readonly() {
                        writable(entry.path())?;
                    }
                }
                remove()
            }
            result => result,
        }
    }

    pub(super) fn remove_file(path: &Path) -> io::Result<()> {
        let metadata = std::fs::symlink_metadata(path)?;
        if metadata.file_type().is_symlink_dir() {
            return std::fs::remove_dir(path);
        }
        if metadata.is_file() && metadata.permissions().readonly() {
            writable(path)?;
        }
        cbgen_windows::patiently(|| std::fs::remove_file(path))
    }

    fn writable(path: &Path) -> io::Result<()> {
        let mut permissions = std::fs::symlink_metadata(path)?.permissions();
        #[expect(
            clippy::permissions_set_readonly_false,
            reason = "on Windows it is an attribute; nobody gains a right"
        )]
        permissions.set_readonly(false);
        std::fs::set_permissions(path, permissions)
    }

    /// A junction or a link to a folder cannot be made by everybody, and is never a file of a bundle.
    pub(super) fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
        let target = std::fs::read_link(from)?;
        let made = if std::fs::symlink_metadata(from)?.file_type().is_symlink_dir() {
            std::os::windows::fs::symlink_dir(target, to)
        } else {
            std::os::windows::fs::symlink_file(target, to)
        };
        made.map_err(|error| {
            let text = format!(
                "the link `{}` cannot be made a second time: {error}",
                from.display()
            );
            io::Error::new(error.kind(), text)
        })
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
        let metadata = std::fs::metadata(&path)?;
        if !metadata.is_file() {
            return Err(not_regular());
        }
        // A sparse file of a tebibyte costs nobody anything: it is refused before memory is asked for, and what is asked for is
        // the size of the file and not the double of it.
        if metadata.len() > limit {
            return Err(too_large(limit));
        }
        let mut content = Vec::new();
        content.try_reserve_exact(usize::try_from(metadata.len()).unwrap_or(usize::MAX))?;
        // Reading one byte more than allowed tells a file that grew after it was measured.
        let read = std::fs::File::open(path)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)?;
        if u64::try_from(read).unwrap_or(u64::MAX) > limit {
            return Err(too_large(limit));
        }
        Ok(content)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<EntryKind>> {
        match std::fs::symlink_metadata(self.at(path)) {
            Ok(metadata) => Ok(Some(kind_of(metadata.file_type()))),
            Err(error) if is_absent(&error) => Ok(None),
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
        cbgen_windows::identity(&self.at(path))
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
        match kind_of(std::fs::symlink_metadata(&from)?.file_type()) {
            EntryKind::Link => system::copy_link(&from, &to),
            EntryKind::File => std::fs::copy(&from, &to).map(|_| ()),
            // Reading a pipe would wait forever.
            EntryKind::Folder | EntryKind::Other => Err(not_regular()),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        system::rename(&self.at(from), &self.at(to))
    }

    fn copy_rights(&self, from: &Path, to: &Path) -> io::Result<()> {
        let permissions = std::fs::metadata(self.at(from))?.permissions();
        std::fs::set_permissions(self.at(to), permissions)
    }

    fn behind_links(&self, path: &Path) -> io::Result<PathBuf> {
        self.place(path)
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
            Some(EntryKind::Folder) => system::remove_folder(&at),
            Some(EntryKind::File | EntryKind::Link | EntryKind::Other) => system::remove_file(&at),
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
                let path = self.at(folder).join(entry.path);
                match entry.kind {
                    // A second name of a file that was not written anew may be read-only, and has nothing to wait for.
                    EntryKind::File if !std::fs::symlink_metadata(&path)?.permissions().readonly() => {
                        std::fs::File::options().write(true).open(path)?.sync_all()?;
                    }
                    EntryKind::Folder => cbgen_windows::sync_folder(&path)?,
                    EntryKind::File | EntryKind::Link | EntryKind::Other => {}
                }
            }
            cbgen_windows::sync_folder(&self.at(folder))?;
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn sync_names(&self, folders: &[PathBuf]) -> io::Result<()> {
        self.sync(folders)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_names(&self, folders: &[PathBuf]) -> io::Result<()> {
        folders
            .iter()
            .try_for_each(|folder| cbgen_windows::sync_folder(&self.at(folder)))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        Lock::take(self.at(path))
    }
}
