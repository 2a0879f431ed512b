//! Rules of the repository that no compiler checks. Each sentence about layers in `ARCHITECTURE.md` has a test here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cbgen::{codes, explain};
use walkdir::WalkDir;

use crate::harness::{compare_text, expect_none, root};

/// Layers, low to high: a file may use its own layer and lower ones.
pub(crate) const LAYERS: &[(&str, &[&str])] = &[
    ("formats", &["formats"]),
    (
        "ground",
        &[
            "source", "diag", "codes", "explain", "json", "marks", "secrets", "report", "files",
        ],
    ),
    ("contract", &["contract", "edit"]),
    ("inventory", &["inventory"]),
    (
        "phases",
        &[
            "catalogue",
            "facts",
            "check",
            "templates",
            "plan",
            "runbook",
            "render",
            "bundle",
            "lint",
            "assemble",
        ],
    ),
    (
        "operations",
        &["coverage", "diff", "why", "show", "reference", "change"],
    ),
    ("edge", &["driver", "cli", "main", "lib"]),
];

/// Folders below `compiler/` that are crates of their own and know nothing of `cbgen`.
const CRATES: &[&str] = &["formats", "windows"];

/// Names that only some files may say, so that a library or a right stays in one place. Paths below `compiler/`.
const CONFINED: &[(&str, &[&str])] = &[
    ("annotate_snippets", &["report/human.rs"]),
    ("granit_parser", &["inventory/", "formats/edits/yaml.rs"]),
    ("jsonschema", &["inventory/", "templates"]),
    ("tera::", &["templates", "render"]),
    ("zip::", &["bundle/"]),
    ("sqlparser", &["formats/sql"]),
    ("roxmltree", &["formats/"]),
    (
        "similar::",
        &["diff", "why", "edit/", "change/plan/difference.rs"],
    ),
    ("indicatif", &["cli/"]),
    ("clap", &["cli/"]),
    ("anstream", &["cli/"]),
    ("std::fs", &["files", "cli/init.rs", "change/disk/", "windows/"]),
    ("unsafe {", &["windows/windows.rs"]),
    ("unsafe fn", &["windows/windows.rs"]),
    ("unsafe impl", &["windows/windows.rs"]),
    ("windows_sys", &["windows/windows.rs"]),
    (
        "rustix",
        &[
            "windows/unix.rs",
            "files/",
            "bundle/tree/hostile_tests.rs",
            "change/disk/",
            "cli/machine.rs",
        ],
    ),
    ("std::env", &["main.rs", "cli/"]),
    ("Instant::now", &["cli/phases.rs", "cli/machine.rs"]),
    ("std::process::Command", &["cli/git.rs", "cli/machine.rs"]),
    ("ssh_key", &["change/sign"]),
    ("rpassword", &["cli/sign.rs"]),
];

/// Lines above which a file is refused, and above which it is reported.
const TOO_LONG: usize = 700;
const LONG: usize = 500;

/// Every text file of the repository with its path, without what is built or fetched.
fn texts() -> BTreeMap<String, String> {
    let root = root();
    let wanted = |path: &Path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let in_package = path.parent() == Some(&root) || path.parent() == Some(&root.join("fuzz"));
        let made =
            name.starts_with("target") || ["corpus", "artifacts", "cbgen-review"].contains(&name.as_str());
        name != ".git" && !(in_package && made)
    };
    let entries = WalkDir::new(&root)
        .into_iter()
        .filter_entry(|entry| wanted(entry.path()));
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| {
            let name = entry
                .path()
                .strip_prefix(&root)
                .ok()?
                .to_string_lossy()
                .replace('\\', "/");
            let text = String::from_utf8(std::fs::read(entry.path()).ok()?).ok()?;
            Some((name, text))
        })
        .collect()
}

