//! An XML document as a tree over its own text: every byte of the text belongs to a node, so that what is not changed
//! is written as it was read.
//!
//! The text can grow behind the file ([`Document::add_text`]); new nodes and new values point there. Whatever lies
//! before [`Document::file_length`] was read from the file and is never altered. This module must not know what a
//! document is for, or what is done to it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;

use crate::Cut as _;

/// The namespace of `xml:space` and its like, which every document knows.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations of namespaces.
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// A part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One behind the last byte.
    pub end: u32,
}

impl Span {
    /// The part from `start` to `end`; texts are shorter than four gigabytes.
    pub fn new(start: usize, end: usize) -> Self {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: short(start),
            end: short(end),
        }
    }

    /// As a range of bytes.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A node of a [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(NonZeroU32);

impl NodeId {
    pub(super) fn at(index: usize) -> Self {
        let number = u32::try_from(index.saturating_add(1)).unwrap_or(u32::MAX);
        Self(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A namespace of a [`Document`]; equal ids are equal namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NamespaceId(pub(super) u32);

impl NamespaceId {
    /// No namespace.
    pub const NONE: Self = Self(0);
    /// [`XML_NAMESPACE`].
    pub const XML: Self = Self(1);
    /// [`XMLNS_NAMESPACE`].
    pub const XMLNS: Self = Self(2);
}

/// An attribute, or the declaration of a namespace, as it is written.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Where the blanks before it begin.
    pub(super) lead: u32,
    /// Name with its prefix.
    pub(super) name: Span,
    /// Length of the prefix; 0 without one.
    pub(super) prefix: u32,
    /// What stands between the quotes.
    pub(super) value: Span,
    /// What stands there instead after a change.
    pub(super) new_value: Option<Span>,
    pub(super) namespace: NamespaceId,
}

impl Attribute {
    /// The namespace its prefix stands for.
    pub fn namespace(&self) -> NamespaceId {
        self.namespace
    }

    /// Whether it declares a namespace.
    pub fn is_declaration(&self) -> bool {
        self.namespace == NamespaceId::XMLNS
    }

    /// The bytes from its name to the quote behind its value.
    pub fn range(&self) -> Range<usize> {
        self.name.start as usize..self.value.end as usize + 1
    }

    /// The bytes between the quotes.
    pub fn range_value(&self) -> Range<usize> {
        self.value.range()
    }

    /// The bytes of the blanks before it, and of itself.
    pub fn range_with_blanks(&self) -> Range<usize> {
        self.lead as usize..self.value.end as usize + 1
    }
}

/// What an element has beside its children.
#[derive(Clone, Debug, Default)]
pub struct Element {
    /// Name with its prefix.
    pub(super) name: Span,
    /// Length of the prefix; 0 without one.
    pub(super) prefix: u32,
    pub(super) namespace: NamespaceId,
    pub(super) attributes: Vec<Attribute>,
    /// From behind the last attribute to the end of the start tag.
    pub(super) tail: Span,
    /// As [`Self::tail`], as it was read.
    pub(super) read_tail: Span,
    /// The end tag; empty for an element that is written as one tag.
    pub(super) close: Span,
}

/// The kind of a node.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// The whole document.
    Document,
    /// An element.
    Element(Element),
    /// Text outside of CDATA.
    Text,
    /// A CDATA section.
    CData,
    /// A comment.
    Comment,
    /// A processing instruction, or the declaration of the document.
    Instruction,
}

impl NodeKind {
    /// What an element has; `None` for another node.
    pub(super) fn element(&self) -> Option<&Element> {
        if let Self::Element(element) = self {
            Some(element)
        } else {
            None
        }
    }
}

/// A node with its place in the tree.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) parent: Option<NodeId>,
    pub(super) previous: Option<NodeId>,
    pub(super) next: Option<NodeId>,
    pub(super) first: Option<NodeId>,
    pub(super) last: Option<NodeId>,
    pub(super) range: Span,
    /// It, or something in it, is not what was read.
    pub(super) changed: bool,
    pub(super) kind: NodeKind,
}

