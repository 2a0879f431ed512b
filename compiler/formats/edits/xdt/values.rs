//! The transforms of values: attributes, and the text of an element that holds nothing else.

use std::ops::Range;

use super::guards;
use super::instructions::Names;
use super::layout;
use super::read::{Edit, LIMITS};
use super::render;
use super::state::{Done, Engine};
use crate::edits::{Outcome, Refusal, RefusalKind};
use crate::xml::tree::{Attribute, NodeId, NodeKind};
use crate::{Form, Step};

impl Engine<'_> {
    /// Replaces an element without inner elements by changing what differs.
    pub(super) fn rewrite(&mut self, number: usize, edit: &Edit, node: NodeId) {
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

    pub(super) fn set_text(&mut self, number: usize, node: NodeId, old: &str, new: &str) {
        let children: Vec<NodeId> = self.file.children(node).collect();
        let is_cdata =
            matches!(children.as_slice(), [one] if matches!(self.file.kind(*one), NodeKind::CData));
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
            key: guards::key(&self.file, node, Some(Step::new(Form::Content, "text"))),
            old: Some(old.to_owned()),
            new: Some(new.to_owned()),
            outcome: Outcome::Set,
            span,
            node: Some(node),
            number,
        });
    }

    pub(super) fn set_attributes(&mut self, number: usize, edit: &Edit, names: &Names) {
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

    pub(super) fn set_attribute(&mut self, number: usize, node: NodeId, attribute: &Attribute) {
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
        let inside = || Some(Step::new(Form::Attribute, &name));
        if let Some((index, found)) = found {
            let old = self.file.value(found).into_owned();
            let mut span = self.attribute_span(node, found.range_value());
            let outcome = Outcome::of(old == new);
            if outcome == Outcome::AlreadySo {
                span.end = span.start;
            } else {
                let quote = self.file.slice(found.range()).chars().next_back().unwrap_or('"');
                let raw = render::attribute_text(&new, quote, self.encoding);
                self.file.set_value(node, index, &raw);
            }
            return self.note(Done {
                key: guards::key(&self.file, node, inside()),
                old: Some(old),
                new: Some(new),
                outcome,
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
            let refused = Refusal::new(RefusalKind::Unsuitable, message)
                .in_file(self.attribute_span(node, found.range()))
                .nearest(Some(written));
            return self.refused(number, refused);
        }
        let lead = layout::attribute_lead(&self.file, node);
        let quote = layout::style(&self.file, node, Some(node), None).quote;
        let raw = render::attribute_text(&new, quote, self.encoding);
        let end = self.tail_span(node).start;
        let span = end..end;
        self.file
            .add_attribute(node, &lead, (&name, namespace), quote, &raw);
        self.note(Done {
            key: guards::key(&self.file, node, inside()),
            old: None,
            new: Some(new),
            outcome: Outcome::Inserted,
            span,
            node: Some(node),
            number,
        });
    }

    /// A part of a tag, or where the tag came into the file.
    pub(super) fn attribute_span(&self, node: NodeId, range: Range<usize>) -> Range<usize> {
        if range.end <= self.file.file_length() {
            range
        } else {
            let end = self.tail_span(node).start;
            end..end
        }
    }

    /// The end of a start tag, or where the tag came into the file.
    pub(super) fn tail_span(&self, node: NodeId) -> Range<usize> {
        if self.file.is_in_file(node) {
            self.file.tail(node)
        } else {
            self.in_file(node)
        }
    }

    pub(super) fn remove_attributes(&mut self, number: usize, edit: &Edit, names: &Names) {
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
            return self.already(number, node, Some(Step::new(Form::Attribute, "*")));
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
    pub(super) fn no_attribute(&mut self, number: usize, node: NodeId, name: &str) {
        let near = self
            .file
            .plain_attributes(node)
            .find(|found| self.file.attribute_name(found).eq_ignore_ascii_case(name));
        let Some(near) = near else {
            return self.already(number, node, Some(Step::new(Form::Attribute, name)));
        };
        let written = self.file.written_attribute(near).to_owned();
        let message = format!("there is no attribute `{name}` to remove, but `{written}`");
        let refused = Refusal::new(RefusalKind::Missing, message)
            .in_file(self.attribute_span(node, near.range()))
            .nearest(Some(written));
        self.refused(number, refused);
    }

    pub(super) fn take_attribute(&mut self, number: usize, node: NodeId, index: usize, name: &str) {
        let Some(attribute) = self.file.attributes(node).nth(index) else {
            return;
        };
        let old = self.file.value(attribute).into_owned();
        let span = self.attribute_span(node, attribute.range_with_blanks());
        let key = guards::key(&self.file, node, Some(Step::new(Form::Attribute, name)));
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
}
