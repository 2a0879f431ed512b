//! The transforms of whole elements: inserting, replacing, removing.

use std::collections::BTreeSet;

use super::guards;
use super::instructions::{Locator, Selector};
use super::layout::{self, Slot};
use super::missing;
use super::read::{Edit, LIMITS};
use super::render::Target;
use super::same::same;
use super::state::{Done, Engine};
use crate::edits::{Outcome, RefusalKind};
use crate::xml::tree::{Document, NodeId, NodeKind};
use crate::{FactPath, Step};

impl Engine<'_> {
    pub(super) fn insert(&mut self, number: usize, edit: &Edit, if_missing: bool) {
        let Some(parent) = self.parent_for(number, edit) else {
            return;
        };
        if if_missing {
            match self.located(number, false) {
                Some(found) if !found.is_empty() => {
                    for node in found {
                        self.already(number, node, None);
                    }
                    return;
                }
                Some(_) => {}
                None => return,
            }
        }
        if let Some(equal) = self.equal_child(edit, parent, |_| true) {
            self.already(number, equal, None);
            return;
        }
        // A collection of IIS drops an entry that stands before its `<remove>`.
        let place = guards::add_to_remove(self, edit, parent).map_or(Slot::Last, Slot::Before);
        self.put(number, edit, parent, place);
    }

    /// The one element into which an edit inserts.
    pub(super) fn parent_for(&mut self, number: usize, edit: &Edit) -> Option<NodeId> {
        let parents = self.located(number, true)?;
        match parents.as_slice() {
            [one] => (!self.is_closed(number, *one)).then_some(*one),
            [] => {
                match edit.parent {
                    Some(parent) if !matches!(edit.locator, Some(Locator::XPath(_))) => self.missing(parent),
                    Some(_) => self.missing(number),
                    None => self.refuse(
                        RefusalKind::BadEdit,
                        number,
                        "the root element has no element around it into which it could be inserted",
                        None,
                    ),
                }
                None
            }
            [_, second, ..] => {
                let message = format!(
                    "there are {} elements into which this could be inserted; Microsoft's engine would take the first",
                    parents.len()
                );
                let range = self.file.tag(*second);
                self.refuse(RefusalKind::Ambiguous, number, message, Some(range));
                None
            }
        }
    }

    pub(super) fn equal_child(
        &self,
        edit: &Edit,
        parent: NodeId,
        fits: impl Fn(NodeId) -> bool,
    ) -> Option<NodeId> {
        let document = &self.edits.document;
        self.file
            .elements(parent)
            .find(|child| fits(*child) && same(document, edit.node, &self.file, *child))
    }

    pub(super) fn insert_beside(&mut self, number: usize, edit: &Edit, path: &Selector, before: bool) {
        let Some(parent) = self.parent_for(number, edit) else {
            return;
        };
        let found = match self.search().beside(edit, parent, path) {
            Ok(found) => found,
            Err(wrong) => return self.unlocated(number, &wrong),
        };
        let verb = if before { "InsertBefore" } else { "InsertAfter" };
        let Some(sibling) = found.first().copied() else {
            let refused = missing::anchor(self, number, parent, verb, path);
            self.refusals.push(refused);
            return;
        };
        let Some(around) = self.file.parent_element(sibling) else {
            let message = "nothing can stand beside the root element";
            return self.refuse(RefusalKind::BadEdit, number, message, None);
        };
        if self.is_closed(number, around) {
            return;
        }
        let side: BTreeSet<NodeId> = if before {
            std::iter::successors(Some(sibling), |node| self.file.previous(*node)).collect()
        } else {
            std::iter::successors(Some(sibling), |node| self.file.next(*node)).collect()
        };
        if let Some(equal) = self.equal_child(edit, around, |node| side.contains(&node)) {
            return self.already(number, equal, None);
        }
        let place = if before {
            Slot::Before(sibling)
        } else {
            Slot::After(sibling)
        };
        self.put(number, edit, around, place);
    }

    /// Writes the element of an edit to a place, and notes it.
    pub(super) fn put(&mut self, number: usize, edit: &Edit, parent: NodeId, place: Slot) {
        let gap = layout::gap(&self.file, parent, place);
        let target = Target {
            edits: self.edits,
            file: &self.file,
            encoding: self.encoding,
            parent,
            style: &gap.style,
        };
        let element = match target.element(edit.node) {
            Ok(element) => element,
            Err(message) => return self.refuse(RefusalKind::Unwritable, number, message, None),
        };
        let span = match (gap.previous, gap.emptied) {
            (_, Some(blank)) => {
                let span = self.in_file(blank);
                self.file.detach(blank);
                span
            }
            _ if self.file.is_one_tag(parent) => self.tail_span(parent),
            (Some(previous), None) => {
                let end = self.in_file(previous).end;
                end..end
            }
            (None, None) => {
                let end = self.file.tag(parent).end;
                if self.file.is_in_file(parent) {
                    end..end
                } else {
                    self.in_file(parent)
                }
            }
        };
        let text = format!("{}{element}{}", gap.before, gap.behind);
        match self.file.insert(&text, parent, gap.previous, LIMITS) {
            Ok(added) => {
                let node = added.iter().copied().find(|node| self.file.is_element(*node));
                self.note(Done {
                    key: node.map_or(FactPath::default(), |node| guards::key(&self.file, node, None)),
                    old: None,
                    new: Some(element),
                    outcome: Outcome::Inserted,
                    span,
                    node,
                    number,
                });
            }
            Err(error) => self.refuse(RefusalKind::Unwritable, number, error.message, None),
        }
    }

    pub(super) fn replace(&mut self, number: usize, edit: &Edit) {
        let Some(node) = self.target(number, edit) else {
            return;
        };
        let document = &self.edits.document;
        if same(document, edit.node, &self.file, node) {
            return self.already(number, node, None);
        }
        let same_name = document.name(edit.node) == self.file.name(node)
            && document.uri(document.namespace(edit.node)) == self.file.uri(self.file.namespace(node));
        if same_name && is_leaf(document, edit.node) && is_leaf(&self.file, node) {
            return self.rewrite(number, edit, node);
        }
        let Some(parent) = self.file.parent(node) else {
            return;
        };
        let style = layout::style(&self.file, node, Some(node), layout::line_of(&self.file, node));
        let target = Target {
            edits: self.edits,
            file: &self.file,
            encoding: self.encoding,
            parent,
            style: &style,
        };
        let element = match target.element(edit.node) {
            Ok(element) => element,
            Err(message) => return self.refuse(RefusalKind::Unwritable, number, message, None),
        };
        let old = self.file.written_part(node);
        let span = self.in_file(node);
        match self.file.insert(&element, parent, Some(node), LIMITS) {
            Ok(added) => {
                self.file.detach(node);
                let new = added.first().copied();
                self.note(Done {
                    key: new.map_or(FactPath::default(), |node| guards::key(&self.file, node, None)),
                    old: Some(old),
                    new: Some(element),
                    outcome: Outcome::Set,
                    span,
                    node: new,
                    number,
                });
            }
            Err(error) => self.refuse(RefusalKind::Unwritable, number, error.message, None),
        }
    }

    pub(super) fn remove(&mut self, number: usize, edit: &Edit, all: bool) {
        let Some(found) = self.located(number, false) else {
            return;
        };
        if found.is_empty() {
            return self.nothing_to_remove(number, edit);
        }
        let nodes = if all {
            found
        } else {
            match self.target(number, edit) {
                Some(node) => vec![node],
                None => return,
            }
        };
        for node in nodes {
            if self.file.parent_element(node).is_none() {
                let message = "the root element cannot be removed: no document is left without one";
                let range = self.file.tag(node);
                self.refuse(RefusalKind::BadEdit, number, message, Some(range));
                continue;
            }
            let key = guards::key(&self.file, node, None);
            let old = self.file.written_part(node);
            let place = self.in_file(node);
            let in_file = self.file.is_in_file(node);
            let gone = layout::remove(&mut self.file, node);
            self.note(Done {
                key,
                old: Some(old),
                new: None,
                outcome: Outcome::Removed,
                span: if in_file { gone } else { place },
                node: None,
                number,
            });
        }
    }

    /// What should be gone is gone, if the element around it is there and nothing else could have been meant.
    pub(super) fn nothing_to_remove(&mut self, number: usize, edit: &Edit) {
        let around = match (edit.parent, &edit.locator) {
            (Some(parent), Some(Locator::Match(_) | Locator::Condition(_)) | None) => {
                self.located(parent, false)
            }
            // Of a path, all but the last step has to lead somewhere.
            (_, Some(Locator::XPath(selector))) => {
                Some(self.search().before_last(edit, selector).unwrap_or_default())
            }
            (None, _) => Some(Vec::new()),
        };
        let Some(around) = around else { return };
        let by_path = matches!(edit.locator, Some(Locator::XPath(_)));
        if let Some(one) = around.first()
            && (around.len() == 1 || by_path)
            && !missing::is_near(self, number, *one)
        {
            let start = self.in_file(*one).start;
            let sought = Step::named(guards::edit_label(self.edits, edit));
            let key = guards::key(&self.file, *one, None).child(sought);
            return self.note(Done {
                key,
                old: None,
                new: None,
                outcome: Outcome::AlreadySo,
                span: start..start,
                node: None,
                number,
            });
        }
        self.missing(number);
    }
}

/// Whether an element holds nothing but text.
fn is_leaf(document: &Document, node: NodeId) -> bool {
    document
        .children(node)
        .all(|child| matches!(document.kind(child), NodeKind::Text | NodeKind::CData))
}