impl Node {
    pub(super) const fn new(kind: NodeKind, range: Span) -> Self {
        Self {
            parent: None,
            previous: None,
            next: None,
            first: None,
            last: None,
            range,
            changed: false,
            kind,
        }
    }
}

static NO_NODE: Node = Node::new(NodeKind::Text, Span { start: 0, end: 0 });

/// The nodes and namespaces of a document.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    namespaces: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Tree {
    /// A tree with room for this many nodes.
    pub(super) fn with_capacity(nodes: usize) -> Self {
        let mut all = Vec::with_capacity(nodes);
        all.push(Node::new(NodeKind::Document, Span::default()));
        let mut tree = Self {
            nodes: all,
            namespaces: Vec::new(),
            numbers: BTreeMap::new(),
        };
        for uri in ["", XML_NAMESPACE, XMLNS_NAMESPACE] {
            tree.namespace(uri);
        }
        tree
    }

    /// The number of a namespace, which it gets if it has none.
    pub(super) fn namespace(&mut self, uri: &str) -> NamespaceId {
        if let Some(number) = self.numbers.get(uri) {
            return NamespaceId(*number);
        }
        let number = u32::try_from(self.namespaces.len()).unwrap_or(u32::MAX);
        self.namespaces.push(uri.to_owned());
        self.numbers.insert(uri.to_owned(), number);
        NamespaceId(number)
    }

    pub(super) fn get(&self, id: NodeId) -> &Node {
        self.nodes.get(id.index()).unwrap_or(&NO_NODE)
    }

    pub(super) fn change(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(id.index()) {
            change(node);
        }
    }

    pub(super) fn push(&mut self, node: Node) -> NodeId {
        let id = NodeId::at(self.nodes.len());
        self.nodes.push(node);
        id
    }

    /// Puts `id`, which hangs nowhere, behind `previous` below `parent`; at the beginning without `previous`.
    pub(super) fn hang(&mut self, id: NodeId, parent: NodeId, previous: Option<NodeId>) {
        let next = match previous {
            Some(previous) => self.get(previous).next,
            None => self.get(parent).first,
        };
        self.change(id, |node| {
            node.parent = Some(parent);
            node.previous = previous;
            node.next = next;
        });
        match previous {
            Some(previous) => self.change(previous, |node| node.next = Some(id)),
            None => self.change(parent, |node| node.first = Some(id)),
        }
        match next {
            Some(next) => self.change(next, |node| node.previous = Some(id)),
            None => self.change(parent, |node| node.last = Some(id)),
        }
    }
}

/// A document: its text, and the tree over it.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) text: String,
    pub(super) file_length: usize,
    pub(super) tree: Tree,
}

impl Document {
    /// The node of the whole document.
    pub fn top(&self) -> NodeId {
        NodeId::at(0)
    }

    /// The root element.
    pub fn root(&self) -> Option<NodeId> {
        self.elements(self.top()).next()
    }

    /// How many bytes of the text were read from the file.
    pub fn file_length(&self) -> usize {
        self.file_length
    }

    /// The text that was read.
    pub fn file_text(&self) -> &str {
        self.text.cut(..self.file_length)
    }

    /// A part of the text.
    pub fn slice(&self, range: Range<usize>) -> &str {
        self.text.cut(range)
    }

    /// Number of nodes, also of those that hang nowhere any more.
    pub fn nodes(&self) -> usize {
        self.tree.nodes.len()
    }

    pub(super) fn get(&self, id: NodeId) -> &Node {
        self.tree.get(id)
    }

    /// The kind of a node.
    pub fn kind(&self, id: NodeId) -> &NodeKind {
        &self.get(id).kind
    }

    /// The bytes of a node as it was read.
    pub fn range(&self, id: NodeId) -> Range<usize> {
        self.get(id).range.range()
    }

    /// Whether a node was read from the file.
    pub fn is_in_file(&self, id: NodeId) -> bool {
        self.range(id).end <= self.file_length
    }

