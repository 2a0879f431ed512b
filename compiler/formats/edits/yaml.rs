//! Edits of keyed lines in a YAML file of a Ruby program.
//!
//! A YAML parser tells what is a key and where its value stands, so that a line inside a block scalar, a comment or a
//! quoted text is never taken for a setting. It never writes: the value is replaced in the text, in the quotes it has.

use std::ops::Range;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle};

use super::nearest::nearest;
use super::source::{Charset, Readable, Source, Unmarked};
use super::{Change, Note, Outcome, Refusal, RefusalKind, Work};
use crate::Cut as _;
use crate::yaml_lines::{YamlEdit, YamlKey};

/// `YAML.load_file` takes UTF-8, with or without a mark, and refuses UTF-16 and bytes that are not UTF-8.
pub(super) const READABLE: Readable = Readable {
    reader: "Ruby's YAML",
    utf8_mark: true,
    utf16: false,
    unmarked: Unmarked::Only(Charset::Utf8),
};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// Most values that are read.
const MAX_NODES: usize = 1_000_000;

/// Signs that end a line in YAML 1.1, which Ruby reads, and in no newer version of YAML.
const ENDS_A_LINE: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// A value of the file.
struct Node {
    kind: Kind,
    range: Range<usize>,
    anchored: bool,
    tagged: bool,
}

enum Kind {
    Scalar { text: String, style: ScalarStyle },
    Alias,
    Sequence,
    Mapping(Vec<(Node, Node)>),
}

/// A collection whose end was not read yet.
struct Open {
    node: Node,
    key: Option<Node>,
}

/// The first document of a file, which is the one Ruby loads.
fn read(text: &str) -> Result<Option<Node>, Refusal> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    if let Some((at, letter)) = text
        .char_indices()
        .find(|(_, letter)| ENDS_A_LINE.contains(letter))
    {
        let name = crate::characters::name(letter);
        let message = format!("{name} ends a line for Ruby, and for no editor");
        return Err(Refusal::new(RefusalKind::Unsuitable, message)
            .in_file(at..at + letter.len_utf8())
            .help("remove it by hand: what stands behind it may be a setting"));
    }
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Node> = None;
    let mut nodes = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
                let message = format!("keys and lists are nested deeper than {MAX_DEPTH} levels");
                return Refusal::new(RefusalKind::Limit, message);
            }
            let at = error.marker().byte_offset().unwrap_or(text.len());
            Refusal::new(RefusalKind::BadFile, format!("the file is no YAML: {error}"))
                .in_file(crate::characters::range_at(text, text.floor_char_boundary(at)))
                .help("Ruby would not read this file either: mend it first")
        })?;
        let Some(range) = span.byte_range() else {
            // An edit in the wrong place is worse than none.
            let message = "the reader of YAML does not say where a value stands";
            return Err(Refusal::new(RefusalKind::BadFile, message));
        };
        let new = |kind, anchor: usize, tagged: bool| Node {
            kind,
            range: range.clone(),
            anchored: anchor > 0,
            tagged,
        };
        #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
        let done = match event {
            Event::Scalar(value, style, anchor, tag) => {
                let in_braces = open
                    .last()
                    .is_some_and(|open| text_at(text, open.node.range.start, ['{', '[']));
                if in_braces && style == ScalarStyle::Plain && text_at(text, range.start, [':', ':']) {
                    let message =
                        "the file is no YAML for Ruby: it reads no symbol inside braces or brackets";
                    return Err(Refusal::new(RefusalKind::BadFile, message).in_file(range));
                }
                let text = value.into_owned();
                new(Kind::Scalar { text, style }, anchor, tag.is_some())
            }
            Event::Alias(_) => new(Kind::Alias, 0, false),
            Event::SequenceStart(_, anchor, tag) => {
                let node = new(Kind::Sequence, anchor, tag.is_some());
                open.push(Open { node, key: None });
                continue;
            }
            Event::MappingStart(_, anchor, tag) => {
                let node = new(Kind::Mapping(Vec::new()), anchor, tag.is_some());
                open.push(Open { node, key: None });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(mut frame) => {
                    frame.node.range.end = range.end.max(frame.node.range.start);
                    frame.node
                }
                None => continue,
            },
            Event::DocumentEnd => break,
            _ => continue,
        };
        nodes += 1;
        if nodes > MAX_NODES {
            let message = format!("the file has more than {MAX_NODES} values");
            return Err(Refusal::new(RefusalKind::Limit, message));
        }
        match open.last_mut() {
            None => root = Some(done),
            Some(Open { node, key }) => match (&mut node.kind, key.take()) {
                (Kind::Mapping(pairs), Some(key)) => pairs.push((key, done)),
                (Kind::Mapping(_), None) => *key = Some(done),
                (Kind::Sequence | Kind::Scalar { .. } | Kind::Alias, _) => {}
            },
        }
    }
    Ok(root)
}

