//! What of the layers of an inventory has no effect.
//!
//! This file must not know what a value means.

use super::Loaded;
use super::value::{Node, ValueKind, push_segment};
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
    /// No server takes a value that servers could share.
    Shared {
        /// JSON pointer of the value in `defaults`.
        pointer: String,
        /// Where it is written.
        at: Span,
        /// What the first of the servers has in its place; `None` where no server could take it.
        by: Option<Span>,
    },
}

/// Everything of the lower layers that the inventory does not use, lowest layer first, and what no server takes of the values
/// that servers share, in whichever file.
pub fn idle(loaded: &Loaded) -> Vec<Idle> {
    let mut found = Vec::new();
    for (index, layer) in loaded.layers.iter().enumerate() {
        let mut leaves = Vec::new();
        collect(&layer.root, &mut String::new(), &mut leaves);
        let first = leaves.first().map(|(_, span)| *span);
        let hidden: Vec<Idle> = leaves
            .iter()
            .filter_map(|(pointer, at)| hidden(loaded, pointer, *at))
            .collect();
        // Of the inventory itself nothing is replaced but what its servers do not share.
        let is_lower = index + 1 < loaded.layers.len();
        if is_lower && hidden.len() == leaves.len() {
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

/// What hides a value of a file, if anything does.
fn hidden(loaded: &Loaded, pointer: &str, at: Span) -> Option<Idle> {
    let pointer = pointer.to_owned();
    let by = loaded.places.value(&pointer);
    if by != Some(at) {
        return Some(Idle::Value { pointer, at, by });
    }
    // What servers share is laid below each of them: `/defaults/all/windows` as `/servers/0/windows`.
    let shared = pointer.strip_prefix("/defaults/")?;
    let key = shared.find('/').and_then(|slash| shared.get(slash..))?;
    let servers = 0..loaded.inventory.servers.len();
    let mut taken = servers.map(|index| loaded.places.value(&format!("/servers/{index}{key}")));
    let by = taken.clone().flatten().next();
    (!taken.any(|place| place == Some(at))).then_some(Idle::Shared { pointer, at, by })
}

/// Values that replace as a whole: scalars and lists.
fn collect(node: &Node, pointer: &mut String, found: &mut Vec<(String, Span)>) {
    // The version of the format is said in every file that likes to, and replaces nothing.
    if pointer == "/schema" {
        return;
    }
    let node = node.target();
    let ValueKind::Map(map) = &node.kind else {
        found.push((pointer.clone(), node.span));
        return;
    };
    let length = pointer.len();
    for entry in map.entries() {
        push_segment(pointer, &entry.key);
        collect(&entry.value, pointer, found);
        pointer.truncate(length);
    }
}
