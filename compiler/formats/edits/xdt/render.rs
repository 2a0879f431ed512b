//! An element of the transform as text of the file: without what belongs to transforms, with the namespaces, quotes,
//! line ends, indentation and encoding of the place it goes to.

use std::fmt::Write as _;

use super::NAMESPACE;
use super::bytes::Encoding;
use super::layout::Style;
use super::read::XdtEdits;
use crate::xml::tree::{Attribute, Document, NodeId, NodeKind};

/// Where an element is written to.
pub(super) struct Target<'a> {
    pub(super) edits: &'a XdtEdits,
    pub(super) file: &'a Document,
    pub(super) encoding: Encoding,
    /// The element around it.
    pub(super) parent: NodeId,
    pub(super) style: &'a Style,
}

/// Writes a value between quotes. What the encoding does not have becomes a character reference.
pub(super) fn attribute_text(value: &str, quote: char, encoding: Encoding) -> String {
    escape(value, encoding, |character| match character {
        '\t' => Some("&#x9;"),
        '\n' => Some("&#xA;"),
        '"' if quote == '"' => Some("&quot;"),
        '\'' if quote == '\'' => Some("&apos;"),
        _ => None,
    })
}

/// Writes a text outside of tags, with the line ends of the file.
pub(super) fn text(value: &str, line_end: &str, encoding: Encoding) -> String {
    let escaped = escape(value, encoding, |_| None);
    if line_end == "\n" {
        escaped
    } else {
        escaped.replace('\n', line_end)
    }
}

fn escape(value: &str, encoding: Encoding, more: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        let known = match character {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '\r' => Some("&#xD;"),
            _ => more(character),
        };
        match known {
            Some(reference) => out.push_str(reference),
            None if encoding.holds(character) => out.push(character),
            None => {
                // Writing to a string does not fail.
                let _ok = write!(out, "&#x{:X};", u32::from(character));
            }
        }
    }
    out
}

impl Target<'_> {
    /// The element as it stands in the file, without the blanks around it.
    ///
    /// # Errors
    /// What cannot be written there.
    pub(super) fn element(&self, node: NodeId) -> Result<String, String> {
        let mut writer = Writer {
            target: self,
            out: String::new(),
            declared: Vec::new(),
        };
        let indent = self.style.line.as_ref().map_or("", |line| line.indent.as_str());
        writer.element(node, indent)?;
        Ok(writer.out)
    }

    fn line_end(&self) -> &str {
        match &self.style.line {
            Some(line) => &line.end,
            None => super::layout::first_line_end(self.file),
        }
    }
}

struct Writer<'a> {
    target: &'a Target<'a>,
    out: String,
    /// Prefixes that new elements declare, with their namespaces.
    declared: Vec<(String, String)>,
}

