//! What .NET and IIS make of an edited file although every transform found its element: a value that another entry
//! hides, a section whose content stands elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::engine::{Engine, refusal};
use super::instructions::Locator;
use super::read::{Edit, XdtEdits};
use crate::edits::{Note, RefusalKind};
use crate::xml::tree::{Attribute, Document, NamespaceId, NodeId};

/// Longest value that is repeated in a key.
const LONGEST: usize = 120;

fn short(value: &str) -> String {
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// What an entry of a collection is known by: `key`, or else `name`.
pub(super) fn identity(document: &Document, node: NodeId) -> Option<(&'static str, String)> {
    ["key", "name"]
        .into_iter()
        .find_map(|name| Some((name, document.attribute(node, name)?.into_owned())))
}

/// An element of the file as people name it, with what is meant in it: `configuration > appSettings > add[key=X] > @value`.
pub(super) fn key(file: &Document, node: NodeId, suffix: Option<&str>) -> String {
    let mut steps: Vec<String> = file
        .ancestors(node)
        .filter(|node| file.is_element(*node))
        .map(|node| match identity(file, node) {
            Some((name, value)) => format!("{}[{name}={}]", file.name(node), short(&value)),
            None => file.name(node).to_owned(),
        })
        .collect();
    steps.reverse();
    steps.extend(suffix.map(ToOwned::to_owned));
    steps.join(" > ")
}

/// An element of the transform as people name it.
pub(super) fn edit_label(edits: &XdtEdits, edit: &Edit) -> String {
    let document = &edits.document;
    let name = document.name(edit.node);
    let inside = match &edit.locator {
        Some(Locator::Match(names)) => {
            let equal = names.iter().filter_map(|name| {
                let value = document.value(edits.named(edit, name)?).into_owned();
                Some(format!("{name}={}", short(&value)))
            });
            equal.collect::<Vec<_>>().join(",")
        }
        Some(Locator::Condition(condition)) => short(&condition.text),
        Some(Locator::XPath(selector)) => short(&selector.text),
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
                short(&source)
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
        || file
            .elements(node)
            .any(|child| file.name(child) == "EncryptedData")
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
                .push(format!("`{}`", short(&key)));
        }
    }
    let note = |(section, mut keys): (NodeId, Vec<String>)| {
        keys.dedup();
        let other = file.attribute(section, "file")?;
        Some(Note {
            message: format!(
                "`appSettings` reads `{}` too (file), where an entry of the same key wins: look there for {}",
                short(&other),
                keys.join(", ")
            ),
            line: None,
            span: file.is_in_file(section).then(|| file.tag(section)),
        })
    };
    sections.into_iter().filter_map(note).collect()
}

/// Refuses entries that a reader would not see: .NET takes the last of two that differ in case only, and a later
/// `<clear/>` or `<remove>` takes away what stands before it.
pub(super) fn hidden(engine: &mut Engine<'_>) {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for done in &engine.done {
        let Some(node) = done.node else { continue };
        if !seen.insert(node) || engine.file.name(node) != "add" {
            continue;
        }
        let attached = engine.file.ancestors(node).last() == Some(engine.file.top());
        let Some((parent, (attribute, value))) = engine
            .file
            .parent_element(node)
            .filter(|_| attached)
            .zip(identity(&engine.file, node))
        else {
            continue;
        };
        if let Some(problem) = hiding(engine, parent, node, attribute, &value) {
            found.push((done.number, problem));
        }
    }
    for (number, (sibling, message)) in found {
        let nearest = engine
            .file
            .attribute_node(sibling, NamespaceId::NONE, "key")
            .or_else(|| engine.file.attribute_node(sibling, NamespaceId::NONE, "name"))
            .map(|attribute| engine.file.value(attribute).into_owned());
        let mut refused = refusal(
            RefusalKind::Ambiguous,
            message,
            Some(engine.in_file(sibling)),
            engine.place(number),
        );
        refused.looked_for = Some(engine.search().path(number));
        refused.nearest = nearest;
        engine.refusals.push(refused);
    }
}

fn hiding(
    engine: &Engine<'_>,
    parent: NodeId,
    node: NodeId,
    attribute: &str,
    value: &str,
) -> Option<(NodeId, String)> {
    let file = &engine.file;
    let mut behind = false;
    for sibling in file.elements(parent) {
        engine.budget.take(1).ok()?;
        if sibling == node {
            behind = true;
            continue;
        }
        let named = || {
            file.attribute(sibling, attribute)
                .is_some_and(|found| found.eq_ignore_ascii_case(value))
        };
        let message = match file.name(sibling) {
            "add" if named() => {
                let other = file.attribute(sibling, attribute).unwrap_or_default();
                format!(
                    "the entry `{}` is there besides `{}`; .NET ignores the case and takes the last of them",
                    short(&other),
                    short(value)
                )
            }
            "clear" if behind => format!(
                "a `<clear/>` stands behind the entry `{}`, which takes it away again",
                short(value)
            ),
            "remove" if behind && named() => {
                format!(
                    "a `<remove>` stands behind the entry `{}`, which takes it away again",
                    short(value)
                )
            }
            _ => continue,
        };
        return Some((sibling, message));
    }
    None
}
