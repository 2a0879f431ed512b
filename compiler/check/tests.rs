//! Each rule refuses an inventory that every other rule accepts.
//!
//! `mutations.json` has one good inventory and, for every code, small changes that bring out that code. The same cases
//! stand as files below `tests/errors/`, where they run through the real loader.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{check, collect, some_names};
use crate::codes::{self, Severity};
use crate::contract::artifact::Role;
use crate::diag::Diagnostics;
use crate::inventory::Places;
use crate::inventory::model::{Inventory, Server};

/// Codes every inventory has: the guide leaves these open and no key settles them.
const ALWAYS: [&str; 2] = ["CB0422", "CB0440"];

/// The good inventory, with a second Core server.
pub(super) fn good() -> Inventory {
    let mut inventory: Inventory = serde_json::from_value(mutations()["base"].clone()).unwrap();
    inventory.servers[1].roles = vec![Role::Core, Role::Management];
    inventory
}

/// Every case with its document: the good one, changed.
fn documents(mutations: &Value) -> impl Iterator<Item = (&Value, Value)> {
    let cases = mutations["cases"].as_array().unwrap().iter();
    cases.map(|case| {
        let mut document = mutations["base"].clone();
        for (pointer, value) in case["set"].as_object().unwrap() {
            set(&mut document, pointer, value);
        }
        (case, document)
    })
}

fn mutations() -> Value {
    serde_json::from_str(include_str!("mutations.json")).unwrap()
}

/// Sets the value at a pointer; `null` removes it.
fn set(document: &mut Value, pointer: &str, value: &Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(map) if value.is_null() => {
            assert!(map.shift_remove(key).is_some() || key == "rabbitmq", "{pointer}");
        }
        Value::Object(map) => {
            map.insert(key.into(), value.clone());
        }
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value.clone(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            panic!("{pointer} leads into {other}")
        }
    }
}

/// Codes an inventory brings out; every place of a finding must exist or lie directly in a section that exists.
fn found(document: &Value) -> BTreeSet<&'static str> {
    let inventory: Inventory = serde_json::from_value(document.clone()).unwrap();
    let problems = collect(
        &inventory,
        &|pointer| document.pointer(pointer).is_none(),
        Some("2026-12-01"),
    );
    for problem in &problems {
        let places = std::iter::once(&problem.place).chain(problem.related.iter().map(|(place, _)| place));
        for place in places {
            let pointer = place.pointer();
            let section = pointer.split('/').take(2).collect::<Vec<_>>().join("/");
            assert!(
                document.pointer(pointer).is_some() || document.pointer(&section).is_some(),
                "{}: {pointer}",
                problem.code.id()
            );
        }
        assert!(problem.help.is_some(), "{} has no help", problem.code.id());
        assert!(!problem.message.ends_with('.'), "{}", problem.message);
    }
    problems.iter().map(|problem| problem.code.id()).collect()
}

