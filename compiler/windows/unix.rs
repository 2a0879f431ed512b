//! The calls on Unix, through safe libraries.
#![expect(
    clippy::disallowed_methods,
    reason = "the ban points to the module of files, which stands on this crate"
)]

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

pub(crate) fn replace_file(target: &Path, new: &Path, backup: &Path) -> io::Result<()> {
    let old = fs::symlink_metadata(target)?;
    if !old.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    fs::set_permissions(new, old.permissions())?;
    let is = fs::symlink_metadata(new)?;
    if (is.uid(), is.gid()) != (old.uid(), old.gid()) {
        std::os::unix::fs::chown(new, Some(old.uid()), Some(old.gid()))?;
        // Changing the owner takes rights away from programs that run as theirs.
        fs::set_permissions(new, old.permissions())?;
    }
    match fs::remove_file(backup) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // A second name first: at no moment is `target` missing.
    fs::hard_link(target, backup)?;
    fs::rename(new, target)?;
    sync_parent(target)?;
    sync_parent(backup)
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_parent(from)?;
    sync_parent(to)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    std::os::unix::fs::DirBuilderExt::mode(&mut fs::DirBuilder::new(), 0o700).create(folder)
}

pub(crate) fn is_owned_by_somebody(path: &Path) -> io::Result<bool> {
    let owner = fs::symlink_metadata(path)?.uid();
    Ok(owner != 0 && owner != rustix::process::geteuid().as_raw())
}

pub(crate) fn identity(path: &Path) -> io::Result<Option<u64>> {
    Ok(Some(fs::symlink_metadata(path)?.ino()))
}

pub(crate) fn free_space(existing: &Path) -> io::Result<u64> {
    let volume = rustix::fs::statvfs(existing)?;
    Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
}

pub(crate) fn computer_name() -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

pub(crate) fn is_elevated() -> bool {
    rustix::process::geteuid().is_root()
}

/// How the terminal was.
#[derive(Debug)]
pub(crate) struct Typing(Termios);

pub(crate) fn hide_typing() -> io::Result<Typing> {
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &quiet)?;
    Ok(Typing(before))
}

impl Drop for Typing {
    fn drop(&mut self) {
        // What cannot be set back is seen by the person who types next.
        tcsetattr(io::stdin(), OptionalActions::Flush, &self.0).unwrap_or(());
    }
}

pub(crate) fn holders(_: &Path) -> Vec<String> {
    Vec::new()
}

/// Nothing to wait for: names change here whoever has a file open.
pub(crate) fn patience(_: &io::Error) -> Option<Duration> {
    None
}
