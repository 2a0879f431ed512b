//! Edits of a JSON file: keys of existing objects get their values, and everything else keeps its layout and order.
//!
//! A key that is missing in an object that is there is added behind its last key, laid out like it. An object that is
//! missing is an error: a file that does not have it is probably another file.

use std::collections::{BTreeMap, BTreeSet};

use super::nearest::nearest;
use super::source::{Charset, Readable, Source, Splice, Unmarked};
use super::{Change, Outcome, Refusal, RefusalKind, Work};
use crate::Cut as _;
use crate::json::tree::{self, Kind, Member, Node};
use crate::json::{JsonEdit, json_string, syntax_error};

/// RFC 8259 wants UTF-8 and lets readers ignore a mark; .NET reads UTF-16 with a mark too.
pub(super) const READABLE: Readable = Readable {
    reader: "a reader of JSON",
    utf8_mark: true,
    utf16: true,
    unmarked: Unmarked::Only(Charset::Utf8),
};

/// Most values that are read.
const MAX_NODES: usize = 1_000_000;

/// The keys that stand twice in one object.
fn twice<'n>(node: &'n Node, found: &mut Vec<&'n Member>) {
    match &node.kind {
        Kind::Object(members) => {
            let mut names = BTreeSet::new();
            for member in members {
                if !names.insert(&member.name) {
                    found.push(member);
                }
                twice(&member.value, found);
            }
        }
        Kind::Array(values) => values.iter().for_each(|value| twice(value, found)),
        Kind::String(_) | Kind::Plain => {}
    }
}

fn read(source: &Source<'_>) -> Result<Node, Vec<Refusal>> {
    let text = source.text();
    let commas = memchr::memchr3_iter(b',', b'[', b'{', text.as_bytes())
        .take(MAX_NODES + 1)
        .count();
    if commas > MAX_NODES {
        let message = format!("the file has more than {MAX_NODES} values");
        return Err(vec![Refusal::new(RefusalKind::Limit, message)]);
    }
    let root = tree::read(text).map_err(|error| {
        let error = syntax_error(text, &error);
        let place = source.file_range(&error.range);
        if error.message.contains("recursion limit") {
            let message = "objects and lists are nested deeper than 127 levels";
            return vec![Refusal::new(RefusalKind::Limit, message).in_file(place)];
        }
        let message = format!("the file is no JSON: {}", error.message);
        vec![
            Refusal::new(RefusalKind::BadFile, message)
                .in_file(place)
                .help("its reader would not take it either: mend it first"),
        ]
    })?;
    let mut found = Vec::new();
    twice(&root, &mut found);
    let refusal = |Member { name, key, .. }: &Member| {
        let message = format!(
            "the key `{name}` is there twice in one object, and readers disagree about which one counts"
        );
        Refusal::new(RefusalKind::Ambiguous, message)
            .in_file(source.file_range(key))
            .looked_for(name)
            .help("remove one of them by hand")
    };
    let refusals: Vec<Refusal> = found.into_iter().map(refusal).collect();
    if refusals.is_empty() {
        Ok(root)
    } else {
        Err(refusals)
    }
}

