//! XML: escaping, a reader that loses nothing, changes that leave every other byte alone, and flattening into items.
//!
//! Base of the transform documents in `xdt` and of their application in `edits`; it knows nothing of transforms or of any
//! vocabulary. Document type definitions are refused, so no entity can be declared, and nesting is limited.

pub mod change;
pub mod read;
pub mod tree;

use std::collections::BTreeMap;

use read::Limits;
use tree::{Attribute, Document, NodeId};

use super::characters;
use super::{FactPath, Form, FormatError, Item, Step};

/// Deepest nesting of elements that is read.
pub const MAX_DEPTH: usize = 64;

/// Escapes a value for an attribute in either kind of quotes; safe in element text as well, and therefore the default.
///
/// Refuses characters XML 1.0 cannot carry, other invisible characters, and line feeds, carriage returns and tabs,
/// because a reader turns them into blanks (XML 1.0 section 3.3.3; DEF-58).
pub fn xml_attr(value: &str) -> Result<String, FormatError> {
    characters::refuse(value, "an XML attribute", |character| match character {
        '\n' | '\r' | '\t' => Some("a reader turns it into a blank"),
        _ => characters::unprintable(character),
    })?;
    Ok(escaped(value))
}

/// Escapes a value for the text of an element.
///
/// Refuses what [`xml_attr`] refuses, except line feeds and tabs, which element text keeps.
pub fn xml_text(value: &str) -> Result<String, FormatError> {
    characters::refuse(value, "XML text", |character| match character {
        '\n' | '\t' => None,
        '\r' => Some("a reader turns it into a line feed"),
        _ => characters::unprintable(character),
    })?;
    Ok(escaped(value))
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            _ => out.push(character),
        }
    }
    out
}

/// Reads a whole document in review form.
///
/// Refuses a byte order mark (the text is the review form), document type definitions, a declared encoding other than
/// UTF-8, nesting beyond [`MAX_DEPTH`], and everything that is not well-formed. After a well-formedness error nothing
/// else of the text is known, so that error comes alone.
pub fn parse(text: &str) -> Result<Document, Vec<FormatError>> {
    let limits = Limits {
        bytes: crate::edits::source::MAX_FILE_BYTES,
        depth: MAX_DEPTH,
        nodes: 1_000_000,
    };
    not_in_review_form(text)?;
    Document::read(text.to_owned(), limits).map_err(|error| vec![error])
}

/// What a text under review must not hold although XML may.
pub(crate) fn not_in_review_form(text: &str) -> Result<(), Vec<FormatError>> {
    if text.starts_with('\u{feff}') {
        return Err(vec![FormatError::new(
            0..3,
            "the text begins with a byte order mark, which encoding adds",
        )]);
    }
    wrong_encoding(text).map_or(Ok(()), |error| Err(vec![error]))
}

fn wrong_encoding(text: &str) -> Option<FormatError> {
    let declaration = text
        .strip_prefix("<?xml")?
        .split_once("?>")
        .map(|(inside, _)| inside)?;
    let (before, after) = declaration.split_once("encoding")?;
    let value = after
        .trim_start()
        .strip_prefix('=')?
        .trim()
        .trim_matches(['"', '\'']);
    let name = value.split(['"', '\'']).next().unwrap_or_default();
    let start = "<?xml".len() + before.len();
    (!name.eq_ignore_ascii_case("utf-8")).then(|| {
        let message = format!("the declared encoding is `{name}`, but the text is UTF-8");
        FormatError::new(start..start + "encoding".len() + after.len(), message)
    })
}

/// Name of an attribute as items and messages show it; `prefixes` maps namespaces to the prefix to show for them.
pub fn attribute_name(document: &Document, attribute: &Attribute, prefixes: &[(&str, &str)]) -> String {
    let name = document.attribute_name(attribute);
    match document.uri(attribute.namespace()) {
        "" => name.to_owned(),
        namespace => {
            let known = prefixes.iter().find(|(uri, _)| *uri == namespace);
            let prefix = known.map_or_else(|| format!("{{{namespace}}}"), |(_, p)| format!("{p}:"));
            format!("{prefix}{name}")
        }
    }
}

