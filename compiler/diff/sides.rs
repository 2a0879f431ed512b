//! One side of a comparison: bundles as manifests and review texts, whatever they were stored in.
//!
//! Reading trusts nothing and hides nothing: a file that is not what its manifest says is named and compared as it is
//! found. This file must not know inventories, git or reports.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::bundle::{Bundle, MANIFEST, SIGNATURE, SUMS, archive};
use crate::codes;
use crate::contract::artifact::{Effect, Scope};
use crate::contract::digest::{Digest, sums};
use crate::contract::manifest::{Artifact, Manifest};
use crate::contract::path::BundlePath;
use crate::diag::Diagnostic;
use crate::files::{EntryKind, Files};
use crate::formats::Format;
use crate::formats::encode::{decode, deployed_form, encode};

/// Largest archive, and most that the files of one side may have together: a side is compared in memory. Ten times what
/// 10,000 servers need.
pub const LIMIT: u64 = 1 << 30;
/// Largest file of a tree.
const FILE_LIMIT: u64 = 64 << 20;

/// What a file of a bundle holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A review text.
    Text(String),
    /// Bytes that are not a text cbgen would write.
    Bytes(Vec<u8>),
    /// A file that follows from the others and is not compared in detail: its digest only.
    Derived(Digest),
    /// The manifest lists it and it is not there.
    Missing,
}

/// A bundle as it is compared.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where it was found, for messages.
    pub origin: String,
    /// Whether it was compiled just now: then every chapter of its runbook is made of what it says it is.
    pub is_compiled: bool,
    /// Its manifest.
    pub manifest: Manifest,
    /// Content of every artifact.
    pub contents: BTreeMap<BundlePath, Content>,
    /// Texts of the other forms of the runbook; of a stored bundle only.
    pub views: BTreeMap<BundlePath, String>,
    /// Files that are not what the manifest says, with what is wrong. Names as they are: a file that is no part of the
    /// bundle may have any.
    pub damage: BTreeMap<String, &'static str>,
}

/// Everything on one side.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// What was typed.
    pub label: String,
    /// The bundles, in order of names.
    pub snapshots: Vec<Snapshot>,
    /// Inventories that could not be compiled, by file name.
    pub failed: Vec<String>,
}

/// The runbook and its appendix, by their names: a file of another name is compared as what it is.
const RUNBOOKS: &[&str] = &["RUNBOOK.md", "RUNBOOK-BY-HAND.md"];

/// Whether an artifact is the runbook, in the form that is compared.
pub fn is_runbook(artifact: &Artifact) -> bool {
    is_read(artifact, Format::Markdown) && RUNBOOKS.contains(&artifact.path.as_str())
}

/// Whether an artifact says the same as the runbook in another form, and so is not compared in detail.
pub fn is_derived(artifact: &Artifact) -> bool {
    [Format::Html, Format::Json]
        .into_iter()
        .any(|format| is_read(artifact, format) && fits(artifact))
        && VIEWS.contains(&artifact.path.as_str())
}

/// The other forms of the runbook, by their names: no other file goes unshown.
const VIEWS: &[&str] = &["runbook.html", "runbook.json"];

fn is_read(artifact: &Artifact, format: Format) -> bool {
    artifact.scope == Scope::Bundle && artifact.effect == Effect::Read && artifact.format == format
}

/// Whether a file of this name can have this format. A manifest that says otherwise would have a script compared as prose, and
/// what runs would be shown as what is not worth showing. As a plain text nothing of it is left out.
fn fits(artifact: &Artifact) -> bool {
    let expected: &[Format] = match artifact.path.as_str().rsplit_once('.').map_or("", |(_, end)| end) {
        "cmd" | "bat" => &[Format::Cmd],
        "ps1" => &[Format::PowerShell],
        "sql" => &[Format::Sql],
        "reg" => &[Format::Reg],
        "html" | "htm" => &[Format::Html],
        "md" => &[Format::Markdown],
        "json" => &[Format::Json, Format::JsReferences],
        "xdt" => &[Format::Xdt],
        "yml" | "yaml" => &[Format::Yaml],
        _ => {
            return !matches!(
                artifact.format,
                Format::Html | Format::Markdown | Format::Cmd | Format::PowerShell
            );
        }
    };
    artifact.format == Format::Text || expected.contains(&artifact.format)
}

