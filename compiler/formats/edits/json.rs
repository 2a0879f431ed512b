//! Edits of a JSON file: keys of existing objects get their values, and everything else keeps its layout and order.
//!
//! A key that is missing in an object that is there is added behind its last key, laid out like it. An object that is
//! missing is an error: a file that does not have it is probably another file.

use std::collections::BTreeMap;
use std::ops::Range;

use super::nearest::nearest;
use super::source::{Charset, Readable, Source, Splice, Unmarked};
use super::{Change, Outcome, Refusal, RefusalKind, Work};
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

/// A value of the file.
struct Node {
    range: Range<usize>,
    /// The keys, where it is an object; `None` for everything else.
    members: Option<Vec<Member>>,
    is_array: bool,
}

struct Member {
    name: String,
    key: Range<usize>,
    value: Node,
}

/// Walks over a text that is known to be JSON.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    twice: Vec<(String, Range<usize>)>,
}

impl Walk<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += blanks;
        rest.get(blanks).copied()
    }

    /// Recursion ends where `serde_json` has ended it: at 128 levels.
    fn value(&mut self) -> Node {
        let first = self.peek();
        let start = self.at;
        let mut members = None;
        match first {
            Some(b'{') => {
                self.at += 1;
                members = Some(self.members());
            }
            Some(b'[') => {
                self.at += 1;
                loop {
                    match self.peek() {
                        None => break,
                        Some(b']') => {
                            self.at += 1;
                            break;
                        }
                        Some(b',') => self.at += 1,
                        Some(_) => drop(self.value()),
                    }
                }
            }
            Some(b'"') => drop(self.string()),
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let end = rest.find([',', ']', '}', ' ', '\n', '\r', '\t']);
                self.at += end.unwrap_or(rest.len());
            }
        }
        Node {
            range: start..self.at,
            members,
            is_array: first == Some(b'['),
        }
    }

    fn members(&mut self) -> Vec<Member> {
        let mut members: Vec<Member> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        loop {
            match self.peek() {
                None => return members,
                Some(b'}') => {
                    self.at += 1;
                    return members;
                }
                Some(b',') => self.at += 1,
                Some(_) => {
                    let (name, key) = self.string();
                    if !names.insert(name.clone()) {
                        self.twice.push((name.clone(), key.clone()));
                    }
                    self.peek();
                    self.at += 1;
                    let value = self.value();
                    members.push(Member { name, key, value });
                }
            }
        }
    }

    fn string(&mut self) -> (String, Range<usize>) {
        let start = self.at;
        let rest = self.text.as_bytes().get(start + 1..).unwrap_or_default();
        let mut length = 0;
        while let Some(at) = memchr::memchr2(b'"', b'\\', rest.get(length..).unwrap_or_default()) {
            length += at + 1;
            if rest.get(length - 1) == Some(&b'"') {
                break;
            }
            length += 1;
        }
        self.at = (start + 1 + length).min(self.text.len());
        let range = start..self.at;
        let raw = self.text.get(range.clone()).unwrap_or_default();
        let value = serde_json::from_str(raw).expect("the whole text was read before");
        (value, range)
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
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        let error = syntax_error(text, &error);
        if error.message.contains("recursion limit") {
            let message = "objects and lists are nested deeper than 127 levels";
            return Err(vec![
                Refusal::new(RefusalKind::Limit, message).in_file(source.file_range(&error.range)),
            ]);
        }
        return Err(vec![
            Refusal::new(
                RefusalKind::BadFile,
                format!("the file is no JSON: {}", error.message),
            )
            .in_file(source.file_range(&error.range))
            .help("its reader would not take it either: mend it first"),
        ]);
    }
    let mut walk = Walk {
        text,
        at: 0,
        twice: Vec::new(),
    };
    let root = walk.value();
    if walk.twice.is_empty() {
        return Ok(root);
    }
    let refusals = walk.twice.into_iter().map(|(name, range)| {
        let message = format!(
            "the key `{name}` is there twice in one object, and readers disagree about which one counts"
        );
        Refusal::new(RefusalKind::Ambiguous, message)
            .in_file(source.file_range(&range))
            .looked_for(name)
            .help("remove one of them by hand")
    });
    Err(refusals.collect())
}

