//! Source texts and positions in them.
//!
//! Every text a diagnostic can point at (inventory files, templates, generated artifacts) is kept in one append-only
//! table. A [`Span`] is a byte range in one of them. This module must not know what the texts mean, and it never reads
//! a file: names are workspace-relative, so nothing of the building machine reaches an output.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::formats::Cut as _;

/// Identifies one text in a [`Sources`] table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A byte range in one source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text the range belongs to.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span over `range` of `file`; offsets beyond 4 GiB saturate (inputs are limited to far less).
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        Self {
            file,
            start: saturate(range.start),
            end: saturate(range.end),
        }
    }

    /// The range as `usize` offsets.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

fn saturate(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// A one-based position, as editors show it. Columns count Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// One-based line.
    pub line: usize,
    /// One-based column in Unicode scalar values.
    pub column: usize,
}

/// One text with its name and line index.
#[derive(Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    line_starts: Vec<u32>,
}

impl SourceFile {
    /// Workspace-relative name with forward slashes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset; offsets past the end give the end of the text.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self
            .line_starts
            .partition_point(|&start| start as usize <= offset)
            .max(1);
        let start = self.line_starts.get(line - 1).map_or(0, |&start| start as usize);
        Position {
            line,
            column: self.text.cut(start..offset).chars().count() + 1,
        }
    }

    /// Byte range of a one-based line without its line end, or `None` when there is no such line.
    pub fn line_range(&self, line: usize) -> Option<Range<usize>> {
        let start = *self.line_starts.get(line.checked_sub(1)?)? as usize;
        let end = self
            .line_starts
            .get(line)
            .map_or(self.text.len(), |&next| next as usize);
        let trimmed = self.text.get(start..end)?.trim_end_matches(['\n', '\r']);
        Some(start..start + trimmed.len())
    }

    /// Text of a one-based line without its line end.
    pub fn line(&self, line: usize) -> Option<&str> {
        self.text.get(self.line_range(line)?)
    }

    /// Number of lines; a final line end does not start another line.
    pub fn line_count(&self) -> usize {
        self.text.lines().count()
    }
}

/// The text of a file without a byte order mark and with LF only: what editors and checkouts add never reaches an output.
pub fn plain_text(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains("\r\n") {
        Cow::Owned(text.replace("\r\n", "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Append-only table of source texts. Cloning shares the texts.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Arc<SourceFile>>,
}

impl Sources {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under a workspace-relative name and returns its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let behind_breaks = text.match_indices('\n').map(|(at, _)| saturate(at + 1));
        let line_starts = std::iter::once(0).chain(behind_breaks).collect();
        self.files.push(Arc::new(SourceFile {
            name: name.into(),
            text,
            line_starts,
        }));
        FileId(saturate(self.files.len() - 1))
    }

    /// The text of `id`; ids of another table give `None`.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize).map(Arc::as_ref)
    }

    /// The first text with this name.
    pub fn find(&self, name: &str) -> Option<FileId> {
        self.files
            .iter()
            .position(|file| file.name == name)
            .map(|at| FileId(saturate(at)))
    }

    /// Name of the span's text and the position of its start.
    pub fn locate(&self, span: Span) -> Option<(&str, Position)> {
        let file = self.get(span.file)?;
        Some((file.name(), file.position(span.start as usize)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_line_ends_are_no_part_of_a_text() {
        assert_eq!(plain_text("\u{feff}a\r\nb\n"), "a\nb\n");
        assert_eq!(plain_text("a\rb\n"), "a\rb\n");
        assert_eq!(plain_text("a\u{feff}"), "a\u{feff}");
    }

    #[test]
    fn positions_count_characters_and_lines() {
        let mut sources = Sources::new();
        let id = sources.add("a.yaml", "äb\ncd\n");
        let file = sources.get(id).expect("just added");
        assert_eq!(file.position(2), Position { line: 1, column: 2 });
        assert_eq!(file.position(4), Position { line: 2, column: 1 });
        assert_eq!(file.position(99), Position { line: 3, column: 1 });
        assert_eq!(file.line(2), Some("cd"));
        assert_eq!(file.line(1), Some("äb"));
    }
}
