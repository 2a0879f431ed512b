//! A transform document as a typed value: its elements with what they say, and where they say it.
//!
//! This is what can be *read*: all that Microsoft's engine knows. What the templates of this product may say is
//! narrower; that is decided in lint, over the same value.

use std::collections::BTreeMap;
use std::ops::Range;

use super::NAMESPACE;
use super::instructions::{self, Locator, Names, Verb};
use crate::FormatError;
use crate::xml::read::Limits;
use crate::xml::tree::{Attribute, Document, NamespaceId, NodeId};

/// How large a transform, or a file that is edited, may be. A `web.config` above 250 KB is refused by IIS as it is set up.
pub(super) const LIMITS: Limits = Limits {
    bytes: crate::edits::source::MAX_FILE_BYTES,
    depth: 200,
    nodes: 1_000_000,
};

/// The edits a transform document stands for.
#[derive(Clone, Debug)]
pub struct XdtEdits {
    /// The document as it was written.
    pub document: Document,
    /// Its elements in the order of the text.
    pub elements: Vec<Edit>,
    places: BTreeMap<NodeId, usize>,
}

/// One element of a transform document.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The element.
    pub node: NodeId,
    /// The element around it, by its number.
    pub parent: Option<usize>,
    /// What is done.
    pub verb: Option<Verb>,
    /// How its target is found.
    pub locator: Option<Locator>,
    /// What the prefixes in both stand for.
    pub(super) prefixes: BTreeMap<String, String>,
    /// Whether something below it is done.
    pub(super) holds_transform: bool,
}

impl XdtEdits {
    /// Reads a transform document.
    ///
    /// # Errors
    /// Every instruction that cannot be read, that Microsoft's engine would throw at, or that it would pass over in
    /// silence; where the text is not well-formed, that alone.
    pub fn read(text: &str) -> Result<Self, Vec<FormatError>> {
        let (edits, errors) = Self::survey(text).map_err(|error| vec![error])?;
        if errors.is_empty() { Ok(edits) } else { Err(errors) }
    }

    /// As [`XdtEdits::read`], with the value also where there are mistakes in instructions.
    ///
    /// # Errors
    /// The text is not well-formed.
    pub fn survey(text: &str) -> Result<(Self, Vec<FormatError>), FormatError> {
        let document = Document::read(text.to_owned(), LIMITS)?;
        let mut edits = Self {
            document,
            elements: Vec::new(),
            places: BTreeMap::new(),
        };
        let mut errors = Vec::new();
        if edits.document.known_namespace(NAMESPACE).is_none()
            && let Some(root) = edits.document.root()
        {
            let message =
                format!("the root element has to declare `xmlns:xdt=\"{NAMESPACE}\"`, or nothing is applied");
            errors.push(FormatError::new(edits.document.short_tag(root), message));
        }
        let nodes: Vec<NodeId> = edits.document.descendants(edits.document.top()).collect();
        for node in nodes {
            if edits.document.is_element(node) {
                let edit = edits.element(node, &mut errors);
                edits.places.insert(node, edits.elements.len());
                edits.elements.push(edit);
            }
        }
        edits.mark_holders();
        errors.sort_by_key(|error| error.range.start);
        Ok((edits, errors))
    }

    /// What is read at an element of the document.
    pub fn edit(&self, node: NodeId) -> Option<&Edit> {
        self.places.get(&node).and_then(|place| self.elements.get(*place))
    }

    /// The transform of an element, if it has one that can be read.
    pub fn verb(&self, node: NodeId) -> Option<&Verb> {
        self.edit(node)?.verb.as_ref()
    }

    fn mark_holders(&mut self) {
        for place in (0..self.elements.len()).rev() {
            let Some(edit) = self.elements.get(place) else {
                continue;
            };
            let holds = edit.holds_transform || edit.verb.is_some();
            if let (true, Some(parent)) = (holds, edit.parent)
                && let Some(parent) = self.elements.get_mut(parent)
            {
                parent.holds_transform = true;
            }
        }
    }

    fn element(&self, node: NodeId, errors: &mut Vec<FormatError>) -> Edit {
        let document = &self.document;
        let own = document.known_namespace(NAMESPACE);
        if own == Some(document.namespace(node)) {
            let message = match document.name(node) {
                "Import" => "`xdt:Import` loads a program library into the engine that applies the transform; it is not done here".to_owned(),
                name => format!("`xdt:{name}` is no element of transforms"),
            };
            errors.push(FormatError::new(document.short_tag(node), message));
        }
        let mut edit = Edit {
            node,
            parent: document
                .parent(node)
                .and_then(|parent| self.places.get(&parent).copied()),
            verb: None,
            locator: None,
            prefixes: BTreeMap::new(),
            holds_transform: false,
        };
        for attribute in document.plain_attributes(node) {
            let value = document.value(attribute);
            let name = document.attribute_name(attribute);
            if Some(attribute.namespace()) == own {
                match name {
                    "Transform" => match instructions::verb(&value) {
                        Ok(verb) => edit.verb = Some(verb),
                        Err(message) => errors.push(FormatError::new(attribute.range_value(), message)),
                    },
                    "Locator" => match instructions::locator(&value) {
                        Ok(locator) => edit.locator = Some(locator),
                        Err(message) => errors.push(FormatError::new(attribute.range_value(), message)),
                    },
                    // Microsoft's engine spells it so; there are no warnings here that it could switch off.
                    "SupressWarnings" => {}
                    _ => {
                        let message = format!("`xdt:{name}` is not an attribute of transforms");
                        errors.push(FormatError::new(attribute.range(), message));
                    }
                }
            } else {
                errors.extend(self.looks_like_an_instruction(attribute, name, &value));
            }
        }
        self.prefixes(&mut edit, errors);
        self.agrees_with_itself(&edit, errors);
        edit
    }

