//! Bundles in the output folder: the tree reviewers read, the archive beside it, and its digest.
//!
//! `OUT/NAME/` holds the review texts, `OUT/NAME-VERSION.zip` the deployed bytes. [`prepare`] and [`commit()`] replace them as a whole
//! (see [`commit()`] for what an interruption can leave), touches nothing when nothing changed, removes what an earlier
//! build made and this one does not, and keeps what cbgen did not make. Whether cbgen made a file is read from the
//! manifest and the list of digests of the tree that is there. This file must not know how a bundle is made.

pub mod commit;
mod recover;
mod survey;

use std::io;
use std::path::{Path, PathBuf};

use self::commit::{OutputSlot, Staged};
use self::survey::{Survey, survey};
use super::archive::Press;
use super::{Bundle, MANIFEST, SIGNATURE, SUMS, archive};
use crate::codes;
use crate::contract::digest::Digest;
use crate::contract::manifest::Manifest;
use crate::contract::path::BundlePath;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::files::{EntryKind, Files, Lock, is_about_content, shown};

/// Largest archive that is read back for comparison.
const ARCHIVE_LIMIT: u64 = 1 << 30;

/// What [`prepare`] and [`commit()`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whether anything was written; otherwise every file kept its time stamp.
    pub changed: bool,
    /// Whether the tree was as it is now and only the archive or its digest was missing, as in a fresh clone.
    pub completed: bool,
    /// The build that was replaced: the one in the archive of the same name, else the one in the tree.
    pub old: Option<Previous>,
    /// Seal of the bundle: the digest of its list.
    pub new_seal: Digest,
    /// Files of the earlier build that were removed, in order.
    pub removed_stale: Vec<BundlePath>,
    /// Files in the tree that cbgen did not make and kept, in order.
    pub foreign: Vec<String>,
}

impl Written {
    /// Seal of the build of the same version that was replaced by one of other content.
    pub fn replaced(&self, version: &str) -> Option<Digest> {
        let old = self.old.as_ref();
        let old = old.filter(|old| self.changed && old.version == version)?;
        old.seal.filter(|seal| *seal != self.new_seal)
    }
}

/// An earlier build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Its version.
    pub version: String,
    /// Its seal; `None` where its list of digests is not there any more.
    pub seal: Option<Digest>,
}

/// One way in which the output folder is not what the inventory compiles to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Path below the output folder, with forward slashes.
    pub path: String,
    /// What is different.
    pub kind: DifferenceKind,
}

/// The kinds of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// The file is not there.
    Missing,
    /// The content differs, first in this one-based line (of the review text; 0 when it is not a text).
    Changed {
        /// The first line that differs.
        line: usize,
    },
    /// The content differs in line ends only, as after a checkout that converts them.
    LineEnds,
    /// The file comes from an earlier build and is not part of this one.
    Stale,
}

/// The findings `build --check` reports about the output folder `out`, each at a path a pipeline can annotate. Line ends have
/// one cause, however many files they are of, and are told once.
pub fn findings(differences: &[Difference], out: &Path) -> Vec<Diagnostic> {
    let is_of_git = |difference: &&Difference| difference.kind == DifferenceKind::LineEnds;
    let converted: Vec<&Difference> = differences.iter().filter(is_of_git).collect();
    let others = differences.iter().filter(|difference| !is_of_git(difference));
    let mut found: Vec<Diagnostic> = others.map(|difference| difference.to_diagnostic(out)).collect();
    if let [first, rest @ ..] = converted.as_slice() {
        let more = match rest.len() {
            0 => String::new(),
            1 => ", and so has another file".to_owned(),
            count => format!(", and so have {count} others"),
        };
        let message = format!("`{}` has other line ends than cbgen writes{more}", first.path);
        found.push(
            Diagnostic::new(codes::OUTPUT_DIFFERS, message)
                .in_file(shown(&out.join(&first.path)))
                .note("git converts line ends where nothing says otherwise")
                .help(format!(
                    "write `/{}/** -text` into `.gitattributes`, then run `cbgen build`",
                    shown(out).trim_start_matches("./").trim_matches('/')
                )),
        );
    }
    found
}