/// What is wrong with the forms of a file, when the review text is `text`: the manifest names one encoding for each format, and
/// the deployed bytes are the text in it.
fn other_form(artifact: &Artifact, text: &str) -> Option<&'static str> {
    let form = (artifact.encoding, artifact.eol);
    if form != deployed_form(artifact.format) {
        return Some("has an encoding that its format does not have");
    }
    let deployed = encode(text, form.0, form.1).map(|bytes| Digest::of(&bytes));
    (deployed != Ok(artifact.sha256)).then_some("is deployed as other bytes than its review text")
}

impl Snapshot {
    /// A bundle that was just compiled.
    pub fn of_bundle(origin: &str, bundle: &Bundle) -> Self {
        let manifest = bundle.manifest().clone();
        let contents = manifest
            .artifacts
            .iter()
            .map(|artifact| {
                let content = match bundle.files().get(&artifact.path) {
                    Some(_) if is_derived(artifact) => Content::Derived(artifact.review_sha256),
                    Some(file) => Content::Text(file.review.clone()),
                    None => Content::Missing,
                };
                (artifact.path.clone(), content)
            })
            .collect();
        Self {
            origin: origin.to_owned(),
            is_compiled: true,
            manifest,
            contents,
            views: BTreeMap::new(),
            damage: BTreeMap::new(),
        }
    }

    /// A bundle in an archive: deployed bytes, decoded to their review form.
    ///
    /// Errors: `CB0708` for a damaged archive, `CB0709` for a missing or unreadable manifest.
    pub fn of_archive(origin: &str, bytes: &[u8]) -> Result<Self, Box<Diagnostic>> {
        let limits = archive::Limits {
            total_bytes: LIMIT,
            ..archive::Limits::default()
        };
        let mut files = archive::read(bytes, limits).map_err(|errors| {
            let mut messages = errors.iter().map(ToString::to_string);
            let first = messages.next().unwrap_or_default();
            let finding = Diagnostic::new(
                codes::BAD_ARCHIVE,
                format!("`{origin}` is not a sound archive: {first}"),
            )
            .in_file(origin)
            .help("copy the archive again, and compare its digest with the `.sha256` file beside it");
            Box::new(messages.take(9).fold(finding, Diagnostic::note))
        })?;
        // Constants that are paths of a bundle.
        let text = BundlePath::parse(MANIFEST)
            .ok()
            .and_then(|path| files.remove(&path));
        let list = BundlePath::parse(SUMS).ok().and_then(|path| files.remove(&path));
        let text = text.filter(|bytes| !bytes.is_empty());
        let manifest = manifest(origin, text.as_deref())?;
        let tool = manifest.tool.clone();
        let mut snapshot = Self::gather(origin, manifest, |artifact| {
            let Some(bytes) = files.remove(&artifact.path) else {
                return (Content::Missing, Some("is missing"));
            };
            let changed = (Digest::of(&bytes) != artifact.sha256).then_some("was changed after the build");
            match decode(&bytes) {
                Ok(decoded) => {
                    let other_text = || {
                        let same = Digest::of(decoded.text.as_bytes()) == artifact.review_sha256;
                        (!same).then_some("is not the text that was reviewed")
                    };
                    let wrong = changed
                        .or_else(|| other_form(artifact, &decoded.text))
                        .or_else(other_text);
                    (Content::Text(decoded.text), wrong)
                }
                Err(_) => (
                    Content::Bytes(bytes),
                    changed.or(Some("is no text in the encoding of its format")),
                ),
            }
        });
        if let Some(tool) = tool {
            // The program has no text to compare; its digest is in the manifest, and is compared there.
            let wrong = match files.remove(&tool.path) {
                None => Some("is missing"),
                Some(bytes) => (Digest::of(&bytes) != tool.sha256).then_some("was changed after the build"),
            };
            snapshot
                .damage
                .extend(wrong.map(|wrong| (tool.path.as_str().to_owned(), wrong)));
        }
        snapshot.check_list(&text.unwrap_or_default(), list.as_deref());
        snapshot.extra(files.into_keys().map(|path| path.as_str().to_owned()));
        Ok(snapshot)
    }

