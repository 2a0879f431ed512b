//! What stands in an output tree compared with what a bundle would put there.
//!
//! This file only reads.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::super::{Bundle, MANIFEST, SIGNATURE, SUMS};
use super::{Difference, DifferenceKind, read_if_there};
use crate::contract::digest::{Digest, sum};
use crate::contract::manifest::Manifest;
use crate::contract::path::BundlePath;
use crate::files::{EntryKind, Files};

/// Largest file that is read back from a tree; cbgen writes none that is larger.
const FILE_LIMIT: u64 = 256 << 20;

/// Every file an earlier build made, with the digest of the text it wrote where that is known.
#[derive(Default)]
pub(super) struct Made {
    pub(super) files: BTreeMap<PathBuf, Option<Digest>>,
    pub(super) manifest: Option<Manifest>,
}

/// Reads what an earlier build made from the manifest of its tree and from its list of digests. The list is read line by
/// line and leniently: after a merge conflict it still names the files of both sides.
pub(super) fn made(files: &dyn Files, tree: &Path) -> io::Result<Made> {
    let manifest_text = read_if_there(files, &tree.join(MANIFEST), FILE_LIMIT)?;
    // Nothing is lost with a damaged one: its files are then known from the list alone, or are foreign and stay.
    let manifest = manifest_text.and_then(|text| Manifest::read(&text).ok());
    let list = read_if_there(files, &tree.join(SUMS), FILE_LIMIT)?.unwrap_or_default();
    let mut made: BTreeMap<PathBuf, Option<Digest>> = BTreeMap::new();
    for (path, digest) in String::from_utf8_lossy(&list).lines().filter_map(sum) {
        // The list has the digests of deployed bytes; only the manifest is the same in both forms.
        let digest = (path.as_str() == MANIFEST).then_some(digest);
        made.insert(path.as_str().into(), digest);
    }
    for artifact in manifest.iter().flat_map(|manifest| &manifest.artifacts) {
        made.insert(artifact.path.as_str().into(), Some(artifact.review_sha256));
    }
    if !made.is_empty() {
        made.entry(SUMS.into()).or_default();
        made.entry(MANIFEST.into()).or_default();
        // Of the list that is there, whoever signed it: it goes with it.
        made.entry(SIGNATURE.into()).or_default();
    }
    Ok(Made {
        files: made,
        manifest,
    })
}

/// The result of a comparison. Paths are relative to the tree.
#[derive(Default)]
pub(super) struct Survey {
    /// The manifest that stands there, when it can be read.
    pub(super) manifest: Option<Manifest>,
    /// Differences in order of paths.
    pub(super) differences: Vec<Difference>,
    /// Files that are already as they should be.
    pub(super) unchanged: BTreeSet<BundlePath>,
    /// Files of the earlier build that this one does not make.
    pub(super) stale: Vec<BundlePath>,
    /// Files of the earlier build whose text is no longer what it wrote, nor what this one writes.
    pub(super) edited: Vec<BundlePath>,
    /// Files and links cbgen did not make.
    pub(super) foreign: Vec<PathBuf>,
    /// Folders that hold nothing cbgen made or makes.
    pub(super) foreign_folders: Vec<PathBuf>,
    /// What cbgen did not make and stands where this build puts a file or needs a folder.
    pub(super) blocked: Vec<PathBuf>,
}

