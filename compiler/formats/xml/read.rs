//! Reads XML 1.0 with namespaces, strictly, in one pass, without losing where anything stands.
//!
//! Refused is what is not well-formed, document type definitions (so no entity can be declared and no attribute gets a
//! default), undeclared prefixes, and what passes the [`Limits`]. Time and memory are linear in the length of the text,
//! also for an element with 100,000 attributes. This module must not know what a document is for.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memmem};

use super::tree::{
    Attribute, Document, Element, NamespaceId, Node, NodeId, NodeKind, Span, Tree, XML_NAMESPACE,
    XMLNS_NAMESPACE, attribute_value, local_start, reference,
};
use crate::{Cut as _, FormatError};

/// How large a document may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Deepest nesting of elements.
    pub depth: usize,
    /// Elements, texts, comments and the like.
    pub nodes: usize,
}

impl Document {
    /// Reads a whole text, which may begin with a byte order mark.
    ///
    /// # Errors
    /// The first thing that is not well-formed; behind it nothing is known.
    pub fn read(text: String, limits: Limits) -> Result<Self, FormatError> {
        if text.len() > limits.bytes {
            let message = format!(
                "the text has {} bytes, more than {} are not read",
                text.len(),
                limits.bytes
            );
            return Err(FormatError::new(0..0, message));
        }
        refused_character(&text)?;
        // An element and the text behind it for each `<`; what is reserved in vain is never touched.
        let likely = 2 * memchr_iter(b'<', text.as_bytes()).count() + 1;
        let mut tree = Tree::with_capacity(likely.min(limits.nodes));
        let top = NodeId::at(0);
        tree.change(top, |node| node.range = Span::new(0, text.len()));
        let mut reader = Reader::new(&text, 0, &mut tree, limits);
        reader.prolog(top)?;
        reader.content(top)?;
        let file_length = text.len();
        let document = Self {
            text,
            file_length,
            tree,
        };
        match document.root() {
            Some(_) => Ok(document),
            None => Err(FormatError::new(
                file_length..file_length,
                "the document has no root element",
            )),
        }
    }

    /// Reads elements that were added to the text behind `start`, as they would be read below `parent`; they hang
    /// nowhere yet.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub(super) fn read_added(
        &mut self,
        start: usize,
        parent: NodeId,
        limits: Limits,
    ) -> Result<Vec<NodeId>, FormatError> {
        let mut scope: BTreeMap<String, Vec<NamespaceId>> = BTreeMap::new();
        for element in self.ancestors(parent).collect::<Vec<_>>() {
            for (prefix, namespace) in self.declarations(element) {
                scope.entry(prefix.to_owned()).or_insert_with(|| vec![namespace]);
            }
        }
        let mut tree = std::mem::replace(&mut self.tree, Tree::with_capacity(1));
        let holder = tree.push(Node::new(NodeKind::Document, Span::new(start, self.text.len())));
        let mut reader = Reader::new(&self.text, start, &mut tree, limits);
        reader.scope.append(&mut scope);
        let read = reader.content(holder);
        self.tree = tree;
        read?;
        let added: Vec<NodeId> = self.children(holder).collect();
        for node in &added {
            self.tree.change(*node, |node| {
                node.parent = None;
                node.previous = None;
                node.next = None;
            });
        }
        Ok(added)
    }
}

/// The first character that no document can hold.
fn refused_character(text: &str) -> Result<(), FormatError> {
    let bytes = text.as_bytes();
    let refused = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    // Most documents have none, which is found out many bytes at a time.
    let has_control = bytes.iter().fold(false, |found, byte| found | refused(*byte));
    let control = has_control
        .then(|| bytes.iter().position(|byte| refused(*byte)))
        .flatten();
    let noncharacter = [b"\xef\xbf\xbe", b"\xef\xbf\xbf"]
        .iter()
        .filter_map(|sought| memmem::find(bytes, *sought))
        .min();
    let Some(at) = control.into_iter().chain(noncharacter).min() else {
        return Ok(());
    };
    let found = text.cut(at..).chars().next().expect("a character was found here");
    let message = format!("the character U+{:04X} cannot stand in XML", u32::from(found));
    Err(FormatError::new(at..at + found.len_utf8(), message))
}

