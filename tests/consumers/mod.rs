//! Every artifact of every shipped inventory in the program that reads it, or in the nearest one there is for Linux.
//!
//! Each kind of artifact has a check that takes one text and says what is wrong with it. The tests here run the checks
//! over what is shipped, from the bytes of the archive; `mutations` runs them over texts broken in one place. What is
//! right is written down by hand, after the guide, so that no check asks the compiler.

/// Batch scripts, by a model of how cmd.exe reads lines.
pub(crate) mod commands;
/// XML transforms: Microsoft's library, the .NET configuration system, a WCF channel.
pub(crate) mod documents;
/// What Erlang does with wrong files.
mod erlang;
/// What the inventories ask, written down by hand.
pub(crate) mod facts;
/// The archive, `SHA256SUMS`, and the scripts that check them.
pub(crate) mod integrity;
/// YAML, JSON, JavaScript and INI edits in the languages that read those files.
pub(crate) mod lines;
/// The runbook in a browser.
pub(crate) mod pages;
/// The script for PowerShell, in a model of it.
pub(crate) mod power_shell;
/// Registry files: Wine, and hivexregedit as a second opinion.
pub(crate) mod registry;
/// SQL scripts: their meaning in SQLite, their grammar in sqlfluff.
pub(crate) mod sql;
/// Erlang terms.
pub(crate) mod terms;

use std::collections::BTreeMap;

use cbgen::formats::Format;

use crate::harness::expect_none;
use crate::support::bundles::{Built, bundles};
use crate::support::subject::{Subject, Verdict, format_of};

/// The generated texts of one kind, each different text once.
pub(crate) fn subjects(wanted: impl Fn(&Built, &str) -> bool) -> Vec<Subject> {
    let mut distinct = BTreeMap::new();
    for (inventory, built) in bundles() {
        for path in built.review.keys().filter(|path| wanted(built, path)) {
            // What a text means may depend on the server and the inventory, but not on more.
            let subject = Subject::new(inventory, path);
            assert_eq!(
                subject.bytes().as_ref(),
                Ok(&built.deployed[path]),
                "{path} is deployed in other bytes"
            );
            let file = path.split('/').skip(2).collect::<Vec<_>>().join("/");
            distinct
                .entry((inventory.clone(), file, subject.text.clone()))
                .or_insert(subject);
        }
    }
    distinct.into_values().collect()
}

/// The texts of a format.
pub(crate) fn of_format(format: Format) -> Vec<Subject> {
    subjects(|built, path| path.contains('/') && format_of(built, path) == format)
}

/// Runs a check over texts and fails with everything it says. No text at all is a failure too.
#[track_caller]
pub(crate) fn expect_all(subjects: &[Subject], check: impl Fn(&Subject) -> Verdict + Sync) {
    assert!(!subjects.is_empty(), "there is nothing to check");
    let one = |subject: &Subject| {
        let verdict = check(subject);
        verdict
            .err()
            .map(|text| format!("{} {}: {text}", subject.built.name, subject.path))
    };
    // Programs wait more than they compute; four at a time keep two cores busy.
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let quarter = subjects.len().div_ceil(4);
        let running: Vec<_> = subjects
            .chunks(quarter)
            .map(|part| scope.spawn(move || part.iter().filter_map(one).collect::<Vec<_>>()))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    expect_none(&complaints);
}

/// Two texts are the same, or both are shown.
pub(crate) fn same(what: &str, found: &str, wanted: &str) -> Verdict {
    if found.trim_end() == wanted.trim_end() {
        Ok(())
    } else {
        Err(format!("{what}:\n{}", crate::harness::difference(wanted, found)))
    }
}
