//! Where an output line comes from, and which output lines an inventory line reaches.
//!
//! The answer about the inventory is found by trial, not by following values through templates: every value is
//! replaced by another of its form, the inventory is compiled again, and the lines that change depend on it. That is
//! true by construction, also through conditions, sorting and escaping. The answer about the template comes from
//! marks in its lines. This module must not print.
//!
//! ```text
//! why ──► leaves of the inventory ──► trial each ──► which changed this line
//!     └─► marked templates ────────────────────────► which template line wrote it
//! ```

mod impact;
mod origin;
pub mod text;
mod trial;

use rayon::prelude::*;
use serde::Serialize;

use crate::catalogue::catalogue;
use crate::contract::artifact::Scope;
use crate::inventory::alternatives::{Leaf, Origin, leaves};
use crate::inventory::{Loaded, Schema};
use crate::plan::Planned;
use crate::render::Rendered;
use crate::secrets;
use crate::source::{SourceFile, Sources, Span};
use crate::templates::{Template, Templates};

pub use impact::{Edit, Impact, Reached, Section};
pub use origin::TemplatePlace;
pub use trial::{Change, moved_line};

/// Answers questions about one compiled inventory.
#[derive(Debug)]
pub struct Explorer<'a> {
    templates: &'a Templates,
    loaded: &'a Loaded,
    sources: &'a Sources,
    rendered: &'a Rendered<'a>,
    leaves: Vec<Leaf>,
}

/// A value of the inventory, as an answer names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InventoryPlace {
    /// File; absent when nobody wrote the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Key, for example `servers.0.fqdn`.
    pub key: String,
    /// The value; `…` when it may be a secret.
    pub value: String,
    /// Who gave it.
    pub from: Provenance,
}

/// Who gave a value, in the order of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// The inventory itself.
    Inventory,
    /// A file it extends.
    Layer,
    /// The default of the format.
    Default,
    /// Nobody: were it written, the line would be another.
    Absent,
}

/// A requirement of the vendor guide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// Id.
    pub id: String,
    /// What it asks for.
    pub title: String,
    /// Section of the guide.
    pub section: String,
}

/// Why an artifact exists at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Existence {
    /// How often its template is applied: `server`, `deployment` or `bundle`.
    pub scope: Scope,
    /// Its server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The condition of its template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Values without which it would not be made.
    pub because_of: Vec<InventoryPlace>,
}

/// Why an output line is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Path in the bundle.
    pub artifact: String,
    /// Line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
    /// Title of the artifact.
    pub title: String,
    /// Template lines that wrote it, the one that began it first.
    pub template: Vec<TemplatePlace>,
    /// Values of the inventory it depends on; none means that the template's text is fixed.
    pub inventory: Vec<InventoryPlace>,
    /// Why the artifact exists.
    pub exists: Existence,
    /// Requirements its template fulfils.
    pub requirements: Vec<Requirement>,
}

impl<'a> Explorer<'a> {
    /// Prepares answers about `rendered`, which was compiled from `loaded`.
    pub fn new(
        templates: &'a Templates,
        schema: &Schema,
        loaded: &'a Loaded,
        sources: &'a Sources,
        rendered: &'a Rendered<'a>,
    ) -> Self {
        Self {
            templates,
            loaded,
            sources,
            rendered,
            leaves: leaves(schema, loaded),
        }
    }

    /// Every value of the inventory.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Every artifact with its text, in the order of the plan.
    pub fn artifacts(&self) -> impl Iterator<Item = (String, &'a str)> {
        let entries = self.rendered.plan.entries.iter().zip(&self.rendered.texts);
        entries.filter_map(|(entry, text)| Some((entry.path.as_ref()?.to_string(), text.as_str())))
    }