/// Whether one of two characters stands at a place.
fn text_at(text: &str, at: usize, characters: [char; 2]) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(characters))
}

/// Whether a key is the sign that merges another mapping.
fn is_merge(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, style: ScalarStyle::Plain } if text == "<<")
}

/// Whether Ruby reads a plain key as a truth value, nothing, a number or a time, which are no texts.
fn is_no_text(plain: &str) -> bool {
    let words = ["", "~", "null", "true", "false", "yes", "no", "on", "off"];
    let is_number = || {
        plain.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
            && plain.contains(|c: char| c.is_ascii_digit())
            && plain.chars().all(|c| {
                c.is_ascii_hexdigit()
                    || matches!(c, '+' | '-' | '.' | ',' | '_' | ':' | 'x' | 'o' | 'T' | 'Z' | ' ')
            })
    };
    words.contains(&plain.to_ascii_lowercase().as_str()) || is_number() && !is_surely_a_text(plain)
}

/// The key as Ruby reads it, where it is a text or a symbol.
fn key_of(node: &Node) -> Option<YamlKey> {
    let Kind::Scalar { text, style } = &node.kind else {
        return None;
    };
    if *style == ScalarStyle::Plain && is_no_text(text) {
        return None;
    }
    let symbol = text
        .strip_prefix(':')
        .filter(|name| !name.is_empty() && *style == ScalarStyle::Plain);
    Some(match symbol {
        Some(name) => {
            let inside = ['"', '\'']
                .iter()
                .find_map(|quote| name.strip_prefix(*quote)?.strip_suffix(*quote));
            YamlKey::Symbol(inside.unwrap_or(name).to_owned())
        }
        None => YamlKey::Text(text.clone()),
    })
}

/// What the edits do to a file, or everything that stands against it.
pub(super) fn work(edits: &[YamlEdit], source: &Source<'_>) -> Result<Work, Vec<Refusal>> {
    let root = read(source.text()).map_err(|mut refusal| {
        refusal.file_range = refusal.file_range.map(|range| source.file_range(&range));
        vec![refusal]
    })?;
    let about = |edit: &YamlEdit| (edit.path(), edit.range.clone());
    Work::of(edits, about, |work, edit| {
        let (key, value) = find(edit, root.as_ref(), source)?;
        let (change, text) = change(edit, key, value, source)?;
        if change.outcome != Outcome::AlreadySo {
            work.notes.extend(anchored_above(edit, root.as_ref()));
        }
        work.set(change, text);
        Ok(())
    })
}

