//! What an edit sets, as key, old and new value, for people who do it by hand.
//!
//! The values come from the text of the edit as the reader of its format reads it, so they are those that a machine
//! sets. This file must not know steps.

use std::sync::Arc;

use crate::contract::runbook::Value;
use crate::formats::edits::{EditKind, Edits};
use crate::formats::{FactPath, Form, Format, Item, Step};

/// The values of an edit, in its order. A text its format refuses has none: the build stops at it anyway.
pub(super) fn values(format: Format, text: &str) -> Vec<Value> {
    let Some(Ok(edits)) = EditKind::of(format).map(|kind| Edits::read(kind, text)) else {
        return Vec::new();
    };
    match edits {
        Edits::Xdt(_) => xml(&edits.items()),
        Edits::YamlLines(_) | Edits::JsonKeys(_) | Edits::IniLines(_) => {
            let items = edits.items().into_iter().map(|item| Value {
                key: FactPath::of(item.path.steps().iter().map(|step| &step.name)).to_string(),
                old: None,
                new: Some(item.value),
            });
            items.collect()
        }
        Edits::Terms(edits) => {
            let terms = edits.into_iter().map(|edit| Value {
                key: format!("{}{}", edit.key(), if edit.all { ", all" } else { "" }),
                old: edit.contains.map(|part| format!("a value with {part:?} in it")),
                new: Some(edit.value.to_string()),
            });
            terms.collect()
        }
        Edits::References(references) => {
            let rewrites = references.rewrites.into_iter().map(|rewrite| Value {
                key: format!("every address with port {}", rewrite.port),
                old: Some(format!("http://…:{}", rewrite.port)),
                new: Some(rewrite.to),
            });
            rewrites.collect()
        }
    }
}

/// What a transform does to one element.
#[derive(Default)]
struct Element<'a> {
    path: &'a [Arc<Step>],
    transform: Option<&'a str>,
    locator: Option<&'a str>,
    /// Attributes, and the text under the name of nothing.
    own: Vec<(&'a str, &'a str)>,
}

/// Elements that a transform changes, with the attributes it sets; below a whole element that is put in, everything.
fn xml(items: &[Item]) -> Vec<Value> {
    let mut elements: Vec<Element<'_>> = Vec::new();
    for item in items {
        let (path, name) = match item.path.steps() {
            [path @ .., last] if last.form == Form::Attribute => (path, last.name.as_str()),
            [path @ .., last] if last.form == Form::Content => (path, ""),
            path => (path, ""),
        };
        if elements.last().is_none_or(|last| last.path != path) {
            elements.push(Element {
                path,
                ..Element::default()
            });
        }
        let Some(element) = elements.last_mut() else {
            continue;
        };
        match name {
            "xdt:Transform" => element.transform = Some(&item.value),
            "xdt:Locator" => element.locator = Some(&item.value),
            name => element.own.push((name, &item.value)),
        }
    }
    let mut values = Vec::new();
    let mut whole: Option<&[Arc<Step>]> = None;
    for element in &elements {
        if whole.is_some_and(|whole| element.path.len() > whole.len() && element.path.starts_with(whole)) {
            values.extend(element.own.iter().map(|(name, value)| set(element, name, value)));
            continue;
        }
        whole = None;
        let Some(transform) = element.transform else {
            continue;
        };
        let (verb, names) = transform.split_once('(').unwrap_or((transform, ""));
        let names: Vec<&str> = names.trim_end_matches(')').split(',').map(str::trim).collect();
        match verb {
            "SetAttributes" => {
                let matched = element.locator.unwrap_or_default();
                let is_set = |name: &str| {
                    names.contains(&name)
                        || names == [""] && !matched.contains(&format!("({name})")) && !name.is_empty()
                };
                let own = element.own.iter().filter(|(name, _)| is_set(name));
                values.extend(own.map(|(name, value)| set(element, name, value)));
            }
            "Remove" | "RemoveAll" => values.push(Value {
                key: shown(element.path),
                old: Some("the element, if it is there".into()),
                new: None,
            }),
            "RemoveAttributes" => values.extend(names.iter().map(|name| Value {
                key: format!("{}, attribute {name}", shown(element.path)),
                old: None,
                new: None,
            })),
            _ => {
                whole = Some(element.path);
                values.push(Value {
                    key: shown(element.path),
                    old: None,
                    new: Some(
                        match verb {
                            "Replace" => "the element of the bundle's file, whole",
                            "InsertIfMissing" => "the element, where there is none yet",
                            _ => "the element of the bundle's file, added",
                        }
                        .into(),
                    ),
                });
                let own = element.own.iter();
                values.extend(own.map(|(name, value)| set(element, name, value)));
            }
        }
    }
    // A whole element that is one text or one attribute is said by that alone.
    let mut kept: Vec<Value> = Vec::new();
    for value in values {
        if kept
            .last()
            .is_some_and(|last| last.key == value.key && last.old == value.old)
        {
            kept.pop();
        }
        kept.push(value);
    }
    kept
}

fn set(element: &Element<'_>, name: &str, value: &str) -> Value {
    let key = if name.is_empty() {
        shown(element.path)
    } else {
        format!("{}, attribute {name}", shown(element.path))
    };
    Value {
        key,
        old: None,
        new: Some(value.to_owned()),
    }
}

