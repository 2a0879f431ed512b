//! Tests of the whole way from two sides to a report, with small bundles made on the spot.
#![expect(
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::needless_for_each,
    reason = "a test may stop where it stands"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::bundle::{ArtifactRecord, BundleIdentity, Part, bundle};
use crate::contract::artifact::{Effect, Role, Rollback, Scope};
use crate::contract::manifest::{ServerEntry, Warning};
use crate::contract::path::BundlePath;
use crate::contract::phase::Phase;
use crate::diag::Diagnostics;
use crate::diff::{Side, Snapshot, compare, html, json, markdown, report, text};
use crate::formats::Format;

/// Servers with their texts by path; the extension gives the format.
type Texts = BTreeMap<(String, String), String>;

fn format_of(path: &str) -> Format {
    match path.rsplit('.').next().unwrap_or_default() {
        "json" => Format::Json,
        "sql" => Format::Sql,
        "conf" => Format::Nginx,
        _ => Format::Text,
    }
}

fn snapshot(name: &str, texts: &Texts, warnings: &[&str]) -> Snapshot {
    let servers: BTreeSet<&str> = texts.keys().map(|(server, _)| server.as_str()).collect();
    let servers = servers.into_iter().map(|name| ServerEntry {
        name: name.to_owned(),
        fqdn: format!("{}.acme.example", name.to_lowercase()),
        roles: vec![Role::Core],
    });
    let parts = texts.iter().map(|((server, path), text)| Part {
        path: BundlePath::parse(&format!("servers/{server}/{path}")).unwrap(),
        review_sha256: crate::contract::digest::Digest::of(text.as_bytes()),
        text: text.clone(),
        record: ArtifactRecord {
            scope: Scope::Server,
            server: Some(server.clone()),
            title: format!("Title of {path}"),
            requirements: vec!["NGX-1".into()],
            target: Some(format!("D:\\{path}")),
            format: format_of(path),
            effect: Effect::ReplaceFile,
            phase: Phase::Components,
            rollback: Rollback::Captured,
            restarts: vec!["Some Service".into()],
        },
        origin: None,
    });
    let identity = BundleIdentity {
        name: name.to_owned(),
        version: "1".into(),
        change: None,
        window: None,
    };
    let warnings = warnings.iter().map(|message| Warning {
        code: "CB0401".into(),
        message: (*message).to_owned(),
    });
    let made = bundle(
        &mut Diagnostics::new(),
        identity,
        Vec::new(),
        servers.collect(),
        warnings.collect(),
        parts.collect(),
    );
    Snapshot::of_bundle(name, &made.unwrap())
}

fn side(label: &str, snapshots: Vec<Snapshot>) -> Side {
    Side {
        label: label.into(),
        snapshots,
        failed: Vec::new(),
    }
}

fn texts(list: &[(&str, &str, &str)]) -> Texts {
    list.iter()
        .map(|(server, path, text)| (((*server).into(), (*path).into()), (*text).into()))
        .collect()
}

fn check(old: &[(&str, &str, &str)], new: &[(&str, &str, &str)]) -> Report {
    let old = side("old", vec![snapshot("acme", &texts(old), &[])]);
    let new = side("new", vec![snapshot("acme", &texts(new), &[])]);
    report(&compare(&old, &new))
}

fn servers(places: &[Place]) -> Vec<&str> {
    places
        .iter()
        .map(|place| place.server.as_deref().unwrap())
        .collect()
}