/// The key and the value an edit is about.
fn find<'n>(
    edit: &YamlEdit,
    root: Option<&'n Node>,
    source: &Source<'_>,
) -> Result<(&'n Node, &'n Node), Refusal> {
    let mut at: Option<(Option<&Node>, &Node)> = root.map(|root| (None, root));
    for (depth, wanted) in edit.keys.iter().enumerate() {
        let whose = if depth == 0 {
            String::from("the file")
        } else {
            format!("`{}`", YamlKey::path(edit.keys.cut(..depth)))
        };
        let Some((
            _,
            Node {
                kind: Kind::Mapping(pairs),
                ..
            },
        )) = at
        else {
            let message = format!("{whose} holds no keys, so `{wanted}` cannot be one of them");
            return Err(Refusal::new(RefusalKind::Missing, message)
                .in_file(at.map(|(_, node)| source.file_range(&node.range))));
        };
        let matching: Vec<&(Node, Node)> = pairs
            .iter()
            .filter(|(key, _)| key_of(key).as_ref() == Some(wanted))
            .collect();
        match matching.as_slice() {
            [(key, value)] => {
                let behind = pairs
                    .iter()
                    .find(|(merge, _)| is_merge(merge) && merge.range.start > key.range.start);
                if let Some((merge, _)) = behind {
                    let message = format!(
                        "the merge `<<` stands behind `{wanted}`, and Ruby takes from it what it has of the same name"
                    );
                    return Err(Refusal::new(RefusalKind::Unsuitable, message)
                        .in_file(source.file_range(&merge.range))
                        .help(format!("write `<<` before `{wanted}`, by hand")));
                }
                at = Some((Some(key), value));
            }
            [] => {
                let names: Vec<String> = pairs
                    .iter()
                    .filter_map(|(key, _)| key_of(key))
                    .map(|key| key.to_string())
                    .collect();
                let merges = names.iter().any(|name| name == "<<");
                let message = format!("{whose} has no key `{wanted}`");
                let help = if merges {
                    "it may come in through the merge key `<<`: write it out by hand where it is to differ"
                } else {
                    "nothing is appended: find out what the key is called in this version"
                };
                return Err(Refusal::new(RefusalKind::Missing, message)
                    .nearest(nearest(&wanted.to_string(), names.iter().map(String::as_str)))
                    .help(help));
            }
            [_, (second, _), ..] => {
                let message = format!(
                    "`{wanted}` is there {} times in {whose}, in lines {}, and Ruby reads only the last one",
                    matching.len(),
                    source.lines(matching.iter().map(|(key, _)| key.range.start))
                );
                return Err(Refusal::new(RefusalKind::Ambiguous, message)
                    .in_file(source.file_range(&second.range))
                    .help("remove all but one by hand"));
            }
        }
    }
    match at {
        Some((Some(key), value)) => Ok((key, value)),
        _ => Err(Refusal::new(RefusalKind::Missing, "the file holds no keys")),
    }
}

/// Notes on mappings around a value that have an anchor: what merges or repeats them changes too.
fn anchored_above(edit: &YamlEdit, root: Option<&Node>) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut at = root;
    for (depth, wanted) in edit.keys.iter().enumerate() {
        let Some(Node {
            kind: Kind::Mapping(pairs),
            range,
            anchored,
            ..
        }) = at
        else {
            break;
        };
        if *anchored {
            let inside = YamlKey::path(edit.keys.cut(..depth));
            notes.push(Note {
                message: format!(
                    "`{inside}` has an anchor: where another place merges or repeats it, `{}` changes there too",
                    edit.path()
                ),
                line: None,
                span: Some(range.start..range.start),
            });
        }
        at = pairs
            .iter()
            .find(|(key, _)| key_of(key).as_ref() == Some(wanted))
            .map(|(_, value)| value);
    }
    notes
}

fn change(
    edit: &YamlEdit,
    key: &Node,
    value: &Node,
    source: &Source<'_>,
) -> Result<(Change, String), Refusal> {
    let unsuitable = |message: String, help: &str| {
        Err(Refusal::new(RefusalKind::Unsuitable, message)
            .in_file(source.file_range(&value.range))
            .help(help))
    };
    let path = edit.path();
    if value.anchored {
        let message = format!("the value of `{path}` has an anchor, so other places use it too");
        return unsuitable(message, "write the value out in the places that use it, by hand");
    }
    if value.tagged {
        let message = format!("the value of `{path}` has a tag, which says how it is read");
        return unsuitable(message, "remove the tag by hand if the value is a text");
    }
    let quoted = format!("'{}'", edit.value.replace('\'', "''"));
    let (text, style) = match &value.kind {
        Kind::Mapping(_) | Kind::Sequence => {
            let message = format!("the value of `{path}` is a list or holds keys of its own");
            return unsuitable(message, "only a value on the line of its key is set");
        }
        Kind::Alias => (None, ScalarStyle::Plain),
        Kind::Scalar { text, style } => (Some(text), *style),
    };
    let new = match style {
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let message = format!("the value of `{path}` is a block of lines");
            return unsuitable(message, "only a value on the line of its key is set");
        }
        ScalarStyle::DoubleQuoted => {
            format!("\"{}\"", edit.value.replace('\\', "\\\\").replace('"', "\\\""))
        }
        ScalarStyle::SingleQuoted | ScalarStyle::Plain => quoted,
    };
    let old = text.filter(|_| !value.range.is_empty());
    let same =
        old.is_some_and(|old| *old == edit.value && (style != ScalarStyle::Plain || is_surely_a_text(old)));
    let mut change = Change {
        key: path,
        line: 0,
        old: match value.kind {
            Kind::Alias => source.text().get(value.range.clone()).map(str::to_owned),
            Kind::Scalar { .. } | Kind::Sequence | Kind::Mapping(_) => old.cloned(),
        },
        new: Some(edit.value.clone()),
        outcome: Outcome::of(same),
        edit_range: edit.range.clone(),
        span: value.range.clone(),
    };
    if !value.range.is_empty() {
        return Ok((change, new));
    }
    // Nothing stands behind the colon, and a parser may place nothing anywhere.
    let behind = source.text().get(key.range.end..).unwrap_or("");
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    if !behind.cut(blanks..).starts_with(':') {
        let message = format!("the key `{}` has no colon behind it on its line", change.key);
        return unsuitable(message, "write the setting on one line by hand");
    }
    let colon = key.range.end + blanks + 1;
    change.span = colon..colon;
    Ok((change, format!(" {new}")))
}

