//! Where a value ends, and whether it is one. This file must not know what names it.

use super::{is_reference, up_to};

/// Shortest value that counts as a secret.
const SHORTEST: usize = 4;

/// The value that begins a text: quoted, or up to a delimiter.
pub(super) fn first_value(text: &str) -> &str {
    let text = text.trim_start_matches("<<");
    let text = match text.strip_prefix('N') {
        Some(quoted) if quoted.starts_with('\'') => quoted,
        _ => text,
    };
    let text = text.trim_start_matches('\\');
    let delimiters = [';', '"', '\'', '`', ',', ')', '|', '<', '>', '}'];
    let Some(quote) = text.chars().next().filter(|letter| matches!(letter, '"' | '\'')) else {
        return up_to(text, |letter| {
            letter.is_whitespace() || delimiters.contains(&letter)
        });
    };
    let inner = text.strip_prefix(quote).unwrap_or(text);
    // `""value""` is a quoted text within a quoted text.
    let inner = match inner.strip_prefix(quote) {
        Some(doubled) if doubled.starts_with(char::is_alphanumeric) => doubled,
        _ => inner,
    };
    up_to(inner, |letter| letter == quote || matches!(letter, ';' | '\n'))
}

/// Whether a value is a literal and not a reference to something supplied later.
pub(super) fn is_literal(value: &str, declared: &[&str]) -> bool {
    let value = value.trim();
    value.chars().count() >= SHORTEST
        && !is_reference(value)
        && value.contains(|letter: char| letter.is_alphanumeric())
        && !declared.contains(&value)
        && !matches!(
            value.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "none" | "undefined" | "required" | "optional" | "string" | "off"
        )
        && !value.contains("://")
}
