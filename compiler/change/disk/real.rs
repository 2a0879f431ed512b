//! The disk of this machine.
//!
//! The change desk names the file system here and nowhere else. Nothing is opened through a link, new files are readable
//! for this account only until they take the rights of what they replace, and a file that somebody else holds is asked
//! for again for a bounded time. This file must not know what a file means.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::{Disk, Found, Held, is_held, not_regular};
use crate::files::is_absent;

/// How often a held file is asked for again, and the longest pause in milliseconds: some ten seconds together.
const TRIES: u32 = 45;
const LONGEST_PAUSE: u64 = 250;

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

/// Repeats a call while another process holds the file.
fn patiently<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut pause = 5;
    for _ in 0..TRIES {
        match call() {
            Err(error) if is_held(&error) => std::thread::sleep(std::time::Duration::from_millis(pause)),
            result => return result,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    call()
}

fn found(metadata: &Metadata) -> Found {
    let kind = metadata.file_type();
    if kind.is_symlink() || leads_elsewhere(metadata) {
        Found::Link
    } else if kind.is_dir() {
        Found::Folder
    } else if kind.is_file() {
        Found::File(metadata.len())
    } else {
        Found::Other
    }
}

#[cfg(windows)]
fn leads_elsewhere(metadata: &Metadata) -> bool {
    /// `FILE_ATTRIBUTE_REPARSE_POINT`: junctions and mount points too, which are no symbolic links.
    const REPARSE_POINT: u32 = 0x400;
    std::os::windows::fs::MetadataExt::file_attributes(metadata) & REPARSE_POINT != 0
}

#[cfg(not(windows))]
fn leads_elsewhere(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

impl Disk for RealDisk {
    fn look(&self, path: &Path) -> io::Result<Option<Found>> {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(found(&metadata))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        match self.look(path)? {
            None => return Err(io::ErrorKind::NotFound.into()),
            Some(Found::File(_)) => {}
            Some(Found::Folder | Found::Link | Found::Other) => return Err(not_regular()),
        }
        let mut content = Vec::new();
        // One byte more than allowed tells a file that grew after it was measured.
        let read = patiently(|| File::open(path))?
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)?;
        if u64::try_from(read).unwrap_or(u64::MAX) > limit {
            let message = format!("the file has more than {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(content)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the door of the change desk to the file system; the names are sorted here"
    )]
    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        match cbgen_windows::make_private_folder(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match self.look(path)? {
                // Who owns a folder may put other scripts into it between two looks.
                Some(Found::Folder) if cbgen_windows::is_owned_by_somebody(path)? => Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!(
                        "the folder {} belongs to another account; find out who made it, and give it to the administrators when it is yours: the way back may lie in it",
                        path.display()
                    ),
                )),
                Some(Found::Folder) => Ok(()),
                _ => Err(error),
            },
            result => result,
        }
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        private(OpenOptions::new().write(true).create_new(true))
            .open(path)?
            .write_all(bytes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        private(OpenOptions::new().append(true).create(true))
            .open(path)?
            .write_all(bytes)
    }

    fn cut(&self, path: &Path, length: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.set_len(length)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.sync_all()
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        cbgen_windows::sync_folder(path)
    }

    fn replace(&self, target: &Path, new: &Path, backup: &Path) -> io::Result<()> {
        cbgen_windows::replace_file(target, new, backup)
    }

    fn rename_to_free(&self, from: &Path, to: &Path) -> io::Result<()> {
        // A second name fails where a rename would silently win over a file that came meanwhile.
        match patiently(|| std::fs::hard_link(from, to)) {
            Ok(()) => self.remove(from),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // A volume without hard links.
            Err(_) if self.look(to)?.is_none() => self.rename_over(from, to),
            Err(error) => Err(error),
        }
    }

    fn rename_over(&self, from: &Path, to: &Path) -> io::Result<()> {
        cbgen_windows::rename(from, to)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the door of the change desk to the file system"
    )]
    fn remove(&self, path: &Path) -> io::Result<()> {
        match patiently(|| std::fs::remove_file(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    #[cfg(unix)]
    fn may_change(&self, path: &Path) -> io::Result<()> {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK).map_err(Into::into)
    }

    #[cfg(not(unix))]
    fn may_change(&self, path: &Path) -> io::Result<()> {
        // Opened for writing and closed again, which changes nothing; the rights of a folder are not asked this way.
        match self.look(path)? {
            Some(Found::File(_)) if std::fs::metadata(path)?.permissions().readonly() => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the file is marked as read-only",
            )),
            Some(Found::File(_)) => OpenOptions::new().write(true).open(path).map(drop),
            _ => Ok(()),
        }
    }

    #[cfg(windows)]
    fn wait_until_free(&self, path: &Path) {
        // What it says in the end, whoever asks next hears too.
        drop(patiently(|| OpenOptions::new().write(true).open(path).map(drop)));
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        cbgen_windows::free_space(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Held>> {
        if matches!(self.look(path)?, Some(Found::Folder | Found::Link | Found::Other)) {
            return Err(not_regular());
        }
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Held::new(file))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn is_locked(&self, path: &Path) -> bool {
        let Ok(Some(Found::File(_))) = self.look(path) else {
            return false;
        };
        let opened = File::open(path);
        opened.is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
    }

    fn holders(&self, path: &Path) -> Vec<String> {
        cbgen_windows::holders(path)
    }
}