#[test]
fn the_same_change_is_one_group_whatever_the_server_is_called() {
    let old = [
        ("A01", "x.json", "{\"host\": \"a01.acme.example\", \"a\": 1}\n"),
        ("A02", "x.json", "{\"host\": \"a02.acme.example\", \"a\": 1}\n"),
        ("A03", "x.json", "{\"host\": \"a03.acme.example\", \"a\": 1}\n"),
    ];
    let new = [
        (
            "A01",
            "x.json",
            "{\"host\": \"https://a01.acme.example\", \"a\": 1}\n",
        ),
        (
            "A02",
            "x.json",
            "{\"host\": \"https://a02.acme.example\", \"a\": 2}\n",
        ),
        ("A03", "x.json", "{\"host\": \"a03.acme.example\",\n\"a\": 1}\n"),
    ];
    let found = check(&old, &new);
    assert_eq!(found.groups.len(), 2, "{:#?}", found.groups);
    assert_eq!(
        found.groups[0].facts[0].new.as_deref(),
        Some("\"https://‹fqdn›\"")
    );
    assert_eq!(servers(&found.groups[0].places), ["A01", "A02"]);
    assert_eq!(servers(&found.groups[1].places), ["A02"]);
    assert_eq!(servers(&found.servers.layout_only), ["A03"]);
    assert_eq!(servers(&found.servers.changed), ["A01", "A02", "A03"]);
}

#[test]
fn a_renamed_server_is_no_new_server() {
    let old = [
        ("A01", "x.json", "{\"host\": \"a01.acme.example\"}\n"),
        ("B", "x.json", "{}\n"),
    ];
    let new = [
        ("C01", "x.json", "{\"host\": \"c01.acme.example\"}\n"),
        ("B", "x.json", "{}\n"),
    ];
    let found = check(&old, &new);
    let names = |(old, new): &(Place, Place)| (old.server.clone().unwrap(), new.server.clone().unwrap());
    assert_eq!(
        found.servers.renamed.iter().map(names).collect::<Vec<_>>(),
        [("A01".into(), "C01".into())]
    );
    assert!(found.groups.is_empty() && found.differs());
    assert_eq!(found.artifacts.names_only.len(), 1);
    assert!(found.servers.changed.is_empty() && found.servers.added.is_empty());
}

#[test]
fn a_moved_server_keeps_its_name() {
    let one = texts(&[("A", "x.json", "{\"a\": 1}\n")]);
    let two = texts(&[("B", "x.json", "{\"a\": 1}\n")]);
    let both = texts(&[("A", "x.json", "{\"a\": 2}\n"), ("B", "x.json", "{\"a\": 1}\n")]);
    let old = side(
        "old",
        vec![snapshot("first", &one, &[]), snapshot("second", &two, &[])],
    );
    let new = side(
        "new",
        vec![
            snapshot("first", &Texts::new(), &[]),
            snapshot("second", &both, &[]),
        ],
    );
    let found = report(&compare(&old, &new));
    assert_eq!(found.servers.renamed.len(), 1);
    assert_eq!(found.groups.len(), 1);
    assert_eq!(servers(&found.servers.changed), ["A"]);
    assert!(text::render(&found, None).contains("first: A → second: A"));
}

#[test]
fn secrets_never_appear_and_still_count() {
    let old = [("A", "x.json", "{\"password\": \"hunter22\", \"dsn\": \"x\"}\n")];
    let new = [(
        "A",
        "x.json",
        "{\"password\": \"hunter33\", \"dsn\": \"Server=a;Password=hunter44\"}\n",
    )];
    let found = check(&old, &new);
    assert_eq!(found.groups[0].facts.len(), 2);
    for page in [
        text::render(&found, None),
        markdown::render(&found, markdown::BUDGET),
        html::render(&found),
        json::render(&found),
    ] {
        assert!(!page.contains("hunter"), "{page}");
        assert!(page.contains("looks like a secret"), "{page}");
    }
}

#[test]
fn warnings_come_and_go() {
    let same = texts(&[("A", "x.json", "{}\n")]);
    let old = side("old", vec![snapshot("acme", &same, &["stays", "goes"])]);
    let new = side("new", vec![snapshot("acme", &same, &["stays", "comes"])]);
    let found = report(&compare(&old, &new));
    assert_eq!(found.new_warnings[0].text, "CB0401: comes");
    assert_eq!(found.gone_warnings[0].text, "CB0401: goes");
    assert!(found.differs());
}

