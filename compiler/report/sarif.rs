//! `--message-format sarif`: one SARIF 2.1.0 document a run, for code-scanning services.
//!
//! Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". Only the properties that GitHub
//! and GitLab read are written: rules with help, results, regions, related locations, partial fingerprints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::codes::{Code, Severity};
use crate::diag::Diagnostic;
use crate::explain;
use crate::json;
use crate::source::{Sources, Span};

use super::{escape_hidden, file_name, hides_source};

/// The document while it is collected.
#[derive(Debug, Default)]
pub(super) struct Document {
    results: Vec<SarifResult>,
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
        self.results.push(SarifResult {
            rule_id: finding.code.id(),
            rule_index: 0,
            level: finding.severity.word(),
            message: Text {
                text: message(finding),
            },
            locations: location(sources, finding).into_iter().collect(),
            related_locations: related(sources, finding),
            partial_fingerprints: Fingerprints { value: fingerprint },
        });
    }

    /// The whole document, pretty-printed, with a line feed at its end.
    pub(super) fn text(mut self) -> String {
        let rules: Vec<Code> = self.codes.iter().copied().collect();
        for result in &mut self.results {
            let index = rules.iter().position(|code| code.id() == result.rule_id);
            result.rule_index = index.expect("the code of every result is among the codes");
        }
        let document = Log {
            schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            version: "2.1.0",
            runs: [Run {
                tool: Tool {
                    driver: Driver {
                        name: "cbgen",
                        version: env!("CARGO_PKG_VERSION"),
                        semantic_version: env!("CARGO_PKG_VERSION"),
                        rules: rules.into_iter().map(rule).collect(),
                    },
                },
                column_kind: "unicodeCodePoints",
                results: self.results,
            }],
        };
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
    let line = line.filter(|_| !hides_source(finding)).unwrap_or_default().trim();
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
    for note in &finding.notes {
        text.push_str("\nnote: ");
        text.push_str(note);
    }
    if let Some(help) = &finding.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    text
}

fn location(sources: &Sources, finding: &Diagnostic) -> Option<LocationObject> {
    let name = file_name(sources, finding)?;
    let region = finding
        .primary
        .as_ref()
        .and_then(|label| region(sources, label.span));
    Some(LocationObject::new(name, region))
}

fn related(sources: &Sources, finding: &Diagnostic) -> Vec<LocationObject> {
    let labels = finding.related.iter().filter_map(|label| {
        let (name, _) = sources.locate(label.span)?;
        Some((name, region(sources, label.span), label.text.clone()))
    });
    labels
        .enumerate()
        .map(|(index, (name, region, text))| {
            let mut location = LocationObject::new(name, region);
            location.id = Some(index + 1);
            location.message = (!text.is_empty()).then_some(Text { text });
            location
        })
        .collect()
}

fn region(sources: &Sources, span: Span) -> Option<Region> {
    let place = super::TextRange::of(sources, span)?;
    Some(Region {
        start_line: place.line,
        start_column: place.column,
        end_line: place.end_line,
        end_column: place.end_column,
    })
}

fn rule(code: Code) -> Rule {
    let page = explain::page(code).unwrap_or_else(|| code.title());
    Rule {
        id: code.id(),
        short_description: Text {
            text: code.title().to_owned(),
        },
        full_description: Text {
            text: code.title().to_owned(),
        },
        help: Help {
            text: page.to_owned(),
            markdown: page.to_owned(),
        },
        default_configuration: Configuration {
            level: code.severity().word(),
        },
        properties: Properties {
            tags: ["configuration"],
            problem_severity: match code.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
        },
    }
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

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Help,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties {
    tags: [&'static str; 1],
    #[serde(rename = "problem.severity")]
    problem_severity: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<LocationObject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<LocationObject>,
    partial_fingerprints: Fingerprints,
}

#[derive(Debug, Serialize)]
struct Text {
    text: String,
}

#[derive(Debug, Serialize)]
struct Fingerprints {
    #[serde(rename = "cbgenFinding/v1")]
    value: String,
}

/// A `location` object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LocationObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

impl LocationObject {
    fn new(name: &str, region: Option<Region>) -> Self {
        Self {
            id: None,
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation {
                    uri: uri(name),
                    uri_base_id: "%SRCROOT%",
                },
                region,
            },
            message: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
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
