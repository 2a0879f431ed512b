//! Bytes of an input file to checked text.
//!
//! Refuses what is not plain UTF-8 text and says how to repair it. This module must not know YAML or the inventory.

use std::io;

use cbgen_formats::Cut as _;

use super::removed::{self, Removed};
use super::{MAX_INPUT_BYTES, OutsideWorkspace, ReadInput, characters};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::formats::unseen::look_alike;
use crate::source::{FileId, Sources, Span, plain_text};

/// Most characters that are removed from a text before it is read on.
const MOST_REMOVED: usize = 50;

/// A file that could be read.
pub(super) struct Text {
    /// Its entry in the table of sources.
    pub(super) id: FileId,
    /// The text without a byte order mark, with LF and without what was removed; `None` when it was refused.
    pub(super) body: Option<String>,
    /// Characters that may not be there; they were reported, and the text is read as it was meant.
    pub(super) removed: Vec<Removed>,
}

impl Text {
    fn refused(id: FileId) -> Self {
        Self {
            id,
            body: None,
            removed: Vec::new(),
        }
    }
}

/// Reads and checks one file of the inventory `main`. `origin` is the place that named it; a finding about the file as a whole points there.
pub(super) fn read(
    diagnostics: &mut Diagnostics,
    sources: &mut Sources,
    files: &dyn ReadInput,
    name: &str,
    main: &str,
    origin: Option<Span>,
) -> Option<Text> {
    let about_file = |finding: Diagnostic| finding.in_file(name).at_opt(origin);
    let bytes = match files.read_layer(name, main) {
        Ok(bytes) => bytes,
        Err(error) => {
            diagnostics.push(about_file(unreadable(name, &error)));
            return None;
        }
    };
    if bytes.len() > MAX_INPUT_BYTES {
        diagnostics.push(about_file(too_large(name)));
        return None;
    }
    if let Some(finding) = not_text(name, &bytes) {
        diagnostics.push(about_file(finding));
        return None;
    }
    // A UTF-8 byte order mark is harmless (Windows editors write it), so it is accepted and not part of the text; CRLF
    // (checkouts on Windows write it) is a line end like LF.
    let body = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let text = match std::str::from_utf8(body) {
        Ok(text) => plain_text(text).into_owned(),
        Err(error) => {
            let lossy = String::from_utf8_lossy(body).into_owned();
            let id = sources.add(name, lossy);
            let at = error.valid_up_to();
            let byte = body.get(at).expect("what is no text begins at a byte");
            // U+FFFD takes three bytes in the shown text, and stands exactly where the first bad byte is.
            diagnostics.push(
                Diagnostic::new(codes::NOT_UTF8, format!("byte 0x{byte:02X} is not UTF-8"))
                    .at(Span::new(id, at..at + 3))
                    .note("the file was probably saved in a Windows code page")
                    .help("save it as UTF-8: in Notepad \"Save as\", encoding UTF-8; or `iconv -f WINDOWS-1252 -t UTF-8`"),
            );
            return Some(Text::refused(id));
        }
    };
    let id = sources.add(name, text.as_str());
    let removed = check_characters(diagnostics, id, &text);
    if text.trim().is_empty() {
        diagnostics.push(
            about_file(Diagnostic::new(codes::INPUT_EMPTY, format!("`{name}` is empty")))
                .help("`cbgen init` writes a commented inventory to start from"),
        );
        return Some(Text::refused(id));
    }
    // With more of them it is another file than somebody meant.
    let body = match removed.len() {
        0 => Some(text),
        1..=MOST_REMOVED => Some(removed::without(&text, &removed)),
        _ => None,
    };
    Some(Text { id, body, removed })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    if error
        .get_ref()
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<OutsideWorkspace>)
    {
        return Diagnostic::new(
            codes::EXTENDS_FORM,
            format!("`{name}` is not read: `..` or a symbolic link leads out of the workspace"),
        )
        .note("a finding prints lines of the file, and a link or a path may lead to any file of this machine")
        .help("put the file into the repository of the inventory");
    }
    // `io::ErrorKind` is open for extension; the rest is shown in the words of the operating system.
    match error.kind() {
        io::ErrorKind::NotFound => Diagnostic::new(codes::UNREADABLE_FILE, format!("there is no file `{name}`"))
            .help("check the spelling; names are relative to the folder cbgen runs in, and those in `extends` to the file that says them"),
        io::ErrorKind::IsADirectory => Diagnostic::new(codes::INPUT_IS_FOLDER, format!("`{name}` is a folder"))
            .help("name the inventory file in it, for example `prod.yaml`"),
        io::ErrorKind::FileTooLarge => too_large(name),
        io::ErrorKind::PermissionDenied => {
            Diagnostic::new(codes::UNREADABLE_FILE, format!("`{name}` may not be read by this account"))
                .help("give the account that runs cbgen the right to read the file")
        }
        _ => Diagnostic::new(codes::UNREADABLE_FILE, format!("`{name}` cannot be read: {error}")),
    }
}

fn too_large(name: &str) -> Diagnostic {
    Diagnostic::new(
        codes::INPUT_TOO_LARGE,
        format!("`{name}` is larger than {} MiB", MAX_INPUT_BYTES >> 20),
    )
    .note("an inventory of 1,000 servers has about 0.2 MiB")
    .help("name the right file, or split the installation into several inventories")
}