#[test]
fn markup_in_values_stays_text() {
    let nasty = "</details>|`x` ``` <script>alert(1)</script> \\u202e [a](b) @all";
    let new = format!("{{\"a|b<i>\": \"{nasty}\"}}\n");
    let found = check(
        &[("A", "x.json", "{\"a|b<i>\": \"1\"}\n")],
        &[("A", "x.json", new.as_str())],
    );
    let page = html::render(&found);
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(page.contains("&lt;script&gt;alert"), "{page}");
    assert!(!page.contains('\u{202e}'), "{page}");
    let comment = markdown::render(&found, markdown::BUDGET);
    assert!(comment.contains("````diff\n"), "{comment}");
    balanced(&comment).unwrap();
}

#[test]
fn the_page_loads_nothing() {
    let found = check(
        &[("A", "x.json", "{\"a\": 1}\n")],
        &[("A", "x.json", "{\"a\": 2}\n")],
    );
    let page = html::render(&found);
    assert_eq!(crate::formats::html::items(&page).map(|_| ()), Ok(()));
}

/// Every fence and every fold is closed, and the table rows have as many cells as their header.
fn balanced(comment: &str) -> Result<(), String> {
    let (mut open, mut fence, mut cells) = (0, None, None);
    for line in comment.lines() {
        if let Some(length) = fence {
            if line.len() >= length && line.bytes().all(|byte| byte == b'`') {
                fence = None;
            }
            continue;
        }
        if line.starts_with("```") {
            fence = Some(line.bytes().take_while(|byte| *byte == b'`').count());
            continue;
        }
        open += line.matches("<details>").count();
        open -= line.matches("</details>").count();
        if line.starts_with('|') {
            let pipes = line.replace("\\|", "").matches('|').count();
            if *cells.get_or_insert(pipes) != pipes {
                return Err(format!("cells differ: {line}"));
            }
        } else {
            cells = None;
        }
    }
    if open == 0 && fence.is_none() {
        Ok(())
    } else {
        Err(format!("not closed:\n{comment}"))
    }
}

/// What is done to one text.
#[derive(Clone, Debug)]
enum Edit {
    Layout(usize),
    Value(usize, u8),
    Remove(usize),
    Add(u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..64usize).prop_map(Edit::Layout),
        (0..64usize, 2..5u8).prop_map(|(at, value)| Edit::Value(at, value)),
        (0..64usize).prop_map(Edit::Remove),
        (0..4u8).prop_map(Edit::Add),
    ]
}

fn start(count: usize) -> Texts {
    let mut texts = Texts::new();
    for server in 0..count {
        let name = format!("CORE{server:02}");
        let json = format!(
            "{{\"host\": \"{}.acme.example\", \"value\": \"v1\"}}\n",
            name.to_lowercase()
        );
        texts.insert((name.clone(), "a.json".into()), json);
        let sql = ":on error exit\nSET QUOTED_IDENTIFIER ON;\nSET XACT_ABORT ON;\nBEGIN TRY\nBEGIN TRAN;\n\
            UPDATE [dbo].[T] SET [a] = N'v1' WHERE [b] = 1;\nSET @n = @@ROWCOUNT;\n\
            IF @n <> 1 BEGIN THROW 50001, N'x', 1; END\nCOMMIT;\nEND TRY\n\
            BEGIN CATCH\nIF XACT_STATE() <> 0 ROLLBACK;\nTHROW;\nEND CATCH\nGO\n";
        texts.insert((name.clone(), "b.sql".into()), sql.into());
        texts.insert(
            (name, "c.conf".into()),
            "events {\n}\nhttp {\n    keepalive_timeout 1;\n}\n".into(),
        );
    }
    texts
}

