//! The JSON Schema of inventories, compiled once.
//!
//! Two shapes of one schema: the published one, which editors read, and a flat one without references, in which every
//! field can be looked up while walking a tree and every validation error is direct. This module must not know places
//! or messages.

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use super::scalars;

/// The compiled schema. Build it once a run and share it.
#[derive(Debug)]
pub struct Schema {
    flat: Value,
    validator: Option<Validator>,
}

impl Default for Schema {
    fn default() -> Self {
        Self::new()
    }
}

impl Schema {
    /// Compiles the schema of inventories, as it is published.
    pub fn new() -> Self {
        Self::compile(&Self::merged())
    }

    /// Compiles the schema of another document that is written in the same YAML.
    pub fn of<T: schemars::JsonSchema>() -> Self {
        Self::compile(&schemars::schema_for!(T).to_value())
    }

    fn compile(published: &Value) -> Self {
        let definitions = published.get("$defs").cloned().unwrap_or(Value::Null);
        let mut flat = flatten(published, &definitions, 0);
        if let Some(object) = flat.as_object_mut() {
            object.remove("$defs");
            if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
                // Layers are merged before validation, so the key is gone by then.
                properties.shift_remove("extends");
            }
        }
        let mut options = jsonschema::options()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex())
            .offline();
        for (name, form, _) in scalars::FORMS {
            options = options.with_format(*name, move |text: &str| form(text).is_ok());
        }
        // Without one every inventory is refused (CB0214), the first one of a test too.
        let validator = options.build(&flat).ok();
        Self { flat, validator }
    }

    pub(super) fn validator(&self) -> Option<&Validator> {
        self.validator.as_ref()
    }

    /// The flat schema of the whole inventory.
    pub(super) fn root(&self) -> Field<'_> {
        Field(&self.flat)
    }
}

/// The flat schema of one value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a>(&'a Value);

impl<'a> Field<'a> {
    /// A field with this schema.
    #[cfg(test)]
    pub(super) fn new(schema: &'a Value) -> Self {
        Self(schema)
    }

    /// The schema of a key; in an open mapping every key has one.
    pub(super) fn property(self, key: &str) -> Option<Self> {
        let known = self
            .0
            .get("properties")
            .and_then(|properties| properties.get(key));
        let open = || {
            self.0
                .get("additionalProperties")
                .filter(|rest| **rest != Value::Bool(false))
        };
        known.or_else(open).map(Field)
    }

    /// The schema of list items.
    pub(super) fn items(self) -> Option<Self> {
        self.0.get("items").filter(|items| items.is_object()).map(Field)
    }

    /// The schema at a JSON pointer.
    pub(super) fn at(self, pointer: &str) -> Option<Self> {
        pointer.split('/').skip(1).try_fold(self, |field, segment| {
            field
                .property(&super::value::unescape(segment))
                .or_else(|| field.items())
        })
    }

    /// Known keys of a mapping.
    pub(super) fn keys(self) -> impl Iterator<Item = &'a str> {
        self.0
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|properties| properties.keys().map(String::as_str))
    }

    /// Whether a value of this JSON type can fit. A field without a schema takes everything.
    pub(super) fn takes(self, kind: &str) -> bool {
        let is_it = |one: &Value| one == kind || kind == "integer" && one == "number";
        let named = |types: &Value| match types.as_array() {
            Some(many) => many.iter().any(is_it),
            None => is_it(types),
        };
        let by_type = self.0.get("type").map(named);
        let by_choice = self.choices().map(|mut choices| {
            choices.any(|choice| match choice {
                Value::Null => kind == "null",
                Value::Bool(_) => kind == "boolean",
                Value::Number(_) => kind == "integer",
                Value::String(_) => kind == "string",
                Value::Array(_) => kind == "array",
                Value::Object(_) => kind == "object",
            })
        });
        by_type.or(by_choice).unwrap_or(true)
    }

    /// The possible values of a choice.
    pub(super) fn choices(self) -> Option<impl Iterator<Item = &'a Value>> {
        self.0.get("enum").and_then(Value::as_array).map(|all| all.iter())
    }

    /// Its possible values but null; none where others are possible too.
    pub(super) fn named_choices(self) -> impl Iterator<Item = &'a Value> {
        let choices = self.choices().into_iter().flatten();
        choices.filter(|choice| !choice.is_null())
    }

    /// Whether a mapping must have this key.
    pub(super) fn requires(self, key: &str) -> bool {
        let required = self.0.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|name| name == key))
    }

    /// A fact about its choices.
    pub(super) fn note(self) -> Option<&'a str> {
        self.0.get("x-note")?.as_str()
    }

    /// The name of the form of a text.
    pub(super) fn format(self) -> Option<&'a str> {
        self.0.get("format")?.as_str()
    }

    /// The most letters of a text.
    pub(super) fn longest(self) -> Option<usize> {
        usize::try_from(self.0.get("maxLength")?.as_u64()?).ok()
    }

    /// Smallest and largest number.
    pub(super) fn range(self) -> (Option<&'a Value>, Option<&'a Value>) {
        (self.0.get("minimum"), self.0.get("maximum"))
    }

    /// The documentation an author sees, first sentence only.
    pub(super) fn summary(self) -> Option<&'a str> {
        let text = self.0.get("description")?.as_str()?;
        let line = text.lines().next().unwrap_or(text);
        Some(
            line.split_once(". ")
                .map_or(line, |(first, _)| first)
                .trim_end_matches('.'),
        )
    }

    /// A value that could stand here.
    pub(super) fn example(self) -> Option<&'a Value> {
        self.0.get("examples")?.as_array()?.first()
    }
}

