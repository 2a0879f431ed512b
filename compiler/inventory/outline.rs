//! Whether a YAML file is an inventory of its own, without reading what it says.
//!
//! A folder holds inventories, the layers they extend, and YAML files of other programs. Only its outermost keys tell
//! them apart. This file looks at nothing else, and reports nothing: who takes a file for an inventory reads it
//! properly, and shows what is wrong with it.

use std::collections::BTreeSet;

use granit_parser::{Event, Options, Parser};

use super::Schema;
use crate::diag::nearest;

/// The key every inventory has and no layer needs.
const OWN_KEY: &str = "bundle";

/// Whether a file counts as an inventory: it has a key `bundle` of its own, or nobody can say that it has none.
///
/// Only a file that is certainly something else may be left out, because one that is left out is never mentioned again:
/// mappings without that key (layers, and files of other programs) and lists (files of other programs). What is not
/// UTF-8, does not follow the rules of YAML, or holds neither a mapping nor a list is an inventory that was damaged.
pub fn is_inventory(bytes: &[u8]) -> bool {
    of_bytes(bytes).is_none_or(|outline| outline.keys.iter().any(|key| key == OWN_KEY))
}

/// The key that names servers, which layers leave to inventories.
const SERVERS: &str = "servers";

/// Whether a file without a key `bundle` was probably meant as an inventory: it has servers or a key like `bundle`, and is
/// not a file of another program, which knows none of the other keys of inventories. A layer may look the same: a file that
/// another one extends is one.
pub fn is_meant_as_inventory(bytes: &[u8]) -> bool {
    let Some(outline) = of_bytes(bytes) else {
        return false;
    };
    let known: BTreeSet<String> = Schema::merged()
        .get("properties")
        .and_then(serde_json::Value::as_object)
        .into_iter()
        .flat_map(|keys| keys.keys().cloned())
        .collect();
    let is_like_bundle = |key: &String| !known.contains(key) && nearest(key, [OWN_KEY]).is_some();
    let has_evidence = outline
        .keys
        .iter()
        .any(|key| key == SERVERS || is_like_bundle(key));
    let is_ours = outline
        .keys
        .iter()
        .any(|key| key != SERVERS && (known.contains(key) || key == EXTENDS));
    has_evidence && (is_ours || outline.keys.len() == 1)
}

/// The key that names layers.
const EXTENDS: &str = "extends";

/// What a file names in `extends`, as written.
pub fn extended(bytes: &[u8]) -> Vec<String> {
    of_bytes(bytes).map_or_else(Vec::new, |outline| outline.extends)
}

/// `None` when the bytes are no text, too.
fn of_bytes(bytes: &[u8]) -> Option<Outline> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    outline(std::str::from_utf8(bytes).ok()?)
}

/// The outermost keys, and the texts of `extends`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outline {
    keys: Vec<String>,
    extends: Vec<String>,
}

/// `None` when the text breaks a rule of YAML, or holds no collection. More lenient than the reader of inventories: tags,
/// merge keys and second documents are common in files of other programs.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
fn outline(text: &str) -> Option<Outline> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    let (mut depth, mut collections) = (0_usize, 0_usize);
    // Of the outermost mapping, whether a key comes next; `None` in an outermost list.
    let mut key_next = None;
    let mut found = Outline::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let value_ended = match event.ok()?.0 {
            Event::Scalar(text, ..) => {
                let is_extends = found.keys.last().is_some_and(|key| key == EXTENDS);
                if depth == 1 && key_next == Some(true) {
                    found.keys.push(text.into_owned());
                } else if is_extends && key_next == Some(false) && depth <= 2 {
                    found.extends.push(text.into_owned());
                }
                true
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => true,
            event @ (Event::MappingStart(..) | Event::SequenceStart(..)) => {
                if depth == 0 {
                    collections += 1;
                    key_next = matches!(event, Event::MappingStart(..)).then_some(true);
                }
                depth += 1;
                false
            }
            Event::MappingEnd | Event::SequenceEnd => {
                depth = depth.saturating_sub(1);
                true
            }
            _ => false,
        };
        if value_ended && depth == 1 {
            key_next = key_next.map(|next| !next);
        }
    }
    (collections > 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certainly_something_else_is_left_out() {
        let check =
            |text: &str, expected: bool| assert_eq!(is_inventory(text.as_bytes()), expected, "{text}");
        for own in [
            "bundle: { name: a }\n",
            "schema: x\n'bundle':\n  name: a\n",
            "\"bundle\" : {}\n",
            "{ schema: x, bundle: {} }\n",
            "\u{FEFF}bundle: {}\n",
            "? bundle\n: {}\n",
            "a: 1\r\nbundle:\r\n  name: a\r\n",
            "a: !tag x\nb: *unknown\nbundle: {}\n",
            "a: 1\n---\nbundle: {}\n",
        ] {
            check(own, true);
        }
        for damaged in ["", "# nothing\n", "bundle\n", "a: [1\nb: 2\n", "a: 'x\n"] {
            check(damaged, true);
        }
        assert!(is_inventory(b"a: \xFC\n"));
        for other in [
            "sql: { version: 2016 }\n",
            "a:\n  bundle: {}\n",
            "a: bundle\nb: [bundle]\n",
            "a: [bundle, x]\nb: { bundle: 1 }\nc: bundle\n",
            "- bundle\n- bundle: 1\n",
            "a: |\n  bundle: {}\n",
            "a: &x { bundle: 1 }\nb: *x\n",
            "job:\n  script: !reference [a, b]\n<<: *unknown\n",
            "[a]: 1\nb: bundle\n",
        ] {
            check(other, false);
        }
    }

    #[test]
    fn a_slip_in_the_name_of_its_own_key_makes_an_inventory_no_layer() {
        for meant in [
            "schema: cbgen/v1\nbundel: { name: a }\n",
            "Bundle: { name: a }\nsql: {}\n",
            "bundles:\n  name: a\nextends: x.yaml\n",
            "extends: [x.yaml]\nservers: [{ name: A }]\n",
            "servers: []\n",
            "product: {}\nservers:\n  - name: a\n",
        ] {
            assert!(is_meant_as_inventory(meant.as_bytes()), "{meant}");
        }
        for other in [
            "sql: { version: 2016 }\n",
            "openapi: 3.1.0\ninfo: {}\nservers: [{ url: x }]\npaths: {}\n",
            "handle: x\nbundles: y\n",
            "defaults: { all: {} }\nextends: x.yaml\n",
            "a:\n  servers: []\n",
            "- servers\n",
            "servers: [\n",
        ] {
            assert!(!is_meant_as_inventory(other.as_bytes()), "{other}");
        }
        for (text, names) in [
            ("extends: a.yaml\nsql: { extends: b }\n", &["a.yaml"][..]),
            (
                "sql: {}\nextends: [a.yaml, ../b.yaml]\nproxy: c\n",
                &["a.yaml", "../b.yaml"],
            ),
            ("extends:\n  - a.yaml\nservers:\n  - extends\n", &["a.yaml"]),
            ("sql: [extends, x]\n", &[]),
        ] {
            assert_eq!(extended(text.as_bytes()), names, "{text}");
        }
    }
}
