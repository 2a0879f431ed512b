//! The schemas editors read: what a single file can know about itself, as far as JSON Schema goes.
//!
//! Derived from the schema of the types, which cbgen itself uses after the layers are merged: a file that extends others, and
//! a layer, may leave out what another file has. Everything here must be looser than cbgen, or equal: an editor never
//! refuses what cbgen takes. This file must not know places or messages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::model::{Inventory, Server};
use super::project::Project;
use super::schema::Schema;

/// Forms of texts as patterns, for editors that know no form of cbgen.
const PATTERNS: &[(&str, &str)] = &[
    (
        "cbgen-fqdn",
        r"^(?!.*\.\d+$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
    ),
    (
        "cbgen-host-name",
        r"^(?!\d+$)(?!([Cc][Oo][Nn]|[Pp][Rr][Nn]|[Aa][Uu][Xx]|[Nn][Uu][Ll])$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$",
    ),
    ("cbgen-secret-name", r"[^A-Z0-9]"),
    (
        "cbgen-windows-folder",
        r"^[A-Za-z]:(\\[A-Za-z0-9._()\-,=@~+][A-Za-z0-9._()\-,=@~+ ]*(?<![. ]))+$",
    ),
    (
        "cbgen-windows-file",
        r"^[A-Za-z]:(\\[A-Za-z0-9._()\-,=@~+][A-Za-z0-9._()\-,=@~+ ]*(?<![. ]))+$",
    ),
    (
        "cbgen-product-version",
        r"^(9\.([2-9]|[1-9]\d+)|[1-9]\d+\.(0|[1-9]\d*))\.(0|[1-9]\d*)$",
    ),
    (
        "cbgen-rabbitmq-version",
        r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$",
    ),
    (
        "cbgen-dotnet-version",
        r"^(0|[1-9]\d*)\.(0|[1-9]\d*)(\.(0|[1-9]\d*))?$",
    ),
    (
        "cbgen-sql-server",
        r"^(?!([Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|\.|\(.*)$)[A-Za-z0-9][A-Za-z0-9.-]*(\\[A-Za-z_][A-Za-z0-9_]*)?(,[1-9]\d{0,4})?$",
    ),
    (
        "cbgen-sql-table",
        r"^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$",
    ),
    (
        "cbgen-date-time",
        r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$",
    ),
    ("cbgen-date", r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"),
    (
        "cbgen-http-url",
        r"^https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[1-9]\d{0,4})?([/?][!-~]*)?$",
    ),
    (
        "cbgen-https-url",
        r"^https://[A-Za-z0-9][A-Za-z0-9.-]*(:[1-9]\d{0,4})?([/?][!-~]*)?$",
    ),
    ("cbgen-config-file", r"\.config$"),
    (
        "cbgen-path-below",
        r"^(?![/\\])(?!.:)(?!(.*[/\\])?\.\.([/\\]|$)).+$",
    ),
    (
        "cbgen-version-range",
        r"^[\^~=<>*0-9xX][\^~=<>*0-9A-Za-z.,+\- ]*$",
    ),
];

/// Keys of a server that are its own and cannot be shared.
const OF_ONE_SERVER: [&str; 3] = ["name", "fqdn", "roles"];

impl Schema {
    /// The schema of inventories: complete without `extends`, with it as far as the file goes.
    pub fn json() -> Value {
        let (mut schema, mut then) = loosened();
        insert(&mut schema, "$id", "urn:cbgen:schema:inventory:v1".into());
        insert(&mut schema, "title", "cbgen inventory".into());
        insert(&mut schema, "allOf", own_rules());
        insert(&mut schema, "if", json!({ "not": { "required": ["extends"] } }));
        insert(&mut then, "allOf", whole_rules());
        insert(&mut schema, "then", then);
        schema
    }

    /// The schema of layers: nothing is required.
    pub fn layer() -> Value {
        let (mut schema, _) = loosened();
        insert(&mut schema, "$id", "urn:cbgen:schema:layer:v1".into());
        insert(&mut schema, "title", "Layer of a cbgen inventory".into());
        schema
    }

    /// The schema of the project file.
    pub fn project() -> Value {
        let mut schema = schemars::schema_for!(Project).to_value();
        insert(&mut schema, "$id", "urn:cbgen:schema:project:v1".into());
        insert(&mut schema, "title", "cbgen project file".into());
        finish(&mut schema);
        schema
    }

    /// The schema cbgen checks merged inventories with: that of the types, with the keys that are gone or expanded before typed
    /// data is made.
    pub fn merged() -> Value {
        let mut schema = schemars::schema_for!(Inventory).to_value();
        if let Some(properties) = schema.get_mut("properties") {
            insert(properties, "extends", extends());
            insert(properties, "defaults", defaults());
        }
        schema
    }
}

/// Without `defaults`, each server says everything itself.
fn unshared() -> Value {
    let keys = Schema::merged()
        .pointer("/$defs/Server/required")
        .and_then(Value::as_array)
        .map(|keys| {
            let shared = keys
                .iter()
                .filter(|key| key.as_str().is_some_and(|key| !OF_ONE_SERVER.contains(&key)));
            shared.cloned().collect::<Vec<_>>()
        })
        .expect("servers have keys that are required");
    json!({
        "if": { "not": { "required": ["defaults"] } },
        "then": { "properties": { "servers": { "items": { "required": keys } } } }
    })
}

fn extends() -> Value {
    json!({
        "description": "Files this one builds on, relative to this file: a name or a list. Later ones and this file win; \
            mappings merge key by key, everything else replaces.",
        "examples": ["shared/base.yaml"],
        "oneOf": [
            { "type": "string", "minLength": 1 },
            { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1, "uniqueItems": true }
        ]
    })
}

/// What servers may share: every key of a server but its own names and roles.
fn defaults() -> Value {
    let mut server = schemars::schema_for!(Server).to_value();
    // Definitions are the inventory's own, by the same names.
    if let Some(object) = server.as_object_mut() {
        for key in ["$schema", "title", "$defs", "required"] {
            object.shift_remove(key);
        }
        if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
            for key in OF_ONE_SERVER {
                properties.shift_remove(key);
            }
        }
    }
    let of = |what: &str| {
        let mut shared = server.clone();
        insert(&mut shared, "description", what.into());
        shared
    };
    json!({
        "description": "What servers share: `all`, or those with a role. A server's own keys win, then those of its role, \
            then `all`; mappings merge key by key.",
        "type": "object",
        "additionalProperties": false,
        "examples": [{ "all": { "windows": 2016, "dotnet": "4.7.1" } }],
        "properties": {
            "all": of("What every server has."),
            "core": of("What servers with the role core have."),
            "management": of("What servers with the role management have.")
        }
    })
}

