//! Service bindings of .NET (WCF) that contradict themselves (CFG-7, DEF-51).
//!
//! The errors found here would otherwise appear when the first call is made, not when the file is read: a binding with
//! transport security refuses an `http` address and the other way round, and a buffered binding refuses to be opened
//! when `maxBufferSize` differs from `maxReceivedMessageSize`. This file must not know other rules for transforms.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::formats::FormatError;
use crate::formats::edits::xdt::XdtEdits;
use crate::formats::edits::xdt::instructions::{Names, Verb};
use crate::formats::xml::tree::{Attribute, NamespaceId, NodeId};

/// Everything in the bindings and client endpoints of a document that cannot work together.
pub(super) fn problems(edits: &XdtEdits) -> Vec<FormatError> {
    let document = &edits.document;
    let mut errors = Vec::new();
    let mut secured = BTreeMap::new();
    let elements = || edits.elements.iter().map(|edit| edit.node);
    for binding in elements().filter(|element| is_binding(edits, *element)) {
        errors.extend(sizes(edits, binding));
        let kind = document
            .parent_element(binding)
            .map(|parent| document.name(parent));
        let name = document.attribute(binding, "name");
        if let (Some(kind), Some(name), Some(mode)) = (kind, name, mode(edits, binding)) {
            secured.insert((kind, name), mode);
        }
    }
    for endpoint in elements().filter(|element| document.has_name(*element, "endpoint")) {
        let attribute = |name: &str| document.attribute(endpoint, name);
        let (Some(address), Some(kind), Some(name)) = (
            attribute("address"),
            attribute("binding"),
            attribute("bindingConfiguration"),
        ) else {
            continue;
        };
        let Some(mode) = secured.get(&(&*kind, name.clone())) else {
            continue;
        };
        let scheme = address.split("://").next().unwrap_or_default();
        let wanted = match &**mode {
            "Transport" | "TransportWithMessageCredential" => "https",
            "None" | "Message" | "TransportCredentialOnly" => "http",
            _ => continue,
        };
        if matches!(scheme, "http" | "https") && scheme != wanted {
            let message = format!(
                "the binding `{name}` has security mode `{mode}`, so the address has to begin with `{wanted}://`"
            );
            let range = document
                .attribute_node(endpoint, NamespaceId::NONE, "address")
                .map_or_else(|| document.range(endpoint), Attribute::range_value);
            errors.push(FormatError::new(range, message));
        }
    }
    errors
}

/// Whether an element is put into the file as it is written here: it or an element around it is replaced or inserted.
fn is_written_out(edits: &XdtEdits, element: NodeId) -> bool {
    edits
        .document
        .ancestors(element)
        .filter_map(|element| edits.verb(element))
        .any(Verb::writes_out)
}

fn is_binding(edits: &XdtEdits, element: NodeId) -> bool {
    let document = &edits.document;
    let grandparent = document
        .parent_element(element)
        .and_then(|parent| document.parent_element(parent));
    document.has_name(element, "binding")
        && grandparent.is_some_and(|element| document.has_name(element, "bindings"))
}

/// Security mode of a binding: as written, `None` for a binding that is written out without one, and unknown for one
/// that is only changed in part.
fn mode(edits: &XdtEdits, binding: NodeId) -> Option<Cow<'_, str>> {
    let document = &edits.document;
    document
        .child_named(binding, "security")
        .and_then(|security| document.attribute(security, "mode"))
        .or_else(|| is_written_out(edits, binding).then_some(Cow::Borrowed("None")))
}

fn sizes(edits: &XdtEdits, binding: NodeId) -> Option<FormatError> {
    const BUFFER: &str = "maxBufferSize";
    const MESSAGE: &str = "maxReceivedMessageSize";
    let document = &edits.document;
    let refuse = |message: String| Some(FormatError::new(document.range(binding), message));
    if let Some(Verb::SetAttributes(Names::Listed(names))) = edits.verb(binding) {
        let listed = |name: &str| names.iter().any(|listed| listed == name);
        if listed(BUFFER) != listed(MESSAGE) {
            return refuse(format!("`{BUFFER}` and `{MESSAGE}` have to be set together"));
        }
    }
    let streamed = document
        .attribute(binding, "transferMode")
        .is_some_and(|mode| mode.starts_with("Streamed"));
    let buffer = document.attribute(binding, BUFFER)?;
    let message = document.attribute(binding, MESSAGE).unwrap_or("65536".into());
    if streamed || buffer == message {
        return None;
    }
    refuse(format!(
        "`{BUFFER}` is {buffer} and `{MESSAGE}` is {message}, a buffered binding needs them equal"
    ))
}
