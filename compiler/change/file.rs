//! One file of the server: what is there, and how other bytes take its place in one step.
//!
//! The new file is made beside the target under a name no server reads, synced, and then takes the target's place with its
//! rights; the old one keeps a name beside it until that is certain. Whatever interrupts this, [`settle`] finds the target
//! old or new and takes away the rest, by looking at digests only. This file must not know steps.

use std::io;
use std::path::{Path, PathBuf};

use crate::contract::digest::Digest;
use crate::formats::Cut as _;

use super::disk::{Disk, Found, is_held, not_regular};
use super::server::{Server, folder_of, is_drive_path, is_too_long};
use super::state::{LARGEST, State};

/// Why a file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not there.
    Missing,
    /// The folder is not there.
    FolderMissing,
    /// Somebody holds it open.
    Held,
    /// This account may not change it.
    Denied,
    /// It is a link or lies behind one.
    Link,
    /// Something else than a file stands there.
    NotAFile,
    /// Its path is too long, or none that a bundle may name.
    Path,
    /// It is too large, or cannot be read.
    Unreadable,
}

/// Whether nothing else is wrong than that the file, or a folder above it, is not there.
pub fn is_absent(obstacles: &[Obstacle]) -> bool {
    let absent = |obstacle: &Obstacle| matches!(obstacle.trouble, Trouble::Missing | Trouble::FolderMissing);
    !obstacles.is_empty() && obstacles.iter().all(absent)
}

/// A trouble with its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Which.
    pub trouble: Trouble,
    /// In the grammar of findings.
    pub message: String,
}

fn obstacle(trouble: Trouble, message: impl Into<String>) -> Obstacle {
    Obstacle {
        trouble,
        message: message.into(),
    }
}

/// A target and the names beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As the bundle names it.
    pub windows: String,
    /// As this machine names it.
    pub path: PathBuf,
    /// The new file until it is in place.
    pub new: PathBuf,
    /// The old file until the new one is certain.
    pub old: PathBuf,
}

impl Target {
    /// The target at a Windows path. The names beside it follow from the path alone, so every run knows them.
    pub fn of(server: &Server, disk: &dyn Disk, windows: &str) -> Self {
        let path = server.at(disk, windows);
        let digest = Digest::of(windows.to_lowercase().as_bytes()).to_string();
        let mark = digest.cut(..8);
        Self {
            windows: windows.to_owned(),
            new: path.with_file_name(format!("cbgen-{mark}.new~")),
            old: path.with_file_name(format!("cbgen-{mark}.old~")),
            path,
        }
    }