/// What the edits do to a file, or everything that stands against it.
pub(super) fn work(edits: &[JsonEdit], source: &Source<'_>) -> Result<Work, Vec<Refusal>> {
    let root = read(source)?;
    let mut work = Work::default();
    let mut refusals = Vec::new();
    // Additions to one object stand behind each other.
    let mut additions: BTreeMap<usize, (&Node, Vec<String>)> = BTreeMap::new();
    for edit in edits {
        match place(edit, &root, source) {
            Ok(Found::Value(value)) => {
                let old = source.text().get(value.range.clone()).unwrap_or_default();
                let meaning = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
                let same = meaning(old) == meaning(&edit.value);
                let change = Change {
                    key: edit.path(),
                    line: 0,
                    old: Some(old.to_owned()),
                    new: Some(edit.value.clone()),
                    outcome: if same { Outcome::AlreadySo } else { Outcome::Set },
                    edit_range: edit.range.clone(),
                    span: value.range.clone(),
                };
                work.set(change, edit.value.clone());
            }
            Ok(Found::New(object, name)) => {
                let at = insertion(object);
                work.changes.push(Change {
                    key: edit.path(),
                    line: 0,
                    old: None,
                    new: Some(edit.value.clone()),
                    outcome: Outcome::Inserted,
                    edit_range: edit.range.clone(),
                    span: at..at,
                });
                match addition(object, name, &edit.value, source.text()) {
                    Some(text) => additions.entry(at).or_insert((object, Vec::new())).1.push(text),
                    None => refusals.push(Refusal::new(
                        RefusalKind::Unwritable,
                        "the key cannot be written in JSON",
                    )),
                }
            }
            Err(refusal) => {
                refusals.push(refusal.in_edits(edit.range.clone()).looked_for(edit.path()));
            }
        }
    }
    for (at, (object, texts)) in additions {
        let is_empty = object.members.as_ref().is_none_or(Vec::is_empty);
        let text = if is_empty {
            texts.join(", ")
        } else {
            texts.concat()
        };
        work.splices.push(Splice { range: at..at, text });
    }
    if refusals.is_empty() {
        Ok(work)
    } else {
        Err(refusals)
    }
}

/// Where an addition to an object goes: behind its last value, or behind the bracket.
fn insertion(object: &Node) -> usize {
    let last = object.members.as_ref().and_then(|members| members.last());
    last.map_or(object.range.start + 1, |last| last.value.range.end)
}

/// A new key as it is written behind the last one of an object: on a line of its own if that is.
fn addition(object: &Node, name: &str, value: &str, text: &str) -> Option<String> {
    let key = json_string(name).ok()?;
    let members = object.members.as_deref()?;
    let Some(last) = members.last() else {
        return Some(format!("{key}: {value}"));
    };
    let before = match members.len().checked_sub(2).and_then(|at| members.get(at)) {
        Some(member) => member.value.range.end,
        None => object.range.start + 1,
    };
    // The blanks in front of the last key, and what stands between it and its value.
    let gap = text
        .get(before..last.key.start)?
        .trim_start_matches(|c: char| c != ',');
    let gap = match gap.strip_prefix(',') {
        Some(gap) => gap,
        None => text.get(before..last.key.start)?,
    };
    let colon = text.get(last.key.end..last.value.range.start)?;
    Some(format!(",{gap}{key}{colon}{value}"))
}

enum Found<'n, 'e> {
    Value(&'n Node),
    New(&'n Node, &'e str),
}

fn place<'n, 'e>(edit: &'e JsonEdit, root: &'n Node, source: &Source<'_>) -> Result<Found<'n, 'e>, Refusal> {
    let mut at = root;
    for (depth, name) in edit.keys.iter().enumerate() {
        let Some(members) = &at.members else {
            let whose = if depth == 0 {
                String::from("the file")
            } else {
                format!(
                    "`{}`",
                    JsonEdit::pointer(edit.keys.get(..depth).unwrap_or_default())
                )
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
        let pointer = JsonEdit::pointer(edit.keys.get(..=depth).unwrap_or_default());
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
            return Ok(Found::New(at, name));
        }
        let names = members.iter().map(|member| member.name.as_str());
        return Err(Refusal::new(
            RefusalKind::Missing,
            format!("the file has no object `{pointer}`"),
        )
        .nearest(nearest(name, names))
        .help("keys are only added to an object that is there: find out whether this is the right file"));
    }
    if at.members.as_ref().is_some_and(|members| !members.is_empty())
        || at.is_array != edit.value.starts_with('[') && at.is_array
    {
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
