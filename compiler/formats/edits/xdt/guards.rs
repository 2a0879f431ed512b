//! What .NET and IIS make of an edited file although every transform found its element: a value that another entry
//! hides, a section whose content stands elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::instructions::Locator;
use super::read::{Edit, XdtEdits};
use super::state::Engine;
use crate::characters::label;
use crate::edits::{Note, Refusal, RefusalKind};
use crate::xml::tree::{Attribute, Document, NodeId};
use crate::{FactPath, Form, Step};

/// What an entry of a collection is known by: `key`, or else `name`.
pub(super) fn identity(document: &Document, node: NodeId) -> Option<(&'static str, String)> {
    ["key", "name"]
        .into_iter()
        .find_map(|name| Some((name, document.attribute(node, name)?.into_owned())))
}

/// An element of the file as people name it, with what is meant in it: `configuration > appSettings > add[key=X] > @value`.
pub(super) fn key(file: &Document, node: NodeId, inside: Option<Step>) -> FactPath {
    let elements = file.ancestors(node).filter(|node| file.is_element(*node));
    let steps = elements.map(|node| {
        let step = Step::new(Form::Element, file.name(node));
        match identity(file, node) {
            Some((name, value)) => step.keyed(format!("{name}={}", label(&value))),
            None => step,
        }
    });
    let mut steps: Vec<Step> = inside.into_iter().chain(steps).collect();
    steps.reverse();
    steps.into_iter().collect()
}

/// An element of the transform as people name it.
pub(super) fn edit_label(edits: &XdtEdits, edit: &Edit) -> String {
    let document = &edits.document;
    let name = document.name(edit.node);
    let inside = match &edit.locator {
        Some(Locator::Match(names)) => {
            let equal = names.iter().filter_map(|name| {
                let value = document.value(edits.named(edit, name)?).into_owned();
                Some(format!("{name}={}", label(&value)))
            });
            equal.collect::<Vec<_>>().join(",")
        }
        Some(Locator::Condition(condition)) => label(&condition.text),
        Some(Locator::XPath(selector)) => label(&selector.text),
        None => return name.to_owned(),
    };
    format!("{name}[{inside}]")
}

/// Why nothing can be put into `parent`: its content, or that of a section around it, stands elsewhere or is encrypted.
pub(super) fn closed(file: &Document, parent: NodeId) -> Option<(Range<usize>, String)> {
    file.ancestors(parent).filter(|node| file.is_element(*node)).find_map(|node| {
        let name = file.name(node);
        if let Some(source) = file.attribute(node, "configSource") {
            let message = format!(
                "the content of `{name}` stands in `{}` (configSource); .NET refuses a section that has both",
                label(&source)
            );
            return Some((file.tag(node), message));
        }
        is_encrypted(file, node).then(|| {
            let message = format!("the section `{name}` is encrypted; what is put into it cannot be read");
            (file.tag(node), message)
        })
    })
}

fn is_encrypted(file: &Document, node: NodeId) -> bool {
    file.attribute(node, "configProtectionProvider").is_some()
        // An encrypted section holds nothing else.
        || file
            .elements(node)
            .next()
            .is_some_and(|child| file.name(child) == "EncryptedData")
}

/// Why attributes cannot be set on a section: with `configSource` it can have no other, and an encrypted one has all
/// of them inside.
pub(super) fn closed_to_attributes(
    file: &Document,
    node: NodeId,
    edits: &XdtEdits,
    attributes: &[&Attribute],
) -> Option<(Range<usize>, String)> {
    let only_source = attributes
        .iter()
        .all(|attribute| edits.document.attribute_name(attribute) == "configSource");
    if only_source { None } else { closed(file, node) }
}

/// The `add` of the same name before which a `remove` has to stand; behind it, IIS would drop the entry again.
pub(super) fn add_to_remove(engine: &Engine<'_>, edit: &Edit, parent: NodeId) -> Option<NodeId> {
    let document = &engine.edits.document;
    if document.name(edit.node) != "remove" {
        return None;
    }
    let (name, value) = identity(document, edit.node)?;
    engine.file.elements(parent).find(|child| {
        engine.file.name(*child) == "add"
            && engine
                .file
                .attribute(*child, name)
                .is_some_and(|found| found.eq_ignore_ascii_case(&value))
    })
}

