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

use cbgen::formats::edits::{Edited, Edits, Outcome, Refusal};
use cbgen::formats::{Format, Reading};

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

/// A sample file of the vendor, and what the edits of a subject make of it.
pub(crate) fn edited(subject: &Subject, sample: &[u8]) -> Result<Vec<u8>, String> {
    let Reading::Edits(kind) = subject.reading else {
        return Err("it holds no edits".to_owned());
    };
    let edits = Edits::read(kind, &subject.text).map_err(|errors| {
        let lines = errors.iter().map(ToString::to_string);
        lines.collect::<Vec<_>>().join("; ")
    })?;
    let edited = done(&edits, sample)?;
    Ok(edited.bytes)
}

/// Does edits, and looks at what they promise: nothing outside the reported places changes, a second time nothing at all.
pub(crate) fn done(edits: &Edits, file: &[u8]) -> Result<Edited, String> {
    let refused = |refusals: Vec<Refusal>| {
        let lines = refusals.into_iter().map(|refusal| refusal.message);
        lines.collect::<Vec<_>>().join("; ")
    };
    let edited = edits.apply(file).map_err(refused)?;
    let again = edits.apply(&edited.bytes).map_err(refused)?;
    if again.bytes != edited.bytes || again.changes_anything() {
        return Err("a second time changes more".to_owned());
    }
    let mut spans: Vec<_> = edited
        .changes
        .iter()
        .filter(|change| change.outcome != Outcome::AlreadySo)
        .map(|change| change.span.clone())
        .collect();
    spans.sort_by_key(|span| (span.start, span.end));
    let mut old = 0;
    let mut new = 0;
    for span in spans {
        // What lies before a place is there unchanged, somewhere behind what lay before the last one.
        let kept = &file[old.min(span.start)..span.start];
        let found = (new..=edited.bytes.len().saturating_sub(kept.len()))
            .find(|at| edited.bytes[*at..].starts_with(kept));
        new = found.ok_or_else(|| format!("bytes before {span:?} are other ones"))? + kept.len();
        old = span.end;
    }
    if edited.bytes[new..].ends_with(&file[old..]) {
        Ok(edited)
    } else {
        Err("bytes behind the last place are other ones".to_owned())
    }
}

/// Two texts are the same, or both are shown.
pub(crate) fn same(what: &str, found: &str, wanted: &str) -> Verdict {
    if found.trim_end() == wanted.trim_end() {
        Ok(())
    } else {
        Err(format!("{what}:\n{}", crate::harness::difference(wanted, found)))
    }
}
