//! Applies a transform document to the bytes of a file.
//!
//! As in Microsoft's engine, elements are taken in document order, the transform of an element before those of its
//! children, and each sees what the ones before left. Nothing is given back unless everything could be done.

use std::collections::BTreeSet;
use std::ops::Range;

use super::bytes::{self, Encoding};
use super::guards;
use super::instructions::{Locator, Names, Selector, Verb};
use super::layout::{self, Place};
use super::locate::{Search, Targets, Unlocated};
use super::missing;
use super::read::{Edit, LIMITS, XdtEdits};
use super::render::{self, Target};
use super::same::same;
use super::xpath::Budget;
use crate::edits::source::{self, Source};
use crate::edits::{Change, Outcome, Refusal, RefusalKind, Work};
use crate::xml::tree::{Attribute, Document, Kind, NodeId};

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

/// A refusal without further words.
pub(super) fn refusal(
    kind: RefusalKind,
    message: impl Into<String>,
    file_range: Option<Range<usize>>,
    edit_range: Option<Range<usize>>,
) -> Refusal {
    Refusal {
        kind,
        message: message.into(),
        file_range,
        edit_range,
        looked_for: None,
        nearest: None,
        help: None,
    }
}

/// What was done at one place, while the file is still a tree.
pub(super) struct Done {
    key: String,
    old: Option<String>,
    new: Option<String>,
    outcome: Outcome,
    span: Range<usize>,
    /// The element that now says what was meant, which the guards look at.
    pub(super) node: Option<NodeId>,
    /// The edit that did it.
    pub(super) number: usize,
}

