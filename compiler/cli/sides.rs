//! A side of a comparison: a bundle, a tree, an inventory, a folder of them, or one of these in git.
//!
//! This file finds out what was named, and reads or compiles it. It must not compare.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::codes::{self, Meaning};
use crate::diag::{Diagnostic, Diagnostics, one_of};
use crate::diff::sides::{LIMIT, unreadable};
use crate::diff::{Side, Snapshot};
use crate::driver::Compiler;
use crate::files::{DiskFiles, EntryKind, Files, MemoryFiles};
use crate::inventory::workspace::Workspace;
use crate::inventory::{MAX_INPUT_BYTES, ReadInput};
use crate::source::Sources;

use super::exit::Exit;
use super::folder::{has_extension, inventories};
use super::git::{GitProgram, Revision};
use super::parallel::for_each_in_order;
use super::session::Session;
use super::workshop::{Workshop, in_run, plain, shown};

/// Whether two sides are one thing under two names. Two revisions may be the same commit: a pipeline compares a branch
/// with its base, whether or not it has a commit of its own.
pub(super) fn is_same(old: &str, new: &str) -> bool {
    if normal(old) == normal(new) {
        return true;
    }
    // On the disk links and `..` are followed, as reading does.
    let place = |label: &str| match split_git(label) {
        Some(_) => None,
        None => DiskFiles::new(label.replace('\\', "/")).folder().ok(),
    };
    matches!((place(old), place(new)), (Some(old), Some(new)) if old == new)
}

/// A name without what does not change its meaning.
fn normal(label: &str) -> String {
    let (git, path) = match split_git(label) {
        Some((revision, path)) => (format!("git:{revision}:"), path),
        None => (String::new(), label),
    };
    let path = path.replace('\\', "/");
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/').filter(|step| !matches!(*step, "" | ".")) {
        // A revision has no links to folders, so there `..` takes back the step before it.
        if step == ".." && !git.is_empty() && steps.last().is_some_and(|last| *last != "..") {
            steps.pop();
        } else {
            steps.push(step);
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{git}{root}{}", steps.join("/"))
}

/// `git:REV:PATH` as revision and path; a revision holds no colon.
fn split_git(label: &str) -> Option<(&str, &str)> {
    let rest = label.strip_prefix("git:")?;
    Some(rest.split_once(':').unwrap_or((rest, "")))
}

/// Where the files of a side are, and what compiles its inventories.
struct SideFiles {
    files: Box<dyn Files>,
    /// Path in `files`; empty for the whole.
    path: String,
    /// What stands before a path in messages.
    prefix: String,
    /// The compiler with the templates of a revision, when templates were asked for.
    compiler: Option<Compiler>,
    /// Whether links and `..` could lead anywhere: on the disk, not in a revision.
    is_disk: bool,
}

/// One thing to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Comparand {
    Archive(String),
    Tree(String),
    Inventory(String),
}

impl Comparand {
    fn path(&self) -> &str {
        match self {
            Self::Archive(path) | Self::Tree(path) | Self::Inventory(path) => path,
        }
    }
}

/// What became of one of them.
enum Fetched {
    Read(Box<Snapshot>),
    Unreadable(Box<Diagnostic>),
    NotCompiled(Sources, Diagnostics),
}