impl Difference {
    fn to_diagnostic(&self, out: &Path) -> Diagnostic {
        let (message, help) = match self.kind {
            DifferenceKind::Missing => (format!("`{}` is missing", self.path), "run `cbgen build`"),
            DifferenceKind::Changed { line: 0 } => (
                format!("`{}` is not what the inventory compiles to", self.path),
                "run `cbgen build`",
            ),
            DifferenceKind::Changed { line } => (
                format!(
                    "`{}` is not what the inventory compiles to, from line {line} on",
                    self.path
                ),
                "run `cbgen build`; change the inventory or a template, never the output",
            ),
            DifferenceKind::LineEnds => (
                format!("`{}` has other line ends than cbgen writes", self.path),
                "run `cbgen build`",
            ),
            DifferenceKind::Stale => (
                format!(
                    "`{}` was made by an earlier build and is no longer generated",
                    self.path
                ),
                "run `cbgen build`, which removes it",
            ),
        };
        Diagnostic::new(codes::OUTPUT_DIFFERS, message)
            .in_file(shown(&out.join(&self.path)))
            .help(help)
    }
}

/// A bundle that is staged beside its output and only has to be committed, or one that is there already. It holds the
/// lock of its bundle, not the bundle.
#[derive(Debug)]
pub struct Prepared {
    out: PathBuf,
    name: String,
    archive: String,
    written: Written,
    lock: Lock,
}

