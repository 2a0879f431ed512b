//! Whether a YAML file is an inventory of its own, without reading what it says.
//!
//! A folder holds inventories, the layers they extend, and YAML files of other programs. Only its outermost keys tell
//! them apart. This file looks at nothing else, and reports nothing: who takes a file for an inventory reads it
//! properly, and shows what is wrong with it.

use granit_parser::{Event, Options, Parser};

/// The key every inventory has and no layer needs.
const OWN_KEY: &str = "bundle";

/// Whether a file counts as an inventory: it has a key `bundle` of its own, or nobody can say that it has none.
///
/// Only a file that is certainly something else may be left out, because one that is left out is never mentioned again:
/// mappings without that key (layers, and files of other programs) and lists (files of other programs). What is not
/// UTF-8, does not follow the rules of YAML, or holds neither a mapping nor a list is an inventory that was damaged.
pub fn is_inventory(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_or(true, |text| outline(text) != Some(Outline::SomethingElse))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outline {
    Inventory,
    SomethingElse,
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
    let mut found = false;
    for event in Parser::new_from_str_with_options(text, options) {
        let value_ended = match event.ok()?.0 {
            Event::Scalar(text, ..) => {
                found |= depth == 1 && key_next == Some(true) && text == OWN_KEY;
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
    match (found, collections) {
        (true, _) => Some(Outline::Inventory),
        (false, 0) => None,
        (false, _) => Some(Outline::SomethingElse),
    }
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
}
