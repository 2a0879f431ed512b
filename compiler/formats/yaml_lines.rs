//! Edits for a YAML file of a Ruby program, one `:key: 'value'` a line.
//!
//! The vendor files have symbols as keys (`:host:`), which YAML libraries outside Ruby read as something else, so they
//! are edited line by line and never written anew (CFG-2, CFG-3). A text of this format is a list of such edits: the
//! engine that applies it replaces the value of the one setting with the same key, and fails when there is none (DEF-49).
//! Two settings on one line are a syntax error for Ruby (DEF-47), and here.
//!
//! Allowed lines are empty ones, comments that begin with `#`, and edits. A key is a symbol (`:host:`), a plain word
//! (`host:`) or a text in quotes (`"host name":`); the first two differ for Ruby, and so they do here. A key without a
//! value opens a level: the keys below it are indented by two blanks. This is not a YAML parser.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use super::characters;
use super::{FactPath, FormatError};

/// Writes a value in single quotes, the one style of YAML without escapes: only the quote itself is doubled.
///
/// Refuses control and invisible characters.
pub fn yaml_string(value: &str) -> Result<String, FormatError> {
    characters::refuse(value, "a quoted YAML value", characters::unprintable)?;
    Ok(format!("'{}'", value.replace('\'', "''")))
}

/// A key as Ruby reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum YamlKey {
    /// `:host:`.
    Symbol(String),
    /// `host:` or `"host":`.
    Text(String),
}

impl fmt::Display for YamlKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symbol(name) => write!(formatter, ":{name}"),
            Self::Text(name) if name.starts_with(':') => write!(formatter, "{name:?}"),
            Self::Text(name) => formatter.write_str(name),
        }
    }
}

impl YamlKey {
    /// `:development > :host`.
    pub fn path(keys: &[Self]) -> FactPath {
        FactPath::of(keys.iter().map(|key| characters::label(&key.to_string())))
    }
}

/// One setting and what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlEdit {
    /// The keys that lead to the value, at least one.
    pub keys: Vec<YamlKey>,
    /// The value, a text.
    pub value: String,
    /// The bytes of the line.
    pub range: Range<usize>,
}

impl YamlEdit {
    /// The keys, as people read them.
    pub fn path(&self) -> FactPath {
        YamlKey::path(&self.keys)
    }
}

/// Deepest level of keys.
const MAX_DEPTH: usize = 16;

