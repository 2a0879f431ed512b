//! Temporary: the calls of the system until the crate for them is there.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

pub(super) fn replace_file(target: &Path, new: &Path, backup: &Path) -> io::Result<()> {
    let old = fs::symlink_metadata(target)?;
    fs::set_permissions(new, old.permissions())?;
    let is = fs::symlink_metadata(new)?;
    if (is.uid(), is.gid()) != (old.uid(), old.gid()) {
        std::os::unix::fs::chown(new, Some(old.uid()), Some(old.gid()))?;
        fs::set_permissions(new, old.permissions())?;
    }
    fs::hard_link(target, backup)?;
    rename(new, target)
}

#[expect(clippy::disallowed_methods, reason = "temporary")]
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(super) fn free_space(path: &Path) -> io::Result<u64> {
    let mut nearest = path;
    while fs::symlink_metadata(nearest).is_err()
        && let Some(parent) = nearest.parent()
    {
        nearest = parent;
    }
    let volume = rustix::fs::statvfs(nearest)?;
    Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
}

pub(super) fn holders(_: &Path) -> Vec<String> {
    Vec::new()
}
