//! JSON as RFC 8259 defines it, without what its readers disagree about.
//!
//! `serde_json` decides what is JSON; this module adds positions and refuses what it tolerates: a key given twice, and
//! strings with control characters, which are almost always a Windows path whose backslashes were not doubled
//! (`"C:\new"`). A file of this format is a merge document: the engine that applies it sets its leaves in the existing
//! object of the vendor (`rabbitmq_config.json`, RMQ-12) and keeps unknown keys and the order.

use std::collections::BTreeSet;
use std::ops::Range;

use super::characters;
use super::{FactPath, Form, FormatError, Item, Step};

/// Deepest nesting of arrays and objects that is read.
pub const MAX_DEPTH: usize = 64;

/// Writes a value as a JSON string with its quotes.
///
/// Refuses control and invisible characters; a backslash is doubled, so a Windows path arrives as it is (DEF-84).
pub fn json_string(value: &str) -> Result<String, FormatError> {
    characters::refuse(value, "a JSON string", characters::unprintable)?;
    Ok(serde_json::Value::from(value).to_string())
}

/// Reads a text into one item for each leaf, named by its JSON pointer (RFC 6901), for example `/rabbitConfig/port`.
///
/// Leaves are strings, numbers, booleans, nulls and empty arrays and objects. Numbers keep their spelling: `5671` and
/// `5671.0` differ for a strict reader. A syntax error comes alone; otherwise everything that is wrong is reported.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    if text.starts_with('\u{feff}') {
        let message = "the text begins with a byte order mark, which strict readers of JSON refuse";
        return Err(vec![FormatError::new(0..3, message)]);
    }
    // A value is built and dropped, because what is skipped is not checked for surrogates and number ranges.
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        return Err(vec![syntax_error(text, &error)]);
    }
    let mut walk = Walk {
        text,
        at: 0,
        items: Vec::new(),
        errors: Vec::new(),
    };
    walk.value(&FactPath::default(), 0);
    if walk.errors.is_empty() {
        Ok(walk.items)
    } else {
        Err(walk.errors)
    }
}

/// One key of an object and what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonEdit {
    /// The keys that lead to the value, at least one.
    pub keys: Vec<String>,
    /// The value as it is written.
    pub value: String,
    /// Its bytes.
    pub range: Range<usize>,
}

impl JsonEdit {
    /// The JSON pointer of the value, `/rabbitConfig/port`.
    pub fn path(&self) -> FactPath {
        Self::pointer(&self.keys)
    }

    /// The JSON pointer of keys.
    pub fn pointer(keys: &[String]) -> FactPath {
        keys.iter().map(|key| Step::new(Form::Member, key)).collect()
    }
}

/// Reads a document of edits: an object whose leaves are set in the same objects of the vendor's file. A list is one
/// value. The mistakes are those of [`items`], and a document that sets nothing.
pub fn edits(text: &str) -> Result<Vec<JsonEdit>, Vec<FormatError>> {
    let leaves = items(text)?;
    let whole = || FormatError::new(0..text.len(), "expected an object with the keys to set");
    let document: serde_json::Value =
        serde_json::from_str(text).map_err(|error| vec![syntax_error(text, &error)])?;
    let mut leaves = leaves.into_iter().peekable();
    let mut edits = Vec::new();
    // In the order of the text, as leaves are.
    let mut open = vec![(Vec::new(), &document)];
    while let Some((keys, value)) = open.pop() {
        match value {
            serde_json::Value::Object(members) if !members.is_empty() => {
                for (key, value) in members.iter().rev() {
                    let mut keys: Vec<String> = keys.clone();
                    keys.push(key.clone());
                    open.push((keys, value));
                }
            }
            serde_json::Value::Array(_) => {
                let mut range = leaves.peek().map_or(0..0, |leaf| leaf.range.clone());
                for _ in 0..count(value) {
                    range.end = leaves.next().map_or(range.end, |leaf| leaf.range.end);
                }
                edits.push(JsonEdit {
                    keys,
                    value: value.to_string(),
                    range,
                });
            }
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_)
            | serde_json::Value::Object(_) => {
                let leaf = leaves.next().ok_or_else(|| vec![whole()])?;
                edits.push(JsonEdit {
                    keys,
                    value: leaf.value,
                    range: leaf.range,
                });
            }
        }
    }
    if !document.is_object() || edits.iter().any(|edit| edit.keys.is_empty()) {
        return Err(vec![whole()]);
    }
    Ok(edits)
}

/// How many leaves a value has; its nesting is limited.
fn count(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(values) if !values.is_empty() => values.iter().map(count).sum(),
        serde_json::Value::Object(members) if !members.is_empty() => members.values().map(count).sum(),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => 1,
    }
}

