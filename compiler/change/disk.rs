//! The disk of a server, in steps that are small enough to be interrupted between any two of them.
//!
//! A change of a server is made of these calls only, so tests can stop it before and after every one, and can say what a
//! power cut leaves. No call writes into a file that is in use, none follows a link, and what has to survive a power cut
//! is synced by its own call, never in silence. This file must not know what a file means.

mod real;

pub use real::RealDisk;

use std::any::Any;
use std::io;
use std::path::Path;

/// What is at a path. Links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A regular file of this size.
    File(u64),
    /// A folder.
    Folder,
    /// A symbolic link, a junction or another point that leads elsewhere.
    Link,
    /// A device, pipe or socket.
    Other,
}

/// A lock that ends when this value is dropped, and with the process at the latest.
pub struct Held {
    _guard: Box<dyn Any + Send>,
}

impl Held {
    /// A lock kept by `guard`.
    pub fn new(guard: impl Any + Send) -> Self {
        Self {
            _guard: Box::new(guard),
        }
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Held")
    }
}

/// The disk of a server. Every error is the system's.
pub trait Disk: Sync {
    /// What is at `path`; `None` when nothing is.
    fn look(&self, path: &Path) -> io::Result<Option<Found>>;

    /// Content of a regular file of at most `limit` bytes; [`io::ErrorKind::FileTooLarge`] above,
    /// [`io::ErrorKind::InvalidInput`] when something else than a file stands there.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// Names directly in a folder, sorted. Names that are no Unicode are left out: no bundle means them.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Makes one folder that only this account and administrators may enter; it may exist, but not belong to somebody else.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes a file that only this account may read, with its content. The name must be free.
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Adds bytes at the end of a file, which is made when it is not there.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file of ours after `length` bytes.
    fn cut(&self, path: &Path, length: u64) -> io::Result<()>;

    /// Returns when the content of a file is on the disk.
    fn sync_file(&self, path: &Path) -> io::Result<()>;

    /// Returns when the names in a folder are on the disk.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Puts `new` in the place of `target` in one step, with the owner, access list and attributes of what was there, and
    /// keeps the old file under the name `backup`, which must be free.
    fn replace(&self, target: &Path, new: &Path, backup: &Path) -> io::Result<()>;

    /// Renames a file to a free name.
    fn rename_to_free(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Renames a file of ours over a file of ours.
    fn rename_over(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file or link; nothing there is fine.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Whether this account could change what is at `path`, found out without changing anything. The error says what is in
    /// the way: [`io::ErrorKind::PermissionDenied`], [`io::ErrorKind::ReadOnlyFilesystem`], or that somebody holds it.
    fn may_change(&self, path: &Path) -> io::Result<()>;

    /// Waits while another program holds the file at `path`, for as long as the system calls themselves wait. Where files
    /// cannot be held, and where nothing is there, it returns at once.
    fn wait_until_free(&self, _path: &Path) {}

    /// Bytes that may still be written on the volume of `path`, of which the end may be missing.
    fn free_space(&self, path: &Path) -> io::Result<u64>;

    /// Takes the lock named `path` without waiting, making the file; `None` when somebody holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<Held>>;

    /// Whether somebody holds the lock named `path`. Writes nothing.
    fn is_locked(&self, path: &Path) -> bool;

    /// Who holds a file open, as far as the system tells.
    fn holders(&self, path: &Path) -> Vec<String>;
}

/// What is told where something else than a regular file stands.
pub fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

/// Whether an error means that another process holds the file.
pub fn is_held(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ResourceBusy | io::ErrorKind::ExecutableFileBusy | io::ErrorKind::WouldBlock
    ) || cbgen_windows::is_held(error)
}
