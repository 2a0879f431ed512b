//! Edits of an INI file such as a Windows `.url` shortcut (CFG-9).
//!
//! A text of this format is a list of edits: each `Key=Value` says what the key of that section has to be in the vendor's
//! file; other keys, and the layout, stay. A key that is not there is an error.
//!
//! The consumer is the Windows profile API (`GetPrivateProfileString`), which trims blanks, removes a pair of quotes
//! around a value, takes the first of two equal keys without regard to case, and never reports anything. So a text is
//! kept to what can only be read one way: `[Section]`, `Key=Value` without blanks around the sign, and comment lines
//! that begin with `;`. Percent signs are literal.

use std::collections::BTreeSet;
use std::ops::Range;

use super::characters;
use super::{FactPath, FormatError};

/// Checks a value for the right side of `Key=Value`; it is written as it is, because the format has no escapes.
///
/// Refuses control characters, everything outside ASCII (the file is read in the code page of the server), blanks at
/// either end, a `;` at the beginning, and a value in quotes, which would lose them.
pub fn ini_value(value: &str) -> Result<String, FormatError> {
    check_value(value, 0)?;
    Ok(value.to_owned())
}

/// Checks a value that begins at byte `offset` of a text.
fn check_value(value: &str, offset: usize) -> Result<(), FormatError> {
    characters::refuse_at(value, offset, "an INI value", characters::not_plain_ascii)?;
    let message = if value != value.trim() {
        "blanks around an INI value are dropped"
    } else if value.starts_with(';') {
        "an INI value that begins with `;` looks like a comment"
    } else if value.starts_with(['"', '\'']) {
        "an INI value must not begin with a quote, because a pair of quotes around it is removed"
    } else {
        return Ok(());
    };
    Err(FormatError::new(offset..offset + value.len(), message))
}

/// One key of a section and what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IniEdit {
    /// The name of the section.
    pub section: String,
    /// The key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The bytes of the line.
    pub range: Range<usize>,
}

impl IniEdit {
    /// `InternetShortcut > URL`.
    pub fn path(&self) -> FactPath {
        FactPath::of([&self.section, &self.key].map(|name| characters::label(name)))
    }
}

/// Reads a list of edits.
///
/// Refuses keys outside a section, sections and keys given twice (compared without regard to case), empty sections,
/// and every line that is neither a section, nor `Key=Value`, nor a comment, nor empty. Reports the first error of each
/// line.
pub fn edits(text: &str) -> Result<Vec<IniEdit>, Vec<FormatError>> {
    let mut reader = Reader::default();
    let mut errors = Vec::new();
    for (start, line) in characters::lines(text) {
        errors.extend(reader.line(start, line).err());
    }
    errors.extend(reader.empty_section());
    if reader.edits.is_empty() && errors.is_empty() {
        errors.push(FormatError::new(0..text.len(), "the text sets no key"));
    }
    if errors.is_empty() {
        Ok(reader.edits)
    } else {
        errors.sort_by_key(|error| error.range.start);
        Err(errors)
    }
}

#[derive(Default)]
struct Reader {
    edits: Vec<IniEdit>,
    sections: BTreeSet<String>,
    keys: BTreeSet<String>,
    /// Name and range of the section the next key belongs to.
    section: Option<(String, Range<usize>)>,
}

