//! Edits for a Ruby-style YAML file, one `:key: 'value'` a line.
//!
//! The vendor files have symbols as keys (`:host:`), which YAML libraries outside Ruby read as something else, so they
//! are edited line by line and never written anew (CFG-2, CFG-3). A text of this format is a list of such edits: the
//! engine that applies it replaces the value of the one line with the same key at the left margin, and fails when
//! there is none (DEF-49). Two settings on one line are a syntax error for Ruby (DEF-47), and here.
//!
//! Allowed lines are empty ones, comments that begin with `#`, and edits. This is not a YAML parser.

use std::collections::BTreeSet;

use super::characters;
use super::{FormatError, Item};

/// Writes a value in single quotes, the one style of YAML without escapes: only the quote itself is doubled.
///
/// Refuses control and invisible characters.
pub fn yaml_string(value: &str) -> Result<String, FormatError> {
    characters::refuse(value, "a quoted YAML value", characters::unprintable)?;
    Ok(format!("'{}'", value.replace('\'', "''")))
}

/// Reads a list of edits into items: path `:host`, value `127.0.0.1`.
///
/// Refuses every other kind of line, keys that are not lower-case words, values without single quotes, anything behind
/// a value, and a key given twice. Reports the first error of each line.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let mut items = Vec::new();
    let mut errors = Vec::new();
    let mut keys = BTreeSet::new();
    for (start, line) in characters::lines(text) {
        match read_line(start, line) {
            Ok(None) => {}
            Ok(Some(item)) => {
                if !keys.insert(item.path.clone()) {
                    let message = format!("`{}:` is given twice", item.path);
                    errors.push(FormatError::new(item.range.clone(), message));
                }
                items.push(item);
            }
            Err(error) => errors.push(error),
        }
    }
    if items.is_empty() && errors.is_empty() {
        errors.push(FormatError::new(0..text.len(), "the text holds no edit"));
    }
    if errors.is_empty() { Ok(items) } else { Err(errors) }
}

fn read_line(start: usize, line: &str) -> Result<Option<Item>, FormatError> {
    let whole = start..start + line.len();
    let place = "a YAML edit";
    if let Some(error) = characters::first_refused(line, start, place, characters::unprintable) {
        return Err(error);
    }
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let shape = || FormatError::new(whole.clone(), "expected `:key: 'value'`");
    let (key, value) = line
        .strip_prefix(':')
        .and_then(|rest| rest.split_once(": "))
        .ok_or_else(shape)?;
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !key.starts_with(|c: char| c.is_ascii_lowercase()) || !key.chars().all(word) {
        let message = format!("`{}` is not a lower-case word", characters::label(key));
        return Err(FormatError::new(start + 1..start + 1 + key.len(), message));
    }
    let value_start = start + line.len() - value.len();
    let Some(inside) = value.strip_prefix('\'') else {
        let message = "the value has to be in single quotes";
        return Err(FormatError::new(value_start..whole.end, message));
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
            return Err(FormatError::new(closed_at..whole.end, message));
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
    Ok(Some(Item {
        path: format!(":{key}"),
        value: decoded,
        range: whole,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads `text` and compares its items, or its errors as `range message`.
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = match items(text) {
            Ok(items) => items
                .into_iter()
                .map(|item| format!("{} = {}", item.path, item.value))
                .collect(),
            Err(errors) => errors
                .into_iter()
                .map(|error| format!("{:?} {error}", error.range))
                .collect(),
        };
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
            " :host: 'a'\nhost: 'a'\n:host:'a'\n:host: a\n:Host: 'a'\n:host: 'a\n:host: 'a' \n:host:\t'a'\n---\n:a: '''\n",
            &[
                "0..11 expected `:key: 'value'`",
                "12..21 expected `:key: 'value'`",
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
    }

    proptest! {
        #[test]
        fn quoted_values_are_read_back_or_refused(value in any::<String>()) {
            if let Ok(quoted) = yaml_string(&value) {
                let found = items(&format!(":key: {quoted}\n")).unwrap();
                prop_assert_eq!(&found[0].value, &value);
            }
        }

        #[test]
        fn quotes_are_read_back(value in "[' a]{0,12}") {
            let found = items(&format!(":key: {}\n", yaml_string(&value).unwrap())).unwrap();
            prop_assert_eq!(&found[0].value, &value);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[: 'a-bé#\n]{0,40}") {
            for error in items(&text).err().into_iter().flatten() {
                prop_assert!(text.get(error.range.clone()).is_some());
            }
        }
    }
}
