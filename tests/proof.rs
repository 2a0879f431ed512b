//! `docs/proof.md`: what of the rules for every format is proved, by which program, and what is not, made from
//! `proof.json` and `mutations.tsv`. A rule cannot name a test that does not exist.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use serde::Deserialize;
use walkdir::WalkDir;

use crate::harness::{blessing, expect_none, root};
use crate::mutations::table;
use crate::support::program::{finish, program, write};

/// One rule.
#[expect(clippy::struct_field_names, reason = "the names are the columns of the table")]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    rule: String,
    /// What the rule was shown to.
    consumer: String,
    standing: Standing,
    tests: Vec<String>,
    /// Why it is not proved by a real program.
    why: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Proved,
    Modelled,
    Open,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Modelled => "modelled",
            Self::Open => "not provable here",
        }
    }
}

const SECTIONS: &[&str] = &[
    "Registry files",
    "Batch scripts",
    "RabbitMQ",
    "nginx",
    "IIS and .NET",
    "SQL Server scripts",
    "TLS settings of Windows",
    "Erlang terms",
    "Other text formats",
    "Certificates",
    "The bundle itself",
];

/// The rules of each section, so that none gets lost.
const IDS: &[&str] = &[
    "1 2 3 4 5 6 7 8 9 10 11 12",
    "1a 1b 1c 2a 2b 2c 2d 2e 2f 2g 3a 3b 3c 3d 3e 3f 3g 3h 4a 4b 4c 4d 5 6 7a 7b 7c 7d 7e 7f 7g 7h 7i 7j",
    "1 2 3 4a 4b 4c 4d 4e 4f 4g 4h 4i 5a 5b 5c 5d 5e 5f 5g 6a 6b 6c 7a 7b 7c 7d 7e 7f 7g 7h 7i 7j 7k 8 8b 9 10 11",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    "1 2 3 4 5 6 7 8 9 10 11 12 13",
    "1 2 3 4 5 6 7 8 9 10 11 12 13",
    "1 2 3 4",
    "1 2 3 4 5 6",
    "1 2 3 4 5",
    "1 2 3 4 5",
    "1 2 3 4",
];

/// The rules whose breaking hurts most, numbered 0.1 to 0.12.
const TWELVE: &[&str] = &[
    "`log_levels` of the guide stops RabbitMQ 3.8.",
    "Login by common name with certificates that have none.",
    "Percent signs behind `call` that are not written four times.",
    "A `#` or `%` in a federation address, which drops the verification.",
    "A RabbitMQ tool without `call`, which ends the script with success.",
    "A proxy that calls itself, has no `location /`, or two locations that differ in case.",
    "The locked path of the error page.",
    "A stray blank in a registry key.",
    "A chain without its issuers.",
    "A broker that runs and lets nobody in.",
    "A transform that matches nothing, or has the wrong namespace.",
    "An update without its predicate or its count of rows.",
];

/// Program, arguments that make it tell its version, and what stands before the version.
const CONSUMERS: &[(&str, &str, &[&str], &str)] = &[
    ("nginx", "nginx", &["-v"], "nginx/"),
    ("openssl", "openssl", &["version"], "OpenSSL "),
    ("curl", "curl", &["--version"], "curl "),
    ("Wine", "/usr/lib/wine/wine64", &["--version"], "wine-"),
    (
        "hivexregedit",
        "dpkg-query",
        &["--show", "--showformat", "${Version}", "libwin-hivex-perl"],
        "",
    ),
    (
        "Erlang",
        "erl",
        &[
            "-noshell",
            "-eval",
            "io:put_chars(erlang:system_info(otp_release)), halt().",
        ],
        "",
    ),
    (
        "RabbitMQ",
        "dpkg-query",
        &["--show", "--showformat", "${Version}", "rabbitmq-server"],
        "",
    ),
    ("Mono", "mono", &["--version"], "version "),
    ("Ruby", "ruby", &["--version"], "ruby "),
    ("Node", "node", &["--version"], "v"),
    ("Python", "python3", &["--version"], "Python "),
    (
        "SQLite",
        "python3",
        &["-c", "import sqlite3; print(sqlite3.sqlite_version)"],
        "",
    ),
    (
        "sqlfluff",
        "target/python/bin/sqlfluff",
        &["--version"],
        "version ",
    ),
    ("Chromium", "chromium", &["--version"], "Chromium "),
    ("unzip", "unzip", &["-v"], "UnZip "),
];

fn rules() -> Vec<Rule> {
    let text = fs::read_to_string(root().join("tests/proof.json")).expect("the rules");
    serde_json::from_str(&text).expect("rules")
}

