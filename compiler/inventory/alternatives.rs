//! Other values every field of an inventory could have, for asking what depends on it.
//!
//! An alternative keeps the form of its field (a name stays a name, a folder stays a folder), so that it can be
//! compiled like the original. This module must not know what is compiled from an inventory.

use cbgen_formats::Cut as _;
use serde_json::{Map, Value};

use super::Loaded;
use super::schema::{Field, Schema};
use super::value::push_segment;
use crate::json;
use crate::source::Span;

/// One field, list item or optional section of an inventory.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// JSON pointer into the merged inventory.
    pub pointer: String,
    /// Who gave the value.
    pub origin: Origin,
    /// The value; for a section `null`.
    pub value: Value,
    /// Values it could have instead.
    pub alternatives: Vec<Alternative>,
}

/// Who gave a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is written at this place.
    Written(Span),
    /// Nobody wrote it, and the format has a default.
    Default,
    /// Nobody wrote it, and nothing stands for it.
    Absent,
}

/// One other value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// Another value of the same form that occurs nowhere else.
    Fresh(Value),
    /// A value with a meaning of its own: a choice, a version, a name of the inventory.
    Named(Value),
    /// The key is taken away, so its default counts.
    Removed,
}

impl Leaf {
    /// The inventory with an alternative in place of the value.
    pub fn applied(&self, inventory: &Value, alternative: &Alternative) -> Value {
        let mut changed = inventory.clone();
        match alternative {
            Alternative::Fresh(value) | Alternative::Named(value) => {
                set(&mut changed, &self.pointer, value.clone());
            }
            Alternative::Removed => remove(&mut changed, &self.pointer),
        }
        changed
    }
}

/// Every field of an inventory in the order of the schema, written or not.
pub fn leaves(schema: &Schema, loaded: &Loaded) -> Vec<Leaf> {
    let full = json::tree(&loaded.inventory);
    let servers = loaded.inventory.servers.iter();
    let names = servers.map(|server| server.name.as_str().into()).collect();
    let mut walk = Walk {
        loaded,
        names,
        leaves: Vec::new(),
        pointer: String::new(),
    };
    walk.field(schema.root(), Some(&loaded.value), Some(&full), true);
    walk.leaves
}

struct Walk<'a> {
    loaded: &'a Loaded,
    names: Vec<Value>,
    leaves: Vec<Leaf>,
    pointer: String,
}

