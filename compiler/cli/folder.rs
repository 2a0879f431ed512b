//! Which YAML files of a folder are inventories, and which are layers of them or files of other programs.
//!
//! A file that is left out is never mentioned again, so that a slip must not turn an inventory into something else. This file
//! must not know what an inventory says.

use std::path::{Component, Path, PathBuf};

use crate::files::Files;
use crate::inventory::{self, MAX_INPUT_BYTES};

/// Whether a name has one of these extensions, in any case of letters.
pub(super) fn has_extension(name: &str, extensions: &[&str]) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, found)| extensions.iter().any(|wanted| found.eq_ignore_ascii_case(wanted)))
}

/// Whether a YAML file of a folder is an inventory, and no layer that others extend. One that cannot be read counts as an
/// inventory: compiling it says why, where leaving it out would say nothing.
pub(super) fn is_inventory(files: &dyn Files, path: &Path) -> bool {
    let most = u64::try_from(MAX_INPUT_BYTES).unwrap_or(u64::MAX);
    files
        .read(path, most)
        .map_or(true, |bytes| inventory::is_inventory(&bytes))
}

/// The inventories among some files of one folder, in their order: those with a key `bundle` of their own, those that cannot
/// be read, and those that were meant as one and that no other file extends.
pub(super) fn inventories(files: &dyn Files, paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let most = u64::try_from(MAX_INPUT_BYTES).unwrap_or(u64::MAX);
    let read = |path: &Path| files.read(path, most).ok();
    let is_meant = |path: &PathBuf| read(path).is_some_and(|bytes| inventory::is_meant_as_inventory(&bytes));
    let (mut found, mut meant) = (Vec::new(), Vec::new());
    for path in &paths {
        let is_one = is_inventory(files, path);
        found.push(is_one);
        meant.push(!is_one && is_meant(path));
    }
    let layers: Vec<PathBuf> = if meant.contains(&true) {
        paths
            .iter()
            .filter_map(|path| Some((path.parent().unwrap_or(Path::new("")), read(path)?)))
            .flat_map(|(folder, bytes)| {
                let named = inventory::extended(&bytes);
                named.into_iter().map(move |name| resolved(&folder.join(name)))
            })
            .collect()
    } else {
        Vec::new()
    };
    paths
        .into_iter()
        .zip(found.into_iter().zip(meant))
        .filter(|(path, (own, meant))| *own || *meant && !layers.contains(&resolved(path)))
        .map(|(path, _)| path)
        .collect()
}

/// A path without `.` and without the folders that `..` leaves again.
fn resolved(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if found.file_name().is_some() => {
                found.pop();
            }
            Component::ParentDir | Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                found.push(part);
            }
        }
    }
    found
}