/// Rust files only; for product code the part before its unit tests, without comment lines.
pub(crate) fn product_code() -> Vec<(String, String)> {
    let files = texts().into_iter().filter_map(|(name, text)| {
        let name = name.strip_prefix("compiler/")?.to_owned();
        (name.ends_with(".rs") && !name.ends_with("/tests.rs")).then_some((name, text))
    });
    files
        .map(|(name, text)| {
            let code = text
                .split("\n#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            (name, lines.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module))
}

/// The modules named by `crate::name` and `crate::{name, …}`.
fn modules_used(code: &str) -> BTreeSet<&str> {
    names_behind("crate::", code)
}

/// The names that stand behind a path, alone or in braces.
fn names_behind<'a>(path: &str, code: &'a str) -> BTreeSet<&'a str> {
    let mut used = BTreeSet::new();
    for rest in code.split(path).skip(1) {
        let group = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default(),
            None => rest,
        };
        let count = if rest.starts_with('{') { usize::MAX } else { 1 };
        for name in group.split(',').take(count) {
            let name = name.trim();
            let end = name.find(|character: char| !character.is_alphanumeric() && character != '_');
            used.insert(name.get(..end.unwrap_or(name.len())).unwrap_or_default());
        }
    }
    used.remove("");
    used
}

#[test]
fn lower_layers_never_import_higher_ones() {
    let mut complaints = Vec::new();
    for (name, code) in product_code() {
        let module = name.split(['/', '.']).next().unwrap_or_default();
        // A crate of its own: Rust's compiler holds the wall, and `crate::` means the crate.
        if CRATES.contains(&module) {
            continue;
        }
        let Some(layer) = layer_of(module) else {
            complaints.push(format!(
                "compiler/{name}: add `{module}` to the layers in tests/tidy.rs"
            ));
            continue;
        };
        for used in modules_used(&code) {
            let Some(below) = layer_of(used) else {
                complaints.push(format!("compiler/{name}: `crate::{used}` is in no layer"));
                continue;
            };
            let within = |module| {
                LAYERS
                    .get(layer)
                    .and_then(|(_, modules)| modules.iter().position(|m| *m == module))
            };
            let backwards = below == layer && LAYERS[layer].0 == "phases" && within(used) > within(module);
            // The server's desk reads what is stored; how it was made is none of its business.
            let layer_name = LAYERS.get(below).map_or("", |(name, _)| name);
            let crosses = module == "change"
                && ["inventory", "phases", "operations"].contains(&layer_name)
                && !["change", "bundle"].contains(&used);
            if below > layer || backwards || crosses {
                complaints.push(format!("compiler/{name} ({module}) must not use `{used}`"));
            }
        }
    }
    expect_none(&complaints);
}

#[test]
fn the_change_window_stands_without_the_compiler() {
    const PHASES: &[&str] = &[
        "inventory",
        "catalogue",
        "facts",
        "check",
        "templates",
        "plan",
        "runbook",
        "render",
        "lint",
        "assemble",
        "driver",
    ];
    let mut complaints = Vec::new();
    for (name, code) in product_code()
        .into_iter()
        .filter(|(name, _)| name.starts_with("change/"))
    {
        for used in modules_used(&code)
            .into_iter()
            .filter(|used| PHASES.contains(used))
        {
            complaints.push(format!("compiler/{name} must not use `{used}`"));
        }
    }
    expect_none(&complaints);
}

#[test]
fn commands_never_import_each_other() {
    let code = product_code();
    let (_, dispatch) = code
        .iter()
        .find(|(name, _)| name == "cli/mod.rs")
        .expect("the list of commands");
    let commands: BTreeSet<&str> = dispatch
        .split("::run(&mut session")
        .filter_map(|before| before.rsplit(' ').next())
        .filter(|name| dispatch.contains(&format!("mod {name};")))
        .collect();
    assert!(commands.contains("diff") && commands.contains("server_plan"));
    let mut complaints = Vec::new();
    for (name, code) in code.iter().filter(|(name, _)| name.starts_with("cli/")) {
        if name == "cli/mod.rs" {
            continue;
        }
        let beside = names_behind("super::", code);
        for used in beside.union(&names_behind("crate::cli::", code)) {
            if commands.contains(used) {
                complaints.push(format!(
                    "compiler/{name} must not use the command `{used}`; what commands share stands in a file of its own"
                ));
            }
        }
    }
    expect_none(&complaints);
}

