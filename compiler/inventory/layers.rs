//! What of the layers of an inventory has no effect.
//!
//! This file must not know what a value means.

use super::Loaded;
use super::value::{Kind, Node, push_segment};
use crate::source::Span;

/// Something that has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idle {
    /// No value of a file is left in the inventory.
    Layer {
        /// The file.
        name: String,
        /// Its first value, when it has one.
        first: Option<Span>,
    },
    /// Another file replaces a value.
    Value {
        /// JSON pointer of the value.
        pointer: String,
        /// Where it is written.
        at: Span,
        /// What replaces it.
        by: Option<Span>,
    },
}

/// Everything of the lower layers that the inventory does not use, lowest layer first.
pub fn idle(loaded: &Loaded) -> Vec<Idle> {
    let mut found = Vec::new();
    let Some((_, lower)) = loaded.layers.split_last() else {
        return found;
    };
    for layer in lower {
        let mut leaves = Vec::new();
        collect(&layer.root, &mut String::new(), &mut leaves);
        let first = leaves.first().map(|(_, span)| *span);
        let hidden: Vec<Idle> = leaves
            .iter()
            .filter_map(|(pointer, at)| {
                let by = loaded.places.value(pointer);
                (by != Some(*at)).then(|| Idle::Value {
                    pointer: pointer.clone(),
                    at: *at,
                    by,
                })
            })
            .collect();
        if hidden.len() == leaves.len() {
            found.push(Idle::Layer {
                name: layer.name.clone(),
                first,
            });
        } else {
            found.extend(hidden);
        }
    }
    found
}

/// Values that replace as a whole: scalars and lists.
fn collect(node: &Node, pointer: &mut String, found: &mut Vec<(String, Span)>) {
    // What servers share is laid below each of them, and not found under its own name. The version of the format is said in
    // every file that likes to, and replaces nothing.
    if pointer == "/defaults" || pointer == "/schema" {
        return;
    }
    let node = node.target();
    let Kind::Map(_) = &node.kind else {
        found.push((pointer.clone(), node.span));
        return;
    };
    let length = pointer.len();
    for entry in node.entries().unwrap_or_default() {
        push_segment(pointer, &entry.key);
        collect(&entry.value, pointer, found);
        pointer.truncate(length);
    }
}