    /// A bundle as the tree reviewers read.
    ///
    /// Errors: `CB0901` when the folder cannot be read or holds a link in the place of a file, `CB0709` for a missing or unreadable manifest.
    pub fn of_tree(origin: &str, files: &dyn Files, folder: &Path) -> Result<Self, Box<Diagnostic>> {
        let mut left = LIMIT;
        let mut read = |path: &str| -> io::Result<Vec<u8>> {
            only_plain_files(files, folder, path)?;
            let bytes = files.read(&folder.join(path), FILE_LIMIT)?;
            let rest = left.checked_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            left =
                rest.ok_or_else(|| io::Error::other(format!("the tree has more than {} MiB", LIMIT >> 20)))?;
            Ok(bytes)
        };
        let text = if_there(read(MANIFEST)).map_err(|error| unreadable(origin, &error))?;
        let manifest = manifest(origin, text.as_deref())?;
        let mut failed = None;
        let mut snapshot = Self::gather(origin, manifest, |artifact| {
            match if_there(read(artifact.path.as_str())) {
                Ok(Some(bytes)) => of_tree_file(bytes, artifact),
                Ok(None) => (Content::Missing, Some("is missing")),
                Err(error) => {
                    failed.get_or_insert_with(|| unreadable(&format!("{origin}/{}", artifact.path), &error));
                    (Content::Missing, None)
                }
            }
        });
        if let Some(failed) = failed {
            return Err(failed);
        }
        let list = if_there(read(SUMS)).map_err(|error| unreadable(&format!("{origin}/{SUMS}"), &error))?;
        snapshot.check_list(&text.unwrap_or_default(), list.as_deref());
        let there = files.list(folder).map_err(|error| unreadable(origin, &error))?;
        let names = there
            .into_iter()
            .filter(|entry| entry.kind != EntryKind::Folder)
            .map(|entry| entry.path.to_string_lossy().replace('\\', "/"));
        snapshot.extra(names);
        Ok(snapshot)
    }

    /// Notes files that the manifest does not list.
    fn extra(&mut self, names: impl Iterator<Item = String>) {
        for name in names {
            let own = [MANIFEST, SUMS, SIGNATURE].contains(&name.as_str());
            let listed = BundlePath::parse(&name).is_ok_and(|path| self.contents.contains_key(&path));
            if !own && !listed {
                // A stranger chose the name; it may hold what a terminal obeys.
                self.damage
                    .insert(name.escape_debug().to_string(), "is not part of the bundle");
            }
        }
    }

    /// Compares `SHA256SUMS` with what the manifest says. A checkout may have converted line ends.
    fn check_list(&mut self, manifest: &[u8], list: Option<&[u8]>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        let own = BundlePath::parse(MANIFEST).map(|path| (path, Digest::of(text(manifest).as_bytes())));
        let artifacts = self.manifest.artifacts.iter();
        let digests: BTreeMap<BundlePath, Digest> = artifacts
            .map(|artifact| (artifact.path.clone(), artifact.sha256))
            .chain(
                self.manifest
                    .tool
                    .iter()
                    .map(|tool| (tool.path.clone(), tool.sha256)),
            )
            .chain(own)
            .collect();
        let expected = sums(digests.iter().map(|(path, digest)| (path, *digest)));
        let wrong = match list {
            None => "is missing",
            Some(list) if text(list) != expected => "is not the list of these files",
            Some(_) => return,
        };
        self.damage.insert(SUMS.to_owned(), wrong);
    }

