//! Applies a transform document to the bytes of a file.
//!
//! As in Microsoft's engine, elements are taken in document order, the transform of an element before those of its
//! children, and each sees what the ones before left. Nothing is given back unless everything could be done.

use std::ops::Range;

use super::bytes;
use super::guards;
use super::instructions::{Locator, Verb};
use super::missing;
use super::read::{Edit, LIMITS, XdtEdits};
use super::same::same;
use super::state::{Done, Engine};
use crate::Step;
use crate::edits::source::Source;
use crate::edits::{Change, Outcome, Refusal, RefusalKind, Work};
use crate::xml::tree::{Attribute, Document, NodeId};

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

impl Engine<'_> {
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
