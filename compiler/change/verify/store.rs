//! The files of a bundle, in an archive or in a folder, read a piece at a time.
//!
//! What a store says about its files is what it found, safe or not; whether they belong there is decided above. This file must not know
//! manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::bundle::archive::{ArchiveError, Contents, Limits, Trouble};
use crate::codes::{self, Code};
use crate::contract::digest::{Digest, Hasher};
use crate::contract::path::BundlePath;
use crate::diag::Diagnostic;
use crate::files::{EntryKind, Files, Links, shown};

/// Where a bundle is read from.
pub(super) enum Store<'a> {
    Archive(Contents<'a>),
    Folder { files: &'a dyn Files, root: PathBuf },
}

/// Why one file could not be read.
pub(super) enum Unread {
    /// It has more bytes than it may.
    Longer,
    /// It is damaged or cannot be opened.
    Broken(Box<Diagnostic>),
}

/// The finding for trouble with an archive.
pub(super) fn archive_finding(origin: &str, error: &ArchiveError) -> Diagnostic {
    let (code, help) = archive_code(error.trouble);
    Diagnostic::new(code, error.to_string())
        .in_file(origin)
        .help(help)
}

fn archive_code(trouble: Trouble) -> (Code, &'static str) {
    match trouble {
        Trouble::NotAnArchive => (
            codes::BUNDLE_NO_ARCHIVE,
            "copy the archive again, and compare its digest with the `.sha256` file beside it",
        ),
        Trouble::TwoFaces => (
            codes::BUNDLE_TWO_FACES,
            "other programs would unpack something else than what is checked here; get the archive from where it was built",
        ),
        Trouble::UnsafeName => (
            codes::BUNDLE_UNSAFE_NAME,
            "cbgen writes no such name; do not unpack the archive, and find out who changed it",
        ),
        Trouble::NameTwice => (
            codes::BUNDLE_NAME_TWICE,
            "which of the two is unpacked depends on the program; get the bundle from where it was built",
        ),
        Trouble::Special => (
            codes::BUNDLE_SPECIAL_FILE,
            "a bundle holds plain files only; do not unpack it with a program that makes links",
        ),
        Trouble::TooLarge => (
            codes::BUNDLE_TOO_LARGE,
            "nothing was unpacked; get the bundle from where it was built",
        ),
        Trouble::Encrypted => (
            codes::BUNDLE_ENCRYPTED,
            "take the encryption off with the program that put it on, then check again",
        ),
        Trouble::Compression => (
            codes::BUNDLE_COMPRESSION,
            "pack the files again with `deflate`, which is the default of every program",
        ),
        Trouble::Content => (
            codes::BUNDLE_DAMAGED_ENTRY,
            "copy the archive again, and compare its digest with the `.sha256` file beside it",
        ),
        Trouble::Unreadable => (
            codes::BUNDLE_UNREADABLE,
            "look at the disk or the share the file lies on",
        ),
    }
}

impl<'a> Store<'a> {
    /// Opens what is at `place`; findings that do not stop the rest go to `found`.
    pub(super) fn open(
        files: &'a dyn Files,
        place: &Path,
        origin: &str,
        found: &mut Vec<Diagnostic>,
    ) -> Result<(Self, BTreeSet<BundlePath>), Box<Diagnostic>> {
        let failed = |error: io::Error| unreadable(origin, &error);
        match files.kind(place).map_err(failed)? {
            None => Err(failed(io::ErrorKind::NotFound.into())),
            Some(EntryKind::Folder) => Self::open_folder(files, place, origin, found),
            Some(EntryKind::File | EntryKind::Link | EntryKind::Other) => {
                let file = files.open(place, Links::Followed).map_err(failed)?;
                let (contents, errors) = Contents::open(file, Limits::default())
                    .map_err(|error| Box::new(archive_finding(origin, &error)))?;
                found.extend(errors.iter().map(|error| archive_finding(origin, error)));
                let names = contents.files().keys().cloned().collect();
                Ok((Self::Archive(contents), names))
            }
        }
    }

    fn open_folder(
        files: &'a dyn Files,
        root: &Path,
        origin: &str,
        found: &mut Vec<Diagnostic>,
    ) -> Result<(Self, BTreeSet<BundlePath>), Box<Diagnostic>> {
        let entries = files.list(root).map_err(|error| unreadable(origin, &error))?;
        let mut names = BTreeSet::new();
        let mut seen: BTreeMap<String, BundlePath> = BTreeMap::new();
        for entry in entries {
            // Only what is no Unicode is lost here, and that is no path of a bundle in any case.
            let name = shown(&entry.path);
            let shown = name.escape_debug();
            let refuse =
                |code, message: String, help: &str| Diagnostic::new(code, message).in_file(origin).help(help);
            match entry.kind {
                EntryKind::File | EntryKind::Folder => {}
                EntryKind::Link | EntryKind::Other => {
                    found.push(refuse(
                        codes::BUNDLE_SPECIAL_FILE,
                        format!("`{shown}` is a link or another special file"),
                        "a bundle holds plain files only; what a link leads to was not looked at",
                    ));
                    continue;
                }
            }
            let path = match BundlePath::parse(&name) {
                Ok(path) => path,
                // Below a folder with a bad name every name is bad: the folder is told, and each file.
                Err(error) => {
                    found.push(refuse(
                        codes::BUNDLE_UNSAFE_NAME,
                        format!("`{shown}`: {error}"),
                        "cbgen writes no such name; remove it, or unpack the archive again into an empty folder",
                    ));
                    continue;
                }
            };
            if let Some(other) = seen.insert(path.collision_key(), path.clone()) {
                found.push(refuse(
                    codes::BUNDLE_NAME_TWICE,
                    format!("`{path}` is one name with `{other}` on Windows"),
                    "unpack the archive again into an empty folder",
                ));
            }
            if entry.kind == EntryKind::File {
                names.insert(path);
            }
        }
        let store = Self::Folder {
            files,
            root: root.to_owned(),
        };
        Ok((store, names))
    }

    /// Reads one file of at most `limit` bytes into `sink`.
    fn read_into(&mut self, path: &BundlePath, limit: u64, sink: &mut dyn Write) -> Result<(), Unread> {
        match self {
            Self::Archive(contents) => {
                let Some(member) = contents.files().get(path) else {
                    let gone = Diagnostic::new(codes::BUNDLE_MISSING_FILE, format!("`{path}` is missing"));
                    return Err(Unread::Broken(Box::new(gone)));
                };
                if member.size > limit {
                    return Err(Unread::Longer);
                }
                contents
                    .unpack(path, sink)
                    .map_err(|error| Unread::Broken(Box::new(archive_finding("", &error))))
            }
            Self::Folder { files, root } => {
                let broken = |error: io::Error| {
                    let finding = Diagnostic::new(
                        codes::BUNDLE_UNREADABLE,
                        format!("`{path}` cannot be read: {error}"),
                    );
                    Unread::Broken(Box::new(finding))
                };
                let file = files
                    .open(&root.join(path.as_str()), Links::Refused)
                    .map_err(broken)?;
                let read =
                    io::copy(&mut io::Read::take(file, limit.saturating_add(1)), sink).map_err(broken)?;
                if read > limit { Err(Unread::Longer) } else { Ok(()) }
            }
        }
    }

    /// Digest and size of one file.
    pub(super) fn measure(&mut self, path: &BundlePath, limit: u64) -> Result<(Digest, u64), Unread> {
        let mut hasher = Hasher::default();
        self.read_into(path, limit, &mut hasher)?;
        Ok(hasher.finish())
    }

    /// Content of one file.
    pub(super) fn content(&mut self, path: &BundlePath, limit: u64) -> Result<Vec<u8>, Unread> {
        let mut content = Vec::new();
        self.read_into(path, limit, &mut content)?;
        Ok(content)
    }
}

/// The finding for a bundle that cannot be opened.
pub(super) fn unreadable(origin: &str, error: &io::Error) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            codes::BUNDLE_UNREADABLE,
            format!("`{origin}` cannot be read: {error}"),
        )
        .in_file(origin)
        .help("name the archive of a bundle, or the folder it was unpacked into"),
    )
}
