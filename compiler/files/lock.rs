//! Locks: a file that one process holds, and that is gone when nobody does.
//!
//! The file is found in a folder that others can write to, so whatever else stands under its name (a link, a pipe) is
//! refused, not followed. This file must not know what is locked.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// How often a lock is tried whose file goes away or is exchanged meanwhile. Each time another process ended its work,
/// so more than a few are not met; somebody who does it on purpose must not keep us here.
const TRIES: usize = 100;

/// A lock that ends when this value is dropped, and with the process at the latest.
#[derive(Debug)]
pub struct Lock {
    held: Option<(File, PathBuf)>,
}

impl Lock {
    /// A lock of files that only this process sees.
    pub(super) fn of_memory() -> Self {
        Self { held: None }
    }

    /// The lock at an absolute path, `None` when somebody holds it.
    ///
    /// Errors: those of the system; [`io::ErrorKind::InvalidInput`] when something else than a file stands there.
    pub(super) fn take(path: PathBuf) -> io::Result<Option<Self>> {
        let mut last = None;
        for _ in 0..TRIES {
            match std::fs::symlink_metadata(&path) {
                Ok(there) if !there.is_file() => return Err(no_lock(&path)),
                _ => {}
            }
            match system::attempt(&path)? {
                system::Attempt::Taken(file) => {
                    return Ok(Some(Self {
                        held: Some((file, path)),
                    }));
                }
                system::Attempt::Busy => return Ok(None),
                system::Attempt::Changed(why) => last = why,
            }
        }
        last.map_or(Ok(None), Err)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some((file, path)) = self.held.take() {
            system::release(file, &path);
        }
    }
}

fn no_lock(path: &Path) -> io::Error {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text =
        format!("`{name}` is no regular file; cbgen makes its lock there and follows no link: remove it");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// The name stays while the lock is held, and goes before it ends.
#[cfg(not(windows))]
mod system {
    use std::fs::{File, TryLockError};
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
    use std::path::Path;

    pub(super) enum Attempt {
        Taken(File),
        Busy,
        /// The file went away or is going; with the error of the system where it may be another reason.
        Changed(Option<io::Error>),
    }

    pub(super) fn attempt(path: &Path) -> io::Result<Attempt> {
        // Neither a link is followed nor a pipe waited for, whatever stands there since somebody looked.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .custom_flags(flags.bits().cast_signed())
            .open(path)?;
        let opened = file.metadata()?;
        if !opened.is_file() {
            return Err(super::no_lock(path));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Attempt::Busy),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The holder before us removes the name before it unlocks: then this lock is on a file nobody else will
        // ever open, and protects nothing.
        let named = std::fs::symlink_metadata(path).ok();
        let is_named = named.is_some_and(|named| (named.dev(), named.ino()) == (opened.dev(), opened.ino()));
        Ok(if is_named {
            Attempt::Taken(file)
        } else {
            Attempt::Changed(None)
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this folder is the one the ban points to"
    )]
    pub(super) fn release(file: File, path: &Path) {
        drop(std::fs::remove_file(path));
        drop(file);
    }
}

/// The file is opened so that nobody else can open it, and that the system removes it when it is closed, even if the
/// process is ended: an open file is the lock.
#[cfg(windows)]
mod system {
    use std::fs::File;
    use std::io;
    use std::os::windows::fs::OpenOptionsExt as _;
    use std::path::Path;
    use std::time::Duration;

    pub(super) enum Attempt {
        Taken(File),
        Busy,
        /// The file went away or is going; with the error of the system where it may be another reason.
        Changed(Option<io::Error>),
    }

    const GENERIC_WRITE: u32 = 0x4000_0000;
    const DELETE: u32 = 0x0001_0000;
    const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    const DELETE_ON_CLOSE: u32 = 0x0400_0000;
    const SHARING_VIOLATION: i32 = 32;
    const ACCESS_DENIED: i32 = 5;

    pub(super) fn attempt(path: &Path) -> io::Result<Attempt> {
        // The library wants to hear of writing where a file may be made; what is asked for is the line after it.
        let opened = File::options()
            .create(true)
            .write(true)
            .access_mode(GENERIC_WRITE | DELETE)
            .share_mode(0)
            .custom_flags(OPEN_REPARSE_POINT | DELETE_ON_CLOSE)
            .open(path);
        match opened {
            Ok(file) => Ok(Attempt::Taken(file)),
            Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(Attempt::Busy),
            // Also while the file of the holder before us goes away.
            Err(error) if error.raw_os_error() == Some(ACCESS_DENIED) => {
                std::thread::sleep(Duration::from_millis(10));
                Ok(Attempt::Changed(Some(error)))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn release(file: File, _: &Path) {
        drop(file);
    }
}
