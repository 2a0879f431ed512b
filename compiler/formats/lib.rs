//! Output formats: how a value is written into a text of each format, and how such a text is read back.
//!
//! Each format has its own file with its quoting functions and its strict reader side by side. Formats know text, not
//! inventories: they take `&str`, return values or [`FormatError`]s with byte ranges, and must not import diagnostics,
//! sources or anything above this layer.

pub mod characters;
pub mod cmd;
mod cut;
pub mod edits;
pub mod encode;
pub mod erlang;
pub mod html;
pub mod ini;
pub mod js_references;
pub mod json;
pub mod markdown;
pub mod markdown_blocks;
pub mod nginx;
mod path;
pub mod power_shell;
pub mod prose;
pub mod reg;
pub mod sql;
pub mod text;
#[cfg(test)]
mod told;
pub mod unseen;
pub mod uri;
pub mod xdt;
pub mod xml;
pub mod yaml_lines;

use std::fmt;
use std::ops::Range;

pub use cut::Cut;
use edits::{EditKind, Edits};
pub use path::{FactPath, Form, Step};

/// A format an artifact can have. A new variant breaks every match on purpose.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// nginx configuration.
    Nginx,
    /// XML document transform for a .NET configuration file.
    Xdt,
    /// Erlang terms, as `file:consult/1` reads them.
    Erlang,
    /// RFC 8259 JSON.
    Json,
    /// A line-oriented subset of YAML.
    Yaml,
    /// INI file such as a Windows `.url` shortcut.
    Ini,
    /// JSON list of reference rewrites for a vendor script.
    JsReferences,
    /// Windows registry file, version 5.00.
    Reg,
    /// T-SQL script for sqlcmd.
    Sql,
    /// Windows batch script.
    Cmd,
    /// Markdown for people.
    Markdown,
    /// Self-contained HTML page.
    Html,
    /// PowerShell script.
    PowerShell,
    /// Plain text.
    Text,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Self] = &[
        Self::Nginx,
        Self::Xdt,
        Self::Erlang,
        Self::Json,
        Self::Yaml,
        Self::Ini,
        Self::JsReferences,
        Self::Reg,
        Self::Sql,
        Self::Cmd,
        Self::Markdown,
        Self::Html,
        Self::PowerShell,
        Self::Text,
    ];

    /// The name used in front matter and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Xdt => "xdt",
            Self::Erlang => "erlang",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Ini => "ini",
            Self::JsReferences => "js_references",
            Self::Reg => "reg",
            Self::Sql => "sql",
            Self::Cmd => "cmd",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::PowerShell => "power_shell",
            Self::Text => "text",
        }
    }
}

/// How the text of an artifact is read. A list of Erlang terms, or a JSON object, may be a whole file or say what to change
/// in one; the effect of the artifact says which, never its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// A whole file of this format.
    Whole(Format),
    /// Edits of a vendor's file.
    Edits(EditKind),
}

impl Reading {
    /// How a text of a format is read that is meant as edits, or as a whole file. A transform is a document of its own
    /// format, read under review: see [`xdt`].
    pub fn of(format: Format, is_edits: bool) -> Self {
        match EditKind::of(format) {
            Some(kind) if is_edits && kind != EditKind::Xdt => Self::Edits(kind),
            _ => Self::Whole(format),
        }
    }

    /// Every way to read a text.
    pub fn all() -> impl Iterator<Item = Self> {
        let edits = EditKind::ALL.iter().copied().map(Self::Edits);
        Format::ALL.iter().copied().map(Self::Whole).chain(edits)
    }
}

impl From<Format> for Reading {
    fn from(format: Format) -> Self {
        Self::Whole(format)
    }
}

/// One fact a text states: the unit in which two texts of a format are compared by meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What the fact is about, readable and unique within its text where the format allows it, for example
    /// `http > server 443 > location /auth/ > proxy_pass` or `HKEY_LOCAL_MACHINE\\SOFTWARE\\X > Name`.
    pub path: FactPath,
    /// What the text says about it, normalized so that layout does not matter.
    pub value: String,
    /// The bytes that state it.
    pub range: Range<usize>,
}

/// Where a reader puts the items it finds. Making them is a large part of its work, so it is left out where only
/// mistakes are asked for.
#[derive(Debug, Default)]
pub struct Collector {
    kept: Option<Vec<Item>>,
}

