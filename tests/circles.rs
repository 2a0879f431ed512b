//! No two files of the product import each other, directly or by way of others.
//!
//! Imports are read from the text: `use`, and paths that begin with `crate`, `super`, `self` or the name of a child. A child
//! that names what its parent defines is no circle: the parent is the face of the room, and what all its files share may
//! stand there.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::expect_none;
use crate::tidy::product_code;

/// Names from the root of the crate to a module; the crate's own name is the first.
type Module = Vec<String>;

/// The modules of all crates, each with its file below `compiler/` and its code.
fn modules() -> BTreeMap<Module, (String, String)> {
    let files = product_code()
        .into_iter()
        .filter(|(name, _)| !name.ends_with("_tests.rs") && !name.contains("/tests/") && name != "main.rs");
    let modules = files.map(|(name, code)| {
        let stem = name.trim_end_matches(".rs");
        let (krate, stem) = match stem.split_once('/') {
            Some((krate @ ("formats" | "windows"), stem)) => (krate, stem),
            _ => ("cbgen", stem),
        };
        let steps = stem.split('/').filter(|&step| step != "mod" && step != "lib");
        let module = std::iter::once(krate).chain(steps).map(str::to_owned).collect();
        (module, (name, code))
    });
    modules.collect()
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn spread(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((path, inner)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().to_owned()];
    };
    let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
    let (mut depth, mut start, mut branches) = (0_usize, 0, Vec::new());
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    branches.push(&inner[start..]);
    let branches = branches.into_iter().filter(|branch| !branch.trim().is_empty());
    branches
        .flat_map(spread)
        .map(|branch| format!("{path}{branch}"))
        .collect()
}

/// Every path that a code names: its imports, and paths of at least two names elsewhere.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let words = line.trim_start().split_once("use ");
        let Some((_, tree)) = words.filter(|(before, _)| before.is_empty() || before.starts_with("pub"))
        else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree.push_str(lines.next().expect("an import ends"));
        }
        found.extend(spread(tree.split(';').next().unwrap_or_default()));
    }
    let word = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let words = rest.split(|character| !word(character));
    found.extend(words.filter(|word| word.contains("::")).map(str::to_owned));
    found
}

/// The module in whose file a path ends, seen from `from`: the longest one that is there.
fn resolve(path: &str, from: &Module, modules: &BTreeMap<Module, (String, String)>) -> Option<Module> {
    let mut steps = path.split("::").map(str::trim).peekable();
    let mut module = match *steps.peek()? {
        "crate" => from.get(..1)?.to_vec(),
        "self" | "super" => from.clone(),
        child => {
            let with_child = [from.as_slice(), &[child.to_owned()]].concat();
            modules.contains_key(&with_child).then(|| from.clone())?
        }
    };
    for step in steps {
        match step {
            "crate" | "self" => {}
            "super" => drop(module.pop()),
            name => {
                module.push(name.to_owned());
                if !modules.contains_key(&module) {
                    module.pop();
                    break;
                }
            }
        }
    }
    modules.contains_key(&module).then_some(module)
}

#[test]
fn no_files_import_each_other() {
    let modules = modules();
    let mut imports: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, (_, code)) in &modules {
        let used = paths(code)
            .into_iter()
            .filter_map(|path| resolve(&path, module, &modules));
        let used = used.filter(|used| !module.starts_with(used)).collect();
        imports.insert(module, used);
    }
    let reached = |module: &Module| {
        let mut reached = BTreeSet::new();
        let mut next = vec![module];
        while let Some(module) = next.pop() {
            for used in &imports[module] {
                if reached.insert(used) {
                    next.push(used);
                }
            }
        }
        reached
    };
    let file = |module: &Module| format!("compiler/{}", modules[module].0);
    let complaints: Vec<String> = modules
        .keys()
        .filter(|module| reached(module).contains(module))
        .map(|module| {
            let back = imports[module]
                .iter()
                .filter(|used| reached(used).contains(module));
            let back: Vec<String> = back.map(file).collect();
            format!(
                "{} imports {}, and is imported there",
                file(module),
                back.join(" and ")
            )
        })
        .collect();
    expect_none(&complaints);
}

#[test]
fn imports_of_every_form_are_followed() {
    assert_eq!(spread("a::{b, c::{d as x, e}}"), ["a::b", "a::c::d", "a::c::e"]);
    assert_eq!(
        paths("use crate::{a, b::c};\nlet x = super::d::E;\npub use self::f;"),
        ["crate::a", "crate::b::c", "self::f", "super::d::E"]
    );
    let module = |path: &str| path.split('/').map(str::to_owned).collect::<Module>();
    let modules: BTreeMap<Module, (String, String)> = ["cbgen", "cbgen/a", "cbgen/a/b", "cbgen/c"]
        .iter()
        .map(|path| (module(path), (String::new(), String::new())))
        .collect();
    let from = |from: &str, path: &str| resolve(path, &module(from), &modules);
    assert_eq!(from("cbgen/c", "crate::a::b::Name"), Some(module("cbgen/a/b")));
    assert_eq!(from("cbgen/c", "super::a::Name"), Some(module("cbgen/a")));
    assert_eq!(from("cbgen/a", "b::name"), Some(module("cbgen/a/b")));
    assert_eq!(from("cbgen/c", "std::fmt"), None);
}
