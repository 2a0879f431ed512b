//! What an inventory with mistakes could be: every wrong value replaced, in several ways.
//!
//! Checks that look at several values can then run whatever else is wrong: what they say in every way does not depend on the
//! values that were replaced. Nothing is ever compiled from it. This file must not know the checks.

use std::collections::BTreeSet;

use jsonschema::error::ValidationErrorKind as ValueKind;
use serde_json::{Map, Value};

use super::model::Inventory;
use super::schema::{Field, Schema};
use super::value::{Places, member, unescape};
use crate::diag::nearest;
use crate::formats::unseen::plain;
use crate::secrets::is_like_a_secret_name;

/// In how many ways wrong values are replaced: as many as the largest choice that checks look at.
const WAYS: u8 = 4;

/// Longest name of a server.
const LONGEST_NAME: usize = 15;

/// How often the repaired value is looked at again: a repair may bring out what a wrong type hid.
const ROUNDS: usize = 6;

/// An inventory that was refused, with every wrong value replaced.
#[derive(Clone, Debug)]
pub struct Salvaged {
    /// The inventory in each way.
    pub inventories: Vec<Inventory>,
    /// Where its values are written.
    pub places: Places,
    /// Pointers of the values that are wrong or missing.
    wrong: BTreeSet<String>,
}

impl Salvaged {
    /// Whether the value at a pointer is wrong or missing, or lies in one that is: what is said of it may follow from that.
    pub fn is_in_doubt(&self, pointer: &str) -> bool {
        let is_it = |wrong: &String| {
            let rest = pointer.strip_prefix(wrong.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.wrong.iter().any(is_it)
    }
}

/// Replaces what the schema refuses, and what was `refused` before it: there nothing is left. `None` when that leads
/// nowhere.
pub(super) fn salvage(
    schema: &Schema,
    value: &Value,
    refused: &BTreeSet<String>,
    places: Places,
) -> Option<Salvaged> {
    let inventories = (0..WAYS)
        .map(|way| repaired(schema, value.clone(), refused, way))
        .collect::<Option<Vec<Inventory>>>()?;
    let errors = schema.validator()?.iter_errors(value);
    let mut wrong: BTreeSet<String> = errors
        .filter_map(|error| Repair::of(&error))
        .flat_map(Repair::places)
        .collect();
    wrong.extend(refused.iter().cloned());
    Some(Salvaged {
        inventories,
        places,
        wrong,
    })
}

fn repaired(schema: &Schema, mut value: Value, refused: &BTreeSet<String>, way: u8) -> Option<Inventory> {
    let validator = schema.validator()?;
    for pointer in refused {
        Repair::Replace(pointer.clone()).apply(schema, &mut value, way);
    }
    for _ in 0..ROUNDS {
        let repairs: Vec<Repair> = validator
            .iter_errors(&value)
            .filter_map(|error| Repair::of(&error))
            .filter(|repair| way != 0 || !repair.is_of_a_name())
            .collect();
        if repairs.is_empty() {
            break;
        }
        // A key that was meant is there before it is missed; the rest from the end, so that no removed item moves another place.
        let (removals, rest): (Vec<_>, Vec<_>) = repairs
            .into_iter()
            .partition(|repair| matches!(repair, Repair::Remove(..)));
        for repair in removals.into_iter().chain(rest.into_iter().rev()) {
            repair.apply(schema, &mut value, way);
        }
    }
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("defaults");
    }
    super::from_value(value).ok()
}

/// A wrong name of a server as it was meant, perhaps: others name the server by what it should have been.
fn meant(name: &str) -> String {
    plain(name)
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .take(LONGEST_NAME)
        .collect()
}

/// The key that an unknown one was meant to be, perhaps: one that is nearly it, or for `pw` and the like the one that names a
/// secret.
fn key_meant<'s>(key: &str, section: Field<'s>) -> Option<&'s str> {
    let names_a_secret = |known: &&str| {
        let inner = section.property(known);
        inner.is_some_and(|inner| inner.property("secret").is_some())
    };
    nearest(key, section.keys()).or_else(|| {
        let mut keys = section.keys().filter(|_| is_like_a_secret_name(key));
        keys.find(names_a_secret)
    })
}

/// What is done about one error.
enum Repair {
    Remove(String, Vec<String>),
    Add(String, String),
    Replace(String),
}