/// Reads or compiles one side. `None` when it cannot be compared; what is wrong with it is told then.
pub(super) fn read(
    session: &mut Session,
    workshop: &Workshop,
    label: &str,
    overlay: Option<&Path>,
) -> Option<Side> {
    let mut failed = |finding| {
        session.fail(finding);
        None
    };
    let place = match split_git(label) {
        Some((revision, path)) => match of_git(label, revision, path, overlay) {
            Ok(place) => place,
            Err(Refused::Finding(finding)) => return failed(*finding),
            Err(Refused::Templates(sources, diagnostics)) => {
                session.report(&format!("the templates of {label}"), &sources, &diagnostics);
                session.raise(Exit::Findings);
                return None;
            }
        },
        None => SideFiles {
            files: Box::new(DiskFiles::new("")),
            path: label.replace('\\', "/"),
            prefix: String::new(),
            compiler: None,
            is_disk: true,
        },
    };
    let items = match items(&place, label) {
        Ok(items) => items,
        Err(finding) => return failed(*finding),
    };
    let compiler = place.compiler.as_ref().unwrap_or(&workshop.compiler);
    let mut side = Side {
        label: shown(Path::new(label)),
        ..Side::default()
    };
    let mut broken = false;
    for_each_in_order(
        items.len(),
        1,
        |indices| {
            let read = |index| items.get(index).map(|item| read_item(&place, compiler, item));
            indices.map(read).collect()
        },
        |index, outcome| {
            let Some(item) = items.get(index) else { return };
            let origin = format!("{}{}", place.prefix, item.path());
            match outcome {
                Some(Fetched::Read(snapshot)) => {
                    snapshot
                        .warnings()
                        .for_each(|warning| session.report_alone(warning));
                    side.snapshots.push(*snapshot);
                }
                Some(Fetched::Unreadable(finding)) => {
                    broken = true;
                    session.fail(*finding);
                }
                Some(Fetched::NotCompiled(sources, diagnostics)) => {
                    session.report(&origin, &sources, &diagnostics);
                    // A side that gave no text could not be read, which is more than a mistake in it.
                    let unread = |finding: &Diagnostic| finding.code.meaning() != Meaning::Finding;
                    session.raise(if diagnostics.iter().any(unread) {
                        Exit::Failure
                    } else {
                        Exit::Findings
                    });
                    side.failed.push(origin);
                }
                None => {}
            }
        },
    );
    if let Some(finding) = same_name(&side) {
        session.fail(finding);
        return None;
    }
    (!broken && !side.snapshots.is_empty()).then_some(side)
}

/// Bundles are matched by name, so a side may have each name once.
fn same_name(side: &Side) -> Option<Diagnostic> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for snapshot in &side.snapshots {
        let name = &snapshot.manifest.bundle.name;
        if let Some(other) = seen.insert(name, &snapshot.origin) {
            let message = format!("`{other}` and `{}` are both the bundle `{name}`", snapshot.origin);
            return Some(
                Diagnostic::new(codes::SIDE_HOLDS_NAME_TWICE, message)
                    .in_file(snapshot.origin.clone())
                    .help("compare folders that hold one version of each bundle"),
            );
        }
    }
    None
}

/// Why a revision cannot be used.
enum Refused {
    Finding(Box<Diagnostic>),
    Templates(Sources, Diagnostics),
}