/// `setting[name]` for an element that an `XPath` finds by its name: the path of elements stands before it anyway.
fn shown(path: &[Arc<Step>]) -> String {
    let steps = path.iter().map(|step| {
        let key = step.key.as_deref();
        let test = key
            .filter(|key| key.starts_with('/'))
            .and_then(|key| Some(key.rsplit_once("[@")?.1));
        let found = test.map(|test| test.trim_end_matches(']').replace('\'', ""));
        Step {
            key: found.or_else(|| step.key.clone()),
            ordinal: None,
            ..Step::clone(step)
        }
    });
    steps.collect::<FactPath>().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, text: &str, expected: &[(&str, Option<&str>, Option<&str>)]) {
        let found = values(format, text);
        let found: Vec<(&str, Option<&str>, Option<&str>)> = found
            .iter()
            .map(|value| (value.key.as_str(), value.old.as_deref(), value.new.as_deref()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn attributes_and_texts_that_a_transform_sets() {
        check(
            Format::Xdt,
            r#"<configuration xmlns:xdt="http://schemas.microsoft.com/XML-Document-Transform">
  <appSettings>
    <add key="A" value="http://x/" xdt:Locator="Match(key)" xdt:Transform="SetAttributes(value)" />
  </appSettings>
  <applicationSettings>
    <setting name="B" xdt:Locator="XPath(/configuration/applicationSettings/*/setting[@name='B'])">
      <value xdt:Transform="Replace">http://y/</value>
    </setting>
  </applicationSettings>
</configuration>
"#,
            &[
                (
                    "configuration > appSettings > add[key=A], attribute value",
                    None,
                    Some("http://x/"),
                ),
                (
                    "configuration > applicationSettings > setting[name=B] > value",
                    None,
                    Some("http://y/"),
                ),
            ],
        );
    }

    #[test]
    fn whole_elements_are_listed_with_what_is_in_them() {
        check(
            Format::Xdt,
            r#"<?xml version="1.0" encoding="utf-8"?>
<configuration xmlns:xdt="http://schemas.microsoft.com/XML-Document-Transform">
  <system.webServer>
    <httpProtocol xdt:Transform="InsertIfMissing" />
    <httpProtocol>
      <customHeaders xdt:Transform="InsertIfMissing" />
    </httpProtocol>
    <httpProtocol>
      <customHeaders>
        <add name="X-Frame-Options" xdt:Locator="Match(name)" xdt:Transform="Remove" />
        <remove name="X-Frame-Options" xdt:Locator="Match(name)" xdt:Transform="InsertIfMissing" />
        <add name="X-Frame-Options" value="DENY" xdt:Transform="Insert" />
      </customHeaders>
    </httpProtocol>
  </system.webServer>
</configuration>
"#,
            &[
                (
                    "configuration > system.webServer > httpProtocol",
                    None,
                    Some("the element, where there is none yet"),
                ),
                (
                    "configuration > system.webServer > httpProtocol > customHeaders",
                    None,
                    Some("the element, where there is none yet"),
                ),
                (
                    "configuration > system.webServer > httpProtocol > customHeaders > add[name=X-Frame-Options]",
                    Some("the element, if it is there"),
                    None,
                ),
                (
                    "configuration > system.webServer > httpProtocol > customHeaders > remove[name=X-Frame-Options]",
                    None,
                    Some("the element, where there is none yet"),
                ),
                (
                    "configuration > system.webServer > httpProtocol > customHeaders > remove[name=X-Frame-Options], attribute name",
                    None,
                    Some("X-Frame-Options"),
                ),
                (
                    "configuration > system.webServer > httpProtocol > customHeaders > add[name=X-Frame-Options]",
                    None,
                    Some("the element of the bundle's file, added"),
                ),
                (
                    "configuration > system.webServer > httpProtocol > customHeaders > add[name=X-Frame-Options], attribute name",
                    None,
                    Some("X-Frame-Options"),
                ),
                (
                    "configuration > system.webServer > httpProtocol > customHeaders > add[name=X-Frame-Options], attribute value",
                    None,
                    Some("DENY"),
                ),
            ],
        );
    }

    #[test]
    fn terms_lines_and_addresses() {
        check(
            Format::Erlang,
            "[\n  {set, [auth_api_url], \"http://127.0.0.1:2800\"}\n].\n",
            &[("auth_api_url", None, Some("\"http://127.0.0.1:2800\""))],
        );
        check(
            Format::Yaml,
            ":host: '127.0.0.1'\n",
            &[(":host", None, Some("127.0.0.1"))],
        );
        check(
            Format::JsReferences,
            "{\n  \"rewrites\": [\n    {\"port\": 2800, \"to\": \"https://c.example/auth\"}\n  ],\n  \"boundary\": \"not-a-digit\",\n  \"when_absent\": \"report\"\n}\n",
            &[(
                "every address with port 2800",
                Some("http://…:2800"),
                Some("https://c.example/auth"),
            )],
        );
        check(
            Format::Json,
            "{ \"rabbitConfig\": { \"port\": 5671, \"a/b\": 1 } }\n",
            &[
                ("rabbitConfig > port", None, Some("5671")),
                ("rabbitConfig > a/b", None, Some("1")),
            ],
        );
    }
}
