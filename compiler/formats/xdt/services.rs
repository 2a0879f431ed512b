//! Service bindings of .NET that contradict themselves (CFG-7, DEF-51).
//!
//! The errors found here would otherwise appear when the first call is made, not when the file is read: a binding with
//! transport security refuses an `http` address and the other way round, and a buffered binding refuses to be opened
//! when `maxBufferSize` differs from `maxReceivedMessageSize`.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::{Verb, is_written_out, verb_of};
use crate::FormatError;

/// Everything in the bindings and client endpoints of a document that cannot work together.
pub(super) fn problems(document: &Document<'_>) -> Vec<FormatError> {
    let mut errors = Vec::new();
    let mut secured = BTreeMap::new();
    let elements = || document.root_element().descendants().filter(Node::is_element);
    for binding in elements().filter(|element| is_binding(*element)) {
        errors.extend(sizes(binding));
        let kind = binding.parent_element().map(|parent| parent.tag_name().name());
        if let (Some(kind), Some(name), Some(mode)) = (kind, binding.attribute("name"), mode(binding)) {
            secured.insert((kind, name), mode);
        }
    }
    for endpoint in elements().filter(|element| element.has_tag_name("endpoint")) {
        let attribute = |name: &str| endpoint.attribute(name);
        let (Some(address), Some(kind), Some(name)) = (
            attribute("address"),
            attribute("binding"),
            attribute("bindingConfiguration"),
        ) else {
            continue;
        };
        let Some(mode) = secured.get(&(kind, name)) else {
            continue;
        };
        let scheme = address.split("://").next().unwrap_or_default();
        let wanted = match *mode {
            "Transport" | "TransportWithMessageCredential" => "https",
            "None" | "Message" | "TransportCredentialOnly" => "http",
            _ => continue,
        };
        if matches!(scheme, "http" | "https") && scheme != wanted {
            let message = format!(
                "the binding `{name}` has security mode `{mode}`, so the address has to begin with `{wanted}://`"
            );
            let range = endpoint
                .attribute_node("address")
                .map_or_else(|| endpoint.range(), |address| address.range_value());
            errors.push(FormatError::new(range, message));
        }
    }
    errors
}

fn is_binding(element: Node<'_, '_>) -> bool {
    let grandparent = element
        .parent_element()
        .and_then(|parent| parent.parent_element());
    element.has_tag_name("binding") && grandparent.is_some_and(|element| element.has_tag_name("bindings"))
}

/// Security mode of a binding: as written, `None` for a binding that is written out without one, and unknown for one
/// that is only changed in part.
fn mode<'a>(binding: Node<'a, '_>) -> Option<&'a str> {
    let security = binding.children().find(|child| child.has_tag_name("security"));
    let written = security.and_then(|security| security.attribute("mode"));
    written.or_else(|| is_written_out(binding).then_some("None"))
}

fn sizes(binding: Node<'_, '_>) -> Option<FormatError> {
    const BUFFER: &str = "maxBufferSize";
    const MESSAGE: &str = "maxReceivedMessageSize";
    let refuse = |message: String| Some(FormatError::new(binding.range(), message));
    if let Some(Verb::SetAttributes(names)) = verb_of(binding) {
        let listed = |name: &str| names.iter().any(|listed| listed == name);
        if listed(BUFFER) != listed(MESSAGE) {
            return refuse(format!("`{BUFFER}` and `{MESSAGE}` have to be set together"));
        }
    }
    let streamed = binding
        .attribute("transferMode")
        .is_some_and(|mode| mode.starts_with("Streamed"));
    let buffer = binding.attribute(BUFFER)?;
    let message = binding.attribute(MESSAGE).unwrap_or("65536");
    if streamed || buffer == message {
        return None;
    }
    refuse(format!(
        "`{BUFFER}` is {buffer} and `{MESSAGE}` is {message}, a buffered binding needs them equal"
    ))
}
