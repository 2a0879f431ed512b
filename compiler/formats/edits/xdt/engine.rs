//! Applies a transform document to the bytes of a file.
//!
//! As in Microsoft's engine, elements are taken in document order, the transform of an element before those of its
//! children, and each sees what the ones before left. Nothing is given back unless everything could be done.

use std::collections::BTreeSet;
use std::ops::Range;

use super::bytes::{self, Encoding};
use super::guards;
use super::instructions::{Locator, Verb};
use super::locate::{Search, Targets, Unlocated};
use super::missing;
use super::read::{Edit, LIMITS, XdtEdits};
use super::same::same;
use super::xpath::Budget;
use crate::edits::source::Source;
use crate::edits::{Change, Outcome, Refusal, RefusalKind, Work};
use crate::xml::tree::{Attribute, Document, NodeId};
use crate::{FactPath, Step};

/// Nodes that all locators of a transform together may look at, and more for each node of the file: seconds, not hours.
const BUDGET: u64 = 20_000_000;
const BUDGET_FOR_EACH: u64 = 300;

/// What the transforms in `edits` do to a file.
///
/// # Errors
/// Everything that stands against it; places are bytes of `file` and of the text of the edits.
pub(in crate::edits) fn work(
    edits: &XdtEdits,
    file: &[u8],
    source: &Source<'_>,
) -> Result<Work, Vec<Refusal>> {
    let encoding = bytes::encoding(file, source).map_err(|refused| vec![*refused])?;
    let document = Document::read(source.text().to_owned(), LIMITS).map_err(|error| {
        let refused = Refusal::new(RefusalKind::BadFile, error.message)
            .in_file(source.file_range(&error.range))
            .help("mend the file first: .NET does not read it either");
        vec![refused]
    })?;
    let mut engine = Engine::new(edits, document, encoding);
    for number in 0..edits.elements.len() {
        engine.step(number);
        if engine.stopped {
            break;
        }
    }
    engine.finish().map_err(|mut refusals| {
        for refused in &mut refusals {
            refused.file_range = refused.file_range.take().map(|range| source.file_range(&range));
        }
        refusals
    })
}

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
    reported: BTreeSet<usize>,
    stopped: bool,
}