impl Walk<'_> {
    fn field(&mut self, field: Field<'_>, written: Option<&Value>, full: Option<&Value>, required: bool) {
        let written = written.filter(|value| !value.is_null());
        match full.filter(|value| !value.is_null()) {
            Some(Value::Object(entries)) => self.section(field, written, entries, required),
            Some(Value::Array(items)) => self.list(field, written, items),
            Some(value) => {
                let mut alternatives = self.others(field, value);
                if written.is_some() && !required {
                    alternatives.push(Alternative::Removed);
                }
                self.push(written.is_some(), value.clone(), alternatives);
            }
            None => {
                let choices = field.named_choices().cloned();
                let mut alternatives: Vec<Alternative> = choices.map(Alternative::Named).collect();
                if alternatives.is_empty() {
                    alternatives.extend(something(field).map(Alternative::Fresh));
                }
                self.leaves.push(Leaf {
                    pointer: self.pointer.clone(),
                    origin: Origin::Absent,
                    value: Value::Null,
                    alternatives,
                });
            }
        }
    }

    fn section(
        &mut self,
        field: Field<'_>,
        written: Option<&Value>,
        entries: &Map<String, Value>,
        required: bool,
    ) {
        if written.is_some() && !required {
            self.push(true, Value::Null, vec![Alternative::Removed]);
        }
        let length = self.pointer.len();
        let known: Vec<&str> = field.keys().collect();
        let more = entries
            .keys()
            .map(String::as_str)
            .filter(|key| !known.contains(key));
        for key in known.iter().copied().chain(more) {
            // Servers have what they share already.
            if length == 0 && key == "defaults" {
                continue;
            }
            let Some(inner) = field.property(key) else {
                continue;
            };
            push_segment(&mut self.pointer, key);
            self.field(
                inner,
                written.and_then(|value| value.get(key)),
                entries.get(key),
                field.requires(key),
            );
            self.pointer.truncate(length);
        }
    }

    fn list(&mut self, field: Field<'_>, written: Option<&Value>, items: &[Value]) {
        let Some(item) = field.items() else { return };
        if let Some(Value::Array(listed)) = written {
            let length = self.pointer.len();
            for (index, (value, written)) in items.iter().zip(listed).enumerate() {
                push_segment(&mut self.pointer, &index.to_string());
                // A server cannot go without moving all behind it.
                let required = self.pointer.starts_with("/servers/") && value.is_object();
                self.field(item, Some(written), Some(value), required);
                self.pointer.truncate(length);
            }
            if !listed.is_empty() {
                return;
            }
        }
        let mut alternatives = Vec::new();
        let mut with = |extra: Value| {
            let mut longer = items.to_vec();
            longer.push(extra);
            Alternative::Named(Value::Array(longer))
        };
        match item.choices() {
            Some(choices) => alternatives.extend(
                choices
                    .filter(|choice| !items.contains(choice))
                    .cloned()
                    .map(&mut with),
            ),
            None => alternatives.extend(something(item).map(&mut with)),
        }
        self.push(written.is_some(), Value::Array(items.to_vec()), alternatives);
    }

    fn push(&mut self, written: bool, value: Value, alternatives: Vec<Alternative>) {
        let place = self.loaded.places.value(&self.pointer).filter(|_| written);
        self.leaves.push(Leaf {
            pointer: self.pointer.clone(),
            origin: place.map_or(Origin::Default, Origin::Written),
            value,
            alternatives,
        });
    }

    /// Other values of a scalar.
    fn others(&self, field: Field<'_>, value: &Value) -> Vec<Alternative> {
        if field.choices().is_some() {
            let others = field.named_choices().filter(|choice| *choice != value);
            return others.cloned().map(Alternative::Named).collect();
        }
        match value {
            Value::Bool(flag) => vec![Alternative::Named(Value::Bool(!flag))],
            Value::Number(number) => other_numbers(field, number.as_u64().unwrap_or(0))
                .into_iter()
                .map(|number| Alternative::Fresh(number.into()))
                .collect(),
            Value::String(text) => {
                let named = match field.format() {
                    Some("cbgen-product-version") => {
                        ["9.2.0", "9.5.2", "9.5.3", "9.5.4"].map(Value::from).to_vec()
                    }
                    Some("cbgen-dotnet-version") => ["4.6.2", "4.7.2", "4.8"].map(Value::from).to_vec(),
                    // A reference to a server of the inventory.
                    _ if self.pointer.ends_with("/server") && self.pointer.contains("/upstreams/") => {
                        self.names.clone()
                    }
                    _ => Vec::new(),
                };
                if named.is_empty() {
                    let fresh = fresh_texts(field, text).into_iter().map(Value::from);
                    return fresh.map(Alternative::Fresh).collect();
                }
                named
                    .into_iter()
                    .filter(|other| other != value)
                    .map(Alternative::Named)
                    .collect()
            }
            Value::Null | Value::Array(_) | Value::Object(_) => Vec::new(),
        }
    }
}

/// A value for a field that has none.
fn something(field: Field<'_>) -> Option<Value> {
    if let Some(example) = field.example() {
        return Some(example.clone());
    }
    if let Some(example) = field.format().and_then(super::scalars::example) {
        return Some(example.into());
    }
    match field.range() {
        (Some(least), _) => Some(least.clone()),
        (None, _) if field.takes("string") => Some("q7".into()),
        (None, _) if field.takes("boolean") => Some(true.into()),
        (None, _) => None,
    }
}

/// A neighbour, and a number that sorts elsewhere among ports.
fn other_numbers(field: Field<'_>, number: u64) -> Vec<u64> {
    let limit = |value: Option<&Value>, otherwise| value.and_then(Value::as_u64).unwrap_or(otherwise);
    let (least, largest) = field.range();
    let (least, largest) = (limit(least, 0), limit(largest, u64::from(u16::MAX)));
    let neighbour = if number < largest {
        number + 1
    } else {
        number.saturating_sub(1)
    };
    [neighbour, 20_000 + number % 1000]
        .into_iter()
        .filter(|other| *other != number && (least..=largest).contains(other))
        .collect()
}