    /// The node around a node.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.get(id).parent
    }

    /// The element around a node.
    pub fn parent_element(&self, id: NodeId) -> Option<NodeId> {
        self.parent(id).filter(|parent| self.is_element(*parent))
    }

    /// The node before a node in the same parent.
    pub fn previous(&self, id: NodeId) -> Option<NodeId> {
        self.get(id).previous
    }

    /// The node behind a node in the same parent.
    pub fn next(&self, id: NodeId) -> Option<NodeId> {
        self.get(id).next
    }

    /// The last child of a node.
    pub fn last_child(&self, id: NodeId) -> Option<NodeId> {
        self.get(id).last
    }

    /// The first child of a node.
    pub fn first_child(&self, id: NodeId) -> Option<NodeId> {
        self.get(id).first
    }

    /// The children of a node.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.get(id).first, |child| self.get(*child).next)
    }

    /// The nodes around a node, from itself to the document.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(Some(id), |node| self.get(*node).parent)
    }

    /// The elements directly below a node.
    pub fn elements(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.children(id).filter(|child| self.is_element(*child))
    }

    /// The first element directly below a node that has this name and no namespace.
    pub fn child_named(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.elements(id).find(|child| self.has_name(*child, name))
    }

    /// A node and all below it, in document order.
    pub fn descendants(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(Some(id), move |node| self.following(*node, id))
    }

    /// The node that follows `node` in document order, within `limit`.
    fn following(&self, node: NodeId, limit: NodeId) -> Option<NodeId> {
        if let Some(child) = self.get(node).first {
            return Some(child);
        }
        let mut node = node;
        loop {
            if node == limit {
                return None;
            }
            if let Some(next) = self.get(node).next {
                return Some(next);
            }
            node = self.get(node).parent?;
        }
    }

    /// What an element has; `None` for another node.
    pub fn element(&self, id: NodeId) -> Option<&Element> {
        self.get(id).kind.element()
    }

    /// Whether a node is an element.
    pub fn is_element(&self, id: NodeId) -> bool {
        matches!(self.get(id).kind, NodeKind::Element(_))
    }

    /// The name of an element without its prefix; empty for another node.
    pub fn name(&self, id: NodeId) -> &str {
        self.element(id).map_or("", |element| {
            let start = element.name.start as usize + local_start(element.prefix);
            self.slice(start..element.name.end as usize)
        })
    }

    /// The name of an element as it is written.
    pub fn written_name(&self, id: NodeId) -> &str {
        self.element(id)
            .map_or("", |element| self.slice(element.name.range()))
    }

    /// Prefix of an element as it is written.
    pub fn prefix(&self, id: NodeId) -> &str {
        self.element(id).map_or("", |element| {
            let start = element.name.start as usize;
            self.slice(start..start + element.prefix as usize)
        })
    }

    /// Whether a node is an element with this name and without a namespace.
    pub fn has_name(&self, id: NodeId, name: &str) -> bool {
        self.namespace(id) == NamespaceId::NONE && self.is_element(id) && self.name(id) == name
    }

    /// The namespace of an element.
    pub fn namespace(&self, id: NodeId) -> NamespaceId {
        self.element(id)
            .map_or(NamespaceId::NONE, |element| element.namespace)
    }

    /// The text of a namespace.
    pub fn uri(&self, namespace: NamespaceId) -> &str {
        self.tree
            .namespaces
            .get(namespace.0 as usize)
            .map_or("", String::as_str)
    }

    /// The id of a namespace, if an element or attribute of the document has it.
    pub fn known_namespace(&self, uri: &str) -> Option<NamespaceId> {
        self.tree.numbers.get(uri).copied().map(NamespaceId)
    }

    /// The start tag of an element as it was read.
    pub fn tag(&self, id: NodeId) -> Range<usize> {
        let start = self.get(id).range.start as usize;
        let end = self
            .element(id)
            .map_or(start, |element| element.read_tail.end as usize);
        start..end.max(start)
    }

    /// The start tag of an element from behind its last attribute, as it was read.
    pub fn tail(&self, id: NodeId) -> Range<usize> {
        self.element(id).map_or(0..0, |element| element.read_tail.range())
    }

    /// The start tag of an element without what follows its last attribute, which is shorter to point at.
    pub fn short_tag(&self, id: NodeId) -> Range<usize> {
        let start = self.get(id).range.start as usize;
        let last = self.attributes(id).rfind(|attribute| !attribute.is_declaration());
        let name = self
            .element(id)
            .map_or(start, |element| element.name.end as usize);
        start..last.map_or(name, |attribute| attribute.range().end)
    }

    /// Whether an element is written as one tag.
    pub fn is_one_tag(&self, id: NodeId) -> bool {
        self.element(id)
            .is_some_and(|element| element.close.start == element.close.end)
    }

    /// The attributes of an element and its declarations, in their order.
    pub fn attributes(&self, id: NodeId) -> std::slice::Iter<'_, Attribute> {
        self.element(id)
            .map_or_else(|| [].iter(), |element| element.attributes.iter())
    }

    /// The attributes of an element without its declarations.
    pub fn plain_attributes(&self, id: NodeId) -> impl Iterator<Item = &Attribute> {
        self.attributes(id)
            .filter(|attribute| !attribute.is_declaration())
    }

    /// Name of an attribute without its prefix.
    pub fn attribute_name(&self, attribute: &Attribute) -> &str {
        let start = attribute.name.start as usize + local_start(attribute.prefix);
        self.slice(start..attribute.name.end as usize)
    }

    /// Name of an attribute as it is written.
    pub fn written_attribute(&self, attribute: &Attribute) -> &str {
        self.slice(attribute.name.range())
    }

    /// An attribute by its name.
    pub fn attribute_node(&self, id: NodeId, namespace: NamespaceId, name: &str) -> Option<&Attribute> {
        self.attributes(id)
            .find(|attribute| attribute.namespace == namespace && self.attribute_name(attribute) == name)
    }

    /// The value of an attribute without a namespace.
    pub fn attribute(&self, id: NodeId, name: &str) -> Option<Cow<'_, str>> {
        self.attribute_node(id, NamespaceId::NONE, name)
            .map(|attribute| self.value(attribute))
    }

    /// The value of an attribute as a reader gets it.
    pub fn value(&self, attribute: &Attribute) -> Cow<'_, str> {
        attribute_value(self.slice(attribute.new_value.unwrap_or(attribute.value).range()))
    }

    /// Whether a reader gets this value for an attribute; most values differ early, and are not taken apart.
    pub fn has_value(&self, attribute: &Attribute, wanted: &str) -> bool {
        is_value(
            self.slice(attribute.new_value.unwrap_or(attribute.value).range()),
            wanted,
        )
    }

    /// What a text or CDATA node says; empty for another node.
    pub fn text_of(&self, id: NodeId) -> Cow<'_, str> {
        let raw = self.slice(self.range(id));
        match self.get(id).kind {
            NodeKind::Text => text_value(raw),
            NodeKind::CData => {
                let inside = raw
                    .strip_prefix("<![CDATA[")
                    .and_then(|rest| rest.strip_suffix("]]>"));
                line_ends(inside.unwrap_or_default())
            }
            NodeKind::Document | NodeKind::Element(_) | NodeKind::Comment | NodeKind::Instruction => {
                Cow::Borrowed("")
            }
        }
    }

    /// All text directly in an element, without that of its children.
    pub fn own_text(&self, id: NodeId) -> String {
        self.children(id).map(|child| self.text_of(child)).collect()
    }

    /// Whether a node is text of white space alone, which lies between elements as layout.
    pub fn is_blank(&self, id: NodeId) -> bool {
        matches!(self.get(id).kind, NodeKind::Text)
            && self
                .slice(self.range(id))
                .bytes()
                .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
    }

    /// The prefixes that an element declares, the empty one for the default namespace, and what they stand for.
    pub(super) fn declarations(&self, id: NodeId) -> impl Iterator<Item = (&str, NamespaceId)> {
        let declarations = self.attributes(id).filter(|attribute| attribute.is_declaration());
        declarations.map(|attribute| {
            let prefix = match attribute.prefix {
                0 => "",
                _ => self.attribute_name(attribute),
            };
            let namespace = self.known_namespace(&self.value(attribute));
            (prefix, namespace.unwrap_or(NamespaceId::NONE))
        })
    }

    /// The namespace that a prefix stands for at an element; the empty prefix is the default namespace.
    pub fn namespace_of_prefix(&self, id: NodeId, prefix: &str) -> Option<NamespaceId> {
        if prefix == "xml" {
            return Some(NamespaceId::XML);
        }
        for element in self.ancestors(id) {
            if let Some((_, namespace)) = self
                .declarations(element)
                .find(|(declared, _)| *declared == prefix)
            {
                return Some(namespace);
            }
        }
        prefix.is_empty().then_some(NamespaceId::NONE)
    }

    /// A prefix that stands for a namespace at an element; never the empty one.
    pub fn prefix_of_namespace(&self, id: NodeId, uri: &str) -> Option<String> {
        if uri == XML_NAMESPACE {
            return Some("xml".to_owned());
        }
        let namespace = self.known_namespace(uri)?;
        self.ancestors(id)
            .flat_map(|element| self.declarations(element))
            .filter(|(prefix, declared)| !prefix.is_empty() && *declared == namespace)
            // A declaration further in may have taken the prefix for something else.
            .find(|(prefix, _)| self.namespace_of_prefix(id, prefix) == Some(namespace))
            .map(|(prefix, _)| prefix.to_owned())
    }
}

