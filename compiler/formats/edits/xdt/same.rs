//! Whether an element of the file already says what an element of the transform would put there.
//!
//! Compared are names, attributes in any order, and text; comments and the blanks between elements are layout.

use super::NAMESPACE;
use crate::xml::tree::{Document, NodeId, NodeKind};

/// Whether two elements say the same; attributes of transforms in the first are left out.
pub(super) fn same(edits: &Document, edit: NodeId, file: &Document, element: NodeId) -> bool {
    let mut pairs = vec![(edit, element)];
    while let Some((edit, element)) = pairs.pop() {
        let named = edits.name(edit) == file.name(element)
            && edits.uri(edits.namespace(edit)) == file.uri(file.namespace(element));
        if !named || !same_attributes(edits, edit, file, element) {
            return false;
        }
        let (left, right) = (content(edits, edit), content(file, element));
        if left.len() != right.len() {
            return false;
        }
        for pair in left.into_iter().zip(right) {
            match pair {
                (Part::Element(edit), Part::Element(element)) => pairs.push((edit, element)),
                (Part::Text(left), Part::Text(right)) if left == right => {}
                _ => return false,
            }
        }
    }
    true
}

fn same_attributes(edits: &Document, edit: NodeId, file: &Document, element: NodeId) -> bool {
    let sorted = |document: &Document, node: NodeId| {
        let meant = document
            .plain_attributes(node)
            .map(|attribute| {
                (
                    document.uri(attribute.namespace()).to_owned(),
                    document.attribute_name(attribute).to_owned(),
                    document.value(attribute).into_owned(),
                )
            })
            .filter(|(uri, ..)| uri != NAMESPACE);
        let mut all: Vec<_> = meant.collect();
        all.sort_unstable();
        all
    };
    sorted(edits, edit) == sorted(file, element)
}

enum Part {
    Element(NodeId),
    Text(String),
}

fn content(document: &Document, node: NodeId) -> Vec<Part> {
    let mut parts = Vec::new();
    for child in document.children(node) {
        match document.kind(child) {
            NodeKind::Element(_) => parts.push(Part::Element(child)),
            NodeKind::Text | NodeKind::CData => {
                let text = document.text_of(child);
                match parts.last_mut() {
                    Some(Part::Text(before)) => before.push_str(&text),
                    _ => parts.push(Part::Text(text.into_owned())),
                }
            }
            NodeKind::Document | NodeKind::Comment | NodeKind::Instruction => {}
        }
    }
    let alone = parts.len() == 1;
    parts.retain(|part| match part {
        Part::Element(_) => true,
        // Blanks alone are a value, unless they only break the line before the end tag.
        Part::Text(text) => !text.trim().is_empty() || alone && !text.is_empty() && !text.contains('\n'),
    });
    parts
}