/// What the edits do to a file, or everything that stands against it.
pub(super) fn work(edits: &[JsonEdit], source: &Source<'_>) -> Result<Work, Vec<Refusal>> {
    let root = read(source)?;
    // Additions to one object stand behind each other.
    let mut additions: BTreeMap<usize, (bool, Vec<String>)> = BTreeMap::new();
    let about = |edit: &JsonEdit| (edit.path(), edit.range.clone());
    let mut work = Work::of(edits, about, |work, edit| {
        let (old, outcome, span) = match place(edit, &root, source)? {
            Found::Value(value) => {
                let old = source.text().cut(value.range.clone());
                let meaning = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
                let outcome = Outcome::of(meaning(old) == meaning(&edit.value));
                (Some(old.to_owned()), outcome, value.range.clone())
            }
            Found::New(object, members, name) => {
                // Behind its last value, or behind the bracket.
                let at = members
                    .last()
                    .map_or(object.range.start + 1, |last| last.value.range.end);
                let text = addition(object, members, name, &edit.value, source.text())?;
                let (_, texts) = additions.entry(at).or_insert((members.is_empty(), Vec::new()));
                texts.push(text);
                (None, Outcome::Inserted, at..at)
            }
        };
        let change = Change {
            key: edit.path(),
            line: 0,
            old,
            new: Some(edit.value.clone()),
            outcome,
            edit_range: edit.range.clone(),
            span,
        };
        if outcome == Outcome::Inserted {
            work.changes.push(change);
        } else {
            work.set(change, edit.value.clone());
        }
        Ok(())
    })?;
    for (at, (is_empty, texts)) in additions {
        let text = texts.join(if is_empty { ", " } else { "" });
        work.splices.push(Splice { range: at..at, text });
    }
    Ok(work)
}

/// A new key as it is written behind the last one of an object: on a line of its own if that is.
fn addition(
    object: &Node,
    members: &[Member],
    name: &str,
    value: &str,
    text: &str,
) -> Result<String, Refusal> {
    let key = json_string(name)
        .map_err(|_| Refusal::new(RefusalKind::Unwritable, "the key cannot be written in JSON"))?;
    let (before, last) = match members {
        [] => return Ok(format!("{key}: {value}")),
        [last] => (object.range.start + 1, last),
        [.., before, last] => (before.value.range.end, last),
    };
    // The blanks in front of the last key, and what stands between it and its value.
    let gap = text.cut(before..last.key.start);
    let gap = gap.split_once(',').map_or(gap, |(_, behind)| behind);
    let colon = text.cut(last.key.end..last.value.range.start);
    Ok(format!(",{gap}{key}{colon}{value}"))
}