/// An element that is not closed yet.
struct Open {
    id: NodeId,
    declared: Vec<String>,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    tree: &'a mut Tree,
    limits: Limits,
    open: Vec<Open>,
    scope: BTreeMap<String, Vec<NamespaceId>>,
    /// The last child of the node that is read.
    last: Option<NodeId>,
    /// The attributes of the tag that is read; kept, so that each element takes no more memory than it needs.
    attributes: Vec<Attribute>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, at: usize, tree: &'a mut Tree, limits: Limits) -> Self {
        Self {
            text,
            at,
            tree,
            limits,
            open: Vec::new(),
            scope: BTreeMap::new(),
            last: None,
            attributes: Vec::new(),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.cut(self.at..)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn part(&self, range: Range<usize>) -> &'a str {
        self.text.cut(range)
    }

    /// An error at the character that is read.
    fn here<T>(&self, message: impl Into<String>) -> Result<T, FormatError> {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        Err(FormatError::new(self.at..self.at + length, message))
    }

    fn blanks(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.at > start
    }

    /// A name with at most one colon, and the length of its prefix.
    fn name(&mut self) -> Result<(Span, u32), FormatError> {
        let start = self.at;
        if let Some(length) = plain_name(self.rest().as_bytes()) {
            self.at = start + length;
            return Ok((Span::new(start, self.at), 0));
        }
        let mut colon = None;
        for (offset, character) in self.rest().char_indices() {
            let begins = offset == 0 || colon.is_some_and(|colon: usize| colon + 1 == offset);
            match character {
                ':' if !begins && colon.is_none() => colon = Some(offset),
                _ if begins && !begins_name(character) => break,
                _ if !begins && !continues_name(character) => break,
                _ => {}
            }
            self.at = start + offset + character.len_utf8();
        }
        let complete = colon.is_none_or(|colon| start + colon + 1 < self.at);
        if self.at == start || !complete {
            return self.here("expected a name");
        }
        let prefix = colon.map_or(0, |colon| u32::try_from(colon).unwrap_or(u32::MAX));
        Ok((Span::new(start, self.at), prefix))
    }

    /// The mark and the declaration.
    fn prolog(&mut self, top: NodeId) -> Result<(), FormatError> {
        if self.rest().starts_with('\u{feff}') {
            self.at += '\u{feff}'.len_utf8();
        }
        let start = self.at;
        let rest = self.rest();
        let declares = rest
            .strip_prefix("<?xml")
            .is_some_and(|rest| rest.starts_with([' ', '\t', '\r', '\n']));
        if declares {
            self.at += "<?xml".len();
            let mut expected: &[&str] = &["version", "encoding", "standalone"];
            loop {
                let blanks = self.blanks();
                if self.rest().starts_with("?>") {
                    break;
                }
                let (name, _) = self.name()?;
                let name = self.part(name.range());
                let Some(place) = expected
                    .iter()
                    .position(|sought| *sought == name)
                    .filter(|_| blanks)
                else {
                    self.at = start;
                    return self.here(
                        "the XML declaration holds `version`, `encoding` and `standalone`, in this order",
                    );
                };
                expected = expected.cut(place + 1..);
                let value = self.quoted(name)?;
                let fine = match name {
                    "version" => self.part(value.range()) == "1.0",
                    "standalone" => matches!(self.part(value.range()), "yes" | "no"),
                    _ => true,
                };
                if !fine {
                    let message = format!("`{}` is no {name} of XML that is read", self.part(value.range()));
                    return Err(FormatError::new(value.range(), message));
                }
            }
            if expected.contains(&"version") {
                self.at = start;
                return self.here("the XML declaration has no `version`");
            }
            self.at += "?>".len();
            self.add(top, NodeKind::Instruction, start)?;
        }
        Ok(())
    }

    /// `= "value"`.
    fn quoted(&mut self, name: &str) -> Result<Span, FormatError> {
        self.blanks();
        if self.peek() != Some(b'=') {
            return self.here(format!("expected `=` behind `{name}`"));
        }
        self.at += 1;
        self.blanks();
        let Some(quote @ (b'"' | b'\'')) = self.peek() else {
            return self.here(format!("the value of `{name}` has to stand in quotes"));
        };
        self.at += 1;
        let start = self.at;
        let Some(length) = memchr2(quote, b'<', self.rest().as_bytes()) else {
            self.at -= 1;
            return self.here(format!("the value of `{name}` does not end"));
        };
        self.at += length;
        if self.peek() == Some(b'<') {
            return self.here("`<` cannot stand in the value of an attribute");
        }
        self.references(start..self.at)?;
        self.at += 1;
        Ok(Span::new(start, self.at - 1))
    }

