//! Rewrites of references in a vendor's `settings.js` (CFG-15, DEF-55), as a JSON document.
//!
//! `settings.js` is JavaScript, so it is edited as text. The document says what to rewrite:
//!
//! ```json
//! {
//!   "rewrites": [ { "port": 2800, "to": "https://callback.acme.example/auth" } ],
//!   "boundary": "not-a-digit",
//!   "when_absent": "report"
//! }
//! ```
//!
//! This is a contract with whatever applies it:
//!
//! - For each rewrite, every match of [`pattern`] is replaced by `to`, literally. A match is a whole origin: scheme,
//!   host and the port, so that no `http://server` stays in front of the new address; what follows it stays.
//! - `boundary` is always `not-a-digit`: the port matches only when no digit follows, so that `:28001` is not read
//!   as `:2800` and a `1`.
//! - `when_absent` is always `report`: a rewrite that matches nothing is reported and is not a failure, because values
//!   may be put together from pieces (`location.hostname + ':8000'`), which a person has to look at.
//! - The order of rewrites does not matter, and applying them twice changes nothing: no `to` has a port that is itself
//!   rewritten.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{FactPath, FormatError, Item, json};

/// The whole document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// What to rewrite, at least one.
    pub rewrites: Vec<Rewrite>,
    /// Where a port ends.
    pub boundary: Boundary,
    /// What to do about a rewrite that matches nothing.
    pub when_absent: WhenAbsent,
    #[serde(skip)]
    items: Vec<Item>,
}

/// One port and what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// The port that is referred to, never 0.
    pub port: u16,
    /// The new address: `http` or `https`, a host, perhaps a port and a path, without a slash at the end.
    pub to: String,
    /// The bytes of the port in the text it was read from.
    #[serde(skip)]
    pub range: Range<usize>,
}

impl Rewrite {
    /// `:2800`.
    pub fn path(&self) -> FactPath {
        format!(":{}", self.port).as_str().into()
    }
}

/// Where a port ends in a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// In front of anything but a digit, and at the end of the text.
    NotADigit,
}

/// What to do about a rewrite that matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenAbsent {
    /// Say so and go on.
    Report,
}

/// The regular expression for the references to a port, in the syntax of ECMAScript, to be used with the flags `g` and
/// `i`.
///
/// Hosts are names, IPv4 addresses and bracketed IPv6 addresses. A letter or digit in front of the scheme means that
/// it is part of another word.
pub fn pattern(port: u16) -> String {
    format!(r"(?<![a-z0-9])https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]):{port}(?![0-9])")
}

/// Reads and checks a document.
///
/// Reports syntax errors as [`json::items`] does, or the first field that is unknown, missing or of the wrong type, or
/// else everything that is wrong with the values.
pub fn read(text: &str) -> Result<References, Vec<FormatError>> {
    let leaves = json::items(text)?;
    let mut document: References =
        serde_json::from_str(text).map_err(|error| vec![json::syntax_error(text, &error)])?;
    let ranges: BTreeMap<String, _> = leaves
        .iter()
        .map(|leaf| (leaf.path.to_string(), leaf.range.clone()))
        .collect();
    let mut errors = Vec::new();
    let mut refuse = |pointer: &str, message: String| {
        let range = ranges.get(pointer).cloned().unwrap_or(0..text.len());
        errors.push(FormatError::new(range, message));
    };
    if document.rewrites.is_empty() {
        refuse("/rewrites", "`rewrites` has to hold at least one rewrite".into());
    }
    let ports: BTreeSet<u16> = document.rewrites.iter().map(|rewrite| rewrite.port).collect();
    let mut seen = BTreeSet::new();
    for (index, Rewrite { port, to, .. }) in document.rewrites.iter().enumerate() {
        let pointer = format!("/rewrites/{index}/port");
        if *port == 0 {
            refuse(&pointer, "0 is not a port anything listens on".into());
        }
        if !seen.insert(*port) {
            refuse(&pointer, format!("port {port} is rewritten twice"));
        }
        let pointer = format!("/rewrites/{index}/to");
        match port_of(to) {
            Err(message) => refuse(&pointer, message),
            Ok(Some(own)) if ports.contains(&own) => refuse(
                &pointer,
                format!("port {own} is itself rewritten, so a second run would change the result"),
            ),
            Ok(_) => {}
        }
    }
    if errors.is_empty() {
        for (index, rewrite) in document.rewrites.iter_mut().enumerate() {
            if let Some(range) = ranges.get(&format!("/rewrites/{index}/port")) {
                rewrite.range = range.clone();
            }
        }
        document.items = document.named(leaves);
        Ok(document)
    } else {
        Err(errors)
    }
}