/// Entries of `appSettings` whose section reads another file as well: an entry of the same key there wins, and nobody here
/// can see it (source: <https://learn.microsoft.com/en-us/dotnet/framework/configure-apps/file-schema/appsettings/>).
pub(super) fn elsewhere(engine: &Engine<'_>) -> Vec<Note> {
    let mut sections: BTreeMap<NodeId, Vec<String>> = BTreeMap::new();
    let file = &engine.file;
    for done in &engine.done {
        let section = done
            .node
            .and_then(|node| Some((node, file.parent_element(node)?)));
        let Some((node, section)) = section.filter(|(_, section)| file.name(*section) == "appSettings")
        else {
            continue;
        };
        if file.attribute(section, "file").is_some()
            && let Some((_, key)) = identity(file, node)
        {
            sections
                .entry(section)
                .or_default()
                .push(format!("`{}`", label(&key)));
        }
    }
    let note = |(section, mut keys): (NodeId, Vec<String>)| {
        keys.dedup();
        let other = file.attribute(section, "file")?;
        Some(Note {
            message: format!(
                "`appSettings` reads `{}` too (file), where an entry of the same key wins: look there for {}",
                label(&other),
                keys.join(", ")
            ),
            line: None,
            span: file.is_in_file(section).then(|| file.tag(section)),
        })
    };
    sections.into_iter().filter_map(note).collect()
}

/// An entry of a collection that a transform set or added.
struct Entry {
    /// The edit that did it.
    number: usize,
    node: NodeId,
    /// The attribute it is known by, and its value.
    attribute: &'static str,
    value: String,
    /// What hides it from a reader.
    hidden: Option<(NodeId, String)>,
}

/// Refuses entries that a reader would not see: .NET takes the last of two that differ in case only, and a later
/// `<clear/>` or `<remove>` takes away what stands before it.
pub(super) fn hidden(engine: &mut Engine<'_>) {
    let file = &engine.file;
    let mut seen = BTreeSet::new();
    let mut collections: BTreeMap<NodeId, Vec<Entry>> = BTreeMap::new();
    for done in &engine.done {
        let Some(node) = done.node else { continue };
        if !seen.insert(node) || file.name(node) != "add" {
            continue;
        }
        let attached = file.ancestors(node).last() == Some(file.top());
        let parent = file.parent_element(node).filter(|_| attached);
        if let Some((parent, (attribute, value))) = parent.zip(identity(file, node)) {
            collections.entry(parent).or_default().push(Entry {
                number: done.number,
                node,
                attribute,
                value,
                hidden: None,
            });
        }
    }
    for (parent, entries) in &mut collections {
        look_for_hiding(engine, *parent, entries);
    }
    let mut found: Vec<Entry> = collections.into_values().flatten().collect();
    found.sort_by_key(|entry| entry.number);
    for entry in found {
        let Some((sibling, message)) = entry.hidden else {
            continue;
        };
        let refused = Refusal::new(RefusalKind::Ambiguous, message)
            .in_file(engine.in_file(sibling))
            .nearest(identity(&engine.file, sibling).map(|(_, value)| value));
        engine.refused(entry.number, refused);
    }
}

/// Notes for each entry the first of its siblings that hides it, in one walk over the collection.
fn look_for_hiding(engine: &Engine<'_>, parent: NodeId, entries: &mut [Entry]) {
    let file = &engine.file;
    let mut passed = BTreeSet::new();
    for sibling in file.elements(parent) {
        if engine.budget.take(1).is_err() {
            return;
        }
        let name = file.name(sibling);
        if !matches!(name, "add" | "clear" | "remove") {
            continue;
        }
        // Compared without its case by `eq_ignore_ascii_case`, which looks at the length first.
        let [key, other] = ["key", "name"].map(|attribute| file.attribute(sibling, attribute));
        for entry in entries.iter_mut().filter(|entry| entry.hidden.is_none()) {
            if entry.node == sibling {
                passed.insert(sibling);
                continue;
            }
            let behind = passed.contains(&entry.node);
            let value = if entry.attribute == "key" { &key } else { &other };
            let same = value
                .as_deref()
                .filter(|value| value.eq_ignore_ascii_case(&entry.value));
            let message = match (name, same) {
                ("add", Some(other)) => format!(
                    "the entry `{}` is there besides `{}`; .NET ignores the case and takes the last of them",
                    label(other),
                    label(&entry.value)
                ),
                ("clear", _) if behind => format!(
                    "a `<clear/>` stands behind the entry `{}`, which takes it away again",
                    label(&entry.value)
                ),
                ("remove", Some(_)) if behind => format!(
                    "a `<remove>` stands behind the entry `{}`, which takes it away again",
                    label(&entry.value)
                ),
                _ => continue,
            };
            entry.hidden = Some((sibling, message));
        }
    }
}
