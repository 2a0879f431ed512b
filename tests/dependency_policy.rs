//! What may come with a build: every package in `Cargo.lock` is a decision.

use std::process::Command;

use serde_json::Value;

use crate::harness::{expect_none, read_tree, root};

/// More packages than this need a reason in the change that raises it.
const MOST_PACKAGES: usize = 240;

/// Licences of packages we may ship under ours, by SPDX name.
const ALLOWED: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "CC0-1.0",
    "Unicode-3.0",
    "Apache-2.0 WITH LLVM-exception",
];

/// Crates that must not come back, and why.
const BANNED: &[(&str, &str)] = &[
    ("serde_yaml", "unmaintained, loses duplicate keys"),
    ("serde_yml", "a fork of the above"),
    ("serde_norway", "a fork of the above"),
    ("yaml-rust", "unmaintained, quadratic on hostile input"),
    ("openssl-sys", "C code and a system library"),
    ("native-tls", "there is no network in a build"),
    ("rustls", "there is no network in a build"),
    ("reqwest", "there is no network in a build"),
    ("hyper", "there is no network in a build"),
    ("tokio", "nothing here waits for anything"),
    ("time", "outputs must not depend on a clock"),
    ("chrono", "outputs must not depend on a clock"),
    ("cc", "a build must not need a C compiler"),
    ("libz-sys", "C code"),
    ("zstd-sys", "C code"),
    ("miette", "one renderer of diagnostics is enough"),
    ("ariadne", "one renderer of diagnostics is enough"),
];

/// `(name, source)` of every package of the lock file; our own has no source.
fn locked() -> Vec<(String, Option<String>)> {
    let text = std::fs::read_to_string(root().join("Cargo.lock")).expect("a lock file");
    let value = |block: &str, key: &str| {
        let line = block
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
        Some(line.trim_matches('"').to_owned())
    };
    text.split("[[package]]")
        .skip(1)
        .map(|block| (value(block, "name").expect("a name"), value(block, "source")))
        .collect()
}

#[test]
fn packages_are_few_known_and_from_the_registry() {
    let packages = locked();
    let mut complaints = Vec::new();
    if packages.len() > MOST_PACKAGES {
        complaints.push(format!("{} packages, at most {MOST_PACKAGES}", packages.len()));
    }
    for (name, source) in &packages {
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| banned == name) {
            complaints.push(format!("{name} is banned: {why}"));
        }
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        if source.as_deref().is_some_and(|source| source != registry) {
            complaints.push(format!("{name} comes from {source:?}, not from the registry"));
        }
    }
    assert!(
        packages
            .iter()
            .any(|(name, source)| name == "cbgen" && source.is_none())
    );
    expect_none(&complaints);
}

/// Manifests of the packages that make the program.
const MANIFESTS: &[&str] = &[
    "Cargo.toml",
    "compiler/formats/Cargo.toml",
    "compiler/windows/Cargo.toml",
];

/// Names in a section of the manifests, each once, in order; packages of this repository are left out.
fn direct(section: &str) -> Vec<String> {
    let mut names = std::collections::BTreeSet::new();
    for manifest in MANIFESTS {
        let text = std::fs::read_to_string(root().join(manifest)).expect("a manifest");
        let lines = text.lines().skip_while(|line| *line != section).skip(1);
        let own = lines
            .take_while(|line| !line.starts_with('[') || line.starts_with("[target"))
            .filter(|line| !line.contains("path = "))
            .filter_map(|line| {
                Some(
                    line.split_once(" = ")?
                        .0
                        .trim_end_matches(".workspace")
                        .to_owned(),
                )
            });
        names.extend(own);
    }
    names.into_iter().collect()
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let text = std::fs::read_to_string(root().join("docs/dependencies.md")).expect("the document");
    let rows = |head: &str| -> Vec<String> {
        let table = text.lines().skip_while(|line| *line != head).skip(2);
        table
            .map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
            .filter_map(|row| row.split_once(" | "))
            .map(|(name, reason)| {
                assert!(reason.len() > 10, "{name} needs a reason");
                name.to_owned()
            })
            .collect()
    };
    assert!(direct("[dependencies]").len() > 10, "the section is found");
    assert_eq!(rows("| crate | why |"), direct("[dependencies]"));
    assert_eq!(
        rows("| crate for tests only | why |"),
        direct("[dev-dependencies]")
    );
}

/// Nothing calls these: they are named to switch on a feature of a crate below another one.
const FOR_A_FEATURE: &[&str] = &[];

#[test]
fn every_direct_dependency_is_used() {
    let mut code = String::new();
    for folder in ["compiler", "tests", "benches"] {
        for (name, bytes) in read_tree(&root().join(folder)) {
            if name.ends_with(".rs") {
                code.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
    }
    let mut complaints = Vec::new();
    for name in [direct("[dependencies]"), direct("[dev-dependencies]")].concat() {
        let word = name.replace('-', "_");
        let is_used = ["::", "!("]
            .iter()
            .any(|end| code.contains(&format!("{word}{end}")));
        let is_named_only = FOR_A_FEATURE.contains(&name.as_str());
        if !is_used && !is_named_only {
            complaints.push(format!("nothing uses `{name}`"));
        }
        if is_used && is_named_only {
            complaints.push(format!("`{name}` is used after all"));
        }
    }
    expect_none(&complaints);
}

#[test]
fn licences_are_compatible() {
    // Only packages of this platform: the others are not downloaded, and their licences are not known offline.
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--locked",
            "--offline",
            "--format-version",
            "1",
            "--filter-platform",
        ])
        .arg(host())
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let mut complaints = Vec::new();
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none");
        if !permits(licence) {
            complaints.push(format!("{} is licensed {licence}", package["name"]));
        }
    }
    assert!(packages.len() > 20, "a plausible number of packages");
    expect_none(&complaints);
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("a host line")
        .to_owned()
}

/// Whether an SPDX expression can be met with allowed licences only. `/` is the old way to write OR.
fn permits(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest) && rest.is_empty()
}

fn any(words: &mut &[&str]) -> bool {
    let mut met = all(words);
    while words.first() == Some(&"OR") {
        *words = &words[1..];
        met |= all(words);
    }
    met
}

fn all(words: &mut &[&str]) -> bool {
    let mut met = one(words);
    while words.first() == Some(&"AND") {
        *words = &words[1..];
        met &= one(words);
    }
    met
}

fn one(words: &mut &[&str]) -> bool {
    let Some((first, rest)) = words.split_first() else {
        return false;
    };
    *words = rest;
    if *first == "(" {
        let met = any(words);
        let closed = words.first() == Some(&")");
        *words = words.get(1..).unwrap_or_default();
        return met && closed;
    }
    if words.first() == Some(&"WITH") {
        let name = format!("{first} WITH {}", words.get(1).copied().unwrap_or_default());
        *words = words.get(2..).unwrap_or_default();
        return ALLOWED.contains(&name.as_str());
    }
    ALLOWED.contains(first)
}

#[test]
fn expressions_are_understood() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "GPL-2.0 OR MIT AND Zlib",
    ] {
        assert!(permits(good), "{good}");
    }
    for bad in [
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "none",
        "",
        "(MIT",
        "Apache-2.0 WITH Other-exception",
        "MIT MIT",
    ] {
        assert!(!permits(bad), "{bad}");
    }
}