/// Checks an address that is put into a JavaScript text and returns its port, if it has one.
fn port_of(to: &str) -> Result<Option<u16>, String> {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| to.strip_prefix(scheme))
        .ok_or("the address has to begin with `https://` or `http://`")?;
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let path_character = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
    if let Some(bad) = path.chars().find(|c| !path_character(*c)) {
        let bad = super::characters::name(bad);
        return Err(format!(
            "{bad} cannot stand in the path of an address put into a script"
        ));
    }
    if path.ends_with('/') {
        return Err("a slash at the end of the address would be doubled in the script".into());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let name = !host.is_empty() && host.chars().all(is_host);
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    if !name && !bracketed {
        return Err("the address has no host name or IP address behind its scheme".into());
    }
    let Some(port) = port else { return Ok(None) };
    let digits = port.chars().all(|c| c.is_ascii_digit());
    match port.parse() {
        Ok(number) if digits && number != 0 => Ok(Some(number)),
        _ => Err("the port of the address is not a number from 1 to 65535".into()),
    }
}

impl References {
    /// What the document says, for comparison by meaning.
    pub(crate) fn into_items(self) -> Vec<Item> {
        self.items
    }

    /// The leaves of the document, named by what they are about.
    fn named(&self, leaves: Vec<Item>) -> Vec<Item> {
        let named = |leaf: Item| match leaf.path.steps() {
            [_, index, field] if field.name == "to" => {
                let rewrite = self.rewrites.get(index.name.parse::<usize>().ok()?)?;
                Some(Item {
                    path: rewrite.path(),
                    value: rewrite.to.clone(),
                    range: leaf.range,
                })
            }
            [_, _, _] => None,
            _ => Some(leaf),
        };
        leaves.into_iter().filter_map(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::told_as;

    /// Reads `text` and compares its items, or its errors as `range message`.
    fn check(text: &str, expected: &[&str]) {
        let tell = |item: Item| format!("{:?} {} = {}", item.range, item.path, item.value);
        let found = told_as(read(text).map(References::into_items), tell);
        assert_eq!(found, expected);
    }

    fn document(rewrites: &str) -> String {
        format!("{{\"rewrites\":[{rewrites}],\"boundary\":\"not-a-digit\",\"when_absent\":\"report\"}}")
    }

    #[test]
    fn a_document_becomes_one_item_a_port() {
        check(
            &document(
                "{\"port\":2800,\"to\":\"https://c.example/auth\"},{\"to\":\"http://[::1]:8443\",\"port\":2900}",
            ),
            &[
                "31..55 :2800 = https://c.example/auth",
                "63..82 :2900 = http://[::1]:8443",
                "108..121 /boundary = \"not-a-digit\"",
                "136..144 /when_absent = \"report\"",
            ],
        );
    }

    #[test]
    fn the_document_is_defined_strictly() {
        check(
            &document(""),
            &["12..14 `rewrites` has to hold at least one rewrite"],
        );
        check(
            &document("{\"port\":2800,\"to\":\"https://c/auth\",\"x\":1}"),
            &["50..51 unknown field `x`, expected `port` or `to`"],
        );
        check(
            &document("{\"port\":65536,\"to\":\"https://c\"}"),
            &["25..26 invalid value: integer `65536`, expected u16"],
        );
        check(&document("{\"port\":1}"), &["22..23 missing field `to`"]);
        check(
            "{\"rewrites\":[],\"boundary\":\"word\",\"when_absent\":\"report\"}",
            &["31..32 unknown variant `word`, expected `not-a-digit`"],
        );
        check(
            "{\"rewrites\":[],\"rewrites\":[]}",
            &["15..25 the key `/rewrites` is given twice, and readers disagree about which one counts"],
        );
    }

    #[test]
    fn addresses_are_checked() {
        let address = |to: &str, message: &str| {
            let text = document(&format!("{{\"port\":2800,\"to\":\"{to}\"}}"));
            let end = 31 + to.len() + 2;
            check(&text, &[&format!("31..{end} {message}")]);
        };
        address(
            "c.example/auth",
            "the address has to begin with `https://` or `http://`",
        );
        address(
            "https:///auth",
            "the address has no host name or IP address behind its scheme",
        );
        address(
            "https://c d/auth",
            "the address has no host name or IP address behind its scheme",
        );
        address(
            "https://c/",
            "a slash at the end of the address would be doubled in the script",
        );
        address(
            "https://c/a'b",
            "`'` cannot stand in the path of an address put into a script",
        );
        address(
            "https://c/a?b",
            "`?` cannot stand in the path of an address put into a script",
        );
        address(
            "https://c:x/a",
            "the port of the address is not a number from 1 to 65535",
        );
        address(
            "https://c:0/a",
            "the port of the address is not a number from 1 to 65535",
        );
        address(
            "https://c:2800/a",
            "port 2800 is itself rewritten, so a second run would change the result",
        );
        check(
            &document("{\"port\":0,\"to\":\"https://c\"},{\"port\":0,\"to\":\"https://d\"}"),
            &[
                "21..22 0 is not a port anything listens on",
                "49..50 0 is not a port anything listens on",
                "49..50 port 0 is rewritten twice",
            ],
        );
    }

    #[test]
    fn a_pattern_matches_whole_origins() {
        assert_eq!(
            pattern(2800),
            r"(?<![a-z0-9])https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]):2800(?![0-9])"
        );
    }
}