    /// Checks every reference in a part of the text.
    fn references(&self, range: Range<usize>) -> Result<(), FormatError> {
        let mut at = range.start;
        while let Some(found) = memchr(b'&', self.part(at..range.end).as_bytes()) {
            at += found;
            // Numbers may have leading zeros, but not without end.
            let name = self.part(at + 1..range.end).split(';').next().unwrap_or_default();
            let ends = at + 1 + name.len() < range.end;
            if !ends || name.len() > 64 || reference(name).is_none() {
                let message = if ends && name.len() <= 64 {
                    format!("unknown entity or character reference `&{name};`")
                } else {
                    "`&` begins a reference; write `&amp;` for the character itself".to_owned()
                };
                return Err(FormatError::new(at..at + 1, message));
            }
            at += name.len() + 2;
        }
        Ok(())
    }

    /// Adds the node from `start` to here behind its last sibling.
    fn add(&mut self, parent: NodeId, kind: NodeKind, start: usize) -> Result<NodeId, FormatError> {
        if self.tree.nodes.len() >= self.limits.nodes {
            let message = format!("there are more than {} elements and texts", self.limits.nodes);
            return Err(FormatError::new(start..start, message));
        }
        let id = self.tree.push(Node::new(kind, Span::new(start, self.at)));
        self.tree.hang(id, parent, self.last);
        self.last = Some(id);
        Ok(id)
    }

    /// Everything up to the end of the text, below `top`.
    fn content(&mut self, top: NodeId) -> Result<(), FormatError> {
        let in_document = top == NodeId::at(0);
        let mut roots = 0;
        while self.at < self.text.len() {
            let parent = self.open.last().map_or(top, |open| open.id);
            let outside = in_document && self.open.is_empty();
            let rest = self.rest();
            if !rest.starts_with('<') {
                self.text(parent, outside)?;
            } else if rest.starts_with("</") {
                self.end_tag()?;
            } else if rest.starts_with("<!--") {
                self.comment(parent)?;
            } else if rest.starts_with("<![CDATA[") && !outside {
                self.until("<![CDATA[", "]]>", "the CDATA section does not end")?;
                let start = self.text.len() - rest.len();
                self.add(parent, NodeKind::CData, start)?;
            } else if rest.starts_with("<!DOCTYPE") {
                return self.here(
                    "document type definitions are not read: they could declare entities and attributes that nobody sees",
                );
            } else if rest.starts_with("<?") {
                self.instruction(parent)?;
            } else {
                if outside {
                    roots += 1;
                    if roots > 1 {
                        return self.here("the document has a second root element");
                    }
                }
                self.start_tag(parent)?;
            }
        }
        match self.open.last() {
            None => Ok(()),
            Some(open) => {
                let start = self.tree.get(open.id).range.start as usize;
                let name = self.written_name(open);
                let message = format!("`{name}` is not closed");
                Err(FormatError::new(start..start + 1 + name.len(), message))
            }
        }
    }