/// What an edit is about in the file.
enum Found<'n, 'e> {
    /// A value that is there.
    Value(&'n Node),
    /// A key that is missing in this object.
    New(&'n Node, &'n [Member], &'e str),
}

fn place<'n, 'e>(edit: &'e JsonEdit, root: &'n Node, source: &Source<'_>) -> Result<Found<'n, 'e>, Refusal> {
    let mut at = root;
    for (depth, name) in edit.keys.iter().enumerate() {
        let Kind::Object(members) = &at.kind else {
            let whose = match depth {
                0 => String::from("the file"),
                _ => format!("`{}`", JsonEdit::pointer(edit.keys.cut(..depth))),
            };
            return Err(
                Refusal::new(RefusalKind::Unsuitable, format!("{whose} is no object"))
                    .in_file(source.file_range(&at.range))
                    .help("find out whether this is the right file for this version"),
            );
        };
        if let Some(member) = members.iter().find(|member| member.name == *name) {
            at = &member.value;
            continue;
        }
        if let Some(other) = members
            .iter()
            .find(|member| member.name.eq_ignore_ascii_case(name))
        {
            let message = format!(
                "the file has the key `{}`, which differs from `{name}` only in case",
                other.name
            );
            return Err(Refusal::new(RefusalKind::Unsuitable, message)
                .in_file(source.file_range(&other.key))
                .nearest(Some(other.name.clone()))
                .help("find out which of the two the program reads: both together would be a key given twice for .NET"));
        }
        if depth + 1 == edit.keys.len() {
            return Ok(Found::New(at, members, name));
        }
        let names = members.iter().map(|member| member.name.as_str());
        let pointer = JsonEdit::pointer(edit.keys.cut(..=depth));
        return Err(Refusal::new(
            RefusalKind::Missing,
            format!("the file has no object `{pointer}`"),
        )
        .nearest(nearest(name, names))
        .help("keys are only added to an object that is there: find out whether this is the right file"));
    }
    let holds_more = match &at.kind {
        Kind::Object(members) => !members.is_empty(),
        Kind::Array(_) => !edit.value.starts_with('['),
        Kind::String(_) | Kind::Plain => false,
    };
    if holds_more {
        let message = format!("`{}` is an object or a list in the file", edit.path());
        return Err(Refusal::new(RefusalKind::Unsuitable, message)
            .in_file(source.file_range(&at.range))
            .help("name the keys in it, so that nothing else of it is lost"));
    }
    Ok(Found::Value(at))
}

#[cfg(test)]
mod tests {
    use super::super::EditKind::JsonKeys;
    use super::super::tests::{applied, refused};

    const EDITS: &str = "{\"rabbit\": {\"port\": 5671, \"tls\": true, \"host\": \"C:\\\\x\"}}";

    #[test]
    fn values_change_and_keys_are_added_like_their_neighbours() {
        let check = |file: &str, expected: &str, changes: &[&str]| {
            let (text, found) = applied(JsonKeys, EDITS, file.as_bytes());
            assert_eq!(
                (text.as_str(), found),
                (expected, changes.iter().map(ToString::to_string).collect())
            );
        };
        check(
            "\u{feff}{\r\n\t\"a\":[1,{\"port\":2}],\r\n\t\"rabbit\" : {\r\n\t\t\"port\" :5672,\r\n\t\t\"tls\" :true\r\n\t}\r\n}",
            "\u{feff}{\r\n\t\"a\":[1,{\"port\":2}],\r\n\t\"rabbit\" : {\r\n\t\t\"port\" :5671,\r\n\t\t\"tls\" :true,\r\n\t\t\"host\" :\"C:\\\\x\"\r\n\t}\r\n}",
            &[
                "4 Set /rabbit/port: 5672 -> 5671",
                "5 AlreadySo /rabbit/tls: true -> true",
                "5 Inserted /rabbit/host: nothing -> \"C:\\\\x\"",
            ],
        );
        check(
            "{\"rabbit\":{}}",
            "{\"rabbit\":{\"port\": 5671, \"tls\": true, \"host\": \"C:\\\\x\"}}",
            &[
                "1 Inserted /rabbit/port: nothing -> 5671",
                "1 Inserted /rabbit/tls: nothing -> true",
                "1 Inserted /rabbit/host: nothing -> \"C:\\\\x\"",
            ],
        );
        check(
            "{\"rabbit\":{\"\\u0070ort\":\"}\\\"{\"}}",
            "{\"rabbit\":{\"\\u0070ort\":5671,\"tls\":true,\"host\":\"C:\\\\x\"}}",
            &[
                "1 Set /rabbit/port: \"}\\\"{\" -> 5671",
                "1 Inserted /rabbit/tls: nothing -> true",
                "1 Inserted /rabbit/host: nothing -> \"C:\\\\x\"",
            ],
        );
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        let check = |file: &str, expected: &[&str]| {
            assert_eq!(refused(JsonKeys, EDITS, file.as_bytes()), expected, "{file}");
        };
        let missing = "Missing the file has no object `/rabbit` (nearest `rabit`)";
        check("{\"rabit\": {}}", &[missing, missing, missing]);
        check(
            "{\"rabbit\": {\"port\": 1, \"tls\": [1, 2], \"HOST\": 1}}",
            &[
                "Unsuitable 30..36 `/rabbit/tls` is an object or a list in the file",
                "Unsuitable 38..44 the file has the key `HOST`, which differs from `host` only in case (nearest `HOST`)",
            ],
        );
        check(
            "{\"rabbit\": {}, \"x\": {\"a\": 1, \"a\": 2}}",
            &[
                "Ambiguous 29..32 the key `a` is there twice in one object, and readers disagree about which one counts",
            ],
        );
        check(
            "{\"rabbit\": {,}}",
            &["BadFile 12..13 the file is no JSON: a key must stand in double quotes"],
        );
        let deep = "[".repeat(100_000);
        check(
            &deep,
            &["Limit 127..128 objects and lists are nested deeper than 127 levels"],
        );
    }
}
