//! Edits of files that belong to the vendor: a text of edits and the bytes of a file give the new bytes and a list of
//! what was done, or everything that is wrong.
//!
//! Pure: no file system, no clock. It knows texts, not inventories or findings of the compiler.

pub mod xdt;

use std::ops::Range;

/// What became of one edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A value was changed.
    Set,
    /// The file says so already.
    AlreadySo,
    /// Something was added.
    Inserted,
    /// Something was removed.
    Removed,
}

/// One edit that was done, or that the file needs no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub key: String,
    /// The line of the file.
    pub line: usize,
    /// What was said.
    pub old: Option<String>,
    /// What is said now.
    pub new: Option<String>,
    /// What was done.
    pub outcome: Outcome,
    /// The bytes of the file that are replaced; empty where something is put in.
    pub span: Range<usize>,
}

/// A file after its edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// All of it.
    pub bytes: Vec<u8>,
    /// What was done.
    pub changes: Vec<Change>,
}