#[test]
fn each_mutation_brings_out_its_code_alone() {
    let mutations = mutations();
    assert_eq!(found(&mutations["base"]), BTreeSet::from(ALWAYS));
    let mut failures = Vec::new();
    for (case, document) in documents(&mutations) {
        let mut expected = BTreeSet::from(ALWAYS);
        expected.insert(case["code"].as_str().unwrap());
        for also in case["also"].as_array().unwrap() {
            match also.as_str().unwrap().strip_prefix('-') {
                Some(without) => expected.remove(without),
                None => expected.insert(also.as_str().unwrap()),
            };
        }
        let found = found(&document);
        if found != expected {
            failures.push(format!("{} {}: {found:?}", case["code"], case["name"]));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Whoever reads about a key in the reference or with `explain` finds every check that points at it.
#[test]
fn the_reference_names_the_checks_that_point_at_a_key() {
    let mutations = mutations();
    let keys: BTreeSet<String> = crate::reference::keys().into_iter().map(|key| key.path).collect();
    let named = crate::reference::checks_by_key();
    let mut missing = BTreeSet::new();
    for (_, document) in documents(&mutations) {
        let inventory: Inventory = serde_json::from_value(document.clone()).unwrap();
        let is_default = |pointer: &str| document.pointer(pointer).is_none();
        for problem in collect(&inventory, &is_default, Some("2026-12-01")) {
            let segments = problem.place.pointer().split('/').skip(1);
            let mut path = String::new();
            for segment in segments {
                if segment.parse::<usize>().is_ok() {
                    path.push_str("[]");
                } else {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(segment);
                }
            }
            // The items of a list of texts have no row of their own, nor have sections and what stands below `keep`.
            let path = path.trim_end_matches("[]");
            let below = format!("{path}.");
            let items = format!("{path}[].");
            let is_section = keys
                .iter()
                .any(|key| key.starts_with(&below) || key.starts_with(&items));
            let has = named.get(path).is_some_and(|codes| codes.contains(&problem.code));
            if keys.contains(path) && !is_section && !has {
                missing.insert(format!("{}: {path}", problem.code.id()));
            }
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn every_code_has_a_mutation() {
    let mutations = mutations();
    let tried: BTreeSet<&str> = mutations["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["code"].as_str().unwrap())
        .collect();
    let declared: BTreeSet<&str> = codes::ALL
        .iter()
        .map(|code| code.id())
        // From CB0493 on: what only `check --lint` says.
        .filter(|id| ("CB0301".."CB0493").contains(id))
        // What the times of the planned runbook say; no rule here knows them.
        .filter(|id| !("CB0415".."CB0418").contains(id))
        .collect();
    assert_eq!(tried, declared);
}

#[test]
fn severity_follows_the_range() {
    for code in codes::ALL {
        let expected = match code.id().get(..4) {
            Some("CB03") => Severity::Error,
            Some("CB04") => Severity::Warning,
            _ => continue,
        };
        assert_eq!(code.severity(), expected, "{}", code.id());
    }
}

#[test]
fn warnings_go_on_and_errors_do_not() {
    let mutations = mutations();
    let good: Inventory = serde_json::from_value(mutations["base"].clone()).unwrap();
    let mut diagnostics = Diagnostics::new();
    let checked = check(&mut diagnostics, good.clone(), &Places::empty(), None).unwrap();
    assert_eq!(checked.warnings().len(), diagnostics.iter().count());
    assert_eq!(checked.inventory().servers.len(), 3);
    let mut bad = good;
    bad.servers.clear();
    assert!(check(&mut Diagnostics::new(), bad, &Places::empty(), None).is_err());
}

/// A thousand servers, all with the same name and upstreams to nowhere: no rule may compare all with all.
#[test]
fn a_thousand_bad_servers_are_checked_at_once() {
    let mutations = mutations();
    let mut inventory: Inventory = serde_json::from_value(mutations["base"].clone()).unwrap();
    let template = inventory.servers[2].clone();
    inventory.servers = (0..1000)
        .map(|index| {
            let mut server: Server = template.clone();
            server.proxy = Some(format!("proxy{index}.acme.example"));
            for upstream in &mut server.rabbitmq.as_mut().unwrap().upstreams {
                upstream.server = format!("NOWHERE{index}");
            }
            server
        })
        .collect();
    let problems = collect(&inventory, &|_| true, None);
    let count = |id: &str| problems.iter().filter(|problem| problem.code.id() == id).count();
    assert_eq!(count("CB0301"), 999);
    assert_eq!(count("CB0354"), 2000);
    assert_eq!(count("CB0321"), 1000);
    assert_eq!(count("CB0440"), 1);
}

#[test]
fn many_names_stay_on_one_line() {
    for (names, expected) in [
        (&["A"][..], "`A`"),
        (&["A", "B"], "`A` and `B`"),
        (&["A", "B", "C"], "`A`, `B` and `C`"),
        (&["A", "B", "C", "D", "E"], "`A`, `B`, `C` and 2 more"),
    ] {
        assert_eq!(some_names(names), expected);
    }
}