#[test]
fn imports_are_found_in_every_form() {
    let check = |code| modules_used(code).into_iter().collect::<Vec<_>>();
    assert_eq!(
        check("use crate::diag::{self, Label};\nuse crate::codes;"),
        ["codes", "diag"]
    );
    assert_eq!(
        check("use crate::{diag::Label, source};\nlet x = crate::files::MAX;"),
        ["diag", "files", "source"]
    );
}

#[test]
fn libraries_and_rights_stay_in_their_place() {
    let mut complaints = Vec::new();
    for (name, code) in product_code() {
        for (word, places) in CONFINED {
            let allowed = places.iter().any(|place| name.starts_with(place));
            let said = code.match_indices(word).any(|(at, _)| {
                let before = code.get(..at).and_then(|text| text.chars().next_back());
                !before.is_some_and(|character| character.is_alphanumeric() || character == '_')
            });
            if said && !allowed {
                complaints.push(format!(
                    "compiler/{name} must not name `{word}`; only {} may",
                    places.join(", ")
                ));
            }
        }
    }
    expect_none(&complaints);
}

/// The path of a fact is data: joined for people in one place, and taken apart nowhere.
#[test]
fn steps_of_paths_are_joined_in_one_place() {
    let joints = ["\" > \"", "} > {", " > {", "} > @"];
    let complaints: Vec<String> = product_code()
        .into_iter()
        .filter(|(name, code)| name != "formats/path.rs" && joints.iter().any(|joint| code.contains(joint)))
        .map(|(name, _)| format!("compiler/{name} joins or parts the text of a path; use `FactPath`"))
        .collect();
    expect_none(&complaints);
}

#[test]
fn marks_stand_in_one_alphabet() {
    let mut complaints = Vec::new();
    for (name, code) in product_code() {
        // Formats know which characters are private; they use none.
        if name == "marks.rs" || name.starts_with("formats/") {
            continue;
        }
        for rest in code.split("\\u{").skip(1) {
            let digits = rest.split('}').next().unwrap_or_default();
            let letter = u32::from_str_radix(digits, 16).unwrap_or_default();
            if matches!(letter, 0xE000..=0xF8FF | 0xF_0000..) {
                complaints.push(format!(
                    "compiler/{name}: name U+{letter:04X} in compiler/marks.rs"
                ));
            }
        }
    }
    expect_none(&complaints);
}

#[test]
fn files_say_what_they_are_for_and_are_short() {
    let mut complaints = Vec::new();
    for (name, text) in texts().into_iter().filter(|(name, _)| name.ends_with(".rs")) {
        if !text.starts_with("//! ") {
            complaints.push(format!("{name} does not begin with a `//!` header"));
        }
        let lines = text.lines().count();
        if lines > TOO_LONG {
            complaints.push(format!(
                "{name} has {lines} lines; split it by idea (at most {TOO_LONG})"
            ));
        } else if lines > LONG {
            println!("{name} has {lines} lines; above {LONG} a file needs a reason");
        }
    }
    expect_none(&complaints);
}

/// Made of parts, so that this file does not hold them.
fn forbidden_words() -> Vec<String> {
    let folder = |name: &str| format!("/{name}/");
    let mut words: Vec<String> = ["root", "home", "work"].into_iter().map(folder).collect();
    for (first, second) in [("vht", "lab"), ("vht", "cx"), ("w20193", "rmhzphh6o")] {
        words.push(format!("{first}{second}"));
    }
    for (first, second) in [("TO", "DO"), ("FIX", "ME"), ("XX", "X")] {
        words.push(format!("{first}{second}"));
    }
    words
}

