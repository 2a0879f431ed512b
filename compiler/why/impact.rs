//! Which output lines an inventory line reaches.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::{Change, Explorer, InventoryPlace, trial};
use crate::check;
use crate::codes::Severity;
use crate::diag::Diagnostics;
use crate::formats::Cut as _;
use crate::inventory;
use crate::inventory::alternatives::{Alternative, Leaf, Origin};

/// What depends on an inventory line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// File.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// One for each value of the line; none when the line holds no value.
    pub values: Vec<Section>,
}

/// What depends on one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The value.
    pub value: InventoryPlace,
    /// What was tried, edits with the same outcome together; edits without an outcome are left out.
    pub edits: Vec<Edit>,
    /// Why the value that was asked for cannot stand here; the edits then say nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

/// Edits of one value that change the same lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// Values that were put in its place; `removed` when the key was taken away.
    pub instead: Vec<String>,
    /// Artifacts that change, in order of paths.
    pub artifacts: Vec<Reached>,
}

/// The lines of one artifact that change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// Path in the bundle.
    pub path: String,
    /// Whether the artifact itself comes or goes with the value.
    pub gone: bool,
    /// Lines that change, from 1.
    pub lines: Vec<usize>,
    /// Lines before which new ones can appear.
    pub inserted_before: Vec<usize>,
}

impl Explorer<'_> {
    /// What depends on the values that stand on a line of an inventory file, or below its key: for other values of their
    /// form, or for exactly the one in `instead`.
    pub fn impact(&self, file: &str, line: usize, instead: Option<&str>) -> Impact {
        let leaves: Vec<&Leaf> = self.leaves_on(file, line);
        let values = leaves
            .par_iter()
            .map(|leaf| match instead {
                Some(text) => self.named(leaf, typed(text, &leaf.value)),
                None => self.section(leaf, &leaf.alternatives),
            })
            .collect();
        Impact {
            file: file.to_owned(),
            line,
            values,
        }
    }

    /// How a value at a JSON pointer changes the artifacts: changed lines by path.
    pub fn predict(&self, pointer: &str, instead: &Value) -> BTreeMap<String, Change> {
        let leaf = Leaf {
            pointer: pointer.to_owned(),
            origin: Origin::Absent,
            value: Value::Null,
            alternatives: Vec::new(),
        };
        let value = leaf.applied(&self.loaded.value, &Alternative::Named(instead.clone()));
        match trial::render(self.templates, &value) {
            Some(new) => self.by_path(trial::changes(self.rendered, &new)),
            None => BTreeMap::new(),
        }
    }

    /// Values written on a line; where there are none, those below the key on that line.
    fn leaves_on(&self, file: &str, line: usize) -> Vec<&Leaf> {
        let is_here = |pointer: &str, leaf: &Leaf| match leaf.origin {
            Origin::Written(span) => {
                let key = self.loaded.places.key(pointer);
                // The place of a section is its first entry, which is not the line of the section.
                let value = Some(span).filter(|_| !leaf.value.is_null() || key.is_none());
                [value, key].into_iter().flatten().any(|span| {
                    self.sources
                        .locate(span)
                        .is_some_and(|(name, position)| name == file && position.line == line)
                })
            }
            Origin::Default | Origin::Absent => false,
        };
        let own: Vec<&Leaf> = self
            .leaves
            .iter()
            .filter(|leaf| is_here(&leaf.pointer, leaf))
            .collect();
        if own.iter().any(|leaf| !leaf.value.is_null()) {
            return own;
        }
        let below = |leaf: &&Leaf| {
            let ancestors = leaf
                .pointer
                .match_indices('/')
                .map(|(at, _)| leaf.pointer.cut(..at));
            ancestors
                .filter(|pointer| !pointer.is_empty())
                .any(|pointer| is_here(pointer, leaf))
        };
        self.leaves
            .iter()
            .filter(|leaf| own.iter().any(|own| own.pointer == leaf.pointer) || below(leaf))
            .collect()
    }

    /// What one value in place of the present one changes, if it can stand there at all.
    fn named(&self, leaf: &Leaf, instead: Value) -> Section {
        let same = instead == leaf.value;
        let alternative = Alternative::Named(instead);
        let refused = if same {
            vec!["it is the present value".to_owned()]
        } else {
            self.refusals(&leaf.applied(&self.loaded.value, &alternative))
        };
        if refused.is_empty() {
            return self.section(leaf, &[alternative]);
        }
        Section {
            value: self.place(leaf),
            edits: Vec::new(),
            refused,
        }
    }

    /// Why an inventory would not compile, one clause for each mistake.
    fn refusals(&self, value: &Value) -> Vec<String> {
        let inventory = match inventory::from_value(value.clone()) {
            Ok(inventory) => inventory,
            Err(error) => return vec![format!("it has the wrong form: {error}")],
        };
        let mut found = Diagnostics::new();
        if check::check(&mut found, inventory, &self.loaded.places, None).is_ok() {
            return Vec::new();
        }
        let errors = found.iter().filter(|finding| finding.severity == Severity::Error);
        errors
            .map(|finding| format!("{}[{}]", finding.message, finding.code.id()))
            .collect()
    }

    fn section(&self, leaf: &Leaf, alternatives: &[Alternative]) -> Section {
        let mut edits: Vec<Edit> = Vec::new();
        for alternative in alternatives {
            let value = leaf.applied(&self.loaded.value, alternative);
            let Some(new) = trial::render(self.templates, &value) else {
                continue;
            };
            let name = match alternative {
                Alternative::Fresh(Value::String(text)) | Alternative::Named(Value::String(text)) => {
                    text.clone()
                }
                Alternative::Fresh(value) | Alternative::Named(value) => value.to_string(),
                Alternative::Removed => "removed".to_owned(),
            };
            let changes = self.by_path(trial::changes(self.rendered, &new)).into_iter();
            let artifacts: Vec<Reached> = changes
                .map(|(path, change)| Reached {
                    path,
                    gone: change.gone,
                    lines: change.lines.into_iter().collect(),
                    inserted_before: change.inserted_before.into_iter().collect(),
                })
                .collect();
            match edits.iter_mut().find(|edit| edit.artifacts == artifacts) {
                Some(edit) => edit.instead.push(name),
                None if artifacts.is_empty() => {}
                None => edits.push(Edit {
                    instead: vec![name],
                    artifacts,
                }),
            }
        }
        Section {
            value: self.place(leaf),
            edits,
            refused: Vec::new(),
        }
    }

    fn by_path(&self, changes: BTreeMap<usize, Change>) -> BTreeMap<String, Change> {
        let named = changes.into_iter().filter_map(|(index, change)| {
            let path = self.rendered.plan.entries.get(index)?.path.as_ref()?;
            Some((path.to_string(), change))
        });
        named.collect()
    }
}

/// A text as a value of the type of the present one, which its field will want too.
fn typed(text: &str, present: &Value) -> Value {
    let other = match present {
        Value::Bool(_) => text.parse::<bool>().ok().map(Value::from),
        Value::Number(_) => text.parse::<u64>().ok().map(Value::from),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    };
    other.unwrap_or_else(|| Value::from(text))
}
