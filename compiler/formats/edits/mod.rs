//! The edit engine: what a bundle says about a vendor's file, done byte for byte.
//!
//! Edits and the bytes of a file become new bytes and a list of what was done, or everything that is wrong. Pure: texts
//! in, texts out. This module must not know files, clocks, inventories or findings of the compiler.
//!
//! [`Edits`] is the one reading of a text of edits: what lint refuses, what `diff` and `why` compare ([`Edits::items`]) and
//! what is done ([`Edits::apply`]) come from the same value.

mod ini;
mod json;
mod nearest;
mod references;
pub mod source;
mod terms;
pub mod xdt;
mod yaml;

use std::fmt;
use std::ops::Range;

use super::erlang::TermEdit;
use super::ini::IniEdit;
use super::js_references::References;
use super::json::JsonEdit;
use super::yaml_lines::YamlEdit;
use super::{FactPath, Format, FormatError, Item, erlang, js_references, yaml_lines};
use source::{Readable, Source};

/// The kinds of edits, one for each format of a vendor's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditKind {
    /// XML transforms of a .NET configuration file.
    Xdt,
    /// Values of Erlang terms.
    Terms,
    /// Settings of a YAML file.
    YamlLines,
    /// Keys of JSON objects.
    JsonKeys,
    /// `Key=Value` below `[Section]`.
    IniLines,
    /// Whole origins in a script, as a JSON list of ports.
    References,
}

impl EditKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Xdt,
        Self::Terms,
        Self::YamlLines,
        Self::JsonKeys,
        Self::IniLines,
        Self::References,
    ];

    /// The kind of edits that a text of a format is, where it is one. Whether it is meant as one is said by the effect of
    /// the artifact: a text of Erlang terms can also be a whole file.
    pub fn of(format: Format) -> Option<Self> {
        match format {
            Format::Xdt => Some(Self::Xdt),
            Format::Erlang => Some(Self::Terms),
            Format::Yaml => Some(Self::YamlLines),
            Format::Json => Some(Self::JsonKeys),
            Format::Ini => Some(Self::IniLines),
            Format::JsReferences => Some(Self::References),
            Format::Nginx
            | Format::Reg
            | Format::Sql
            | Format::Cmd
            | Format::Markdown
            | Format::Html
            | Format::PowerShell
            | Format::Text => None,
        }
    }

    /// The name on the command line: that of the format the edits are written in.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xdt => "xdt",
            Self::Terms => "erlang",
            Self::YamlLines => "yaml",
            Self::JsonKeys => "json",
            Self::IniLines => "ini",
            Self::References => "js_references",
        }
    }

    /// Which encodings the reader of the vendor's file takes.
    fn readable(self, file: &[u8]) -> Readable {
        match self {
            Self::Xdt => xdt::readable(file),
            Self::Terms => terms::readable(file),
            Self::YamlLines => yaml::READABLE,
            Self::JsonKeys => json::READABLE,
            Self::IniLines => ini::READABLE,
            Self::References => references::READABLE,
        }
    }
}

/// Edits of one vendor file, read and checked.
#[derive(Clone, Debug)]
pub enum Edits {
    /// See [`EditKind::Xdt`].
    Xdt(Box<xdt::XdtEdits>),
    /// See [`EditKind::Terms`].
    Terms(Vec<TermEdit>),
    /// See [`EditKind::YamlLines`].
    YamlLines(Vec<YamlEdit>),
    /// See [`EditKind::JsonKeys`].
    JsonKeys(Vec<JsonEdit>),
    /// See [`EditKind::IniLines`].
    IniLines(Vec<IniEdit>),
    /// See [`EditKind::References`].
    References(References),
}

impl Edits {
    /// Reads a text of edits.
    ///
    /// # Errors
    /// Every mistake of the text.
    pub fn read(kind: EditKind, text: &str) -> Result<Self, Vec<FormatError>> {
        match kind {
            EditKind::Xdt => xdt::XdtEdits::read(text).map(|edits| Self::Xdt(Box::new(edits))),
            EditKind::Terms => erlang::edits(text).map(Self::Terms),
            EditKind::YamlLines => yaml_lines::edits(text).map(Self::YamlLines),
            EditKind::JsonKeys => super::json::edits(text).map(Self::JsonKeys),
            EditKind::IniLines => super::ini::edits(text).map(Self::IniLines),
            EditKind::References => js_references::read(text).map(Self::References),
        }
    }

    /// The kind of these edits.
    pub fn kind(&self) -> EditKind {
        match self {
            Self::Xdt(_) => EditKind::Xdt,
            Self::Terms(_) => EditKind::Terms,
            Self::YamlLines(_) => EditKind::YamlLines,
            Self::JsonKeys(_) => EditKind::JsonKeys,
            Self::IniLines(_) => EditKind::IniLines,
            Self::References(_) => EditKind::References,
        }
    }

