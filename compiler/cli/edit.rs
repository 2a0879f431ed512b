//! `cbgen edit`: one text of edits, done on one file.
//!
//! Prints the difference, and writes the new file only where it is told to. What the edits do is decided by
//! `formats::edits`; how it looks by `edit`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::codes;
use crate::contract::manifest::Manifest;
use crate::diag::{Diagnostic, Diagnostics, one_of};
use crate::edit::{Places, Report, kind_by_name, mistakes, notes, refusals, secret_lines, unified};
use crate::files::{DiskFiles, EntryKind, Files};
use crate::formats::edits::source::MAX_FILE_BYTES;
use crate::formats::edits::{EditKind, Edited, Edits, decode};
use crate::source::Sources;

use super::answers;
use super::args::{Edit, EditFormat};
use super::exit::Exit;
use super::session::Session;
use super::workshop::shown;

/// Largest text of edits.
const MAX_EDIT_BYTES: u64 = 4 << 20;

/// Standard input, as it is named on the command line and in messages.
const INPUT: (&str, &str) = ("-", "standard input");

/// How far above a text of edits its manifest may lie.
const MANIFEST_LEVELS: usize = 8;

/// Does the edits: status 0 when nothing changes, 1 when something does, 2 when they are refused.
pub(super) fn run(session: &mut Session, arguments: &Edit) {
    let files = DiskFiles::new("");
    let Some(edited) = edit(session, &files, arguments) else {
        session.raise(Exit::Failure);
        return;
    };
    if let Some(output) = &arguments.output
        && let Err(error) = write(&files, &arguments.file, output, &edited.bytes)
    {
        let name = shown(output);
        let finding = Diagnostic::new(
            codes::OUTPUT_FAILED,
            format!("`{name}` cannot be written: {error}"),
        );
        session.report_alone(finding.in_file(name));
        session.raise(Exit::Failure);
        return;
    }
    if edited.changes_anything() {
        session.raise(Exit::Findings);
    }
}

/// What was done and printed; `None` when it was refused, which was printed too.
fn edit(session: &mut Session, files: &DiskFiles, arguments: &Edit) -> Option<Edited> {
    let is_input = arguments.file.as_os_str() == INPUT.0;
    let file_name = if is_input {
        INPUT.1.to_owned()
    } else {
        shown(&arguments.file)
    };
    let edits_name = shown(&arguments.edits);
    let (text, bytes, kind) = match inputs(files, arguments, is_input) {
        Ok(inputs) => inputs,
        Err(finding) => {
            session.report_alone(*finding);
            return None;
        }
    };
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let decoded = decode(kind, &bytes);
    let source = decoded.as_ref().ok();
    let places = Places::add(&mut sources, (&file_name, source), (&edits_name, &text));
    let edited = match Edits::read(kind, &text) {
        Err(errors) => {
            mistakes(&mut diagnostics, &places, errors);
            None
        }
        Ok(edits) => match edits.apply(&bytes) {
            Ok(edited) => Some(edited),
            Err(refused) => {
                refusals(&mut diagnostics, &places, (&file_name, source), refused);
                None
            }
        },
    };
    if let (Some(edited), Some(source)) = (&edited, source) {
        notes(&mut diagnostics, &places, &file_name, source, edited);
        let report = Report::new(&file_name, &edits_name, kind, edited);
        match arguments.format {
            EditFormat::Json => {
                session.print(&answers::json(&report));
            }
            EditFormat::Text => {
                let after = decode(kind, &edited.bytes);
                let after = after.as_ref().map_or("", |after| after.text());
                let secret = secret_lines(source, edited);
                session.print(&unified(&file_name, source.text(), after, &secret));
            }
        }
        session.report(&file_name, &sources, &diagnostics);
        if session.is_for_people() {
            session.note(&format!("{}\n", report.sentence()));
        }
        return Some(edited.clone());
    }
    session.report(&file_name, &sources, &diagnostics);
    None
}