/// The merged schema without required keys where layers merge, and those keys as rules of their own.
fn loosened() -> (Value, Value) {
    let mut schema = Schema::merged();
    let mut merging = BTreeSet::new();
    let definitions = schema.get("$defs").cloned().expect("a schema has definitions");
    reachable(&schema, &definitions, &mut merging);
    let required = rules(&schema, &definitions);
    // Servers are a list, which no layer merges; but what they share may stand in `defaults`, here or in a layer.
    if let Some(keys) = schema
        .pointer_mut("/$defs/Server/required")
        .and_then(Value::as_array_mut)
    {
        keys.retain(|key| key.as_str().is_some_and(|key| OF_ONE_SERVER.contains(&key)));
    }
    let strip = |value: Option<&mut Value>| {
        if let Some(object) = value.and_then(Value::as_object_mut) {
            object.shift_remove("required");
        }
    };
    strip(Some(&mut schema));
    for name in &merging {
        strip(schema.pointer_mut(&format!("/$defs/{name}")));
    }
    for (name, rule) in file_rules() {
        if let Some(definition) = schema.pointer_mut(&format!("/$defs/{name}")) {
            insert(definition, "allOf", rule);
        }
    }
    finish(&mut schema);
    (schema, required)
}

/// Names of the definitions that are merged key by key: those that no list stands before.
fn reachable(schema: &Value, definitions: &Value, found: &mut BTreeSet<String>) {
    for name in properties(schema).values().flat_map(|field| references(field)) {
        if found.insert(name.clone())
            && let Some(definition) = definitions.get(&name)
        {
            reachable(definition, definitions, found);
        }
    }
}

fn properties(schema: &Value) -> BTreeMap<&String, &Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().collect()
}