impl<'e> Engine<'e> {
    fn new(edits: &'e XdtEdits, file: Document, encoding: Encoding) -> Self {
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

    fn step(&mut self, number: usize) {
        let edits = self.edits;
        let Some(edit) = edits.elements.get(number) else {
            return;
        };
        match &edit.verb {
            None => {}
            Some(Verb::Replace) => self.replace(number, edit),
            Some(Verb::Insert) => self.insert(number, edit, false),
            Some(Verb::InsertIfMissing) => self.insert(number, edit, true),
            Some(Verb::InsertBefore(path)) => self.insert_beside(number, edit, path, true),
            Some(Verb::InsertAfter(path)) => self.insert_beside(number, edit, path, false),
            Some(Verb::Remove) => self.remove(number, edit, false),
            Some(Verb::RemoveAll) => self.remove(number, edit, true),
            Some(Verb::SetAttributes(names)) => self.set_attributes(number, edit, names),
            Some(Verb::RemoveAttributes(names)) => self.remove_attributes(number, edit, names),
        }
    }

    /// The one element an edit stands for; says what is wrong when it is not one.
    pub(super) fn target(&mut self, number: usize, edit: &Edit) -> Option<NodeId> {
        let found = self.located(number, false)?;
        match found.as_slice() {
            [one] => Some(*one),
            [] => {
                if let Some(same) = self.already_there(edit) {
                    self.already(number, same, None);
                } else if !self.is_added_later(number, edit) {
                    self.missing(number);
                }
                None
            }
            [_, second, ..] => {
                let name = self.edits.document.name(edit.node);
                let verb = edit.verb.as_ref().map(ToString::to_string).unwrap_or_default();
                let message = format!(
                    "`{verb}` finds {} elements `{name}`, and has to find one; Microsoft's engine would take {}",
                    found.len(),
                    match edit.verb {
                        Some(Verb::SetAttributes(_) | Verb::RemoveAttributes(_)) =>
                            "all of them, and say nothing",
                        _ => "the first",
                    }
                );
                let refused = Refusal::new(RefusalKind::Ambiguous, message)
                    .in_file(self.file.tag(*second))
                    .help("add a locator that only one of them fits, such as `xdt:Locator=\"Match(name)\"`");
                self.refused(number, refused);
                None
            }
        }
    }

    /// Says that an edit, or an element around it, finds nothing; each only once.
    pub(super) fn missing(&mut self, number: usize) {
        let mut failing = number;
        while let Some(parent) = self.edits.elements.get(failing).and_then(|edit| edit.parent) {
            match self.located(parent, false) {
                Some(found) if found.is_empty() => failing = parent,
                _ => break,
            }
        }
        if self.reported.insert(failing) {
            let around = match self.edits.elements.get(failing).and_then(|edit| edit.parent) {
                Some(parent) => self.located(parent, false).unwrap_or_default(),
                None => vec![self.file.top()],
            };
            let refused = missing::explain(self, failing, &around);
            self.refusals.push(refused);
        }
    }

    /// Whether a later `InsertIfMissing` for the same target adds what is missing now: the two mean "set, or add".
    fn is_added_later(&mut self, number: usize, edit: &Edit) -> bool {
        if !matches!(edit.verb, Some(Verb::SetAttributes(_) | Verb::Replace)) {
            return false;
        }
        let path = self.search().path(number);
        let later = self.edits.elements.iter().enumerate().skip(number + 1);
        let same_path = later
            .filter(|(_, later)| {
                matches!(later.verb, Some(Verb::InsertIfMissing)) && later.parent == edit.parent
            })
            .any(|(later, _)| self.search().path(later) == path);
        let around = edit
            .parent
            .and_then(|parent| self.located(parent, false))
            .unwrap_or_default();
        same_path && matches!(around.as_slice(), [one] if !missing::is_near(self, number, *one))
    }

    /// An element that is what the edit would leave, where its locator no longer finds what was there before.
    fn already_there(&mut self, edit: &Edit) -> Option<NodeId> {
        let parent = edit.parent?;
        let around = self.located(parent, false)?;
        let [around] = around.as_slice() else { return None };
        let candidates = match (&edit.locator, &edit.verb) {
            (Some(Locator::Match(_)) | None, _) | (_, None) => return None,
            (_, Some(Verb::Replace)) => {
                let named: Vec<NodeId> = self.search().named(edit, &[*around]).ok()?;
                named
                    .into_iter()
                    .filter(|node| same(&self.edits.document, edit.node, &self.file, *node))
                    .collect()
            }
            (_, Some(Verb::SetAttributes(_))) => {
                let meant: Vec<&Attribute> = self.edits.meant_attributes(edit.node).collect();
                let named: Vec<NodeId> = self.search().named(edit, &[*around]).ok()?;
                let fits = |node: &NodeId| meant.iter().all(|attribute| self.says(*node, attribute));
                if meant.len() < 2 {
                    return None;
                }
                named.into_iter().filter(fits).collect::<Vec<_>>()
            }
            _ => return None,
        };
        match candidates.as_slice() {
            [one] => Some(*one),
            _ => None,
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

    /// Notes that an element is what it should be.
    pub(super) fn already(&mut self, number: usize, node: NodeId, inside: Option<Step>) {
        let start = self.in_file(node).start;
        self.note(Done {
            key: guards::key(&self.file, node, inside),
            old: None,
            new: None,
            outcome: Outcome::AlreadySo,
            span: start..start,
            node: Some(node),
            number,
        });
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

    /// Refuses to put anything into a section whose content is elsewhere or encrypted.
    pub(super) fn is_closed(&mut self, number: usize, parent: NodeId) -> bool {
        let Some((range, message)) = guards::closed(&self.file, parent) else {
            return false;
        };
        self.refuse(RefusalKind::Unsuitable, number, message, Some(range));
        true
    }

    /// What is to be done to the text, or everything that is wrong.
    fn finish(mut self) -> Result<Work, Vec<Refusal>> {
        if !self.stopped {
            guards::hidden(&mut self);
        }
        if !self.refusals.is_empty() {
            self.refusals
                .sort_by_key(|refused| (refused.edit_range.as_ref().map(|range| range.start), refused.kind));
            return Err(self.refusals);
        }
        let notes = guards::elsewhere(&self);
        let written = self.file.written();
        let unchanged = written == self.file.file_text();
        let splices = if unchanged {
            Vec::new()
        } else {
            self.file.splices()
        };
        let places: Vec<Range<usize>> = self
            .done
            .iter()
            .map(|done| self.place(done.number).unwrap_or_default())
            .collect();
        // The tree goes before what was written is read again, so that there is one at a time.
        drop(self.file);
        if !unchanged && let Err(error) = Document::read(written, LIMITS) {
            let message = format!("the edited file would not be well-formed: {error}");
            return Err(vec![Refusal::new(RefusalKind::Unwritable, message)]);
        }
        let changes = self
            .done
            .into_iter()
            .zip(places)
            .map(|(done, edit_range)| Change {
                key: done.key,
                line: 0,
                old: done.old,
                new: done.new,
                // What was removed and put back as it was is as it was.
                outcome: if unchanged {
                    Outcome::AlreadySo
                } else {
                    done.outcome
                },
                edit_range,
                span: if unchanged {
                    done.span.start..done.span.start
                } else {
                    done.span
                },
            })
            .collect();
        Ok(Work {
            splices,
            changes,
            notes,
        })
    }
}