impl Repair {
    /// Whether the name of a server is replaced. Others name the server by it: in one way it stays as it is, in another it
    /// becomes what was meant, so that nothing is said about those.
    fn is_of_a_name(&self) -> bool {
        let Self::Replace(pointer) = self else {
            return false;
        };
        pointer.starts_with("/servers/") && pointer.ends_with("/name") && pointer.matches('/').count() == 3
    }

    /// Pointers of the values it is about.
    fn places(self) -> Vec<String> {
        match self {
            Self::Remove(pointer, keys) => keys.iter().map(|key| member(&pointer, key)).collect(),
            Self::Add(pointer, key) => vec![member(&pointer, &key)],
            Self::Replace(pointer) => vec![pointer],
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
    fn of(error: &jsonschema::ValidationError<'_>) -> Option<Self> {
        let pointer = error.instance_path().as_str().to_owned();
        Some(match error.kind() {
            ValueKind::AdditionalProperties { unexpected } => Self::Remove(pointer, unexpected.clone()),
            ValueKind::PropertyNames { error } => {
                Self::Remove(pointer, vec![error.instance().as_str()?.to_owned()])
            }
            ValueKind::Required { property } => Self::Add(pointer, property.as_str()?.to_owned()),
            _ => Self::Replace(pointer),
        })
    }

    fn apply(self, schema: &Schema, root: &mut Value, way: u8) {
        let is_name = self.is_of_a_name();
        match self {
            Self::Replace(pointer) if is_name && way == 1 => {
                if let Some(Value::String(name)) = root.pointer_mut(&pointer) {
                    *name = meant(name);
                }
            }
            Self::Remove(pointer, keys) => {
                let field = schema.root().at(&pointer);
                if let Some(Value::Object(entries)) = root.pointer_mut(&pointer) {
                    for key in keys {
                        let value = entries.shift_remove(&key);
                        // A slip in a key: in one way it is not there, in the others it is the key that was meant.
                        let meant = field.and_then(|field| key_meant(&key, field));
                        if let (Some(value), Some(meant)) = (value, meant)
                            && way > 0
                            && !entries.contains_key(meant)
                        {
                            entries.insert(meant.to_owned(), value);
                        }
                    }
                }
            }
            Self::Add(pointer, key) => {
                let field = schema.root().at(&pointer).and_then(|field| field.property(&key));
                if let (Some(field), Some(Value::Object(entries))) = (field, root.pointer_mut(&pointer)) {
                    entries.entry(key).or_insert_with(|| stand_in(field, way));
                }
            }
            Self::Replace(pointer) => {
                let Some(field) = schema.root().at(&pointer) else {
                    return;
                };
                let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", ""));
                let optional = schema.root().at(parent).is_some_and(|section| {
                    section.property(&unescape(key)).is_some() && !section.requires(&unescape(key))
                });
                match root.pointer_mut(parent) {
                    Some(Value::Object(entries)) if optional && way == 0 => {
                        entries.shift_remove(&unescape(key));
                    }
                    _ => {
                        if let Some(place) = root.pointer_mut(&pointer) {
                            *place = stand_in(field, way);
                        }
                    }
                }
            }
        }
    }
}

/// A value that could stand in a field, another one in each way where there are several.
fn stand_in(field: Field<'_>, way: u8) -> Value {
    let choices: Vec<&Value> = field.named_choices().collect();
    if let Some(choice) = choices.get(usize::from(way) % choices.len().max(1)) {
        return (*choice).clone();
    }
    if field.takes("boolean") && !field.takes("string") {
        return Value::Bool(way.is_multiple_of(2));
    }
    if field.takes("integer") && !field.takes("string") {
        let (low, _) = field.range();
        let low = low.and_then(Value::as_u64).unwrap_or(0);
        return Value::from(low + u64::from(way));
    }
    if field.takes("array") && !field.takes("string") {
        let items = field.items().map(|items| stand_in(items, way));
        return Value::Array(items.into_iter().collect());
    }
    if field.takes("object") && !field.takes("string") {
        let keys = field.keys().filter(|key| field.requires(key));
        let entries = keys.filter_map(|key| Some((key.to_owned(), stand_in(field.property(key)?, way))));
        return Value::Object(entries.collect::<Map<String, Value>>());
    }
    let example = field
        .example()
        .cloned()
        .or_else(|| Some(super::scalars::example(field.format()?)?.into()))
        .unwrap_or_else(|| "q".into());
    match example.as_str() {
        Some(text) if way > 0 => {
            let mut fresh = super::alternatives::fresh_texts(field, text);
            fresh.pop().map_or_else(|| text.into(), Value::from)
        }
        _ => example,
    }
}
