//! JSON as RFC 8259 defines it, without what its readers disagree about.
//!
//! `serde_json` decides what is JSON; this module adds positions and refuses what it tolerates: a key given twice, and
//! strings with control characters, which are almost always a Windows path whose backslashes were not doubled
//! (`"C:\new"`). A file of this format is a merge document: the engine that applies it sets its leaves in the existing
//! object of the vendor (`rabbitmq_config.json`, RMQ-12) and keeps unknown keys and the order.

pub(crate) mod tree;

use std::collections::BTreeSet;
use std::ops::Range;

use self::tree::{Kind, Node};
use super::characters;
use super::{Cut as _, FactPath, Form, FormatError, Item, Step};

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
    survey(text).map(|(_, items)| items)
}

/// The values of a text, and its leaves.
fn survey(text: &str) -> Result<(Node, Vec<Item>), Vec<FormatError>> {
    if text.starts_with('\u{feff}') {
        let message = "the text begins with a byte order mark, which strict readers of JSON refuse";
        return Err(vec![FormatError::new(0..3, message)]);
    }
    let root = tree::read(text).map_err(|error| vec![syntax_error(text, &error)])?;
    let mut walk = Walk {
        text,
        items: Vec::new(),
        errors: Vec::new(),
    };
    let too_deep = walk.value(&root, &FactPath::default(), 0).err();
    walk.errors.extend(too_deep);
    if walk.errors.is_empty() {
        Ok((root, walk.items))
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
    let (root, _) = survey(text)?;
    let mut edits = Vec::new();
    collect(&root, &[], text, &mut edits);
    match &root.kind {
        Kind::Object(members) if !members.is_empty() => Ok(edits),
        Kind::Object(_) | Kind::Array(_) | Kind::String(_) | Kind::Plain => Err(vec![FormatError::new(
            0..text.len(),
            "expected an object with the keys to set",
        )]),
    }
}

/// Adds the edits that stand in a value below `keys`.
fn collect(node: &Node, keys: &[String], text: &str, edits: &mut Vec<JsonEdit>) {
    let value = match &node.kind {
        Kind::Object(members) if !members.is_empty() => {
            for member in members {
                let keys = [keys, std::slice::from_ref(&member.name)].concat();
                collect(&member.value, &keys, text, edits);
            }
            return;
        }
        Kind::Array(_) => serde_json::from_str::<serde_json::Value>(text.cut(node.range.clone()))
            .expect("the whole text was read before")
            .to_string(),
        Kind::Object(_) | Kind::String(_) | Kind::Plain => leaf(node, text),
    };
    edits.push(JsonEdit {
        keys: keys.to_vec(),
        value,
        range: node.leaves.clone(),
    });
}

/// A value that holds no other, as it is compared: a text with as few escapes as it needs, a number as it is spelled.
fn leaf(node: &Node, text: &str) -> String {
    match &node.kind {
        Kind::Object(_) => "{}".to_owned(),
        Kind::Array(_) => "[]".to_owned(),
        Kind::String(value) => serde_json::Value::from(value.as_str()).to_string(),
        Kind::Plain => text.cut(node.range.clone()).to_owned(),
    }
}

/// Lifts an error of `serde_json`, whose columns count the bytes read of a line; 0 means the line feed in front of it.
pub(super) fn syntax_error(text: &str, error: &serde_json::Error) -> FormatError {
    let line = characters::lines(text).nth(error.line().saturating_sub(1));
    let start = line.map_or(text.len(), |(start, line)| {
        (start + error.column().min(line.len() + 1)).saturating_sub(1)
    });
    let message = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&suffix).unwrap_or(&message);
    FormatError::new(
        characters::range_at(text, text.floor_char_boundary(start)),
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

/// Names the leaves of a text, and finds what readers disagree about.
struct Walk<'a> {
    text: &'a str,
    items: Vec<Item>,
    errors: Vec<FormatError>,
}

impl Walk<'_> {
    /// Walks over a value and all in it; the error is the one behind which nothing is looked at.
    fn value(&mut self, node: &Node, path: &FactPath, depth: usize) -> Result<(), FormatError> {
        match &node.kind {
            Kind::Object(_) | Kind::Array(_) if depth == MAX_DEPTH => {
                let message = format!("values are nested deeper than {MAX_DEPTH} levels");
                return Err(FormatError::new(node.range.start..node.range.start + 1, message));
            }
            Kind::Object(members) if !members.is_empty() => {
                let mut keys = BTreeSet::new();
                for member in members {
                    self.printable(&member.name, &member.key);
                    let path = path.child(Step::new(Form::Member, &member.name));
                    if !keys.insert(&member.name) {
                        let message = format!(
                            "the key `{path}` is given twice, and readers disagree about which one counts"
                        );
                        self.errors.push(FormatError::new(member.key.clone(), message));
                    }
                    self.value(&member.value, &path, depth + 1)?;
                }
                return Ok(());
            }
            Kind::Array(values) if !values.is_empty() => {
                for (index, value) in values.iter().enumerate() {
                    let path = path.child(Step::new(Form::Member, index.to_string()));
                    self.value(value, &path, depth + 1)?;
                }
                return Ok(());
            }
            Kind::String(value) => self.printable(value, &node.range),
            Kind::Object(_) | Kind::Array(_) | Kind::Plain => {}
        }
        self.items.push(Item {
            path: path.clone(),
            value: leaf(node, self.text),
            range: node.range.clone(),
        });
        Ok(())
    }

    /// Refuses a text with a character that nobody sees.
    fn printable(&mut self, value: &str, range: &Range<usize>) {
        let bad = value
            .chars()
            .find(|character| characters::unprintable(*character).is_some());
        if let Some(bad) = bad {
            let message = format!(
                "the string holds {}; a backslash is written `\\\\`",
                characters::name(bad)
            );
            self.errors.push(FormatError::new(range.clone(), message));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::told::{mistakes_are_in, told_as};

    /// Reads `text` and compares its items, or its errors as `range message`.
    fn check(text: &str, expected: &[&str]) {
        let tell = |item: Item| format!("{:?} {} = {}", item.range, item.path, item.value);
        assert_eq!(told_as(items(text), tell), expected);
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
            mistakes_are_in(&text, items(&text));
        }
    }
}
