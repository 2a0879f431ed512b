//! The edit engine: what a bundle says about a vendor's file, done byte for byte.
//!
//! Edits and the bytes of a file become new bytes and a list of what was done, or everything that is wrong. Pure: texts
//! in, texts out. This module must not know files, clocks, inventories or findings of the compiler.

use std::ops::Range;

/// A file after its edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The whole new file. Bytes that no edit means are those of the old one.
    pub bytes: Vec<u8>,
    /// What each edit did, in the order of the edits.
    pub changes: Vec<Change>,
}

/// What one edit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What the edit is about, as people name it, for example `configuration > appSettings > add[WSPath]@value`.
    pub key: String,
    /// One-based line of the old file.
    pub line: usize,
    /// The value before; `None` where there was none.
    pub old: Option<String>,
    /// The value behind; `None` where there is none any more.
    pub new: Option<String>,
    /// What happened.
    pub outcome: Outcome,
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