/// Reads a list of edits.
///
/// Refuses every other kind of line, symbols that are not lower-case words, values without single quotes, anything behind
/// a value, a level without keys, and a key given twice. Reports the first error of each line.
pub fn edits(text: &str) -> Result<Vec<YamlEdit>, Vec<FormatError>> {
    let mut edits: Vec<YamlEdit> = Vec::new();
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    let mut levels: Vec<Level> = Vec::new();
    for (start, line) in characters::lines(text) {
        let range = start..start + line.len();
        let (depth, key, value) = match read_line(start, line) {
            Ok(None) => continue,
            Ok(Some(read)) => read,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        if depth > levels.len() || depth > MAX_DEPTH {
            errors.push(FormatError::new(range, "expected `:key: 'value'`"));
            continue;
        }
        errors.extend(levels.drain(depth..).rev().find_map(Level::without_keys));
        if let Some(level) = levels.last_mut() {
            level.has_keys = true;
        }
        let mut keys: Vec<YamlKey> = levels.iter().map(|level| level.key.clone()).collect();
        keys.push(key.clone());
        if !seen.insert(keys.clone()) {
            let message = format!("`{}:` is given twice", YamlKey::path(&keys));
            errors.push(FormatError::new(range.clone(), message));
        }
        match value {
            Some(value) => edits.push(YamlEdit { keys, value, range }),
            None => levels.push(Level {
                key,
                range,
                has_keys: false,
            }),
        }
    }
    errors.extend(levels.into_iter().rev().find_map(Level::without_keys));
    if edits.is_empty() && errors.is_empty() {
        errors.push(FormatError::new(0..text.len(), "the text holds no edit"));
    }
    errors.sort_by_key(|error| error.range.start);
    if errors.is_empty() { Ok(edits) } else { Err(errors) }
}

/// A key that keys stand below.
struct Level {
    key: YamlKey,
    range: Range<usize>,
    has_keys: bool,
}

impl Level {
    fn without_keys(self) -> Option<FormatError> {
        let message = format!("no key stands below `{}:`, and it has no value", self.key);
        (!self.has_keys).then(|| FormatError::new(self.range, message))
    }
}

/// What a line of edits says: how deep, which key, which value.
type Line = (usize, YamlKey, Option<String>);

fn read_line(start: usize, line: &str) -> Result<Option<Line>, FormatError> {
    let whole = start..start + line.len();
    characters::refuse_at(line, start, "a YAML edit", characters::unprintable)?;
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let shape = || FormatError::new(whole.clone(), "expected `:key: 'value'`");
    let inside = line.trim_start_matches(' ');
    let blanks = line.len() - inside.len();
    if !blanks.is_multiple_of(2) {
        return Err(shape());
    }
    let key_start = start + blanks;
    let (key, rest) = read_key(key_start, inside)?.ok_or_else(shape)?;
    let value = match rest {
        "" => None,
        rest => Some(rest.strip_prefix(' ').ok_or_else(shape)?),
    };
    let value = match value {
        Some(value) => Some(read_value(start + line.len() - value.len(), value)?),
        None => None,
    };
    Ok(Some((blanks / 2, key, value)))
}

/// Words that are no texts for Ruby.
const NO_TEXTS: &[&str] = &["true", "false", "yes", "no", "on", "off", "null", "y", "n"];

/// The key at the beginning of a line, and what stands behind its colon.
fn read_key(start: usize, line: &str) -> Result<Option<(YamlKey, &str)>, FormatError> {
    if let Some(rest) = line.strip_prefix(':') {
        let Some((name, rest)) = rest.split_once(':') else {
            return Ok(None);
        };
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(word) {
            let message = format!("`{}` is not a lower-case word", characters::label(name));
            return Err(FormatError::new(start + 1..start + 1 + name.len(), message));
        }
        return Ok(Some((YamlKey::Symbol(name.to_owned()), rest)));
    }
    if let Some((quote, inside)) = ['"', '\'']
        .iter()
        .find_map(|quote| Some((*quote, line.strip_prefix(*quote)?)))
    {
        let Some((name, rest)) = inside.split_once(quote) else {
            return Ok(None);
        };
        if name.is_empty() || name.contains('\\') {
            let message = "a key in quotes is not empty and holds no backslash and no quote";
            return Err(FormatError::new(start..start + name.len() + 2, message));
        }
        let key = YamlKey::Text(name.to_owned());
        return Ok(rest.strip_prefix(':').map(|rest| (key, rest)));
    }
    let Some((name, rest)) = line.split_once(':') else {
        return Ok(None);
    };
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(word) {
        return Ok(None);
    }
    if NO_TEXTS.contains(&name.to_ascii_lowercase().as_str()) {
        let message = format!("`{name}` is no text for Ruby, write it in quotes");
        return Err(FormatError::new(start..start + name.len(), message));
    }
    Ok(Some((YamlKey::Text(name.to_owned()), rest)))
}

/// The value in single quotes at the end of a line.
fn read_value(value_start: usize, value: &str) -> Result<String, FormatError> {
    let end = value_start + value.len();
    let Some(inside) = value.strip_prefix('\'') else {
        let message = "the value has to be in single quotes";
        return Err(FormatError::new(value_start..end, message));
    };
    let mut decoded = String::new();
    let mut parts = inside.split('\'');
    decoded.push_str(parts.next().unwrap_or_default());
    let mut closed_at = value_start + 1 + decoded.len();
    let mut open = true;
    // Quotes come in pairs inside the value; the parts between them are the rest of the value and empty texts in turn.
    while let Some(part) = parts.next() {
        open = false;
        closed_at += 1;
        if !part.is_empty() {
            let message = "nothing may follow the value, and a quote inside it is doubled";
            return Err(FormatError::new(closed_at..end, message));
        }
        if let Some(part) = parts.next() {
            open = true;
            decoded.push('\'');
            decoded.push_str(part);
            closed_at += 1 + part.len();
        }
    }
    if open {
        let message = "the quote that begins here is never closed";
        return Err(FormatError::new(value_start..value_start + 1, message));
    }
    Ok(decoded)
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
    fn edits_are_read() {
        check(
            "# Stats API\n\n:host: '127.0.0.1'\n:ws_host: 'it''s '''\n:empty: ''\n",
            &[":host = 127.0.0.1", ":ws_host = it's '", ":empty = "],
        );
    }

    #[test]
    fn every_other_line_is_refused() {
        check(
            ":host: '127.0.0.1' :ws_host: '127.0.0.1'\n",
            &["18..40 nothing may follow the value, and a quote inside it is doubled"],
        );
        check(
            " :host: 'a'\n  b: 'a'\n\n:host:'a'\n:host: a\n:Host: 'a'\n:host: 'a\n:host: 'a' \n:host:\t'a'\n---\n:a: '''\n",
            &[
                "0..11 expected `:key: 'value'`",
                "12..20 expected `:key: 'value'`",
                "22..31 expected `:key: 'value'`",
                "39..40 the value has to be in single quotes",
                "42..46 `Host` is not a lower-case word",
                "59..60 the quote that begins here is never closed",
                "72..73 nothing may follow the value, and a quote inside it is doubled",
                "80..81 the tab (U+0009) cannot stand in a YAML edit: control characters are never part of a value",
                "85..88 expected `:key: 'value'`",
                "93..94 the quote that begins here is never closed",
            ],
        );
        check(":a: 'x'\n:a: 'y'\n", &["8..15 `:a:` is given twice"]);
        check("# nothing\n", &["0..10 the text holds no edit"]);
        check(
            "yes: 'x'\n",
            &["0..3 `yes` is no text for Ruby, write it in quotes"],
        );
        check(
            ":a:\n:b:\n  :c:\n:d: ''\n",
            &[
                "0..3 no key stands below `:a:`, and it has no value",
                "8..13 no key stands below `:c:`, and it has no value",
            ],
        );
    }

    #[test]
    fn keys_may_be_nested_plain_and_quoted() {
        check(
            "host: 'a'\n':host': 'b'\n:host: 'c'\n:production:\n  :host: 'd'\n  db:\n    \"user name\": 'e'\n:last: 'f'\n",
            &[
                "host = a",
                "\":host\" = b",
                ":host = c",
                ":production > :host = d",
                ":production > db > user name = e",
                ":last = f",
            ],
        );
    }

    proptest! {
        #[test]
        fn quoted_values_are_read_back_or_refused(value in any::<String>()) {
            if let Ok(quoted) = yaml_string(&value) {
                let found = edits(&format!(":key: {quoted}\n")).unwrap();
                prop_assert_eq!(&found[0].value, &value);
            }
        }

        #[test]
        fn quotes_are_read_back(value in "[' a]{0,12}") {
            let found = edits(&format!(":key: {}\n", yaml_string(&value).unwrap())).unwrap();
            prop_assert_eq!(&found[0].value, &value);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[: 'a-bé#\n]{0,40}") {
            mistakes_are_in(&text, edits(&text));
        }
    }
}
