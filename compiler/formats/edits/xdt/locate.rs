//! Which elements of the file an element of the transform stands for.
//!
//! As in Microsoft's engine, the path of an element is that of the element around it and a step with its name and the
//! predicate of its locator; it is asked anew whenever the file has changed, because an earlier transform may have
//! made or removed what it finds.

use std::collections::{BTreeMap, BTreeSet};

use super::instructions::{Locator, Selector};
use super::read::{Edit, XdtEdits};
use super::xpath::{Budget, Evaluator, Exhausted, Expression, Found};
use crate::xml::tree::{Document, NamespaceId, NodeId};

/// Why there is no list of elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unlocated {
    /// The path leads to something that is no element.
    NotAnElement,
    /// It would take too long.
    Exhausted,
}

impl From<Exhausted> for Unlocated {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Exhausted
    }
}

/// What was found for each element of the transform, and in which state of the file.
#[derive(Debug)]
pub(super) struct Targets {
    found: Vec<Option<(u64, Vec<NodeId>)>>,
}

/// Everything needed to look for elements.
pub(super) struct Search<'a> {
    pub(super) edits: &'a XdtEdits,
    pub(super) file: &'a Document,
    pub(super) budget: &'a Budget,
    /// Look past namespaces, which only serves to say what is wrong.
    pub(super) any_namespace: bool,
}

impl Targets {
    pub(super) fn new(edits: usize) -> Self {
        Self {
            found: vec![None; edits],
        }
    }

    /// The elements that the edit with this number stands for, in state `version` of the file.
    pub(super) fn of(
        &mut self,
        search: &Search<'_>,
        number: usize,
        version: u64,
    ) -> Result<Vec<NodeId>, Unlocated> {
        if let Some(Some((known, found))) = self.found.get(number)
            && *known == version
        {
            return Ok(found.clone());
        }
        let Some(edit) = search.edits.elements.get(number) else {
            return Ok(Vec::new());
        };
        let around = match edit.parent {
            Some(parent) => self.of(search, parent, version)?,
            None => vec![search.file.top()],
        };
        let found = search.below(edit, &around)?;
        if let Some(slot) = self.found.get_mut(number) {
            *slot = Some((version, found.clone()));
        }
        Ok(found)
    }

    /// The elements into which the edit with this number would insert.
    pub(super) fn parents(
        &mut self,
        search: &Search<'_>,
        number: usize,
        version: u64,
    ) -> Result<Vec<NodeId>, Unlocated> {
        match search.edits.elements.get(number) {
            // With such a locator, Microsoft's engine takes what the path finds for the parent.
            Some(Edit {
                locator: Some(Locator::XPath(_)),
                ..
            }) => self.of(search, number, version),
            Some(Edit {
                parent: Some(parent), ..
            }) => self.of(search, *parent, version),
            _ => Ok(Vec::new()),
        }
    }
}

