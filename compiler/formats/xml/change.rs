//! Changes of a document, and writing it: what was not changed is written as it was read, byte for byte.
//!
//! New text stands behind that of the file, so a node never loses its place. This module must not know what is changed
//! or why.

use std::ops::Range;

use super::read::Limits;
use super::tree::{Attribute, Document, NamespaceId, NodeId, NodeKind, Span};
use crate::FormatError;
use crate::edits::source::Splice;

impl Document {
    /// Puts text behind the file.
    fn add_text(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        Span::new(start, self.text.len())
    }

    /// Notes that a node, or something in it, is not what was read.
    fn touch(&mut self, id: NodeId) {
        let mut next = Some(id);
        while let Some(node) = next {
            if self.get(node).changed {
                return;
            }
            self.tree.change(node, |node| node.changed = true);
            next = self.get(node).parent;
        }
    }

    fn change_element(&mut self, id: NodeId, change: impl FnOnce(&mut super::tree::Element)) {
        self.tree.change(id, |node| {
            if let NodeKind::Element(element) = &mut node.kind {
                change(element);
            }
        });
        self.touch(id);
    }

    /// Writes another value, as it stands between the quotes, into an attribute; `index` counts attributes and
    /// declarations.
    pub fn set_value(&mut self, id: NodeId, index: usize, raw: &str) {
        let value = self.add_text(raw);
        self.change_element(id, |element| {
            if let Some(attribute) = element.attributes.get_mut(index) {
                attribute.new_value = Some(value);
            }
        });
    }

    /// Adds an attribute behind the last one. `lead` are the blanks before it, `raw` stands between the quotes.
    pub fn add_attribute(
        &mut self,
        id: NodeId,
        lead: &str,
        name: (&str, NamespaceId),
        quote: char,
        raw: &str,
    ) {
        let (name, namespace) = name;
        let text = self.add_text(&format!("{lead}{name}={quote}{raw}{quote}"));
        let start = text.start as usize + lead.len();
        let value = start + name.len() + 2;
        let attribute = Attribute {
            lead: text.start,
            name: Span::new(start, start + name.len()),
            prefix: name
                .find(':')
                .map_or(0, |colon| u32::try_from(colon).unwrap_or(u32::MAX)),
            value: Span::new(value, value + raw.len()),
            new_value: None,
            namespace,
        };
        self.change_element(id, |element| element.attributes.push(attribute));
    }

    /// Removes an attribute with the blanks before it.
    pub fn remove_attribute(&mut self, id: NodeId, index: usize) {
        self.change_element(id, |element| {
            if index < element.attributes.len() {
                element.attributes.remove(index);
            }
        });
    }

    /// Takes a node, with all below it, out of the tree.
    pub fn detach(&mut self, id: NodeId) {
        let (parent, previous, next) = {
            let node = self.get(id);
            (node.parent, node.previous, node.next)
        };
        let Some(parent) = parent else { return };
        self.touch(parent);
        match previous {
            Some(previous) => self.tree.change(previous, |node| node.next = next),
            None => self.tree.change(parent, |node| node.first = next),
        }
        match next {
            Some(next) => self.tree.change(next, |node| node.previous = previous),
            None => self.tree.change(parent, |node| node.last = previous),
        }
        self.tree.change(id, |node| {
            node.parent = None;
            node.previous = None;
            node.next = None;
        });
    }

    /// Leaves only a part of a text node.
    pub fn cut_text(&mut self, id: NodeId, kept: Range<usize>) {
        if kept.is_empty() {
            self.detach(id);
        } else {
            self.touch(id);
            self.tree
                .change(id, |node| node.range = Span::new(kept.start, kept.end));
        }
    }

    /// Gives an element that is written as one tag an end tag.
    fn open_up(&mut self, id: NodeId) {
        if !self.is_one_tag(id) {
            return;
        }
        let close = format!("</{}>", self.written_name(id));
        let tail = self.add_text(">");
        let close = self.add_text(&close);
        self.change_element(id, |element| {
            element.tail = tail;
            element.close = close;
        });
    }