/// Whether a plain scalar is a text for Ruby, not a number, a date, a truth value or a symbol. In doubt it is written
/// anew in quotes.
fn is_surely_a_text(plain: &str) -> bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_address =
        || plain.split('.').count() == 4 && plain.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_word = || {
        plain.starts_with(|c: char| c.is_ascii_alphabetic())
            && !words.contains(&plain.to_ascii_lowercase().as_str())
    };
    is_address() || is_word()
}

#[cfg(test)]
mod tests {
    use super::super::EditKind::YamlLines;
    use super::super::tests::{applied, refused};

    /// The file after an edit.
    fn becomes(edits: &str, file: &str, expected: &str) {
        assert_eq!(applied(YamlLines, edits, file.as_bytes()).0, expected, "{file}");
    }

    #[test]
    fn a_value_keeps_its_quotes() {
        let edits = ":host: 'it''s \\ \"x\"'\n";
        becomes(
            edits,
            ":host: old # why\r\n:b: 1",
            ":host: 'it''s \\ \"x\"' # why\r\n:b: 1",
        );
        becomes(edits, ":host:   'o'\n", ":host:   'it''s \\ \"x\"'\n");
        becomes(edits, ":host: \"o\\n\"\n", ":host: \"it's \\\\ \\\"x\\\"\"\n");
        becomes(edits, ":host:\n:b: 1\n", ":host: 'it''s \\ \"x\"'\n:b: 1\n");
        becomes(edits, ":host: # none\n", ":host: 'it''s \\ \"x\"' # none\n");
        becomes("host: 'x'\n", "{host: o, b: 1}\n", "{host: 'x', b: 1}\n");
        becomes(
            edits,
            ":d: &d 1\n:host: *d\n",
            ":d: &d 1\n:host: 'it''s \\ \"x\"'\n",
        );
        becomes(edits, "\u{feff}:host: o\n", "\u{feff}:host: 'it''s \\ \"x\"'\n");
    }

    #[test]
    fn what_looks_like_a_key_is_none() {
        let file = "# :host: no\n:text: |\n  :host: no\n:fold: >-\n  :host: no\n:quoted: ':host: no\n\n  :host: no'\n:list:\n- :host: no\n\":host\": no\nhost: no\n:deep:\n  :host: no\n---\n:host: second\n";
        let with = file.replace("---\n", ":host: yes\n---\n");
        becomes(":host: 'x'\n", &with, &file.replace("---\n", ":host: 'x'\n---\n"));
        assert_eq!(
            refused(YamlLines, ":host: 'x'\n", file.as_bytes()),
            ["Missing the file has no key `:host` (nearest `host`)"]
        );
    }

    #[test]
    fn keys_may_be_nested() {
        let file = "defaults: &d\n  :host: a\nproduction:\n    <<: *d\n    :db:\n        user: b\n";
        becomes(
            "defaults:\n  :host: 'x'\nproduction:\n  :db:\n    user: 'y'\n",
            file,
            &file.replace(" a\n", " 'x'\n").replace(" b\n", " 'y'\n"),
        );
        assert_eq!(
            refused(
                YamlLines,
                "production:\n  :host: 'x'\nproductio:\n  a: 'y'\n",
                file.as_bytes()
            ),
            [
                "Missing `production` has no key `:host`",
                "Missing the file has no key `productio` (nearest `production`)"
            ]
        );
    }

