//! What cbgen asks the operating system for and the standard library has no call for, with one signature on every system.
//!
//! On Windows these are system calls, and [`windows`](self) is the only place of the project that may say `unsafe`: each
//! block holds one call, says why it is sound, and has a test that runs in Wine (`tests/windows.rs`) as well. On Unix the
//! same signatures stand on safe libraries; there they serve tests and copies of servers. This crate must not know what
//! a file means, and nothing here decides what to do about an error, except to wait for a file that somebody else holds.

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;

use std::io;
use std::path::Path;
use std::time::Duration;

/// How long a call waits for a file that another process holds.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long a call waits for what is denied: a scanner or indexer that looks at a new file is denied for a moment, a
/// right that is missing stays missing.
pub const DENIED_PATIENCE: Duration = Duration::from_secs(2);

/// Puts `new` in the place of `target` in one step and keeps the old content under the name `backup`.
///
/// What is at `target` afterwards has the access list, owner, attributes and creation time of what was there before; on
/// Windows also its streams (`ReplaceFileW`), on Unix mode and owner. All three names must be on one volume; `target`
/// and `new` must exist; a `backup` that exists is replaced. A file that is held by another process is asked for again
/// for [`PATIENCE`].
///
/// Errors: those of the system. Afterwards each of the names may be as before or as after the step, never half written,
/// so the caller looks at the contents before it goes on.
pub fn replace_file(target: &Path, new: &Path, backup: &Path) -> io::Result<()> {
    patiently(|| system::replace_file(target, new, backup))
}

/// Renames a file over a file or to a free name, or a folder to a free name, and returns when that is on the disk. What
/// is held by another process is asked for again for [`PATIENCE`].
///
/// A file keeps its own access list, not that of the file it replaces. Errors: those of the system.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    patiently(|| system::rename(from, to))
}

/// Returns when names that were made, changed or removed in a folder are on the disk. Errors: those of the system.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    system::sync_folder(folder)
}

/// Makes a folder that only administrators, the system and this account may look into or change, and what is made in it
/// inherits that; on Unix only this account (`0700`).
///
/// Errors: those of the system; `AlreadyExists` where anything stands at the place.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    system::make_private_folder(folder)
}

/// Whether a file or folder belongs to an account that may not change this system anyway: on Windows somebody else than the
/// system, administrators, the installer of Windows and this account, on Unix somebody else than root and this account.
/// Such an owner could change what lies there between two looks. Links are not followed. Errors: those of the system.
pub fn is_owned_by_somebody(path: &Path) -> io::Result<bool> {
    system::is_owned_by_somebody(path)
}

/// A number that a file or folder keeps when it is renamed, and no other one of its volume has meanwhile; `None` where
/// the file system has no such numbers. Links are not followed. Errors: those of the system.
pub fn identity(path: &Path) -> io::Result<Option<u64>> {
    system::identity(path)
}

/// Bytes that this user may still write on the volume of `path`, which need not exist: then its nearest folder that does
/// counts. Errors: those of the system.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let path = std::path::absolute(path)?;
    let mut nearest = path.as_path();
    while std::fs::metadata(nearest).is_err()
        && let Some(parent) = nearest.parent()
    {
        nearest = parent;
    }
    system::free_space(nearest)
}

/// The name of this computer, as other computers of its network call it: at most 15 characters on Windows, up to the
/// first dot elsewhere. Empty when the system does not tell.
pub fn computer_name() -> String {
    system::computer_name()
}

/// Whether this process may change the system: an elevated administrator on Windows, root elsewhere.
pub fn is_elevated() -> bool {
    system::is_elevated()
}

/// While this lives, what is typed at the terminal is not shown.
#[derive(Debug)]
pub struct HiddenTyping {
    _before: system::Typing,
}

/// Shows nothing of what is typed from now on, until the value that this gives is dropped.
///
/// Errors: those of the system, above all where the input is no terminal; then nothing is hidden and nothing changed.
pub fn hide_typing() -> io::Result<HiddenTyping> {
    Ok(HiddenTyping {
        _before: system::hide_typing()?,
    })
}

/// The programs that hold a file open, as far as the system tells: names for people, sorted. Empty elsewhere.
pub fn holders(path: &Path) -> Vec<String> {
    system::holders(path)
}

/// Whether an error means that another process holds the file, now.
pub fn is_held(error: &io::Error) -> bool {
    system::patience(error) == Some(PATIENCE)
}

/// Repeats a call while the system says that somebody else holds the file, for [`PATIENCE`] at most. Elsewhere than on
/// Windows nothing is repeated. Errors: that of the last call.
pub fn patiently(call: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    repeat(call, system::patience, std::thread::sleep)
}

/// [`patiently`] with its rules: how long to wait for which error, and how to wait.
fn repeat(
    mut call: impl FnMut() -> io::Result<()>,
    patience: impl Fn(&io::Error) -> Option<Duration>,
    mut sleep: impl FnMut(Duration),
) -> io::Result<()> {
    let mut waited = Duration::ZERO;
    let mut pause = Duration::from_millis(5);
    loop {
        match call() {
            Err(error) if patience(&error).is_some_and(|most| waited < most) => {
                sleep(pause);
                waited += pause;
                pause = (pause * 2).min(Duration::from_millis(250));
            }
            result => return result,
        }
    }
}

/// A path as the system calls take it that do not go through the standard library: absolute, and in the form without a
/// limit of length where it is long.
#[cfg(any(windows, test))]
fn unlimited(absolute: &str) -> std::path::PathBuf {
    /// Folders may have 248 units, files 260, each with the zero at the end.
    const LIMIT: usize = 248;
    if absolute.encode_utf16().count() < LIMIT
        || absolute.starts_with(r"\\?\")
        || absolute.starts_with(r"\\.\")
    {
        return absolute.into();
    }
    match absolute.strip_prefix(r"\\") {
        Some(share) => format!(r"\\?\UNC\{share}"),
        None => format!(r"\\?\{absolute}"),
    }
    .into()
}

#[cfg(test)]
mod tests;