/// Texts of the same form that nobody else wrote. More than one where parts of a text are used on their own.
pub(super) fn fresh_texts(field: Field<'_>, text: &str) -> Vec<String> {
    match field.format() {
        Some("cbgen-fqdn") => match text.split_once('.') {
            Some((first, rest)) => vec![format!("{first}q7.{rest}"), format!("{first}.q7{rest}")],
            None => vec![format!("{text}q7")],
        },
        Some("cbgen-windows-file" | "cbgen-config-file") => match text.rsplit_once('.') {
            Some((stem, extension)) => vec![format!("{stem}q7.{extension}")],
            None => vec![format!("{text}q7")],
        },
        Some("cbgen-http-url" | "cbgen-https-url") => match text.split_once("://") {
            Some((scheme, rest)) => vec![format!("{scheme}://q7.{rest}"), format!("{text}/q7")],
            None => Vec::new(),
        },
        Some("cbgen-sql-server") => vec![format!("Q7{text}")],
        Some("cbgen-rabbitmq-version" | "cbgen-product-version" | "cbgen-dotnet-version") => {
            match text.rsplit_once('.') {
                Some((head, last)) => vec![format!(
                    "{head}.{}",
                    last.parse::<u32>().map_or(7, |last| last + 7)
                )],
                None => Vec::new(),
            }
        }
        Some("cbgen-date-time") => {
            // Another minute: `2026-12-05T22:00:00+01:00`.
            let minute = if text.cut(14..16) == "07" { "08" } else { "07" };
            vec![format!("{}{minute}{}", text.cut(..14), text.cut(16..))]
        }
        Some("cbgen-date") => {
            // Another day: `2027-01-31`.
            let day = if text.ends_with("15") { "16" } else { "15" };
            vec![format!("{}{day}", text.cut(..8))]
        }
        Some("cbgen-path-below") => vec!["elsewhere".to_owned()],
        Some("cbgen-version-range") => vec![">=0.1".to_owned()],
        Some(_) | None => {
            let longest = field.longest().unwrap_or(usize::MAX);
            let kept = text.chars().take(longest.saturating_sub(2));
            let small = text.contains(|letter: char| letter.is_ascii_lowercase());
            vec![kept.chain([if small { 'q' } else { 'Q' }, '7']).collect()]
        }
    }
}

fn set(root: &mut Value, pointer: &str, value: Value) {
    let mut place = root;
    for segment in pointer.split('/').skip(1).map(super::value::unescape) {
        if let Value::Array(items) = place {
            let Some(item) = segment.parse().ok().and_then(|index: usize| items.get_mut(index)) else {
                return;
            };
            place = item;
        } else {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(entries) = place else { return };
            place = entries.entry(segment).or_insert(Value::Null);
        }
    }
    *place = value;
}

fn remove(root: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    match root.pointer_mut(parent) {
        Some(Value::Object(entries)) => {
            entries.shift_remove(&super::value::unescape(key));
        }
        Some(Value::Array(items)) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::scalars;

    fn check(format: &str, text: &str) {
        let schema = serde_json::json!({ "type": "string", "format": format });
        let form = scalars::find(format).expect("a form");
        for other in fresh_texts(Field::new(&schema), text) {
            assert_eq!(form(&other), Ok(()), "{format}: {other}");
            assert_ne!(other, text);
        }
    }

    #[test]
    fn other_texts_keep_their_form() {
        // Versions with a meaning are replaced by others with one.
        let named = ["cbgen-product-version", "cbgen-dotnet-version"];
        for (format, _, example) in scalars::FORMS
            .iter()
            .filter(|(format, ..)| !named.contains(format))
        {
            check(format, example);
        }
    }

    #[test]
    fn values_are_set_and_removed_by_pointer() {
        let mut value = serde_json::json!({ "a": { "b": [1, 2] } });
        set(&mut value, "/a/b/1", 3.into());
        set(&mut value, "/c/d", true.into());
        remove(&mut value, "/a/b/0");
        assert_eq!(
            value,
            serde_json::json!({ "a": { "b": [3] }, "c": { "d": true } })
        );
        remove(&mut value, "/c");
        remove(&mut value, "/x/y");
        assert_eq!(value, serde_json::json!({ "a": { "b": [3] } }));
    }
}