fn apply(texts: &mut Texts, edit: &Edit) {
    let key = |at: usize| texts.keys().nth(at % texts.len().max(1)).cloned();
    match edit {
        Edit::Layout(at) => {
            if let Some(key) = key(*at) {
                let text = &texts[&key];
                let other = match format_of(&key.1) {
                    Format::Json => text.replace(", ", ",\n  "),
                    Format::Sql => text.replace(" SET [a]", "\n  SET [a]"),
                    _ => text.replace("    keepalive", "\n\n      keepalive"),
                };
                texts.insert(key, other);
            }
        }
        Edit::Value(at, value) => {
            if let Some(key) = key(*at) {
                let text = &texts[&key];
                let digits = |text: &str, before: &str| {
                    let at = text.find(before).unwrap() + before.len();
                    format!("{}{value}{}", &text[..at], &text[at + 1..])
                };
                let other = match format_of(&key.1) {
                    Format::Json => digits(text, "\"v"),
                    Format::Sql => digits(text, "N'v"),
                    _ => digits(text, "keepalive_timeout "),
                };
                texts.insert(key, other);
            }
        }
        Edit::Remove(at) => {
            if let Some(key) = key(*at) {
                texts.remove(&key);
            }
        }
        Edit::Add(which) => {
            let server = texts
                .keys()
                .next()
                .map_or("CORE00".into(), |(server, _)| server.clone());
            texts.insert(
                (server, format!("new{which}.json")),
                "{\"value\": \"v1\"}\n".into(),
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_report_names_exactly_what_changed(
        count in 1..7usize,
        edits in prop::collection::vec(edit(), 0..8),
        budget in prop_oneof![Just(60_000usize), 500..4_000usize],
    ) {
        let old = start(count);
        let mut new = old.clone();
        edits.iter().for_each(|edit| apply(&mut new, edit));
        let sides = (
            side("old", vec![snapshot("acme", &old, &[])]),
            side("new", vec![snapshot("acme", &new, &[])]),
        );
        let found = report(&compare(&sides.0, &sides.1));

        // Servers by bytes, computed in the simplest way.
        let of = |texts: &Texts| -> BTreeMap<String, Vec<(String, String)>> {
            let mut by_server: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
            for ((server, path), text) in texts {
                by_server.entry(server.clone()).or_default().push((path.clone(), text.clone()));
            }
            by_server
        };
        let (before, now) = (of(&old), of(&new));
        let expect: Vec<&str> = now
            .iter()
            .filter(|(server, texts)| before.get(*server).is_some_and(|old| old != *texts))
            .map(|(server, _)| server.as_str())
            .collect();
        prop_assert_eq!(servers(&found.servers.changed), expect.clone());
        prop_assert_eq!(found.differs(), old != new);

        // A value that differs is always a fact, a layout never.
        let meaning = |text: &str| text.split_whitespace().collect::<String>();
        let real: BTreeSet<(String, String)> = old
            .iter()
            .filter(|(key, text)| new.get(*key).is_some_and(|new| meaning(new) != meaning(text)))
            .map(|(key, _)| key.clone())
            .collect();
        prop_assert_eq!(found.artifacts.changed.values().sum::<usize>(), real.len());
        let layout = old
            .iter()
            .filter(|(key, text)| new.get(*key).is_some_and(|new| new != *text && meaning(new) == meaning(text)))
            .count();
        prop_assert_eq!(found.artifacts.layout_only.values().sum::<usize>(), layout);
        let mut grouped = BTreeSet::new();
        for group in found.groups.iter().filter(|group| group.change == Change::Changed) {
            prop_assert!(!group.facts.is_empty());
            for server in servers(&group.places) {
                grouped.extend(group.artifacts.iter().map(|artifact| (server.to_owned(), artifact.clone())));
            }
        }
        prop_assert_eq!(grouped, real);

        let comment = markdown::render(&found, budget);
        prop_assert_eq!(balanced(&comment), Ok(()));
        let least = markdown::render(&found, 0).chars().count();
        prop_assert!(comment.chars().count() <= budget.max(least), "{} of {budget}", comment.chars().count());
        prop_assert_eq!(named(&comment, "changed servers"), expect);
    }
}

/// The names in a row of the head, ranges written out.
fn named(comment: &str, label: &str) -> Vec<String> {
    let start = format!("| {label} | ");
    let row = comment
        .lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap();
    let cell = row.split('|').nth(1).unwrap().trim();
    let mut names = Vec::new();
    for part in cell.split(", ").filter(|part| !part.is_empty()) {
        match part.trim_matches('`').split_once('…') {
            Some((first, last)) => {
                let number = |name: &str| name["CORE".len()..].parse::<usize>().unwrap();
                names.extend((number(first)..=number(last)).map(|number| format!("CORE{number:02}")));
            }
            None => names.push(part.trim_matches('`').to_owned()),
        }
    }
    names
}

#[test]
fn the_length_does_not_depend_on_the_number_of_servers() {
    let length = |count: usize| {
        let old = start(count);
        let new: Texts = old
            .iter()
            .map(|(key, text)| (key.clone(), text.replace("v1", "v2")))
            .collect();
        let old = side("old", vec![snapshot("acme", &old, &[])]);
        let new = side("new", vec![snapshot("acme", &new, &[])]);
        let found = report(&compare(&old, &new));
        assert_eq!(found.groups.len(), 2);
        markdown::render(&found, markdown::BUDGET).len()
    };
    let (few, many) = (length(10), length(90));
    assert!(many < few + 100, "{few} and {many}");
}

/// What a manifest can say, one change each. `inputs` is not here: it says where a bundle came from and nothing of what
/// it does; what an input changes is in the artifacts.
#[test]
fn every_other_word_of_a_manifest_is_a_difference() {
    type Edit = fn(&mut crate::contract::manifest::Manifest);
    let edits: [(&str, Edit); 14] = [
        ("version 1 → 2", |manifest| manifest.bundle.version = "2".into()),
        ("CHG7", |manifest| manifest.bundle.change = Some("CHG7".into())),
        ("cbgen 9.9.9", |manifest| {
            manifest.generator.version = "9.9.9".into();
        }),
        ("other ", |manifest| manifest.generator.name = "other".into()),
        ("evil.example, core", |manifest| {
            manifest.servers[0].fqdn = "evil.example".into();
        }),
        ("a.acme.example, core and management", |manifest| {
            manifest.servers[0].roles.push(Role::Management);
        }),
        ("Title of nothing", |manifest| {
            manifest.artifacts[0].title = "Title of nothing".into();
        }),
        ("NGX-1, SQL-9", |manifest| {
            manifest.artifacts[0].requirements.push("SQL-9".into());
        }),
        ("E:\\y", |manifest| {
            manifest.artifacts[0].target = Some("E:\\y".into());
        }),
        ("SetLines", |manifest| {
            manifest.artifacts[0].effect = Effect::SetLines;
        }),
        ("iis", |manifest| manifest.artifacts[0].phase = Phase::Iis),
        ("one-way", |manifest| {
            manifest.artifacts[0].rollback = Rollback::OneWay;
        }),
        ("Some Service, RabbitMQ", |manifest| {
            manifest.artifacts[0].restarts.push("RabbitMQ".into());
        }),
        ("CB0401: new", |manifest| {
            manifest.warnings.push(Warning {
                code: "CB0401".into(),
                message: "new".into(),
            });
        }),
    ];
    let one = texts(&[("A", "x.json", "{\"a\": 1}\n")]);
    let old = side("old", vec![snapshot("acme", &one, &[])]);
    for (shown, edit) in edits {
        let mut made = snapshot("acme", &one, &[]);
        edit(&mut made.manifest);
        let new = side("new", vec![made]);
        let found = report(&compare(&old, &new));
        assert!(found.differs(), "{shown}");
        for text in [
            text::render(&found, None),
            markdown::render(&found, usize::MAX),
            html::render(&found),
        ] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }
}