    /// What the edits say, for comparison by meaning.
    pub fn items(self) -> Vec<Item> {
        match self {
            Self::Xdt(edits) => super::xdt::said(&edits),
            Self::Terms(edits) => edits.into_iter().map(TermEdit::into_item).collect(),
            Self::YamlLines(edits) => items(edits, |edit| (edit.path(), edit.value, edit.range)),
            Self::JsonKeys(edits) => items(edits, |edit| (edit.path(), edit.value, edit.range)),
            Self::IniLines(edits) => items(edits, |edit| (edit.path(), edit.value, edit.range)),
            Self::References(references) => references.into_items(),
        }
    }

    /// Does the edits.
    ///
    /// # Errors
    /// Everything that stands against it; then nothing is done.
    pub fn apply(&self, file: &[u8]) -> Result<Edited, Vec<Refusal>> {
        let source = Source::read(file, self.kind().readable(file)).map_err(|refusal| vec![*refusal])?;
        let work = match self {
            Self::Xdt(edits) => xdt::work(edits, file, &source)?,
            Self::Terms(edits) => terms::work(edits, &source)?,
            Self::YamlLines(edits) => yaml::work(edits, &source)?,
            Self::JsonKeys(edits) => json::work(edits, &source)?,
            Self::IniLines(edits) => ini::work(edits, &source)?,
            Self::References(references) => references::work(references, &source)?,
        };
        work.finish(&source)
    }
}

fn items<E>(edits: Vec<E>, said: impl Fn(E) -> (FactPath, String, Range<usize>)) -> Vec<Item> {
    let items = edits.into_iter().map(said);
    items
        .map(|(path, value, range)| Item { path, value, range })
        .collect()
}

/// The text of a vendor's file as the engine for this kind of edits reads it, to show places in it.
///
/// # Errors
/// The encoding is not one that the reader of such files takes.
pub fn decode(kind: EditKind, file: &[u8]) -> Result<Source<'_>, Box<Refusal>> {
    Source::read(file, kind.readable(file))
}

/// What is to be done to a text: places in it are those of the text, not yet those of the file.
#[derive(Debug, Default)]
struct Work {
    splices: Vec<source::Splice>,
    changes: Vec<Change>,
    notes: Vec<Note>,
}

impl Work {
    /// What is done for each edit, or everything that stands against them: `about` says what an edit is about and where it
    /// is said, `add` what it does.
    fn of<Edit>(
        edits: &[Edit],
        about: impl Fn(&Edit) -> (FactPath, Range<usize>),
        mut add: impl FnMut(&mut Self, &Edit) -> Result<(), Refusal>,
    ) -> Result<Self, Vec<Refusal>> {
        let mut work = Self::default();
        let mut refusals = Vec::new();
        for edit in edits {
            if let Err(refusal) = add(&mut work, edit) {
                let (key, range) = about(edit);
                refusals.push(refusal.in_edits(range).looked_for(key));
            }
        }
        if refusals.is_empty() {
            Ok(work)
        } else {
            Err(refusals)
        }
    }

    /// Adds a change, and what it puts in its place unless it is there.
    fn set(&mut self, change: Change, text: String) {
        if change.outcome != Outcome::AlreadySo {
            self.splices.push(source::Splice {
                range: change.span.clone(),
                text,
            });
        }
        self.changes.push(change);
    }

    /// Turns places in the text into places in the file, and makes the new file.
    fn finish(self, source: &Source<'_>) -> Result<Edited, Vec<Refusal>> {
        let bytes = source.splice(self.splices).map_err(|refusal| vec![*refusal])?;
        let mut changes = self.changes;
        for change in &mut changes {
            change.line = source.line(change.span.start);
            change.span = source.file_range(&change.span);
        }
        let mut notes = self.notes;
        for note in &mut notes {
            if let Some(span) = &note.span {
                note.line = Some(source.line(span.start));
                note.span = Some(source.file_range(span));
            }
        }
        Ok(Edited {
            bytes,
            changes,
            notes,
        })
    }
}

/// A file after its edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The whole new file. Bytes that no edit means are those of the old one.
    pub bytes: Vec<u8>,
    /// What each edit did, in the order of the edits.
    pub changes: Vec<Change>,
    /// What a person has to look at, for example an address that a script puts together from pieces.
    pub notes: Vec<Note>,
}

impl Edited {
    /// Whether a byte of the file is another one.
    pub fn changes_anything(&self) -> bool {
        self.changes
            .iter()
            .any(|change| change.outcome != Outcome::AlreadySo)
    }
}