/// Definitions a field is: by reference, or by reference beside null.
fn references(field: &Value) -> Vec<String> {
    let of = |value: &Value| {
        let reference = value.get("$ref")?.as_str()?;
        Some(reference.strip_prefix("#/$defs/")?.to_owned())
    };
    let branches = field.get("anyOf").and_then(Value::as_array);
    of(field)
        .into_iter()
        .chain(branches.into_iter().flatten().filter_map(of))
        .collect()
}

/// Required keys as a schema of their own, down to every section.
fn rules(schema: &Value, definitions: &Value) -> Value {
    let mut rule = Map::new();
    if let Some(required) = schema.get("required") {
        rule.insert("required".into(), required.clone());
    }
    let mut sections = Map::new();
    for (key, field) in properties(schema) {
        for name in references(field) {
            let Some(definition) = definitions.get(&name) else {
                continue;
            };
            let inner = rules(definition, definitions);
            if inner.as_object().is_some_and(|inner| !inner.is_empty()) {
                sections.insert(key.clone(), inner);
            }
        }
    }
    if !sections.is_empty() {
        rule.insert("properties".into(), Value::Object(sections));
    }
    Value::Object(rule)
}

fn insert(schema: &mut Value, key: &str, value: Value) {
    let object = schema.as_object_mut().expect("a schema is an object");
    object.insert(key.to_owned(), value);
}