/// Compares a bundle with the output folder and stages what is different; nothing anybody reads changes yet.
///
/// First completes or undoes an earlier write that was interrupted. Reports, and stages nothing for: an unwritable or
/// full folder (`CB0701`), a file cbgen did not make at the path of one it makes (`CB0704`), another process that
/// writes the same bundle (`CB0705`), an archive of the same name that holds another bundle (`CB0710`), something else
/// than cbgen's own at one of its hidden names, or a link in place of the output folder (`CB0711`). Warns of files of an earlier build that were edited by hand
/// and are replaced (`CB0707`), and of foreign ones that an interrupted build left and that fit nowhere (`CB0712`). Bundles of different names may be written
/// into one folder at the same time.
pub fn prepare(
    diagnostics: &mut Diagnostics,
    files: &dyn Files,
    press: &Press,
    out: &Path,
    bundle: &Bundle,
) -> Result<Prepared, Reported> {
    let place = OutputSlot::new(out, bundle.name());
    if let Some(link) = link_on_the_way(files, out) {
        return Err(diagnostics.error(led_away(&link)));
    }
    let lock = match files.make_folder(out).and_then(|()| files.lock(&place.lock())) {
        Ok(Some(lock)) => lock,
        Ok(None) => {
            return Err(diagnostics.error(
                Diagnostic::new(
                    codes::OUTPUT_BUSY,
                    format!("another cbgen is writing the bundle `{}`", bundle.name()),
                )
                .in_file(shown(&place.tree()))
                .help("wait for it to end"),
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return Err(diagnostics.error(hidden_name(&place.lock(), &error)));
        }
        Err(error) => return Err(diagnostics.error(failed(out, &error))),
    };
    Ok(Prepared {
        written: prepare_locked(diagnostics, files, press, &place, bundle)?,
        out: out.to_owned(),
        name: bundle.name().to_owned(),
        archive: bundle.archive_name(),
        lock,
    })
}

/// Puts prepared bundles in place, all of them with one wait for the disk. The answers are in the same order; an error
/// of one (`CB0701`) leaves its old output and does not stop the others.
pub fn commit(files: &dyn Files, prepared: Vec<Prepared>) -> Vec<Result<Written, Diagnostic>> {
    let changed: Vec<(OutputSlot<'_>, &str)> = prepared
        .iter()
        .filter(|one| one.written.changed)
        .map(|one| (OutputSlot::new(&one.out, &one.name), one.archive.as_str()))
        .collect();
    let mut results = if changed.is_empty() {
        Vec::new()
    } else {
        commit::commit(files, &changed)
    }
    .into_iter();
    prepared
        .into_iter()
        .map(|one| {
            let result = if one.written.changed {
                results.next().unwrap_or_else(|| Err(io::ErrorKind::Other.into()))
            } else {
                Ok(None)
            };
            // Not before everything of this bundle is done.
            drop(one.lock);
            match result {
                Ok(kept) => {
                    let mut written = one.written;
                    written.foreign.extend(kept.map(|path| shown(&path)));
                    Ok(written)
                }
                Err(error) => Err(failed(&OutputSlot::new(&one.out, &one.name).tree(), &error)),
            }
        })
        .collect()
}

/// A link in place of the output folder, or of a folder above it in the workspace: a pull request can bring one along, and
/// behind it everything would be written somewhere else. Where an absolute path leads is up to whoever types it.
fn link_on_the_way(files: &dyn Files, out: &Path) -> Option<PathBuf> {
    if out.has_root() {
        return None;
    }
    let mut way = PathBuf::new();
    out.components().find_map(|step| {
        way.push(step);
        matches!(files.kind(&way), Ok(Some(EntryKind::Link))).then(|| way.clone())
    })
}

fn led_away(link: &Path) -> Diagnostic {
    let shown = shown(link);
    let message = format!("`{shown}` is a link; cbgen follows none to the place it writes to");
    Diagnostic::new(codes::HIDDEN_NAME_TAKEN, message)
        .in_file(shown)
        .help("remove the link, or name the folder behind it by its absolute path: `--output PATH`")
}

fn prepare_locked(
    diagnostics: &mut Diagnostics,
    files: &dyn Files,
    press: &Press,
    place: &OutputSlot<'_>,
    bundle: &Bundle,
) -> Result<Written, Reported> {
    let recovery = place.recover(files).map_err(|error| {
        diagnostics.error(if error.kind() == io::ErrorKind::InvalidInput {
            hidden_name(&place.journal(), &error)
        } else {
            failed(&place.staging(), &error)
        })
    })?;
    if let Some(kept) = recovery.kept {
        diagnostics.push(left_over(&kept));
    }
    let found = survey(files, &place.tree(), bundle)
        .map_err(|error| diagnostics.error(failed(&place.tree(), &error)))?;
    let list = place.tree().join(SUMS);
    let old_list = read_if_there(files, &list, ARCHIVE_LIMIT).ok().flatten();
    let mut reported = None;
    for path in &found.blocked {
        reported = Some(diagnostics.error(in_the_way(&place.tree().join(path))));
    }
    let archive = press.write(bundle).map_err(|error| {
        let message = format!("the archive cannot be made: {error}");
        diagnostics.error(Diagnostic::new(codes::OUTPUT_FAILED, message))
    })?;
    let archive_path = place.archive(bundle);
    let old_archive = read_if_there(files, &archive_path, ARCHIVE_LIMIT)
        .map_err(|error| diagnostics.error(failed(&archive_path, &error)))?;
    let (archive, signature_goes) = keep_signature(archive, old_archive.as_deref());
    let sums = archive_sums(bundle, &archive);
    let sums_path = place.archive_sums(bundle);
    let old_sums = read_if_there(files, &sums_path, 4096)
        .map_err(|error| diagnostics.error(failed(&sums_path, &error)))?;
    let archived = old_archive.as_deref().and_then(archived_manifest);
    if old_archive.is_some() && archived.is_none() {
        let finding = in_the_way(&archive_path)
            .note("it is no archive with a manifest of cbgen in it, so nobody could make it again");
        reported = Some(diagnostics.error(finding));
    }
    if !matches!(files.kind(&sums_path), Ok(None | Some(EntryKind::File))) {
        reported = Some(diagnostics.error(in_the_way(&sums_path)));
    }
    if let Some(manifest) = &archived
        && manifest.bundle.name != bundle.name()
    {
        let message = format!(
            "`{}` holds version `{}` of the bundle `{}`",
            shown(&archive_path),
            manifest.bundle.version,
            manifest.bundle.name
        );
        let finding = Diagnostic::new(codes::ARCHIVE_TAKEN, message)
            .help("change `bundle.name` or `bundle.version` so that both archives have names of their own");
        reported = Some(diagnostics.error(finding));
    }
    if let Some(reported) = reported {
        return Err(reported);
    }
    for path in &found.edited {
        let shown = shown(&place.tree().join(path.as_str()));
        let message = format!("`{shown}` was edited by hand; the edit is replaced");
        diagnostics.push(
            Diagnostic::new(codes::EDITED_OUTPUT, message)
                .in_file(shown)
                .help("make the change in the inventory or in a template"),
        );
    }

    if signature_goes {
        let message = format!("`{}` was signed; the new one is not", shown(&archive_path));
        diagnostics.push(
            Diagnostic::new(codes::SIGNATURE_DROPPED, message)
                .in_file(shown(&archive_path))
                .help("review what changed, then sign again with `cbgen sign`"),
        );
    }
    let changed = !found.differences.is_empty()
        || old_archive.as_deref() != Some(archive.as_slice())
        || old_sums.as_deref() != Some(sums.as_bytes());
    if changed {
        let staged = Staged {
            bundle,
            archive: &archive,
            sums: &sums,
            found: &found,
        };
        if let Err(error) = place.stage(files, &staged) {
            // Space for others; what cannot be removed is hidden, and the next build removes it.
            drop(files.remove(&place.staging()));
            return Err(diagnostics.error(failed(&place.tree(), &error)));
        }
    }
    let previous = |manifest: Manifest, list: Option<Vec<u8>>| Previous {
        version: manifest.bundle.version,
        seal: list.map(|list| Digest::of(&list)),
    };
    let old = match (archived, found.manifest) {
        (Some(manifest), _) => Some(previous(manifest, old_archive.as_deref().and_then(archived_list))),
        (None, Some(manifest)) => Some(previous(manifest, old_list)),
        (None, None) => None,
    };
    Ok(Written {
        changed,
        completed: changed
            && found.differences.is_empty()
            && [(&old_archive, archive.as_slice()), (&old_sums, sums.as_bytes())]
                .iter()
                .all(|(old, new)| old.as_deref().is_none_or(|old| old == *new)),
        old,
        new_seal: bundle.seal(),
        removed_stale: found.stale,
        foreign: strangers(&found.foreign),
    })
}

/// What [`compare`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Every difference, in order of paths, the archive last.
    pub differences: Vec<Difference>,
    /// Files in the tree that cbgen did not make, in order.
    pub foreign: Vec<String>,
}

/// Compares the output folder with a bundle without writing. The archive is compared only when it is there, because it
/// is not committed. Errors are those of the file system.
pub fn compare(files: &dyn Files, press: &Press, out: &Path, bundle: &Bundle) -> io::Result<Comparison> {
    let place = OutputSlot::new(out, bundle.name());
    if let Some(link) = link_on_the_way(files, out) {
        let why = format!("`{}` is a link, which is not followed", shown(&link));
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let found = survey(files, &place.tree(), bundle)?;
    let mut differences = found.differences;
    for difference in &mut differences {
        difference.path = format!("{}/{}", bundle.name(), difference.path);
    }
    let old = read_if_there(files, &place.archive(bundle), ARCHIVE_LIMIT)?;
    let old_sums = read_if_there(files, &place.archive_sums(bundle), 4096)?;
    if old.is_some() || old_sums.is_some() {
        // One that cannot be made certainly differs from the one that stands there; `prepare` says why it cannot.
        let archive = press.write(bundle).ok();
        let archive = archive.map(|new| keep_signature(new, old.as_deref()).0);
        let sums = archive
            .as_ref()
            .map(|bytes| archive_sums(bundle, bytes).into_bytes());
        let sums_name = format!("{}.sha256", bundle.archive_name());
        for (path, old, new) in [(bundle.archive_name(), old, archive), (sums_name, old_sums, sums)] {
            if old.is_some() && old != new {
                differences.push(Difference {
                    path,
                    kind: DifferenceKind::Changed { line: 0 },
                });
            }
        }
    }
    Ok(Comparison {
        differences,
        foreign: strangers(&found.foreign),
    })
}

/// What cbgen did not make and keeps, but for a signature of the list that is there.
fn strangers(foreign: &[PathBuf]) -> Vec<String> {
    let strangers = foreign.iter().filter(|path| *path != Path::new(SIGNATURE));
    strangers.map(|path| shown(path)).collect()
}

/// The new archive with the signature of the old one, when that is all they differ in: building again changes nothing
/// that was signed. Otherwise the new archive, and whether a signature goes.
fn keep_signature(new: Vec<u8>, old: Option<&[u8]>) -> (Vec<u8>, bool) {
    let signature = old.and_then(|old| archive::read_one(old, SIGNATURE, archive::Limits::default()).ok()?);
    let Some(signature) = signature else {
        return (new, false);
    };
    match archive::with_signature(&new, &signature) {
        Ok(signed) if old == Some(signed.as_slice()) => (signed, false),
        Ok(_) | Err(_) => (new, true),
    }
}

/// Content of `NAME-VERSION.zip.sha256`.
fn archive_sums(bundle: &Bundle, archive: &[u8]) -> String {
    sums_of_archive(&bundle.archive_name(), archive)
}

fn sums_of_archive(name: &str, archive: &[u8]) -> String {
    format!("{}  {name}\n", Digest::of(archive))
}

fn archived_manifest(archive: &[u8]) -> Option<Manifest> {
    let text = archive::read_one(archive, MANIFEST, archive::Limits::default()).ok()??;
    Manifest::read(&text).ok()
}

fn archived_list(archive: &[u8]) -> Option<Vec<u8>> {
    archive::read_one(archive, SUMS, archive::Limits::default()).ok()?
}

fn read_if_there(files: &dyn Files, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    match files.read_own(path, limit) {
        // Larger than anything cbgen writes there, or no file, so certainly not equal.
        Err(error) if is_about_content(&error) => Ok(Some(Vec::new())),
        result => result,
    }
}

/// Says that the output folder is none.
pub fn no_folder(path: &Path) -> Diagnostic {
    Diagnostic::new(
        codes::OUTPUT_FAILED,
        format!(
            "`{}` is no folder: a file of this name, or of one in its path, is in the way",
            shown(path)
        ),
    )
    .in_file(shown(path))
    .help("name a folder with `-o`, or as `output` in cbgen.yaml; the bundle and its archive are made in it")
}

fn failed(path: &Path, error: &io::Error) -> Diagnostic {
    let kind = error.kind();
    let help = if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        "free some space; the output of the earlier build is unchanged"
    } else if matches!(
        kind,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    ) {
        "choose a folder you may write with `-o`"
    } else if matches!(kind, io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory) {
        return no_folder(path);
    } else {
        "the next build completes or undoes what this one began"
    };
    Diagnostic::new(
        codes::OUTPUT_FAILED,
        format!("`{}` could not be written: {error}", shown(path)),
    )
    .in_file(shown(path))
    .help(help)
}

fn hidden_name(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(codes::HIDDEN_NAME_TAKEN, error.to_string())
        .in_file(shown(path))
        .help("remove it; in an output folder, names that begin with a dot and the name of a bundle are cbgen's own")
}

fn left_over(path: &Path) -> Diagnostic {
    let shown = shown(path);
    let message = format!("`{shown}` holds files of an interrupted build that cbgen did not make");
    Diagnostic::new(codes::KEPT_BESIDE, message)
        .in_file(shown)
        .note("they have no place in the new tree: a file or link of that name, or of one of their folders, is there")
        .help("take what you need, then remove the folder")
}

fn in_the_way(path: &Path) -> Diagnostic {
    Diagnostic::new(
        codes::FOREIGN_IN_THE_WAY,
        format!("`{}` is in the way and was not made by cbgen", shown(path)),
    )
    .in_file(shown(path))
    .help("move it away, or remove it if it came from a build whose manifest is lost")
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