#[test]
fn no_machine_paths_and_no_notes_to_oneself() {
    let mut complaints = Vec::new();
    let words = forbidden_words();
    let word_end = |character: Option<char>| !character.is_some_and(char::is_alphanumeric);
    for (name, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            for word in &words {
                let compared = if word.chars().any(char::is_uppercase) || word.starts_with('/') {
                    line.to_owned()
                } else {
                    line.to_lowercase()
                };
                let found = compared.match_indices(word.as_str()).any(|(at, found)| {
                    let before = compared.get(..at).and_then(|text| text.chars().next_back());
                    let behind = compared
                        .get(at + found.len()..)
                        .and_then(|text| text.chars().next());
                    // A path may begin inside a longer one; a word must stand alone.
                    word.starts_with('/') && word_end(before) || word_end(before) && word_end(behind)
                });
                if found {
                    complaints.push(format!("{name}:{}: `{word}` must not be here", number + 1));
                }
            }
        }
    }
    expect_none(&complaints);
}

#[test]
fn no_test_is_switched_off() {
    let attribute = format!("#[{}", "ignore");
    let files = texts().into_iter().filter(|(name, _)| name.ends_with(".rs"));
    let found: Vec<_> = files
        .filter(|(_, text)| text.contains(&attribute))
        .map(|(name, _)| name)
        .collect();
    expect_none(&found);
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut complaints = Vec::new();
    let mut pages: BTreeSet<String> = texts()
        .into_keys()
        .filter_map(|name| Some(name.strip_prefix("docs/errors/")?.strip_suffix(".md")?.to_owned()))
        .collect();
    pages.remove("README");
    for code in codes::ALL {
        pages.remove(code.id());
        let heading = format!("# {}: {}\n", code.id(), code.title());
        match explain::page(*code) {
            None => complaints.push(format!("docs/errors/{}.md is missing", code.id())),
            Some(page) if !page.starts_with(&heading) => {
                complaints.push(format!(
                    "docs/errors/{}.md must begin with `{}`",
                    code.id(),
                    heading.trim()
                ));
            }
            Some(page) if !page.contains("\n## What to do\n") => {
                complaints.push(format!(
                    "docs/errors/{}.md has no section `## What to do`",
                    code.id()
                ));
            }
            Some(_) => {}
        }
    }
    complaints.extend(
        pages
            .iter()
            .map(|page| format!("docs/errors/{page}.md belongs to no code")),
    );
    if codes::ALL.windows(2).any(|pair| pair[0] >= pair[1]) {
        complaints.push("compiler/codes.rs: codes must be unique and in order".to_owned());
    }
    expect_none(&complaints);
}

#[test]
fn the_table_of_codes_is_current() {
    let result = compare_text(&root().join("docs/errors/README.md"), &explain::table());
    expect_none(&result.err().into_iter().collect::<Vec<_>>());
}

#[test]
fn every_code_is_used() {
    let table = std::fs::read_to_string(root().join("compiler/codes.rs")).expect("the table");
    let code: String = product_code()
        .into_iter()
        .filter(|(name, _)| name != "codes.rs")
        .map(|(_, code)| code)
        .collect();
    let mut complaints = Vec::new();
    for line in table.lines().filter(|line| line.contains(" = \"CB")) {
        let name = line.split_whitespace().next().unwrap_or_default();
        if !code.contains(name) {
            complaints.push(format!("compiler/codes.rs: nothing reports {name}"));
        }
    }
    expect_none(&complaints);
}

#[test]
fn links_in_documents_resolve() {
    let mut complaints = Vec::new();
    let documents = texts()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".md") && !name.starts_with("out/"));
    for (name, text) in documents {
        let folder = root()
            .join(&name)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        for rest in text.split("](").skip(1) {
            let target = rest.split([')', ' ', '\n']).next().unwrap_or_default();
            let path = target.split('#').next().unwrap_or_default();
            let elsewhere = ["http://", "https://", "mailto:"]
                .iter()
                .any(|scheme| target.starts_with(scheme));
            if !elsewhere && !path.is_empty() && !folder.join(path).exists() {
                complaints.push(format!("{name}: the link to `{target}` leads nowhere"));
            }
        }
    }
    expect_none(&complaints);
}