    #[test]
    fn what_ruby_reads_in_another_way_is_refused() {
        let check = |edits: &str, file: &str, expected: &str| {
            let found = refused(YamlLines, edits, file.as_bytes());
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{file}: {found:?}"
            );
        };
        check(
            "host: 'b'\n",
            "host: a\n<<: {host: z}\n",
            "the merge `<<` stands behind `host`",
        );
        check(
            "host: 'b'\n",
            "x: &x\n  host: z\nhost: a\n<<: *x\n",
            "the merge `<<`",
        );
        becomes(
            "host: 'b'\n",
            "<<: {host: z}\nhost: a\n",
            "<<: {host: z}\nhost: 'b'\n",
        );
        for key in ["yes", "On", "1", "1.5", "2001-01-01", "~", "null"] {
            let edit = format!("\"{key}\": 'n'\n");
            check(&edit, &format!("{key}: a\n"), "has no key");
            becomes(
                &edit,
                &format!("{key}: a\n\"{key}\": b\n"),
                &format!("{key}: a\n\"{key}\": \"n\"\n").replace("\"n\"", "'n'"),
            );
        }
        becomes("\"127.0.0.1\": 'n'\n", "127.0.0.1: a\n", "127.0.0.1: 'n'\n");
        for end in ['\u{85}', '\u{2028}', '\u{2029}'] {
            check(
                "host: 'b'\n",
                &format!("host: a # old{end}host: c\n"),
                "ends a line for Ruby",
            );
        }
        let mut deep = String::new();
        for depth in 0..70 {
            deep.push_str(&" ".repeat(depth));
            deep.push_str("k:\n");
        }
        check("host: 'b'\n", &deep, "Limit keys and lists are nested deeper");
    }

    #[test]
    fn an_anchor_above_a_value_is_noted() {
        let file = "default: &d\n  host: a\nproduction:\n  <<: *d\n";
        let edits = crate::edits::Edits::read(YamlLines, "default:\n  host: 'b'\n").unwrap();
        let edited = edits.apply(file.as_bytes()).unwrap();
        let notes: Vec<_> = edited
            .notes
            .iter()
            .map(|note| (note.line, note.message.as_str()))
            .collect();
        assert_eq!(
            notes,
            [(
                Some(2),
                "`default` has an anchor: where another place merges or repeats it, `default > host` changes there too"
            )]
        );
        assert!(edits.apply(&edited.bytes).unwrap().notes.is_empty());
    }

    #[test]
    fn what_cannot_be_set_alone_is_refused() {
        let check = |file: &str, expected: &[&str]| {
            assert_eq!(
                refused(YamlLines, ":host: 'x'\n", file.as_bytes()),
                expected,
                "{file}"
            );
        };
        check(
            ":host: a\n:b: 1\n:host: c\n",
            &[
                "Ambiguous 15..20 `:host` is there 2 times in the file, in lines 1, 3, and Ruby reads only the last one",
            ],
        );
        check(
            ":host: |\n  a\n",
            &["Unsuitable 11..13 the value of `:host` is a block of lines"],
        );
        check(
            ":host:\n  a: 1\n",
            &["Unsuitable 9..14 the value of `:host` is a list or holds keys of its own"],
        );
        check(
            ":host: &h a\n:b: *h\n",
            &["Unsuitable 10..11 the value of `:host` has an anchor, so other places use it too"],
        );
        check(
            ":host: !ruby/object:X a\n",
            &["Unsuitable 22..23 the value of `:host` has a tag, which says how it is read"],
        );
        check(
            "- a\n",
            &["Missing 0..4 the file holds no keys, so `:host` cannot be one of them"],
        );
        check(
            "",
            &["Missing the file holds no keys, so `:host` cannot be one of them"],
        );
        check(
            "{:host: 0}\n",
            &["BadFile 1..6 the file is no YAML for Ruby: it reads no symbol inside braces or brackets"],
        );
        let found = refused(YamlLines, ":host: 'x'\n", b":host: 'a\n");
        assert!(found[0].starts_with("BadFile "), "{found:?}");
    }

    #[test]
    fn only_a_plain_text_is_already_so() {
        for (value, same) in [
            ("127.0.0.1", true),
            ("localhost", true),
            ("No", false),
            ("1.5", false),
            ("2020-01-01", false),
        ] {
            let edits = format!(":host: '{value}'\n");
            let (text, _) = applied(YamlLines, &edits, format!(":host: {value}\n").as_bytes());
            let wanted = if same { format!(":host: {value}\n") } else { edits };
            assert_eq!(text, wanted);
        }
    }
}
