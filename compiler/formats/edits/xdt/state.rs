//! A file while transforms are applied to it: what each edit finds, what was done and what was refused.
//!
//! This file must not know what a transform does.

use std::collections::BTreeSet;
use std::ops::Range;

use super::bytes::Encoding;
use super::locate::{Search, Targets, Unlocated};
use super::read::XdtEdits;
use super::xpath::Budget;
use crate::FactPath;
use crate::edits::{Outcome, Refusal, RefusalKind};
use crate::xml::tree::{Attribute, Document, NodeId};

/// Nodes that all locators of a transform together may look at, and more for each node of the file: seconds, not hours.
const BUDGET: u64 = 20_000_000;
const BUDGET_FOR_EACH: u64 = 300;

/// What was done at one place, while the file is still a tree.
pub(super) struct Done {
    pub(super) key: FactPath,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) span: Range<usize>,
    /// The element that now says what was meant, which the guards look at.
    pub(super) node: Option<NodeId>,
    /// The edit that did it.
    pub(super) number: usize,
}

pub(super) struct Engine<'e> {
    pub(super) edits: &'e XdtEdits,
    pub(super) file: Document,
    pub(super) encoding: Encoding,
    pub(super) budget: Budget,
    targets: Targets,
    /// Counts changes of the file.
    version: u64,
    pub(super) done: Vec<Done>,
    pub(super) refusals: Vec<Refusal>,
    /// Edits around others whose absence was reported.
    pub(super) reported: BTreeSet<usize>,
    pub(super) stopped: bool,
}

impl<'e> Engine<'e> {
    pub(super) fn new(edits: &'e XdtEdits, file: Document, encoding: Encoding) -> Self {
        let budget = BUDGET + BUDGET_FOR_EACH * file.nodes() as u64;
        Self {
            edits,
            file,
            encoding,
            budget: Budget::new(budget),
            targets: Targets::new(edits.elements.len()),
            version: 0,
            done: Vec::new(),
            refusals: Vec::new(),
            reported: BTreeSet::new(),
            stopped: false,
        }
    }

    /// Where an edit stands in its text.
    pub(super) fn place(&self, number: usize) -> Option<Range<usize>> {
        let edit = self.edits.elements.get(number)?;
        Some(self.edits.document.short_tag(edit.node))
    }

    pub(super) fn search(&self) -> Search<'_> {
        Search {
            edits: self.edits,
            file: &self.file,
            budget: &self.budget,
            any_namespace: false,
        }
    }

    pub(super) fn refuse(
        &mut self,
        kind: RefusalKind,
        number: usize,
        message: impl Into<String>,
        file_range: Option<Range<usize>>,
    ) {
        self.refused(number, Refusal::new(kind, message).in_file(file_range));
    }

    /// Adds a refusal of the edit with this number.
    pub(super) fn refused(&mut self, number: usize, refused: Refusal) {
        let looked_for = self.search().path(number);
        let refused = refused.in_edits(self.place(number)).looked_for(looked_for);
        self.refusals.push(refused);
    }

    /// The elements an edit stands for, or those it would insert into.
    pub(super) fn located(&mut self, number: usize, parents: bool) -> Option<Vec<NodeId>> {
        let search = Search {
            edits: self.edits,
            file: &self.file,
            budget: &self.budget,
            any_namespace: false,
        };
        let found = if parents {
            self.targets.parents(&search, number, self.version)
        } else {
            self.targets.of(&search, number, self.version)
        };
        found.map_err(|wrong| self.unlocated(number, &wrong)).ok()
    }

    pub(super) fn unlocated(&mut self, number: usize, wrong: &Unlocated) {
        match wrong {
            Unlocated::NotAnElement => {
                let message =
                    "the path leads to something that is no element; Microsoft's engine fails there";
                self.refuse(RefusalKind::BadEdit, number, message, None);
            }
            Unlocated::Exhausted => {
                let message = "the transforms together look at too many elements of this file";
                self.refuse(RefusalKind::Limit, number, message, None);
                self.stopped = true;
            }
        }
    }

    /// Whether an element of the file has an attribute of the transform with its value.
    pub(super) fn says(&self, node: NodeId, attribute: &Attribute) -> bool {
        let document = &self.edits.document;
        let found = self
            .file
            .known_namespace(document.uri(attribute.namespace()))
            .and_then(|namespace| {
                self.file
                    .attribute_node(node, namespace, document.attribute_name(attribute))
            });
        found.is_some_and(|found| self.file.has_value(found, &document.value(attribute)))
    }

    pub(super) fn note(&mut self, done: Done) {
        if done.outcome != Outcome::AlreadySo {
            self.version += 1;
        }
        self.done.push(done);
    }

    /// The bytes of a node, or of the place at which it came into the file.
    pub(super) fn in_file(&self, node: NodeId) -> Range<usize> {
        let mut node = node;
        loop {
            if self.file.is_in_file(node) {
                return self.file.range(node);
            }
            // What is new stands behind what was there before it, or at the beginning of its parent.
            let before = std::iter::successors(self.file.previous(node), |node| self.file.previous(*node))
                .find(|node| self.file.is_in_file(*node));
            if let Some(before) = before {
                let end = self.file.range(before).end;
                return end..end;
            }
            match self.file.parent(node) {
                Some(parent) if self.file.is_in_file(parent) => {
                    let end = self.file.tag(parent).end;
                    return end..end;
                }
                Some(parent) => node = parent,
                None => return 0..0,
            }
        }
    }
}