/// The version a program states.
fn version(name: &str, arguments: &[&str], before: &str) -> String {
    let ran = finish(program(name).args(arguments).current_dir(root()));
    let said = ran.stdout + &ran.stderr;
    let rest = said.split_once(before).map_or(said.as_str(), |(_, rest)| rest);
    rest.split(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn page(versions: &[String]) -> String {
    let rules = rules();
    let mutations = table();
    let count = |standing| rules.iter().filter(|rule| rule.standing == standing).count();
    let mut page = format!(
        "# What is proved\n\n\
         Made by the tests from `tests/proof.json` and `tests/mutations.tsv`; `CBGEN_BLESS=1 cargo test --test suite proof`\n\
         writes it anew. `tests/run` runs every proof.\n\n\
         Of {} rules {} are proved by a real program, {} by a model or the strict reader of the format, and {} cannot be\n\
         shown on Linux. {} broken texts are each noticed by the check that is named for them.\n\n\
         - **proved**: the program of the column, or the one that stands for it, read the generated file and did the right\n  thing; where it matters it was also seen doing the wrong thing with a broken file.\n\
         - **modelled**: no such program runs here, or it behaves differently; a model or the reader decides, for the reason given.\n\
         - **not provable here**: it depends on Windows; what is checked instead is named.\n\n\
         ## Programs\n\n| program | version |\n| --- | --- |\n",
        rules.len(),
        count(Standing::Proved),
        count(Standing::Modelled),
        count(Standing::Open),
        mutations.len(),
    );
    for ((name, ..), version) in CONSUMERS.iter().zip(versions) {
        writeln!(page, "| {name} | {version} |").expect("a String");
    }
    page.push_str(
        "\nMicrosoft's library for XML transforms is the one inside the tool of the package `tests/node.txt` names.\n\n\
         ## The twelve that hurt most\n\n| # | what | broken texts | noticed by |\n| --- | --- | --- | --- |\n",
    );
    let noticed = |id: &str| {
        let rows: Vec<_> = mutations.iter().filter(|row| row.rule == id).collect();
        let checks: BTreeSet<&str> = rows.iter().map(|row| row.check.as_str()).collect();
        (rows.len(), checks.into_iter().collect::<Vec<_>>().join(", "))
    };
    for (index, what) in TWELVE.iter().enumerate() {
        let (rows, checks) = noticed(&format!("0.{}", index + 1));
        writeln!(page, "| {} | {what} | {rows} | {checks} |", index + 1).expect("a String");
    }
    for (index, section) in SECTIONS.iter().enumerate() {
        let number = index + 1;
        write!(
            page,
            "\n## {number}. {section}\n\n| # | rule | program | standing | tests | broken texts |\n| --- | --- | --- | --- | --- | --- |\n"
        )
        .expect("a String");
        for rule in rules
            .iter()
            .filter(|rule| rule.id.split('.').next() == Some(&number.to_string()))
        {
            let tests: Vec<String> = rule.tests.iter().map(|test| format!("`{test}`")).collect();
            let standing = match rule.why.as_str() {
                "" => rule.standing.word().to_owned(),
                why => format!("{}: {why}", rule.standing.word()),
            };
            let (rows, checks) = noticed(&rule.id);
            let broken = if rows == 0 {
                String::new()
            } else {
                format!("{rows}: {checks}")
            };
            let Rule {
                id, rule, consumer, ..
            } = rule;
            writeln!(
                page,
                "| {id} | {rule} | {consumer} | {standing} | {} | {broken} |",
                tests.join(", ")
            )
            .expect("a String");
        }
    }
    page
}

#[test]
fn the_page_of_proofs_is_current() {
    let path = root().join("docs/proof.md");
    let versions: Vec<String> = CONSUMERS
        .iter()
        .map(|(_, name, arguments, before)| version(name, arguments, before))
        .collect();
    assert!(
        versions
            .iter()
            .all(|version| version.starts_with(|c: char| c.is_ascii_digit())),
        "{versions:?}"
    );
    if blessing() {
        write(&path, page(&versions));
        return;
    }
    // Another machine may have other versions; everything else has to be the same.
    let written = fs::read_to_string(&path).expect("docs/proof.md; CBGEN_BLESS=1 writes it");
    let of_page = |name: &str| {
        let row = written
            .lines()
            .find_map(|line| line.strip_prefix(&format!("| {name} | ")));
        row.and_then(|rest| rest.strip_suffix(" |"))
            .unwrap_or_default()
            .to_owned()
    };
    let noted: Vec<String> = CONSUMERS.iter().map(|(name, ..)| of_page(name)).collect();
    let difference = crate::harness::difference(&written, &page(&noted));
    assert!(
        difference.is_empty(),
        "docs/proof.md is old, CBGEN_BLESS=1 writes it:\n{difference}"
    );
}

#[test]
fn rules_name_tests_that_exist() {
    let mut code = String::new();
    for folder in ["compiler", "tests"] {
        let files = WalkDir::new(root().join(folder))
            .into_iter()
            .filter_map(Result::ok);
        for file in files.filter(|entry| entry.path().extension().is_some_and(|end| end == "rs")) {
            code.push_str(&fs::read_to_string(file.path()).expect("readable"));
        }
    }
    let mut complaints = Vec::new();
    let mut ids = BTreeSet::new();
    for Rule {
        id,
        standing,
        tests,
        why,
        ..
    } in rules()
    {
        if tests.is_empty() || (standing == Standing::Proved) != why.is_empty() {
            complaints.push(format!(
                "{id}: a proved rule has tests and no excuse, another one has both"
            ));
        }
        for test in tests {
            let name = test.rsplit("::").next().unwrap_or_default().to_owned();
            if !code.contains(&format!("fn {name}(")) {
                complaints.push(format!("{id}: there is no test {test}"));
            }
        }
        if !ids.insert(id.clone()) {
            complaints.push(format!("{id} is there twice"));
        }
    }
    for row in table() {
        if !row.rule.starts_with("0.") && !ids.contains(&row.rule) {
            complaints.push(format!(
                "mutations.tsv breaks the rule {}, which is not in proof.json",
                row.rule
            ));
        }
    }
    expect_none(&complaints);
}

#[test]
fn no_rule_is_lost() {
    let wanted: Vec<String> = IDS
        .iter()
        .enumerate()
        .flat_map(|(index, ids)| ids.split(' ').map(move |id| format!("{}.{id}", index + 1)))
        .collect();
    let found: Vec<String> = rules().into_iter().map(|rule| rule.id).collect();
    assert_eq!(found, wanted);
}
