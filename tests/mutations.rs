//! Breaks generated texts in one place each and demands that a named check notices: no survivor, and no check that is
//! always content. The table is `mutations.tsv`; how rules and checks belong together is in `docs/proof.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cbgen::formats::Format;

use crate::consumers::{commands, documents, integrity, lines, pages, power_shell, registry, sql, terms};
use crate::harness::{expect_none, root};
use crate::nginx::{self, Given, expected, serve};
use crate::scripts::mutants;
use crate::support::subject::{Subject, Verdict, read_back};

/// A check by name.
type Check = fn(&Subject) -> Verdict;

/// Every check a mutation can name.
pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("reader", read_back),
    ("nginx -t", nginx_test),
    ("nginx origins", |subject| nginx_served(subject, nginx::cors)),
    ("nginx locations", |subject| {
        nginx_served(subject, nginx::locations)
    }),
    ("nginx tls", |subject| nginx_served(subject, nginx::tls)),
    ("nginx upgrade", |subject| nginx_served(subject, nginx::upgrade)),
    ("regedit", registry::regedit),
    ("hivexregedit", registry::hivex),
    ("registry there and back", registry::there_and_back),
    ("xdt", documents::document),
    ("bytes stay", documents::bytes_stay),
    ("settings", documents::settings),
    ("channel", documents::channel),
    ("consult", terms::terms),
    ("ruby", lines::yaml),
    ("node and python", lines::json),
    ("settings.js", lines::references),
    ("shortcut", lines::shortcut),
    ("commands", commands::script),
    ("stops in Wine", mutants::stops),
    ("certificate with openssl", mutants::converted),
    ("deep check", commands::deep_check),
    ("rows", sql::rows),
    ("sqlfluff", sql::grammar),
    ("sha256sum", integrity::sums),
    ("verify.cmd", integrity::verify_cmd),
    ("verify.ps1", integrity::verify_ps1),
    ("model of PowerShell", power_shell::follows),
    ("browser", pages::page),
    ("self-contained", pages::self_contained),
];

fn nginx_test(subject: &Subject) -> Verdict {
    nginx::tested(expected(&subject.built.name), &subject.text, Given::Chain)
}

fn nginx_served(subject: &Subject, check: fn(&nginx::Served, &nginx::Expected) -> Verdict) -> Verdict {
    let expected = expected(&subject.built.name);
    check(&serve(expected, &subject.text, Given::Chain)?, expected)
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    line: usize,
    /// The rule that is broken, as in `proof.json`.
    pub(crate) rule: String,
    inventory: String,
    path: String,
    search: String,
    replace: String,
    pub(crate) check: String,
    /// A part of what the check has to say. A check that complains about something else did not see the mutation.
    says: String,
}

/// The table.
pub(crate) fn table() -> Vec<Mutation> {
    let text = std::fs::read_to_string(root().join("tests/mutations.tsv")).expect("the table");
    let rows = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    rows.map(|(number, line)| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [rule, inventory, path, search, replace, check, says] = cells.as_slice() else {
            panic!("mutations.tsv:{}: seven cells, not {}", number + 1, cells.len());
        };
        let meant = |cell: &str| cell.replace("\\n", "\n").replace("\\t", "\t");
        Mutation {
            line: number + 1,
            rule: (*rule).to_owned(),
            inventory: (*inventory).to_owned(),
            path: (*path).to_owned(),
            search: meant(search),
            replace: meant(replace),
            check: (*check).to_owned(),
            says: meant(says),
        }
    })
    .collect()
}

fn check_named(name: &str) -> Option<Check> {
    CHECKS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, check)| *check)
}

/// Runs a check. A verdict is what it returns; a panic means that it could not try the text at all.
fn judge(check: Check, subject: &Subject) -> Result<Verdict, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(subject))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("no message").to_owned()
    })
}

/// What is wrong with one row: the mutation cannot be made or tried, or the check likes the mutant or complains about
/// something else.
fn complaint(mutation: &Mutation) -> Option<String> {
    let Mutation {
        line,
        inventory,
        path,
        search,
        replace,
        check,
        says,
        ..
    } = mutation;
    let Some(check) = check_named(check) else {
        return Some(format!("mutations.tsv:{line}: there is no check `{check}`"));
    };
    let mut subject = Subject::new(inventory, path);
    if !subject.text.contains(search.as_str()) {
        return Some(format!(
            "mutations.tsv:{line}: `{search}` is not in {inventory} {path}"
        ));
    }
    subject.text = subject.text.replacen(search.as_str(), replace, 1);
    match judge(check, &subject) {
        Ok(Ok(())) => Some(format!(
            "mutations.tsv:{line}: survived, `{}` notices nothing",
            mutation.check
        )),
        Ok(Err(text)) if text.contains(says.as_str()) => None,
        Ok(Err(text)) => Some(format!(
            "mutations.tsv:{line}: `{}` should say `{says}`, not: {text}",
            mutation.check
        )),
        Err(text) => Some(format!(
            "mutations.tsv:{line}: `{}` could not be set up, which is no verdict: {text}",
            mutation.check
        )),
    }
}

/// Runs jobs on a few threads, because they mostly wait for programs.
fn side_by_side<T: Sync, R: Send>(jobs: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some(job) = jobs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            done.push(run(job));
        }
        done
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    })
}

#[test]
fn no_mutation_survives() {
    let mutations = table();
    let complaints = side_by_side(&mutations, complaint);
    expect_none(&complaints.into_iter().flatten().collect::<Vec<_>>());
}

#[test]
fn checks_are_content_with_what_is_shipped() {
    let subjects: BTreeSet<(String, String, String)> = table()
        .into_iter()
        .map(|row| (row.check, row.inventory, row.path))
        .collect();
    let subjects: Vec<_> = subjects.into_iter().collect();
    let complaints = side_by_side(&subjects, |(name, inventory, path)| {
        let check = check_named(name)?;
        let verdict = check(&Subject::new(inventory, path));
        verdict
            .err()
            .map(|text| format!("{name} complains about {inventory} {path} as it is: {text}"))
    });
    expect_none(&complaints.into_iter().flatten().collect::<Vec<_>>());
}

#[test]
fn every_check_notices_something_and_every_kind_of_artifact_is_broken() {
    let table = table();
    let mut missing = String::new();
    for (name, _) in CHECKS {
        if !table.iter().any(|row| row.check == *name) {
            writeln!(missing, "the check `{name}` never notices anything").expect("a String");
        }
    }
    let mut formats: BTreeMap<&str, usize> = Format::ALL.iter().map(|format| (format.name(), 0)).collect();
    // Nothing that is deployed is plain text.
    formats.remove(Format::Text.name());
    formats.remove(Format::Markdown.name());
    for row in &table {
        *formats
            .entry(Subject::new(&row.inventory, &row.path).format.name())
            .or_default() += 1;
    }
    for (format, _) in formats.iter().filter(|(_, count)| **count == 0) {
        writeln!(missing, "no text of the format {format} is broken").expect("a String");
    }
    for rule in 1..=12 {
        if !table.iter().any(|row| row.rule == format!("0.{rule}")) {
            writeln!(missing, "rule 0.{rule} is never broken").expect("a String");
        }
    }
    assert!(missing.is_empty(), "{missing}");
}