impl Reader {
    fn line(&mut self, start: usize, line: &str) -> Result<(), FormatError> {
        let whole = start..start + line.len();
        if line.is_empty() {
            return Ok(());
        }
        characters::refuse_at(line, start, "an INI file", characters::not_plain_ascii)?;
        if line.starts_with(';') {
            return Ok(());
        }
        let refuse = |message: String| Err(FormatError::new(whole.clone(), message));
        if let Some(name) = line.strip_prefix('[') {
            let Some(name) = name.strip_suffix(']').filter(|name| is_section(name)) else {
                return refuse("expected `[Section]`".into());
            };
            let empty = self.empty_section();
            self.keys.clear();
            let new = self.sections.insert(name.to_ascii_lowercase());
            self.section = Some((name.to_owned(), whole.clone()));
            if !new {
                return refuse(format!("the section `{name}` is given twice"));
            }
            return empty.map_or(Ok(()), Err);
        }
        let Some((key, value)) = line.split_once('=').filter(|(key, _)| is_key(key)) else {
            return refuse("expected `Key=Value`, without blanks around the sign".into());
        };
        let Some((section, _)) = &self.section else {
            return refuse(format!("the key `{key}` stands before the first section"));
        };
        let edit = IniEdit {
            section: section.clone(),
            key: key.to_owned(),
            value: value.to_owned(),
            range: whole.clone(),
        };
        if !self.keys.insert(key.to_ascii_lowercase()) {
            return refuse(format!(
                "the key `{}` is given twice, and only the first one is read",
                edit.path()
            ));
        }
        self.edits.push(edit);
        check_value(value, start + line.len() - value.len())
    }

    fn empty_section(&self) -> Option<FormatError> {
        let (name, range) = self.section.as_ref().filter(|_| self.keys.is_empty())?;
        let message = format!("the section `{name}` sets no key");
        Some(FormatError::new(range.clone(), message))
    }
}

/// The name of a section is everything between the brackets, such as `{000214A0-0000-0000-C000-000000000046}`.
fn is_section(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.contains(['[', ']'])
}

/// A key is everything before the sign, without blanks around it, and does not look like a section or a comment.
fn is_key(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.starts_with(['[', ';', '#', '"', '\''])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::told::{mistakes_are_in, told_as};

    /// Reads `text` and compares its edits, or its errors as `range message`.
    fn check(text: &str, expected: &[&str]) {
        let found = told_as(edits(text), |edit| format!("{} = {}", edit.path(), edit.value));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_shortcut_is_read() {
        check(
            "; made by hand\n[InternetShortcut]\n\nURL=https://callback.acme.example/EyeQueue?a=%20\nIconIndex=0\n",
            &[
                "InternetShortcut > URL = https://callback.acme.example/EyeQueue?a=%20",
                "InternetShortcut > IconIndex = 0",
            ],
        );
    }

    #[test]
    fn what_windows_would_misread_is_refused() {
        check(
            "URL=a\n[A]\nx=1\nX=2\ny = 3\n[a]\nz= 4\nq=\"5\"\nr=;6\nnothing\n[B\n[B]\n[C]\nx=\u{e4}\n",
            &[
                "0..5 the key `URL` stands before the first section",
                "14..17 the key `A > X` is given twice, and only the first one is read",
                "18..23 expected `Key=Value`, without blanks around the sign",
                "24..27 the section `a` is given twice",
                "30..32 blanks around an INI value are dropped",
                "35..38 an INI value must not begin with a quote, because a pair of quotes around it is removed",
                "41..43 an INI value that begins with `;` looks like a comment",
                "44..51 expected `Key=Value`, without blanks around the sign",
                "52..54 expected `[Section]`",
                "55..58 the section `B` sets no key",
                "59..62 the section `C` sets no key",
                "65..67 `\u{e4}` (U+00E4) cannot stand in an INI file: the file has to stay ASCII",
            ],
        );
        check("; nothing\n", &["0..10 the text sets no key"]);
        check(
            "[A]\r\nx=1\n",
            &[
                "3..4 the carriage return (U+000D) cannot stand in an INI file: control characters are never part of a value",
                "5..8 the key `x` stands before the first section",
            ],
        );
    }

    proptest! {
        #[test]
        fn checked_values_are_read_back(value in any::<String>()) {
            if let Ok(written) = ini_value(&value) {
                let found = edits(&format!("[A]\nx={written}\n")).unwrap();
                prop_assert_eq!(&found[0].value, &value);
            }
        }

        #[test]
        fn ordinary_values_are_not_refused(value in "[!#-&(-:<-~][ -~]{0,20}[!-~]") {
            prop_assert!(ini_value(&value).is_ok());
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[\\[\\]=;a-bé \n]{0,40}") {
            mistakes_are_in(&text, edits(&text));
        }
    }
}