impl Writer<'_> {
    fn uri_of(&self, prefix: &str) -> Option<&str> {
        let inner = self.declared.iter().rev().find(|(known, _)| known == prefix);
        if let Some((_, uri)) = inner {
            return Some(uri);
        }
        let file = self.target.file;
        file.namespace_of_prefix(self.target.parent, prefix)
            .map(|namespace| file.uri(namespace))
    }

    fn prefix_for(&self, uri: &str) -> Option<String> {
        let inner = self
            .declared
            .iter()
            .rev()
            .find(|(prefix, known)| known == uri && !prefix.is_empty())
            .map(|(prefix, _)| prefix.clone());
        inner
            .or_else(|| self.target.file.prefix_of_namespace(self.target.parent, uri))
            .filter(|prefix| self.uri_of(prefix) == Some(uri))
    }

    fn element(&mut self, node: NodeId, indent: &str) -> Result<(), String> {
        let target = self.target;
        let document = &target.edits.document;
        let uri = document.uri(document.namespace(node));
        let before = self.declared.len();
        let mut declaration = None;
        let prefix = if self.uri_of("") == Some(uri) {
            String::new()
        } else if let (false, Some(prefix)) = (uri.is_empty(), self.prefix_for(uri)) {
            prefix
        } else {
            let prefix = if uri.is_empty() { "" } else { document.prefix(node) };
            declaration = Some((prefix.to_owned(), uri.to_owned()));
            self.declared.push((prefix.to_owned(), uri.to_owned()));
            prefix.to_owned()
        };
        let name = match prefix.as_str() {
            "" => document.name(node).to_owned(),
            prefix => format!("{prefix}:{}", document.name(node)),
        };
        self.refuse_unheld(&name, "name")?;
        let quote = target.style.quote;
        self.out.push('<');
        self.out.push_str(&name);
        // Elements inside of the new one have no neighbours.
        let own_line = target.style.line.as_ref().filter(|line| line.indent == indent);
        for (index, attribute) in target.edits.meant_attributes(node).enumerate() {
            let name = prefixed(document, attribute, |uri| self.prefix_for(uri))?;
            let value = attribute_text(&document.value(attribute), quote, target.encoding);
            self.refuse_unheld(&name, "name")?;
            let [first, further] = &target.style.attributes;
            match (own_line, if index == 0 { first } else { further }) {
                (Some(line), Some(more)) => {
                    let _ok = write!(self.out, "{}{indent}{more}", line.end);
                }
                _ => self.out.push(' '),
            }
            let _ok = write!(self.out, "{name}={quote}{value}{quote}");
        }
        if let Some((prefix, uri)) = declaration {
            let colon = if prefix.is_empty() { "" } else { ":" };
            let uri = attribute_text(&uri, quote, target.encoding);
            let _ok = write!(self.out, " xmlns{colon}{prefix}={quote}{uri}{quote}");
        }
        if document.is_one_tag(node) {
            self.out.push_str(if target.style.blank { " />" } else { "/>" });
        } else {
            self.out.push('>');
            self.content(node, indent)?;
            let _ok = write!(self.out, "</{name}>");
        }
        self.declared.truncate(before);
        Ok(())
    }

    fn content(&mut self, node: NodeId, indent: &str) -> Result<(), String> {
        let target = self.target;
        let document = &target.edits.document;
        let is_break =
            |child: NodeId| document.is_blank(child) && document.slice(document.range(child)).contains('\n');
        let has_elements = document
            .children(node)
            .any(|child| matches!(document.kind(child), NodeKind::Element(_) | NodeKind::Comment));
        let has_text = document.children(node).any(|child| {
            matches!(document.kind(child), NodeKind::Text | NodeKind::CData) && !document.is_blank(child)
        });
        let lays_out = has_elements && !has_text;
        let inner = format!("{indent}{}", target.style.unit);
        for child in document.children(node) {
            match document.kind(child) {
                NodeKind::Text if lays_out && is_break(child) => {
                    let Some(line) = &target.style.line else { continue };
                    let breaks = document.slice(document.range(child)).matches('\n').count();
                    for _ in 0..breaks.min(2) {
                        self.out.push_str(&line.end);
                    }
                    let last = document.next(child).is_none();
                    self.out.push_str(if last { indent } else { &inner });
                }
                NodeKind::Text => {
                    let value = document.text_of(child);
                    self.out
                        .push_str(&text(&value, target.line_end(), target.encoding));
                }
                NodeKind::CData => {
                    let value = document.text_of(child);
                    if value.chars().all(|c| target.encoding.holds(c)) {
                        let value = value.replace('\n', target.line_end());
                        let _ok = write!(self.out, "<![CDATA[{value}]]>");
                    } else {
                        self.out
                            .push_str(&text(&value, target.line_end(), target.encoding));
                    }
                }
                NodeKind::Comment | NodeKind::Instruction => {
                    let raw = document.slice(document.range(child)).replace("\r\n", "\n");
                    self.refuse_unheld(&raw, "comment")?;
                    self.out.push_str(&raw.replace('\n', target.line_end()));
                }
                NodeKind::Element(_) => self.element(child, &inner)?,
                NodeKind::Document => {}
            }
        }
        Ok(())
    }

    fn refuse_unheld(&self, text: &str, what: &str) -> Result<(), String> {
        match text.chars().find(|c| !self.target.encoding.holds(*c)) {
            None => Ok(()),
            Some(character) => Err(format!(
                "the {what} holds `{character}` (U+{:04X}), which the encoding of the file does not have",
                u32::from(character)
            )),
        }
    }
}

/// The name under which the file knows an attribute of the transform at an element.
pub(super) fn name_in_file(
    edits: &XdtEdits,
    attribute: &Attribute,
    file: &Document,
    element: NodeId,
) -> Result<String, String> {
    prefixed(&edits.document, attribute, |uri| {
        file.prefix_of_namespace(element, uri)
    })
}

/// The name of an attribute of the transform with the prefix that the file has for its namespace.
fn prefixed(
    document: &Document,
    attribute: &Attribute,
    prefix: impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let local = document.attribute_name(attribute);
    let uri = document.uri(attribute.namespace());
    debug_assert_ne!(uri, NAMESPACE, "attributes of transforms go into no file");
    if uri.is_empty() {
        return Ok(local.to_owned());
    }
    match prefix(uri) {
        Some(prefix) => Ok(format!("{prefix}:{local}")),
        None => Err(format!(
            "the attribute `{}` is in the namespace `{uri}`, for which the file has no prefix here",
            document.written_attribute(attribute)
        )),
    }
}