/// Something that was left alone and that a person has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is there, in the grammar of findings.
    pub message: String,
    /// One-based line of the file.
    pub line: Option<usize>,
    /// Where in the file.
    pub span: Option<Range<usize>>,
}

/// What one edit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What the edit is about, for example `configuration > appSettings > add[key=WSPath] > @value`.
    pub key: FactPath,
    /// One-based line of the old file.
    pub line: usize,
    /// The value before; `None` where there was none.
    pub old: Option<String>,
    /// The value behind; `None` where there is none any more.
    pub new: Option<String>,
    /// What happened.
    pub outcome: Outcome,
    /// Where in the text of the edits it is said.
    pub edit_range: Range<usize>,
    /// The bytes of the old file that were replaced; empty where something was inserted or nothing happened.
    pub span: Range<usize>,
}

/// What happened at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value was another one.
    Set,
    /// Nothing had to be done.
    AlreadySo,
    /// Something is there that was not.
    Inserted,
    /// Something that was there is gone.
    Removed,
}

impl Outcome {
    /// What happened to a value that was already the wanted one, or was not.
    fn of(is_same: bool) -> Self {
        if is_same { Self::AlreadySo } else { Self::Set }
    }
}

/// Why an edit cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind, for a stable code.
    pub kind: RefusalKind,
    /// What is wrong, in the grammar of findings: lower case, no full stop.
    pub message: String,
    /// Where in the file.
    pub file_range: Option<Range<usize>>,
    /// Where in the text of the edits.
    pub edit_range: Option<Range<usize>>,
    /// The key that was looked for.
    pub looked_for: Option<String>,
    /// The nearest key that is there.
    pub nearest: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Refusal {
    /// A refusal that says nothing but what is wrong.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            file_range: None,
            edit_range: None,
            looked_for: None,
            nearest: None,
            help: None,
        }
    }

    /// Says where in the file, if it is known.
    #[must_use]
    pub fn in_file(mut self, range: impl Into<Option<Range<usize>>>) -> Self {
        self.file_range = range.into();
        self
    }

    /// Says where in the text of the edits, if it is known.
    #[must_use]
    pub fn in_edits(mut self, range: impl Into<Option<Range<usize>>>) -> Self {
        self.edit_range = range.into();
        self
    }

    /// Says what was looked for.
    #[must_use]
    pub fn looked_for(mut self, key: impl fmt::Display) -> Self {
        self.looked_for = Some(key.to_string());
        self
    }

    /// Says which key comes nearest.
    #[must_use]
    pub fn nearest(mut self, key: Option<String>) -> Self {
        self.nearest = key;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Kinds of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// The text of the edits is not what its format allows.
    BadEdit,
    /// The file is not what its own format's reader takes.
    BadFile,
    /// The file is written in an encoding that cannot be told or is not supported.
    Encoding,
    /// What the edit is about is not there.
    Missing,
    /// What the edit is about is there more often than the edit says.
    Ambiguous,
    /// The place is there but not as the edit needs it, for example in another namespace or below a section of its own.
    Unsuitable,
    /// The value cannot be written at its place.
    Unwritable,
    /// Larger or deeper than the engine takes.
    Limit,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The new file as text, and the changes as `line outcome key: old -> new`. A second application must change
    /// nothing.
    pub(super) fn applied(kind: EditKind, edits: &str, file: &[u8]) -> (String, Vec<String>) {
        let edits = Edits::read(kind, edits).unwrap();
        let edited = edits.apply(file).unwrap();
        let again = edits.apply(&edited.bytes).unwrap();
        assert_eq!(again.bytes, edited.bytes, "the second application changes a byte");
        assert!(!again.changes_anything(), "{:?}", again.changes);
        let shown = |change: &Change| {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
            let (old, new) = (value(&change.old), value(&change.new));
            format!(
                "{} {:?} {}: {old} -> {new}",
                change.line, change.outcome, change.key
            )
        };
        (
            String::from_utf8(edited.bytes).unwrap(),
            edited.changes.iter().map(shown).collect(),
        )
    }

    /// The refusals as `kind range message (nearest key)`.
    pub(super) fn refused(kind: EditKind, edits: &str, file: &[u8]) -> Vec<String> {
        let refusals = Edits::read(kind, edits).unwrap().apply(file).unwrap_err();
        let shown = |refusal: Refusal| {
            let range = refusal.file_range.map(|range| format!(" {range:?}"));
            let near = refusal.nearest.map(|near| format!(" (nearest `{near}`)"));
            format!(
                "{:?}{} {}{}",
                refusal.kind,
                range.unwrap_or_default(),
                refusal.message,
                near.unwrap_or_default()
            )
        };
        refusals.into_iter().map(shown).collect()
    }
}
