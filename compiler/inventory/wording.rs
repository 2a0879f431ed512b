//! Values and types in messages: how they are shown, and what is never shown.
//!
//! This module must not know places, diagnostics or validation.

use serde_json::Value;

use super::may_hold_secret;
use super::plain::{Plain, classify};
use super::scalars::shorten;
use super::schema::Field;
use crate::diag::one_of;

/// A value with its kind, as a clause.
pub(super) fn found(pointer: &str, value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) if is_secret(pointer) || may_hold_secret(text) => "a text".to_owned(),
        Value::String(text) => format!("the text `{}`", shorten(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

pub(super) fn shown(pointer: &str, value: &Value) -> String {
    if is_secret(pointer) || may_hold_secret(&bare(value)) {
        "…".to_owned()
    } else {
        shorten(&bare(value))
    }
}

/// Whether a pointer leads to something an author may have mistaken for the place of a password.
pub(super) fn is_secret(pointer: &str) -> bool {
    pointer.split('/').any(crate::secrets::is_like_a_secret_name)
}

pub(super) fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// What a field takes, as a clause.
pub(super) fn wanted(field: Field<'_>) -> &'static str {
    if field.takes("array") {
        "a list"
    } else if field.takes("object") {
        "a mapping"
    } else if field.takes("boolean") && field.takes("string") {
        "a single value"
    } else if field.takes("boolean") {
        "`true` or `false`"
    } else if field.takes("integer") {
        "a whole number"
    } else {
        "a text"
    }
}

/// A scalar without quotes.
pub(super) fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| inline(value), str::to_owned)
}

/// A value as an author would write it in one line of YAML.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let plain = matches!(classify(text), Plain::Word)
                && !text.contains(['\\', '#', '\'', '"', ' ', ',', '[', ']', '{', '}'])
                && !text.ends_with(':')
                && !text.starts_with(['>', '|', '@', '`', '%', '&', '*', '!', '?', '-', '=']);
            if plain {
                text.clone()
            } else {
                format!("'{}'", text.replace('\'', "''"))
            }
        }
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(object) => {
            let entries: Vec<String> = object
                .iter()
                .map(|(key, value)| format!("{key}: {}", inline(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// "`a`, `b` and `c`".
pub(super) fn and_list(names: &[&str]) -> String {
    one_of(names.iter().copied()).replace("` or `", "` and `")
}

/// Whether a character is in any class `[…]` of a pattern: then only its place can be wrong.
pub(super) fn in_classes(pattern: &str, character: char) -> bool {
    pattern.split('[').skip(1).any(|part| {
        let class = part.split_once(']').map_or(part, |(class, _)| class);
        let class: Vec<char> = class.chars().collect();
        let mut rest = class.as_slice();
        loop {
            match rest {
                [low, '-', high, tail @ ..] => {
                    if (*low..=*high).contains(&character) {
                        return true;
                    }
                    rest = tail;
                }
                [one, tail @ ..] => {
                    if *one == character {
                        return true;
                    }
                    rest = tail;
                }
                [] => return false,
            }
        }
    })
}
