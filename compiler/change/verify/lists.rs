//! The list of digests and the manifest, compared with each other.
//!
//! Both name every file; where they differ, one of them was changed. This file must not open files.

use std::collections::BTreeMap;

use crate::bundle::{MANIFEST, SIGNATURE, SUMS};
use crate::codes;
use crate::contract::digest::{Digest, sum, sums};
use crate::contract::manifest::Manifest;
use crate::contract::path::BundlePath;
use crate::diag::Diagnostic;

/// What the list says, and the lines that say nothing it may say.
pub(super) fn read(list: &[u8]) -> (BTreeMap<BundlePath, Digest>, Vec<(usize, String)>) {
    let mut digests = BTreeMap::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let text = String::from_utf8_lossy(list);
    if text.is_empty() {
        wrong.push((1, "is not there: the list is empty".to_owned()));
    }
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let Some(line) = line.strip_suffix('\n') else {
            wrong.push((number, "does not end: the list is cut short".to_owned()));
            continue;
        };
        if line.ends_with('\r') {
            wrong.push((number, "ends in CR LF; the list has LF".to_owned()));
            continue;
        }
        let Some((path, digest)) = sum(line) else {
            let path = line.split_once("  ").map(|(_, path)| BundlePath::parse(path));
            wrong.push((
                number,
                match path {
                    Some(Err(error)) => format!("names no safe path: {error}"),
                    _ => "is not a digest, two blanks and a path".to_owned(),
                },
            ));
            continue;
        };
        if [SUMS, SIGNATURE]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(path.as_str()))
        {
            wrong.push((number, format!("names `{path}`, which no list can hold")));
            continue;
        }
        if let Some(first) = seen.insert(path.collision_key(), number) {
            wrong.push((
                number,
                format!("names `{path}`, which line {first} names already"),
            ));
            continue;
        }
        digests.insert(path, digest);
    }
    (digests, wrong)
}

/// What the manifest says about each artifact and the list does not, and the other way round.
pub(super) fn compare(
    origin: &str,
    manifest: &Manifest,
    digests: &BTreeMap<BundlePath, Digest>,
    found: &mut Vec<Diagnostic>,
) {
    let mut finding = |message: String| {
        found.push(
            Diagnostic::new(codes::MANIFEST_AGAINST_LIST, message)
                .in_file(origin)
                .help("one of the two was changed after the build; get the bundle from where it was built"),
        );
    };
    let tool = manifest.tool.iter().map(|tool| (&tool.path, tool.sha256));
    let artifacts = manifest
        .artifacts
        .iter()
        .map(|artifact| (&artifact.path, artifact.sha256));
    let named: BTreeMap<&BundlePath, Digest> = artifacts.chain(tool).collect();
    for (path, stated) in &named {
        match digests.get(*path) {
            None => finding(format!("`{MANIFEST}` names `{path}`, and `{SUMS}` does not")),
            Some(digest) if digest != stated => {
                finding(format!(
                    "`{MANIFEST}` and `{SUMS}` give different digests of `{path}`"
                ));
            }
            Some(_) => {}
        }
    }
    for path in digests.keys() {
        if path.as_str() != MANIFEST && !named.contains_key(path) {
            finding(format!("`{SUMS}` names `{path}`, and `{MANIFEST}` does not"));
        }
    }
    if !digests.contains_key(MANIFEST) {
        finding(format!("`{SUMS}` does not name `{MANIFEST}`"));
    }
}

/// The finding for a manifest whose id is not the one of its own artifacts. Nothing else of it needs to be readable.
pub(super) fn wrong_id(manifest: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Artifact {
        path: String,
        sha256: Digest,
    }
    #[derive(serde::Deserialize)]
    struct Record {
        id: Digest,
    }
    #[derive(serde::Deserialize)]
    struct Stated {
        bundle: Record,
        tool: Option<Artifact>,
        artifacts: Vec<Artifact>,
    }
    // One that cannot be read even so is told by its strict reader.
    let stated: Stated = serde_json::from_slice(manifest).ok()?;
    let paths: Option<BTreeMap<BundlePath, Digest>> = stated
        .artifacts
        .iter()
        .chain(&stated.tool)
        .map(|artifact| Some((BundlePath::parse(&artifact.path).ok()?, artifact.sha256)))
        .collect();
    let computed = Digest::of(sums(paths?.iter().map(|(path, digest)| (path, *digest))).as_bytes());
    (computed != stated.bundle.id).then(|| {
        format!(
            "`{MANIFEST}` states the id {}, and its artifacts have the id {}",
            stated.bundle.id.spoken(),
            computed.spoken()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_back() {
        let (path, empty) = (BundlePath::parse("a b/c.txt").unwrap(), Digest::of(b""));
        let text = sums([(&path, empty)]);
        assert_eq!(text, format!("{empty}  a b/c.txt\n"));
        assert_eq!(
            read(text.as_bytes()),
            (BTreeMap::from([(path, empty)]), Vec::new())
        );
        let bad = format!("{empty}  a\n{empty}  A\n{empty} *b\n{empty}  ../c\n{empty}  d\r\n{empty}  e");
        let (_, wrong) = read(bad.as_bytes());
        assert_eq!(
            wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
            [2, 3, 4, 5, 6]
        );
    }
}