/// Wide encodings and binary files, which would give a page of strange errors.
fn not_text(name: &str, bytes: &[u8]) -> Option<Diagnostic> {
    let head = bytes.get(..bytes.len().min(512)).unwrap_or(bytes);
    let zeros = |parity: usize| {
        head.iter()
            .skip(parity)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    let by_mark = bytes.starts_with(b"\xFF\xFE")
        || bytes.starts_with(b"\xFE\xFF")
        || bytes.starts_with(b"\0\0\xFE\xFF");
    let by_pattern = half > 1 && ((odd * 2 > half && even * 8 < half) || (even * 2 > half && odd * 8 < half));
    if by_mark || by_pattern {
        return Some(
            Diagnostic::new(codes::UTF16_INPUT, format!("`{name}` is UTF-16 or UTF-32, not UTF-8"))
                .note("PowerShell 5 writes UTF-16 with `>` and `Out-File`")
                .help("save it as UTF-8: in Notepad \"Save as\", encoding UTF-8; in PowerShell `Set-Content -Encoding UTF8`"),
        );
    }
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some(
        Diagnostic::new(
            codes::BINARY_INPUT,
            format!("`{name}` is not text: byte {} is zero", at + 1),
        )
        .help(
            "name a YAML file; a bundle is compared with `cbgen diff` and checked with its own `verify.cmd`",
        ),
    )
}

/// Reports every character that may not be in a text, at most one finding a line. Gives all of them in order.
fn check_characters(diagnostics: &mut Diagnostics, id: FileId, text: &str) -> Vec<Removed> {
    let mut removed = blanks(diagnostics, id, text);
    let mut line_reported = false;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\n' {
            line_reported = false;
            continue;
        }
        if character == '\r' && characters.peek().is_none_or(|(_, next)| *next == '\n') {
            continue;
        }
        let Some(why) = characters::forbidden_in_text(character) else {
            continue;
        };
        removed.push(Removed {
            at,
            bytes: character.len_utf8(),
            instead: None,
        });
        if line_reported {
            continue;
        }
        line_reported = true;
        let name = characters::name(character);
        diagnostics.push(
            Diagnostic::new(
                codes::FORBIDDEN_CHARACTER,
                format!("the file holds {name}, {why}"),
            )
            .at(Span::new(id, at..at + character.len_utf8()))
            .help("delete it; it is often pasted from a web page or a word processor"),
        );
    }
    removed.sort_by_key(|one| one.at);
    removed.dedup_by_key(|one| one.at);
    removed
}

/// Reports blanks and dashes of another kind where YAML needs a blank or the `-` of a list item: they look like one and are a
/// letter to YAML, which then says something strange about the lines around them. One finding a line; gives all of them.
fn blanks(diagnostics: &mut Diagnostics, id: FileId, text: &str) -> Vec<Removed> {
    let is_strange = |letter: &char| !letter.is_ascii() && letter.is_whitespace();
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        let dash = strange_dash(words).map(|dash| (indent, dash));
        let sign = dash.map_or(usize::from(words.starts_with('-')), |(_, dash)| dash.len_utf8());
        let key = words.find(':').filter(|at| {
            let key = words.cut(..*at);
            !key.contains(['\'', '"', '#', '{', '['])
        });
        let indentation = line.cut(..indent).char_indices();
        let spots = [
            Some(indent + sign).filter(|_| sign > 0),
            key.map(|at| indent + at + 1),
        ];
        let behind = spots
            .into_iter()
            .flatten()
            .filter_map(|at| Some((at, line.get(at..)?.chars().next()?)));
        let strange = indentation.chain(behind).filter(|(_, letter)| is_strange(letter));
        for (index, (at, letter)) in strange.chain(dash).enumerate() {
            let is_blank = letter.is_whitespace();
            found.push(Removed {
                at: start + at,
                bytes: letter.len_utf8(),
                instead: Some(if is_blank { b' ' } else { b'-' }),
            });
            if index > 0 {
                continue;
            }
            let name = characters::name(letter);
            let (what, wanted) = if is_blank {
                ("no blank", "a blank")
            } else {
                ("no sign of a list item", "`-`")
            };
            diagnostics.push(
                Diagnostic::new(
                    codes::FORBIDDEN_CHARACTER,
                    format!("here stands {name}, which is {what} to YAML"),
                )
                .at(Span::new(id, start + at..start + at + letter.len_utf8()))
                .help(format!(
                    "write {wanted} in its place; it is often pasted from a web page or a word processor"
                )),
            );
        }
        start += line.len();
    }
    found
}

/// A dash that looks like the `-` of a list item and is none, when a key follows it: `– name: MGMT01`.
fn strange_dash(words: &str) -> Option<char> {
    let dash = words.chars().next()?;
    let rest = words.get(dash.len_utf8()..)?;
    let key = rest.trim_start().split(':').next()?;
    let is_key = rest.contains(": ") || rest.trim_end().ends_with(':');
    let is_name = !key.is_empty()
        && key
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_');
    let is_dash = look_alike(dash).is_some_and(|like| like.like == '-');
    (is_dash && rest.starts_with(char::is_whitespace) && is_key && is_name).then_some(dash)
}