    /// The name of an element as its start tag writes it.
    fn written_name(&self, open: &Open) -> &'a str {
        let element = self.tree.get(open.id).kind.element();
        element.map_or("", |element| self.part(element.name.range()))
    }

    /// Goes behind `end`; the text begins with `begin` here.
    fn until(&mut self, begin: &str, end: &str, message: &str) -> Result<Range<usize>, FormatError> {
        let start = self.at + begin.len();
        let inside = self.text.cut(start..);
        match memmem::find(inside.as_bytes(), end.as_bytes()) {
            Some(length) => {
                self.at = start + length + end.len();
                Ok(start..start + length)
            }
            None => Err(FormatError::new(self.at..start, message)),
        }
    }

    fn text(&mut self, parent: NodeId, outside: bool) -> Result<(), FormatError> {
        let start = self.at;
        let length = memchr(b'<', self.rest().as_bytes()).unwrap_or(self.rest().len());
        let text = self.part(start..start + length);
        if outside {
            let stray = text.find(|c: char| !matches!(c, ' ' | '\t' | '\r' | '\n'));
            if let Some(offset) = stray {
                self.at += offset;
                return self.here("text stands outside of the root element");
            }
        }
        if let Some(offset) = memmem::find(text.as_bytes(), b"]]>") {
            self.at += offset;
            return self.here("`]]>` cannot stand in text");
        }
        self.references(start..start + length)?;
        self.at += length;
        self.add(parent, NodeKind::Text, start).map(drop)
    }

    fn comment(&mut self, parent: NodeId) -> Result<(), FormatError> {
        let start = self.at;
        let inside = self.until("<!--", "-->", "the comment does not end")?;
        let text = self.part(inside.clone());
        if let Some(offset) = memmem::find(text.as_bytes(), b"--") {
            self.at = inside.start + offset;
            return self.here("`--` cannot stand in a comment");
        }
        if text.ends_with('-') {
            self.at = inside.end - 1;
            return self.here("a comment cannot end in `--->`");
        }
        self.add(parent, NodeKind::Comment, start).map(drop)
    }

    fn instruction(&mut self, parent: NodeId) -> Result<(), FormatError> {
        let start = self.at;
        self.at += "<?".len();
        let (name, prefix) = self.name()?;
        if self.part(name.range()).eq_ignore_ascii_case("xml") {
            self.at = start;
            return self.here("the XML declaration can stand at the very beginning only");
        }
        if prefix != 0 {
            self.at = start;
            return self.here("the name of a processing instruction has no prefix");
        }
        if !self.blanks() && !self.rest().starts_with("?>") {
            return self.here("expected a blank behind the name of the processing instruction");
        }
        self.until("", "?>", "the processing instruction does not end")?;
        self.add(parent, NodeKind::Instruction, start).map(drop)
    }

    fn end_tag(&mut self) -> Result<(), FormatError> {
        let start = self.at;
        self.at += "</".len();
        let (name, _) = self.name()?;
        let written = self.part(name.range());
        self.blanks();
        if self.peek() != Some(b'>') {
            return self.here("expected `>`");
        }
        self.at += 1;
        let Some(open) = self.open.pop() else {
            return Err(FormatError::new(
                start..self.at,
                format!("`</{written}>` closes nothing"),
            ));
        };
        let expected = self.written_name(&open);
        if written != expected {
            let message = format!("expected `</{expected}>`, not `</{written}>`");
            return Err(FormatError::new(start..self.at, message));
        }
        let end = self.at;
        self.tree.change(open.id, |node| {
            node.range = Span::new(node.range.start as usize, end);
            if let NodeKind::Element(element) = &mut node.kind {
                element.close = Span::new(start, end);
            }
        });
        self.leave(open);
        Ok(())
    }

    /// Forgets what an element declared; what follows it is its sibling.
    fn leave(&mut self, open: Open) {
        for prefix in open.declared {
            if let Some(meanings) = self.scope.get_mut(&prefix) {
                meanings.pop();
            }
        }
        self.last = Some(open.id);
    }

    fn start_tag(&mut self, parent: NodeId) -> Result<(), FormatError> {
        let start = self.at;
        if self.open.len() >= self.limits.depth {
            return self.here(format!(
                "elements are nested deeper than {} levels",
                self.limits.depth
            ));
        }
        self.at += 1;
        let (name, prefix) = self.name()?;
        let mut attributes = std::mem::take(&mut self.attributes);
        let tail_start;
        loop {
            let lead = self.at;
            let blanks = self.blanks();
            if self.peek() == Some(b'>') || self.rest().starts_with("/>") {
                tail_start = lead;
                break;
            }
            if self.at >= self.text.len() {
                return Err(FormatError::new(start..name.end as usize, "the tag does not end"));
            }
            if !blanks {
                return self.here("expected a blank, `>` or `/>`");
            }
            let (name, prefix) = self.name()?;
            let value = self.quoted(self.part(name.range()))?;
            attributes.push(Attribute {
                lead: u32::try_from(lead).unwrap_or(u32::MAX),
                name,
                prefix,
                value,
                new_value: None,
                namespace: NamespaceId::NONE,
            });
        }
        let empty = self.peek() == Some(b'/');
        self.at += if empty { 2 } else { 1 };
        let declared = self.declare(&mut attributes)?;
        let namespace = self.meaning(name, prefix, true)?;
        for attribute in &mut attributes {
            if attribute.prefix != 0 && attribute.namespace != NamespaceId::XMLNS {
                attribute.namespace = self.meaning(attribute.name, attribute.prefix, false)?;
            }
        }
        self.refuse_twice(&attributes)?;
        let element = Element {
            name,
            prefix,
            namespace,
            attributes: attributes.clone(),
            tail: Span::new(tail_start, self.at),
            read_tail: Span::new(tail_start, self.at),
            close: Span::new(self.at, self.at),
        };
        attributes.clear();
        self.attributes = attributes;
        let id = self.add(parent, NodeKind::Element(element), start)?;
        let open = Open { id, declared };
        if empty {
            self.leave(open);
        } else {
            self.open.push(open);
            self.last = None;
        }
        Ok(())
    }

    /// Takes up the namespaces that a tag declares; returns their prefixes.
    fn declare(&mut self, attributes: &mut [Attribute]) -> Result<Vec<String>, FormatError> {
        let mut declared = Vec::new();
        for attribute in attributes {
            let name = self.part(attribute.name.range());
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) if attribute.prefix == 5 => rest.cut(1..),
                _ => continue,
            };
            let uri = attribute_value(self.part(attribute.value.range()));
            let fine = (prefix == "xml") == (uri == XML_NAMESPACE)
                && prefix != "xmlns"
                && uri != XMLNS_NAMESPACE
                && (prefix.is_empty() || !uri.is_empty());
            if !fine {
                let message = format!("`{name}` cannot stand for `{uri}`");
                return Err(FormatError::new(attribute.range(), message));
            }
            attribute.namespace = NamespaceId::XMLNS;
            let namespace = self.tree.namespace(&uri);
            self.scope.entry(prefix.to_owned()).or_default().push(namespace);
            declared.push(prefix.to_owned());
        }
        Ok(declared)
    }

    /// The namespace of a name.
    fn meaning(&self, name: Span, prefix: u32, is_element: bool) -> Result<NamespaceId, FormatError> {
        let start = name.start as usize;
        let prefix = self.part(start..start + prefix as usize);
        if prefix.is_empty() && !is_element {
            return Ok(NamespaceId::NONE);
        }
        match self.scope.get(prefix).and_then(|meanings| meanings.last()) {
            Some(namespace) => Ok(*namespace),
            None if prefix.is_empty() => Ok(NamespaceId::NONE),
            None if prefix == "xml" => Ok(NamespaceId::XML),
            None => {
                let message = format!("the prefix `{prefix}` is not declared");
                Err(FormatError::new(start..start + prefix.len(), message))
            }
        }
    }

    /// Refuses an attribute that a tag has twice.
    fn refuse_twice(&self, attributes: &[Attribute]) -> Result<(), FormatError> {
        let key = |attribute: &Attribute| {
            let start = attribute.name.start as usize;
            let local = start + local_start(attribute.prefix);
            (attribute.namespace, self.part(local..attribute.name.end as usize))
        };
        let twice = if attributes.len() <= 8 {
            let mut rest = attributes.iter();
            let mut found = None;
            while let (None, Some(attribute)) = (found, rest.next()) {
                found = rest.clone().find(|other| key(other) == key(attribute));
            }
            found
        } else {
            let mut sorted: Vec<&Attribute> = attributes.iter().collect();
            sorted.sort_by_key(|attribute| (key(attribute), attribute.lead));
            let pairs = sorted.windows(2).filter_map(|pair| match pair {
                [first, second] if key(first) == key(second) => Some(*second),
                _ => None,
            });
            pairs.min_by_key(|attribute| attribute.lead)
        };
        twice.map_or(Ok(()), |attribute| {
            let message = format!(
                "the attribute `{}` is given twice",
                self.part(attribute.name.range())
            );
            Err(FormatError::new(attribute.name.range(), message))
        })
    }
}

/// The length of a name of ASCII without a colon, which nearly all are.
fn plain_name(bytes: &[u8]) -> Option<usize> {
    let begins = bytes.first()?;
    if !(begins.is_ascii_alphabetic() || *begins == b'_') {
        return None;
    }
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = bytes.iter().position(|byte| !inside(byte)).unwrap_or(bytes.len());
    let plain = bytes
        .get(length)
        .is_none_or(|byte| byte.is_ascii() && *byte != b':');
    plain.then_some(length)
}

fn begins_name(character: char) -> bool {
    matches!(character, 'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn continues_name(character: char) -> bool {
    begins_name(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
