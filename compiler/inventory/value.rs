//! The spanned tree of an inventory, and places in it by JSON pointer.
//!
//! Every node knows which bytes of which file wrote it, also after files were merged, so a finding about a merged
//! value points into the file that holds it. This module must not know YAML syntax, the schema or any message.

use std::sync::Arc;

use crate::source::Span;

/// One value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The bytes of the value; collections and multi-line texts are clipped to their first line, because the whole
    /// range of a block collection reaches to the next token and would underline a page.
    pub(super) span: Span,
    /// What it is.
    pub(super) kind: ValueKind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum ValueKind {
    /// A scalar without quotes: its type follows from its letters.
    Plain(String),
    /// A scalar in quotes or a block scalar: always text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in source order; keys are unique.
    Map(Map),
    /// The target of an alias, shared instead of copied so that aliases cost nothing.
    Shared(Arc<Node>),
    /// A value that was already reported; everything about it and below it stays quiet.
    Refused,
}

/// One entry of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// The bytes of the key.
    pub(super) key_span: Span,
    /// The value.
    pub(super) value: Node,
}

/// Entries in source order, found by key in less than linear time: a hostile file may hold 100,000 unknown keys.
#[derive(Clone, Debug)]
pub(super) struct Map {
    entries: Vec<Entry>,
    /// Indices into `entries` sorted by key; empty for small maps, which are searched through.
    sorted: Vec<usize>,
}

/// Up to this many entries are searched through.
const SMALL: usize = 16;

impl Map {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let mut sorted = Vec::new();
        if entries.len() > SMALL {
            sorted.extend(0..entries.len());
            sorted.sort_by(|left, right| {
                let key = |at: usize| entries.get(at).map(|entry| &entry.key);
                key(*left).cmp(&key(*right))
            });
        }
        Self { entries, sorted }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        if self.sorted.is_empty() {
            return self.entries.iter().find(|entry| entry.key == key);
        }
        let at = self
            .sorted
            .binary_search_by(|index| {
                self.entries
                    .get(*index)
                    .map(|entry| entry.key.as_str())
                    .cmp(&Some(key))
            })
            .ok()?;
        self.entries.get(*self.sorted.get(at)?)
    }
}

impl Node {
    pub(super) fn new(span: Span, kind: ValueKind) -> Self {
        Self { span, kind }
    }

    /// A mapping.
    pub(super) fn mapping(span: Span, entries: Vec<Entry>) -> Self {
        Self::new(span, ValueKind::Map(Map::new(entries)))
    }

    /// The node itself, or what an alias stands for.
    pub(super) fn target(&self) -> &Self {
        let mut node = self;
        while let ValueKind::Shared(shared) = &node.kind {
            node = shared;
        }
        node
    }

    /// The mapping, where it is one.
    fn map(&self) -> Option<&Map> {
        let ValueKind::Map(map) = &self.target().kind else {
            return None;
        };
        Some(map)
    }

    /// The entries of a mapping.
    pub(super) fn entries(&self) -> Option<&[Entry]> {
        self.map().map(Map::entries)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.map()?.get(key)
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<&[Self]> {
        let ValueKind::List(items) = &self.target().kind else {
            return None;
        };
        Some(items)
    }

    /// Marks the value of the last key of a mapping as reported.
    pub(super) fn refuse_last(&mut self) {
        if let ValueKind::Map(map) = &mut self.kind
            && let Some(last) = map.entries.last_mut()
        {
            last.value.kind = ValueKind::Refused;
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.target().kind {
            ValueKind::Plain(text) | ValueKind::Text(text) => Some(text),
            ValueKind::List(_) | ValueKind::Map(_) | ValueKind::Shared(_) | ValueKind::Refused => None,
        }
    }
}

/// Lays `over` upon `base`: mappings merge key by key, everything else replaces. Keys keep the order in which they
/// first appear.
pub(super) fn merge(base: &Node, over: &Node) -> Node {
    let (Some(below), Some(above)) = (base.entries(), over.entries()) else {
        return over.clone();
    };
    let mut entries: Vec<Entry> = Vec::with_capacity(below.len() + above.len());
    for entry in below {
        match over.get(&entry.key) {
            Some(replacement) => entries.push(Entry {
                value: merge(&entry.value, &replacement.value),
                ..replacement.clone()
            }),
            None => entries.push(entry.clone()),
        }
    }
    entries.extend(
        above
            .iter()
            .filter(|entry| base.get(&entry.key).is_none())
            .cloned(),
    );
    Node::mapping(over.span, entries)
}

/// Where every value of a loaded inventory is written.
///
/// Pointers are JSON pointers (RFC 6901) into the merged inventory: `/servers/0/fqdn`.
#[derive(Clone, Debug, Default)]
pub struct Places {
    root: Option<Arc<Node>>,
}

/// What a pointer leads to: the key (or list item) and the value.
struct Found<'a> {
    key: Option<Span>,
    value: &'a Node,
}

impl Places {
    /// No places at all, for an inventory that was not read from text.
    pub fn empty() -> Self {
        Self::default()
    }