/// Deepest reference; the model has no recursive type.
const MAX_REFERENCES: usize = 32;

/// Resolves references, turns documented choices into plain ones and `T or null` into a type that allows null.
fn flatten(schema: &Value, definitions: &Value, depth: usize) -> Value {
    if depth > MAX_REFERENCES {
        return Value::Bool(true);
    }
    match schema {
        Value::Object(object) => flatten_object(object, definitions, depth),
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| flatten(item, definitions, depth + 1))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

fn flatten_object(object: &Map<String, Value>, definitions: &Value, depth: usize) -> Value {
    let mut flat = Map::new();
    if let Some(name) = object
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix("#/$defs/"))
        && let Some(Value::Object(target)) = definitions.get(name)
        && let Value::Object(resolved) = flatten_object(target, definitions, depth + 1)
    {
        flat.extend(resolved);
    }
    for (key, value) in object {
        match key.as_str() {
            "$ref" | "$defs" | "default" => {}
            "examples" | "enum" | "const" => {
                flat.insert(key.clone(), value.clone());
            }
            "oneOf" | "anyOf" => match combine(value, definitions, depth) {
                Some(combined) => flat.extend(combined),
                None => {
                    flat.insert(key.clone(), flatten(value, definitions, depth + 1));
                }
            },
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let flattened =
                    properties.map(|(name, field)| (name.clone(), flatten(field, definitions, depth + 1)));
                flat.insert(key.clone(), Value::Object(flattened.collect()));
            }
            _ => {
                flat.insert(key.clone(), flatten(value, definitions, depth + 1));
            }
        }
    }
    Value::Object(flat)
}

/// `oneOf: [{const: a}, …]` as a choice; `anyOf: [T, null]` as T that allows null.
fn combine(branches: &Value, definitions: &Value, depth: usize) -> Option<Map<String, Value>> {
    let branches: Vec<Map<String, Value>> = branches
        .as_array()?
        .iter()
        .map(|branch| flatten(branch, definitions, depth + 1).as_object().cloned())
        .collect::<Option<_>>()?;
    let choices: Option<Vec<Value>> = branches
        .iter()
        .map(|branch| branch.get("const").cloned())
        .collect();
    if let Some(choices) = choices {
        return Some(Map::from_iter([("enum".to_owned(), Value::Array(choices))]));
    }
    let is_null = |branch: &Map<String, Value>| branch.get("type").is_some_and(|kind| kind == "null");
    let mut values = branches.iter().filter(|branch| !is_null(branch));
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let mut value = value.clone();
    if branches.iter().any(is_null) {
        if let Some(Value::Array(choices)) = value.get_mut("enum") {
            choices.push(Value::Null);
        }
        if let Some(kind) = value.get_mut("type")
            && kind.is_string()
        {
            *kind = Value::Array(vec![kind.clone(), "null".into()]);
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_compiles_and_is_flat() {
        let schema = Schema::new();
        assert!(schema.validator().is_some());
        let text = schema.flat.to_string();
        for leftover in ["$ref", "anyOf", "oneOf", "allOf"] {
            assert!(!text.contains(&format!("\"{leftover}\"")), "{leftover}");
        }
    }

    #[test]
    fn every_format_of_the_schema_is_a_form_and_every_form_is_used() {
        let text = format!("{}{}", Schema::new().flat, Schema::project());
        for (name, ..) in scalars::FORMS {
            assert!(text.contains(&format!("\"{name}\"")), "{name} is not used");
        }
        for part in text.split("\"format\":\"").skip(1) {
            let name = part.split('"').next().unwrap_or_default();
            assert!(
                scalars::find(name).is_some() || name.starts_with("uint"),
                "`{name}` is not a form"
            );
        }
    }

    #[test]
    fn every_required_key_has_an_example_for_its_message() {
        fn walk(field: Field<'_>, path: &str) {
            let required = field.0.get("required").and_then(Value::as_array);
            for key in required.into_iter().flatten().filter_map(Value::as_str) {
                let example = field.property(key).and_then(Field::example);
                assert!(example.is_some(), "{path}.{key} has no example");
            }
            for key in field.keys() {
                walk(field.property(key).expect("listed"), &format!("{path}.{key}"));
            }
            if let Some(items) = field.items() {
                walk(items, &format!("{path}[]"));
            }
        }
        walk(Schema::new().root(), "");
    }
}
