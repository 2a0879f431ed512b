//! `--message-format sarif`: one SARIF 2.1.0 document a run, for code-scanning services.
//!
//! Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". Only the properties that GitHub
//! and GitLab read are written: rules with help, results, regions, related locations, partial fingerprints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::codes::Code;
use crate::diag::Diagnostic;
use crate::explain;
use crate::json;
use crate::source::{Sources, Span};

use super::{TextRange, escape_hidden, file_name, push_advice};

/// The document while it is collected.
#[derive(Debug, Default)]
pub(super) struct Document {
    results: Vec<(Code, Value)>,
    codes: BTreeSet<Code>,
    fingerprints: BTreeMap<String, usize>,
}

impl Document {
    /// Adds one finding.
    pub(super) fn add(&mut self, sources: &Sources, finding: &Diagnostic) {
        self.codes.insert(finding.code);
        let hash = fingerprint(sources, finding);
        let seen = self.fingerprints.entry(hash.clone()).or_default();
        *seen += 1;
        let fingerprint = format!("{hash}:{seen}");
        // The place of its rule is known at the end.
        let mut result = json!({
            "ruleId": finding.code.id(),
            "ruleIndex": 0,
            "level": finding.severity.word(),
            "message": { "text": message(finding) },
        });
        if let Some(name) = file_name(sources, finding) {
            let span = finding.primary.as_ref().map(|label| label.span);
            set(
                &mut result,
                "locations",
                json!([{ "physicalLocation": place(sources, name, span) }]),
            );
        }
        let related = related(sources, finding);
        if !related.is_empty() {
            set(&mut result, "relatedLocations", related.into());
        }
        set(
            &mut result,
            "partialFingerprints",
            json!({ "cbgenFinding/v1": fingerprint }),
        );
        self.results.push((finding.code, result));
    }

    /// The whole document, pretty-printed, with a line feed at its end.
    pub(super) fn text(self) -> String {
        let results = self.results.into_iter().map(|(code, mut result)| {
            let rules = self.codes.iter();
            let index = rules.take_while(|known| **known < code).count();
            set(&mut result, "ruleIndex", index.into());
            result
        });
        let document = json!({
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "cbgen",
                    "version": env!("CARGO_PKG_VERSION"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": self.codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
                } },
                "columnKind": "unicodeCodePoints",
                "results": results.collect::<Vec<_>>(),
            }],
        });
        escape_hidden(&json::pretty(&document))
    }
}

/// Code, file, message and the trimmed first line: what stays the same when lines move. Equal findings are numbered
/// by the caller. Lines that may hold a secret are left out, since a hash of a short secret can be guessed.
fn fingerprint(sources: &Sources, finding: &Diagnostic) -> String {
    let line = finding.primary.as_ref().and_then(|label| {
        let file = sources.get(label.span.file)?;
        file.line(file.position(label.span.range().start).line)
    });
    let line = line.filter(|_| !finding.redact).unwrap_or_default().trim();
    // The beginning tells lines apart; a line of megabytes must not be hashed once for each of its findings.
    let line: String = line.chars().take(200).collect();
    let mut hash = Sha256::new();
    for part in [
        finding.code.id(),
        file_name(sources, finding).unwrap_or_default(),
        &finding.message,
        &line,
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut text = String::with_capacity(32);
    for byte in hash.finalize().iter().take(16) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn message(finding: &Diagnostic) -> String {
    let mut text = finding.message.clone();
    if let Some(label) = finding.primary.as_ref().filter(|label| !label.text.is_empty()) {
        text.push_str("\nhere: ");
        text.push_str(&label.text);
    }
    push_advice(&mut text, finding);
    text
}

fn related(sources: &Sources, finding: &Diagnostic) -> Vec<Value> {
    let labels = finding.related.iter().filter_map(|label| {
        let (name, _) = sources.locate(label.span)?;
        Some((place(sources, name, Some(label.span)), &label.text))
    });
    (1..)
        .zip(labels)
        .map(|(id, (place, text))| {
            let mut location = json!({ "id": id, "physicalLocation": place });
            if !text.is_empty() {
                set(&mut location, "message", json!({ "text": text }));
            }
            location
        })
        .collect()
}

/// A `physicalLocation` object.
fn place(sources: &Sources, name: &str, span: Option<Span>) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": uri(name), "uriBaseId": "%SRCROOT%" } });
    if let Some(range) = span.and_then(|span| TextRange::of(sources, span)) {
        let region = json!({
            "startLine": range.line,
            "startColumn": range.column,
            "endLine": range.end_line,
            "endColumn": range.end_column,
        });
        set(&mut place, "region", region);
    }
    place
}

/// Sets a key of an object; a new one comes last.
fn set(object: &mut Value, key: &str, value: Value) {
    let object = object.as_object_mut().expect("it was made as an object");
    object.insert(key.to_owned(), value);
}

fn rule(code: Code) -> Value {
    let page = explain::page(code).unwrap_or_else(|| code.title());
    json!({
        "id": code.id(),
        "shortDescription": { "text": code.title() },
        "fullDescription": { "text": code.title() },
        "help": { "text": page, "markdown": page },
        "defaultConfiguration": { "level": code.severity().word() },
        "properties": { "tags": ["configuration"], "problem.severity": code.severity().word() },
    })
}

/// A workspace-relative name as a relative URI reference (RFC 3986): everything but unreserved characters and `/` is
/// percent-encoded, so a `:` cannot look like a scheme.
fn uri(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn names_become_relative_references() {
        assert_eq!(uri("inventories/a b:ä.yaml"), "inventories/a%20b%3A%C3%A4.yaml");
    }

    #[test]
    fn a_document_has_rules_regions_and_stable_fingerprints() {
        let document = |text: &str| {
            let mut sources = Sources::new();
            let file = sources.add("a.yaml", text);
            let start = text.find("fqnd").expect("in the text");
            let finding = Diagnostic::new(codes::UNKNOWN_KEY, "unknown key `fqnd`")
                .at(Span::new(file, start..start + 4))
                .related(Span::new(file, 0..1), "inside this")
                .help("did you mean `fqdn`?");
            let mut document = Document::default();
            document.add(&sources, &finding);
            document.add(&sources, &finding);
            document.add(
                &sources,
                &Diagnostic::new(codes::UNREADABLE_FILE, "gone").in_file("b.yaml"),
            );
            serde_json::from_str::<serde_json::Value>(&document.text()).expect("JSON")
        };
        let found = document("a:\n  fqnd: x\n");
        let run = &found["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "CB0001");
        assert_eq!(run["results"][0]["ruleIndex"], 1);
        assert_eq!(
            run["results"][0]["locations"][0]["physicalLocation"]["region"],
            serde_json::json!({"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 7})
        );
        assert_eq!(
            run["results"][0]["relatedLocations"][0]["message"]["text"],
            "inside this"
        );
        assert!(
            run["results"][2]["locations"][0]["physicalLocation"]
                .get("region")
                .is_none()
        );
        // The second of two equal findings differs by its number; moving lines changes nothing.
        let print = |document: &serde_json::Value, index: usize| {
            document["runs"][0]["results"][index]["partialFingerprints"]["cbgenFinding/v1"].clone()
        };
        assert_ne!(print(&found, 0), print(&found, 1));
        let moved = document("a: # more\n\n\n  fqnd: x\n");
        assert_eq!(print(&found, 0), print(&moved, 0));
    }
}