fn of_git(label: &str, revision: &str, path: &str, overlay: Option<&Path>) -> Result<SideFiles, Refused> {
    let refused = |why: String| {
        Refused::Finding(Box::new(
            Diagnostic::new(codes::GIT_FAILED, format!("`{label}` cannot be read: {why}"))
                .in_file(label)
                .help("write `git:REV:PATH` with a path relative to this folder; `git log --oneline` lists revisions"),
        ))
    };
    let path = match split_git(&normal(label)) {
        Some((_, normal)) => normal.to_owned(),
        None => path.to_owned(),
    };
    if path.starts_with('/') || path.split('/').any(|step| step == "..") {
        return Err(refused("the path leaves this folder".into()));
    }
    let below = |name: &str, folder: &str| {
        folder.is_empty()
            || name
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    // What a folder on the disk would have shown as an inventory or an archive must not be missing without a word.
    let wanted = |name: &str| {
        let directly = match path.as_str() {
            "" => Some(name),
            folder => name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
        };
        name == path
            || directly
                .is_some_and(|rest| !rest.contains('/') && has_extension(rest, &["yaml", "yml", "zip"]))
    };
    // The templates of the same revision; a folder elsewhere is the same for both sides.
    let overlay = overlay
        .filter(|folder| folder.is_relative())
        .map(|folder| normal(&shown(folder)));
    let overlay = overlay.filter(|folder| !folder.starts_with(".."));
    // Layers may be anywhere, so every YAML file is at hand.
    let is_yaml = |name: &str| has_extension(name, &["yaml", "yml"]);
    let needed = |name: &str| {
        name == path
            || below(name, &path)
            || is_yaml(name)
            || overlay.as_deref().is_some_and(|folder| below(name, folder))
    };
    let tree = Revision::open(&GitProgram, revision, &needed).map_err(refused)?;
    if let Some((name, why)) = tree.unusable().find(|(name, _)| wanted(name)) {
        return Err(refused(format!("`{name}` in it: {why}")));
    }
    if !tree.names().any(|name| name == path || below(name, &path)) {
        return Err(refused(format!("there is no `{path}` in that revision")));
    }
    let files = tree.files().map_err(refused)?;
    let compiler = match overlay {
        Some(folder) => Some(compiler_of(&files, &folder)?),
        None => None,
    };
    Ok(SideFiles {
        files: Box::new(files),
        path,
        prefix: format!("git:{revision}:"),
        compiler,
        is_disk: false,
    })
}

/// The compiler with the templates of a revision; a folder that was not there yet changes nothing.
fn compiler_of(files: &MemoryFiles, folder: &str) -> Result<Compiler, Refused> {
    let there = matches!(files.kind(Path::new(folder)), Ok(Some(EntryKind::Folder)));
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    Compiler::new(
        &mut sources,
        &mut diagnostics,
        files,
        there.then_some(Path::new(folder)),
    )
    .map_err(|_| Refused::Templates(sources, diagnostics))
}

/// What a path names: one thing, or everything of a folder.
fn items(place: &SideFiles, label: &str) -> Result<Vec<Comparand>, Box<Diagnostic>> {
    let path = Path::new(&place.path);
    let kind = if place.path.is_empty() {
        Some(EntryKind::Folder)
    } else {
        place
            .files
            .kind(path)
            .map_err(|error| unreadable(label, &error))?
    };
    match kind {
        None => Err(unreadable(
            label,
            &io::Error::other("there is no such file or folder"),
        )),
        Some(EntryKind::Folder) => folder_items(place, label),
        Some(EntryKind::File | EntryKind::Link | EntryKind::Other)
            if has_extension(&place.path, &["zip"]) =>
        {
            Ok(vec![Comparand::Archive(place.path.clone())])
        }
        // A link to a folder reads as one. What stops the look into it stops the reading of a tree as well.
        Some(EntryKind::Link)
            if !matches!(place.files.kind(&path.join(crate::bundle::MANIFEST)), Ok(None)) =>
        {
            Ok(vec![Comparand::Tree(place.path.clone())])
        }
        Some(EntryKind::File | EntryKind::Link | EntryKind::Other) => {
            Ok(vec![Comparand::Inventory(place.path.clone())])
        }
    }
}

fn folder_items(place: &SideFiles, label: &str) -> Result<Vec<Comparand>, Box<Diagnostic>> {
    let folder = PathBuf::from(&place.path);
    let found = things_in(place, label, &folder)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let finding = Diagnostic::new(
        codes::NOTHING_TO_COMPARE,
        format!("`{label}` holds no bundle and no inventory"),
    )
    .in_file(label)
    .note(
        "in a folder, a YAML file with `bundle` or `servers` of its own is an inventory; others are layers",
    );
    // The usual mistake is one step: the root of a repository in place of the folder with the inventories.
    let entries = place
        .files
        .children(&folder)
        .map_err(|error| unreadable(label, &error))?;
    let below: Vec<String> = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::Folder)
        .map(|entry| folder.join(&entry.path))
        // A folder this account may not look into is no hint; the finding stands without it.
        .filter(|below| things_in(place, label, below).is_ok_and(|things| !things.is_empty()))
        .map(|below| format!("{}{}", place.prefix, shown(&plain(&below))))
        .collect();
    let below = one_of(below.iter().map(String::as_str));
    Err(Box::new(if below.is_empty() {
        finding.help("name a folder with trees, archives or inventories directly in it")
    } else {
        finding.help(format!(
            "name a folder with trees, archives or inventories directly in it: {below}"
        ))
    }))
}

