//! Paths inside a bundle.
//!
//! A [`BundlePath`] is relative, uses forward slashes, and is safe to create on Windows: no `..`, no drive letter, no
//! reserved device name, no trailing dot or blank, ASCII only. [`BundlePath::parse`] is the only way in. This module
//! must not touch the file system.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::strict::ContractError;

/// Longest path inside a bundle, in characters: with an unpack folder of up to 70 characters it stays below 200, which
/// old Windows tools can still open (their limit is 260).
pub const MAX_LENGTH: usize = 130;

/// A normalized, relative, Windows-safe path inside a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct BundlePath(String);

impl BundlePath {
    /// Parses a path as written in a template or an archive.
    ///
    /// Refused: empty paths and components, `.` and `..`, backslashes, colons (drive letters, alternate streams),
    /// characters Windows forbids in names or batch scripts split and expand (the bundle's own `verify.cmd` refuses
    /// them), non-ASCII, trailing dots and blanks, device names such as `CON` or
    /// `nul.txt`, and paths longer than [`MAX_LENGTH`].
    pub fn parse(text: &str) -> Result<Self, ContractError> {
        let refuse = |why: String| Err(ContractError(why));
        if text.is_empty() {
            return refuse("the path is empty".into());
        }
        if text.len() > MAX_LENGTH {
            return refuse(format!(
                "the path has {} characters, more than {MAX_LENGTH}",
                text.len()
            ));
        }
        if let Some(bad) = text
            .chars()
            .find(|c| !c.is_ascii_graphic() && *c != ' ' || r#"\:*?"<>|%&;=,"#.contains(*c))
        {
            return refuse(format!(
                "the path holds {bad:?}, which is not safe in a file name on Windows or in a batch script"
            ));
        }
        for component in text.split('/') {
            if component.is_empty() {
                return refuse(
                    "the path has an empty component (absolute, doubled or trailing slash)".into(),
                );
            }
            if component == "." || component == ".." {
                return refuse(format!(
                    "the component `{component}` would leave or blur the bundle"
                ));
            }
            if component.ends_with(['.', ' ']) || component.starts_with(' ') {
                return refuse(format!(
                    "Windows drops the trailing dot or blank of `{component}`"
                ));
            }
            if is_device_name(component) {
                return refuse(format!("`{component}` is a device name on Windows"));
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The path with forward slashes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Key under which two paths collide on Windows.
    pub fn collision_key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// A path is found among others by its text: both have the same order.
impl Borrow<str> for BundlePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BundlePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for BundlePath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BundlePath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// Names Windows reserves for devices, with or without an extension.
/// Source: Microsoft, "Naming Files, Paths, and Namespaces".
pub fn is_device_name(component: &str) -> bool {
    let stem = component
        .split('.')
        .next()
        .unwrap_or(component)
        .trim_end()
        .to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) || numbered("COM")
        || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_plain_paths() {
        for good in ["a", "servers/MGMT01/nginx/nginx.conf", "deployment/sql/01 a.sql"] {
            assert!(BundlePath::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn refuses_everything_unsafe() {
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            r"..\a",
            r"a\b",
            "C:/a",
            "a:b",
            "CON",
            "nul.txt",
            "com1",
            "a./b",
            "a /b",
            " a",
            "ä",
            "a\nb",
            "a*",
            "a%b",
            "a&b",
            "a;b",
            "a=b",
            "a,b",
            &"x".repeat(131),
        ] {
            assert!(BundlePath::parse(bad).is_err(), "{bad}");
        }
    }
}