    pub(super) fn new(root: Node) -> Self {
        Self {
            root: Some(Arc::new(root)),
        }
    }

    /// The bytes of a value; the first line of a collection. `None` when no file writes it.
    pub fn value(&self, pointer: &str) -> Option<Span> {
        self.find(pointer).map(|found| found.value.span)
    }

    /// The bytes of the key, or of the first token of a list item. The whole inventory has none.
    pub fn key(&self, pointer: &str) -> Option<Span> {
        self.find(pointer)?.key
    }

    /// The value, or the key of the nearest ancestor that is written, or the first line of the inventory.
    pub fn nearest(&self, pointer: &str) -> Option<Span> {
        let mut rest = pointer;
        if let Some(span) = self.value(rest) {
            return Some(span);
        }
        while let Some((parent, _)) = rest.rsplit_once('/') {
            rest = parent;
            if let Some(found) = self.find(rest) {
                return Some(found.key.unwrap_or(found.value.span));
            }
        }
        self.root.as_ref().map(|root| root.span)
    }

    /// Whether no file writes this value.
    pub fn is_default(&self, pointer: &str) -> bool {
        self.find(pointer).is_none()
    }

    /// Every scalar with its pointer, in file order.
    pub fn scalars(&self) -> impl Iterator<Item = (String, Span)> {
        let mut found = Vec::new();
        if let Some(root) = &self.root {
            collect_scalars(root, &mut String::new(), &mut found);
        }
        found.sort_by_key(|(_, span)| (span.file, span.start));
        found.into_iter()
    }

    /// The text of a scalar as written, without its quotes.
    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.find(pointer)?.value.text()
    }

    /// The node at a pointer.
    pub(super) fn node(&self, pointer: &str) -> Option<&Node> {
        self.find(pointer).map(|found| found.value)
    }

    fn find(&self, pointer: &str) -> Option<Found<'_>> {
        let mut found = Found {
            key: None,
            value: self.root.as_deref()?.target(),
        };
        let Some(segments) = pointer.strip_prefix('/') else {
            return pointer.is_empty().then_some(found);
        };
        for segment in segments.split('/') {
            found = match &found.value.kind {
                ValueKind::Map(map) => {
                    let entry = map.get(&unescape(segment))?;
                    Found {
                        key: Some(entry.key_span),
                        value: entry.value.target(),
                    }
                }
                ValueKind::List(items) => {
                    let item = items.get(segment.parse::<usize>().ok()?)?.target();
                    let first = item.entries().and_then(<[Entry]>::first);
                    Found {
                        key: Some(first.map_or(item.span, |entry| entry.key_span)),
                        value: item,
                    }
                }
                ValueKind::Plain(_) | ValueKind::Text(_) | ValueKind::Shared(_) | ValueKind::Refused => {
                    return None;
                }
            };
        }
        Some(found)
    }
}

fn collect_scalars(node: &Node, pointer: &mut String, found: &mut Vec<(String, Span)>) {
    let length = pointer.len();
    match &node.target().kind {
        ValueKind::Map(map) => {
            for entry in &map.entries {
                push_segment(pointer, &entry.key);
                collect_scalars(&entry.value, pointer, found);
                pointer.truncate(length);
            }
        }
        ValueKind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                push_segment(pointer, &index.to_string());
                collect_scalars(item, pointer, found);
                pointer.truncate(length);
            }
        }
        ValueKind::Plain(_) | ValueKind::Text(_) | ValueKind::Shared(_) | ValueKind::Refused => {
            found.push((pointer.clone(), node.target().span));
        }
    }
}

/// The JSON pointer of a member.
pub(super) fn member(pointer: &str, key: &str) -> String {
    let mut member = pointer.to_owned();
    push_segment(&mut member, key);
    member
}

/// Appends one segment to a JSON pointer.
pub(super) fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    if segment.contains(['~', '/']) {
        pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(segment);
    }
}

/// The name a pointer segment stands for.
pub(super) fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}