/// Lifts an error of `serde_json`, whose columns count the bytes read of a line; 0 means the line feed in front of it.
pub(super) fn syntax_error(text: &str, error: &serde_json::Error) -> FormatError {
    let line = characters::lines(text).nth(error.line().saturating_sub(1));
    let start = line.map_or(text.len(), |(start, line)| {
        (start + error.column().min(line.len() + 1)).saturating_sub(1)
    });
    let start = (0..=start).rev().find(|at| text.is_char_boundary(*at));
    let message = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&suffix).unwrap_or(&message);
    FormatError::new(
        characters::range_at(text, start.unwrap_or_default()),
        words(message),
    )
}

/// What `serde_json` says, in the words of somebody who writes JSON. Those about its bound stay: edits tell it from a mistake by them.
fn words(message: &str) -> String {
    let plain = match message {
        "EOF while parsing a value" => "the text ends where a value is missing",
        "EOF while parsing an object" => "the text ends before its `{` is closed",
        "EOF while parsing a list" => "the text ends before its `[` is closed",
        "EOF while parsing a string" => "the text ends before its quote is closed",
        "expected ident" => "this word is neither `true`, `false` nor `null`; a text needs double quotes",
        "expected value" => "a value must stand here; a text needs double quotes",
        "expected `:`" => "`:` must stand between a key and its value",
        "expected `,` or `}`" => "`,` or `}` must stand here",
        "expected `,` or `]`" => "`,` or `]` must stand here",
        "key must be a string" => "a key must stand in double quotes",
        "trailing comma" => "a comma stands behind the last item",
        "trailing characters" => "something follows the end of the value",
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            "a line end or another control character stands inside a text"
        }
        "invalid escape" => "`\\` begins an escape here that JSON does not know",
        "unexpected end of hex escape" | "lone leading surrogate in hex escape" => {
            "this `\\u` escape stands for no character"
        }
        other => other,
    };
    plain.to_owned()
}

/// Walks over a text that is known to be JSON, so it only has to find where each value begins and ends.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    items: Vec<Item>,
    errors: Vec<FormatError>,
}