/// Where the name behind a prefix of this length begins.
pub(super) fn local_start(prefix: u32) -> usize {
    if prefix == 0 { 0 } else { prefix as usize + 1 }
}

/// The value that stands as `raw` between the quotes of an attribute (XML 1.0 section 3.3.3).
pub fn attribute_value(raw: &str) -> Cow<'_, str> {
    if !raw.bytes().any(stands_for_another) {
        return Cow::Borrowed(raw);
    }
    let joined = raw.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
    Cow::Owned(without_references(&joined))
}

/// Whether a reader may get something else for a byte between the quotes of an attribute.
fn stands_for_another(byte: u8) -> bool {
    matches!(byte, b'&' | b'\t' | b'\n' | b'\r')
}

/// Whether [`attribute_value`] of `raw` is `wanted`.
fn is_value(raw: &str, wanted: &str) -> bool {
    let first = raw
        .bytes()
        .zip(wanted.bytes())
        .find(|(raw, wanted)| raw != wanted || stands_for_another(*raw));
    match first {
        Some((raw_byte, _)) => stands_for_another(raw_byte) && attribute_value(raw) == wanted,
        None => raw.len() == wanted.len(),
    }
}

/// The text that stands as `raw` outside of tags (XML 1.0 section 2.11).
fn text_value(raw: &str) -> Cow<'_, str> {
    let text = line_ends(raw);
    if text.contains('&') {
        Cow::Owned(without_references(&text))
    } else {
        text
    }
}

fn line_ends(raw: &str) -> Cow<'_, str> {
    if raw.contains('\r') {
        Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(raw)
    }
}

fn without_references(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, behind) = after.split_once(';').unwrap_or((after, ""));
        out.extend(reference(name));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The character that the reference `&name;` stands for.
pub(super) fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let digits = |text: &str, radix: u32| {
                let fine = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
                fine.then(|| u32::from_str_radix(text, radix).ok()).flatten()
            };
            let code = match number.strip_prefix('x') {
                Some(number) => digits(number, 16),
                None => digits(number, 10),
            };
            char::from_u32(code?).filter(|c| is_character(*c))
        }
    }
}

/// Whether a document can hold a character at all (XML 1.0 section 2.2).
pub(super) fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