    /// Reads a piece of XML and hangs it behind `previous` below `parent`; at the beginning without `previous`.
    ///
    /// # Errors
    /// What is not well-formed there; the ranges mean nothing to a user.
    pub fn insert(
        &mut self,
        text: &str,
        parent: NodeId,
        previous: Option<NodeId>,
        limits: Limits,
    ) -> Result<Vec<NodeId>, FormatError> {
        let start = self.add_text(text).start as usize;
        let added = self.read_added(start, parent, limits)?;
        self.open_up(parent);
        let mut previous = previous;
        for node in &added {
            self.tree.hang(*node, parent, previous);
            previous = Some(*node);
        }
        self.touch(parent);
        Ok(added)
    }

    /// The parts of the text that make up a node now, in order.
    fn pieces(&self, top: NodeId) -> Vec<Span> {
        enum Step {
            Node(NodeId),
            Piece(Span),
        }
        let mut pieces: Vec<Span> = Vec::new();
        let mut steps = vec![Step::Node(top)];
        while let Some(step) = steps.pop() {
            let id = match step {
                Step::Node(id) => id,
                Step::Piece(piece) => {
                    add(&mut pieces, piece);
                    continue;
                }
            };
            let node = self.get(id);
            if !node.changed {
                add(&mut pieces, node.range);
                continue;
            }
            match &node.kind {
                NodeKind::Document => {
                    let first = self.first_child(id).map_or(0, |child| self.range(child).start);
                    // A byte order mark is no node.
                    let mark = self.text.chars().next().filter(|c| *c == '\u{feff}');
                    let mark = mark.map_or(0, char::len_utf8).min(first);
                    add(&mut pieces, Span::new(0, mark));
                }
                NodeKind::Element(element) => {
                    let part = |start, end| Span { start, end };
                    add(&mut pieces, part(node.range.start, element.name.end));
                    for attribute in &element.attributes {
                        let end = attribute.value.end + 1;
                        match attribute.new_value {
                            None => add(&mut pieces, part(attribute.lead, end)),
                            Some(value) => {
                                add(&mut pieces, part(attribute.lead, attribute.value.start));
                                add(&mut pieces, value);
                                add(&mut pieces, part(attribute.value.end, end));
                            }
                        }
                    }
                    add(&mut pieces, element.tail);
                    steps.push(Step::Piece(element.close));
                }
                NodeKind::Text | NodeKind::CData | NodeKind::Comment | NodeKind::Instruction => {
                    add(&mut pieces, node.range);
                }
            }
            let children =
                std::iter::successors(node.last, |child| self.get(*child).previous).map(Step::Node);
            steps.extend(children);
        }
        pieces
    }

    /// The document as it is now.
    pub fn written(&self) -> String {
        self.written_part(self.top())
    }

    /// A node as it is now.
    pub fn written_part(&self, id: NodeId) -> String {
        let mut out = String::with_capacity(self.range(id).len());
        for piece in self.pieces(id) {
            out.push_str(self.slice(piece.range()));
        }
        out
    }

    /// What of the file is not as it was, in order.
    pub fn splices(&self) -> Vec<Splice> {
        let mut splices: Vec<Splice> = Vec::new();
        let mut kept = 0;
        let mut text = String::new();
        let mut add = |range: Range<usize>, text: &mut String| {
            if !range.is_empty() || !text.is_empty() {
                splices.push(Splice {
                    range,
                    text: std::mem::take(text),
                });
            }
        };
        for piece in self.pieces(self.top()) {
            let range = piece.range();
            if range.end <= self.file_length {
                add(kept..range.start, &mut text);
                kept = range.end;
            } else {
                text.push_str(self.slice(range));
            }
        }
        add(kept..self.file_length, &mut text);
        splices
    }
}

/// Adds a part; parts that follow each other in the text become one.
fn add(pieces: &mut Vec<Span>, piece: Span) {
    match pieces.last_mut() {
        _ if piece.start == piece.end => {}
        Some(last) if last.end == piece.start => last.end = piece.end,
        _ => pieces.push(piece),
    }
}