/// Flattens a document into items: one for each attribute (`a > b > @name`), one for the text of each element
/// (`a > b > text`), and one without a value for an element that has neither and no children.
///
/// `step` names an element within its parent; a repeated one gets a number (`b`, `b#2`). Text of white space alone
/// counts as layout; `value_of` normalizes the value of an attribute.
pub fn flatten(
    document: &Document,
    prefixes: &[(&str, &str)],
    step: &dyn Fn(NodeId) -> Step,
    value_of: &dyn Fn(&Attribute) -> String,
) -> Vec<Item> {
    let mut items = Vec::new();
    let Some(root) = document.root() else { return items };
    let mut waiting = vec![(root, FactPath::from(step(root)))];
    while let Some((element, path)) = waiting.pop() {
        let before = items.len();
        for attribute in document.plain_attributes(element) {
            let name = attribute_name(document, attribute, prefixes);
            items.push(Item {
                path: path.child(Step::new(Form::Attribute, &name)),
                value: value_of(attribute),
                range: attribute.range(),
            });
        }
        let text = document.own_text(element);
        if !text.trim().is_empty() {
            let is_text = |child: &NodeId| {
                matches!(
                    document.kind(*child),
                    tree::NodeKind::Text | tree::NodeKind::CData
                )
            };
            let pieces = document
                .children(element)
                .filter(is_text)
                .map(|child| document.range(child));
            items.push(Item {
                path: path.child(Step::new(Form::Content, "text")),
                value: text,
                range: pieces
                    .reduce(|first, last| first.start..last.end)
                    .unwrap_or_else(|| document.range(element)),
            });
        }
        let mut seen: BTreeMap<Step, usize> = BTreeMap::new();
        let first_child = waiting.len();
        for child in document.elements(element) {
            let step = step(child);
            let count = seen.entry(step.clone()).or_default();
            *count += 1;
            waiting.push((child, path.child(step.repeated(*count))));
        }
        if items.len() == before && waiting.len() == first_child {
            items.push(Item {
                path,
                value: String::new(),
                range: document.range(element),
            });
        }
        if let Some(children) = waiting.get_mut(first_child..) {
            children.reverse();
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::told::told;

    /// Parses `text` and compares its items, or its errors as `range message`.
    fn check(text: &str, expected: &[&str]) {
        let items = parse(text).map(|document| {
            flatten(
                &document,
                &[("urn:n", "n")],
                &|node| Step::new(Form::Element, document.name(node)),
                &|attribute| document.value(attribute).into_owned(),
            )
        });
        assert_eq!(told(items), expected);
    }

    #[test]
    fn layout_does_not_matter_and_repeated_elements_are_numbered() {
        let expected = [
            "a > b > @x = 1",
            "a > b#2 > @n:x = 2",
            "a > b#2 > text =  two ",
            "a > c = ",
        ];
        check(
            "<a xmlns:n=\"urn:n\"><b x='1'/><b n:x='2'> two </b><c/></a>",
            &expected,
        );
        check(
            "<?xml version='1.0' encoding='UTF-8'?>\n<a\n  xmlns:other=\"urn:n\">\n\t<b\n x=\"1\"></b><!-- c --><b other:x=\"2\"><![CDATA[ two ]]></b>\n  <c>\n  </c>\n</a>\n",
            &expected,
        );
    }

    #[test]
    fn what_is_not_well_formed_is_refused_with_its_position() {
        check("<a>\n<b></a>", &["7..11 expected `</b>`, not `</a>`"]);
        check("<a x='1' x='2'/>", &["9..10 the attribute `x` is given twice"]);
        check(
            "<a>&nbsp;</a>",
            &["3..4 unknown entity or character reference `&nbsp;`"],
        );
        check(
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            &[
                "0..1 document type definitions are not read: they could declare entities and attributes that nobody sees",
            ],
        );
        check(
            "\u{feff}<a/>",
            &["0..3 the text begins with a byte order mark, which encoding adds"],
        );
        check(
            "<?xml version='1.0' encoding='utf-16'?><a/>",
            &["20..37 the declared encoding is `utf-16`, but the text is UTF-8"],
        );
        check("", &["0..0 the document has no root element"]);
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert!(parse(&format!("<r>{}<a/></r>", nested(MAX_DEPTH - 1))).is_ok());
        for depth in [MAX_DEPTH + 1, 20_000] {
            let errors = parse(&nested(depth)).unwrap_err();
            assert_eq!(errors[0].message, "elements are nested deeper than 64 levels");
        }
    }

    #[test]
    fn quoting_refuses_what_a_reader_would_change() {
        assert_eq!(
            xml_attr("a\nb").unwrap_err().message,
            "the line feed (U+000A) cannot stand in an XML attribute: a reader turns it into a blank"
        );
        assert_eq!(xml_text("a\nb]]>").unwrap(), "a\nb]]&gt;");
        assert!(xml_text("a\r\nb").is_err());
        assert!(xml_attr("\u{fffe}").is_err());
    }

    proptest! {
        #[test]
        fn quoted_values_are_read_back(value in any::<String>()) {
            if let Ok(quoted) = xml_attr(&value) {
                let text = format!("<a x=\"{quoted}\" y='{quoted}'>{quoted}</a>");
                let document = parse(&text).unwrap();
                let root = document.root().unwrap();
                for name in ["x", "y"] {
                    let read = document.attribute(root, name).map(std::borrow::Cow::into_owned);
                    prop_assert_eq!(read, Some(value.clone()));
                }
                prop_assert_eq!(document.own_text(root), value.clone());
            }
            if let Ok(quoted) = xml_text(&value) {
                let text = format!("<a>{quoted}</a>");
                let document = parse(&text).unwrap();
                prop_assert_eq!(document.own_text(document.root().unwrap()), value);
            }
        }

        #[test]
        fn printable_ascii_is_never_refused(value in "[ -~]{0,40}") {
            prop_assert!(xml_attr(&value).is_ok() && xml_text(&value).is_ok());
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[<>/=a-c'\" &;#!?\\[\\]\n-]{0,60}") {
            if let Err(errors) = parse(&text) {
                prop_assert!(!errors.is_empty());
                prop_assert!(errors.iter().all(|error| text.get(error.range.clone()).is_some()));
            }
        }

        #[test]
        fn what_is_read_is_what_another_reader_reads(text in "(<(a|b|p:a|q:b|p:|)( x='[&;a<]{0,3}')?/?>|</a>|</b>|<a>|<b x=\"1\">|<b/>|x|&amp;|&#6[0-9];|<!--[-x]{0,3}-->|<!\\[CDATA\\[x?\\]\\]>|\\]\\]>|<\\?x y\\?>| |\n){0,9}") {
            let text = format!("<a xmlns:p='u'>{text}</a>");
            let theirs = roxmltree::Document::parse(&text);
            let ours = parse(&text);
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours.err(), theirs.err());
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                prop_assert_eq!(ours.written(), text.as_str());
                let found: Vec<(String, std::ops::Range<usize>)> = ours
                    .descendants(ours.top())
                    .filter(|node| ours.is_element(*node))
                    .map(|node| (ours.name(node).to_owned(), ours.range(node)))
                    .collect();
                let expected: Vec<(String, std::ops::Range<usize>)> = theirs
                    .descendants()
                    .filter(roxmltree::Node::is_element)
                    .map(|node| (node.tag_name().name().to_owned(), node.range()))
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