    fn gather(
        origin: &str,
        mut manifest: Manifest,
        mut read: impl FnMut(&Artifact) -> (Content, Option<&'static str>),
    ) -> Self {
        let mut contents = BTreeMap::new();
        let mut damage = BTreeMap::new();
        let mut views = BTreeMap::new();
        for artifact in &manifest.artifacts {
            let (content, wrong) = read(artifact);
            if let Some(wrong) = wrong {
                damage.insert(artifact.path.as_str().to_owned(), wrong);
            }
            let content = match content {
                Content::Text(text) if is_derived(artifact) => {
                    let digest = Digest::of(text.as_bytes());
                    views.insert(artifact.path.clone(), text);
                    Content::Derived(digest)
                }
                Content::Bytes(bytes) if is_derived(artifact) => Content::Derived(Digest::of(&bytes)),
                Content::Text(_) | Content::Bytes(_) | Content::Derived(_) | Content::Missing => content,
            };
            contents.insert(artifact.path.clone(), content);
        }
        for artifact in manifest.artifacts.iter_mut().filter(|artifact| !fits(artifact)) {
            damage.insert(
                artifact.path.as_str().to_owned(),
                "has a format that its name does not have",
            );
            artifact.format = Format::Text;
        }
        Self {
            origin: origin.to_owned(),
            is_compiled: false,
            manifest,
            contents,
            views,
            damage,
        }
    }

    /// The warnings of reading it: one for each file that is not what the manifest says.
    pub fn warnings(&self) -> impl Iterator<Item = Diagnostic> {
        self.damage.iter().map(|(path, wrong)| {
            Diagnostic::new(
                codes::CHANGED_AFTER_BUILD,
                format!("`{path}` of `{}` {wrong}", self.origin),
            )
            .in_file(self.origin.clone())
            .note("the comparison shows the file as it is")
        })
    }
}

/// What was read; `None` when there is no such file.
fn if_there(read: io::Result<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Refuses a path below a tree that leads over a link or to a special file: it could show any file of this computer, and
/// cbgen writes none.
fn only_plain_files(files: &dyn Files, folder: &Path, path: &str) -> io::Result<()> {
    let mut walked = folder.to_path_buf();
    let mut steps = path.split('/').peekable();
    while let Some(step) = steps.next() {
        walked.push(step);
        let is_last = steps.peek().is_none();
        match files.kind(&walked)? {
            Some(EntryKind::File) if is_last => {}
            Some(EntryKind::Folder) if !is_last => {}
            None => return Ok(()),
            Some(_) => {
                return Err(io::Error::other(
                    "it is a link or another special file, which no bundle has",
                ));
            }
        }
    }
    Ok(())
}

fn of_tree_file(bytes: Vec<u8>, artifact: &Artifact) -> (Content, Option<&'static str>) {
    match String::from_utf8(bytes) {
        // A checkout may convert line ends, which changes nothing.
        Ok(text) => {
            let text = if text.contains('\r') && Digest::of(text.as_bytes()) != artifact.review_sha256 {
                text.replace("\r\n", "\n")
            } else {
                text
            };
            let wrong = if Digest::of(text.as_bytes()) == artifact.review_sha256 {
                other_form(artifact, &text)
            } else {
                Some("was changed after the build")
            };
            (Content::Text(text), wrong)
        }
        Err(error) => (
            Content::Bytes(error.into_bytes()),
            Some("was changed after the build"),
        ),
    }
}

fn manifest(origin: &str, text: Option<&[u8]>) -> Result<Manifest, Box<Diagnostic>> {
    let why = match text.map(Manifest::read) {
        Some(Ok(manifest)) => return Ok(manifest),
        Some(Err(error)) => format!("the manifest of `{origin}` cannot be read: {error}"),
        None => format!("`{origin}` has no `{MANIFEST}`, so it is not a bundle"),
    };
    Err(Box::new(
        Diagnostic::new(codes::BAD_MANIFEST, why).in_file(origin).help(
            "compare bundles made by this version of cbgen, or build them again from their inventories",
        ),
    ))
}

/// The finding for something that cannot be read.
pub fn unreadable(origin: &str, error: &io::Error) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            codes::SIDE_UNREADABLE,
            format!("`{origin}` cannot be read: {error}"),
        )
        .in_file(origin)
        .help("name a bundle .zip, an `out/NAME` tree, an inventory, a folder of them, or `git:REV:PATH`"),
    )
}