/// Compares the tree with the bundle. A tree that is not there is empty.
pub(super) fn survey(files: &dyn Files, tree: &Path, bundle: &Bundle) -> io::Result<Survey> {
    let (
        Made {
            files: made,
            manifest,
        },
        entries,
    ) = match files.kind(tree)? {
        None => (Made::default(), BTreeMap::new()),
        Some(EntryKind::Folder) => {
            let entries = files.list(tree)?.into_iter();
            let entries = entries.map(|entry| (entry.path, entry.kind)).collect();
            (made(files, tree)?, entries)
        }
        Some(EntryKind::File | EntryKind::Link | EntryKind::Other) => {
            return Err(io::ErrorKind::NotADirectory.into());
        }
    };
    let mut found = Survey {
        manifest,
        ..Survey::default()
    };

    for (path, file) in bundle.files() {
        let relative = PathBuf::from(path.as_str());
        let is_made = made.get(&relative);
        let kind = match entries.get(&relative) {
            None => Some(DifferenceKind::Missing),
            Some(EntryKind::File) => {
                let there = read_if_there(files, &tree.join(&relative), FILE_LIMIT)?.unwrap_or_default();
                let kind = difference(&file.review, &there);
                if kind.is_some() {
                    match is_made {
                        None => found.blocked.push(relative),
                        Some(Some(written)) if Digest::of(&there) != *written => {
                            found.edited.push(path.clone());
                        }
                        Some(_) => {}
                    }
                }
                kind
            }
            Some(EntryKind::Link) if is_made.is_some() => {
                found.edited.push(path.clone());
                Some(DifferenceKind::Changed { line: 0 })
            }
            Some(EntryKind::Folder | EntryKind::Link | EntryKind::Other) => {
                found.blocked.push(relative);
                Some(DifferenceKind::Changed { line: 0 })
            }
        };
        match kind {
            None => {
                found.unchanged.insert(path.clone());
            }
            Some(kind) => found.differences.push(Difference {
                path: path.as_str().to_owned(),
                kind,
            }),
        }
    }

    if entries.is_empty() {
        // Everything is missing, in order of paths.
        return Ok(found);
    }
    let new: BTreeSet<&Path> = bundle
        .files()
        .keys()
        .map(|path| Path::new(path.as_str()))
        .collect();
    let needed: BTreeSet<&Path> = new
        .iter()
        .copied()
        .chain(made.keys().map(PathBuf::as_path))
        .flat_map(|path| path.ancestors().skip(1))
        .collect();
    let needed_now: BTreeSet<&Path> = new.iter().flat_map(|path| path.ancestors().skip(1)).collect();
    let list_changes = !found.unchanged.contains(SUMS);
    for (relative, kind) in &entries {
        if new.contains(relative.as_path()) {
            continue;
        }
        if *kind == EntryKind::Folder {
            if !needed.contains(relative.as_path()) {
                found.foreign_folders.push(relative.clone());
            }
        } else if relative == Path::new(SIGNATURE) && *kind == EntryKind::File {
            if list_changes {
                found.differences.push(Difference {
                    path: SIGNATURE.to_owned(),
                    kind: DifferenceKind::Stale,
                });
                found.stale.extend(BundlePath::parse(SIGNATURE));
            } else {
                found.foreign.push(relative.clone());
            }
        } else if let Some(written) = made.get(relative) {
            // Only a parsed path gets into the list of made files.
            let Some(path) = relative
                .to_str()
                .and_then(|path| BundlePath::parse(&path.replace('\\', "/")).ok())
            else {
                continue;
            };
            if let (Some(written), EntryKind::File) = (written, kind)
                && read_if_there(files, &tree.join(relative), FILE_LIMIT)?
                    .is_some_and(|there| Digest::of(&there) != *written)
            {
                found.edited.push(path.clone());
            }
            found.differences.push(Difference {
                path: path.as_str().to_owned(),
                kind: DifferenceKind::Stale,
            });
            found.stale.push(path);
        } else {
            if needed_now.contains(relative.as_path()) {
                found.blocked.push(relative.clone());
            }
            found.foreign.push(relative.clone());
        }
    }
    found
        .differences
        .sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

fn difference(wanted: &str, there: &[u8]) -> Option<DifferenceKind> {
    if wanted.as_bytes() == there {
        return None;
    }
    let Ok(there) = std::str::from_utf8(there) else {
        return Some(DifferenceKind::Changed { line: 0 });
    };
    // `lines` takes CR LF for a line end as well.
    let first = wanted
        .lines()
        .zip(there.lines())
        .position(|(wanted, there)| wanted != there);
    let (wanted_lines, there_lines) = (wanted.lines().count(), there.lines().count());
    Some(match first {
        Some(at) => DifferenceKind::Changed { line: at + 1 },
        None if wanted_lines == there_lines => DifferenceKind::LineEnds,
        None => DifferenceKind::Changed {
            line: wanted_lines.min(there_lines) + 1,
        },
    })
}