/// What a folder holds directly: trees, else archives, else inventories.
fn things_in(place: &SideFiles, label: &str, folder: &Path) -> Result<Vec<Comparand>, Box<Diagnostic>> {
    let files = place.files.as_ref();
    let has_manifest = |folder: &Path| {
        let manifest = folder.join(crate::bundle::MANIFEST);
        let kind = files.kind(&manifest);
        kind.map_err(|error| unreadable(&format!("{}{}", place.prefix, shown(&manifest)), &error))
    };
    if matches!(has_manifest(folder)?, Some(EntryKind::File)) {
        return Ok(vec![Comparand::Tree(shown(folder))]);
    }
    let entries = files
        .children(folder)
        .map_err(|error| unreadable(label, &error))?;
    let (mut trees, mut archives, mut of_yaml) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let path = folder.join(&entry.path);
        let name = shown(&path);
        match entry.kind {
            EntryKind::Folder => {
                if matches!(has_manifest(&path)?, Some(EntryKind::File | EntryKind::Link)) {
                    trees.push(Comparand::Tree(name));
                }
            }
            EntryKind::File | EntryKind::Link if has_extension(&name, &["zip"]) => {
                archives.push(Comparand::Archive(name));
            }
            EntryKind::File | EntryKind::Link if has_extension(&name, &["yaml", "yml"]) => of_yaml.push(path),
            EntryKind::File | EntryKind::Link | EntryKind::Other => {}
        }
    }
    // An output folder holds each bundle as a tree and as an archive.
    let inventories = if trees.is_empty() && archives.is_empty() {
        let of_folder = inventories(files, of_yaml);
        of_folder
            .iter()
            .map(|path| Comparand::Inventory(shown(path)))
            .collect()
    } else {
        Vec::new()
    };
    let found = [trees, archives, inventories]
        .into_iter()
        .find(|found| !found.is_empty());
    Ok(found.unwrap_or_default())
}

/// Inventories and their layers in a revision, where nothing leads out.
struct Shelf<'a>(&'a dyn Files);

impl ReadInput for Shelf<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.read(
            Path::new(path),
            u64::try_from(MAX_INPUT_BYTES).unwrap_or(u64::MAX),
        )
    }
}

fn read_item(place: &SideFiles, compiler: &Compiler, item: &Comparand) -> Fetched {
    let origin = format!("{}{}", place.prefix, item.path());
    let files = place.files.as_ref();
    let read = match item {
        Comparand::Archive(path) => files
            .read(Path::new(path), LIMIT)
            .map_err(|error| unreadable(&origin, &error))
            .and_then(|bytes| Snapshot::of_archive(&origin, &bytes)),
        Comparand::Tree(path) => Snapshot::of_tree(&origin, files, Path::new(path)),
        Comparand::Inventory(path) => {
            let (shelf, disk) = (Shelf(files), Workspace::new(Path::new("")));
            let shelf: &dyn ReadInput = if place.is_disk { &disk } else { &shelf };
            let (bundle, sources, diagnostics) =
                in_run(compiler.sources(), |run| compiler.compile(run, shelf, path));
            return match bundle {
                // Warnings are part of the manifest, and so of the report.
                Ok(bundle) if !diagnostics.has_errors() => {
                    Fetched::Read(Box::new(Snapshot::of_bundle(&origin, &bundle)))
                }
                _ => Fetched::NotCompiled(sources, diagnostics),
            };
        }
    };
    match read {
        Ok(snapshot) => Fetched::Read(Box::new(snapshot)),
        Err(finding) => Fetched::Unreadable(finding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sides() {
        let check = |label: &str| normal(label);
        assert_eq!(check("./out//acme/"), "out/acme");
        assert_eq!(check("/tmp/x/"), "/tmp/x");
        assert_eq!(check("git:main:./inventories/"), "git:main:inventories");
        assert_eq!(check("git:main:a/../b/."), "git:main:b");
        assert_eq!(check("git:main:a/../../b"), "git:main:../b");
        assert_eq!(check("git:main:."), check("git:main"));
        // A link may lead anywhere.
        assert_eq!(check("a/../b"), "a/../b");
        assert_eq!(split_git("git:v1:a:b.yaml"), Some(("v1", "a:b.yaml")));
        assert_eq!(split_git("git:v1"), Some(("v1", "")));
        assert_eq!(split_git("C:\\x.yaml"), None);
    }
}