impl<'a> Walk<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches([' ', '\n', '\r', '\t']);
        self.at += rest.len() - trimmed.len();
        trimmed.chars().next()
    }

    /// Takes the next character, which is a bracket, colon or comma.
    fn take(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += next.map_or(0, char::len_utf8);
        next
    }

    fn value(&mut self, path: &FactPath, depth: usize) {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(open @ ('{' | '[')) => {
                if depth == MAX_DEPTH {
                    let message = format!("values are nested deeper than {MAX_DEPTH} levels");
                    self.errors.push(FormatError::new(start..start + 1, message));
                    self.at = self.text.len();
                    return;
                }
                self.take();
                if self.collection(open == '{', path, depth) == 0 {
                    let value = if open == '{' { "{}" } else { "[]" };
                    self.item(path, value.to_owned(), start..self.at);
                }
            }
            Some('"') => {
                let (value, range) = self.string();
                let value = serde_json::Value::from(value).to_string();
                self.item(path, value, range);
            }
            _ => {
                let rest = self.rest();
                let end = rest.find([',', ']', '}', ' ', '\n', '\r', '\t']);
                let value = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                self.at += value.len();
                self.item(path, value.to_owned(), start..self.at);
            }
        }
    }

    /// Reads the members behind the opening bracket and the closing bracket; returns how many members there are.
    fn collection(&mut self, object: bool, path: &FactPath, depth: usize) -> usize {
        let mut keys = BTreeSet::new();
        let mut count = 0;
        loop {
            match self.peek() {
                None | Some('}' | ']') => {
                    self.take();
                    return count;
                }
                Some(',') => {
                    self.take();
                }
                Some(_) => {}
            }
            let path = if object {
                self.peek();
                let (key, range) = self.string();
                self.take();
                let path = path.child(Step::new(Form::Member, &key));
                if !keys.insert(key) {
                    let message = format!(
                        "the key `{path}` is given twice, and readers disagree about which one counts"
                    );
                    self.errors.push(FormatError::new(range, message));
                }
                path
            } else {
                path.child(Step::new(Form::Member, count.to_string()))
            };
            self.value(&path, depth + 1);
            count += 1;
        }
    }

    fn string(&mut self) -> (String, Range<usize>) {
        let start = self.at;
        let mut escaped = false;
        let mut inside = self.rest().bytes().skip(1);
        let length = inside.position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        self.at = length.map_or(self.text.len(), |length| start + length + 2);
        let range = start..self.at;
        let raw = self.text.get(range.clone()).unwrap_or_default();
        let value: String = serde_json::from_str(raw).expect("the whole text was read before");
        if let Some(bad) = value
            .chars()
            .find(|character| characters::unprintable(*character).is_some())
        {
            let message = format!(
                "the string holds {}; a backslash is written `\\\\`",
                characters::name(bad)
            );
            self.errors.push(FormatError::new(range.clone(), message));
        }
        (value, range)
    }

    fn item(&mut self, path: &FactPath, value: String, range: Range<usize>) {
        self.items.push(Item {
            path: path.clone(),
            value,
            range,
        });
    }
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
                .map(|item| format!("{:?} {} = {}", item.range, item.path, item.value))
                .collect(),
            Err(errors) => errors
                .into_iter()
                .map(|error| format!("{:?} {error}", error.range))
                .collect(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn leaves_are_named_by_pointers() {
        check(
            "{\"rabbitConfig\": {\n  \"port\": 5671, \"sslEnabled\":true,\n  \"certFile\": \"C:\\\\c\\\\a.pem\", \"a/b~\": [null, {}, [ ], -1.5e3]\n}}\n",
            &[
                "29..33 /rabbitConfig/port = 5671",
                "48..52 /rabbitConfig/sslEnabled = true",
                "68..82 /rabbitConfig/certFile = \"C:\\\\c\\\\a.pem\"",
                "93..97 /rabbitConfig/a~1b~0/0 = null",
                "99..101 /rabbitConfig/a~1b~0/1 = {}",
                "103..106 /rabbitConfig/a~1b~0/2 = []",
                "108..114 /rabbitConfig/a~1b~0/3 = -1.5e3",
            ],
        );
        check("\"\\u0041\\/\"", &["0..10  = \"A/\""]);
        check("{}", &["0..2  = {}"]);
    }

    #[test]
    fn edits_are_leaves_and_lists() {
        let found = edits("{\"a\": {\"b\": 5671.0, \"c/d\": [1, {\"x\": 2}]}, \"e\": {}}").unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|edit| format!("{:?} {} = {}", edit.range, edit.path(), edit.value))
            .collect();
        assert_eq!(
            shown,
            [
                "12..18 /a/b = 5671.0",
                "28..38 /a/c~1d = [1,{\"x\":2}]",
                "48..50 /e = {}"
            ]
        );
        for text in ["{}", "[1]", "1"] {
            assert_eq!(
                edits(text).unwrap_err()[0].message,
                "expected an object with the keys to set"
            );
        }
    }

    #[test]
    fn what_readers_disagree_about_is_refused() {
        check("{\"a\": 1,}", &["8..9 a comma stands behind the last item"]);
        check("{\"ä\": 01}", &["8..9 invalid number"]);
        check(
            "{\"a\": \"x\ny\"}",
            &["8..9 a line end or another control character stands inside a text"],
        );
        check("{\"a\": 1} x", &["9..10 something follows the end of the value"]);
        check("{\"a\": ", &["5..6 the text ends where a value is missing"]);
        check(
            "{\"a\": \"\\ud800\"}",
            &["13..14 this `\\u` escape stands for no character"],
        );
        check(
            "\u{feff}{}",
            &["0..3 the text begins with a byte order mark, which strict readers of JSON refuse"],
        );
        check(
            "{\"a\": {\"b\": 1, \"\\u0062\": 2}, \"c\": \"C:\\new\"}",
            &[
                "15..23 the key `/a/b` is given twice, and readers disagree about which one counts",
                "34..42 the string holds the line feed (U+000A); a backslash is written `\\\\`",
            ],
        );
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(items(&nested(MAX_DEPTH)).is_ok());
        check(
            &nested(MAX_DEPTH + 1),
            &["64..65 values are nested deeper than 64 levels"],
        );
        assert!(items(&nested(100_000)).is_err());
    }

    fn values() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            "[ -~é]{0,8}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                prop::collection::btree_map("[ -~é]{0,5}", inner, 0..5)
                    .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_item_is_found_by_its_pointer(value in values()) {
            let found = items(&value.to_string()).unwrap();
            prop_assert_eq!(&items(&serde_json::to_string_pretty(&value).unwrap()).unwrap().len(), &found.len());
            for item in found {
                prop_assert_eq!(value.pointer(&item.path.to_string()).map(ToString::to_string), Some(item.value));
            }
        }

        #[test]
        fn quoted_values_are_read_back_or_refused(value in any::<String>()) {
            if let Ok(quoted) = json_string(&value) {
                prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), value);
                prop_assert_eq!(&items(&quoted).unwrap()[0].value, &quoted);
            }
        }

        #[test]
        fn printable_ascii_is_never_refused(value in "[ -~]{0,40}") {
            prop_assert!(json_string(&value).is_ok());
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[\\[\\]{}:,\"\\\\truefalsn0-9.é \n-]{0,40}") {
            for error in items(&text).err().into_iter().flatten() {
                prop_assert!(text.get(error.range.clone()).is_some());
            }
        }
    }
}
