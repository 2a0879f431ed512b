//! What IIS would refuse in its own section of a `web.config` that was transformed (IIS-3).
//!
//! IIS reads the file when the first request comes, and then answers every request with an error 500.19. This file must
//! not know other rules for transforms.

use std::collections::BTreeSet;

use crate::formats::FormatError;
use crate::formats::edits::xdt::XdtEdits;
use crate::formats::edits::xdt::instructions::Verb;
use crate::formats::xml::tree::NodeId;

/// `defaultPath`, which is locked at server level so that every error page would fail, and every `<add>` below
/// `system.webServer` without a `<remove>` before it (DEF-59).
pub(super) fn problems(edits: &XdtEdits) -> Vec<FormatError> {
    let document = &edits.document;
    let mut errors = Vec::new();
    // The root belongs to no section.
    for element in edits.elements.iter().filter(|edit| edit.parent.is_some()) {
        for attribute in edits.meant_attributes(element.node) {
            if document.attribute_name(attribute) == "defaultPath" {
                let message =
                    "`defaultPath` is locked at server level; set it with appcmd and `/commit:apphost`";
                errors.push(FormatError::new(attribute.range(), message));
            }
        }
        let mut around = document.ancestors(element.node);
        if around.any(|element| document.name(element) == "system.webServer") {
            added_twice(edits, element.node, &mut errors);
        }
    }
    errors
}

/// Whether what stands in an element is written out, or removed, with it.
fn is_written(edits: &XdtEdits, element: NodeId) -> bool {
    let mut around = edits.document.ancestors(element);
    around.any(|element| {
        let verb = edits.verb(element);
        verb.is_some_and(|verb| !matches!(verb, Verb::SetAttributes(_) | Verb::RemoveAttributes(_)))
    })
}

/// Collections of IIS refuse a second entry of the same name anywhere up the hierarchy.
fn added_twice(edits: &XdtEdits, collection: NodeId, errors: &mut Vec<FormatError>) {
    let document = &edits.document;
    let mut removed = BTreeSet::new();
    let is_written = is_written(edits, collection);
    for element in document.elements(collection) {
        let identity = ["name", "value"]
            .iter()
            .find_map(|name| document.attribute(element, name));
        let Some(identity) = identity.map(|identity| identity.to_ascii_lowercase()) else {
            continue;
        };
        let verb = edits.verb(element);
        match document.name(element) {
            "remove" if !matches!(verb, Some(Verb::Remove | Verb::RemoveAll)) => {
                removed.insert(identity);
            }
            "add" => {
                let inserted = match verb {
                    Some(verb) => verb.writes_out() && *verb != Verb::Replace,
                    None => is_written,
                };
                if inserted && !removed.contains(&identity) {
                    let message = "`<remove>` of the same name has to stand before this `<add>`, or an inherited entry stops the application";
                    errors.push(FormatError::new(document.short_tag(element), message));
                }
            }
            _ => {}
        }
    }
}