    /// The last parts of the names beside it.
    pub fn names(&self) -> [String; 2] {
        let name = |path: &Path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        [name(&self.new), name(&self.old)]
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// What is there now; `None` when nothing is. A file that a stopped replacement left under its old name counts as there.
    pub fn present(&self, disk: &dyn Disk) -> io::Result<Option<Vec<u8>>> {
        for path in [&self.path, &self.old] {
            match disk.look(path)? {
                Some(Found::File(_)) => return disk.read(path, LARGEST).map(Some),
                Some(Found::Folder | Found::Link | Found::Other) => return Err(not_regular()),
                None => {}
            }
        }
        Ok(None)
    }

    /// The digest of what is there.
    pub fn digest(&self, disk: &dyn Disk) -> io::Result<Option<Digest>> {
        Ok(self.present(disk)?.map(|bytes| Digest::of(&bytes)))
    }

    /// Whether a stopped replacement left something.
    pub fn has_debris(&self, disk: &dyn Disk) -> io::Result<bool> {
        Ok(disk.look(&self.new)?.is_some() || disk.look(&self.old)?.is_some())
    }
}

/// Looks at a target without changing anything: its content, or everything that stands against changing it.
pub fn examine(
    server: &Server,
    disk: &dyn Disk,
    target: &Target,
    may_be_new: bool,
) -> Result<Option<Vec<u8>>, Vec<Obstacle>> {
    let windows = &target.windows;
    let refuse = |trouble, message: String| Err(vec![obstacle(trouble, message)]);
    if !is_drive_path(windows) {
        return refuse(
            Trouble::Path,
            format!("`{windows}` is not a plain path on a drive"),
        );
    }
    if is_too_long(windows) {
        let message = format!("the path has {} characters, too many for Windows", windows.len());
        return refuse(Trouble::Path, message);
    }
    let unreadable = |error: io::Error| {
        let message = format!("it cannot be read: {error}");
        vec![obstacle(unreadable_is(&error), message)]
    };
    if let Some(link) = server.link_on_the_way(disk, windows).map_err(unreadable)? {
        let message = format!("`{link}` is a link or junction, and what stands behind one may change");
        return refuse(Trouble::Link, message);
    }
    let folder = folder_of(windows);
    match disk.look(target.folder()).map_err(unreadable)? {
        Some(Found::Folder) => {}
        None => return refuse(Trouble::FolderMissing, format!("there is no folder `{folder}`")),
        Some(Found::File(_) | Found::Link | Found::Other) => {
            return refuse(Trouble::NotAFile, format!("`{folder}` is no folder"));
        }
    }
    let mut found = Vec::new();
    match disk.look(&target.path).map_err(unreadable)? {
        Some(Found::File(size)) if size > LARGEST => {
            let message =
                format!("it has {size} bytes, more than the {LARGEST} a configuration file may have");
            found.push(obstacle(Trouble::Unreadable, message));
        }
        Some(Found::File(_)) => found.extend(may_change(disk, &target.path, "it")),
        Some(Found::Folder) => found.push(obstacle(Trouble::NotAFile, "a folder stands in its place")),
        Some(Found::Link) => found.push(obstacle(
            Trouble::Link,
            "it is a link, and what stands behind one may change",
        )),
        Some(Found::Other) => found.push(obstacle(
            Trouble::NotAFile,
            "something else than a file stands there",
        )),
        None => {}
    }
    for name in [&target.new, &target.old] {
        if let Ok(Some(Found::Folder | Found::Link | Found::Other)) = disk.look(name) {
            let name = name.file_name().unwrap_or_default().to_string_lossy();
            let message = format!("`{name}` beside it is in the way");
            found.push(obstacle(Trouble::NotAFile, message));
        }
    }
    found.extend(may_change(disk, target.folder(), "its folder"));
    if !found.is_empty() {
        return Err(found);
    }
    match target.present(disk).map_err(unreadable)? {
        None if !may_be_new => refuse(Trouble::Missing, "there is no such file".to_owned()),
        present => Ok(present),
    }
}

fn unreadable_is(error: &io::Error) -> Trouble {
    if is_held(error) {
        Trouble::Held
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        Trouble::Denied
    } else {
        Trouble::Unreadable
    }
}

fn may_change(disk: &dyn Disk, path: &Path, what: &str) -> Option<Obstacle> {
    let error = disk.may_change(path).err()?;
    Some(if is_held(&error) {
        let holders = disk.holders(path);
        let who = if holders.is_empty() {
            "another program".to_owned()
        } else {
            holders.join(", ")
        };
        obstacle(Trouble::Held, format!("{who} holds {what} open"))
    } else {
        obstacle(
            Trouble::Denied,
            format!("this account may not change {what}: {error}"),
        )
    })
}

/// Brings a target whose replacement was interrupted to rest: old or new, nothing beside it. What would be lost is saved first.
/// Gives whether anything was left over.
pub fn settle(disk: &dyn Disk, state: &State, target: &Target) -> io::Result<bool> {
    if !target.has_debris(disk)? {
        return Ok(false);
    }
    if disk.look(&target.old)?.is_some() {
        let is_missing = disk.look(&target.path)?.is_none();
        if is_missing {
            disk.rename_to_free(&target.old, &target.path)?;
            disk.sync_folder(target.folder())?;
        } else {
            state.save(disk, &disk.read(&target.old, LARGEST)?)?;
        }
    }
    clean(disk, target)?;
    Ok(true)
}

/// Takes away the names beside a target that is certain.
pub fn clean(disk: &dyn Disk, target: &Target) -> io::Result<()> {
    disk.remove(&target.new)?;
    disk.remove(&target.old)?;
    disk.sync_folder(target.folder())
}

/// Puts `bytes` in the place of a target that has the digest `old`. Afterwards, also after an error, the target is old or
/// new; [`settle`] or [`clean`] takes away the names beside it.
pub fn swap(disk: &dyn Disk, target: &Target, old: Option<Digest>, bytes: &[u8]) -> Result<(), String> {
    let new = Digest::of(bytes);
    let told = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| format!("{what}: {error}")
    };
    disk.remove(&target.new)
        .and_then(|()| disk.remove(&target.old))
        .map_err(told("a left-over file cannot be removed"))?;
    disk.write_new(&target.new, bytes)
        .and_then(|()| disk.sync_file(&target.new))
        .map_err(told("the new file cannot be written"))?;
    let present = look_again(disk, target)?;
    if present != old {
        return Err("it was changed by someone since this run looked at it".to_owned());
    }
    let replaced = match old {
        Some(_) => disk.replace(&target.path, &target.new, &target.old),
        None => disk.rename_to_free(&target.new, &target.path),
    };
    let replaced = replaced.and_then(|()| disk.sync_folder(target.folder()));
    let is = look_again(disk, target)?;
    match replaced {
        Ok(()) if is == Some(new) => Ok(()),
        Ok(()) => Err("what was written is not what is there".to_owned()),
        Err(error) => Err(format!("it cannot be replaced: {error}")),
    }
}

fn look_again(disk: &dyn Disk, target: &Target) -> Result<Option<Digest>, String> {
    match disk.look(&target.path) {
        Ok(None) => Ok(None),
        Ok(Some(Found::File(_))) => disk
            .read(&target.path, LARGEST)
            .map(|bytes| Some(Digest::of(&bytes)))
            .map_err(|error| format!("it cannot be read: {error}")),
        Ok(Some(_)) => Err("something else than a file stands there now".to_owned()),
        Err(error) => Err(format!("it cannot be looked at: {error}")),
    }
}

/// Removes a file this run made, which has the digest `is`.
pub fn unmake(disk: &dyn Disk, target: &Target, is: Digest) -> Result<(), String> {
    if look_again(disk, target)? != Some(is) {
        return Err("it was changed by someone since this run looked at it".to_owned());
    }
    disk.remove(&target.path)
        .and_then(|()| disk.sync_folder(target.folder()))
        .map_err(|error| format!("it cannot be removed: {error}"))
}
