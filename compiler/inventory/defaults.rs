//! What servers share (`defaults:`), laid below each server; and keys that are set back to their default.
//!
//! A shared value keeps its place, so a finding about a server points at the line that was shared. This file must not know
//! which keys a server has.

use std::collections::BTreeSet;

use super::plain::{Plain, classify};
use super::schema::Field;
use super::value::{Entry, Node, ValueKind, merge, push_segment};
use crate::diag::nearest;

/// A tree whose servers have what they share.
pub(super) struct Expanded {
    /// The tree; `defaults` is still in it, to be checked.
    pub(super) root: Node,
    /// Pointers of values of servers that are written in `defaults`: they are checked there.
    pub(super) shared: BTreeSet<String>,
}

/// Lays `defaults.all`, then those of the server's roles, below every server.
pub(super) fn expand(root: Node) -> Expanded {
    let mut shared = BTreeSet::new();
    let (Some(defaults), Some(servers)) = (root.get("defaults"), root.get("servers")) else {
        return Expanded { root, shared };
    };
    let (Some(items), Some(entries)) = (servers.value.items(), root.entries()) else {
        return Expanded { root, shared };
    };
    let expanded: Vec<Node> = items
        .iter()
        .enumerate()
        .map(|(index, server)| {
            if server.entries().is_none() {
                return server.clone();
            }
            let mut pointer = format!("/servers/{index}");
            let below = ["all"].into_iter().chain(roles(server));
            let below = below
                .filter_map(|name| defaults.value.get(name))
                .map(|entry| entry.value.target().clone())
                .filter(|node| node.entries().is_some())
                .reduce(|base, over| merge(&base, &over));
            let Some(below) = below else {
                return server.clone();
            };
            let mut merged = merge(&below, server);
            note_shared(server, &merged, &mut pointer, &mut shared);
            // A finding about the server as a whole belongs to the server.
            merged.span = server.target().span;
            own_first(server, &merged)
        })
        .collect();
    let expanded = Node::new(servers.value.target().span, ValueKind::List(expanded));
    let mut entries = entries.to_vec();
    if let Some(servers) = entries.iter_mut().find(|entry| entry.key == "servers") {
        servers.value = expanded;
    }
    Expanded {
        root: Node::mapping(root.span, entries),
        shared,
    }
}

/// Whether a mistake in what servers share may be the reason why a server lacks a key: `defaults` or a part of it is no mapping,
/// or the key stands in it under a name that nobody knows. That mistake is told, and the rest follows from it.
pub(super) fn may_hold(root: &Node, server: Field<'_>, key: &str) -> bool {
    let Some(defaults) = root.get("defaults") else {
        return false;
    };
    let Some(parts) = defaults.value.entries() else {
        return true;
    };
    parts.iter().any(|part| {
        let Some(shared) = part.value.entries() else {
            return part.key == key || PARTS.contains(&part.key.as_str());
        };
        let is_known_part = PARTS.contains(&part.key.as_str());
        shared.iter().any(|entry| {
            let is_like_it = || server.property(&entry.key).is_none() && nearest(&entry.key, [key]).is_some();
            entry.key == key && !is_known_part || is_like_it()
        })
    })
}

/// Keys of `defaults`.
const PARTS: [&str; 3] = ["all", "core", "management"];

/// Whether servers may share a key.
pub(super) fn is_shareable(root: Field<'_>, key: &str) -> bool {
    let all = root
        .property("defaults")
        .and_then(|defaults| defaults.property("all"));
    all.is_some_and(|all| all.property(key).is_some())
}

/// A tree without keys set to `null` where nothing else stands for it: they take away what a lower layer sets, and the
/// default holds again.
pub(super) fn without_nulls(node: Node, field: Field<'_>) -> Node {
    let ValueKind::Map(map) = &node.kind else {
        return node;
    };
    let kept = map.entries().iter().filter_map(|entry| {
        let Some(inner) = field.property(&entry.key) else {
            return Some(entry.clone());
        };
        let is_null =
            matches!(&entry.value.target().kind, ValueKind::Plain(text) if classify(text) == Plain::Null);
        if is_null && !inner.takes("null") && !field.requires(&entry.key) {
            return None;
        }
        Some(Entry {
            value: without_nulls(entry.value.clone(), inner),
            ..entry.clone()
        })
    });
    Node::mapping(node.span, kept.collect())
}

/// The roles a server says it has, in the order in which their shared values are laid down.
fn roles(server: &Node) -> impl Iterator<Item = &'static str> {
    let items = server.get("roles").and_then(|roles| roles.value.items());
    ["core", "management"]
        .into_iter()
        .filter(move |role| items.is_some_and(|items| items.iter().any(|item| item.text() == Some(*role))))
}

/// The server's own keys in front, so that its first line is still its own.
fn own_first(server: &Node, merged: &Node) -> Node {
    let first = server.entries().into_iter().flatten();
    let first = first.filter_map(|entry| merged.get(&entry.key));
    let rest = merged.entries().into_iter().flatten();
    let rest = rest.filter(|entry| server.get(&entry.key).is_none());
    Node::mapping(merged.span, first.chain(rest).cloned().collect())
}

/// Notes every value that only the shared part has.
fn note_shared(own: &Node, merged: &Node, pointer: &mut String, shared: &mut BTreeSet<String>) {
    let length = pointer.len();
    for entry in merged.entries().into_iter().flatten() {
        push_segment(pointer, &entry.key);
        match own.get(&entry.key) {
            None => {
                shared.insert(pointer.clone());
            }
            Some(of_own) => note_shared(&of_own.value, &entry.value, pointer, shared),
        }
        pointer.truncate(length);
    }
}