/// Rules of one section that hold in every file.
fn file_rules() -> [(&'static str, Value); 6] {
    let one_login = json!([{
        "not": {
            "required": ["common_name", "subject"],
            "properties": { "common_name": { "type": "string" }, "subject": { "type": "string" } }
        }
    }]);
    [
        (
            "RabbitMq",
            json!([one_login.get(0), { "not": { "required": ["port"], "properties": { "port": { "const": 5672 } } } }]),
        ),
        ("ServerRabbitMq", one_login),
        (
            "Proxy",
            json!([
                { "not": { "required": ["https_port"], "properties": { "https_port": { "const": 80 } } } },
            { "not": { "required": ["http_port"], "properties": { "http_port": { "const": 80 } } } },
                { "properties": { "tls_protocols": { "contains": { "const": "TLSv1.2" }, "uniqueItems": true }, "aliases": { "uniqueItems": true } } }
            ]),
        ),
        (
            "PortRange",
            json!([{ "properties": { "count": { "minimum": 1000 } } }]),
        ),
        (
            "Ole",
            json!([
                { "if": { "required": ["authentication"], "properties": { "authentication": { "const": "windows" } } },
                  "then": { "not": { "anyOf": [
                      { "required": ["user"], "properties": { "user": { "type": "string" } } },
                      { "required": ["password"], "properties": { "password": { "type": "object" } } }
                  ] } } }
            ]),
        ),
        (
            "Sql",
            json!([
                { "if": { "required": ["access"], "properties": { "access": { "contains": { "const": "ole" } } } },
                  "then": { "properties": { "access": { "contains": { "const": "odbc" } } } } }
            ]),
        ),
    ]
}

/// Rules over several sections that hold in every inventory that writes them: its own lists and values are the last ones.
fn own_rules() -> Value {
    let with_role = |role: &str| {
        json!({ "properties": { "servers": { "contains": {
            "type": "object", "required": ["roles"], "properties": { "roles": { "contains": { "const": role } } }
        } } } })
    };
    let windows_of = |release: u16, windows: Value| {
        let windows = json!({ "items": { "properties": { "windows": { "enum": windows } } } });
        json!({
            "if": { "required": ["sql"], "properties": { "sql": { "required": ["version"], "properties": { "version": { "const": release } } } } },
            "then": { "properties": { "servers": windows } }
        })
    };
    json!([
        with_role("core"),
        with_role("management"),
        windows_of(2012, json!([2012, "2012r2"])),
        windows_of(2016, json!([2016])),
        { "if": { "required": ["rabbitmq"], "properties": { "rabbitmq": { "type": "object" } } },
          "then": { "properties": { "product": {
              "properties": { "high_availability": { "const": true }, "agent_priority": { "const": false } }
          } } } },
        { "if": { "required": ["sql"], "properties": { "sql": {
              "required": ["access"], "properties": { "access": { "not": { "contains": { "const": "ole" } } } } } } },
          "then": { "properties": { "sql": { "properties": { "ole": { "type": "null" } } } } } }
    ])
}

/// Rules over several sections, for a file that is the whole inventory.
fn whole_rules() -> Value {
    json!([
        { "properties": { "product": { "required": ["core_monitor_root"] } } },
        { "if": { "properties": { "sql": { "required": ["access"], "properties": { "access": { "contains": { "const": "ole" } } } } } },
          "then": { "properties": { "sql": { "required": ["ole"], "properties": { "ole": { "type": "object" } } } } } },
        { "properties": { "sql": { "properties": { "ole": {
            "if": { "type": "object", "required": ["authentication"], "properties": { "authentication": { "const": "sql" } } },
            "then": { "required": ["user", "password"] }
        } } } } },
        unshared()
    ])
}

/// Patterns for every form, and no form an editor does not know.
fn finish(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(form)) = object.get("format").cloned()
                && let Some((_, pattern)) = PATTERNS.iter().find(|(known, _)| *known == form)
            {
                if object.contains_key("pattern") {
                    object.insert("allOf".into(), json!([{ "pattern": pattern }]));
                } else {
                    object.insert("pattern".into(), (*pattern).into());
                }
            }
            object.values_mut().for_each(finish);
        }
        Value::Array(items) => items.iter_mut().for_each(finish),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::scalars;
    use super::*;

    /// The patterns with what the tests' own engine lacks; the editors' engine is asked by an integration test.
    fn fits(pattern: &str, text: &str) -> bool {
        let schema = json!({ "type": "string", "pattern": pattern });
        jsonschema::validator_for(&schema).unwrap().is_valid(&json!(text))
    }

    #[test]
    fn every_form_has_a_pattern_its_example_fits() {
        for (form, _, example) in scalars::FORMS {
            let (_, pattern) = PATTERNS
                .iter()
                .find(|(known, _)| known == form)
                .unwrap_or_else(|| panic!("{form}"));
            assert!(fits(pattern, example), "{form}: {pattern}");
        }
        assert_eq!(PATTERNS.len(), scalars::FORMS.len());
    }

    proptest::proptest! {
        /// An editor never refuses what cbgen takes.
        #[test]
        fn a_pattern_is_never_stricter_than_its_form(
            index in 0..PATTERNS.len(),
            at in 0_usize..40,
            letter in "[A-Za-z0-9._ (),=@~+/:%?&-]{0,2}",
        ) {
            let (form, check, example) = scalars::FORMS[index];
            let mut text: Vec<char> = example.chars().collect();
            let at = at.min(text.len());
            text.splice(at..at, letter.chars());
            let text: String = text.into_iter().collect();
            // The age of a product has a code of its own.
            if check(&text).is_ok() && !(form == "cbgen-product-version" && scalars::product_version(&text).unwrap() < [9, 2, 0]) {
                let pattern = PATTERNS.iter().find(|(known, _)| *known == form).unwrap().1;
                proptest::prop_assert!(fits(pattern, &text), "{}: {}", form, text);
            }
        }
    }

    #[test]
    fn nothing_is_required_of_a_layer() {
        let layer = jsonschema::options().build(&Schema::layer()).unwrap();
        for text in [
            json!({}),
            json!({ "product": {} }),
            json!({ "sql": { "ole": { "password": {} } } }),
        ] {
            assert!(layer.is_valid(&text), "{text}");
        }
        let inventory = jsonschema::options().build(&Schema::json()).unwrap();
        assert!(!inventory.is_valid(&json!({})));
        assert!(inventory.is_valid(&json!({ "extends": "a.yaml" })));
        assert!(!inventory.is_valid(&json!({ "extends": "a.yaml", "bundel": {} })));
        // What servers share may stand elsewhere, what is their own may not.
        let lacks = |more: Value, server: Value| {
            let mut text = json!({ "servers": [server] });
            for (key, value) in more.as_object().unwrap() {
                text[key] = value.clone();
            }
            let at_server =
                |error: jsonschema::ValidationError<'_>| error.instance_path().as_str() == "/servers/0";
            inventory.iter_errors(&text).any(at_server)
        };
        let server = || json!({ "name": "A", "fqdn": "a.example", "roles": ["core"] });
        assert!(lacks(json!({}), server()));
        assert!(!lacks(json!({ "extends": "a.yaml" }), server()));
        assert!(!lacks(
            json!({ "defaults": { "all": { "windows": 2016 } } }),
            server()
        ));
        assert!(lacks(json!({ "extends": "a.yaml" }), json!({ "name": "A" })));
    }
}
