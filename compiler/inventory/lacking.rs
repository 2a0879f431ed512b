//! Missing keys in the words of an author: which are told, and what several servers lack as one finding.
//!
//! This module decides nothing: the schema does.

use super::defaults;
use super::explain::{Explainer, homes_of};
use super::schema::Field;
use super::value::Node;
use super::wording::inline;
use super::yaml::MERGE;
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics, nearest};

/// Most names in one note.
const MOST_NAMES: usize = 2;

impl Explainer<'_> {
    /// Reports a missing key, unless another mistake is the reason why it is missing.
    pub(super) fn lacking(&self, diagnostics: &mut Diagnostics, pointer: &str, key: &str, field: Field<'_>) {
        let is_told =
            |pointer: &str| self.is_misspelt(pointer, key, field) || self.is_elsewhere(pointer, key);
        if is_told(pointer) {
            return;
        }
        let entry = match field.property(key).and_then(Field::example) {
            Some(example) => format!("{key}: {}", inline(example)),
            None => key.to_owned(),
        };
        let mut finding = self
            .missing_key(pointer, key, field)
            .help(format!("add `{entry}`"));
        if is_server(pointer) && self.subject.is_inventory {
            let root = self.places.node("");
            let is_new = self.lacking_in_servers.borrow_mut().insert(key.to_owned());
            if !is_new || root.is_some_and(|root| defaults::may_hold(root, field, key)) {
                return;
            }
            let others = self.servers_without(pointer, key, &is_told);
            if let Some(last) = others.last() {
                let names: Vec<String> = others
                    .iter()
                    .take(MOST_NAMES)
                    .map(|other| self.name(other))
                    .collect();
                let more = others.len() - names.len();
                finding = finding.note(match more {
                    0 => format!("so do {}", names.join(" and ")),
                    more => format!("so do {} and {more} more", names.join(", ")),
                });
                if let Some(span) = self.places.nearest(last) {
                    finding = finding.related(span, "the last one");
                }
                if defaults::is_shareable(self.schema.root(), key) {
                    finding = finding.help(format!(
                        "add `{entry}` to each of them, or once for all servers: `defaults: {{ all: {{ {entry} }} }}`"
                    ));
                }
            }
        }
        diagnostics.push(finding);
    }

    /// Pointers of the other servers behind this one that lack a key too.
    fn servers_without(&self, first: &str, key: &str, is_told: &dyn Fn(&str) -> bool) -> Vec<String> {
        let servers = self.places.node("/servers").and_then(Node::items);
        let lacks = |server: &Node| {
            server.entries().is_some() && server.get(key).is_none() && server.get(MERGE).is_none()
        };
        let lacking = servers
            .into_iter()
            .flatten()
            .enumerate()
            .filter(|(_, server)| lacks(server));
        lacking
            .map(|(index, _)| format!("/servers/{index}"))
            .filter(|pointer| pointer != first && !is_told(pointer))
            .collect()
    }

    /// What to do with an unknown key of `defaults` that is meant for servers.
    pub(super) fn shared_by_servers(&self, pointer: &str, key: &str, child: &str) -> Option<String> {
        if pointer != "/defaults" || !self.subject.is_inventory {
            return None;
        }
        if defaults::is_shareable(self.schema.root(), key) {
            return Some(format!(
                "write it below `all`, for every server, or below a role: `all: {{ {key}: … }}`"
            ));
        }
        let entries = self.places.node(child)?.entries()?;
        let of_servers = entries
            .iter()
            .any(|entry| defaults::is_shareable(self.schema.root(), &entry.key));
        of_servers.then(|| {
            "write `all` for what every server has, `core` or `management` for those with a role".to_owned()
        })
    }

    fn missing_key(&self, pointer: &str, key: &str, field: Field<'_>) -> Diagnostic {
        let place = self.places.key(pointer).or_else(|| self.places.nearest(pointer));
        let owner = self.name(pointer);
        let finding = Diagnostic::new(codes::MISSING_KEY, format!("{owner} lacks `{key}`")).at_opt(place);
        match field.property(key).and_then(Field::summary) {
            Some(summary) => finding.note(format!("`{key}`: {summary}")),
            None => finding,
        }
    }

    /// Whether the key is there under a near, unknown name: that is one mistake, and the unknown key already tells it.
    fn is_misspelt(&self, pointer: &str, key: &str, field: Field<'_>) -> bool {
        let entries = self.places.node(pointer).and_then(Node::entries);
        entries
            .into_iter()
            .flatten()
            .filter(|entry| field.property(&entry.key).is_none())
            .any(|entry| nearest(&entry.key, field.keys()) == Some(key))
    }

    /// Whether the key stands in a section that has none of this name, and belongs here only: that is one mistake, and
    /// the unknown key already says where to move it.
    fn is_elsewhere(&self, pointer: &str, key: &str) -> bool {
        let mut homes = Vec::new();
        homes_of(self.schema.root(), "", &mut |_, name, _| name == key, &mut homes);
        let root = self.places.node("");
        matches!(homes.as_slice(), [(home, _)] if home == pointer)
            && root.is_some_and(|root| is_astray(root, self.schema.root(), key))
    }
}

/// Whether a pointer leads to a server.
fn is_server(pointer: &str) -> bool {
    pointer
        .strip_prefix("/servers/")
        .is_some_and(|index| index.parse::<usize>().is_ok())
}

/// Whether a section below `node` has `key` without having such a key.
fn is_astray(node: &Node, field: Field<'_>, key: &str) -> bool {
    let mut entries = node.entries().into_iter().flatten();
    entries.any(|entry| match field.property(&entry.key) {
        None => entry.key == key,
        Some(inner) => is_astray(&entry.value, inner, key),
    })
}