    /// Why a line of an artifact is what it is; `None` when there is no such line.
    pub fn why(&self, artifact: &str, line: usize) -> Option<Answer> {
        let (_, entry, text) = self.find(artifact)?;
        let content = text.lines().nth(line.checked_sub(1)?)?;
        let changes: Vec<(&Leaf, bool, bool)> = self
            .leaves
            .par_iter()
            .map(|leaf| {
                let (mut changed, mut gone) = (false, false);
                for alternative in &leaf.alternatives {
                    let value = leaf.applied(&self.loaded.value, alternative);
                    let Some(change) = self.trial(&value, entry, text) else {
                        continue;
                    };
                    gone |= change.gone;
                    changed |= !change.gone && change.lines.contains(&line);
                    if changed {
                        break;
                    }
                }
                (leaf, changed, gone)
            })
            .collect();
        let places = |wanted: &dyn Fn(&(&Leaf, bool, bool)) -> bool| {
            let mut places: Vec<InventoryPlace> = changes
                .iter()
                .filter(|found| wanted(found))
                .map(|(leaf, ..)| self.place(leaf))
                .collect();
            places.sort_by_key(|place| (place.from, place.file.clone(), place.line, place.column));
            places
        };
        let template = self
            .template_places(artifact)
            .into_iter()
            .nth(line - 1)
            .unwrap_or_default();
        let front = &entry.template.front;
        let server = entry
            .server
            .and_then(|server| self.rendered.plan.facts.servers.get(server));
        Some(Answer {
            artifact: artifact.to_owned(),
            line,
            text: content.to_owned(),
            title: entry.title.clone(),
            requirements: self.requirements(entry, &template),
            template,
            inventory: places(&|(_, changed, _)| *changed),
            exists: Existence {
                scope: front.scope,
                server: server.map(|server| server.name.clone()),
                when: front.when.clone(),
                because_of: places(&|(leaf, changed, gone)| {
                    *gone && !changed && leaf.origin != Origin::Absent
                }),
            },
        })
    }

    /// How another inventory changes one artifact; `None` when it cannot be compiled.
    fn trial(&self, value: &serde_json::Value, entry: &Planned<'_>, text: &str) -> Option<Change> {
        let new = trial::render_one(self.templates, value, trial::identity(entry))?;
        Some(trial::change(text, new.as_deref()))
    }

    fn find(&self, artifact: &str) -> Option<(usize, &'a Planned<'a>, &'a str)> {
        let entries = &self.rendered.plan.entries;
        let is_it = |entry: &Planned<'_>| entry.path.as_ref().is_some_and(|path| path.as_str() == artifact);
        let index = entries.iter().position(is_it)?;
        Some((index, entries.get(index)?, self.rendered.texts.get(index)?))
    }

    /// Requirements of the template that wrote a line; an overview prints the texts of other templates.
    fn requirements(&self, entry: &Planned<'_>, places: &[TemplatePlace]) -> Vec<Requirement> {
        let name = |template: &Template| self.sources.get(template.file).map(SourceFile::name);
        let of_step = places.first().and_then(|place| {
            let mut templates = self.templates.list().iter();
            templates.find(|template| name(template) == Some(place.file.as_str()))
        });
        let ids = &of_step.unwrap_or(entry.template).front.requirements;
        ids.iter()
            .filter_map(|id| catalogue().find(id))
            .map(|entry| Requirement {
                id: entry.id.clone(),
                title: entry.title.clone(),
                section: entry.section.clone(),
            })
            .collect()
    }

    /// A value as answers name it.
    fn place(&self, leaf: &Leaf) -> InventoryPlace {
        let main = self.loaded.inputs.first().map(|input| input.name.as_str());
        let span = match leaf.origin {
            Origin::Written(span) => Some(span),
            Origin::Default | Origin::Absent => None,
        };
        let located = span.and_then(|span: Span| self.sources.locate(span));
        let from = match (leaf.origin, &located) {
            (Origin::Written(_), Some((name, _))) if Some(*name) != main => Provenance::Layer,
            (Origin::Written(_), _) => Provenance::Inventory,
            (Origin::Default, _) => Provenance::Default,
            (Origin::Absent, _) => Provenance::Absent,
        };
        InventoryPlace {
            file: located.as_ref().map(|(name, _)| (*name).to_owned()),
            line: located.as_ref().map(|(_, position)| position.line),
            column: located.as_ref().map(|(_, position)| position.column),
            key: key_name(&leaf.pointer),
            value: shown_value(leaf),
            from,
        }
    }
}

/// `/servers/0/fqdn` as `servers[0].fqdn`.
fn key_name(pointer: &str) -> String {
    let mut name = String::new();
    for segment in pointer.split('/').skip(1) {
        if segment.bytes().all(|byte| byte.is_ascii_digit()) {
            name.extend(["[", segment, "]"]);
        } else {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&segment.replace("~1", "/").replace("~0", "~"));
        }
    }
    name
}

/// A value as an answer may show it: what may be a secret is hidden, although an inventory holds none.
fn shown_value(leaf: &Leaf) -> String {
    // A reference names a secret and holds none.
    let is_reference = leaf.pointer.ends_with("/password/secret");
    let key = leaf.pointer.rsplit('/').next().unwrap_or_default();
    let text = match &leaf.value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => return String::new(),
        serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => leaf.value.to_string(),
    };
    if !is_reference && (secrets::is_secret_name(key) || !secrets::scan(&text, &[]).is_empty()) {
        return "…".to_owned();
    }
    text
}
