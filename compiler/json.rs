//! Values of our own types as JSON.
//!
//! Each of them is made of texts, numbers, lists and maps with text keys, which always have a JSON form. If one had none,
//! that would be a fault of cbgen, and it stops there: an empty manifest, journal or plan would be taken for a real one.
//! This file must not know what the values mean.

use serde::Serialize;
use serde_json::Value;

/// Why there is always a form.
const ALWAYS: &str = "texts, numbers, lists and maps with text keys always have a JSON form";

/// On one line, without a line feed.
///
/// # Panics
/// Where a value has no JSON form, which none of our types lets happen.
pub fn compact<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect(ALWAYS)
}

/// On many lines, with a line feed at the end.
///
/// # Panics
/// As [`compact`].
pub fn pretty<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect(ALWAYS) + "\n"
}

/// As a tree.
///
/// # Panics
/// As [`compact`].
pub fn tree<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).expect(ALWAYS)
}

/// The word for a variant without fields, as it is written in files.
///
/// # Panics
/// Where the variant has fields.
pub fn word<T: Serialize + ?Sized>(variant: &T) -> String {
    tree(variant)
        .as_str()
        .expect("a variant without fields is a word")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Key {
        PrefetchCount,
    }

    #[test]
    fn forms_end_as_they_are_written() {
        let value = serde_json::json!({ "a": 1 });
        assert_eq!(compact(&value), r#"{"a":1}"#);
        assert_eq!(pretty(&value), "{\n  \"a\": 1\n}\n");
        assert_eq!(word(&Key::PrefetchCount), "prefetch-count");
    }
}