pub(super) struct Engine<'e> {
    pub(super) edits: &'e XdtEdits,
    pub(super) file: Document,
    encoding: Encoding,
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
        let mut refused = refusal(kind, message, file_range, self.place(number));
        refused.looked_for = Some(self.search().path(number));
        self.refusals.push(refused);
    }

    /// The elements an edit stands for, or those it would insert into.
    fn located(&mut self, number: usize, parents: bool) -> Option<Vec<NodeId>> {
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

    fn unlocated(&mut self, number: usize, wrong: &Unlocated) {
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
    fn target(&mut self, number: usize, edit: &Edit) -> Option<NodeId> {
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
                let range = self.file.tag(*second);
                self.refuse(RefusalKind::Ambiguous, number, message, Some(range));
                if let Some(refused) = self.refusals.last_mut() {
                    let help =
                        "add a locator that only one of them fits, such as `xdt:Locator=\"Match(name)\"`";
                    refused.help = Some(help.to_owned());
                }
                None
            }
        }
    }

    /// Says that an edit, or an element around it, finds nothing; each only once.
    fn missing(&mut self, number: usize) {
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
    fn says(&self, node: NodeId, attribute: &Attribute) -> bool {
        let document = &self.edits.document;
        let found = self
            .file
            .known_namespace(document.uri(attribute.namespace()))
            .and_then(|namespace| {
                self.file
                    .attribute_node(node, namespace, document.attribute_name(attribute))
            });
        found.is_some_and(|found| self.file.value(found) == document.value(attribute))
    }

    fn note(&mut self, done: Done) {
        if done.outcome != Outcome::AlreadySo {
            self.version += 1;
        }
        self.done.push(done);
    }

    /// Notes that an element is what it should be.
    fn already(&mut self, number: usize, node: NodeId, suffix: Option<&str>) {
        let start = self.in_file(node).start;
        self.note(Done {
            key: guards::key(&self.file, node, suffix),
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
    fn is_closed(&mut self, number: usize, parent: NodeId) -> bool {
        let Some((range, message)) = guards::closed(&self.file, parent) else {
            return false;
        };
        self.refuse(RefusalKind::Unsuitable, number, message, Some(range));
        true
    }

    fn insert(&mut self, number: usize, edit: &Edit, if_missing: bool) {
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
        let place = guards::add_to_remove(self, edit, parent).map_or(Place::Last, Place::Before);
        self.put(number, edit, parent, place);
    }

    /// The one element into which an edit inserts.
    fn parent_for(&mut self, number: usize, edit: &Edit) -> Option<NodeId> {
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

    fn equal_child(&self, edit: &Edit, parent: NodeId, fits: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let document = &self.edits.document;
        self.file
            .elements(parent)
            .find(|child| fits(*child) && same(document, edit.node, &self.file, *child))
    }

    fn insert_beside(&mut self, number: usize, edit: &Edit, path: &Selector, before: bool) {
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
            Place::Before(sibling)
        } else {
            Place::After(sibling)
        };
        self.put(number, edit, around, place);
    }

    /// Writes the element of an edit to a place.
    fn put(&mut self, number: usize, edit: &Edit, parent: NodeId, place: Place) {
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
        self.write(number, parent, gap.previous, &text, (element, span));
    }

    /// Hangs written text into the tree and notes it.
    fn write(
        &mut self,
        number: usize,
        parent: NodeId,
        previous: Option<NodeId>,
        text: &str,
        (element, span): (String, Range<usize>),
    ) {
        match self.file.insert(text, parent, previous, LIMITS) {
            Ok(added) => {
                let node = added.iter().copied().find(|node| self.file.is_element(*node));
                self.note(Done {
                    key: node.map_or(String::new(), |node| guards::key(&self.file, node, None)),
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

    fn replace(&mut self, number: usize, edit: &Edit) {
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
                    key: new.map_or(String::new(), |node| guards::key(&self.file, node, None)),
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

    /// Replaces an element without inner elements by changing what differs.
    fn rewrite(&mut self, number: usize, edit: &Edit, node: NodeId) {
        let document = &self.edits.document;
        let wanted: Vec<(&str, &str)> = self
            .edits
            .meant_attributes(edit.node)
            .map(|attribute| {
                (
                    document.uri(attribute.namespace()),
                    document.attribute_name(attribute),
                )
            })
            .collect();
        let superfluous: Vec<(usize, String)> = self
            .file
            .attributes(node)
            .enumerate()
            .filter(|(_, attribute)| {
                let name = (
                    self.file.uri(attribute.namespace()),
                    self.file.attribute_name(attribute),
                );
                !attribute.is_declaration() && !wanted.contains(&name)
            })
            .map(|(index, attribute)| (index, self.file.written_attribute(attribute).to_owned()))
            .collect();
        for (index, name) in superfluous.into_iter().rev() {
            self.take_attribute(number, node, index, &name);
        }
        for attribute in self.edits.meant_attributes(edit.node) {
            if !self.says(node, attribute) {
                self.set_attribute(number, node, attribute);
            }
        }
        let new = document.own_text(edit.node);
        let old = self.file.own_text(node);
        let empty = |text: &str| text.is_empty() || text.trim().is_empty() && text.contains('\n');
        if old == new || empty(&old) && empty(&new) {
            return;
        }
        self.set_text(number, node, &old, &new);
    }

    fn set_text(&mut self, number: usize, node: NodeId, old: &str, new: &str) {
        let children: Vec<NodeId> = self.file.children(node).collect();
        let is_cdata = matches!(children.as_slice(), [one] if matches!(self.file.kind(*one), Kind::CData));
        let line_end = layout::first_line_end(&self.file);
        let fits = !new.contains("]]>") && !new.contains('\r') && new.chars().all(|c| self.encoding.holds(c));
        let text = if is_cdata && fits {
            format!("<![CDATA[{}]]>", new.replace('\n', line_end))
        } else {
            render::text(new, line_end, self.encoding)
        };
        let span = match (children.first(), children.last()) {
            (Some(first), Some(last)) => self.in_file(*first).start..self.in_file(*last).end,
            _ if self.file.is_one_tag(node) => self.tail_span(node),
            _ => {
                let end = self.file.tag(node).end;
                end..end
            }
        };
        for child in children {
            self.file.detach(child);
        }
        if let Err(error) = self.file.insert(&text, node, None, LIMITS) {
            return self.refuse(RefusalKind::Unwritable, number, error.message, None);
        }
        self.note(Done {
            key: guards::key(&self.file, node, Some("text")),
            old: Some(old.to_owned()),
            new: Some(new.to_owned()),
            outcome: Outcome::Set,
            span,
            node: Some(node),
            number,
        });
    }

    fn remove(&mut self, number: usize, edit: &Edit, all: bool) {
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
    fn nothing_to_remove(&mut self, number: usize, edit: &Edit) {
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
            let key = format!(
                "{} > {}",
                guards::key(&self.file, *one, None),
                guards::edit_label(self.edits, edit)
            );
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

    fn set_attributes(&mut self, number: usize, edit: &Edit, names: &Names) {
        let Some(node) = self.target(number, edit) else {
            return;
        };
        let attributes: Vec<&Attribute> = match names {
            Names::All => self.edits.meant_attributes(edit.node).collect(),
            Names::Listed(names) => names
                .iter()
                .filter_map(|name| self.edits.named(edit, name))
                .collect(),
        };
        if let Some((range, message)) =
            guards::closed_to_attributes(&self.file, node, self.edits, &attributes)
        {
            return self.refuse(RefusalKind::Unsuitable, number, message, Some(range));
        }
        for attribute in attributes {
            self.set_attribute(number, node, attribute);
        }
    }

    fn set_attribute(&mut self, number: usize, node: NodeId, attribute: &Attribute) {
        let document = &self.edits.document;
        let new = document.value(attribute).into_owned();
        let name = match render::name_in_file(self.edits, attribute, &self.file, node) {
            Ok(name) => name,
            Err(message) => {
                let range = self.file.tag(node);
                return self.refuse(RefusalKind::Unwritable, number, message, Some(range));
            }
        };
        let local = document.attribute_name(attribute);
        let namespace = self
            .file
            .known_namespace(document.uri(attribute.namespace()))
            .unwrap_or_default();
        let found =
            self.file.attributes(node).enumerate().find(|(_, found)| {
                found.namespace() == namespace && self.file.attribute_name(found) == local
            });
        let suffix = format!("@{name}");
        if let Some((index, found)) = found {
            let old = self.file.value(found).into_owned();
            let span = self.attribute_span(node, found.range_value());
            if old == new {
                let key = guards::key(&self.file, node, Some(&suffix));
                return self.note(Done {
                    key,
                    old: Some(old),
                    new: Some(new),
                    outcome: Outcome::AlreadySo,
                    span: span.start..span.start,
                    node: Some(node),
                    number,
                });
            }
            let quote = self.file.slice(found.range()).chars().next_back().unwrap_or('"');
            let raw = render::attribute_text(&new, quote, self.encoding);
            self.file.set_value(node, index, &raw);
            let key = guards::key(&self.file, node, Some(&suffix));
            return self.note(Done {
                key,
                old: Some(old),
                new: Some(new),
                outcome: Outcome::Set,
                span,
                node: Some(node),
                number,
            });
        }
        let differs = self.file.plain_attributes(node).find(|found| {
            found.namespace() == namespace && self.file.attribute_name(found).eq_ignore_ascii_case(local)
        });
        if let Some(found) = differs {
            let written = self.file.written_attribute(found).to_owned();
            let message = format!(
                "the element has `{written}`, which differs from `{name}` in case only; the file would have both"
            );
            let range = self.attribute_span(node, found.range());
            self.refuse(RefusalKind::Unsuitable, number, message, Some(range));
            if let Some(refused) = self.refusals.last_mut() {
                refused.nearest = Some(written);
            }
            return;
        }
        let lead = layout::attribute_lead(&self.file, node);
        let quote = layout::style(&self.file, node, Some(node), None).quote;
        let raw = render::attribute_text(&new, quote, self.encoding);
        let end = self.tail_span(node).start;
        let span = end..end;
        self.file
            .add_attribute(node, &lead, (&name, namespace), quote, &raw);
        self.note(Done {
            key: guards::key(&self.file, node, Some(&suffix)),
            old: None,
            new: Some(new),
            outcome: Outcome::Inserted,
            span,
            node: Some(node),
            number,
        });
    }

    /// A part of a tag, or where the tag came into the file.
    fn attribute_span(&self, node: NodeId, range: Range<usize>) -> Range<usize> {
        if range.end <= self.file.file_length() {
            range
        } else {
            let end = self.tail_span(node).start;
            end..end
        }
    }

    /// The end of a start tag, or where the tag came into the file.
    fn tail_span(&self, node: NodeId) -> Range<usize> {
        if self.file.is_in_file(node) {
            self.file.tail(node)
        } else {
            self.in_file(node)
        }
    }

    fn remove_attributes(&mut self, number: usize, edit: &Edit, names: &Names) {
        let Some(node) = self.target(number, edit) else {
            return;
        };
        let document = &self.edits.document;
        let listed: Vec<(Option<String>, String)> = match names {
            Names::All => self
                .file
                .plain_attributes(node)
                .map(|attribute| {
                    let uri = self.file.uri(attribute.namespace()).to_owned();
                    (Some(uri), self.file.attribute_name(attribute).to_owned())
                })
                .collect(),
            Names::Listed(names) => names
                .iter()
                .map(|name| {
                    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
                    let uri = match prefix {
                        "" => Some(String::new()),
                        _ => document
                            .namespace_of_prefix(edit.node, prefix)
                            .map(|namespace| document.uri(namespace).to_owned()),
                    };
                    (uri, local.to_owned())
                })
                .collect(),
        };
        if listed.is_empty() {
            return self.already(number, node, Some("@*"));
        }
        for (uri, local) in listed {
            let found = self.file.attributes(node).position(|attribute| {
                !attribute.is_declaration()
                    && Some(self.file.uri(attribute.namespace())) == uri.as_deref()
                    && self.file.attribute_name(attribute) == local
            });
            match found {
                Some(index) => self.take_attribute(number, node, index, &local),
                None => self.no_attribute(number, node, &local),
            }
        }
    }

    /// An attribute that should be gone is not there, unless it is there in another case.
    fn no_attribute(&mut self, number: usize, node: NodeId, name: &str) {
        let near = self
            .file
            .plain_attributes(node)
            .find(|found| self.file.attribute_name(found).eq_ignore_ascii_case(name));
        let Some(near) = near else {
            return self.already(number, node, Some(&format!("@{name}")));
        };
        let written = self.file.written_attribute(near).to_owned();
        let message = format!("there is no attribute `{name}` to remove, but `{written}`");
        let range = self.attribute_span(node, near.range());
        self.refuse(RefusalKind::Missing, number, message, Some(range));
        if let Some(refused) = self.refusals.last_mut() {
            refused.nearest = Some(written);
        }
    }

    fn take_attribute(&mut self, number: usize, node: NodeId, index: usize, name: &str) {
        let Some(attribute) = self.file.attributes(node).nth(index) else {
            return;
        };
        let old = self.file.value(attribute).into_owned();
        let span = self.attribute_span(node, attribute.range_with_blanks());
        let key = guards::key(&self.file, node, Some(&format!("@{name}")));
        self.file.remove_attribute(node, index);
        self.note(Done {
            key,
            old: Some(old),
            new: None,
            outcome: Outcome::Removed,
            span,
            node: Some(node),
            number,
        });
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
        let written = self.file.written();
        let unchanged = written == self.file.file_text();
        if !unchanged && let Err(error) = Document::read(written, LIMITS) {
            let message = format!("the edited file would not be well-formed: {error}");
            return Err(vec![Refusal::new(RefusalKind::Unwritable, message)]);
        }
        let splice = |splice: crate::xml::change::Splice| source::Splice {
            range: splice.range,
            text: splice.text,
        };
        let splices = if unchanged {
            Vec::new()
        } else {
            self.file.splices().into_iter().map(splice).collect()
        };
        let places: Vec<Range<usize>> = self
            .done
            .iter()
            .map(|done| self.place(done.number).unwrap_or_default())
            .collect();
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
            notes: Vec::new(),
        })
    }
}

/// Whether an element holds nothing but text.
fn is_leaf(document: &Document, node: NodeId) -> bool {
    document
        .children(node)
        .all(|child| matches!(document.kind(child), Kind::Text | Kind::CData))
}