    /// A transform that Microsoft's engine takes for an ordinary attribute.
    fn looks_like_an_instruction(
        &self,
        attribute: &Attribute,
        name: &str,
        value: &str,
    ) -> Option<FormatError> {
        let uri = self.document.uri(attribute.namespace());
        if uri.to_ascii_lowercase().contains("xml-document-transform") {
            let message = format!("`{name}` is in the namespace `{uri}`, transforms are in `{NAMESPACE}`");
            return Some(FormatError::new(attribute.range(), message));
        }
        let reads = match name {
            "Transform" => instructions::verb(value).is_ok(),
            "Locator" => instructions::locator(value).is_ok(),
            _ => false,
        };
        (reads && uri.is_empty()).then(|| {
            let message = format!("`{name}` without the prefix `xdt:` is an ordinary attribute");
            FormatError::new(attribute.range(), message)
        })
    }

    /// The attribute with an instruction, `Transform` or `Locator`, if an element has it, also one that cannot be read.
    pub fn instruction(&self, element: NodeId, name: &str) -> Option<&Attribute> {
        let own = self.document.known_namespace(NAMESPACE)?;
        self.document.attribute_node(element, own, name)
    }

    /// The bytes of an instruction; those of the tag, where an element does not have it.
    pub fn instruction_range(&self, element: NodeId, name: &str) -> Range<usize> {
        self.instruction(element, name)
            .map_or_else(|| self.document.short_tag(element), Attribute::range_value)
    }

    /// What the prefixes of both instructions stand for.
    fn prefixes(&self, edit: &mut Edit, errors: &mut Vec<FormatError>) {
        let of_verb = edit.verb.as_ref().map(Verb::prefixes).unwrap_or_default();
        let of_locator = edit.locator.as_ref().map(Locator::prefixes).unwrap_or_default();
        for (name, used) in [("Transform", of_verb), ("Locator", of_locator)] {
            for prefix in used {
                // Microsoft's engine gives the default namespace this name, and some transforms use it.
                let sought = if prefix == "_defaultNamespace" {
                    ""
                } else {
                    prefix.as_str()
                };
                if let Some(namespace) = self.document.namespace_of_prefix(edit.node, sought) {
                    let uri = self.document.uri(namespace).to_owned();
                    edit.prefixes.insert(prefix, uri);
                } else {
                    let message = format!("the prefix `{prefix}` is not declared");
                    errors.push(FormatError::new(self.instruction_range(edit.node, name), message));
                }
            }
        }
    }

    /// The attribute that a name in an instruction stands for.
    pub(super) fn named<'a>(&'a self, edit: &Edit, name: &str) -> Option<&'a Attribute> {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let namespace = if prefix.is_empty() {
            NamespaceId::NONE
        } else {
            self.document.namespace_of_prefix(edit.node, prefix)?
        };
        self.document.attribute_node(edit.node, namespace, local)
    }

    /// The attributes that belong into the file, which are not those of transforms.
    pub fn meant_attributes(&self, node: NodeId) -> impl Iterator<Item = &Attribute> {
        let own = self.document.known_namespace(NAMESPACE);
        self.document
            .plain_attributes(node)
            .filter(move |attribute| Some(attribute.namespace()) != own)
    }

    fn agrees_with_itself(&self, edit: &Edit, errors: &mut Vec<FormatError>) {
        let tag = || self.document.short_tag(edit.node);
        if let Some(Locator::Match(names)) = &edit.locator {
            for name in names.iter().filter(|name| self.named(edit, name).is_none()) {
                let message = format!("the locator matches `{name}`, which the element does not have");
                errors.push(FormatError::new(tag(), message));
            }
        }
        match (&edit.verb, &edit.locator) {
            (Some(Verb::SetAttributes(Names::Listed(names))), _) => {
                for name in names.iter().filter(|name| self.named(edit, name).is_none()) {
                    let message = format!("`SetAttributes` lists `{name}`, which the element does not have");
                    errors.push(FormatError::new(tag(), message));
                }
            }
            (Some(Verb::SetAttributes(Names::All)), _)
                if self.meant_attributes(edit.node).next().is_none() =>
            {
                errors.push(FormatError::new(tag(), "`SetAttributes` has no attribute to set"));
            }
            (Some(Verb::InsertIfMissing), Some(Locator::XPath(_))) => {
                let message = "`InsertIfMissing` with an `XPath` locator never inserts: the path is that of the element around; use `Match` or `Condition`";
                errors.push(FormatError::new(
                    self.instruction_range(edit.node, "Locator"),
                    message,
                ));
            }
            _ => {}
        }
    }
}
