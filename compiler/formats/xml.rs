//! XML: escaping, well-formedness with positions, and flattening into items.
//!
//! Base of the transform documents in `xdt`; it knows nothing of transforms or of any vocabulary. Document type
//! definitions are refused, so no entity can be declared, and nesting is limited.

pub mod change;
pub mod read;
pub mod tree;

use std::collections::BTreeMap;

use roxmltree::{Attribute, Document, Node, ParsingOptions};

use super::characters;
use super::{FormatError, Item};

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

/// Reads a whole document.
///
/// Refuses a byte order mark (the text is the review form), document type definitions, a declared encoding other than
/// UTF-8, nesting beyond [`MAX_DEPTH`], and everything that is not well-formed. After a well-formedness error nothing
/// else of the text is known, so that error comes alone.
pub fn parse(text: &str) -> Result<Document<'_>, Vec<FormatError>> {
    if text.starts_with('\u{feff}') {
        return Err(vec![FormatError::new(
            0..3,
            "the text begins with a byte order mark, which encoding adds",
        )]);
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: 1_000_000,
        ..ParsingOptions::default()
    };
    let document =
        Document::parse_with_options(text, options).map_err(|error| vec![syntax_error(text, &error)])?;
    let mut errors: Vec<FormatError> = wrong_encoding(text).into_iter().collect();
    errors.extend(too_deep(&document));
    if errors.is_empty() {
        Ok(document)
    } else {
        Err(errors)
    }
}

fn syntax_error(text: &str, error: &roxmltree::Error) -> FormatError {
    let position = error.pos();
    let [line, column] =
        [position.row, position.col].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let message = error.to_string().replace(&format!(" at {position}"), "");
    FormatError::new(
        characters::range_at(text, characters::offset(text, line, column)),
        message,
    )
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

fn too_deep(document: &Document<'_>) -> Option<FormatError> {
    let mut depth = 1;
    let mut node = document.root_element();
    loop {
        if depth > MAX_DEPTH {
            let message = format!("elements are nested deeper than {MAX_DEPTH} levels");
            return Some(FormatError::new(node.range(), message));
        }
        if let Some(child) = node.first_element_child() {
            node = child;
            depth += 1;
            continue;
        }
        loop {
            if let Some(next) = node.next_sibling_element() {
                node = next;
                break;
            }
            node = node.parent_element()?;
            depth -= 1;
        }
    }
}

/// All text directly inside an element, without the text of its children.
pub fn own_text(element: Node<'_, '_>) -> String {
    element
        .children()
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .collect()
}

/// Name of an attribute as items and messages show it; `prefixes` maps namespaces to the prefix to show for them.
pub fn attribute_name(attribute: &Attribute<'_, '_>, prefixes: &[(&str, &str)]) -> String {
    match attribute.namespace() {
        None => attribute.name().to_owned(),
        Some(namespace) => {
            let known = prefixes.iter().find(|(uri, _)| *uri == namespace);
            let prefix = known.map_or_else(|| format!("{{{namespace}}}"), |(_, p)| format!("{p}:"));
            format!("{prefix}{}", attribute.name())
        }
    }
}

/// Flattens a document into items: one for each attribute (`a > b > @name`), one for the text of each element
/// (`a > b > text`), and one without a value for an element that has neither and no children.
///
/// `label` names an element within its parent; a repeated name gets a number (`b`, `b#2`). Text of white space alone
/// counts as layout; `value_of` normalizes the value of an attribute.
pub fn flatten(
    document: &Document<'_>,
    prefixes: &[(&str, &str)],
    label: &dyn Fn(Node<'_, '_>) -> String,
    value_of: &dyn Fn(&Attribute<'_, '_>) -> String,
) -> Vec<Item> {
    let mut items = Vec::new();
    let root = document.root_element();
    let mut waiting = vec![(root, characters::label(&label(root)))];
    while let Some((element, path)) = waiting.pop() {
        let before = items.len();
        for attribute in element.attributes() {
            let name = characters::label(&attribute_name(&attribute, prefixes));
            items.push(Item {
                path: format!("{path} > @{name}"),
                value: value_of(&attribute),
                range: attribute.range(),
            });
        }
        let text = own_text(element);
        if !text.trim().is_empty() {
            let pieces = element.children().filter(Node::is_text).map(|node| node.range());
            items.push(Item {
                path: format!("{path} > text"),
                value: text,
                range: pieces
                    .reduce(|first, last| first.start..last.end)
                    .unwrap_or_else(|| element.range()),
            });
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let first_child = waiting.len();
        for child in element.children().filter(Node::is_element) {
            let name = characters::label(&label(child));
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            let number = if *count == 1 {
                String::new()
            } else {
                format!("#{count}")
            };
            waiting.push((child, format!("{path} > {name}{number}")));
        }
        if items.len() == before && waiting.len() == first_child {
            items.push(Item {
                path,
                value: String::new(),
                range: element.range(),
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

    /// Parses `text` and compares its items, or its errors as `range message`.
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = match parse(text) {
            Ok(document) => flatten(
                &document,
                &[("urn:n", "n")],
                &|node| node.tag_name().name().to_owned(),
                &|attribute| attribute.value().to_owned(),
            )
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
        check("<a>\n<b></a>", &["7..8 expected 'b' tag, not 'a'"]);
        check("<a x='1' x='2'/>", &["9..10 attribute 'x' is already defined"]);
        check("<a>&nbsp;</a>", &["3..4 unknown entity reference 'nbsp'"]);
        check(
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            &["0..1 XML with DTD detected"],
        );
        check(
            "\u{feff}<a/>",
            &["0..3 the text begins with a byte order mark, which encoding adds"],
        );
        check(
            "<?xml version='1.0' encoding='utf-16'?><a/>",
            &["20..37 the declared encoding is `utf-16`, but the text is UTF-8"],
        );
        check("", &["0..0 the document does not have a root node"]);
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
                let root = document.root_element();
                prop_assert_eq!(root.attribute("x"), Some(value.as_str()));
                prop_assert_eq!(root.attribute("y"), Some(value.as_str()));
                prop_assert_eq!(own_text(root), value.clone());
            }
            if let Ok(quoted) = xml_text(&value) {
                let text = format!("<a>{quoted}</a>");
                prop_assert_eq!(own_text(parse(&text).unwrap().root_element()), value);
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
    }
}