impl Search<'_> {
    fn prefixes(&self, edit: &Edit) -> BTreeMap<String, Option<NamespaceId>> {
        edit.prefixes
            .iter()
            .map(|(prefix, uri)| (prefix.clone(), self.file.known_namespace(uri)))
            .collect()
    }

    fn evaluator<'p>(&'p self, prefixes: &'p BTreeMap<String, Option<NamespaceId>>) -> Evaluator<'p> {
        Evaluator {
            document: self.file,
            prefixes,
            budget: self.budget,
            any_namespace: self.any_namespace,
        }
    }

    /// The elements an edit stands for below `around`.
    pub(super) fn below(&self, edit: &Edit, around: &[NodeId]) -> Result<Vec<NodeId>, Unlocated> {
        let prefixes = self.prefixes(edit);
        let evaluator = self.evaluator(&prefixes);
        match &edit.locator {
            Some(Locator::XPath(selector)) if is_absolute(&selector.expression) => {
                self.elements(evaluator.select(Found::Node(self.file.top()), &selector.expression)?)
            }
            Some(Locator::XPath(selector)) => {
                let mut all = Vec::new();
                for node in self.named(edit, around)? {
                    all.extend(self.elements(evaluator.select(Found::Node(node), &selector.expression)?)?);
                }
                let mut seen = BTreeSet::new();
                all.retain(|node| seen.insert(*node));
                Ok(all)
            }
            Some(Locator::Match(names)) => {
                let wanted: Vec<(Option<NamespaceId>, &str, String)> = names
                    .iter()
                    .filter_map(|name| self.edits.named(edit, name))
                    .map(|attribute| {
                        let document = &self.edits.document;
                        let uri = document.uri(attribute.namespace());
                        let value = document.value(attribute).into_owned();
                        (
                            self.file.known_namespace(uri),
                            document.attribute_name(attribute),
                            value,
                        )
                    })
                    .collect();
                let fits = |node: NodeId| {
                    wanted.iter().all(|(namespace, name, value)| {
                        namespace
                            .and_then(|namespace| self.file.attribute_node(node, namespace, name))
                            .is_some_and(|attribute| self.file.has_value(attribute, value))
                    })
                };
                Ok(self.named_and(edit, around, fits)?)
            }
            Some(Locator::Condition(condition)) => {
                let mut all = Vec::new();
                for node in around {
                    let named = self.named(edit, &[*node])?.into_iter().map(Found::Node);
                    let found = evaluator.filtered(named.collect(), &condition.predicates)?;
                    all.extend(self.elements(Some(found))?);
                }
                Ok(all)
            }
            None => Ok(self.named(edit, around)?),
        }
    }

    /// The elements below `around` with the name of the edit.
    pub(super) fn named(&self, edit: &Edit, around: &[NodeId]) -> Result<Vec<NodeId>, Exhausted> {
        self.named_and(edit, around, |_| true)
    }

    /// Those of them that fit.
    fn named_and(
        &self,
        edit: &Edit,
        around: &[NodeId],
        fits: impl Fn(NodeId) -> bool,
    ) -> Result<Vec<NodeId>, Exhausted> {
        let document = &self.edits.document;
        let name = document.name(edit.node);
        let namespace = self
            .file
            .known_namespace(document.uri(document.namespace(edit.node)));
        let mut found = Vec::new();
        for parent in around {
            for child in self.file.children(*parent) {
                self.budget.take(1)?;
                let in_namespace = self.any_namespace || namespace == Some(self.file.namespace(child));
                if in_namespace && self.file.is_element(child) && self.file.name(child) == name && fits(child)
                {
                    found.push(child);
                }
            }
        }
        Ok(found)
    }

    /// The elements that the argument of `InsertBefore` or `InsertAfter` finds, asked at `parent`.
    pub(super) fn beside(
        &self,
        edit: &Edit,
        parent: NodeId,
        selector: &Selector,
    ) -> Result<Vec<NodeId>, Unlocated> {
        let prefixes = self.prefixes(edit);
        let evaluator = self.evaluator(&prefixes);
        self.elements(evaluator.select(Found::Node(parent), &selector.expression)?)
    }

    /// The elements that an absolute path without its last step leads to.
    pub(super) fn before_last(&self, edit: &Edit, selector: &Selector) -> Option<Vec<NodeId>> {
        let mut path = selector.expression.path()?.clone();
        path.steps.pop().filter(|_| path.from_document)?;
        let prefixes = self.prefixes(edit);
        let evaluator = self.evaluator(&prefixes);
        let found = evaluator
            .select(Found::Node(self.file.top()), &Expression::Path(path))
            .ok()??;
        let elements = found.into_iter().filter_map(|found| match found {
            Found::Node(node) if self.file.is_element(node) => Some(node),
            Found::Node(_) | Found::Attribute(..) => None,
        });
        Some(elements.collect())
    }

    fn elements(&self, found: Option<Vec<Found>>) -> Result<Vec<NodeId>, Unlocated> {
        let element = |found: Found| match found {
            Found::Node(node) if self.file.is_element(node) => Ok(node),
            Found::Node(_) | Found::Attribute(..) => Err(Unlocated::NotAnElement),
        };
        let found = found.ok_or(Unlocated::NotAnElement)?;
        found.into_iter().map(element).collect()
    }

    /// The path of an edit as Microsoft's engine would write it.
    pub(super) fn path(&self, number: usize) -> String {
        let mut steps = Vec::new();
        let mut next = Some(number);
        while let Some(edit) = next.and_then(|number| self.edits.elements.get(number)) {
            let name = self.edits.document.written_name(edit.node);
            match &edit.locator {
                Some(Locator::XPath(selector)) if is_absolute(&selector.expression) => {
                    steps.push(selector.text.clone());
                    break;
                }
                Some(Locator::XPath(selector)) => steps.push(format!("/{name}/{}", selector.text)),
                Some(Locator::Condition(condition)) => steps.push(format!("/{name}[{}]", condition.text)),
                Some(Locator::Match(names)) => {
                    let equal = names.iter().filter_map(|name| {
                        let value = self.edits.document.value(self.edits.named(edit, name)?);
                        let quote = if value.contains('\'') { '"' } else { '\'' };
                        Some(format!("@{name}={quote}{value}{quote}"))
                    });
                    steps.push(format!("/{name}[{}]", equal.collect::<Vec<_>>().join(" and ")));
                }
                None => steps.push(format!("/{name}")),
            }
            next = edit.parent;
        }
        steps.reverse();
        steps.concat()
    }
}

/// Whether a path begins at the document; in a union, whether every part does.
pub(super) fn is_absolute(expression: &Expression) -> bool {
    if let Expression::Union(left, right) = expression {
        return is_absolute(left) && is_absolute(right);
    }
    expression.path().is_some_and(|path| path.from_document)
}