impl Collector {
    /// Keeps every item.
    fn items() -> Self {
        Self {
            kept: Some(Vec::new()),
        }
    }

    /// Keeps none.
    fn nothing() -> Self {
        Self::default()
    }

    /// Adds the item that `make` makes, if items are kept.
    fn add(&mut self, make: impl FnOnce() -> Item) {
        if let Some(kept) = &mut self.kept {
            kept.push(make());
        }
    }

    /// What was kept, unless there are mistakes.
    fn finish(self, errors: Vec<FormatError>) -> Result<Vec<Item>, Vec<FormatError>> {
        if errors.is_empty() {
            Ok(self.kept.unwrap_or_default())
        } else {
            Err(errors)
        }
    }
}

/// A mistake in a text of some format, located in that text only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// Byte range in the text that was read (or in the value that was to be quoted).
    pub range: Range<usize>,
    /// What is wrong, in the grammar of diagnostics.
    pub message: String,
}

impl FormatError {
    /// An error over `range`.
    pub fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            range,
            message: message.into(),
        }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for FormatError {}

/// The refusing default of formats whose values stand in quotes: only what needs none passes.
///
/// # Errors
/// The first character that is not an ASCII letter, a digit, `.`, `_` or `-`.
pub fn bare_word(value: &str) -> Result<String, FormatError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    characters::only(value, allowed, |c| {
        format!("{} needs quotes here", characters::name(c))
    })?;
    Ok(value.to_owned())
}

/// Reads a text back with the strict reader of its format for its mistakes only; they are those of [`items`].
///
/// # Errors
/// Every mistake of the text.
pub fn check(reading: impl Into<Reading>, text: &str) -> Result<(), Vec<FormatError>> {
    let format = match reading.into() {
        Reading::Edits(kind) => return Edits::read(kind, text).map(drop),
        Reading::Whole(format) => format,
    };
    match format {
        Format::Cmd => cmd::check(text),
        Format::Html => html::check(text),
        Format::Markdown => markdown::check(text),
        Format::Nginx
        | Format::Xdt
        | Format::Erlang
        | Format::Json
        | Format::Yaml
        | Format::Ini
        | Format::JsReferences
        | Format::Reg
        | Format::Sql
        | Format::PowerShell
        | Format::Text => items(format, text).map(drop),
    }
}

/// Reads a text back with the strict reader of its format. A [`Format`] alone means a whole file.
///
/// # Errors
/// Every mistake of the text.
pub fn items(reading: impl Into<Reading>, text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let format = match reading.into() {
        Reading::Edits(kind) => return Edits::read(kind, text).map(Edits::items),
        Reading::Whole(format) => format,
    };
    match format {
        Format::Nginx => nginx::items(text),
        Format::Xdt => xdt::items(text),
        Format::Erlang => erlang::items(text),
        Format::Json => json::items(text),
        Format::Yaml => Edits::read(EditKind::YamlLines, text).map(Edits::items),
        Format::Ini => Edits::read(EditKind::IniLines, text).map(Edits::items),
        Format::JsReferences => Edits::read(EditKind::References, text).map(Edits::items),
        Format::Reg => reg::items(text),
        Format::Sql => sql::items(text),
        Format::Cmd => cmd::items(text),
        Format::Markdown => markdown::items(text),
        Format::Html => html::items(text),
        Format::PowerShell => power_shell::items(text),
        Format::Text => text::items(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECES: &str = "(@echo off\n|setlocal EnableExtensions DisableDelayedExpansion\n|:A\n|goto :A\n|exit /b 0\n\
        |set \"X=1\"\n|reg query \"%X%\"\n|<!doctype html>\n|<html>|</html>|<p>|</p>|<br>|<script>|# a\n|### b\n\
        |\\| a \\| b \\|\n|\\| --- \\| --- \\|\n|`|\n|- |text |\"|%|\\PC){0,12}";

    proptest::proptest! {
        #[test]
        fn a_check_finds_the_mistakes_of_a_reading(text in PIECES) {
            for reading in Reading::all() {
                proptest::prop_assert_eq!(check(reading, &text).err(), items(reading, &text).err(), "{:?}", reading);
            }
        }
    }
}
