//! A sentence that says what happens names what does it. Sentences of the catalogue, the runbooks and the documents that
//! promise are collected; each names a script, a command or a program in code, or stands in the list of those that are
//! explained nearby.

use std::collections::BTreeSet;
use std::fs;

use cbgen::catalogue::catalogue;

use crate::harness::{expect_none, root};

/// Words of a sentence in which nobody says who does it.
const PROMISES: &[&str] = &[
    " is reported",
    " are reported",
    " is recorded",
    " are recorded",
    " is saved",
    " are saved",
    " is captured",
    " are captured",
    " is restored",
    " are restored",
    " are checked",
    " is detected",
    " are detected",
];

/// The sentences of a text. Full stops inside code and numbers end none.
fn sentences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    let mut sentence = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        sentence.push(c);
        if c == '`' {
            in_code = !in_code;
        }
        let ends = matches!(c, '.' | ';') && !in_code && chars.peek().is_none_or(|next| next.is_whitespace());
        if ends || c == '\n' && chars.peek() == Some(&'\n') {
            in_code = false;
            found.push(std::mem::take(&mut sentence).trim().to_owned());
        }
    }
    found.push(sentence.trim().to_owned());
    found
}

/// Whether a sentence promises and names nothing that keeps the promise.
fn is_empty_promise(sentence: &str) -> bool {
    PROMISES.iter().any(|promise| sentence.contains(promise)) && !sentence.contains('`')
}

/// Sentences that are kept by what stands around them, with where that is.
fn explained() -> BTreeSet<String> {
    let list = fs::read_to_string(root().join("tests/promises.tsv")).expect("the list");
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (sentence, mechanism) = line.split_once('\t').expect("a sentence and its mechanism");
            let path = mechanism.split(':').next().unwrap_or_default();
            assert!(root().join(path).exists(), "{mechanism} is not there");
            sentence.to_owned()
        })
        .collect()
}

#[test]
fn every_promise_names_what_keeps_it() {
    let explained = explained();
    let mut used = BTreeSet::new();
    let mut complaints = Vec::new();
    let mut look = |place: &str, text: &str| {
        for sentence in sentences(text)
            .into_iter()
            .filter(|sentence| is_empty_promise(sentence))
        {
            let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
            if explained.contains(&sentence) {
                used.insert(sentence);
            } else {
                complaints.push(format!("{place}: nothing keeps: {sentence}"));
            }
        }
    };
    for entry in catalogue().entries() {
        look(&entry.id, entry.resolution.as_deref().unwrap_or_default());
    }
    let mut texts = vec!["README.md".to_owned(), "ARCHITECTURE.md".to_owned()];
    for name in ["acme-prod", "acme-lab", "acme-plant", "acme-branch"] {
        texts.push(format!("out/{name}/RUNBOOK.md"));
        texts.push(format!("out/{name}/RUNBOOK-BY-HAND.md"));
    }
    for folder in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root().join(folder)).expect("a folder");
        let names = entries.map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        });
        // Each row of the proofs names its tests; `proof.rs` holds them to it.
        texts.extend(
            names
                .filter(|name| name.ends_with(".md") && name != "proof.md")
                .map(|name| format!("{folder}/{name}")),
        );
    }
    assert!(texts.len() > 20, "{texts:?}");
    for path in texts {
        look(&path, &fs::read_to_string(root().join(&path)).expect("a text"));
    }
    for stale in explained.difference(&used) {
        complaints.push(format!("tests/promises.tsv: nobody says any more: {stale}"));
    }
    complaints.sort();
    complaints.dedup();
    expect_none(&complaints);
}

#[test]
fn empty_promises_are_told_from_kept_ones() {
    for (sentence, empty) in [
        ("The old value is recorded.", true),
        ("The old value is recorded by `apply.cmd`.", false),
        ("Put the saved copy back.", false),
        ("any remaining address is reported.", true),
    ] {
        assert_eq!(is_empty_promise(sentence), empty, "{sentence}");
    }
    assert_eq!(
        sentences("It is `a. b`. C is saved; d"),
        ["It is `a. b`.", "C is saved;", "d"]
    );
}
