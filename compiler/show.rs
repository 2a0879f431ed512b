//! An inventory as it is compiled: layers merged, defaults filled in, each value with its origin.
//!
//! The text is YAML with the origin as a comment, and an inventory of its own: compiled, it makes the same bundle. This
//! module must not know what is compiled from an inventory.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::diag::nearest;
use crate::inventory::{Loaded, yaml_scalar};
use crate::json;
use crate::source::Sources;

/// Column of the origins, where a line is not longer.
const COLUMN: usize = 60;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A file writes it.
    Written {
        /// The file.
        file: String,
        /// One-based line.
        line: usize,
        /// One-based column.
        column: usize,
    },
    /// No file writes it.
    Default,
}

/// One value of an inventory.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Entry {
    /// Its key, for example `servers.CORE01.fqdn`.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

/// Why a key cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchKey {
    /// The part of the key that is not there.
    pub part: String,
    /// The section that lacks it; empty for the whole.
    pub section: String,
    /// What was probably meant.
    pub near: Option<String>,
}

/// A part of an inventory.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    loaded: &'a Loaded,
    sources: &'a Sources,
    key: String,
    pointer: String,
    value: Value,
}

/// The part of an inventory at a key; everything when there is none. List items are called by number, servers by name.
///
/// # Errors
///
/// When the inventory has no such key.
pub fn part<'a>(loaded: &'a Loaded, sources: &'a Sources, key: Option<&str>) -> Result<Part<'a>, NoSuchKey> {
    let mut value = json::tree(&loaded.inventory);
    let (mut pointer, mut section) = (String::new(), String::new());
    let steps = key.unwrap_or_default().replace('[', ".").replace(']', "");
    for step in steps.split('.').filter(|step| !step.is_empty()) {
        let (segment, inner) = descend(&value, step).ok_or_else(|| NoSuchKey {
            part: step.to_owned(),
            section: section.clone(),
            near: nearest(step, names(&value).iter().map(String::as_str)).map(str::to_owned),
        })?;
        pointer = format!("{pointer}/{segment}");
        let dot = if section.is_empty() { "" } else { "." };
        section = format!("{section}{dot}{step}");
        value = inner;
    }
    Ok(Part {
        loaded,
        sources,
        key: section,
        pointer,
        value,
    })
}

/// The segment and the value of one step.
fn descend(value: &Value, step: &str) -> Option<(String, Value)> {
    match value {
        Value::Object(entries) => Some((step.to_owned(), entries.get(step)?.clone())),
        Value::Array(items) => {
            let index = step.parse().ok().or_else(|| {
                let named =
                    |item: &Value| item_name(item).is_some_and(|name| name.eq_ignore_ascii_case(step));
                items.iter().position(named)
            })?;
            Some((index.to_string(), items.get(index)?.clone()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn item_name(item: &Value) -> Option<&str> {
    item.get("name")?.as_str()
}

/// What may follow a key.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(entries) => entries.keys().cloned().collect(),
        Value::Array(items) => items.iter().filter_map(item_name).map(str::to_owned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// How a value is shown.
enum Shape<'v> {
    /// Keys on lines of their own.
    Section(&'v Map<String, Value>),
    /// Items on lines of their own.
    List(&'v [Value]),
    /// On one line: also a list of scalars, and what is empty.
    Scalar,
}

impl<'v> Shape<'v> {
    fn of(value: &'v Value) -> Self {
        match value {
            Value::Object(entries) if !entries.is_empty() => Self::Section(entries),
            Value::Array(items) if items.iter().any(Value::is_object) => Self::List(items),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => Self::Scalar,
        }
    }
}

impl Part<'_> {
    /// Every value of the part in the order of the format.
    pub fn entries(&self) -> Vec<Entry> {
        let mut found = Vec::new();
        self.collect(&self.key, &self.pointer, &self.value, &mut found);
        found
    }

    fn collect(&self, key: &str, pointer: &str, value: &Value, found: &mut Vec<Entry>) {
        let dot = if key.is_empty() { "" } else { "." };
        let mut inside = |name: &str, segment: &str, inner| {
            self.collect(
                &format!("{key}{dot}{name}"),
                &format!("{pointer}/{segment}"),
                inner,
                found,
            );
        };
        match Shape::of(value) {
            Shape::Section(entries) => {
                for (name, inner) in entries {
                    inside(name, name, inner);
                }
            }
            Shape::List(items) => {
                for (index, inner) in items.iter().enumerate() {
                    let number = index.to_string();
                    inside(item_name(inner).unwrap_or(&number), &number, inner);
                }
            }
            Shape::Scalar => found.push(Entry {
                key: key.to_owned(),
                value: value.clone(),
                origin: self.origin(pointer),
            }),
        }
    }

    fn origin(&self, pointer: &str) -> Origin {
        let place = self.loaded.places.value(pointer);
        match place.and_then(|span| self.sources.locate(span)) {
            Some((file, position)) => Origin::Written {
                file: file.to_owned(),
                line: position.line,
                column: position.column,
            },
            None => Origin::Default,
        }
    }

    /// The part as YAML. A part with a key begins with that key.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match self.value.as_object().filter(|_| self.key.is_empty()) {
            Some(entries) => self.mapping("", "", entries, &mut text),
            None => self.entry("", &self.key, &self.pointer, &self.value, &mut text),
        }
        text
    }

    fn mapping(&self, indent: &str, pointer: &str, entries: &Map<String, Value>, text: &mut String) {
        for (name, value) in entries {
            self.entry(indent, name, &format!("{pointer}/{name}"), value, text);
        }
    }

    fn entry(&self, indent: &str, name: &str, pointer: &str, value: &Value, text: &mut String) {
        let deeper = format!("{indent}  ");
        match Shape::of(value) {
            Shape::Section(entries) => {
                let _ = writeln!(text, "{indent}{name}:");
                self.mapping(&deeper, pointer, entries, text);
            }
            Shape::List(items) => {
                let _ = writeln!(text, "{indent}{name}:");
                for (index, item) in items.iter().enumerate() {
                    let mut lines = String::new();
                    if let Value::Object(entries) = item {
                        self.mapping(
                            &format!("{deeper}  "),
                            &format!("{pointer}/{index}"),
                            entries,
                            &mut lines,
                        );
                    }
                    // The first key stands behind the mark of the item.
                    let first = lines.get(deeper.len() + 2..).unwrap_or_default();
                    let _ = write!(text, "{deeper}- {first}");
                }
            }
            Shape::Scalar => {
                let line = format!("{indent}{name}: {}", yaml_scalar(value));
                let origin = match self.origin(pointer) {
                    Origin::Written { file, line, .. } => format!("{file}:{line}"),
                    Origin::Default => "default".to_owned(),
                };
                let _ = writeln!(text, "{line:<COLUMN$}  # {origin}");
            }
        }
    }
}