/// The text of the edits, the file, and the kind of the edits.
fn inputs(
    files: &DiskFiles,
    arguments: &Edit,
    is_input: bool,
) -> Result<(String, Vec<u8>, EditKind), Box<Diagnostic>> {
    let text = read_edits(files, &arguments.edits)?;
    let bytes = if is_input {
        read_input()?
    } else {
        read(files, &arguments.file, MAX_FILE_BYTES as u64)?
    };
    let edits_name = shown(&arguments.edits);
    let kind = arguments.kind.map(EditKind::from);
    let kind = kind
        .or_else(|| kind_by_manifest(files, &arguments.edits))
        .or_else(|| kind_by_name(&edits_name, &shown(&arguments.file)));
    let kind = kind.ok_or_else(|| {
        let names: Vec<&str> = EditKind::ALL.iter().map(|kind| kind.name()).collect();
        let message = "the name does not tell which format these edits have";
        Diagnostic::new(codes::EDIT_FORMAT_UNKNOWN, message)
            .in_file(edits_name)
            .help(format!("say it with `--as`, which takes {}", one_of(names)))
    })?;
    Ok((text, bytes, kind))
}

fn read_edits(files: &DiskFiles, path: &Path) -> Result<String, Box<Diagnostic>> {
    let bytes = read(files, path, MAX_EDIT_BYTES)?;
    // What a bundle deploys has the line ends, and perhaps the mark, of Windows.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("the edits are not UTF-8 from byte {} on", error.valid_up_to());
        Diagnostic::new(codes::BAD_EDIT, message).in_file(shown(path))
    })?;
    Ok(text.replace("\r\n", "\n"))
}

fn read(files: &DiskFiles, path: &Path, limit: u64) -> Result<Vec<u8>, Box<Diagnostic>> {
    let name = shown(path);
    let (code, message) = match files.kind(path) {
        Ok(Some(EntryKind::Folder)) => (codes::INPUT_IS_FOLDER, format!("`{name}` is a folder")),
        _ => match files.read(path, limit) {
            Ok(bytes) => return Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => (
                codes::INPUT_TOO_LARGE,
                format!("the file has more than {limit} bytes"),
            ),
            Err(error) => (
                codes::UNREADABLE_FILE,
                format!("the file cannot be read: {error}"),
            ),
        },
    };
    Err(Box::new(Diagnostic::new(code, message).in_file(name)))
}

fn read_input() -> Result<Vec<u8>, Box<Diagnostic>> {
    let mut bytes = Vec::new();
    // One byte more than is edited, so that the engine says what is too large.
    let mut input = std::io::stdin().lock().take(MAX_FILE_BYTES as u64 + 1);
    input.read_to_end(&mut bytes).map_err(|error| {
        let message = format!("the file cannot be read: {error}");
        Diagnostic::new(codes::UNREADABLE_FILE, message).in_file(INPUT.1)
    })?;
    Ok(bytes)
}

/// The kind that the manifest of the bundle says, where the edits lie in the tree of one.
fn kind_by_manifest(files: &DiskFiles, edits: &Path) -> Option<EditKind> {
    for folder in edits.ancestors().skip(1).take(MANIFEST_LEVELS) {
        let Ok(bytes) = files.read(&folder.join("manifest.json"), MAX_FILE_BYTES as u64) else {
            continue;
        };
        let manifest = Manifest::read(&bytes).ok()?;
        let path = shown(edits.strip_prefix(folder).ok()?);
        let artifact = manifest
            .artifacts
            .iter()
            .find(|artifact| artifact.path.as_str() == path)?;
        return artifact
            .effect
            .edits()
            .then(|| EditKind::of(artifact.format))
            .flatten();
    }
    None
}

/// Writes beside the target and renames, so that nobody ever reads half a file. A file that is there keeps its rights.
fn write(files: &DiskFiles, file: &Path, output: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let there = files.kind(output)?;
    match there {
        None | Some(EntryKind::File) => {}
        Some(EntryKind::Folder) => return Err(std::io::ErrorKind::IsADirectory.into()),
        // Replaced, a link would leave what it names unedited, and a device would be gone.
        Some(EntryKind::Link) => {
            return Err(std::io::Error::other("it is a link; name the file it leads to"));
        }
        Some(EntryKind::Other) => return Err(std::io::Error::other("it is no ordinary file")),
    }
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(format!(".cbgen-{}", std::process::id()));
    let folder: PathBuf = output.with_file_name(name);
    let staged = folder.join("file");
    let written = files
        .write(&staged, bytes)
        .and_then(|()| match there {
            // A copy of a file that few may read is for no more.
            None if files.kind(file)? == Some(EntryKind::File) => files.copy_rights(file, &staged),
            _ => Ok(()),
        })
        .and_then(|()| files.sync(std::slice::from_ref(&folder)))
        .and_then(|()| match there {
            Some(EntryKind::File) => files.replace(output, &staged, &folder.join("old")),
            _ => files.rename(&staged, output),
        });
    let removed = files.remove(&folder);
    written.and(removed)
}
